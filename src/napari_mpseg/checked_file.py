"""Files that are read only if they are the ones their card was written for."""

import hashlib
from pathlib import Path

from napari_mpseg.errors import ModelError


def read_checked(file: Path, sha256: str, what: str) -> bytes:
    """Return the content of a file whose digest is known.

    Parameters
    ----------
    file : Path
        The file.
    sha256 : str
        What its card says, as hexadecimal digits.
    what : str
        What it belongs to, for the message: ``"model"``, ``"forest"``.

    Raises
    ------
    ModelError
        If it cannot be read or has another digest.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror or error}. Copy the {what} again.") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ModelError(
            f"{file} is not the file its card was written for (SHA-256 {digest[:12]}…, expected "
            f"{sha256[:12] or 'none'}…). It was changed or damaged: copy the {what} again."
        )
    return content
