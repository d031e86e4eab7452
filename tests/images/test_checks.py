"""What is refused before any work, and reading of windows."""

import dask.array as da
import numpy as np
import pytest

from napari_mpseg.errors import Cancelled, ImageError
from napari_mpseg.images import Image, check_image, open_image, read_region


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float16", "float64"])
def test_numbers_are_fine(dtype):
    check_image(open_image(np.ones((1, 1), dtype)))
    check_image(open_image(np.ones((4, 5, 3), dtype)))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (5, 5, 0)])
def test_empty(shape):
    with pytest.raises(ImageError, match="is empty"):
        check_image(open_image(np.zeros(shape)))


@pytest.mark.parametrize(
    ("dtype", "message"),
    [("complex64", "complex"), ("bool", "Measure it"), ("U3", "not numbers"), ("O", "not numbers")],
)
def test_pixels_that_are_no_numbers(dtype, message):
    with pytest.raises(ImageError, match=message):
        check_image(open_image(np.zeros((4, 5), dtype)))


def test_too_many_dimensions():
    with pytest.raises(ImageError, match="Choose a plane"):
        check_image(Image(da.zeros((2, 3, 4, 5))))


def test_region(colour):
    image = open_image(colour)
    np.testing.assert_array_equal(read_region(image, 3, 20, 7, 50), colour[3:20, 7:50])
    assert read_region(image, 5, 5, 0, 9).shape == (0, 9, 3)


@pytest.mark.parametrize("window", [(-1, 5, 0, 5), (0, 98, 0, 5), (0, 5, 9, 3)])
def test_region_outside(colour, window):
    with pytest.raises(ImageError, match="does not lie in"):
        read_region(open_image(colour), *window)


def failing(error):
    def fail(block):
        raise error

    data = da.zeros((50, 60), chunks=25).map_blocks(fail, dtype=float, meta=np.empty((0, 0)))
    return Image(data, name="mine", source="mine.tif")


def test_reading_errors_name_file_and_window():
    with pytest.raises(ImageError, match=r"\[10:20, 30:40\] of mine\.tif cannot be read \(disk gone\).*check it"):
        read_region(failing(OSError("disk gone")), 10, 20, 30, 40)


def test_too_little_memory():
    with pytest.raises(ImageError, match="not enough memory"):
        read_region(failing(MemoryError()), 0, 50, 0, 60)


@pytest.mark.parametrize("error", [Cancelled("stop"), ImageError("already told")])
def test_own_errors_pass(error):
    with pytest.raises(type(error), match=str(error)):
        read_region(failing(error), 0, 5, 0, 5)
