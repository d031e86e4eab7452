"""COCO among the export formats: a file of instances, and a list of results."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_mpseg.exchange.coco.settings import CocoSettings
from napari_mpseg.exchange.coco.source import CocoSource
from napari_mpseg.exchange.coco.writing import write_coco
from napari_mpseg.exchange.source import ExportSource, add

_COLUMNS = ("label", "class", "confidence", "keep")


def coco_sources(source: ExportSource) -> Iterator[CocoSource]:
    """Give the planes of what is exported, each as an image of its own; mostly one."""
    table, labels = source.table, source.labels
    frame = table.frame[[name for name in _COLUMNS if name in table.frame]]
    whole = CocoSource(_file_name(source), labels, frame, table.calibration)
    if labels.ndim <= 2 or "plane" not in table.frame:
        yield whole
        return
    number = table.frame["plane"].to_numpy(np.int64)
    flat = labels.reshape(-1, *labels.shape[-2:])
    for plane in range(int(flat.shape[0])):
        yield replace(whole, labels=flat[plane], frame=frame[number == plane], plane=plane)


def _file_name(source: ExportSource) -> str:
    """Return the image's file name where the record knows it, else its name."""
    inputs = source.table.provenance.get("inputs")
    found = str(inputs.get("source") or "") if isinstance(inputs, dict) else ""
    return Path(found).name if Path(found).suffix else source.name


def _writes(settings: CocoSettings) -> Callable[[ExportSource, Path], list[str]]:
    def write(source: ExportSource, path: Path) -> list[str]:
        written = write_coco(
            path, list(coco_sources(source)), settings, on_progress=source.on_progress, cancel=source.cancel
        )
        return list(written.notes)

    return write


add(
    "coco",
    "COCO (JSON)",
    "Particles as instances: polygons (run lengths for those with holes), boxes, areas; classes become categories",
    "_coco.json",
    _writes(CocoSettings()),
    needs_labels=True,
)
add(
    "coco-results",
    "COCO results (JSON)",
    "The list of predictions with scores that COCO's evaluation takes; run lengths",
    "_coco_results.json",
    _writes(CocoSettings(results=True)),
    needs_labels=True,
)
