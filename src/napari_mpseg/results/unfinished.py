"""The folder of a run that is not finished: what is done stays there, and the same command goes on from it.

Layout::

    NAME.unfinished/
      plan.json        what the run was asked for; another run does not go on from here
      lock             held by the process at work, let go by the system when that process ends, however it ends
      journal-MARK/    which tiles are finished
      store-MARK.ome.zarr   the result store, half filled; the other parts come in at the end
      store-MARK.pieces.zarr   of methods that tell particles apart: what each window saw; never part of a result
      finishing.json   there once all parts are complete: from then on they are only moved to their places

The mark is new for every run that begins anew: what a worker of an earlier, killed run still writes goes nowhere.
"""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from napari_mpseg.errors import StoreError
from napari_mpseg.file_lock import take_lock
from napari_mpseg.files import finished_at, refusal, to_disk
from napari_mpseg.inference.pieces import pieces_place
from napari_mpseg.inference.store import open_store
from napari_mpseg.leftovers import is_left_over, new_mark, remove, sweep

ENDING = ".unfinished"
_PLAN, _FINISHING, _LOCK = "plan.json", "finishing.json", "lock"


class Unfinished:
    """A run in progress, in a folder beside where its results will be.

    Parameters
    ----------
    folder : Path
        See :func:`unfinished_folder`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[bytes] | None = None

    @property
    def journal(self) -> Path:
        """Folder of the records of finished tiles."""
        return self.folder / f"journal-{self._mark}"

    @property
    def store(self) -> Path:
        """Where the result store is filled."""
        return self.folder / f"store-{self._mark}.ome.zarr"

    @property
    def plan(self) -> dict[str, Any] | None:
        """What the run was asked for; None if it never came so far."""
        found = (read_json(self.folder / _PLAN) or {}).get("plan")
        return found if isinstance(found, dict) else None

    @property
    def _mark(self) -> str:
        return str((read_json(self.folder / _PLAN) or {}).get("mark", "none"))

    @property
    def has_begun(self) -> bool:
        """Whether there is anything worth going on from."""
        return self.plan is not None and self._store_is_whole and any(self.journal.glob("*"))

    @property
    def _store_is_whole(self) -> bool:
        """Whether the store can be opened; after a power cut its files may be there and empty."""
        try:
            open_store(self.store)
        except StoreError:
            return False
        return True

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Note what a new run was asked for."""
        content = {"mark": uuid.uuid4().hex[:8], "plan": plan}
        with finished_at(self.folder / _PLAN) as part:
            part.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
            to_disk(part)

    def settle(self) -> None:
        """Have the empty store's metadata on the disk before any tile is, so that they survive a power cut."""
        for path in self.store.rglob("zarr.json"):
            to_disk(path)

    def part(self, path: Path, name: str) -> Path:
        """Return where the part of the result that will be at `path` is written."""
        return self.store if name == "store" else self.folder / f"{name}{path.suffix}"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold the lock for the block; the folder goes afterwards if nothing in it is worth keeping.

        Raises
        ------
        StoreError
            If another process is at work on it, or the folder cannot be made.
        """
        made = [parent for parent in (self.folder.parent, *self.folder.parent.parents) if not parent.exists()]
        self._take_lock()
        try:
            yield
        finally:
            worth_keeping = self.has_begun or (self.folder / _FINISHING).exists()
            if self._lock is not None and not worth_keeping:  # without the lock it may be another's by now
                self._remove()
            self._let_go()
            if not worth_keeping:
                for parent in made:
                    with suppress(OSError):  # it holds something by now
                        parent.rmdir()

    def sweep_store(self) -> None:
        """Remove chunks that a kill left half-written: zarr writes each beside its place first."""
        for store in (self.store, pieces_place(self.store)):
            for partial in list(store.rglob("*.partial")):
                remove(partial)

    def throw_away(self) -> None:
        """Remove what an earlier run left, but not the lock that is held."""
        (self.folder / _PLAN).unlink(missing_ok=True)  # first: without it the rest is not gone on from
        for entry in list(self.folder.iterdir()):
            if entry.name != _LOCK:
                remove(entry)

    def _take_lock(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = take_lock(self.folder / _LOCK)
        except OSError as error:
            raise refusal(self.folder.parent, error) from error
        if file is None:
            raise StoreError(
                f"Another process is at work on {self.folder}. Wait until it has ended, or choose another folder."
            )
        self._lock = file

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def finish(self, places: Mapping[str, Path], *, overwrite: bool) -> None:
        """Move all parts to their places; if the process is killed meanwhile, :meth:`end_cut_short` ends it.

        The last place is filled last: where it is, the results are complete.

        Raises
        ------
        StoreError
            If something lies in the way and `overwrite` is False, or a part cannot be moved; all is put back then.
        """
        there = [path.name for path in places.values() if os.path.lexists(path)]
        if there and not overwrite:
            raise StoreError(
                f"{self.folder.parent} has got other results meanwhile: {', '.join(there)}. Move them away and run the "
                f"same again: what was done is kept in {self.folder.name}."
            )
        parts = {name: self.part(path, name) for name, path in places.items()}
        for name, path in places.items():
            if path.is_dir() and parts[name].exists() and not parts[name].is_dir():
                raise StoreError(f"{path} is a folder, and a file is to be written there. Move the folder away.")
        new = [name for name, part in parts.items() if part.exists()]
        with finished_at(self.folder / _FINISHING) as marker:
            marker.write_text(json.dumps({"new": new}), encoding="utf-8")
        try:
            self._move(places, new)
        except OSError as error:
            self._put_back(places, new)
            raise refusal(self.folder.parent, error) from error
        self._remove()

    def end_cut_short(self, places: Mapping[str, Path]) -> bool:
        """End a run that was killed while its complete results were put in their places.

        Returns
        -------
        bool
            Whether there was one: the results are there now.

        Raises
        ------
        StoreError
            If a part cannot be moved; what is not moved yet stays here.
        """
        found = read_json(self.folder / _FINISHING)
        if found is None:
            return self._sweep() and not self.folder.exists()
        self._take_lock()
        try:
            self._move(places, list(found["new"]))
        except OSError as error:
            self._let_go()
            raise refusal(self.folder.parent, error) from error
        self._remove()
        return True

    def _move(self, places: Mapping[str, Path], new: list[str]) -> None:
        """Move what is not moved yet. An older part that has no new one goes, too: it belongs to other results."""
        for name, path in reversed(list(places.items())):
            if os.path.lexists(path) and (name not in new or self.part(path, name).exists()):
                path.rename(self._old(name))
        for name, path in places.items():
            part = self.part(path, name)
            if part.exists():
                part.rename(path)

    def _put_back(self, places: Mapping[str, Path], new: list[str]) -> None:
        for name, path in places.items():
            part = self.part(path, name)
            if name in new and not part.exists() and os.path.lexists(path):
                path.rename(part)
            if os.path.lexists(self._old(name)):
                self._old(name).rename(path)
        (self.folder / _FINISHING).unlink(missing_ok=True)

    def _old(self, name: str) -> Path:
        return self.folder / f"old-{name}"

    def _remove(self) -> None:
        """Remove the folder: renamed first, so that no half of it is taken for a run to go on with."""
        gone = self.folder.with_name(f".{self.folder.name}~{new_mark()}.old")
        try:
            self.folder.rename(gone)
        except OSError:  # some systems do not move a folder with an open file in it
            self._let_go()
            with suppress(OSError):
                self.folder.rename(gone)
        self._let_go()
        remove(gone)
        self._sweep()

    def _sweep(self) -> bool:
        """Remove what is left of folders of killed processes; True if there was one."""
        prefix = f".{self.folder.name}~"
        try:
            found = any(is_left_over(path.name) for path in self.folder.parent.glob(f"{prefix}*"))
        except OSError:
            return False
        sweep(self.folder.parent, prefix)
        return found


def unfinished_folder(record: Path) -> Path:
    """Return the folder of the unfinished run whose record of the run will be at `record`."""
    return record.with_name(record.name.removesuffix("_run.json") + ENDING)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file of JSON holds, or None if it is not there, damaged, or no mapping."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or from before files were finished atomically
        return None
    return found if isinstance(found, dict) else None
