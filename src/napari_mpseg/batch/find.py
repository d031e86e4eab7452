"""The images that files, folders and patterns of names stand for."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from napari_mpseg.errors import SettingsError
from napari_mpseg.images import open as _readers  # noqa: F401 - registers them
from napari_mpseg.images.readers import file_readers
from napari_mpseg.results.labels_file import is_labels_store
from napari_mpseg.results.labels_tiff import is_labels_tiff
from napari_mpseg.results.result_store import read_record
from napari_mpseg.results.saving import ENDINGS


@dataclass(frozen=True)
class FoundImages:
    """Images, and what was left out.

    Attributes
    ----------
    images : tuple of Path
        Absolute, each once, in natural order of their folders and names: ``a2`` before ``a10``.
    left_out : tuple of tuple
        Path, and why it is taken for no image.
    merged : tuple of tuple
        An image of `images`, and another way that its path was written: through a link, or with ``..``.
    """

    images: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...] = ()
    merged: tuple[tuple[Path, Path], ...] = ()


def find_images(inputs: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]") -> FoundImages:
    """Find the images to be done.

    Parameters
    ----------
    inputs : path-like, or several
        Image files, OME-Zarr folders, folders (the images right in them), or patterns such as ``"scans/*.tif"`` and
        ``"scans/**/*.tif"`` (in all folders below). Results of this package, masks and overlays among them, are left
        out of folders and patterns; a file that is named itself is taken, whatever it is.

    Raises
    ------
    SettingsError
        If something named is not there, or there is no image at all.
    """
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    found: dict[str, list[Path]] = {}  # by file: all ways that its path was written
    left_out: dict[Path, str] = {}
    for one in given:
        path = Path(one)
        if path.exists() and not (path.is_dir() and not _is_store(path)):
            found.setdefault(same_file(path), []).append(path.absolute())
            continue
        for each in _candidates(os.fspath(one), path):
            reason = _no_image(each)
            if reason is None:
                found.setdefault(same_file(each), []).append(each.absolute())
            elif reason:
                left_out[each.absolute()] = reason
    if not found:
        told = ", ".join(map(str, given)) or "nothing"
        folder = next((one for one in given if Path(one).is_dir()), None)
        below = f" Folders in it are not searched: a pattern such as '{folder}/**/*.tif' does that." if folder else ""
        raise SettingsError(
            f"There is no image in {told}{_told(left_out)}. Known are {', '.join(_suffixes())}; give the folder they "
            f"are in, files, or a pattern of names.{below}"
        )
    images = {_normal(first): dict.fromkeys([first, *others]) for first, *others in found.values()}
    merged = [(image, path) for image, written in images.items() for path in list(written)[1:]]
    return FoundImages(tuple(sorted(images, key=natural)), tuple(left_out.items()), tuple(merged))


def same_file(path: Path) -> str:
    """Return what all paths of one file have in common, whatever links they go through."""
    return os.path.realpath(path)


def _normal(path: Path) -> Path:
    """Return a path without ``..``; links in it stay otherwise, as their names may tell what the image is of."""
    return Path(os.path.realpath(path.parent), path.name) if ".." in path.parts else path


def natural(path: Path) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """Return a key that sorts by folders, then names, numbers in them by value."""
    return tuple(
        tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in re.split(r"(\d+)", each))
        for each in (*path.parts[:-1], path.name)
    )


def _candidates(text: str, path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(path.iterdir(), key=natural)
    elif has_magic(text):
        yield from (Path(each) for each in sorted(glob(text, recursive=True)))  # noqa: PTH207 - it may be absolute
    else:
        raise SettingsError(f"{text} is not there. Check the name and the folder.")


def _no_image(path: Path) -> str | None:
    """Return why a path of a folder is no image to be done; empty where that is plain, None for an image."""
    if path.name.startswith(".") or (path.is_dir() and not _is_store(path)):
        return ""
    if path.suffix.lower() not in _suffixes():
        return "" if path.is_dir() else _other_kind(path)
    if path.name.endswith(ENDINGS["overlay"]) and path.with_name(_stem(path, "overlay") + ENDINGS["record"]).exists():
        return "the overlay picture of a result"
    if path.is_dir() and read_record(path) is not None:
        return "a result of napari-mpseg"
    if is_labels_store(path) if path.is_dir() else is_labels_tiff(path):
        return "labels"
    if re.search(r"[_-](mask|labels?)$", path.name.split(".")[0], re.IGNORECASE):
        return "a mask or labels by its name"
    return None


def _other_kind(path: Path) -> str:
    own = path.name.startswith("batch_") or any(path.name.endswith(ending) for ending in ENDINGS.values())
    if own or path.suffix.lower() in (".csv", ".json", ".jsonl"):
        return ""
    return "of no kind that can be opened"


def _stem(path: Path, part: str) -> str:
    return path.name.removesuffix(ENDINGS[part])


def _is_store(path: Path) -> bool:
    return any(reader.is_store is not None and reader.is_store(path) for reader in file_readers.values())


def _suffixes() -> Sequence[str]:
    return [suffix for reader in file_readers.values() for suffix in reader.suffixes]


def _told(left_out: "dict[Path, str]") -> str:
    if not left_out:
        return ""
    shown = [f"{path.name}: {why}" for path, why in list(left_out.items())[:3]]
    return f" ({len(left_out)} left out, such as {'; '.join(shown)})"
