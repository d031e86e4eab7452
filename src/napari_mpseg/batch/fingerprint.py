"""What tells whether a file is still the one that results were made from."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.errors import ModelError
from napari_mpseg.files import file_digest

_LARGEST = 2**28  # bytes; the contents of larger files are not compared


def fingerprint(path: Path) -> dict[str, Any]:
    """Return size in bytes, number of files and last change in nanoseconds of a file, or of all files of a folder.

    Raises
    ------
    OSError
        If a file has vanished, or may not be looked at.
    """
    sizes, times = [], []
    for each in _files(path):
        told = each.stat()
        sizes.append(told.st_size)
        times.append(told.st_mtime_ns)
    return {"size": sum(sizes), "files": len(sizes), "modified": max(times, default=0)}


def content_digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None of folders and of files above 256 MiB.

    Raises
    ------
    OSError
        If it has vanished, or cannot be read.
    """
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return None
    return file_digest(path)


def changed(path: Path, kept: Mapping[str, Any]) -> str:
    """Return how a file differs from what was kept of it, empty if it does not, or if nothing was kept.

    A file that was copied or touched, and holds the same, has not changed.

    Raises
    ------
    OSError
        If it has vanished, or cannot be read.
    """
    if not kept:
        return ""
    now = fingerprint(path)
    for what, word in (("size", "bytes"), ("files", "files")):
        if now[what] != kept.get(what):
            return f"it had {kept.get(what)} {word} and has {now[what]}"
    if now["modified"] == kept.get("modified") or (kept.get("sha256") and content_digest(path) == kept["sha256"]):
        return ""
    return "it was written again since"


def model_digest(method: str) -> str | None:
    """Return the SHA-256 over the files of a model folder, or of a method file; None of a registered method.

    Raises
    ------
    ModelError
        If they cannot be read.
    """
    path = Path(method)
    if not path.exists():
        return None
    digest = hashlib.sha256()
    try:
        for each in sorted(_files(path)):
            digest.update(f"{each.relative_to(path).as_posix()} {file_digest(each)}\n".encode())
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {error}. Check its folder and the rights on it.") from error
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder) / name for name in names)
