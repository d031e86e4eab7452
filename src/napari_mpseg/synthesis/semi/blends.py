"""How a particle is laid onto the ground."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.registry import Registry
from napari_mpseg.synthesis.semi.alpha import extended, is_hard, soft_alpha
from napari_mpseg.synthesis.semi.cutouts import MARGIN
from napari_mpseg.synthesis.semi.poisson import seamless
from napari_mpseg.synthesis.semi.settings import SemiSettings


@dataclass(frozen=True, eq=False)
class Piece:
    """A particle as it is to be pasted, or the part of it that lies in the image.

    Attributes
    ----------
    pixels : ndarray of float32
        ``(Y, X, C)`` in grey levels, with a margin of the particle's old surroundings.
    alpha : ndarray of float32
        ``(Y, X)``, 0 to 1.
    mask : ndarray of bool
        ``(Y, X)``: the truth.
    taken : ndarray of bool, optional
        ``(Y, X)``: where other particles are seen in the image.
    """

    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32]
    mask: NDArray[np.bool_]
    taken: NDArray[np.bool_] | None = None

    def part(self, where: tuple[slice, slice]) -> "Piece":
        """Return what lies in a part of it."""
        taken = None if self.taken is None else self.taken[where]
        return Piece(self.pixels[where], self.alpha[where], self.mask[where], taken)


Blend = Callable[[NDArray[np.float32], Piece, SemiSettings], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Takes the ground ``(Y, X, C)`` where the piece comes to lie, the piece and the settings.

Gives the pasted ground, and how much of each pixel is particle, ``(Y, X)`` from 0 to 1.
"""

BLENDS: Registry[Blend] = Registry("blend")

_AROUND = MARGIN - 2  # px; the border of the region must lie within the piece


@BLENDS.register("weighted")
def weighted(
    ground: NDArray[np.float32], piece: Piece, settings: SemiSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted mean of particle and ground, by default 0.65 to 0.35 (Lee et al. 2022)."""
    return _mixed(ground, _colours(piece), settings.weight * piece.alpha), piece.alpha


@BLENDS.register("feathered")
def feathered(
    ground: NDArray[np.float32], piece: Piece, settings: SemiSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the particle with an edge that fades like a Gaussian, and its own colours in what fades."""
    alpha = soft_alpha(piece.mask, settings.feather)
    return _mixed(ground, extended(piece.pixels, piece.mask), alpha), alpha


@BLENDS.register("poisson")
def poisson(
    ground: NDArray[np.float32], piece: Piece, settings: SemiSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the particle's differences between neighbouring pixels, joined to the ground without a seam.

    The region is the particle and the 6 px around it that no other particle takes, so that its edge and its glow are
    as they were photographed.
    """
    from scipy import ndimage

    region = ndimage.binary_dilation(piece.mask, iterations=_AROUND)
    if piece.taken is not None:
        region &= ~piece.taken | piece.mask
    return seamless(ground, piece.pixels, region), piece.mask.astype(np.float32)


@BLENDS.register("replace")
def replace(
    ground: NDArray[np.float32], piece: Piece, settings: SemiSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the particle in place of the ground."""
    return _mixed(ground, _colours(piece), piece.alpha), piece.alpha


def _colours(piece: Piece) -> NDArray[np.float32]:
    """Return the particle's pixels; with a soft edge its own colours are carried outwards, not its old surroundings."""
    return piece.pixels if is_hard(piece.alpha) else extended(piece.pixels, piece.mask)


def _mixed(ground: NDArray[np.float32], pixels: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(ground + share[..., None] * (pixels - ground), np.float32)
