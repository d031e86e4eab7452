"""Synthetic images as files: image, truth and the settings that make them again."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.files import finished_together
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.registry import Registry
from napari_mpseg.synthesis.made_image import SyntheticImage
from napari_mpseg.synthesis.microscopes import from_record, synthetic_image, to_record
from napari_mpseg.synthesis.replacing import check_replaceable
from napari_mpseg.synthesis.tiff_file import write_tiff
from napari_mpseg.synthesis.tiles import SIDE, Watch
from napari_mpseg.synthesis.zarr_file import write_zarr

_FORMAT = "napari-mpseg synthetic image"
_LARGEST_RECORD = 2**20  # bytes


@dataclass(frozen=True)
class FileFormat:
    """One kind of file.

    Attributes
    ----------
    endings : tuple of str
        Of names of such files, in small letters.
    places : callable
        Takes path and stem, and returns where each part goes: ``"image"`` and, if it has its own file, ``"truth"``.
    write : callable
        Writes a synthetic image to such places; takes also how to watch the work on the picture and on the truth.
    """

    endings: tuple[str, ...]
    places: Callable[[Path, str], dict[str, Path]]
    write: Callable[[Mapping[str, Path], SyntheticImage, Watch, Watch], None]


FORMATS: Registry[FileFormat] = Registry("file format")


def _write_tiffs(parts: Mapping[str, Path], made: SyntheticImage, picture: Watch, truth: Watch) -> None:
    image, record = made.image, to_record(made.settings)
    write_tiff(parts["image"], image.data, image.name, image.calibration, record, picture)
    write_tiff(parts["truth"], made.labels, f"{image.name} truth", image.calibration, record, truth)


def _tiff_places(path: Path, stem: str) -> dict[str, Path]:
    return {"image": path, "truth": path.with_name(f"{stem}_truth{path.name[len(stem) :]}")}


FORMATS.add(
    "OME-Zarr",
    FileFormat(
        (".ome.zarr", ".zarr"),
        lambda path, stem: {"image": path},
        lambda parts, made, picture, truth: write_zarr(parts["image"], made, picture, truth),
    ),
)
FORMATS.add("OME-TIFF", FileFormat((".ome.tif", ".ome.tiff", ".tif", ".tiff"), _tiff_places, _write_tiffs))


def places_of(out: str | os.PathLike[str]) -> dict[str, Path]:
    """Return the files that :func:`write_synthetic` writes: ``"image"``, maybe ``"truth"``, and ``"settings"``.

    Raises
    ------
    SettingsError
        If the name's ending is no format's.
    """
    path = Path(out)
    kind, ending = _format_of(path)
    stem = path.name[: -len(ending)]
    return {**kind.places(path, stem), "settings": path.with_name(f"{stem}_settings.json")}


def _format_of(path: Path) -> tuple[FileFormat, str]:
    for kind in FORMATS.values():
        for ending in kind.endings:
            if path.name.lower().endswith(ending) and len(path.name) > len(ending):
                return kind, ending
    raise SettingsError(f"{path.name!r} says no format: name the file such as filter.ome.tif or filter.ome.zarr.")


def write_synthetic(
    settings: Any,
    out: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> dict[str, Path]:
    """Make a synthetic image of any size and write it, its truth, and the settings that make both again.

    Memory is that of a few tiles. The files appear together when all are complete; until then, and if it is
    stopped, what was there before is untouched.

    Parameters
    ----------
    settings : FilterSettings, BrightFieldSettings or SemSettings
        What to make.
    out : path-like
        ``NAME.ome.tif`` (tiled, with ``NAME_truth.ome.tif`` beside it) or ``NAME.ome.zarr`` (with the truth as its
        labels, and levels for display); ``NAME_settings.json`` lies beside either.
    overwrite : bool
        Replace what is there: files, and folders that hold nothing but a synthetic image.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`; both are used once per tile.

    Returns
    -------
    dict of str to Path
        The files, as :func:`places_of` names them.

    Raises
    ------
    SettingsError
        If the settings cannot be made, or the name says no format.
    StoreError
        If something is there already, a folder there holds other things, or the place cannot be written.
    Cancelled
        Within one tile of the token being set; nothing is left behind.
    """
    places = places_of(out)
    kind, _ = _format_of(Path(out))
    check_replaceable(places)
    cancel = cancel or CancelToken()
    made = synthetic_image(settings, chunks=SIDE)
    with finished_together(places, overwrite=overwrite) as parts:
        picture, truth = (Watch(stage, on_progress, cancel) for stage in ("Making the picture", "Drawing the truth"))
        kind.write(parts, made, picture, truth)
        write_settings(parts["settings"], settings)
    return places


def write_settings(path: Path, settings: Any) -> None:
    """Write settings as JSON, to be read by :func:`read_settings`."""
    record = {"format": _FORMAT, **to_record(settings)}
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_settings(path: str | os.PathLike[str]) -> Any:
    """Return the settings in a file that :func:`write_settings` wrote.

    Raises
    ------
    SettingsError, UnknownNameError
        If the file cannot be read, is none of those, or names what there is not.
    """
    try:
        if Path(path).stat().st_size > _LARGEST_RECORD:
            raise SettingsError(f"{path} is too large for settings of a synthetic image.")
        return from_record(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        if isinstance(error, SettingsError):
            raise SettingsError(f"{path}: {error}") from error
        raise SettingsError(
            f"{path} cannot be read as settings of a synthetic image ({error}). Give the NAME_settings.json of one."
        ) from error
