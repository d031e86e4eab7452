"""The particle's probability alone: what touches is one particle."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class MaskHead:
    """Particle or not; particles are connected pixels."""

    name = "mask"
    title = "Particle or not"
    summary = "One number per pixel; particles that touch are told apart afterwards, by their outlines, or not at all."
    channels = 1
    reach = 0
    directional = False

    def targets(self, labels: Array) -> Array:
        """Return 1 on particles; see ``Head.targets``."""
        return (labels > 0)[None].astype(np.float32)

    def weights(self, labels: Array) -> Array:
        """Return 1 everywhere."""
        return np.ones((1, *labels.shape), np.float32)

    def decode(self, fields: Array, threshold: float) -> Array:
        """Return the connected pixels of particle, corners included."""
        from napari_mpseg.heads.pieces import pieces_of

        return pieces_of(fields[0] >= threshold)[0]
