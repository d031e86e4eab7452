"""Methods that tell particles apart by themselves, window by window."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, runtime_checkable

import numpy as np

from napari_mpseg.inference.predictor import TilePredictor

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class WindowInstances:
    """What was found in one window, its margins included.

    Attributes
    ----------
    probability : ndarray of float32
        ``(Y, X)``, 0 to 1.
    labels : ndarray of int32
        ``(Y, X)``; 0 is background, each other number one particle. Particles need not be connected, and touching ones
        have different numbers.
    """

    probability: Array
    labels: Array


@runtime_checkable
class InstancePredictor(TilePredictor, Protocol):
    """A predictor that says which pixels belong to the same particle.

    Tiles are not joined by touching then, but by agreement: two tiles' windows overlap by ``2 * overlap`` pixels around
    their common border, and particles are the same where both windows found nearly the same pixels there; see
    :mod:`napari_mpseg.inference.agreement`. Every tile comes from its own window, also where `exact` is False: nothing
    is blended.

    Attributes
    ----------
    overlap : int
        Pixels on either side of a border that are compared; 1 to `halo`. A window should be as good there as in its
        core: with a halo of the receptive radius and `overlap` more, both windows see the same in the strip.
    """

    @property
    def overlap(self) -> int: ...  # noqa: D102 - told above

    def predict_instances(self, window: Any, margins: tuple[int, int, int, int], threshold: float) -> WindowInstances:
        """Return probability and instances of a window, its margins included.

        Parameters
        ----------
        window : ndarray
            As for ``TilePredictor.predict``.
        margins : tuple of int
            Pixels at the top, bottom, left and right that belong to other tiles.
        threshold : float
            Probability from which on pixels are particle, chosen so that rounding the probability to 1/255, as it is
            stored, makes no difference; methods that find whole particles take it as their least score.

        Returns
        -------
        WindowInstances
            Both arrays of the whole window. Labels may have any numbers, different ones in each window; pixels with
            a label need not have any probability.
        """
        ...


def finds_instances(predictor: TilePredictor) -> TypeGuard[InstancePredictor]:
    """Return whether a predictor tells particles apart by itself."""
    return isinstance(predictor, InstancePredictor)


def loses_instances(predictor: TilePredictor) -> bool:
    """Return whether a predictor asks another one that tells particles apart, and does not do so itself."""
    inner = getattr(predictor, "predictor", None)
    return not finds_instances(predictor) and inner is not None and (finds_instances(inner) or loses_instances(inner))


def has_own_window(predictor: TilePredictor) -> bool:
    """Return whether each tile is made of its own window alone, and not blended of those around it."""
    return predictor.exact or finds_instances(predictor)
