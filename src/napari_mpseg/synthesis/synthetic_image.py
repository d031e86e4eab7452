"""What every synthesis gives back."""

from dataclasses import dataclass
from typing import Any

from napari_mpseg.images.image import Image


@dataclass(frozen=True)
class SyntheticImage:
    """A synthetic image with its exact truth.

    Attributes
    ----------
    image : Image
        Lazy (dask) and calibrated.
    labels : dask.array.Array
        ``(Y, X)`` int32: 0 is background, particles are 1..N without gaps.
    settings : dataclass
        Everything needed to make it again.
    n_particles : int
        N, known without rendering anything.
    """

    image: Image
    labels: Any
    settings: Any
    n_particles: int
