"""Files of ``napari-mpseg coco``: labels with their table, stores of large ones, and which labels are meant."""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.errors import ImageError, StoreError
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

if TYPE_CHECKING:
    import pandas as pd

    from napari_mpseg.coco.document import CocoImage
    from napari_mpseg.coco.labels import CocoLabels
    from napari_mpseg.evaluation.coco_documents import CocoScores
    from napari_mpseg.exchange.coco.source import CocoSource
    from napari_mpseg.images.image import Image

_LARGE = 2**26  # pixels from which on labels become a store
_CHUNK = 1024
_IMAGES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
_ENDINGS = ("_labels.tif", "_labels.csv", "_labels.zarr", "_labels_particles.csv", "_ignored.tif")


def places_of(images: "Sequence[CocoImage]", folder: Path) -> list[str]:
    """Return what the files of each image begin with.

    Raises
    ------
    StoreError
        If two images would have the same files.
    """
    from napari_mpseg.exchange.names import file_stem

    stems = [file_stem(image.name) for image in images]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise StoreError(
            f"Several images would be written as {folder / twice}_labels. Name one with --image, "
            "each with an --out of its own."
        )
    return stems


def check_free(folder: Path, stems: Sequence[str], overwrite: bool) -> None:
    """Refuse places that are taken before any work."""
    there = [str(folder / f"{stem}{end}") for stem in stems for end in _ENDINGS if (folder / f"{stem}{end}").exists()]
    if there and not overwrite:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        raise StoreError(f"{', '.join(there[:3])}{more}: already there. Choose another --out, or give --overwrite.")


def write_labels(
    found: "CocoLabels", folder: Path, stem: str, overwrite: bool, on_progress: ProgressCallback, cancel: CancelToken
) -> list[Path]:
    """Write labels, their table and what is to be ignored; all files or none.

    Raises
    ------
    StoreError
        If the place cannot be written.
    """
    from napari_mpseg.files import finished_together
    from napari_mpseg.particles.table import ParticleTable
    from napari_mpseg.results.labels_tiff import write_labels_tiff

    height, width = found.shape
    large = height * width > _LARGE or found.dtype != np.int32
    names = ("_labels.zarr", "_labels_particles.csv") if large else ("_labels.tif", "_labels.csv")
    places = {"labels": folder / f"{stem}{names[0]}", "table": folder / f"{stem}{names[1]}"}
    ignored = found.ignored if not large else None
    if ignored is not None:
        places["ignored"] = folder / f"{stem}_ignored.tif"
    with finished_together(places, overwrite=overwrite) as parts:
        if large:
            _write_store(parts["labels"], found, stem, on_progress, cancel)
        else:
            write_labels_tiff(parts["labels"], found.labels, stem, found.image.calibration)
        if ignored is not None:
            write_labels_tiff(parts["ignored"], ignored.astype(np.uint8), f"{stem} ignored", found.image.calibration)
        ParticleTable(found.frame, found.image.calibration).to_csv(parts["table"])
        cancel.check()
    return list(places.values())


def _write_store(
    path: Path, found: "CocoLabels", name: str, on_progress: ProgressCallback, cancel: CancelToken
) -> None:
    """Write labels chunk by chunk as an OME-Zarr store of labels alone."""
    import zarr

    from napari_mpseg.inference.store import create_level

    height, width = found.shape
    root = zarr.open_group(str(path), mode="w-", zarr_format=3)
    array = create_level(root, 0, (height, width), (_CHUNK, _CHUNK), found.dtype)
    starts = range(0, width, _CHUNK)
    for done, x in enumerate(starts):
        columns = slice(x, min(x + _CHUNK, width))
        band = found.painting.between(columns)
        on_progress(Progress("Painting labels", done, len(starts), "columns of tiles"))
        for y in range(0, height, _CHUNK) if len(band.x) else ():
            cancel.check()
            rows = slice(y, min(y + _CHUNK, height))
            array[rows, columns] = band.part(rows, columns, found.dtype)
    calibration = found.image.calibration
    unit = {"unit": calibration.unit_name} if calibration.calibrated else {}
    axes = [{"name": axis, "type": "space", **unit} for axis in "yx"]
    scale: dict[str, Any] = {"type": "scale", "scale": list(calibration.pixel_size)}
    datasets = [{"path": "0", "coordinateTransformations": [scale]}]
    scales: list[dict[str, Any]] = [{"name": name, "axes": axes, "datasets": datasets}]
    about: dict[str, Any] = {"version": "0.5", "multiscales": scales, "image-label": {"source": {}}}
    root.attrs["ome"] = about


