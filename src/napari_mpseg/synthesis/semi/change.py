"""Cutouts turned by any angle, scaled and mirrored; pixels and mask alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.semi.alpha import hard_alpha, is_hard, settled
from napari_mpseg.synthesis.semi.cutouts import MARGIN, Cutout
from napari_mpseg.synthesis.semi.settings import SemiSettings

_THINNEST = 0.2  # share of its strongest value that a pixel needs at least to join the pieces of a thin particle
_GROWTH = 1.2


def changed_at_random(cutout: Cutout, settings: SemiSettings, rng: np.random.Generator) -> Cutout:
    """Return the cutout turned, scaled and mirrored as the settings allow."""
    angle = float(rng.uniform(0, 360)) if settings.rotate else 0.0
    mirror = settings.flip and bool(rng.random() < 0.5)
    scale = float(np.exp(rng.uniform(*np.log(settings.scale))))
    return changed(cutout, angle=angle, scale=scale, mirror=mirror)


def changed(cutout: Cutout, *, angle: float = 0.0, scale: float = 1.0, mirror: bool = False) -> Cutout:
    """Mirror, then scale and turn a cutout.

    Colours are interpolated by cubic splines and stay within the range they had. The particle keeps its area times
    ``scale**2``: its truth are as many pixels, those that are covered most; one piece stays one piece as far as a
    thin particle allows. Quarter turns at the old size move pixels and change none.

    Parameters
    ----------
    cutout : Cutout
    angle : float
        Degrees, counter-clockwise as the image is seen.
    scale : float
        Factor of both sides.
    mirror : bool
        Whether left and right are exchanged.

    Returns
    -------
    Cutout
        Pixels are float32 where they were interpolated; the margin is as before.

    Raises
    ------
    SettingsError
        If the scale is not positive.
    """
    if not 0 < scale < np.inf:
        raise SettingsError(f"Scale {scale!r} is impossible: give a positive factor.")
    pixels, alpha = cutout.pixels, cutout.alpha
    if mirror:
        pixels, alpha = pixels[:, ::-1], alpha[:, ::-1]
    quarters, rest = divmod(angle % 360, 90)
    if scale == 1 and rest == 0:
        pixels, alpha = (np.ascontiguousarray(np.rot90(part, int(quarters))) for part in (pixels, alpha))
        return Cutout(pixels, alpha, cutout.source)
    return _resampled(Cutout(pixels, alpha, cutout.source), np.deg2rad(angle), scale)


def _resampled(cutout: Cutout, angle: float, scale: float) -> Cutout:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = np.array(cutout.alpha.shape)
    room = np.ceil(np.abs(turn) @ shape * scale).astype(int) + 2 * MARGIN + 2  # a margin that shrank is filled up
    inverse = turn.T / scale  # rows point down, so this turns counter-clockwise on the screen
    offset = (shape - 1) / 2 - inverse @ ((room - 1) / 2)

    def moved(values: NDArray[Any], order: int, mode: str) -> NDArray[np.float32]:
        from scipy import ndimage

        source = np.asarray(values, np.float32)
        if scale < 1:  # or fine structure would be lost between the new pixels
            source = ndimage.gaussian_filter(source, (1 / scale - 1) / 2, mode=mode)
        result = ndimage.affine_transform(source, inverse, offset, tuple(room), np.float32, order, mode)
        return np.asarray(np.clip(result, values.min(), values.max()), np.float32)

    pixels = np.stack([moved(cutout.pixels[..., c], 3, "nearest") for c in range(cutout.channels)], -1)
    covered = moved(cutout.mask, 1, "constant")
    mask = _of_area(covered, max(1, round(cutout.area * scale**2)), one_piece=_pieces(cutout.mask) == 1)
    alpha = hard_alpha(mask) if is_hard(cutout.alpha) else settled(moved(cutout.alpha, 1, "constant"), mask)
    part = _with_margin(mask)
    return Cutout(pixels[part], alpha[part], cutout.source)


def _of_area(covered: NDArray[np.float32], area: int, one_piece: bool) -> NDArray[np.bool_]:
    """Return the `area` pixels that are covered most, or more of them where that keeps a thin particle together."""
    flat = covered.ravel()
    order = np.argsort(-flat, kind="stable")
    most = max(int(np.count_nonzero(flat >= _THINNEST * flat[order[0]])), 1)
    count = min(area, int(np.count_nonzero(flat)) or 1)
    while True:
        mask = np.zeros(flat.shape, bool)
        mask[order[:count]] = True
        shaped = mask.reshape(covered.shape)
        if not one_piece or count >= most or _pieces(shaped) == 1:
            return shaped
        count = min(int(np.ceil(count * _GROWTH)), most)


def _pieces(mask: NDArray[np.bool_]) -> int:
    from scipy import ndimage

    return int(ndimage.label(mask, np.ones((3, 3)))[1])


def _with_margin(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    (top, bottom), (left, right) = ((int(found[0]), int(found[-1])) for found in (rows, columns))
    return (
        slice(max(top - MARGIN, 0), min(bottom + MARGIN + 1, mask.shape[0])),
        slice(max(left - MARGIN, 0), min(right + MARGIN + 1, mask.shape[1])),
    )
