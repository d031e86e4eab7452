"""A detector that looks at windows of any size: as many squares of its own size as it takes, mirrored at borders."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from napari_mpseg.detection.found import Found, labelled, together
from napari_mpseg.detection.network import Detector
from napari_mpseg.images.scaling import Scaling

Array = np.ndarray[Any, Any]
Margins = tuple[int, int, int, int]
_SQUARES = 4  # along a side of the tiles it prefers
_SHARED = 4  # pixels around a core's edge where two squares answer, as they may not agree on the middle of a box


class WindowDetector:
    """Finds particles in windows, and says which pixels belong to each.

    The network always sees squares of one size, `window`. A larger window is looked at in squares that overlap by two
    halos; each answers for the particles whose box has its middle in the square's core, so a particle up to two halos
    long is seen whole by the square that answers for it. Where the window ends at the border of the image (a margin
    smaller than the halo), the image is mirrored there, and what is found beyond the border is cut off, as
    Babkauskas 2023 did it.

    Parameters
    ----------
    network : Detector
    scaling : Scaling
        Brings pixels to 0..1.
    window : int
        Side of a square in pixels of the image.
    halo : int
        Pixels around the core of a square; less than half of `window`.
    device : torch.device

    Attributes
    ----------
    exact : bool
        True: what is found in a window depends on nothing but its pixels, and nothing is blended. Other windows may
        find other particles at their borders, so that the tiling is seen there.
    """

    exact = True
    stride = 1
    workers = 1

    def __init__(
        self, network: Detector, scaling: Scaling, window: int, halo: int, device: torch.device | None = None
    ) -> None:
        self.network, self.scaling, self.window, self.halo = network.eval(), scaling, window, halo
        self.device = device or torch.device("cpu")
        self.network.to(self.device)
        self.step = window - 2 * halo
        self.preferred_tile = _SQUARES * self.step

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the score of the particle at each pixel of a window less its margins, float32 ``(Y, X)``.

        That is the probability of particle: 0 on background, and above a threshold exactly where the particles of at
        least that score lie.
        """
        top, bottom, left, right = margins
        _, scores = self.instances(window, margins)
        return scores[top : scores.shape[0] - bottom, left : scores.shape[1] - right]

    def instances(self, window: Any, margins: Margins = (0, 0, 0, 0), least_score: float = 0.0) -> tuple[Array, Array]:
        """Return the particles of a window, its margins included; see :func:`napari_mpseg.detection.found.labelled`.

        Parameters
        ----------
        window : ndarray
            ``(Y, X)`` or ``(Y, X, C)`` pixels. Those that are no numbers belong to no particle.
        margins : tuple of int
            Pixels at the top, bottom, left and right that belong to other tiles.
        least_score : float
            Particles of a lower score are left out.

        Returns
        -------
        labels : ndarray of int32
        scores : ndarray of float32
            ``(Y, X)`` both.
        """
        pixels = np.asarray(window)
        labels, scores = labelled(self.found(pixels, margins), pixels.shape[:2], least_score)
        if self.scaling.not_finite:
            gaps = ~np.isfinite(pixels)
            gaps = gaps.any(2) if gaps.ndim == 3 else gaps
            labels[gaps], scores[gaps] = 0, 0
        return labels, scores

    def found(self, window: Array, margins: Margins = (0, 0, 0, 0)) -> Found:
        """Return what is found in a window, in its pixels, before particles compete for pixels."""
        pixels = self.scaling.apply(window)
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        top, bottom, left, right = (max(0, self.halo - margin) for margin in margins)
        inner = [pixels.shape[0] + top + bottom, pixels.shape[1] + left + right]
        missing = [self._count(length) * self.step + 2 * self.halo - length for length in inner]
        pixels = np.pad(pixels, [(top, bottom + missing[0]), (left, right + missing[1]), (0, 0)], mode="symmetric")
        parts = [self._answers(pixels, y, x) for y, x in self._squares(pixels.shape)]
        return together(parts).moved(-top, -left)

    def _count(self, length: int) -> int:
        return max(1, -(-(length - 2 * self.halo) // self.step))

    def _squares(self, shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        for y in range(0, shape[0] - 2 * self.halo, self.step):
            for x in range(0, shape[1] - 2 * self.halo, self.step):
                yield y, x

    def _answers(self, pixels: Array, y: int, x: int) -> Found:
        """Return what one square answers for, in pixels of the padded window."""
        square = pixels[y : y + self.window, x : x + self.window]
        found = detect(self.network, square, self.device)
        keep = np.ones(len(found), bool)
        # the first and last squares answer up to the end: there is none beyond them
        for axis, start, length in ((1, y, pixels.shape[0]), (0, x, pixels.shape[1])):
            middle = (found.boxes[:, axis] + found.boxes[:, axis + 2]) / 2
            if start:
                keep &= middle >= self.halo - _SHARED
            if start + self.window < length:
                keep &= middle < self.halo + self.step + _SHARED
        return found.chosen(keep).moved(y, x)


def detect(network: Detector, pixels: Array, device: torch.device) -> Found:
    """Return what a network finds in one image.

    Parameters
    ----------
    network : Detector
        Not training.
    pixels : ndarray of float32
        ``(Y, X, C)``, 0 to 1.
    device : torch.device
        Where the network is.
    """
    image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)).to(device)
    with torch.inference_mode():
        (answer,) = network([image])
    return Found(
        answer["boxes"].cpu().numpy().astype(np.float32),
        answer["scores"].cpu().numpy().astype(np.float32),
        answer["masks"][:, 0].to(torch.float16).cpu().numpy(),
    )
