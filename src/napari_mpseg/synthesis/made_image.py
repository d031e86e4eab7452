"""What every synthesis gives back."""

from collections.abc import Callable
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
    count : callable
        Returns N when asked, without rendering anything.
    """

    image: Image
    labels: Any
    settings: Any
    count: Callable[[], int]

    @property
    def n_particles(self) -> int:
        """Number of particles N; counted when first asked for."""
        return self.count()
