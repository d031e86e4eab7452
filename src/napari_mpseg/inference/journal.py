"""Which tiles of a run are finished, and what must be known of each to finish the run: written as it goes.

Every process that does tiles appends to a file of its own, so that none waits for another and a network file system
needs no locks. A record is only read if its checksum fits: what a kill, a power cut or a full disk left half-written
is as if it had never been.
"""

import json
import struct
import threading
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.leftovers import new_mark

Array = np.ndarray[Any, Any]
_HEAD = struct.Struct("<4sII")  # magic, length, crc32
_MAGIC = b"MPJ1"
_ENDING = ".journal"


@dataclass(frozen=True)
class Record:
    """One finished item.

    Attributes
    ----------
    item : tuple of int
        Row and column of the tile.
    arrays : mapping of str to ndarray
        What was found out about it.
    """

    item: tuple[int, ...]
    arrays: Mapping[str, Array]


class Journal:
    """A folder of records; picklable, and safe to append to from several threads and processes.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._file: BufferedRandom | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["folder"])  # type: ignore[misc]

    def append(self, record: Record) -> None:
        """Add a record; it is in the hands of the operating system when this returns.

        Raises
        ------
        OSError
            If it cannot be written; a part of it that was is taken back.
        """
        payload = _packed(record)
        entry = _HEAD.pack(_MAGIC, len(payload), zlib.crc32(payload)) + payload
        with self._lock:
            if self._file is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._file = (self.folder / f"{new_mark()}{_ENDING}").open("w+b")
            start = self._file.tell()
            try:
                self._file.write(entry)
                self._file.flush()
            except OSError:
                self._give_up_from(start)
                raise

    def close(self) -> None:
        """Close this process's file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _give_up_from(self, start: int) -> None:
        """Forget a half-written record; the next one goes to a file of its own."""
        file, self._file = self._file, None
        if file is None:
            return
        path = Path(file.name)
        with suppress(OSError):  # what it still held could not be written either
            file.close()
        with path.open("r+b") as again:
            again.truncate(start)

    def read(self) -> dict[tuple[int, ...], Record]:
        """Return the last whole record of every item."""
        found = {}
        for path in sorted(self.folder.glob(f"*{_ENDING}"), key=lambda path: (path.stat().st_mtime_ns, path.name)):
            for record in _records(path.read_bytes()):
                found[record.item] = record
        return found


def _records(content: bytes) -> list[Record]:
    """Return the whole records at the beginning of a file; what follows a damaged one is not trusted."""
    found, place = [], 0
    while place + _HEAD.size <= len(content):
        magic, length, checksum = _HEAD.unpack_from(content, place)
        payload = content[place + _HEAD.size : place + _HEAD.size + length]
        if magic != _MAGIC or len(payload) != length or zlib.crc32(payload) != checksum:
            break
        found.append(_unpacked(payload))
        place += _HEAD.size + length
    return found


def _packed(record: Record) -> bytes:
    """Return a line of JSON that says what follows, and the arrays' bytes."""
    arrays = {name: np.asarray(values, order="C") for name, values in record.arrays.items()}
    head = {
        "item": list(record.item),
        "arrays": [[name, values.dtype.str, list(values.shape)] for name, values in arrays.items()],
    }
    return json.dumps(head).encode() + b"\n" + b"".join(values.tobytes() for values in arrays.values())


def _unpacked(payload: bytes) -> Record:
    line, _, content = payload.partition(b"\n")
    head = json.loads(line)
    arrays, place = {}, 0
    for name, dtype, shape in head["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        values = np.frombuffer(content, np.dtype(dtype), count, place).reshape(shape)
        arrays[name] = values
        place += values.nbytes
    return Record(tuple(head["item"]), arrays)
