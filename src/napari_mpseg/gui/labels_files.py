"""Labels on disk with their table, pixel size and place: as OME-Zarr, or as OME-TIFF with a CSV beside. No Qt here.

The table of an OME-Zarr lies in it as ``tables/particles/table.parquet``, with the group attributes that the Fractal
and ngio tools use for feature tables, so that they find it too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, MpsegError, StoreError
from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.files import finished_at, finished_together
from napari_mpseg.pyramids import is_shown_in_levels
from napari_mpseg.results.corrections.reductions import refresh
from napari_mpseg.results.labels_file import is_labels_store
from napari_mpseg.results.labels_table import INSIDE, is_own_table, newest_first, read_table, table_inside
from napari_mpseg.results.labels_tiff import is_labels_tiff, write_labels_tiff
from napari_mpseg.results.review_record import read_review, record_beside

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

_METADATA = "napari-mpseg"
_AXES = "TZYX"
_SMALLEST_LEVEL = 2048  # pixels of a side up to which a level is shown at once


@dataclass(frozen=True)
class LabelsFile:
    """Labels as they lie on disk.

    Attributes
    ----------
    data : array
        Integer, ``(Y, X)``, ``(Z, Y, X)`` or ``(T, Z, Y, X)``.
    features : pandas.DataFrame or None
        One row per label, row 0 the background.
    scale, translate : tuple of float
        Size of a pixel and place of the first one, per axis, in `unit`.
    unit : str
        Long name such as ``"micrometer"``; ``"pixel"`` without a pixel size.
    name : str
        Of the layer.
    metadata : mapping
        What this package keeps with the layer, as plain JSON values: where it came from, classes that were given by
        hand, the record of the review.
    notes : tuple of str
        What the user should know about what was read.
    """

    data: Any
    features: Any = None
    scale: Sequence[float] = ()
    translate: Sequence[float] = ()
    unit: str = "pixel"
    name: str = "particles"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def write_zarr(path: Path, labels: LabelsFile, *, overwrite: bool = True) -> Path:
    """Write labels and table as one OME-Zarr 0.5 store, with reduced levels where napari needs them.

    Parameters
    ----------
    path : Path
        Folder to make.
    labels : LabelsFile
        What to write; lazy labels are written band by band.
    overwrite : bool
        Replace a store of labels alone that is there. Anything else, such as an image or a result with its
        probability, is never replaced.

    Raises
    ------
    StoreError
        If the place cannot be written, or labels of that many axes cannot be stored.
    """
    import zarr

    data = _integers(labels.data)
    names = _axis_names(data.ndim)
    if path.exists() and not (path / "zarr.json").exists():
        raise StoreError(f"{path} is there and is no zarr store. Choose another name.")
    if path.exists() and not is_labels_store(path):
        raise StoreError(
            f"{path} holds an image or a whole result, which labels alone would replace. Choose another name. (Into a "
            "result, decisions on its own particles can be saved, while no pixel of the layer is changed.)"
        )
    with finished_at(path, overwrite=overwrite) as part:
        root = zarr.open_group(str(part), mode="w-", zarr_format=3)
        array = root.create_array(
            "0",
            shape=data.shape,
            chunks=(1,) * (data.ndim - 2) + tuple(min(1024, max(1, size)) for size in data.shape[-2:]),
            dtype=data.dtype,
            dimension_names=names,
        )
        _copy(data, array)
        levels = _write_levels(root, array) if data.ndim == 2 and is_shown_in_levels(data) else [array]
        root.attrs["ome"] = {**_multiscales(labels, names, len(levels)), "image-label": {"source": {}}}
        if labels.metadata:
            root.attrs[_METADATA] = dict(labels.metadata)
        if labels.features is not None and len(labels.features.columns):
            _write_table(root, part / INSIDE, labels.features)
    return path


def write_tiff(path: Path, labels: LabelsFile) -> list[Path]:
    """Write labels as OME-TIFF; their table, if they have one, as CSV beside it, and what else is kept as JSON.

    A Parquet table beside it is written anew with the CSV. A table or record of labels that were there before goes
    where these have none, since it would be taken for theirs; files of others stay.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StoreError
        If the place cannot be written, or a CSV that is no particle table would be overwritten.
    """
    data = _for_tiff(labels.data)
    calibration = Calibration()
    if labels.unit != "pixel":
        height, width = (abs(size) for size in labels.scale[-2:])
        calibration = Calibration((height, width), labels.unit)
    table = _particles(labels)
    places, written = _tiff_places(path, table is not None, bool(labels.metadata))
    with finished_together(places, overwrite=True, optional=[name for name in places if name != "labels"]) as parts:
        write_labels_tiff(parts["labels"], data, labels.name, calibration)
        if table is not None:
            table.to_csv(parts["csv"])
            if "parquet" in written:
                table.to_parquet(parts["parquet"])
        if labels.metadata:
            text = json.dumps({_METADATA: dict(labels.metadata)}, indent=1)
            parts["record"].write_text(text + "\n", encoding="utf-8")
    return [places[name] for name in written]


def read_zarr(path: Path) -> list[LabelsFile]:
    """Return the labels in a store: itself if it is one of labels, else those under ``labels/``; often none."""
    import zarr

    try:
        root = zarr.open_group(str(path), mode="r")
    except Exception:  # a plain array, or damaged: whoever opens it as an image says what is wrong
        return []
    if "image-label" in _ome(root):
        return [_read_labels(root, path, _read_features(path))]
    names = _ome(root["labels"]).get("labels", []) if "labels" in root else []
    found = []
    for name in names:
        # saving a result puts the table beside the store; other programs put theirs inside
        beside = [path.with_name(f"{labels_stem(path)}_{name}{ending}") for ending in (".csv", ".parquet")]
        features, notes = _features_of([*beside, table_inside(path, name)])
        found.append(replace(_read_labels(root[f"labels/{name}"], path, features, name), notes=tuple(notes)))
    return found


def read_tiff(path: Path) -> LabelsFile | None:
    """Return labels written by :func:`write_tiff`, with the table beside them; None for any other TIFF."""
    import tifffile

    if not is_labels_tiff(path):
        return None
    try:
        data = tifffile.imread(path)
    except (OSError, ValueError, tifffile.TiffFileError):
        return None
    from napari_mpseg.images.open import open_stack

    calibration = open_stack(path).calibration
    features, notes = _features_of(_tables_beside(path), data)
    scale = (1.0,) * (data.ndim - 2) + calibration.pixel_size
    return LabelsFile(
        data, features, scale, (), calibration.unit_name, labels_stem(path), read_review(path), tuple(notes)
    )


def _integers(data: Any) -> Any:
    if np.dtype(data.dtype).kind not in "iu":
        raise ImageError(f"Labels must be whole numbers; these are {data.dtype}.")
    return data


def _for_tiff(labels: Any) -> Any:
    data = np.asarray(_integers(labels))
    if data.dtype.itemsize <= 4:
        return data
    if int(data.max(initial=0)) > np.iinfo(np.int32).max:
        raise StoreError(f"Label {int(data.max())} is too large for OME-TIFF (at most 2147483647). Save as .ome.zarr.")
    return data.astype(np.int32)


def _particles(labels: LabelsFile) -> ParticleTable | None:
    if labels.features is None or "index" not in labels.features:
        return None
    from napari_mpseg.particles.table import ParticleTable

    return ParticleTable.from_features(labels.features)


def _tables_beside(path: Path) -> list[Path]:
    return [path.with_suffix(".csv"), path.with_suffix(".parquet")]


def _tiff_places(path: Path, with_table: bool, with_record: bool) -> tuple[dict[str, Path], list[str]]:
    """Return the files that are replaced or go, by their part, and which parts are written, the labels first."""
    csv, parquet = _tables_beside(path)
    record = record_beside(path)
    ours = is_labels_tiff(path)  # what lies beside labels of others, or beside none, is not ours to remove
    places, written = {}, ["labels"]
    if with_table:
        _check_is_table(csv)
        written += ["csv", *(["parquet"] if is_own_table(parquet) else [])]
    if with_table or (ours and is_own_table(csv)):
        places["csv"] = csv
    if (with_table or ours) and is_own_table(parquet):
        places["parquet"] = parquet
    if with_record and record.exists() and not read_review(path):
        raise StoreError(
            f"The record of the review belongs in {record}, and another file is there. Choose another name."
        )
    if with_record or (ours and read_review(path)):
        places["record"] = record
    if with_record:
        written.append("record")
    return {**places, "labels": path}, written


def _features_of(tables: Sequence[Path], data: Any = None) -> tuple[Any, list[str]]:
    """Return the newest table that is one and fits the labels, as features, and what there is to say.

    A table that cannot be used keeps nobody from opening the labels.
    """
    notes: list[str] = []
    for path in newest_first(tables):
        try:
            table = read_table(path)
            if data is not None:
                table, left_out = _of_these_labels(table, path, data)
                notes += left_out
            return table.to_features(), notes
        except (MpsegError, ValueError) as error:  # ValueError: a label twice
            notes.append(f"The table {path.name} was left out: {error}")
    return None, notes


def _of_these_labels(table: ParticleTable, path: Path, data: Any) -> tuple[ParticleTable, list[str]]:
    import pandas as pd

    fits = np.isin(table.labels, pd.unique(data.ravel()))
    others = len(fits) - np.count_nonzero(fits)
    if 2 * others > len(fits):
        raise StoreError(f"{others} of its {len(fits)} labels are not in the image, so it is of others.")
    if not others:
        return table, []
    note = f"{path.name}: {others} of {len(fits)} rows were left out, since their labels are not in the image."
    return replace(table, frame=table.frame[fits].reset_index(drop=True)), [note]


def _axis_names(ndim: int) -> list[str]:
    if not 2 <= ndim <= len(_AXES):
        raise StoreError(f"Labels of {ndim} axes cannot be saved; 2 (Y, X) to {len(_AXES)} (T, Z, Y, X) can.")
    return list(_AXES[-ndim:].lower())


def _copy(data: Any, array: Any, side: int = 4096) -> None:
    """Copy part by part, so that lazy labels larger than memory can be written; `side` is a multiple of the chunks'."""
    height, width = data.shape[-2:]
    for plane in np.ndindex(data.shape[:-2]):
        for top in range(0, height, side):
            for left in range(0, width, side):
                window = (*plane, slice(top, top + side), slice(left, left + side))
                array[window] = np.asarray(data[window])


