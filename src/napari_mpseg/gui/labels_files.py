"""Labels on disk with their table, pixel size and place: as OME-Zarr, or as OME-TIFF with a CSV beside. No Qt here.

The table of an OME-Zarr lies in it as ``tables/particles/table.parquet``, with the group attributes that the Fractal
and ngio tools use for feature tables, so that they find it too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, StoreError
from napari_mpseg.files import finished_at

_TABLE = "tables/particles"
_CREATOR = "napari-mpseg labels"
_METADATA = "napari-mpseg"
_AXES = "TZYX"


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
    """

    data: Any
    features: Any = None
    scale: Sequence[float] = ()
    translate: Sequence[float] = ()
    unit: str = "pixel"
    name: str = "particles"
    metadata: Mapping[str, Any] = field(default_factory=dict)


def write_zarr(path: Path, labels: LabelsFile, *, overwrite: bool = True) -> Path:
    """Write labels and table as one OME-Zarr 0.5 store.

    Parameters
    ----------
    path : Path
        Folder to make.
    labels : LabelsFile
        What to write; lazy labels are written band by band.
    overwrite : bool
        Replace a store that is there. Anything else that is there is never replaced.

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
        root.attrs["ome"] = {**_multiscales(labels, names), "image-label": {"source": {}}}
        if labels.metadata:
            root.attrs[_METADATA] = dict(labels.metadata)
        if labels.features is not None and len(labels.features.columns):
            _write_table(root, part / _TABLE, labels.features)
    return path


def write_tiff(path: Path, labels: LabelsFile) -> list[Path]:
    """Write labels as OME-TIFF; their table, if they have one, as CSV beside it, and what else is kept as JSON.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StoreError
        If the place cannot be written, or a CSV that is no particle table would be overwritten.
    """
    import tifffile

    data = np.asarray(_integers(labels.data))
    if data.dtype.itemsize > 4:
        if int(data.max(initial=0)) > np.iinfo(np.int32).max:
            raise StoreError(
                f"Label {int(data.max())} is too large for OME-TIFF (at most 2147483647). Save as .ome.zarr."
            )
        data = data.astype(np.int32)
    written = [path]
    metadata: dict[str, Any] = {"axes": _AXES[-data.ndim :], "Name": labels.name, "Creator": _CREATOR}
    if labels.unit != "pixel":
        height, width = labels.scale[-2:]
        metadata |= {"PhysicalSizeY": height, "PhysicalSizeX": width}
        metadata |= dict.fromkeys(("PhysicalSizeYUnit", "PhysicalSizeXUnit"), _ome_unit(labels.unit))
    table = path.with_suffix(".csv")
    with finished_at(path) as part:
        # the ending decides nothing: `ome` does
        tile = (512, 512) if min(data.shape[-2:]) > 512 else None
        tifffile.imwrite(
            part, data, ome=True, metadata=metadata, photometric="minisblack", compression="zlib", tile=tile
        )
        if labels.features is not None and "index" in labels.features:
            _check_is_table(table)
            from napari_mpseg.particles.table import ParticleTable

            ParticleTable.from_features(labels.features).to_csv(table)
            written.append(table)
        if labels.metadata:
            written.append(_write_record(_record_place(path), labels.metadata))
    return written


def read_zarr(path: Path) -> list[LabelsFile]:
    """Return the labels in a store: itself if it is one of labels, else those under ``labels/``; often none."""
    import zarr

    try:
        root = zarr.open_group(str(path), mode="r")
    except Exception:  # a plain array, or damaged: whoever opens it as an image says what is wrong
        return []
    if "image-label" in _ome(root):
        return [_read_labels(root, path, _read_table(path / _TABLE))]
    names = _ome(root["labels"]).get("labels", []) if "labels" in root else []
    return [_read_labels(root[f"labels/{name}"], path, _table_of(path, name), name) for name in names]


def read_tiff(path: Path) -> LabelsFile | None:
    """Return labels written by :func:`write_tiff`, with the table beside them; None for any other TIFF."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            if _CREATOR not in (tif.ome_metadata or "")[:2000]:
                return None
            data = tif.asarray()
    except (OSError, ValueError, tifffile.TiffFileError):
        return None
    from napari_mpseg.images.open import open_stack

    calibration = open_stack(path).calibration
    features = None
    table = path.with_suffix(".csv")
    if table.exists():
        from napari_mpseg.particles.table import ParticleTable

        features = ParticleTable.read(table).to_features()
    scale = (1.0,) * (data.ndim - 2) + calibration.pixel_size
    record = _read_record(_record_place(path))
    return LabelsFile(data, features, scale, (), calibration.unit_name, path.name.split(".")[0], record)


