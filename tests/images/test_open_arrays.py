"""Arrays in memory, .npy files, planes of stacks."""

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError, ImageError
from napari_mpseg.images import Image, open_image, open_levels, open_planes, open_stack


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32", "float64"])
def test_grey_array_keeps_values_and_dtype(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    image = open_image(array)
    assert (image.shape, image.n_channels, image.dtype) == ((3, 4), 1, array.dtype)
    np.testing.assert_array_equal(image.data.compute(), array)


def test_last_axis_of_three_is_colour():
    array = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    image = open_image(array)
    assert image.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(image.data.compute(), array)


def test_alpha_is_left_out():
    array = np.arange(80, dtype=np.uint8).reshape(4, 5, 4)
    np.testing.assert_array_equal(open_image(array).data.compute(), array[..., :3])


def test_four_channels_that_are_not_uint8_stay():
    assert open_image(np.zeros((4, 5, 4), np.uint16)).n_channels == 4


def test_axes_of_length_one_are_dropped():
    image = open_image(np.ones((1, 1, 6, 7, 1)))
    assert image.data.shape == (6, 7)
    assert image.plane == ()


def test_one_pixel_is_an_image():
    assert open_image(np.array([[7]], np.uint8)).data.compute().tolist() == [[7]]


def test_stack_needs_a_plane_and_says_how():
    stack = np.zeros((5, 20, 30), np.uint16)
    with pytest.raises(ImageError, match=r"5 planes \(z: 5\).*plane=\(0,\).*--plane.*open_planes"):
        open_image(stack)


def test_chosen_plane():
    stack = np.arange(2 * 5 * 6 * 7).reshape(2, 5, 6, 7)
    image = open_image(stack, plane=(1, 3))
    np.testing.assert_array_equal(image.data.compute(), stack[1, 3])
    assert image.plane == (1, 3)
    assert image.name == "image_t1_z3"
    np.testing.assert_array_equal(open_image(stack[0], plane=2).data.compute(), stack[0, 2])


@pytest.mark.parametrize(
    ("plane", "message"), [((1,), "does not fit"), ((0, 5), "counted from 0"), ((-1, 0), "not in")]
)
def test_impossible_plane(plane, message):
    with pytest.raises(ImageError, match=message):
        open_image(np.zeros((2, 5, 6, 7)), plane=plane)


def test_plane_of_a_plain_image_is_refused():
    with pytest.raises(ImageError, match="leave plane out"):
        open_image(np.zeros((6, 7)), plane=0)


def test_all_planes():
    stack = np.arange(2 * 3 * 6 * 7).reshape(2, 3, 6, 7)
    images = open_planes(stack)
    assert [image.plane for image in images] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    np.testing.assert_array_equal(images[4].data.compute(), stack[1, 1])
    assert len(open_planes(stack[0, 0])) == 1


def test_dask_array_is_not_computed():
    def fail(block):
        raise AssertionError("computed")

    lazy = da.zeros((1000, 1000), chunks=100).map_blocks(fail, dtype=float, meta=np.empty((0, 0)))
    assert open_image(lazy).data is not None
    assert open_image(lazy).shape == (1000, 1000)


def test_dask_array_of_unknown_length_is_refused():
    lazy = da.zeros((10, 10), chunks=5)
    with pytest.raises(ImageError, match="compute_chunk_sizes"):
        open_image(lazy[lazy[:, 0] == 0])


def test_zarr_array_object(tmp_path):
    array = zarr.create_array(str(tmp_path / "a.zarr"), shape=(50, 60), dtype="uint16", chunks=(16, 16))
    array[...] = np.arange(3000).reshape(50, 60)
    image = open_image(array)
    np.testing.assert_array_equal(image.data.compute(), array[...])
    assert (image.name, image.source) == ("a", str(tmp_path / "a.zarr"))
    in_memory = open_image(zarr.create_array({}, shape=(5, 6), dtype="uint8"))
    assert (in_memory.name, in_memory.source) == ("image", "the zarr store")


def test_duck_array_is_sliced_not_copied():
    class Duck:
        shape, dtype = (30, 40), np.dtype("uint8")

        def __getitem__(self, key):
            return np.full((30, 40), 3, np.uint8)[key]

    assert (open_image(Duck()).data[2:5, 4:9].compute() == 3).all()


def test_nested_lists():
    assert open_image([[1, 2], [3, 4]]).data.compute().tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("thing", [3, None, object(), {"a": 1}])
def test_what_is_no_image(thing):
    with pytest.raises(ImageError, match="is no image"):
        open_image(thing)


def test_one_dimension_is_refused():
    with pytest.raises(ImageError, match="two dimensions"):
        open_image(np.zeros(5))


def test_given_calibration_wins_and_is_checked():
    assert open_image(np.zeros((4, 5)), calibration="2.5um").calibration == Calibration((2.5, 2.5), "um", "given")
    assert open_image(np.zeros((4, 5)), calibration=Calibration((2, 3), "nm")).calibration.pixel_size == (2, 3)
    with pytest.raises(CalibrationError, match="impossible"):
        open_image(np.zeros((4, 5)), calibration="0um")


def test_image_goes_through():
    image = open_image(np.arange(60, dtype=np.uint8).reshape(4, 5, 3), calibration="2um")
    again = open_image(Image(**{**image.__dict__, "plane": (4,)}), channels="green")
    assert (again.calibration, again.plane, again.channels) == (image.calibration, (4,), ())
    np.testing.assert_array_equal(again.data.compute(), image.data.compute()[..., 1])


def test_npy(tmp_path, colour):
    np.save(tmp_path / "picture.npy", colour)
    image = open_image(tmp_path / "picture.npy")
    np.testing.assert_array_equal(image.data.compute(), colour)
    assert (image.name, image.source) == ("picture", str(tmp_path / "picture.npy"))


def test_truncated_npy(tmp_path, colour):
    np.save(tmp_path / "picture.npy", colour)
    content = (tmp_path / "picture.npy").read_bytes()
    (tmp_path / "picture.npy").write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match="truncated"):
        open_image(tmp_path / "picture.npy")


def test_npy_of_objects(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([[{}, 1]], object), allow_pickle=True)
    with pytest.raises(ImageError, match="Python objects"):
        open_image(tmp_path / "objects.npy")


def test_levels_of_an_array_are_one():
    (level,) = open_levels(np.zeros((6, 7, 3), np.uint8))
    assert level.shape == (6, 7, 3)
    assert open_stack(np.zeros((9, 6, 7))).plane_axes == "Z"


@pytest.mark.parametrize("level", [1, -1])
def test_missing_level(level):
    with pytest.raises(ImageError, match="1 resolution levels"):
        open_image(np.zeros((6, 7)), level=level)


def test_missing_file(tmp_path):
    with pytest.raises(ImageError, match=r"nothing\.tif is not there"):
        open_image(tmp_path / "nothing.tif")


def test_folder_that_is_no_store(tmp_path):
    with pytest.raises(ImageError, match=r"no zarr store"):
        open_image(tmp_path)


def test_unknown_kind_of_file(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ImageError, match=r"Known are .*\.tif.*OME-TIFF"):
        open_image(str(tmp_path / "notes.txt"))


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg", ".npy"])
def test_empty_file(tmp_path, suffix):
    path = tmp_path / f"empty{suffix}"
    path.write_bytes(b"")
    with pytest.raises(ImageError, match="it is empty"):
        open_image(path)


def test_file_without_rights(tmp_path, monkeypatch):
    from pathlib import Path

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0")
    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(ImageError, match="rights"):
        open_image(path)
