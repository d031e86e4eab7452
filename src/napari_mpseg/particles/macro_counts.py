"""The counts that ImageJ's MP-VAT macro itself would report, with its watershed before one class only."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.blocks import Block, blocks_of, label_array, read_labels
from napari_mpseg.particles.instances.components import each_piece, label_pieces
from napari_mpseg.particles.instances.edm import TOLERANCE
from napari_mpseg.particles.instances.imagej_watershed import cut_piece, highest_distance
from napari_mpseg.particles.labelling import label_mask
from napari_mpseg.particles.measure import measure
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

MACRO_CLASSES = {"fiber": (0.0, 0.3), "fragment": (0.3, 0.6), "particle": (0.6, 1.0)}
"""The macro's three runs and their circularities, both ends included: exactly 0.3 or 0.6 counts in two of them."""

SPLIT = "particle"
"""Before this run, and no other, the macro cuts touching particles apart."""

_MEASURED = ("area", "bounding_box", "circularity")
_PAIRS = ("", "_without_watershed", "_with_watershed")
_COLUMNS = ("class", *(f"{name}{which}" for which in _PAIRS for name in ("count", "area_px")))


def macro_counts(
    labels_or_mask: Any,
    *,
    min_size: int = 3,
    max_size: int = 1_000_000,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> pd.DataFrame:
    """Count particles as the macro does in its three runs of *Analyze Particles*.

    Parameters
    ----------
    labels_or_mask : array
        ``(Y, X)``; numpy, dask or zarr, read block by block. Labels of 8-connected particles that do not touch; or a
        boolean mask, which is held in memory. The macro drops nothing before its watershed: particles of fewer than
        `min_size` pixels can be missing from labels without any difference.
    min_size, max_size : int
        Smallest and largest number of pixels, both included.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    pandas.DataFrame
        Rows ``fiber``, ``fragment``, ``particle`` and ``total``, and the columns ``class``; ``count`` and ``area_px``,
        as the macro reports them; ``count_without_watershed``, ``area_px_without_watershed``,
        ``count_with_watershed``, ``area_px_with_watershed``: what it would report without and with its watershed before
        each run.

    Raises
    ------
    SettingsError
        If the sizes make no sense.
    ImageError
        If the array is no labels and no mask.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    The watershed comes only before the run that counts particles, and works on the whole mask. A fragment of
    circularity 0.3 to 0.6 that it cuts into round pieces is counted as one fragment, and again as its pieces.

    Memory grows with the largest particle and with the size of the blocks of the array.

    References
    ----------
    Prata, Reis, Matos, da Costa, Duarte and Rocha-Santos 2019, doi:10.1016/j.scitotenv.2019.07.060.

    Examples
    --------
    >>> mask = np.zeros((20, 20), bool)
    >>> mask[5:9, 5:9] = True
    >>> macro_counts(mask)["count"].tolist()
    [0, 0, 1, 1]
    """
    if not 0 <= min_size <= max_size:
        raise SettingsError(f"Sizes from {min_size} to {max_size} px hold nothing. Give the smaller one first.")
    cancel = cancel or CancelToken()
    array = labels_or_mask if hasattr(labels_or_mask, "dtype") else np.asarray(labels_or_mask)
    labels = label_mask(array) if array.dtype == bool else label_array(array)
    whole = measure(labels, properties=_MEASURED, on_progress=on_progress, cancel=cancel).frame
    highest, cut = 0.0, [whole.iloc[:0]]
    for pieces in _windows(labels, whole, "Looking for touching particles", on_progress, cancel):
        highest = max(highest, highest_distance(pieces, cancel=cancel))
    for pieces in _windows(labels, whole, "Cutting touching particles", on_progress, cancel):
        cut.append(measure(_cut(pieces, highest, cancel), properties=_MEASURED, cancel=cancel).frame)
    return _counted(whole, pd.concat(cut), min_size, max_size)


def _windows(
    labels: Any, table: pd.DataFrame, stage: str, on_progress: ProgressCallback, cancel: CancelToken
) -> Iterator[NDArray[np.int32]]:
    """Give all particles, each once and whole, in windows of int32 numbers without gaps, one per block of the array.

    A particle touches the border of its window only where it touches the border of the image.
    """
    y0, x0, y1, x1 = (table[f"bbox_{name}"].to_numpy(np.int64) for name in ("y0", "x0", "y1", "x1"))
    numbers = table["label"].to_numpy(np.int64)
    blocks = blocks_of(labels)
    for done, block in enumerate(blocks, 1):
        cancel.check()
        start_here = (y0 >= block.y) & (y0 < block.y + block.height) & (x0 >= block.x) & (x0 < block.x + block.width)
        if start_here.any():
            top, left = max(block.y - 1, 0), max(block.x - 1, 0)
            bottom = min(int(y1[start_here].max()) + 1, labels.shape[0])
            right = min(int(x1[start_here].max()) + 1, labels.shape[1])
            found = read_labels(labels, Block(top, left, bottom - top, right - left))
            wanted = np.sort(numbers[start_here])
            pieces = np.zeros(found.shape, np.int32)
            filled = found > 0
            place = np.minimum(np.searchsorted(wanted, found[filled]), wanted.size - 1)
            pieces[filled] = np.where(wanted[place] == found[filled], place + 1, 0)
            yield pieces
        on_progress(Progress(stage, done, len(blocks), "blocks"))


def _cut(pieces: NDArray[np.int32], highest: float, cancel: CancelToken) -> NDArray[np.int32]:
    """Return the parts of all particles of a window as labels."""
    cut = np.zeros(pieces.shape, np.int32)
    count = 0
    for piece in each_piece(pieces, cancel=cancel):
        parts = label_pieces(cut_piece(piece.mask, TOLERANCE, highest))
        cut[piece.window] += np.where(parts > 0, parts + count, 0)  # windows overlap, particles do not
        count += int(parts.max())
    return cut


def _counted(whole: pd.DataFrame, cut: pd.DataFrame, min_size: int, max_size: int) -> pd.DataFrame:
    rows = []
    for name, (low, high) in MACRO_CLASSES.items():
        without, with_watershed = (_within(table, low, high, min_size, max_size) for table in (whole, cut))
        reported = with_watershed if name == SPLIT else without
        rows.append((name, *reported, *without, *with_watershed))
    rows.append(("total", *(sum(column) for column in list(zip(*rows, strict=True))[1:])))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _within(table: pd.DataFrame, low: float, high: float, min_size: int, max_size: int) -> tuple[int, int]:
    """Return number and pixels of the particles within these limits, all included."""
    area = table["area_px"].to_numpy()
    fits = table["circularity"].between(low, high).to_numpy() & (area >= min_size) & (area <= max_size)
    return int(fits.sum()), int(area[fits].sum())
