"""Writers of small files, independent of the code under test."""

import json

import numpy as np
import pytest
import zarr

UM_AXES = [
    {"name": "c", "type": "channel"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "micrometer"},
]


@pytest.fixture
def colour(rng):
    """Return an RGB picture of odd size."""
    return rng.integers(0, 256, (97, 131, 3), dtype=np.uint8)


@pytest.fixture
def grey16(rng):
    """Return a 16-bit grey picture of odd size."""
    return rng.integers(0, 65536, (97, 131), dtype=np.uint16)


@pytest.fixture
def write_ome_zarr(tmp_path):
    """Return a function that writes a minimal OME-Zarr by hand, version 0.4 (zarr 2) or 0.5 (zarr 3)."""

    def write(levels, *, version="0.5", axes=UM_AXES, scales=None, overall=None, channels=None, name="image.ome.zarr"):
        path = tmp_path / name
        zarr_format = 2 if version == "0.4" else 3
        group = zarr.open_group(str(path), mode="w", zarr_format=zarr_format)
        datasets = []
        for index, data in enumerate(levels):
            array = group.create_array(
                str(index), shape=data.shape, dtype=data.dtype, chunks=(1,) * (data.ndim - 2) + (32, 32)
            )
            array[...] = data
            datasets.append({"path": str(index)})
            if scales is not None:
                datasets[-1]["coordinateTransformations"] = [{"type": "scale", "scale": scales[index]}]
        multiscale = {"axes": axes, "datasets": datasets}
        if overall is not None:
            multiscale["coordinateTransformations"] = [{"type": "scale", "scale": overall}]
        if version == "0.4":
            multiscale["version"] = "0.4"
        attributes = {"multiscales": [multiscale]}
        if channels:
            attributes["omero"] = {"channels": [{"label": label} for label in channels]}
        if version == "0.4":
            (path / ".zattrs").write_text(json.dumps(attributes))
        else:
            metadata = json.loads((path / "zarr.json").read_text())
            metadata["attributes"] = {"ome": {"version": "0.5", **attributes}}
            (path / "zarr.json").write_text(json.dumps(metadata))
        return path

    return write
