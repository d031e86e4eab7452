"""OME-Zarr 0.4 and 0.5 and plain zarr, written by hand."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import zarr

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.images import ImageWarning, open_image, open_levels, open_planes

VERSIONS = ["0.4", "0.5"]
YX_NM = [{"name": "y", "type": "space", "unit": "nanometer"}, {"name": "x", "type": "space", "unit": "nanometer"}]


@pytest.fixture
def levels(rng):
    full = rng.integers(0, 999, (2, 101, 120), dtype=np.uint16)
    return [full, full[:, ::2, ::2], full[:, ::4, ::4]]


SCALES = [[1, 0.5, 0.25], [1, 1.0, 0.5], [1, 2.0, 1.0]]


@pytest.mark.parametrize("version", VERSIONS)
def test_pixels_channels_levels_and_calibration(write_ome_zarr, levels, version):
    path = write_ome_zarr(levels, version=version, scales=SCALES, channels=["green", "red"])
    image = open_image(path)
    assert (image.name, image.channels, image.dtype) == ("image", ("green", "red"), np.uint16)
    np.testing.assert_array_equal(image.data.compute(), np.moveaxis(levels[0], 0, -1))
    assert image.calibration == Calibration((0.5, 0.25), "um", "OME-Zarr")
    small = open_image(path, level=2, channels="red")
    np.testing.assert_array_equal(small.data.compute(), levels[2][1])
    assert small.calibration.pixel_size == (2.0, 1.0)
    assert [level.shape for level in open_levels(path)] == [(101, 120, 2), (51, 60, 2), (26, 30, 2)]


@pytest.mark.parametrize("version", VERSIONS)
def test_transforms_of_dataset_and_multiscale_multiply(write_ome_zarr, levels, version):
    path = write_ome_zarr(levels, version=version, scales=SCALES, overall=[1, 10, 10])
    assert open_image(path).calibration.pixel_size == (5.0, 2.5)
    assert open_image(path, level=1).calibration.pixel_size == (10.0, 5.0)


@pytest.mark.parametrize("version", VERSIONS)
def test_transform_of_the_multiscale_alone(write_ome_zarr, levels, version):
    path = write_ome_zarr([levels[0][0]], version=version, axes=YX_NM, overall=[4, 5])
    assert open_image(path).calibration == Calibration((4, 5), "nm", "OME-Zarr")


def test_without_transforms_levels_scale_by_their_shape(write_ome_zarr, levels):
    path = write_ome_zarr(levels)
    assert not open_image(path).calibration.calibrated
    assert open_image(path, calibration="2um", level=1).calibration.pixel_size == (4.0, 4.0)


def test_without_a_unit_it_is_not_calibrated(write_ome_zarr, levels):
    axes = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    assert not open_image(write_ome_zarr([levels[0][0]], axes=axes, scales=[[2, 2]])).calibration.calibrated


@pytest.mark.parametrize("scale", [[0, 0], [-1, 2], [float("nan"), 1]])
def test_impossible_scale_opens_uncalibrated_with_a_warning(write_ome_zarr, levels, scale):
    path = write_ome_zarr([levels[0][0]], axes=YX_NM, scales=[scale])
    with pytest.warns(ImageWarning, match="OME-Zarr is left out"):
        image = open_image(path)
    assert not image.calibration.calibrated
    assert image.shape == (101, 120)


def test_five_dimensions_plane_by_plane(write_ome_zarr, rng):
    pixels = rng.integers(0, 99, (2, 3, 4, 20, 30), dtype=np.uint8)
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}, {"name": "z", "type": "space"}, *YX_NM]
    path = write_ome_zarr([pixels], axes=axes, scales=[[1, 1, 7, 2, 2]])
    with pytest.raises(ImageError, match=r"8 planes \(time: 2, z: 4\)"):
        open_image(path)
    image = open_image(path, plane=(1, 3))
    np.testing.assert_array_equal(image.data.compute(), np.moveaxis(pixels[1, :, 3], 0, -1))
    assert image.calibration.pixel_size == (2, 2)
    assert len(open_planes(path)) == 8


def test_plane_of_a_level_that_is_reduced_in_z(write_ome_zarr, rng):
    pixels = rng.integers(0, 99, (6, 20, 30), dtype=np.uint8)
    axes = [{"name": "z", "type": "space"}, *YX_NM]
    path = write_ome_zarr([pixels, pixels[::2, ::2, ::2]], axes=axes)
    np.testing.assert_array_equal(open_image(path, plane=4, level=1).data.compute(), pixels[4, ::2, ::2])


def test_axes_of_old_versions(write_ome_zarr, levels):
    path = write_ome_zarr([levels[0]], version="0.4", axes=["c", "y", "x"])
    assert open_image(path).n_channels == 2
    attributes = json.loads((path / ".zattrs").read_text())
    del attributes["multiscales"][0]["axes"]
    (path / ".zattrs").write_text(json.dumps(attributes))
    assert open_image(path, plane=1).shape == (101, 120)  # the last three of t, c, z, y, x


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_plain_array(tmp_path, colour, zarr_format):
    array = zarr.create_array(
        str(tmp_path / "a.zarr"), shape=colour.shape, dtype="u1", chunks=(32, 32, 3), zarr_format=zarr_format
    )
    array[...] = colour
    image = open_image(tmp_path / "a.zarr")
    assert (image.name, image.channels) == ("a", ("red", "green", "blue"))
    np.testing.assert_array_equal(image.data.compute(), colour)
    assert not image.calibration.calibrated


def test_plain_array_with_named_dimensions(tmp_path):
    array = zarr.create_array(str(tmp_path / "a.zarr"), shape=(7, 20, 30), dtype="u1", dimension_names=["c", "y", "x"])
    assert open_image(array).n_channels == 7


def test_group_objects_and_groups_of_one(tmp_path, write_ome_zarr, levels):
    assert open_image(zarr.open_group(str(write_ome_zarr(levels)), mode="r")).shape == (101, 120)
    group = zarr.open_group(str(tmp_path / "g.zarr"), mode="w")
    with pytest.raises(ImageError, match="it is empty"):
        open_image(tmp_path / "g.zarr")
    group.create_array("only", shape=(20, 30), dtype="u1")
    assert open_image(tmp_path / "g.zarr").name == "g"
    group.create_array("second", shape=(20, 30), dtype="u1")
    with pytest.raises(ImageError, match=r"only, second; open one of them as .*g\.zarr/only"):
        open_image(tmp_path / "g.zarr")


@pytest.mark.parametrize("kind", ["plate", "well"])
def test_plates_are_explained(tmp_path, kind):
    zarr.open_group(str(tmp_path / "p.zarr"), mode="w", attributes={"ome": {"version": "0.5", kind: {}}})
    with pytest.raises(ImageError, match=f"OME-Zarr {kind}"):
        open_image(tmp_path / "p.zarr")


def test_broken_json(write_ome_zarr, levels):
    path = write_ome_zarr(levels)
    (path / "zarr.json").write_text('{"zarr_format": 3, "node')
    with pytest.raises(ImageError, match="not a readable zarr store"):
        open_image(path)


Edit = Callable[[dict], object]


@pytest.mark.parametrize(
    "edit",
    [
        lambda multiscale: multiscale.pop("datasets"),
        lambda multiscale: multiscale["datasets"][0].update(path="9"),
        lambda multiscale: multiscale["axes"].pop(),
        lambda multiscale: multiscale["axes"][2].update(name="q"),
        lambda multiscale: multiscale["datasets"][0].update(
            coordinateTransformations=[{"type": "scale", "scale": [1]}]
        ),
        lambda multiscale: multiscale["datasets"][0].update(coordinateTransformations=[{"type": "scale"}]),
    ],
)
def test_damaged_ome_metadata(write_ome_zarr, levels, edit: Edit):
    path = write_ome_zarr([levels[0]])
    metadata = json.loads((path / "zarr.json").read_text())
    edit(metadata["attributes"]["ome"]["multiscales"][0])
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(ImageError):
        open_image(path)


@pytest.mark.parametrize("version", VERSIONS)
def test_truncated_chunk_is_told_when_read(write_ome_zarr, levels, version):
    path = write_ome_zarr([levels[0]], version=version)
    chunk = max((file for file in (path / "0").rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    chunk.write_bytes(chunk.read_bytes()[:40])
    image = open_image(path)
    with pytest.raises(ImageError, match=r"image\.ome\.zarr cannot be read"):
        image.data.compute()
