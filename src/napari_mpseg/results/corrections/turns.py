"""Corrections of the same labels, one after the other: who writes holds a lock beside the labels."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from napari_mpseg.errors import StoreError
from napari_mpseg.file_lock import take_lock
from napari_mpseg.files import refusal
from napari_mpseg.results.corrections.place import LabelsPlace

_LOCK = "lock"
_TRIES = 100  # whoever lets go removes the folder if it is empty, so it may have to be made again


@contextmanager
def in_turn(place: LabelsPlace) -> Iterator[None]:
    """Keep all others, other threads too, from writing these labels for the block.

    Raises
    ------
    StoreError
        If somebody else is writing them, or nothing can be written there.
    """
    with if_free(place) as free:
        if not free:
            raise StoreError(
                f"The labels in {place.store} are being changed in another window or by another program. Nothing was "
                "written. Wait until that is done, and try again."
            )
        yield


@contextmanager
def if_free(place: LabelsPlace) -> Iterator[bool]:
    """Keep all others from writing these labels for the block; False, at once, if somebody else is at it.

    Raises
    ------
    StoreError
        If nothing can be written there.
    """
    path = place.folder / _LOCK
    try:
        file = _taken(path)
    except OSError as error:
        raise refusal(place.folder, error) from error
    if file is None:
        yield False
        return
    try:
        yield True
    finally:
        _let_go(file, path)


def _taken(path: Path) -> IO[bytes] | None:
    for _ in range(_TRIES):
        path.parent.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # the folder went again
            return take_lock(path)
    return None


def _let_go(file: IO[bytes], path: Path) -> None:
    """Remove the file while it is locked, so that nobody locks one that goes; where that cannot be, afterwards."""
    with file, suppress(OSError):
        # another's, if the folder was moved away meanwhile
        if os.name != "nt" and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            path.unlink()
    if os.name == "nt":
        with suppress(OSError):  # somebody else has it open already
            path.unlink()
    with suppress(OSError):  # there are corrections in it
        path.parent.rmdir()
