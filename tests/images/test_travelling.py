"""An image that is pickled reads the same pixels in any process, and takes no pixels of its file along."""

import os
import pickle
import subprocess
import sys

import dask.array as da
import numpy as np
import PIL.Image
import pytest
import tifffile
import zarr

from napari_mpseg.errors import ImageError
from napari_mpseg.images import open_image
from napari_mpseg.images.channels import match_channels, pick_channels
from napari_mpseg.images.region import read_region

SMALL = 20_000
"""Bytes; the pictures here have 500,000 or more."""
SIDE = 700


def pixels(*shape, dtype=np.uint8):
    return np.random.default_rng(3).integers(0, 250, shape or (SIDE, SIDE), dtype=dtype)


def tiff(path, data, **options):
    tifffile.imwrite(path, data, **options)
    return path


def pyramid(path):
    data = pixels()
    with tifffile.TiffWriter(path) as writer:
        writer.write(data, tile=(128, 128), compression="zlib", subifds=1)
        writer.write(data[::2, ::2], tile=(128, 128), compression="zlib", subfiletype=1)
    return path


def picture(path, mode="L"):
    PIL.Image.fromarray(pixels() if mode == "L" else pixels(SIDE, SIDE, 3)).save(path)
    return path


def npy(path, data):
    np.save(path, data)
    return path


def plain_zarr(path):
    zarr.create_array(str(path), data=pixels(), chunks=(100, 100))
    return path


def ome_zarr(path):
    group = zarr.open_group(str(path), mode="w")
    group.create_array("0", data=pixels(3, SIDE, SIDE), chunks=(1, 128, 128))
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    multiscale = {"version": "0.5", "axes": axes, "datasets": [{"path": "0"}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
    return path


FILES = {
    "plain.tif": lambda path: tiff(path, pixels(dtype=np.uint16)),
    "big-endian.tif": lambda path: tiff(path, pixels(dtype=np.uint16), byteorder=">"),
    "tiled.tif": lambda path: tiff(path, pixels(), tile=(128, 128)),
    "zlib.tif": lambda path: tiff(path, pixels(), tile=(128, 128), compression="zlib"),
    "strips.tif": lambda path: tiff(path, pixels(SIDE, SIDE, 3), rowsperstrip=16, compression="lzw"),
    "one-piece.tif": lambda path: tiff(path, pixels(), rowsperstrip=SIDE, compression="zlib"),
    "rgba.tif": lambda path: tiff(path, pixels(SIDE, SIDE, 4), photometric="rgb", extrasamples=["unassalpha"]),
    "pyramid.tif": pyramid,
    "grey.png": picture,
    "colour.png": lambda path: picture(path, "RGB"),
    "colour.jpg": lambda path: picture(path, "RGB"),
    "colour.bmp": lambda path: picture(path, "RGB"),
    "c-order.npy": lambda path: npy(path, pixels()),
    "f-order.npy": lambda path: npy(path, np.asfortranarray(pixels())),
    "plain.zarr": plain_zarr,
    "image.ome.zarr": ome_zarr,
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_travels_small(tmp_path, monkeypatch, name):
    FILES[name](tmp_path / name)
    monkeypatch.chdir(tmp_path)
    image = open_image(name)
    expected = np.asarray(image.data)
    content = pickle.dumps(image)  # after reading: what was kept must stay behind
    assert len(content) < SMALL
    monkeypatch.chdir("/")  # another process stands elsewhere
    again = pickle.loads(content)
    np.testing.assert_array_equal(np.asarray(again.data), expected)
    np.testing.assert_array_equal(read_region(again, 300, 611, 5, 333), expected[300:611, 5:333])
    assert (again.name, again.calibration, again.channels) == (image.name, image.calibration, image.channels)
    assert len(pickle.dumps(again)) < SMALL


def test_the_lower_level_of_a_pyramid_travels(tmp_path):
    image = open_image(pyramid(tmp_path / "a.tif"), level=1)
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(np.asarray(again.data), pixels()[::2, ::2])


def test_a_plane_of_a_stack_travels(tmp_path):
    stack = pixels(5, 300, 300)
    tifffile.imwrite(tmp_path / "a.tif", stack, tile=(64, 64), compression="zlib", metadata={"axes": "ZYX"})
    again = pickle.loads(pickle.dumps(open_image(tmp_path / "a.tif", plane=3)))
    np.testing.assert_array_equal(np.asarray(again.data), stack[3])


@pytest.mark.parametrize(
    "chosen", [lambda image: pick_channels(image, "green"), lambda image: pick_channels(image, [2, 0])]
)
def test_chosen_channels_travel(tmp_path, chosen):
    image = chosen(open_image(picture(tmp_path / "a.png", "RGB")))
    content = pickle.dumps(image)
    assert len(content) < SMALL
    np.testing.assert_array_equal(np.asarray(pickle.loads(content).data), np.asarray(image.data))


def test_grey_as_colour_travels(tmp_path):
    image = match_channels(open_image(picture(tmp_path / "a.png")), 3)
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(np.asarray(again.data), np.repeat(pixels()[..., None], 3, 2))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(lambda folder: pixels(), id="numpy"),
        pytest.param(lambda folder: da.from_array(pixels(), chunks=128), id="dask"),
        pytest.param(lambda folder: da.random.default_rng(1).integers(0, 9, (90, 80), chunks=32), id="dask-lazy"),
        pytest.param(lambda folder: zarr.array(pixels(), chunks=(100, 100)), id="zarr-in-memory"),
        pytest.param(lambda folder: zarr.open(str(plain_zarr(folder / "a.zarr")), mode="r"), id="zarr-in-folder"),
    ],
)
def test_every_kind_of_array_travels(tmp_path, source):
    image = open_image(source(tmp_path))
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(image.data))


def test_a_zarr_array_by_a_relative_path_is_found_from_elsewhere(tmp_path, monkeypatch):
    plain_zarr(tmp_path / "a.zarr")
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(open_image(zarr.open("a.zarr", mode="r")))
    assert len(content) < SMALL
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(np.asarray(pickle.loads(content).data), pixels())


@pytest.mark.parametrize("name", ["plain.tif", "zlib.tif", "colour.png", "plain.zarr"])
def test_a_file_that_is_gone_is_told(tmp_path, name):
    path = FILES[name](tmp_path / name)
    again = pickle.loads(pickle.dumps(open_image(path)))
    path.rename(tmp_path / "gone")
    with pytest.raises(ImageError, match=f"{name} cannot be read"):
        read_region(again, 0, 9, 0, 9)


def test_a_file_that_has_changed_is_told(tmp_path):
    path = FILES["zlib.tif"](tmp_path / "a.tif")
    content = pickle.dumps(open_image(path))
    tiff(path, pixels(300, 300), tile=(128, 128), compression="zlib")
    with pytest.raises(ImageError, match="has changed since it was opened"):
        read_region(pickle.loads(content), 0, 9, 0, 9)


def test_all_kinds_are_read_in_a_fresh_process(tmp_path):
    images = [open_image(FILES[name](tmp_path / name)) for name in FILES]
    (tmp_path / "images").write_bytes(pickle.dumps(images))
    program = (
        "import pickle, sys; from pathlib import Path; from napari_mpseg.images.region import read_region;"
        "images = pickle.loads(Path(sys.argv[1]).read_bytes());"
        "print([int(read_region(image, 100, 650, 33, 444).sum(dtype='u8')) for image in images])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "images"], capture_output=True, text=True, check=True, cwd=os.sep
    )
    assert done.stdout.strip() == str([int(read_region(image, 100, 650, 33, 444).sum(dtype="u8")) for image in images])