def sources_of(options: argparse.Namespace, on_progress: ProgressCallback, cancel: CancelToken) -> "list[CocoSource]":
    """Return the labels that were named, each with its table where one lies beside it.

    Images are called by the names of their files, or, where two have the same, all by their paths seen from the COCO
    file.

    Raises
    ------
    ImageError
        If there are none, or they cannot be read.
    """
    files = list(dict.fromkeys(path for place in options.labels for path in _files_of(place)))
    names = _names([_image_of(path) for path in files], options.out)
    return [_source(path, name, options, on_progress, cancel) for path, name in zip(files, names, strict=True)]


def _files_of(place: Path) -> list[Path]:
    """Return the labels of a file or folder, or of the folders ``fold_*`` in it."""
    from napari_mpseg.commands.evaluate_files import labels_in

    folds = [] if (place / "labels").is_dir() else sorted(path for path in place.glob("fold_*") if path.is_dir())
    return [path for folder in folds or [place] for path in labels_in(folder)]


def _names(images: Sequence[Path], out: Path) -> list[str]:
    plain = [image.name for image in images]
    return plain if len(set(plain)) == len(plain) else [_seen_from(out.absolute().parent, image) for image in images]


def _seen_from(folder: Path, image: Path) -> str:
    try:
        return Path(os.path.relpath(image.absolute(), folder)).as_posix()
    except ValueError:  # on another drive
        return image.absolute().as_posix()


def _source(
    path: Path, name: str, options: argparse.Namespace, on_progress: ProgressCallback, cancel: CancelToken
) -> "CocoSource":
    from napari_mpseg.commands.evaluate_files import read_labels
    from napari_mpseg.commands.mask import label_pieces
    from napari_mpseg.exchange.coco.source import CocoSource

    labels = read_labels(path, options.particle_value if options.mask else None)
    calibration = options.pixel_size or labels.calibration
    if options.mask:
        pieces = label_pieces(replace(labels, calibration=calibration), on_progress, cancel)
        return CocoSource(name, pieces.labels, None, calibration)
    _check_labels(labels, path)
    frame = _table_of(path, options.everything)
    return CocoSource(name, labels.data, frame, calibration)


def _check_labels(labels: "Image", path: Path) -> None:
    if labels.dtype == bool:
        raise ImageError(f"{path} is a mask of yes and no. Give --mask to make every connected piece a particle.")


def _table_of(path: Path, everything: bool) -> "pd.DataFrame | None":
    """Return what the newest table beside labels says of its particles; None without one."""
    from napari_mpseg.errors import MpsegError
    from napari_mpseg.reports.loading import tables_of
    from napari_mpseg.results.labels_file import store_in
    from napari_mpseg.results.labels_table import read_table

    try:
        tables = tables_of(store_in(path))
        table = read_table(tables[0]) if tables else None
    except MpsegError:  # a CSV file of the user's
        return None
    if table is None:
        return None
    kept = table if everything else table.kept()
    columns = [name for name in ("label", "class", "confidence", "keep") if name in kept.frame]
    frame: pd.DataFrame = kept.frame[columns]
    return frame


def _image_of(labels: Path) -> Path:
    """Return the file of the image of labels: of the same name in the folder around ``labels``, else their own."""
    from napari_mpseg.commands.evaluate_files import name_of

    name = name_of(labels)
    around = labels.parent.parent
    folders = [around, around / "images"] if labels.parent.name == "labels" else [labels.parent]
    for folder in folders:
        for ending in _IMAGES:
            image = folder / f"{name}{ending}"
            if image.exists() and not os.path.samefile(image, labels):  # noqa: PTH121
                return image
    return labels if labels.is_file() else labels.with_name(name)


def write_scores(scores: "CocoScores", options: argparse.Namespace) -> None:
    """Write COCO's numbers as JSON."""
    from napari_mpseg.files import finished_at

    values: dict[str, Any] = {
        "predicted": str(options.predicted),
        "truth": str(options.truth),
        "limits": list(options.limits),
        "images": scores.n_images,
        "predicted_particles": scores.n_found,
        "true_particles": scores.n_truth,
        "all": scores.total,
        "categories": scores.by_category,
    }
    with finished_at(options.out, overwrite=options.overwrite) as part:
        part.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
