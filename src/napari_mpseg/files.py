"""Files are finished atomically: written beside their place, then moved there in one step."""

import errno
import hashlib
import os
import re
import shutil
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_mpseg.errors import StoreError
from napari_mpseg.leftovers import is_left_over, new_mark, remove

_NAME_KEPT = 32  # characters of a name in that of its temporary, so that long names stay within the system's limit

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space, or choose a folder on another disk.",
    errno.EDQUOT: "Your share of the disk is used up: free some space, or choose a folder on another disk.",
    errno.EACCES: "You have no right to write there: choose another folder.",
    errno.EPERM: "You have no right to write there: choose another folder.",
    errno.EROFS: "The disk can only be read: choose a folder on another disk.",
    errno.ENOTDIR: "Part of this path is a file: choose another folder.",
    errno.EEXIST: "Part of this path is a file: choose another folder.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


@contextmanager
def finished_at(path: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path to write a file or folder to, and move it to `path` when the block ends well.

    On any error or cancel the temporary is removed and whatever was at `path` is untouched.

    Parameters
    ----------
    path : path-like
        Where the finished file or folder shall be. A symbolic link is followed.
    overwrite : bool
        Replace what is there. If False and something is there, StoreError is raised before any work. A folder is
        never replaced by a file.

    Raises
    ------
    StoreError
        If the place cannot be written: no rights, full disk, something in the way.
    """
    with finished_together({"file": Path(path)}, overwrite=overwrite) as parts:
        yield parts["file"]


@contextmanager
def finished_together(
    targets: Mapping[str, Path], *, overwrite: bool = False, optional: Collection[str] = ()
) -> Iterator[dict[str, Path]]:
    """Give a temporary path for each of several files or folders, and move all of them when the block ends well.

    Until the block has ended, nothing that was there is touched. If moving fails half-way, all is put back. Should the
    process be killed while it moves, the next call for the same places puts back what was there before.

    Parameters
    ----------
    targets : mapping of str to Path
        Where each shall be, by a name of the caller's. The last one is put in its place last: it says that all are
        there.
    overwrite : bool
        Replace what is there, once the new ones are complete.
    optional : collection of str
        Names of those that the block need not write; an older one is then removed.

    Yields
    ------
    dict of str to Path
        Where to write each.

    Raises
    ------
    StoreError
        If a place cannot be written: no rights, full disk, something in the way.
    """
    places = {name: path.resolve() if path.is_symlink() else path for name, path in targets.items()}
    there = [str(path) for path in places.values() if os.path.lexists(path)]
    if there and not overwrite:
        verb = "is" if len(there) == 1 else "are"
        raise StoreError(f"{', '.join(there)} {verb} already there. Choose another place or ask for overwriting.")
    mark = new_mark()
    parts = {name: _beside(place, mark, "part") for name, place in places.items()}
    made: list[Path] = []
    try:
        for folder in dict.fromkeys(place.parent for place in places.values()):
            _make_folder(folder, made)
            _try_writing(folder)
        _clean_up_after_killed(list(places.values()))
        yield parts
        _move(parts, places, optional, mark)
    except BaseException as error:
        for part in parts.values():
            remove(part)
        for folder in reversed(made):
            with suppress(OSError):  # it holds something else by now
                folder.rmdir()
        told = _told(error, parts, places)
        if told is None:
            raise
        raise told from error


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_disk(path: Path) -> None:
    """Have a file's content on the disk before going on, as far as the system tells the truth about it."""
    with path.open("rb") as file, suppress(OSError):
        os.fsync(file.fileno())


def refusal(path: Path, error: OSError) -> StoreError:
    """Return the error that tells the user why `path` cannot be written, and what to do."""
    error = _first(error)
    reason = error.strerror or str(error) or type(error).__name__
    number = error.errno
    if number is None and ("No space left" in reason or "disk quota" in reason.lower()):
        number = errno.ENOSPC  # Arrow and shutil tell it in the text only
    advice = _ADVICE.get(number or 0, "Choose another folder.")
    return StoreError(f"Cannot write {path}: {reason}. {advice}")


def _first(error: OSError) -> OSError:
    """Return the first of the errors that copying a folder gathers, in its words; any other error as it is."""
    if not isinstance(error, shutil.Error) or not error.args or not isinstance(error.args[0], list):
        return error
    reason = str(error.args[0][0][-1]) if error.args[0] else "it could not be copied"
    return OSError(re.sub(r"^\[Errno \d+\] |: '.*$", "", reason))


def _tag(place: Path) -> str:
    return f".{place.name[:_NAME_KEPT]}~{zlib.crc32(place.name.encode(errors='surrogateescape')):08x}."


def _beside(place: Path, mark: str, ending: str) -> Path:
    return place.with_name(f"{_tag(place)}{mark}.{ending}")


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = []
    while not os.path.lexists(folder) and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file, and a folder is needed. Choose another folder.")
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        made.append(each)


def _try_writing(folder: Path) -> None:
    """Write and remove an empty file: better to fail now than after hours of work."""
    probe = _beside(folder / "writable", new_mark(), "part")
    probe.touch()
    probe.unlink()


def _move(parts: Mapping[str, Path], places: Mapping[str, Path], optional: Collection[str], mark: str) -> None:
    made = {name: part for name, part in parts.items() if part.exists() or name not in optional}
    for name, part in made.items():
        if not part.exists():
            raise FileNotFoundError(errno.ENOENT, "It was not written", str(part))
        if places[name].is_dir() and not part.is_dir():
            raise StoreError(f"{places[name]} is a folder, and a file is to be written there. Move the folder away.")
    if len(places) == 1 and not any(place.is_dir() for place in places.values()):
        for name, part in made.items():
            part.replace(places[name])  # at no moment is there neither the old nor the new one
        return
    old = {name: _beside(place, mark, "old") for name, place in places.items()}
    try:
        for name in reversed(list(places)):
            if os.path.lexists(places[name]):
                places[name].rename(old[name])
        for name, part in made.items():
            part.rename(places[name])
    except BaseException:
        for name, place in places.items():
            if name in made and not made[name].exists():  # it has been moved already
                remove(place)
            if os.path.lexists(old[name]):
                old[name].rename(place)
        raise
    for path in old.values():
        remove(path)


def _clean_up_after_killed(places: Sequence[Path]) -> None:
    """Put back what a killed process had moved away, and remove what it had not finished."""
    # The last is moved away first and comes last: where it is, all the new ones are.
    finished = os.path.lexists(places[-1])
    for place in places:
        tag = _tag(place)
        for entry in list(place.parent.iterdir()):
            if not entry.name.startswith(tag) or not is_left_over(entry.name.removeprefix(tag)):
                continue
            if entry.suffix == ".old" and not finished:
                remove(place)
                entry.rename(place)
            else:
                remove(entry)


def _told(error: BaseException, parts: Mapping[str, Path], places: Mapping[str, Path]) -> StoreError | None:
    """Return the error in the user's words, or None if it is to be raised as it is."""
    if isinstance(error, StoreError):
        text = str(error)
        for name, part in parts.items():
            text = text.replace(str(part), str(places[name]))
        return StoreError(text) if text != str(error) else None
    if not isinstance(error, OSError) or isinstance(error, ConnectionError):
        return None  # a broken pipe is not the disk's
    for name, part in parts.items():
        if error.filename and str(error.filename).startswith(str(part)):
            return refusal(places[name], error)
    return refusal(_common(list(places.values())), error)


def _common(places: Sequence[Path]) -> Path:
    return places[0] if len(places) == 1 else places[0].parent
