"""The image while it is composed: its pixels, and which particle each of them shows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.semi.blends import BLENDS, Piece
from napari_mpseg.synthesis.semi.grounds import Ground
from napari_mpseg.synthesis.semi.settings import SemiSettings

_RING = 4  # px around a particle that are its surroundings

Part = tuple[slice, slice]


@dataclass(frozen=True)
class Place:
    """Where a piece comes to lie: which part of the image, and which part of the piece falls into it."""

    there: Part
    part: Part


def place_at(y: int, x: int, shape: tuple[int, int], size: tuple[int, int]) -> Place:
    """Return the place of a piece of `shape` whose first pixel is at ``(y, x)`` in an image of `size`."""
    there, part = [], []
    for start, length, whole in zip((y, x), shape, size, strict=True):
        first, end = max(start, 0), min(start + length, whole)
        there.append(slice(first, max(end, first)))
        part.append(slice(first - start, max(end, first) - start))
    return Place((there[0], there[1]), (part[0], part[1]))


class Canvas:
    """Takes one particle or clutter after the other.

    Parameters
    ----------
    ground : Ground
        What is there at first; its particles count as earlier ones.
    settings : SemiSettings

    Attributes
    ----------
    pixels : ndarray of float32
        ``(Y, X, C)`` in grey levels, not clipped.
    labels : ndarray of int32
        ``(Y, X)``: the particle that is seen in each pixel, numbered in the order in which they came.
    whole : list of int
        By number, how many pixels each particle had before others covered it; the first is for 0, the background.
    """

    def __init__(self, ground: Ground, settings: SemiSettings) -> None:
        self.settings = settings
        self.pixels = ground.pixels.copy()
        self.labels = ground.labels.copy()
        self.known = None if ground.known is None else ground.known.copy()
        self.whole = np.bincount(ground.labels.ravel()).tolist()

    def accepts(self, place: Place, mask: NDArray[np.bool_]) -> bool:
        """Return whether something with this mask may lie there, as far as earlier particles are covered by it."""
        if not self.settings.occlusion:
            return not self._near(place, mask)
        seen = self.labels[place.there]
        covered = np.bincount(seen[mask[place.part]], minlength=1)
        for number in np.flatnonzero(covered[1:]) + 1:
            visible = np.count_nonzero(self.labels == number) - covered[number]
            if 1 - visible / self.whole[number] > self.settings.occlusion + 1e-9:
                return False
        return True

    def _near(self, place: Place, mask: NDArray[np.bool_]) -> bool:
        """Return whether an earlier particle lies under the mask, or closer than particles are kept apart."""
        apart = self.settings.apart
        (top, bottom), (left, right) = ((side.start, side.stop) for side in place.there)
        around = (slice(max(top - apart, 0), bottom + apart), slice(max(left - apart, 0), right + apart))
        seen = self.labels[around] > 0
        if not seen.any():
            return False
        own = np.zeros(seen.shape, bool)
        inner = mask[place.part]
        y, x = top - around[0].start, left - around[1].start
        own[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
        if apart:
            from scipy import ndimage

            own = ndimage.binary_dilation(own, np.ones((3, 3)), apart)
        return bool((own & seen).any())

    def paste(self, place: Place, piece: Piece) -> int:
        """Blend a particle in, and return its number."""
        piece = replace(piece.part(place.part), taken=self.labels[place.there] > 0)
        ground = self.pixels[place.there].copy()
        pasted, share = BLENDS[self.settings.blend](ground, piece, self.settings)
        if self.settings.camouflage:
            pasted = pasted + self._camouflage(place, piece.mask, pasted, share)
        self.pixels[place.there] = pasted
        self.whole.append(int(np.count_nonzero(piece.mask)))
        number = len(self.whole) - 1
        self._mark(place, piece.mask, number)
        return number

    def cover(self, place: Place, piece: Piece) -> None:
        """Lay clutter over what is there: it hides particles, and is none."""
        piece = piece.part(place.part)
        here = self.pixels[place.there]
        here += piece.alpha[..., None] * (piece.pixels - here)
        self._mark(place, piece.mask, 0)

    def _mark(self, place: Place, mask: NDArray[np.bool_], number: int) -> None:
        self.labels[place.there][mask] = number
        if self.known is not None and number:
            self.known[place.there][mask] = True

    def _camouflage(
        self, place: Place, mask: NDArray[np.bool_], pasted: NDArray[np.float32], share: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return what to add, so that the mean over the mask comes nearer to that of its surroundings."""
        strength = float(share[mask].mean())
        if not strength:
            return np.zeros_like(pasted)
        step = self.settings.camouflage * (self.surroundings(place, mask) - pasted[mask].mean(0)) / strength
        return np.asarray(share[..., None] * step, np.float32)

    def surroundings(self, place: Place, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the mean colour ``(C,)`` of the ring around a mask, without other particles where that leaves any."""
        from scipy import ndimage

        (top, bottom), (left, right) = ((side.start, side.stop) for side in place.there)
        around = (slice(max(top - _RING, 0), bottom + _RING), slice(max(left - _RING, 0), right + _RING))
        pixels, seen = self.pixels[around], self.labels[around] > 0
        own = np.zeros(seen.shape, bool)
        y, x = top - around[0].start, left - around[1].start
        own[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
        ring = ndimage.binary_dilation(own, np.ones((3, 3)), _RING) & ~own
        free = ring & ~seen
        chosen = free if free.any() else ring if ring.any() else own
        return np.asarray(pixels[chosen].mean(0, dtype=np.float64), np.float32)
