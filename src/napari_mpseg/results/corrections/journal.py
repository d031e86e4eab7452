"""Corrections as files: written before anything is changed, kept so that the last one can be taken back.

A correction is one file, and its name says how far it is::

    NAME_corrections/
      0001.npz            done; holds the pixels before and after
      0002.applying.npz   was to be applied: to be finished, whatever of it is done already
      0001.undoing.npz    was to be taken back: likewise
      lock                there while one is being written, held by who writes

The file is complete before it bears its name, and all that is done after it is the same done twice as done once.
"""

import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import StoreError
from napari_mpseg.files import finished_at

DONE, APPLYING, UNDOING = "", ".applying", ".undoing"
_NAME = re.compile(r"(?P<number>\d{4,})(?P<state>|\.applying|\.undoing)\.npz")


@dataclass(frozen=True)
class Journal:
    """One correction as it is stored.

    Attributes
    ----------
    blocks : numpy.ndarray
        int64 ``(N, 2)``; row and column, in chunks, of the chunks that change.
    before, after : numpy.ndarray
        ``(N, height, width)``; whole chunks, 0 beyond the image. Written as they are, so that a chunk that was half
        written when the power went need not be read.
    about : mapping
        Plain values: what :mod:`~napari_mpseg.results.corrections.correct` has to know.
    """

    blocks: NDArray[np.int64]
    before: NDArray[Any]
    after: NDArray[Any]
    about: Mapping[str, Any]


def listed(folder: Path) -> list[tuple[int, str, Path]]:
    """Return number, state and place of the corrections in a folder, oldest first."""
    if not folder.is_dir():
        return []
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return sorted((int(match["number"]), match["state"], path) for match, path in found)


def write(path: Path, journal: Journal) -> None:
    """Write a correction; it is on the disk, not only in the system's memory, when this returns.

    Raises
    ------
    StoreError
        If the place cannot be written, or holds a correction already.
    """
    told = np.frombuffer(json.dumps(dict(journal.about)).encode(), np.uint8)
    with finished_at(path, overwrite=False) as part, part.open("wb") as file:
        np.savez_compressed(file, blocks=journal.blocks, before=journal.before, after=journal.after, about=told)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Journal:
    """Read a correction.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    with _opened(path) as stored:
        return Journal(stored["blocks"], stored["before"], stored["after"], _about(stored))


def read_about(path: Path) -> dict[str, Any]:
    """Read what a correction tells, without its pixels, which may be many.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    with _opened(path) as stored:
        return _about(stored)


def in_state(path: Path, state: str) -> Path:
    """Return the name of a correction in another state."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path} is no correction")
    return path.with_name(f"{match['number']}{state}.npz")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            yield stored
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise StoreError(
            f"The correction {path} cannot be read: {error}. The labels are as they are; move the file away to go on."
        ) from error


def _about(stored: Any) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(stored["about"].tobytes().decode())
    return about