def _write_levels(root: Any, array: Any) -> list[Any]:
    """Write labels at half the size, a quarter ... and return all levels."""
    levels = [array]
    while max(levels[-1].shape) > _SMALLEST_LEVEL:
        shape = tuple(-(-size // 2) for size in levels[-1].shape)
        levels.append(
            root.create_array(
                str(len(levels)),
                shape=shape,
                chunks=array.chunks,
                dtype=array.dtype,
                dimension_names=array.metadata.dimension_names,
            )
        )
    high, wide = (4 * size for size in array.chunks)
    for top in range(0, array.shape[0], high):
        for left in range(0, array.shape[1], wide):
            bottom, right = min(top + high, array.shape[0]), min(left + wide, array.shape[1])
            refresh(levels[:2], [(top, left, bottom, right)])
    for above, level in pairwise(levels[1:]):
        refresh([above, level], [(0, 0, *above.shape)])
    return levels


def _multiscales(labels: LabelsFile, names: Sequence[str], levels: int = 1) -> dict[str, Any]:
    axes: list[dict[str, str]] = []
    for name in names:
        axis = {"name": name, "type": "time" if name == "t" else "space"}
        if labels.unit != "pixel" and name != "t":
            axis["unit"] = labels.unit
        axes.append(axis)
    datasets = []
    for level in range(levels):
        scale = [float(size) * 2**level for size in labels.scale]
        # a pixel of a level covers 2 x 2 of the level before, and places are those of centres
        shift = [float(size) * (2**level - 1) / 2 for size in labels.scale]
        if any(labels.translate):
            shift = [one + float(moved) for one, moved in zip(shift, labels.translate, strict=True)]
        transforms: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if any(shift):
            transforms.append({"type": "translation", "translation": shift})
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    return {"version": "0.5", "multiscales": [{"name": labels.name, "axes": axes, "datasets": datasets}]}


def _write_table(root: Any, folder: Path, features: Any) -> None:
    frame = features.copy()
    if "index" not in frame:
        frame.insert(0, "index", np.arange(len(frame)))
    tables = root.create_group("tables")
    tables.attrs["tables"] = ["particles"]
    group = tables.create_group("particles")
    group.attrs.update(
        {
            "type": "feature_table",
            "table_version": "1",
            "region": {"path": "../.."},
            "backend": "parquet",
            "index_key": "index",
            "index_type": "int",
        }
    )
    frame.to_parquet(folder / "table.parquet", index=False)


def _read_features(store: Path) -> Any:
    """Return the features in a store of labels as they are, the user's own columns included."""
    file = table_inside(store)
    if not file.exists():
        return None
    import pandas as pd

    return pd.read_parquet(file)


def _ome(group: Any) -> Mapping[str, Any]:
    attributes = dict(group.attrs)
    return attributes.get("ome") or attributes


def _read_labels(group: Any, path: Path, features: Any, name: str = "") -> LabelsFile:
    try:
        multiscale = _ome(group)["multiscales"][0]
        dataset = multiscale["datasets"][0]
        array = group[dataset["path"]]
        transforms = {one["type"]: one[one["type"]] for one in dataset.get("coordinateTransformations", [])}
        unit = str(multiscale["axes"][-1].get("unit", "pixel"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ImageError(
            f"The labels in {path} have damaged OME-Zarr metadata ({error!r}). Save them again."
        ) from error
    stem = labels_stem(path)
    return LabelsFile(
        data=array,
        features=features,
        scale=transforms.get("scale", (1.0,) * array.ndim),
        translate=transforms.get("translation", ()),
        unit=Calibration(unit=unit).unit_name,
        name=f"{stem} {name}" if name else stem,
        metadata=_mapping(dict(group.attrs).get(_METADATA)),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _check_is_table(path: Path) -> None:
    """Refuse to overwrite a CSV file that is somebody's own."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        if "label" not in file.readline().strip().split(","):
            raise StoreError(
                f"The table belongs in {path}, but a file that is no particle table is there. Choose another name."
            )
