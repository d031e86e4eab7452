"""Files are finished atomically: written beside their place, then moved there in one step."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_mpseg.errors import StoreError


@contextmanager
def finished_at(path: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path to write a file or folder to, and move it to `path` when the block ends well.

    On any error or cancel the temporary is removed and whatever was at `path` is untouched.

    Parameters
    ----------
    path : path-like
        Where the finished file or folder shall be.
    overwrite : bool
        Replace what is there. If False and something is there, StoreError is raised before any work.

    Raises
    ------
    StoreError
        If the place cannot be written: no rights, full disk, something in the way.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise StoreError(f"{target} is already there. Choose another place or ask for overwriting.")
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _replace(part, target)
    except OSError as error:
        _remove(part)
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"Cannot write {target}: {error.strerror or error}. Free some space or choose another folder."
        ) from error
    except BaseException:
        _remove(part)
        raise


def _replace(part: Path, target: Path) -> None:
    if target.is_dir():
        old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
        target.rename(old)
        try:
            part.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        part.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
