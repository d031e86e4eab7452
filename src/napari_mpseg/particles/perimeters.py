"""Estimators of the perimeter, of which one is chosen for the columns ``perimeter`` and ``circularity``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.registry import Registry

if TYPE_CHECKING:
    from napari_mpseg.particles.geometry import Geometry


@dataclass(frozen=True)
class PerimeterEstimator:
    """One way from pixels to the length of an outline.

    Attributes
    ----------
    compute : callable
        Takes a :class:`~napari_mpseg.particles.geometry.Geometry` and returns float64 ``(N,)``.
    needs : tuple of str
        As in :class:`~napari_mpseg.particles.property.Property`.
    definition : str
        One sentence for the user.
    source : str
        Whose definition it is.
    """

    compute: Callable[["Geometry"], NDArray[np.float64]]
    needs: tuple[str, ...]
    definition: str
    source: str


PERIMETERS: Registry[PerimeterEstimator] = Registry("perimeter estimator")
PERIMETERS.add(
    "imagej",
    PerimeterEstimator(
        lambda g: g.perimeter_imagej,
        (),
        "Length of the outer outline along pixel sides, corners cut off by ImageJ's rule; all pieces added.",
        "ImageJ (Analyze Particles)",
    ),
)
PERIMETERS.add(
    "crofton",
    PerimeterEstimator(
        lambda g: g.perimeter_crofton,
        ("crossings",),
        "Length of all borders, those of holes too, from how often lines in four directions enter the particle.",
        "Crofton's formula, as scikit-image's perimeter_crofton",
    ),
)