def _integers(data: Any) -> Any:
    if np.dtype(data.dtype).kind not in "iu":
        raise ImageError(f"Labels must be whole numbers; these are {data.dtype}.")
    return data


def _axis_names(ndim: int) -> list[str]:
    if not 2 <= ndim <= len(_AXES):
        raise StoreError(f"Labels of {ndim} axes cannot be saved; 2 (Y, X) to {len(_AXES)} (T, Z, Y, X) can.")
    return list(_AXES[-ndim:].lower())


def _copy(data: Any, array: Any, rows: int = 4096) -> None:
    """Copy band by band, so that lazy labels larger than memory can be written."""
    for plane in np.ndindex(data.shape[:-2]):
        for top in range(0, data.shape[-2], rows):
            window = (*plane, slice(top, top + rows))
            array[window] = np.asarray(data[window])


def _multiscales(labels: LabelsFile, names: Sequence[str]) -> dict[str, Any]:
    axes: list[dict[str, str]] = []
    for name in names:
        axis = {"name": name, "type": "time" if name == "t" else "space"}
        if labels.unit != "pixel" and name != "t":
            axis["unit"] = labels.unit
        axes.append(axis)
    transforms: list[dict[str, Any]] = [{"type": "scale", "scale": [float(size) for size in labels.scale]}]
    if any(labels.translate):
        transforms.append({"type": "translation", "translation": [float(shift) for shift in labels.translate]})
    dataset = {"path": "0", "coordinateTransformations": transforms}
    return {"version": "0.5", "multiscales": [{"name": labels.name, "axes": axes, "datasets": [dataset]}]}


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


def _read_table(folder: Path) -> Any:
    file = folder / "table.parquet"
    if not file.exists():
        return None
    import pandas as pd

    return pd.read_parquet(file)


def _table_of(store: Path, name: str) -> Any:
    """Return the table inside a store, or the one that saving a result puts beside it, as features."""
    beside = store.with_name(f"{_stem(store)}_{name}.parquet")
    if (store / "tables" / name).exists() or not beside.exists():
        return _read_table(store / "tables" / name)
    from napari_mpseg.particles.table import ParticleTable

    return ParticleTable.read(beside).to_features()


def _stem(store: Path) -> str:
    return store.name.removesuffix(".zarr").removesuffix(".ome")


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
    stem = _stem(path)
    return LabelsFile(
        data=array,
        features=features,
        scale=transforms.get("scale", (1.0,) * array.ndim),
        translate=transforms.get("translation", ()),
        unit=Calibration(unit=unit).unit_name,
        name=f"{stem} {name}" if name else stem,
        metadata=_mapping(dict(group.attrs).get(_METADATA)),
    )


def _record_place(path: Path) -> Path:
    return path.with_name(f"{path.name.split('.')[0]}_review.json")


def _write_record(place: Path, metadata: Mapping[str, Any]) -> Path:
    if place.exists() and not _read_record(place):
        raise StoreError(
            f"The record of the review belongs in {place}, and another file is there. Choose another name."
        )
    with finished_at(place) as part:
        part.write_text(json.dumps({_METADATA: dict(metadata)}, indent=1) + "\n", encoding="utf-8")
    return place


def _read_record(place: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return _mapping(values.get(_METADATA)) if isinstance(values, dict) else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _ome_unit(unit: str) -> str:
    return {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm", "centimeter": "cm", "meter": "m"}.get(unit, unit)


def _check_is_table(path: Path) -> None:
    """Refuse to overwrite a CSV file that is somebody's own."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        if "label" not in file.readline().strip().split(","):
            raise StoreError(
                f"The table belongs in {path}, but a file that is no particle table is there. Choose another name."
            )
