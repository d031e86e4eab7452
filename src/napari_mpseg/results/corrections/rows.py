"""The rows of corrected particles: measured anew around them, and put into the table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration
from napari_mpseg.files import finished_at
from napari_mpseg.particles.review.columns import REVIEWED
from napari_mpseg.particles.review.definitions import UNCLASSIFIED, as_category
from napari_mpseg.particles.review.edits import Box, union
from napari_mpseg.particles.review.remeasure import measure_labels_again
from napari_mpseg.particles.table import ParticleTable, property_of
from napari_mpseg.results.labels_table import read_table

Frame = Any  # a pandas.DataFrame; the stubs know too little of cells of any type
_BOX = ("bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1")
_STAYS = (*REVIEWED, "class_assigned", "class_probability", "confidence", "plane")
_AT_ONCE = 2**26  # pixels that are measured in one piece


def rows_of(frame: Frame, labels: Iterable[int]) -> Frame:
    """Return the rows of some labels as objects, indexed by label; those that are not there are missing values.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of a particle table (column ``label``), or a layer's features (column ``index``).
    labels : iterable of int
        Which.
    """
    number = "label" if "label" in frame else "index"
    indexed = frame.set_index(frame[number].astype("int64")).drop(columns=[number])
    wanted = list(labels)
    return indexed[indexed.index.isin(wanted)].astype(object).reindex(wanted)


def rows_after(before: Frame, measured: Frame, parents: Mapping[int, int]) -> Frame:
    """Return the rows of corrected labels, by the rules of the review's own edits.

    Measured columns are those measured anew. Decisions stay; those of a part are those of the particle it was parted
    from, and a new particle is kept. Other texts stay; other numbers, which somebody computed from the particle as it
    was, become missing. Rows of labels that are gone are all missing.

    Parameters
    ----------
    before : pandas.DataFrame
        Of :func:`rows_of`, for all labels that the correction touched and all parents.
    measured : pandas.DataFrame
        Of :func:`measured_rows`.
    parents : mapping of int to int
        The label that a new one is a part of.
    """
    after = before.copy()
    decided = [name for name in after if name in _STAYS]
    computed = [name for name in after if name not in _STAYS and property_of(str(name)) is None]
    for label in after.index:
        if label not in measured.index:
            after.loc[label] = np.nan
            continue
        if not is_particle(before.loc[label]):
            parent = parents.get(label)
            after.loc[label] = before.loc[parent] if parent in before.index else np.nan
            if "keep" in after and pd.isna(after.at[label, "keep"]):
                after.at[label, "keep"] = True
            if "class" in after and pd.isna(after.at[label, "class"]):
                after.at[label, "class"] = UNCLASSIFIED
            if "class_assigned" in after and pd.isna(after.at[label, "class_assigned"]):
                after.at[label, "class_assigned"] = False
        for name in computed:
            if isinstance(after.at[label, name], float):
                after.at[label, name] = np.nan
        for name in measured.columns:
            if name in after and (name not in decided or not pd.isna(measured.at[label, name])):
                after.at[label, name] = measured.at[label, name]
    return after


def rows_back(now: Frame, old: Frame) -> Frame:
    """Return the rows as they were before a correction, but with what was decided on particles since.

    Parameters
    ----------
    now : pandas.DataFrame
        Of :func:`rows_of`, as the table is.
    old : pandas.DataFrame
        Of :func:`rows_of`, as it was; rows that were not there are missing values.
    """
    back = old.reindex(index=now.index, columns=now.columns).astype(object)
    for label in now.index:
        if is_particle(now.loc[label]) and is_particle(back.loc[label]):
            for name in (name for name in now if name in REVIEWED or name == "class_assigned"):
                back.at[label, name] = now.at[label, name]
    return back


def is_particle(row: Frame) -> bool:
    """Return whether a row of :func:`rows_of` is one of a particle: it is kept or rejected, or has a measurement."""
    says = [name for name in row.index if name == "keep" or property_of(str(name)) is not None]
    return bool(row[says or list(row.index)].notna().any())


def measured_rows(
    labels: Any,
    table: ParticleTable,
    chosen: Sequence[int],
    region: Box,
    *,
    image: Any = None,
    probability: Any = None,
    perimeter: str = "imagej",
) -> Frame:
    """Measure some labels of a region anew, as measuring the whole image would; only what is around them is read.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, as they are after the correction.
    table : ParticleTable
        As before it: which columns, which pixel size, and where particles lie that go on outside of the region.
    chosen : sequence of int
        Which labels. Those that are not there any more get no row.
    region : tuple of int
        Where pixels changed.
    image, probability, perimeter
        As in :func:`~napari_mpseg.particles.review.remeasure.measure_labels_again`.

    Returns
    -------
    pandas.DataFrame
        Indexed by label.
    """
    boxes = boxes_of(labels, table.frame, chosen, region)
    columns = [str(name) for name in table.frame if name != "label"]
    if not boxes:
        return pd.DataFrame(columns=columns, index=pd.Index([], dtype="int64"))
    whole = union(list(boxes.values()))
    together = (whole[2] - whole[0]) * (whole[3] - whole[1]) <= _AT_ONCE
    parts = [(list(boxes), whole)] if together else [([label], box) for label, box in boxes.items()]
    frames = [
        measure_labels_again(
            labels,
            some,
            box,
            columns,
            image=image,
            probability=probability,
            perimeter=perimeter,
            calibration=table.calibration if table.calibration.calibrated else Calibration(),
        )
        for some, box in parts
    ]
    return pd.concat(frames).set_index("label")


def boxes_of(labels: Any, frame: Frame, chosen: Sequence[int], region: Box) -> dict[int, Box]:
    """Return a rectangle around each label that is there; only the region and what goes on from it is looked at."""
    from scipy.ndimage import find_objects

    y0, x0, y1, x1 = region
    window = np.asarray(labels[y0:y1, x0:x1])
    numbers = np.array(sorted(chosen), np.int64)
    order = np.zeros(window.shape, np.int32)  # 1 for the first of the chosen labels, 2 for the second ...
    there = np.isin(window, numbers)
    order[there] = np.searchsorted(numbers, window[there]) + 1
    found = find_objects(order, len(numbers)) if len(numbers) else []
    old = recorded_boxes(frame, chosen)
    boxes: dict[int, Box] = {}
    for label, where in zip(numbers.tolist(), found, strict=True):
        inside = (
            []
            if where is None
            else [(y0 + where[0].start, x0 + where[1].start, y0 + where[0].stop, x0 + where[1].stop)]
        )
        before = old.get(label)
        if before is not None and not is_inside(before, region):
            boxes[label] = union([*inside, before])
        elif inside:
            boxes[label] = _grown(labels, label, inside[0]) if before is None else inside[0]
    return boxes


def recorded_boxes(frame: Frame, chosen: Sequence[int]) -> dict[int, Box]:
    """Return the rectangles that a table has of some labels."""
    if not all(name in frame for name in _BOX):
        return {}
    number = "label" if "label" in frame else "index"
    rows = frame.loc[frame[number].isin(list(chosen)), [number, *_BOX]].dropna()
    return {int(label): (int(y0), int(x0), int(y1), int(x1)) for label, y0, x0, y1, x1 in rows.to_numpy(float)}


def is_inside(box: Box, region: Box) -> bool:
    """Return whether a rectangle lies in another."""
    return box[0] >= region[0] and box[1] >= region[1] and box[2] <= region[2] and box[3] <= region[3]


def _grown(labels: Any, label: int, box: Box) -> Box:
    """Return a rectangle that holds all of a label that is connected to what lies in `box`."""
    height, width = labels.shape
    y0, x0, y1, x1 = box
    step = 32
    while True:
        wider = (max(y0 - step, 0), max(x0 - step, 0), min(y1 + step, height), min(x1 + step, width))
        window = np.asarray(labels[wider[0] : wider[2], wider[1] : wider[3]]) == label
        rows, columns = np.flatnonzero(window.any(axis=1)), np.flatnonzero(window.any(axis=0))
        top, left = wider[0], wider[1]
        seen = (top + int(rows[0]), left + int(columns[0]), top + int(rows[-1]) + 1, left + int(columns[-1]) + 1)
        open_ended = (
            (seen[0] == wider[0] > 0)
            or (seen[1] == wider[1] > 0)
            or (seen[2] == wider[2] < height)
            or (seen[3] == wider[3] < width)
        )
        if not open_ended:
            return seen
        (y0, x0, y1, x1), step = wider, step * 2


# -- the table on disk


def read_newest(tables: Sequence[Path]) -> ParticleTable | None:
    """Return the newest of several tables, with what an older one knows of how it was measured; None without any."""
    if not tables:
        return None
    table = read_table(tables[0])
    others = (read_table(path) for path in tables[1:] if not table.provenance)
    provenance = next((other.provenance for other in others if other.provenance), table.provenance)
    return replace(table, provenance=provenance)


def with_rows(table: ParticleTable, rows: Frame) -> ParticleTable:
    """Return a table with some rows replaced, added, or, where they are all missing, left out."""
    frame = table.frame
    kept = frame[~frame["label"].isin(rows.index)]
    new = rows.dropna(how="all")
    columns: dict[str, Any] = {"label": np.concatenate([kept["label"], new.index.to_numpy(np.int64)])}
    for name in frame.columns:
        if name != "label":
            columns[str(name)] = _joined(kept[name], new[name] if name in new else pd.Series(None, new.index, object))
    joined = pd.DataFrame(columns).sort_values("label", ignore_index=True)
    return replace(table, frame=joined)


def write_tables(table: ParticleTable, tables: Sequence[Path]) -> None:
    """Write a table anew wherever it lies, each file in one step."""
    for path in tables:
        if path.name == "table.parquet":  # inside a store of labels: a layer's features
            with finished_at(path) as part:
                table.to_features().to_parquet(part, index=False)
        elif path.suffix.lower() == ".parquet":
            table.to_parquet(path)
        else:
            table.to_csv(path)


def plain_rows(rows: Frame) -> dict[str, Any]:
    """Return rows as values that JSON can hold."""
    known = rows.astype(object).where(rows.notna(), None)
    split = json.loads(json.dumps(known.to_dict("split"), default=_plain))
    return {"labels": split["index"], "columns": split["columns"], "values": split["data"]}


def rows_from(plain: Mapping[str, Any]) -> Frame:
    """Return what :func:`plain_rows` was given."""
    rows = pd.DataFrame(plain["values"], index=plain["labels"], columns=plain["columns"], dtype=object)
    return rows.where(rows.notna(), np.nan)


def _joined(kept: Any, new: Any) -> Any:
    if isinstance(kept.dtype, pd.CategoricalDtype):
        both = pd.concat([kept.astype(object), new], ignore_index=True)
        return as_category(both, list(map(str, kept.dtype.categories)))
    if kept.dtype == bool:
        new = new.map(lambda value: new.name == "keep" if pd.isna(value) else bool(value)).astype(bool)
    elif kept.dtype.kind in "iu":
        new = new.astype("float64" if new.isna().any() else kept.dtype)
    elif kept.dtype.kind == "f":
        new = new.astype("float64")
    return pd.concat([kept, new], ignore_index=True)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else None
