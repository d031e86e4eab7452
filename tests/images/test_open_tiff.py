"""TIFF files of every kind, written by tifffile and Pillow."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.images import ImageWarning, open_image, open_levels, open_planes

KINDS = {
    "plain": {},
    "strips": {"rowsperstrip": 7},
    "lzw": {"compression": "lzw", "rowsperstrip": 5},
    "zlib in one strip": {"compression": "zlib"},
    "tiled": {"tile": (32, 48)},
    "tiled zlib with predictor": {"tile": (32, 32), "compression": "zlib", "predictor": True},
    "zstd": {"tile": (32, 32), "compression": "zstd"},
    "big": {"bigtiff": True, "tile": (32, 32)},
    "big endian": {"byteorder": ">"},
    "big endian tiled": {"byteorder": ">", "tile": (32, 32), "compression": "lzw"},
    "ome": {"ome": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pixels", ["grey16", "colour"])
def test_every_kind_gives_its_pixels(tmp_path, request, kind, pixels):
    pixels = request.getfixturevalue(pixels)
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=photometric, **KINDS[kind])
    image = open_image(tmp_path / "a.tif")
    assert image.dtype == pixels.dtype
    assert image.data.shape == pixels.shape
    np.testing.assert_array_equal(image.data.compute(), pixels)
    np.testing.assert_array_equal(image.data[30:41, 60:99].compute(), pixels[30:41, 60:99])


def test_jpeg_in_tiff_is_rgb(tmp_path):
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[..., 0] = 200
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="rgb", tile=(32, 32), compression="jpeg")
    assert np.abs(open_image(tmp_path / "a.tif").data.compute().astype(int) - picture).max() < 8


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint32", "float16", "float32", "float64"])
def test_other_dtypes(tmp_path, rng, dtype):
    pixels = (rng.random((40, 50)) * 100).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").data.compute(), pixels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
def test_thin_images(tmp_path, shape):
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").data.compute(), pixels)


def test_colour_in_separate_planes(tmp_path, colour):
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(colour, -1, 0), photometric="rgb", planarconfig="separate")
    image = open_image(tmp_path / "a.tif")
    assert image.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(image.data.compute(), colour)


def test_alpha_is_left_out(tmp_path, colour):
    rgba = np.dstack([colour, np.full(colour.shape[:2], 255, np.uint8)])
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").data.compute(), colour)


def test_grey_with_alpha_is_grey(tmp_path, colour):
    pixels = np.ascontiguousarray(colour[..., :2])
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"]
    )
    image = open_image(tmp_path / "a.tif")
    assert image.channels == ()
    np.testing.assert_array_equal(image.data.compute(), colour[..., 0])


def test_channels_of_an_ome_tiff_by_name(tmp_path, rng):
    pixels = rng.integers(0, 999, (3, 40, 50), dtype=np.uint16)
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Nile red", "bright"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, photometric="minisblack", metadata=metadata)
    image = open_image(tmp_path / "a.ome.tif")
    assert (image.name, image.channels) == ("a", ("DAPI", "Nile red", "bright"))
    np.testing.assert_array_equal(image.data.compute(), np.moveaxis(pixels, 0, -1))
    np.testing.assert_array_equal(open_image(tmp_path / "a.ome.tif", channels="nile red").data.compute(), pixels[1])


def test_imagej_hyperstack(tmp_path, rng):
    pixels = rng.integers(0, 999, (2, 3, 2, 40, 50), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": "TZCYX"})
    with pytest.raises(ImageError, match=r"6 planes \(time: 2, z: 3\)"):
        open_image(tmp_path / "a.tif")
    image = open_image(tmp_path / "a.tif", plane=(1, 2))
    np.testing.assert_array_equal(image.data.compute(), np.moveaxis(pixels[1, 2], 0, -1))
    assert image.name == "a_t1_z2"
    planes = open_planes(tmp_path / "a.tif", channels=1)
    assert len(planes) == 6
    np.testing.assert_array_equal(planes[5].data.compute(), pixels[1, 2, 1])


def test_imagej_channel_labels(tmp_path, rng):
    pixels = rng.integers(0, 999, (2, 40, 50), dtype=np.uint16)
    metadata = {"axes": "CYX", "Labels": ["blue light", "green light"]}
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata=metadata)
    assert open_image(tmp_path / "a.tif").channels == ("blue light", "green light")


def test_compressed_stack_plane_by_plane(tmp_path, rng):
    pixels = rng.integers(0, 999, (4, 40, 50), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="zlib", photometric="minisblack")
    for index, image in enumerate(open_planes(tmp_path / "a.tif")):
        np.testing.assert_array_equal(image.data.compute(), pixels[index])


def test_pyramid_with_subifds(tmp_path, rng):
    pixels = rng.integers(0, 256, (257, 300), dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", bigtiff=True) as writer:
        options = {"tile": (64, 64), "compression": "zlib", "photometric": "minisblack"}
        writer.write(pixels, subifds=2, metadata={"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}, **options)
        writer.write(pixels[::2, ::2], subfiletype=1, **options)
        writer.write(pixels[::4, ::4], subfiletype=1, **options)
    levels = open_levels(tmp_path / "a.ome.tif")
    assert [level.shape for level in levels] == [(257, 300), (129, 150), (65, 75)]
    image = open_image(tmp_path / "a.ome.tif", level=2)
    np.testing.assert_array_equal(image.data.compute(), pixels[::4, ::4])
    assert image.calibration == Calibration((2.0, 2.0), "um", "OME")
    assert open_image(tmp_path / "a.ome.tif", level=1, calibration="3nm").calibration.pixel_size == (6.0, 6.0)


def test_pyramid_of_plain_pages(tmp_path, rng):
    pixels = rng.integers(0, 256, (256, 300), dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(pixels, tile=(64, 64), metadata=None)
        writer.write(pixels[::2, ::2], tile=(64, 64), subfiletype=1, metadata=None)
    assert [level.shape for level in open_levels(tmp_path / "a.tif")] == [(256, 300), (128, 150)]
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif", level=1).data.compute(), pixels[::2, ::2])


def test_further_images_are_told(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((40, 50), np.uint8), metadata=None)
        writer.write(np.zeros((30, 77), np.uint8), metadata=None)
    with pytest.warns(ImageWarning, match="2 images"):
        assert open_image(tmp_path / "a.tif").shape == (40, 50)


@pytest.mark.parametrize("kind", ["plain", "strips", "lzw", "zlib in one strip", "tiled", "big"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_truncated_file_is_refused_at_opening(tmp_path, grey16, kind, kept):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, grey16, **KINDS[kind])
    content = path.read_bytes()
    # The pixels come last in what tifffile writes, so a cut file lacks some of them.
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ImageError, match=r"a\.tif is truncated.*Copy it again"):
        open_image(path)


def test_lost_metadata_are_told(tmp_path, grey16):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, grey16, ome=True, metadata={"PhysicalSizeX": 2.5})
    # tifffile puts long OME-XML behind the pixels, so it is what a slightly cut file lacks.
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(ImageWarning, match=r"a\.tif opens, but.*pixel size"):
        image = open_image(path)
    np.testing.assert_array_equal(image.data.compute(), grey16)


@pytest.mark.parametrize("kept", [4, 6, 8, 60, 150])
def test_file_cut_in_its_directory(tmp_path, grey16, kept):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, grey16, metadata=None)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ImageError, match=r"a\.tif"):
        open_image(path)


def test_directory_at_the_end_cut_off(tmp_path, grey16):
    import struct

    path = tmp_path / "a.tif"
    # libtiff writes the directory behind the pixels: the header points beyond the end of a cut file.
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + grey16.nbytes) + grey16.tobytes()[:1000])
    with pytest.raises(ImageError, match="damaged or truncated"):
        open_image(path)


def test_text_called_tif(tmp_path):
    (tmp_path / "a.tif").write_text("this is no TIFF")
    with pytest.raises(ImageError, match=r"does not begin like one"):
        open_image(tmp_path / "a.tif")


def test_tiff_of_another_ending(tmp_path, grey16):
    tifffile.imwrite(tmp_path / "a.dat", grey16)
    np.testing.assert_array_equal(open_image(tmp_path / "a.dat").data.compute(), grey16)


@pytest.mark.parametrize("kind", ["lzw", "tiled zlib with predictor", "zlib in one strip"])
def test_damaged_pixels_are_told_when_they_are_read(tmp_path, grey16, kind):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, grey16, **KINDS[kind])
    content = bytearray(path.read_bytes())
    content[-3000:] = b"\xff" * 3000
    path.write_bytes(content)
    image = open_image(path)
    with pytest.raises(ImageError, match=r"pixels \[.*a\.tif cannot be read.*damaged"):
        image.data.compute()


@pytest.mark.parametrize("kind", ["plain", "tiled zlib with predictor"])
def test_file_that_goes_away(tmp_path, grey16, kind):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, grey16, **KINDS[kind])
    image = open_image(path)
    path.unlink()
    with pytest.raises(ImageError, match="moved"):
        image.data.compute()


def test_stitched_filter_of_the_shared_data(tmp_path, shared_data):
    out = tmp_path / "filter.tif"
    command = [sys.executable, str(shared_data / "make_filter.py"), str(out), "--size", "512", "512", "--folds", "2"]
    subprocess.run(command, check=True, capture_output=True)
    image = open_image(out)
    assert (image.shape, image.channels, image.dtype) == ((512, 512), ("red", "green", "blue"), np.uint8)
    assert image.calibration == Calibration((2.5, 2.5), "um", "OME")
    np.testing.assert_array_equal(image.data.compute(), tifffile.imread(out))
    mask = open_image(tmp_path / "filter_mask.tif")
    assert not mask.calibration.calibrated
    assert set(np.unique(mask.data.compute())) == {0, 255}
