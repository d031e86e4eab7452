"""Particle, and its inside: where two touch there is a line of pixels that are inside neither."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_SURE, _PEAK = 0.5, 0.7


class BoundaryHead:
    """Particle or not, and whether the pixels around are all of the same particle.

    The connected insides are the markers; they are grown back over the mask, surest pixels first.

    Notes
    -----
    A class for the border between touching objects: Caicedo et al. 2019 (doi:10.1002/cyto.a.23863), among others. A
    piece of a particle too thin to have an inside, or whose inside falls apart, has a larger one here: all that does
    not touch another particle, else its thickest place. So every connected piece has one marker.
    """

    name = "boundary"
    title = "Inside and border"
    summary = (
        "Two numbers per pixel: particle, and inside of one. Tells compact particles apart that touch; the lightest."
    )
    channels = 2
    reach = 1
    directional = False

    def targets(self, labels: Array) -> Array:
        """Return particle and inside; see ``Head.targets``."""
        return np.stack([labels > 0, insides(labels)]).astype(np.float32)

    def weights(self, labels: Array) -> Array:
        """Return how much pixels count: much where particles touch, little far from any."""
        from napari_mpseg.heads.pieces import touching_weights

        return np.stack([np.ones(labels.shape, np.float32), touching_weights(labels, 8.0)])

    def decode(self, fields: Array, threshold: float) -> Array:
        """Return the instances; see ``Head.decode``."""
        from napari_mpseg.heads.flooding import cores, flooded

        mask = fields[0] >= threshold
        return flooded(cores(fields[1], mask, _SURE, _PEAK), 1 - fields[1], mask)


def insides(labels: Array) -> Array:
    """Return the inside of every piece of every particle, one connected region each; bool ``(Y, X)``."""
    from scipy import ndimage

    from napari_mpseg.heads.pieces import each_particle, near_another

    if not labels.size:
        return np.zeros(labels.shape, bool)
    largest, smallest = (
        change(labels, 3, mode="nearest") for change in (ndimage.maximum_filter, ndimage.minimum_filter)
    )
    eroded = (labels > 0) & (largest == labels) & (smallest == labels)
    apart = (labels > 0) & ~near_another(labels, 1)
    found = np.zeros(labels.shape, bool)
    for window, own in each_particle(labels):
        found[window] |= _of_particle(own, eroded[window], apart[window])
    return found


def _of_particle(own: Array, eroded: Array, apart: Array) -> Array:
    from napari_mpseg.heads.pieces import depth_of, pieces_of

    pieces, count = pieces_of(own)
    if pieces_of(eroded & own)[1] == count == len(np.unique(pieces[eroded & own])):
        return eroded & own
    inside = np.zeros(own.shape, bool)
    for number in range(1, count + 1):
        piece = pieces == number
        for wanted in (eroded & piece, apart & piece):
            parts, several = pieces_of(wanted)
            if several == 1:
                inside |= wanted
                break
        else:
            if several:
                inside |= parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
            else:
                inside.ravel()[np.argmax(depth_of(piece))] = True
    return inside
