"""What every head looks like from outside."""

from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]


class Head(Protocol):
    """A kind of answer of a network.

    Attributes
    ----------
    name, title, summary : str
        What users type, what menus show, and one sentence on when to take it.
    channels : int
        How many numbers per pixel. The first is always the particle's probability; all are brought to 0 to 1 by a
        sigmoid, as runtimes do it.
    reach : int
        How many pixels around a pixel :meth:`decode` looks at beside the particle that the pixel lies in.
    directional : bool
        Whether a number belongs to a direction in the image. The fields of a turned or mirrored image are then more
        than the fields turned or mirrored.
    """

    name: str
    title: str
    summary: str
    channels: int
    reach: int
    directional: bool

    def targets(self, labels: Array) -> Array:
        """Return what the network is to answer.

        Parameters
        ----------
        labels : ndarray of int
            ``(Y, X)``; 0 is background, each other number one particle.

        Returns
        -------
        ndarray of float32
            ``(channels, Y, X)``, 0 to 1; the first is 1 on particles.
        """
        ...

    def weights(self, labels: Array) -> Array:
        """Return how much each pixel of each channel counts in the loss, float32 ``(channels, Y, X)``."""
        ...

    def decode(self, fields: Array, threshold: float) -> Array:
        """Return the instances.

        Parameters
        ----------
        fields : ndarray of float32
            ``(channels, Y, X)``: the network's answer, 0 to 1.
        threshold : float
            Pixels of at least this probability are particle.

        Returns
        -------
        ndarray of int32
            ``(Y, X)``, 1 to N; 0 is background. Covers exactly the pixels that are particle.
        """
        ...
