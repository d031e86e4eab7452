"""The connected pieces of a mask one by one, each in a window of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

_BATCH = 2**18  # pixels handled between two looks at the cancel token
_OVERHEAD = 2**10  # pixels that could be handled in the time which a piece of any size takes


@dataclass(frozen=True)
class Piece:
    """A connected piece of a mask and the window around it.

    Attributes
    ----------
    number : int
        Of the piece, from 1.
    window : tuple of slice
        Where in the image the window lies: the bounding box and `margin` pixels to each side, cut at the border of the
        image. A side of the piece that touches its window therefore touches the image's border.
    mask : numpy.ndarray
        bool ``(Y, X)``, the piece in its window. Other pieces that reach into the window are not in it.
    """

    number: int
    window: tuple[slice, slice]
    mask: NDArray[np.bool_]

    @property
    def origin(self) -> tuple[int, int]:
        """First row and column of the window."""
        return int(self.window[0].start), int(self.window[1].start)


def label_pieces(regions: NDArray[Any], connectivity: int = 2) -> NDArray[np.int32]:
    """Give the connected pieces of equal, non-zero value a number each, in raster order.

    Parameters
    ----------
    regions : numpy.ndarray
        ``(Y, X)``, a mask or labels.
    connectivity : {1, 2}
        1: pixels touch with their sides. 2: corners too.

    Returns
    -------
    numpy.ndarray
        int32 ``(Y, X)``.
    """
    from skimage.measure import label

    if not regions.size:
        return np.zeros(regions.shape, np.int32)
    return np.asarray(label(regions, background=0, connectivity=connectivity)).astype(np.int32, copy=False)


def each_piece(
    pieces: NDArray[np.int32],
    *,
    margin: int = 1,
    stage: str = "Separating",
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Iterator[Piece]:
    """Give the pieces of :func:`label_pieces`, one after the other.

    Parameters
    ----------
    pieces : numpy.ndarray
        int32 ``(Y, X)``, dense labels.
    margin : int
        Pixels of the window around a piece.
    stage : str
        What is being done, for the progress.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`; used whenever some hundred small pieces, or one large window, are done.
    """
    from scipy.ndimage import find_objects

    boxes = find_objects(pieces) if pieces.size else []
    height, width = pieces.shape
    handled = _BATCH
    for number, box in enumerate(boxes, 1):
        if handled >= _BATCH:
            handled = 0
            on_progress(Progress(stage, number - 1, len(boxes), "particles"))
            if cancel is not None:
                cancel.check()
        if box is None:
            continue
        y, x = box
        window = (
            slice(max(y.start - margin, 0), min(y.stop + margin, height)),
            slice(max(x.start - margin, 0), min(x.stop + margin, width)),
        )
        inside = pieces[window] == number
        handled += inside.size + _OVERHEAD
        yield Piece(number, window, inside)
    if cancel is not None:
        cancel.check()
    on_progress(Progress(stage, len(boxes), len(boxes), "particles"))


def mask_array(mask: Any) -> NDArray[np.bool_]:
    """Return a mask in memory as bool ``(Y, X)``; what is not 0 is particle.

    Raises
    ------
    ImageError
        If it does not have two axes.
    """
    array = np.asarray(mask)
    if array.ndim != 2:
        raise ImageError(
            f"A mask must have two axes (Y, X); this has {array.ndim}, shape {array.shape}. Give one plane at a time."
        )
    return array if array.dtype == bool else array != 0
