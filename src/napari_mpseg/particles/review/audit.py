"""The record of everything that a reviewer changed: only added to, never rewritten."""

import getpass
import json
import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import StoreError
from napari_mpseg.files import finished_at

KEY = "napari-mpseg"
DECIDING = ("accept", "reject", "class", "table")
"""Actions that are decisions on a particle, rather than edits of labels."""

_COLUMNS = ("time", "who", "action", "labels", "before", "after", "note")


@dataclass(frozen=True)
class AuditEntry:
    """One change.

    Attributes
    ----------
    time : str
        When, in UTC, as ISO 8601 with milliseconds.
    who : str
        Name of the user's account; empty where the system does not tell it.
    action : str
        ``"accept"``, ``"reject"``, ``"class"``, ``"merge"``, ``"split"``, ``"delete"``, ``"redraw"``, ``"paint"``,
        ``"correct"`` (a region of large labels), ``"box"`` (of a count: drawn, moved, taken away), ``"undo"``,
        ``"redo"``, ``"table"`` (cells edited in napari's table or decided on elsewhere), ``"found"`` (another change
        made elsewhere, which is no decision).
    labels : tuple of int
        The particles it is about.
    before, after : mapping
        What was, what is: ``{"keep": True}``; of an edit of labels ``{"pixels": {"3": 120, "7": 80}}``. `before` of
        ``"undo"`` and ``"redo"`` says in ``"action"`` what was taken back or done again.
    note : str
        One sentence, where there is more to say.
    """

    time: str
    who: str
    action: str
    labels: tuple[int, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    note: str = ""


class AuditRecord:
    """All changes of one layer, oldest first. Entries can be added and read, nothing else.

    Parameters
    ----------
    entries : iterable of mapping
        What was stored, see :meth:`stored`; entries that cannot be read are kept as they are in `unread`.

    Attributes
    ----------
    unread : tuple
        Stored things that are no entries, perhaps of a newer version; they are stored again.
    """

    def __init__(self, entries: Iterable[Any] = ()) -> None:
        self._entries: list[AuditEntry] = []
        unread = []
        for stored in entries:
            try:
                self._entries.append(_entry(stored))
            except (TypeError, KeyError, ValueError):
                unread.append(stored)
        self.unread = tuple(unread)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[AuditEntry]:
        return iter(tuple(self._entries))

    def __getitem__(self, index: int) -> AuditEntry:
        return self._entries[index]

    def add(
        self,
        action: str,
        labels: Sequence[int] = (),
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> AuditEntry:
        """Add an entry with the time and the user of now, and return it; values become plain JSON."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        numbers = tuple(int(label) for label in labels)
        entry = AuditEntry(now, user_name(), action, numbers, _plain(before or {}), _plain(after or {}), note)
        self._entries.append(entry)
        return entry

    def reviewed(self) -> set[int]:
        """Return the labels that somebody decided on (:data:`DECIDING`), and did not take back."""
        times: dict[int, int] = {}
        for entry in self._entries:
            # what was taken back or done again says which action it was
            action = entry.before.get("action") if entry.action in ("undo", "redo") else entry.action
            if action in DECIDING:
                for label in entry.labels:
                    times[label] = times.get(label, 0) + (-1 if entry.action == "undo" else 1)
        return {label for label, count in times.items() if count > 0}

    def stored(self) -> list[Any]:
        """Return the record as plain values that JSON can hold."""
        return [{**asdict(entry), "labels": list(entry.labels)} for entry in self._entries] + list(self.unread)

    def to_json_lines(self, path: str | os.PathLike[str]) -> Path:
        """Write one JSON object per line.

        Raises
        ------
        StoreError
            If the place cannot be written.
        """
        with finished_at(path) as part:
            part.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in self.stored()), "utf-8")
        return Path(path)

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write a table for people: one row per entry, `before` and `after` as ``keep=True; class=fibre``.

        Raises
        ------
        StoreError
            If the place cannot be written.
        """
        import csv

        with finished_at(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for entry in self._entries:
                labels = " ".join(map(str, entry.labels))
                row = (entry.time, entry.who, entry.action, labels, _told(entry.before), _told(entry.after), entry.note)
                writer.writerow(row)
        return Path(path)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "AuditRecord":
        """Read what :meth:`to_json_lines` wrote.

        Raises
        ------
        StoreError
            If the file is missing or is no such record.
        """
        try:
            lines = Path(path).read_text("utf-8").splitlines()
            return cls([json.loads(line) for line in lines if line.strip()])
        except (OSError, ValueError) as error:
            raise StoreError(f"Cannot read the audit record {path}: {error}. Give a file of JSON lines.") from error


def audit_of(metadata: Any) -> AuditRecord:
    """Return the record in a layer's ``metadata``; an empty one where there is none."""
    record = metadata.get(KEY) if isinstance(metadata, Mapping) else None
    stored = record.get("audit") if isinstance(record, Mapping) else None
    return AuditRecord(stored if isinstance(stored, list) else ())


def keep_audit(metadata: MutableMapping[str, Any], record: AuditRecord) -> None:
    """Put the record into a layer's ``metadata``, beside what is there."""
    about = metadata.get(KEY)
    metadata[KEY] = {**(about if isinstance(about, Mapping) else {}), "audit": record.stored()}


def append_audit(metadata: MutableMapping[str, Any], entry: AuditEntry) -> None:
    """Add one entry to the record in a layer's ``metadata``.

    The record is put in place anew: a layer that was duplicated shares it with the other, which must not get the entry.
    """
    about = metadata.get(KEY)
    stored = {**asdict(entry), "labels": list(entry.labels)}
    if isinstance(about, Mapping) and isinstance(about.get("audit"), list):
        metadata[KEY] = {**about, "audit": [*about["audit"], stored]}
    else:
        keep_audit(metadata, AuditRecord([*audit_of(metadata).stored(), stored]))


def own_record(metadata: MutableMapping[str, Any]) -> None:
    """Give a layer's ``metadata`` a copy of what this plugin notes there, which a duplicated layer shares else."""
    about = metadata.get(KEY)
    if isinstance(about, Mapping):
        metadata[KEY] = {
            name: copy(value) if isinstance(value, (dict, list)) else value for name, value in about.items()
        }


def write_audit_beside(metadata: Any, path: str | os.PathLike[str]) -> list[Path]:
    """Write a layer's record beside an export: ``NAME_audit.jsonl`` to be read again, ``NAME_audit.csv`` for people.

    Parameters
    ----------
    metadata : mapping
        Of the layer.
    path : path-like
        The exported file, ``NAME.csv``, ``NAME.ome.zarr`` or another.

    Returns
    -------
    list of Path
        What was written; empty where nothing was ever changed.

    Raises
    ------
    StoreError
        If the place cannot be written.
    """
    record = audit_of(metadata)
    if not len(record) and not record.unread:
        return []
    place = audit_beside(path)
    return [record.to_json_lines(place), record.to_csv(place.with_suffix(".csv"))]


def audit_beside(path: str | os.PathLike[str]) -> Path:
    """Return where the record of an exported file lies."""
    path = Path(path)
    stem = path.name
    for ending in (".zarr", ".tif", ".tiff", ".ome", ".csv", ".parquet", ".html", ".zip"):
        stem = stem.removesuffix(ending)
    return path.with_name(f"{stem}_audit.jsonl")


def read_audit_beside(path: str | os.PathLike[str]) -> AuditRecord:
    """Return the record beside an exported file; an empty one where there is none."""
    place = audit_beside(path)
    return AuditRecord.read(place) if place.exists() else AuditRecord()


def user_name() -> str:
    """Return the name of the user's account, or an empty text."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _entry(stored: Mapping[str, Any]) -> AuditEntry:
    known = {one.name for one in fields(AuditEntry)}
    if set(stored) - known:
        raise ValueError("an entry with more than is known")
    values = {**stored, "labels": tuple(int(label) for label in stored["labels"])}
    return AuditEntry(**values)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain_value(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return None  # pandas' missing values


def _told(values: Mapping[str, Any]) -> str:
    def one(value: Any) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{name}: {each}" for name, each in value.items())
        return "" if value is None else str(value)

    return "; ".join(f"{name}={one(value)}" for name, value in values.items())
