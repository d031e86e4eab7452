"""A lock that the operating system lets go of when the process that holds it ends, however it ends."""

import errno
import os
from pathlib import Path
from typing import IO


def take_lock(path: Path) -> IO[bytes] | None:
    """Lock a file, made if it is not there, until the returned file is closed; None if another process holds it.

    Where the file system knows no locks, it is given without one.

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    while True:
        file = path.open("a+b")
        if not _locked(file):
            file.close()
            return None
        if _is_at(file, path):
            return file
        file.close()  # its folder was moved away between opening and locking


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _locked(file: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True
