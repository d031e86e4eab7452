"""From measured labels layers to a report and exported files, in a thread. No Qt here."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from napari_mpseg.errors import MpsegError
from napari_mpseg.files import finished_together
from napari_mpseg.gui.layer_input import frozen, snapshot_stack
from napari_mpseg.progress import CancelToken, ProgressCallback

_REPORT = "report"


@dataclass(frozen=True)
class MeasuredLayer:
    """What a measured labels layer holds, safe from later changes.

    Attributes
    ----------
    name : str
        Of the layer's image, or of the layer.
    table : ParticleTable
        With a column ``plane`` if the labels have several.
    labels : array
        ``(Y, X)`` or ``(planes..., Y, X)``.
    image : Stack or None
        The image below.
    provenance : dict
        How the particles were found.
    """

    name: str
    table: Any
    labels: Any
    image: Any
    provenance: dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    report : Path or None
        The page.
    files : tuple of Path
        All files.
    particles : int
        Particles that were kept.
    """

    report: Path | None
    files: tuple[Path, ...]
    particles: int


def is_measured(layer: Any) -> bool:
    """Whether a labels layer has a particle table."""
    columns = layer.features.columns
    return "index" in columns and any(str(column).startswith("area_") for column in columns)


def snapshot(layer: Any, layers: Sequence[Any]) -> MeasuredLayer:
    """Take what a report needs from a labels layer and from the image among `layers` that it was made from.

    Raises
    ------
    ImageError
        If the image cannot be read.
    """
    from napari_mpseg.images.layers import layer_calibration
    from napari_mpseg.particles.pixel_size import pixel_size_in
    from napari_mpseg.particles.table import ParticleTable

    features = layer.features.copy()
    table = ParticleTable.from_features(features)
    table = replace(table, calibration=pixel_size_in(table.frame) or layer_calibration(layer))
    record = layer.metadata.get("napari-mpseg", {}) if isinstance(layer.metadata, dict) else {}
    record = record if isinstance(record, dict) else {}
    data = layer.data[0] if layer.multiscale else layer.data
    image = _image_below(record.get("source"), data.shape, layers)
    stored = record.get("provenance")
    provenance = dict(stored) if isinstance(stored, dict) else {}
    file = _file_of(image)  # which files for other programs name
    table = replace(table, provenance=provenance or ({"inputs": {"source": file}} if file else {}))
    return MeasuredLayer(
        layer.name,
        table,
        frozen(data),
        snapshot_stack(image) if image is not None else None,
        provenance,
    )


def _file_of(image: Any) -> str:
    """Return where the pixels of an image layer come from; empty where nobody knows."""
    record = image.metadata.get("napari-mpseg") if image is not None and isinstance(image.metadata, dict) else None
    known = record.get("source") if isinstance(record, dict) else None
    return str(known or (image.source.path if image is not None else "") or "")


def _image_below(source: Any, shape: tuple[int, ...], layers: Sequence[Any]) -> Any:
    for layer in layers:
        if layer.name == source and hasattr(layer, "rgb"):
            data = layer.data[0] if layer.multiscale else layer.data
            found = tuple(data.shape[:-1] if layer.rgb else data.shape)
            if found == tuple(shape):
                return layer
    return None


def write_all(
    measured: Sequence[MeasuredLayer],
    folder: Path,
    *,
    settings: Any,
    formats: Sequence[str],
    everything: bool = False,
    overwrite: bool = False,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Written:
    """Write a report on all layers, and each layer's particles in each format; all files or none.

    Parameters
    ----------
    measured : sequence of MeasuredLayer
        Of :func:`snapshot`.
    folder : Path
        Where to.
    settings : ReportSettings or None
        None writes no report.
    formats : sequence of str
        Names in :data:`~napari_mpseg.exchange.export.EXPORTS`; may be empty.
    everything : bool
        Export particles too that were not kept.
    overwrite : bool
        Replace earlier files.
    on_progress, cancel
        As everywhere.

    Raises
    ------
    MpsegError
        With a message for the user.
    Cancelled
        If the user cancels.
    """
    from napari_mpseg.exchange.export import export
    from napari_mpseg.reports.report import write_report

    if settings is None and not formats:
        raise MpsegError("Nothing was chosen to be written. Tick a report or a format.")
    stems = _stems([layer.name for layer in measured])
    places = {name: folder / name for name in _file_names(stems, formats, settings is not None)}
    with finished_together(places, overwrite=overwrite) as parts, TemporaryDirectory() as staged:
        stage = Path(staged)
        for layer, stem in zip(measured, stems, strict=True) if formats else ():
            export(
                layer.table,
                stage,
                stem,
                list(formats),
                labels=layer.labels,
                everything=everything,
                on_progress=on_progress,
                cancel=cancel,
            )
        if settings is not None:
            items = [item for layer in measured for item in _items(layer, cancel)]
            write_report(items, stage, settings, name=_REPORT, on_progress=on_progress, cancel=cancel)
        cancel.check()
        for name, part in parts.items():
            shutil.move(stage / name, part)
    page = next((path for path in places.values() if path.suffix == ".html"), None)
    return Written(page, tuple(places.values()), sum(len(layer.table.kept()) for layer in measured))


def _stems(names: Sequence[str]) -> list[str]:
    """Return what the files of each layer begin with, each another."""
    from napari_mpseg.exchange.names import file_stem

    stems: list[str] = []
    for name in names:
        number, unique = 1, file_stem(name)
        while unique in stems:
            number += 1
            unique = f"{file_stem(name)}_{number}"
        stems.append(unique)
    return stems


def _file_names(stems: Sequence[str], formats: Sequence[str], report: bool) -> list[str]:
    from napari_mpseg.exchange.export import EXPORTS, RECORD_ENDING
    from napari_mpseg.reports.report import ENDINGS

    endings = [*(EXPORTS[name].ending for name in formats), *([RECORD_ENDING] if formats else [])]
    names = [f"{stem}{ending}" for stem in stems for ending in endings]
    return names + ([f"{_REPORT}{ending}" for ending in ENDINGS.values()] if report else [])


def _items(layer: MeasuredLayer, cancel: CancelToken) -> list[Any]:
    """Return the layer as items of a report, one per plane."""
    from napari_mpseg.reports.item import ReportItem

    shape = tuple(int(size) for size in layer.labels.shape)
    height, width = shape[-2:]
    planes = int(np.prod(shape[:-2]))
    items = []
    for plane in range(planes):
        cancel.check()
        table, name, image = layer.table, layer.name, layer.image
        if planes > 1:
            frame = table.frame
            here = frame["plane"] == plane if "plane" in frame else frame["label"] < 0
            table = replace(table, frame=frame[here].drop(columns="plane", errors="ignore").reset_index(drop=True))
            name = f"{name}, plane {plane}"
        pixels = image.image(image.plane_indices()[plane]) if image is not None else None
        items.append(ReportItem(name, table, (height, width), _picture(pixels, table, cancel), layer.provenance))
    return items


def _picture(image: Any, table: Any, cancel: CancelToken) -> Any:
    """Return the image with a ring around each particle that was kept, or None where there is no image."""
    from napari_mpseg.results.overlay import overlay_picture
    from napari_mpseg.results.result import Result

    if image is None or not {"bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1"} <= set(table.frame.columns):
        return None
    kept = table.kept()
    result = Result(image, None, None, len(kept), kept, "", 0.0)
    try:
        return overlay_picture(result, 1600, cancel=cancel)
    except MpsegError:  # no sizes to colour the rings by
        return overlay_picture(replace(result, particles=None), 1600, cancel=cancel)
