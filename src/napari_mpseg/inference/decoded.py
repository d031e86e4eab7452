"""Predictors of networks that tell particles apart: a head makes instances of all that the network says of a window."""

from typing import Any

import numpy as np

from napari_mpseg.heads.head import Head
from napari_mpseg.images.resampling import enlarged, shrunk
from napari_mpseg.inference.gaps import GapPredictor
from napari_mpseg.inference.instance_predictor import InstancePredictor, WindowInstances
from napari_mpseg.inference.resampled import EnlargedPredictor, ShrunkPredictor, whole_factor

Array = np.ndarray[Any, Any]
Margins = tuple[int, int, int, int]
OVERLAP = 32
"""Pixels, as the network sees them, on either side of a border between tiles in which particles are compared."""


class DecodedPredictor:
    """An ``InstancePredictor`` of a network and its head.

    Windows are decoded with their margins, which are wider by :data:`OVERLAP` than what the network needs: around a
    border, two windows see the same pixels, and so find the same particles.

    Parameters
    ----------
    predictor : NetworkPredictor or AugmentedPredictor
        Answers with all fields of the head, ``(channels, Y, X)``.
    head : Head
    """

    def __init__(self, predictor: Any, head: Head) -> None:
        self.predictor, self.head = predictor, head
        self.overlap = OVERLAP
        self.halo = predictor.halo + OVERLAP + head.reach
        self.stride, self.exact = predictor.stride, predictor.exact
        self.preferred_tile, self.workers = predictor.preferred_tile, predictor.workers
        self.runtime_name: str | None = predictor.runtime_name

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        found: Array = self.predictor.predict(window, margins)[0]
        return found

    def predict_instances(self, window: Any, margins: Margins, threshold: float) -> WindowInstances:
        """Return probability and instances of a window, its margins included; see ``InstancePredictor``."""
        fields = np.asarray(self.predictor.predict(window))
        return WindowInstances(fields[0], self.head.decode(fields, threshold))


class ShrunkInstances(ShrunkPredictor):
    """Finds instances in an image seen smaller than it is, and outlines them at its own size.

    Parameters
    ----------
    finder : InstancePredictor
    factor : int
        2 or more.
    """

    def __init__(self, finder: InstancePredictor, factor: int) -> None:
        super().__init__(finder, factor)
        self.finder, self.overlap = finder, finder.overlap * factor

    def predict_instances(self, window: Any, margins: Margins, threshold: float) -> WindowInstances:
        """Return probability and instances of a window, its margins included; see ``InstancePredictor``."""
        inner = tuple(margin // self.factor for margin in margins)
        small = shrunk(np.asarray(window), self.factor)
        found = self.finder.predict_instances(small, inner, threshold)  # type: ignore[arg-type]
        probability = enlarged(found.probability, self.factor)
        labels = np.asarray(found.labels).repeat(self.factor, 0).repeat(self.factor, 1)
        return WindowInstances(probability, fitted(labels, probability >= threshold))


class EnlargedInstances(EnlargedPredictor):
    """Finds instances in an image seen larger than it is.

    Parameters
    ----------
    finder : InstancePredictor
    factor : int
        2 or more.
    """

    def __init__(self, finder: InstancePredictor, factor: int) -> None:
        super().__init__(finder, factor)
        self.finder, self.overlap = finder, -(-finder.overlap // factor)

    def predict_instances(self, window: Any, margins: Margins, threshold: float) -> WindowInstances:
        """Return probability and instances of a window, its margins included; see ``InstancePredictor``."""
        top, bottom, left, right = (margin * self.factor for margin in margins)
        large = enlarged(np.asarray(window), self.factor)
        found = self.finder.predict_instances(large, (top, bottom, left, right), threshold)
        probability = shrunk(found.probability, self.factor)
        middle = slice(self.factor // 2, None, self.factor)
        return WindowInstances(probability, fitted(np.asarray(found.labels)[middle, middle], probability >= threshold))


class GapInstances(GapPredictor):
    """Leaves pixels that are no numbers out of instances, too; see ``GapPredictor``.

    Parameters
    ----------
    finder : InstancePredictor
    """

    def __init__(self, finder: InstancePredictor) -> None:
        super().__init__(finder)
        self.finder, self.overlap = finder, finder.overlap

    def predict_instances(self, window: Any, margins: Margins, threshold: float) -> WindowInstances:
        """Return probability and instances of a window, its margins included; see ``InstancePredictor``."""
        pixels = np.asarray(window)
        found = self.finder.predict_instances(pixels, margins, threshold)
        known = np.isfinite(pixels) if pixels.ndim == 2 else np.isfinite(pixels).all(2)
        return WindowInstances(np.where(known, found.probability, np.float32(0)), np.where(known, found.labels, 0))


def instances_resampled(finder: InstancePredictor, factor: float) -> InstancePredictor:
    """Return the finder that sees the image by about `factor` smaller (above 1) or larger (below 1)."""
    smaller, larger = whole_factor(factor)
    if smaller > 1:
        return ShrunkInstances(finder, smaller)
    return EnlargedInstances(finder, larger) if larger > 1 else finder


def fitted(labels: Array, mask: Array) -> Array:
    """Return labels that cover exactly a mask: cut where there is none, grown to where they do not reach.

    What no label reaches is one of its own for each connected piece.

    Parameters
    ----------
    labels : ndarray of int32
        ``(Y, X)``; not changed.
    mask : ndarray of bool
        ``(Y, X)``.
    """
    from napari_mpseg.heads.flooding import grown

    kept = np.where(mask, labels, 0).astype(np.int32)
    values, numbers = np.unique(kept, return_inverse=True)
    dense: Array = (numbers.reshape(kept.shape) + (0 if values.size and values[0] == 0 else 1)).astype(np.int32)
    return grown(dense, int(dense.max(initial=0)), np.zeros(mask.shape, np.float32), mask)
