"""What is counted on: a mask, labels or a probability, read rectangle by rectangle."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.particles.instances.regions import mask_above, regions_of

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class CountSource:
    """Where particles are, and how sure that is.

    Attributes
    ----------
    data : array
        ``(Y, X)`` (numpy, dask, zarr): a mask or labels (not 0 is particle), or a probability if `graded`.
    probability : array or None
        ``(Y, X)``: how sure each pixel of a mask or of labels is. A probability is its own.
    graded : bool
        `data` is a probability: real numbers from 0 to 1, or whole numbers whose type's largest stands for 1.
    threshold : float
        Above it is particle, in a probability.
    numbered : bool
        `data` are labels whose numbers mean particles.
    """

    data: Any
    probability: Any = None
    graded: bool = False
    threshold: float = 0.5
    numbered: bool = False

    def __post_init__(self) -> None:
        shape = getattr(self.data, "shape", None)
        if shape is None or len(shape) != 2:
            raise ImageError(f"Counting needs a mask, labels or a probability (Y, X); this has the shape {shape}.")
        if self.data.dtype.kind not in ("uf" if self.graded else "biu"):
            kind = "a probability" if self.graded else "a mask nor labels"
            raise ImageError(f"{self.data.dtype} is {'no probability' if self.graded else f'neither {kind}'}.")
        other = getattr(self.probability, "shape", shape)
        if tuple(other) != tuple(shape):
            raise ImageError(
                f"The probability has the shape {tuple(other)}, the particles {tuple(shape)}. Give the probability of "
                "these very particles."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return int(self.data.shape[0]), int(self.data.shape[1])

    @property
    def sure(self) -> Any:
        """The probability, or None."""
        return self.data if self.graded else self.probability

    def read(self, box: Box) -> NDArray[Any]:
        """Return the pixels of a rectangle ``(y0, y1, x0, x1)``."""
        return read(self.data, box)

    def mask(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which of some pixels are particle."""
        if self.graded:
            return mask_above(values, self.threshold)
        return np.asarray(regions_of(values, 0.5), bool)


def read(array: Any, box: Box) -> NDArray[Any]:
    """Return a rectangle ``(y0, y1, x0, x1)`` of an array of any kind, in memory."""
    y0, y1, x0, x1 = box
    part = array[y0:y1, x0:x1]
    # in this thread: tiles already run side by side
    return np.asarray(part.compute(scheduler="synchronous") if hasattr(part, "compute") else part)


def steps_of(dtype: Any) -> float:
    """Return what stands for a probability of 1."""
    return float(np.iinfo(dtype).max) if np.dtype(dtype).kind in "ui" else 1.0
