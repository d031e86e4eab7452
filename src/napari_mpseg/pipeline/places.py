"""Where the parts of a result are written: a temporary folder, or an unfinished run beside the results."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from napari_mpseg.errors import Cancelled, StoreError
from napari_mpseg.files import refusal
from napari_mpseg.inference.journal import Journal
from napari_mpseg.leftovers import remove
from napari_mpseg.results.plan import differences, refuse_other
from napari_mpseg.results.saving import check_places
from napari_mpseg.results.temporary import temporary_folder
from napari_mpseg.results.unfinished import Unfinished, read_json, unfinished_folder


class Complete(Exception):
    """There is nothing left to do: the results are there."""


@dataclass
class Place:
    """Where one run writes.

    Attributes
    ----------
    finished : dict or None
        The record of results that an earlier run had completed but for the last steps, which have been done now.
    """

    finished: dict[str, Any] | None = None
    _folder: Path = Path()
    _run: Unfinished | None = None
    _places: Mapping[str, Path] = field(default_factory=dict)
    _source: str = ""
    _overwrite: bool = False

    @property
    def store(self) -> Path:
        """Of the result store, which may be half filled already; known once the run has begun."""
        return self._run.store if self._run is not None else self._folder / "result.ome.zarr"

    @property
    def parts(self) -> dict[str, Path]:
        """Where all parts are written before they are put in their places; empty for temporary results."""
        if self._run is None:
            return {}
        return {name: self._run.part(path, name) for name, path in self._places.items()}

    @cached_property
    def journal(self) -> Journal | None:
        """Of the finished tiles, for runs that can be gone on with; known once the run has begun."""
        return Journal(self._run.journal) if self._run is not None else None

    @property
    def earlier(self) -> dict[str, Any] | None:
        """The record of the run that is gone on with; None if this one is the first."""
        return self._run.plan if self._run is not None and self._run.has_begun else None

    def resolved(self, asked: Any, name: str, automatic: Any, method: str) -> Any:
        """Return a setting as asked for; where it was left open, as the earlier run of this method resolved it."""
        if asked != automatic or self.earlier is None or self.earlier["settings"]["method"] != method:
            return asked
        return self.earlier["settings"].get(name, asked)

    def begin(self, record: dict[str, Any]) -> dict[str, Any]:
        """Note what this run is asked for, and return the record to keep: that of the run that is gone on with.

        Raises
        ------
        Complete
            If just this had been completed by a run that was killed at its very end.
        StoreError
            If the earlier run was asked for something else.
        """
        if self._run is None:
            return record
        record = json.loads(json.dumps(record, default=str))
        if self.finished is not None:
            if not differences(self.finished, record):
                raise Complete
            check_places(self._places, source=self._source, overwrite=self._overwrite)
        earlier = self.earlier
        if earlier is not None:
            refuse_other(earlier, record, self._run.folder)
            self._run.sweep_store()
            return earlier
        self._run.throw_away()
        self._run.write_plan(record)
        return record

    def settle(self) -> None:
        """Have what a new run begins with on the disk."""
        if self._run is not None:
            self._run.settle()

    def finish(self) -> None:
        """Put all parts in their places."""
        if self._run is not None:
            self._run.finish(self._places, overwrite=self._overwrite)


@contextmanager
def temporary_place(cache: Any) -> Iterator[Place]:
    """Give a folder that is gone on any error or cancel."""
    folder = temporary_folder(cache)
    try:
        yield Place(_folder=folder)
    except BaseException as error:
        remove(folder)
        if isinstance(error, OSError) and not isinstance(error, (StoreError, ConnectionError)):
            raise refusal(folder, error) from error
        raise


@contextmanager
def kept_place(paths: Mapping[str, Path], source: str, *, overwrite: bool, restart: bool) -> Iterator[Place]:
    """Give the unfinished run of these results, begun or new. What tiles it has finished stays on any error or cancel.

    Raises
    ------
    StoreError
        If something of the user's would be lost, another process is at work on it, or the place cannot be written.
    """
    folder = unfinished_folder(paths["record"])
    run = Unfinished(folder)
    finished = read_json(paths["record"]) if run.end_cut_short(paths) else None
    if finished is None:
        check_places(paths, source=source, overwrite=overwrite)
    with run.at_work():
        if restart:
            run.throw_away()
        try:
            yield Place(finished, folder, run, paths, source, overwrite)
        except Cancelled as stop:
            stop.kept = str(folder) if run.has_begun else ""
            raise
        except OSError as error:
            if isinstance(error, (StoreError, ConnectionError)):  # in the user's words already; not the disk's
                raise
            raise refusal(folder.parent, error) from error
