"""Values of a COCO file, which may hold anything JSON can: which of them are numbers."""

import math
from collections.abc import Sequence
from typing import Any, TypeGuard

from napari_mpseg.errors import ImageError


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a finite number, and not true or false."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number too large for a float
        return False


def is_whole(value: Any) -> TypeGuard[float]:
    """Return whether a value is a whole number, which some programs write as 3.0."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (is_number(value) and int(value) == value)


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is a list of values, and no text."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def box_of(value: Any) -> tuple[float, float, float, float]:
    """Return x, y, width and height of a box.

    Raises
    ------
    ImageError
        If they are not four finite numbers. The message leaves it to the caller to say of which annotation.
    """
    if not is_list(value) or len(value) != 4 or not all(is_number(one) for one in value):
        raise ImageError(f"its box is {short(value)}, and not x, y, width and height")
    x, y, width, height = (float(one) for one in value)
    return x, y, width, height


def short(value: Any, most: int = 60) -> str:
    """Return a value as messages show it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
