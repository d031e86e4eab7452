"""Seeds, given or found, and the parts that grow from them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.particles.instances.components import Piece, label_pieces
from napari_mpseg.particles.instances.way import Scene


def seed_labels(seeds: Any, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Return seeds as labels of an image of `shape`.

    Parameters
    ----------
    seeds : array
        Labels ``(Y, X)`` of that shape: each number starts one part. Or points ``(N, 2)``, row and column: each starts
        one part, at the nearest pixel. What could be both, ``(N, 2)`` on an image of N x 2 pixels, is points if it is
        a list or holds real numbers, and labels if it is an array of whole numbers. An empty list is no seeds.
    shape : tuple of int
        Of the image.

    Raises
    ------
    ImageError
        If they are neither, hold no numbers, or points lie outside the image.
    """
    array = np.asarray(seeds)
    if array.shape == (0,):
        array = array.reshape(0, 2)
    if array.dtype.kind not in "biuf":
        raise ImageError(f"Seeds must be numbers, not {array.dtype}. Give labels, or points (N, 2) as row and column.")
    wrong = array.size - int(np.isfinite(array).sum())
    if wrong:
        raise ImageError(f"{wrong} values of the seeds are no numbers (NaN or infinite). Leave these seeds out.")
    points = array.shape[1:] == (2,) and (not hasattr(seeds, "dtype") or array.dtype.kind == "f")
    if array.shape == tuple(shape) and not points:
        return _dense(array)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ImageError(
            f"Seeds of shape {array.shape} fit no image of {shape[0]} x {shape[1]} px. Give labels of that size, or "
            "points (N, 2) as row and column."
        )
    places = np.floor(array.astype(float) + 0.5).astype(np.int64)
    inside = (places >= 0).all(1) & (places < shape).all(1)
    if not inside.all():
        wrong = array[~inside][0]
        raise ImageError(
            f"{int((~inside).sum())} of the seeds lie outside the image of {shape[0]} x {shape[1]} px, such as the one "
            f"at row {wrong[0]:g}, column {wrong[1]:g}. Are they in pixels?"
        )
    labels = np.zeros(shape, np.int32)
    labels[places[:, 0], places[:, 1]] = np.arange(1, len(places) + 1)
    return labels


def _dense(labels: NDArray[Any]) -> NDArray[np.int32]:
    if labels.dtype != bool and np.can_cast(labels.dtype, np.int32):
        return labels.astype(np.int32, copy=False)
    if labels.dtype == bool:
        return label_pieces(labels)
    numbers, dense = np.unique(labels, return_inverse=True)
    first = 0 if 0 in numbers else 1
    return (dense.reshape(labels.shape) + first).astype(np.int32)


def seeds_in(piece: Piece, scene: Scene) -> NDArray[np.int32] | None:
    """Return the seeds inside a piece, in its window; None where there are fewer than two, so nothing to split."""
    assert scene.seeds is not None
    markers = np.where(piece.mask, scene.seeds[piece.window], 0)
    found = markers[markers != 0]
    return markers if len(found) and (found != found[0]).any() else None


def grown(
    heights: NDArray[np.float32],
    markers: NDArray[np.int32],
    mask: NDArray[np.bool_],
    connectivity: int,
    line: bool,
) -> NDArray[np.int32]:
    """Let markers grow downhill until they meet, and number what comes out: connected parts 1 ... N.

    Parameters
    ----------
    heights, markers, mask : numpy.ndarray
        ``(Y, X)``.
    connectivity : {1, 2}
        1: pixels touch with their sides. 2: corners too.
    line : bool
        Leave a line between parts.
    """
    from skimage.segmentation import watershed

    if markers.max(initial=0) == markers[markers != 0].min(initial=np.iinfo(np.int32).max):
        return mask.astype(np.int32)  # one marker
    parts = watershed(-heights, markers, mask=mask, connectivity=connectivity, watershed_line=line)
    # Seeds of one number in two places can give a part in two pieces.
    return label_pieces(parts, connectivity)
