"""What a batch has done so far: a file that is only ever added to, and so is whole whenever the process is killed."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_mpseg.errors import StoreError
from napari_mpseg.files import refusal
from napari_mpseg.results.saving import result_paths

JOURNAL = "batch_journal.jsonl"


@dataclass(frozen=True)
class Entry:
    """What is known of one image.

    Attributes
    ----------
    name : str
        Of its results.
    path : Path
    settings : str
        Digest of the settings it was last begun with.
    file : mapping
        Its fingerprint when it was last begun, and from its end on the digest of its contents.
    before : int or None
        When the record of earlier results was written, in nanoseconds; None if there were none.
    ended : bool
        Whether an end of that beginning is known.
    status, message, particles, seconds
        As in :class:`~napari_mpseg.batch.outcome.ImageOutcome`.
    """

    name: str
    path: Path
    settings: str = ""
    file: Mapping[str, Any] = field(default_factory=dict)
    before: int | None = None
    ended: bool = False
    status: str = ""
    message: str = ""
    particles: int | None = None
    seconds: float | None = None


@dataclass
class Journal:
    """The journal in the folder of a batch.

    Attributes
    ----------
    out : Path
        The folder.
    entries : dict of str to Entry
        By name.
    batch : dict
        What the latest run was: settings, pattern, sheet, the names of its images.
    settings : dict of str to dict
        All settings that were used, by digest.
    """

    out: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    batch: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, out: Path) -> "Journal":
        """Return the journal of a folder, empty where there is none.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
        journal = cls(out)
        place = out / JOURNAL
        try:
            lines = place.read_text(encoding="utf-8").splitlines() if place.exists() else []
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{place} cannot be read: {error}. Choose another folder.") from error
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # cut off by a kill or a full disk
                continue
            journal._take(event)
        return journal

    @property
    def there(self) -> bool:
        """Whether there is one."""
        return (self.out / JOURNAL).is_file()

    def names(self) -> dict[Path, str]:
        """Return the name of each image that has one."""
        return {entry.path: entry.name for entry in self.entries.values()}

    def write(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Add events.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        place = self.out / JOURNAL
        text = ""
        for event in events:
            line = json.dumps(event, ensure_ascii=False)
            self._take(json.loads(line))
            text += line + "\n"
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            with place.open("a+b") as file:
                # what a killed process began to write must not swallow the next line
                cut = file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
                file.write((("\n" if cut else "") + text).encode(errors="surrogateescape"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise refusal(place, error) from error

    def _take(self, event: Any) -> None:
        if not isinstance(event, dict):
            return
        kind = event.pop("event", "")
        if kind == "batch":
            self.batch = event
            self.settings[str(event["digest"])] = event["settings"]
        elif kind == "begun":
            entry = Entry(event["name"], Path(event["path"]), event["settings"], event["file"], event["before"])
            self.entries[entry.name] = entry
        elif kind == "ended" and event["name"] in self.entries:
            begun = self.entries[event.pop("name")]
            self.entries[begun.name] = replace(begun, ended=True, **{**event, "file": {**begun.file, **event["file"]}})


def record_time(out: Path, name: str) -> int | None:
    """Return when the record of an image's results was written, in nanoseconds; None where they are not complete."""
    paths = result_paths(out, name)
    try:
        return paths["record"].stat().st_mtime_ns if paths["csv"].exists() and paths["store"].exists() else None
    except OSError:
        return None
