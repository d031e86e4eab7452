"""Digests of files and arrays: to tell whether something is still what it was."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

_READ = 2**22  # bytes
_ROWS = 1024


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file as it is."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_READ):
            digest.update(part)
    return digest.hexdigest()


def array_digest(array: Any) -> str:
    """Return the SHA-256 of an array's shape, type and values, read some rows at a time."""
    digest = hashlib.sha256(f"{tuple(array.shape)} {array.dtype}".encode())
    for top in range(0, array.shape[0], _ROWS):
        digest.update(np.ascontiguousarray(np.asarray(array[top : top + _ROWS])).tobytes())
    return digest.hexdigest()
