"""Bringing work, results and errors from one process to another."""

import pickle
import traceback
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.work import Work


def packed(work: Work) -> bytes:
    """Return the work as bytes that another process of the same environment can make it of.

    Raises
    ------
    SettingsError
        If it holds what cannot leave this process: an open file, a connection, a lock.
    """
    try:
        return to_bytes(work)
    except Exception as error:
        raise SettingsError(
            f"This cannot be brought to other processes ({error}). Store the image as a file that this program opens, "
            "such as TIFF or OME-Zarr, and take it from there; or use threads."
        ) from error


def fit_to_travel(error: BaseException, where: str) -> BaseException:
    """Return an error that can be pickled, with the lines of code that it came from as a note."""
    lines = "".join(traceback.format_exception(error))
    error.add_note(f"In {where}:\n{lines}")
    try:
        # some errors can be written but not read: their arguments are not their message
        unpacked(to_bytes(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}\n{lines}")
    return error


def to_bytes(content: Any) -> bytes:
    """Return anything as bytes; functions that no module holds go along with their code."""
    import cloudpickle  # type: ignore[import-untyped]

    made: bytes = cloudpickle.dumps(content)
    return made


def unpacked(content: bytes) -> Any:
    """Return what :func:`packed` or :func:`to_bytes` made bytes of."""
    return pickle.loads(content)
