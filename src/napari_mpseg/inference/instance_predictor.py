"""Methods that tell particles apart by themselves, window by window."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

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
    their common border, and particles are the same where both windows found nearly the same pixels there.

    Attributes
    ----------
    overlap : int
        Pixels on either side of a border that are compared; at most `halo`.
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
            Probability from which pixels are particle; methods that find whole particles take it as their least score.
        """
        ...
