"""The ways in which COCO writes the pixels of a particle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.coco.rle import run_lengths, to_text
from napari_mpseg.coco.run_mask import RunMask
from napari_mpseg.registry import Registry

Loops = Sequence[NDArray[np.int64]]


@dataclass(frozen=True)
class Shape:
    """A way to write the pixels of a particle.

    Attributes
    ----------
    name, definition : str
    write : callable
        Takes the mask and the outlines, and returns what stands under ``segmentation``.
    needs_outlines : bool
        Whether `write` looks at the outlines.
    """

    name: str
    definition: str
    write: Callable[[RunMask, Loops], Any]
    needs_outlines: bool = False


SHAPES: Registry[Shape] = Registry("shape of a COCO segmentation")


def is_hole(loop: NDArray[np.int64]) -> bool:
    """Return whether an outline of :func:`~napari_mpseg.exchange.outlines.trace_outlines` is that of a hole."""
    x, y = loop.T
    return bool((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() < 0)


def numbers(mask: RunMask, _loops: Loops) -> dict[str, Any]:
    """Return run lengths as a list of numbers."""
    return {"size": [mask.height, mask.width], "counts": run_lengths(mask)}


def text(mask: RunMask, _loops: Loops) -> dict[str, Any]:
    """Return run lengths as COCO's compressed text."""
    return {"size": [mask.height, mask.width], "counts": to_text(mask)}


def polygons(mask: RunMask, loops: Loops) -> Any:
    """Return one polygon per piece; of a particle with a hole, which polygons cannot have, the run lengths."""
    if any(is_hole(loop) for loop in loops):
        return numbers(mask, loops)
    return [loop.ravel().tolist() for loop in loops]


for _shape in (
    Shape(
        "polygon",
        "polygons along the borders of the pixels, one per piece; run lengths for particles with holes",
        polygons,
        needs_outlines=True,
    ),
    Shape("rle", "run lengths as numbers", numbers),
    Shape("compressed", "run lengths as COCO's compressed text, the smallest", text),
):
    SHAPES.add(_shape.name, _shape)
