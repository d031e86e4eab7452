"""ImageJ's binary watershed, pixel by pixel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.instances.components import Piece, each_piece, label_pieces, mask_array
from napari_mpseg.particles.instances.edm import TOLERANCE, corrected_heights, distances
from napari_mpseg.particles.instances.flooding import FULL, flood, lower_other_maxima, to_levels
from napari_mpseg.particles.instances.maxima import candidates, mark_maxima
from napari_mpseg.particles.instances.way import Scene
from napari_mpseg.particles.instances.ways import ImageJWatershed
from napari_mpseg.progress import CancelToken, ProgressCallback, silent


def imagej_watershed(
    mask: Any,
    *,
    tolerance: float = TOLERANCE,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> NDArray[np.bool_]:
    """Cut touching particles apart as ImageJ's *Process > Binary > Watershed* does.

    Parameters
    ----------
    mask : array
        ``(Y, X)``; what is not 0 is particle. The image's border is not background.
    tolerance : float
        How far in pixels a maximum of the distance map must stand out to be a part of its own; 0.5 in ImageJ. Larger
        values cut less.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    numpy.ndarray
        bool ``(Y, X)``: the mask without the pixels of the dividing lines. 8-connected pieces of it are the parts.

    Raises
    ------
    ImageError
        If the mask does not have two axes.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    Distances are rounded to levels whose steps depend a little on the greatest distance in the image. So a particle can
    be cut a pixel differently where a much thicker one is in the same image, as in ImageJ.

    Examples
    --------
    >>> bar = np.ones((5, 11), bool)
    >>> int(imagej_watershed(np.pad(bar, 1)).sum())  # nothing to cut
    55
    """
    array = mask_array(mask)
    pieces = label_pieces(array)
    highest = highest_distance(pieces, on_progress=on_progress, cancel=cancel)
    cut = np.zeros(array.shape, bool)
    for piece in each_piece(pieces, on_progress=on_progress, cancel=cancel):
        cut[piece.window] |= cut_piece(piece.mask, tolerance, highest)
    return cut


def highest_distance(
    pieces: NDArray[np.int32], *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
) -> float:
    """Return the greatest distance to background in an image of 8-connected pieces."""
    highest = 0.0
    for piece in each_piece(pieces, stage="Looking", on_progress=on_progress, cancel=cancel):
        height, width = piece.mask.shape
        inside = not (piece.mask[0].any() or piece.mask[-1].any() or piece.mask[:, 0].any() or piece.mask[:, -1].any())
        if inside and (min(height, width) - 1) / 2 <= highest:
            continue  # too thin for more: its box is two pixels smaller than its window
        highest = max(highest, float(distances(piece.mask).max()))
    return highest


def cut_piece(mask: NDArray[np.bool_], tolerance: float, highest: float) -> NDArray[np.bool_]:
    """Return one piece in its window without the dividing pixels; `highest` is the image's greatest distance."""
    far = distances(mask)
    heights = corrected_heights(far)
    marks = np.zeros(mask.shape, np.uint8)
    ordered = candidates(far, heights)
    mark_maxima(heights, ordered, np.float32(tolerance), marks)
    levels = to_levels(far, marks, highest)
    lower_other_maxima(levels, marks, ordered)
    flood(levels)
    return np.asarray(levels == FULL)


def measure_whole(
    scene: Scene, settings: Any, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
) -> float:
    """Return what all pieces of an image share: its greatest distance."""
    return highest_distance(scene.pieces, on_progress=on_progress, cancel=cancel)


def split(piece: Piece, scene: Scene, settings: ImageJWatershed, whole: float) -> NDArray[np.int32]:
    """Return the parts of one piece as labels in its window."""
    return label_pieces(cut_piece(piece.mask, settings.tolerance, whole), scene.connectivity)
