"""Arrays in the form in which a viewer shows them whole and quickly: in memory, or as levels of a pyramid."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

LARGEST_EDITABLE = 2**30
"""Bytes up to which labels are given as one numpy array, which can be painted on."""

LARGEST_TEXTURE = 16384
"""Pixels of a side up to which every graphics card of the last decade shows a plane in one piece."""

READ_AT_ONCE = 2**26
"""Bytes up to which an array with levels on disk is read whole although nobody can paint on it."""

_PYRAMID_STEP = 4


def displayed(array: Any, *, editable: bool) -> tuple[Any, bool]:
    """Return an array in the form in which napari shows it whole and quickly, and whether that is multiscale.

    Parameters
    ----------
    array : zarr or numpy array
        ``(Y, X)`` or ``(Z, Y, X)``.
    editable : bool
        Prefer one array that can be painted on, up to 1 GiB and the texture limit.

    Returns
    -------
    tuple
        A numpy array and False; or a list of levels, largest first, and True. Levels that lie beside the array on disk
        are given as they are, so that nothing is read but what is looked at; where there are none, they are made of
        every 4th, 16th ... pixel. Single-scale labels above the texture limit would be shown with pixels left out,
        and dask arrays must never be painted on, so larger ones are multiscale.
    """
    size = int(np.prod(array.shape)) * np.dtype(array.dtype).itemsize
    whole = size < LARGEST_EDITABLE if not editable else not is_shown_in_levels(array)
    if whole and (editable or size <= READ_AT_ONCE):
        return np.asarray(array[...]), False
    levels = stored_levels(array)
    if whole and len(levels) < 2:
        return np.asarray(array[...]), False
    return _pyramid(levels), True


def is_shown_in_levels(labels: Any) -> bool:
    """Return whether labels are too large to be shown as one array that can be painted on."""
    size = int(np.prod(labels.shape)) * np.dtype(labels.dtype).itemsize
    return size >= LARGEST_EDITABLE or int(max(labels.shape[-2:])) > LARGEST_TEXTURE


def stored_levels(array: Any) -> list[Any]:
    """Return an array and its reductions as OME-Zarr names them on disk, largest first; no pixel is read.

    Parameters
    ----------
    array : array
        A zarr array that is the full resolution of an OME-Zarr image, 0.4 or 0.5; anything else stands alone.
    """
    group = _group_of(array)
    if group is None:
        return [array]
    attributes = dict(group.attrs)
    ome = attributes.get("ome")
    multiscales: Any = (ome if isinstance(ome, Mapping) else attributes).get("multiscales")
    levels = [array]
    try:
        paths = [str(dataset["path"]) for dataset in multiscales[0]["datasets"]]
        if paths[0] != array.basename:
            return levels
        for path in paths[1:]:
            level = group[path]
            if level.ndim != array.ndim or not _is_smaller(level.shape, levels[-1].shape):
                break
            levels.append(level)
    except (KeyError, IndexError, TypeError, AttributeError):  # no such metadata, or a level that is not written yet
        pass
    return levels


def refresh_displayed(levels: Sequence[Any], box: tuple[int, int, int, int]) -> None:
    """Make the levels in memory that :func:`displayed` made fit again, after pixels of the first level changed.

    Parameters
    ----------
    levels : sequence of array
        ``(Y, X)``, largest first; those on disk are whoever's who changed them.
    box : tuple of int
        Where: first row, first column, row after the last, column after the last.
    """
    y0, x0, y1, x1 = box
    for above, level in pairwise(levels):
        steps = [-(-above.shape[axis] // level.shape[axis]) for axis in (0, 1)]
        y0, x0, y1, x1 = y0 // steps[0], x0 // steps[1], -(-y1 // steps[0]), -(-x1 // steps[1])
        if isinstance(level, np.ndarray):
            seen = np.asarray(above[y0 * steps[0] : y1 * steps[0], x0 * steps[1] : x1 * steps[1]])
            level[y0:y1, x0:x1] = seen[:: steps[0], :: steps[1]]


def _group_of(array: Any) -> Any:
    """Return the zarr group that an array lies in, or None."""
    if type(array).__module__.partition(".")[0] != "zarr" or not getattr(array, "path", ""):
        return None
    import zarr

    try:
        return zarr.open_group(array.store, path=array.path.rpartition("/")[0], mode="r")
    except (OSError, KeyError, ValueError):
        return None


def _is_smaller(shape: Sequence[int], before: Sequence[int]) -> bool:
    pairs = list(zip(shape, before, strict=True))
    return all(0 < new <= old for new, old in pairs) and any(new < old for new, old in pairs)


def _pyramid(stored: Sequence[Any]) -> list[Any]:
    """Return levels, with every 4th, 16th ... pixel of the last while that is large.

    It is read once in bands, so that memory stays bounded. There are two levels or more, as napari wants it.
    """
    levels = list(stored)
    while len(levels) < 2 or max(levels[-1].shape[-2:]) > LARGEST_TEXTURE // 8:
        levels.append(_every(levels[-1], _PYRAMID_STEP))
    return levels


def _every(array: Any, step: int, rows: int = 4096) -> np.ndarray:
    """Return every `step`-th pixel of the last two axes; `rows` is a multiple of `step`."""
    height = array.shape[-2]
    # copied, or each view would keep its whole band
    bands = [
        np.array(np.asarray(array[..., top : top + rows, :])[..., ::step, ::step]) for top in range(0, height, rows)
    ]
    return np.ascontiguousarray(np.concatenate(bands, axis=-2))
