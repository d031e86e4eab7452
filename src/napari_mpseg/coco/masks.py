"""From an annotation to its pixels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from napari_mpseg.coco.polygons import filled_together
from napari_mpseg.coco.rle import from_lengths, from_text
from napari_mpseg.coco.run_mask import RunMask
from napari_mpseg.coco.values import box_of, is_list, is_number, is_whole, short
from napari_mpseg.errors import ImageError

_OUTSIDE = 1.0  # pixels by which programs let polygons go over the image's border
_FARTHEST = 1e12  # pixels; corners beyond it no image can mean, and whole numbers of 64 bits could not hold their lines


def annotation_mask(annotation: Mapping[str, Any], height: int, width: int, *, clip: bool = False) -> RunMask:
    """Return the pixels of an annotation: polygons, run lengths as numbers or as text, or the box where it has none.

    Parameters
    ----------
    annotation : mapping
        As COCO has it.
    height, width : int
        Of its image.
    clip : bool
        Cut off polygons and boxes that go over the border of the image; without, a part of more than one pixel
        outside is an error.

    Raises
    ------
    ImageError
        If it is damaged, of an image of another size, or outside the image. The message begins with what is wrong and
        leaves it to the caller to say of which annotation.
    """
    shape = annotation.get("segmentation")
    if isinstance(shape, Mapping):
        return _run_lengths(shape, height, width)
    if is_list(shape) and len(shape):
        polygons = [_corners(one) for one in shape]
    elif annotation.get("bbox"):
        polygons = [_box(annotation["bbox"])]
    else:
        raise ImageError("it has neither a segmentation nor a box")
    if not clip:
        _check_inside(polygons, height, width)
    return filled_together(polygons, height, width)


def own_size(annotation: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return height and width of the image as the run lengths of an annotation tell them."""
    shape = annotation.get("segmentation")
    size = shape.get("size") if isinstance(shape, Mapping) else None
    if is_list(size) and len(size) == 2 and all(is_whole(side) and 0 < side < 2**31 for side in size):
        return int(size[0]), int(size[1])
    return None


def told(annotation: Mapping[str, Any]) -> str:
    """How messages call an annotation."""
    number = annotation.get("id")
    return "An annotation" if number is None else f"Annotation {number}"


_READ: dict[type, Callable[[Any, int, int], RunMask]] = {
    list: from_lengths,
    tuple: from_lengths,
    str: from_text,
    bytes: from_text,
}


def _run_lengths(shape: Mapping[str, Any], height: int, width: int) -> RunMask:
    size, counts = shape.get("size"), shape.get("counts")
    if size is not None and (not is_list(size) or len(size) != 2 or not all(is_whole(side) for side in size)):
        raise ImageError(f"the size of its run lengths is {short(size)}, and not height and width")
    if size is not None and list(size) != [height, width]:
        raise ImageError(f"its run lengths are of {size[-1]} x {size[0]} px, but its image has {width} x {height}")
    read = _READ.get(type(counts))
    if read is None:
        raise ImageError("its run lengths have no counts")
    return read(counts, height, width)


def _corners(values: Any) -> list[float]:
    if not is_list(values) or len(values) < 6 or len(values) % 2:
        raise ImageError(f"a polygon needs three corners or more, x and y of each, but it has {_count(values)}")
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        raise ImageError("a corner of its polygon is no number")
    if not all(is_number(value) for value in values):
        raise ImageError("a corner of its polygon is not finite")
    return _near([float(value) for value in values], "a corner of its polygon")


def _box(values: Any) -> list[float]:
    x, y, width, height = box_of(values)
    return _near([x, y, x, y + height, x + width, y + height, x + width, y], "a corner of its box")


def _near(corners: list[float], what: str) -> list[float]:
    farthest = max(corners, key=abs)
    if abs(farthest) > _FARTHEST:
        raise ImageError(f"{what} lies at {farthest:g}, farther out than any image reaches")
    return corners


def _check_inside(polygons: Sequence[Sequence[float]], height: int, width: int) -> None:
    corners = np.concatenate([np.asarray(one).reshape(-1, 2) for one in polygons])
    low, high = corners.min(0), corners.max(0)
    if low.min() < -_OUTSIDE or high[0] > width + _OUTSIDE or high[1] > height + _OUTSIDE:
        raise ImageError(
            f"it reaches from x {low[0]:g}, y {low[1]:g} to x {high[0]:g}, y {high[1]:g}, out of its image of "
            f"{width} x {height} px. Are these the coordinates of another size of the image? If not, have it cut off"
        )


def _count(values: Any) -> str:
    return f"{len(values)} numbers" if is_list(values) else short(values)
