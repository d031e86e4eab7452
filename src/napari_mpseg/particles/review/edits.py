"""Edits of labels by hand: merge, split, delete, redraw. Each looks at one rectangle only and changes nothing itself.

An edit is returned as the pixels that change, so that a caller can apply it, take it back, and show what it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import MpsegError

Box = tuple[int, int, int, int]
"""First row, first column, row after the last, column after the last."""

_CORNERS = np.ones((3, 3), bool)


class EditError(MpsegError, ValueError):
    """An edit of labels cannot be done as asked."""


@dataclass(frozen=True)
class LabelEdit:
    """Pixels that change in one plane of labels.

    Attributes
    ----------
    action : str
        ``"merge"``, ``"split"``, ``"delete"``, ``"redraw"`` or ``"paint"``.
    y, x : numpy.ndarray
        int64 ``(N,)``; where.
    before, after : numpy.ndarray
        ``(N,)`` of the labels' dtype; all differ.
    affected : tuple of int
        All labels whose pixels change, old and new, ascending.
    created, gone : tuple of int
        Labels that were not there before, and those that are not there any more.
    """

    action: str
    y: NDArray[np.int64]
    x: NDArray[np.int64]
    before: NDArray[Any]
    after: NDArray[Any]
    affected: tuple[int, ...]
    created: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.y)

    @property
    def box(self) -> Box:
        """The rectangle of the changed pixels."""
        if not len(self):
            return 0, 0, 0, 0
        return int(self.y.min()), int(self.x.min()), int(self.y.max()) + 1, int(self.x.max()) + 1

    def apply(self, labels: Any) -> None:
        """Change `labels`, ``(Y, X)``, in place."""
        labels[self.y, self.x] = self.after

    def revert(self, labels: Any) -> None:
        """Change `labels` back."""
        labels[self.y, self.x] = self.before

    def turned(self) -> "LabelEdit":
        """Return the edit that takes this one back."""
        return LabelEdit(
            self.action, self.y, self.x, self.after, self.before, self.affected, created=self.gone, gone=self.created
        )


def box_of(labels: Any, label: int, within: Box | None = None) -> Box:
    """Return the rectangle around a label.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer.
    label : int
        Which.
    within : tuple of int, optional
        Where it is known to lie; without, the whole plane is read.

    Raises
    ------
    EditError
        If it is not there.
    """
    y0, x0, window = _window(labels, within)
    rows = np.flatnonzero((window == label).any(axis=1))
    if not len(rows):
        raise EditError(f"Label {label} is not in the image. Choose a particle that is there.")
    columns = np.flatnonzero((window[rows[0] : rows[-1] + 1] == label).any(axis=0))
    return y0 + int(rows[0]), x0 + int(columns[0]), y0 + int(rows[-1]) + 1, x0 + int(columns[-1]) + 1


def union(boxes: Sequence[Box]) -> Box:
    """Return the smallest rectangle around all `boxes`."""
    table = np.asarray(boxes)
    y0, x0 = table[:, :2].min(axis=0)
    y1, x1 = table[:, 2:].max(axis=0)
    return int(y0), int(x0), int(y1), int(x1)


def merge_labels(labels: Any, chosen: Sequence[int], within: Box | None = None) -> LabelEdit:
    """Make several labels one; it gets the smallest number. They need not touch.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background.
    chosen : sequence of int
        Two labels or more.
    within : tuple of int, optional
        A rectangle that holds all of them.

    Raises
    ------
    EditError
        If they are not two different labels that are there.
    """
    numbers = sorted({int(label) for label in chosen} - {0})
    if len(numbers) < 2:
        raise EditError("Merging needs two different particles. Choose another one.")
    y0, x0, window = _window(labels, within)
    missing = [label for label in numbers if not (window == label).any()]
    if missing:
        raise EditError(f"Label {missing[0]} is not in the image. Choose particles that are there.")
    changed = np.isin(window, numbers[1:])
    return _edit("merge", window, changed, numbers[0], (y0, x0), gone=tuple(numbers[1:]))


def split_label(labels: Any, label: int, line: Any, new_label: int, within: Box | None = None) -> LabelEdit:
    """Cut a label along a drawn line. The largest part keeps the number.

    The pixels under the line go to the nearest part, so that no area is lost. Pieces of the label that the line does
    not touch stay as they are.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background.
    label : int
        Which.
    line : array
        ``(N, 2)``; corners ``(y, x)`` of the line in pixels, the centre of the first pixel being 0.
    new_label : int
        A number that is not used, and from which on none is; the parts get this and the next ones, largest first.
    within : tuple of int, optional
        A rectangle that holds the label.

    Raises
    ------
    EditError
        If the label is not there, or the line does not part it.
    """
    from scipy import ndimage

    y0, x0, y1, x1 = box_of(labels, label, within)
    window = np.asarray(labels[y0:y1, x0:x1])
    mask = window == label
    path = line_pixels(line) - (y0, x0)
    inside = ((path >= 0) & (path < mask.shape)).all(axis=1)
    barrier = np.zeros(mask.shape, bool)
    barrier[tuple(path[inside].T)] = True
    pieces, _ = ndimage.label(mask, _CORNERS)
    cut = np.isin(pieces, np.unique(pieces[barrier & mask])) & mask
    parts, count = ndimage.label(cut & ~barrier, _CORNERS)
    if count > 1:
        # Each pixel under the line: the nearest part, in the same piece.
        nearest = _nearest(parts, pieces, cut)
        sizes = np.bincount(nearest[cut], minlength=count + 1)[1:]
    owners = _owners(parts, pieces, count)
    if count < 2 or len(np.unique(owners)) == count:
        raise EditError(
            f"The line does not part particle {label}. Draw it right across, from the background on one side to the "
            "background on the other."
        )
    numbers = _part_numbers(sizes, owners, label, new_label)
    highest = int(numbers.max())
    if highest > np.iinfo(window.dtype).max:
        raise EditError(f"Label {highest} does not fit into {window.dtype} labels. Save them as int32 first.")
    values = window.copy()
    values[cut] = np.concatenate([[label], numbers])[nearest[cut]]
    created = tuple(sorted(set(numbers.tolist()) - {label}))
    return _edit("split", window, values != window, values, (y0, x0), created=created)


def delete_label(labels: Any, label: int, within: Box | None = None) -> LabelEdit:
    """Make a label background.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer.
    label : int
        Which.
    within : tuple of int, optional
        A rectangle that holds it.

    Raises
    ------
    EditError
        If it is not there.
    """
    y0, x0, y1, x1 = box_of(labels, label, within)
    window = np.asarray(labels[y0:y1, x0:x1])
    return _edit("delete", window, window == label, 0, (y0, x0), gone=(label,))


def redraw_label(
    labels: Any,
    label: int,
    mask: NDArray[np.bool_],
    origin: tuple[int, int],
    within: Box | None = None,
    *,
    over_others: bool = False,
) -> LabelEdit:
    """Give a label the pixels of a mask, and only those. A label that is not there yet is drawn anew.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background.
    label : int
        Which.
    mask : numpy.ndarray
        bool; what lies outside the image is cut off.
    origin : tuple of int
        Row and column of the mask's first pixel.
    within : tuple of int, optional
        A rectangle that holds the label, as it is.
    over_others : bool
        Take pixels of other labels away from them; else those stay.

    Raises
    ------
    EditError
        If nothing would be left of the label.
    """
    try:
        old: Box | None = box_of(labels, label, within)
    except EditError:
        old = None
    y0, x0 = max(origin[0], 0), max(origin[1], 0)
    y1, x1 = (min(origin[axis] + mask.shape[axis], labels.shape[axis]) for axis in (0, 1))
    drawn = mask[y0 - origin[0] : max(y1 - origin[0], 0), x0 - origin[1] : max(x1 - origin[1], 0)]
    boxes = ([old] if old else []) + ([(y0, x0, y1, x1)] if drawn.any() else [])
    if not boxes or not drawn.any():
        raise EditError(f"The outline of particle {label} holds no pixel of the image. Draw it again, or delete it.")
    ya, xa, yb, xb = union(boxes)
    window = np.asarray(labels[ya:yb, xa:xb])
    wanted = np.zeros(window.shape, bool)
    wanted[y0 - ya : y1 - ya, x0 - xa : x1 - xa] = drawn
    if not over_others:
        wanted &= (window == 0) | (window == label)
    if not wanted.any():
        raise EditError(f"The outline of particle {label} lies on other particles only. Merge or delete them first.")
    values = np.where(wanted, np.asarray(label, window.dtype), np.where(window == label, 0, window))
    return _edit("redraw", window, values != window, values, (ya, xa), created=() if old else (label,))


def edit_of_pixels(action: str, y: Any, x: Any, before: Any, after: Any) -> LabelEdit:
    """Return the edit that changed pixels from `before` to `after` already, such as a stroke of the brush.

    A pixel that is listed several times counts with its first `before` and its last `after`.
    """
    y, x = np.asarray(y, np.int64).ravel(), np.asarray(x, np.int64).ravel()
    before = np.broadcast_to(np.asarray(before), y.shape).ravel()
    after = np.broadcast_to(np.asarray(after), y.shape).ravel()
    place = y * (int(x.max(initial=0)) + 1) + x
    _, first = np.unique(place, return_index=True)
    _, last = np.unique(place[::-1], return_index=True)
    last = len(place) - 1 - last
    changed = before[first] != after[last]
    first, last = first[changed], last[changed]
    return LabelEdit(action, y[first], x[first], before[first], after[last], _labels(before[first], after[last]))


def outline_mask(outline: Any) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """Return the pixels whose centres lie in or on a closed outline, and the place of the first.

    Parameters
    ----------
    outline : array
        ``(N, 2)``; corners ``(y, x)`` in pixels. The last is joined to the first.

    Raises
    ------
    EditError
        If there are fewer than three corners.
    """
    from skimage.draw import polygon, polygon_perimeter

    corners = np.asarray(outline, float)
    if corners.ndim != 2 or len(corners) < 3:
        raise EditError("An outline needs three corners or more. Hold the button and draw around the particle.")
    origin = np.floor(corners.min(axis=0)).astype(int)
    shape = np.ceil(corners.max(axis=0)).astype(int) - origin + 1
    mask = np.zeros(shape, bool)
    local = corners - origin
    mask[polygon(local[:, 0], local[:, 1], shape)] = True
    rounded = np.rint(local).astype(int)
    mask[polygon_perimeter(rounded[:, 0], rounded[:, 1], shape)] = True
    return mask, (int(origin[0]), int(origin[1]))


def line_pixels(line: Any) -> NDArray[np.int64]:
    """Return the pixels under a line, each sharing a side with the next, so that nothing passes between two corners.

    Parameters
    ----------
    line : array
        ``(N, 2)``; corners ``(y, x)`` in pixels.

    Raises
    ------
    EditError
        If there are no two corners.
    """
    corners = np.asarray(line, float)
    if corners.ndim != 2 or len(corners) < 2:
        raise EditError("A line needs two ends. Hold the button and draw across the particle.")
    found = [_straight(start, end) for start, end in pairwise(corners)]
    return np.unique(np.concatenate(found), axis=0)


def _straight(start: NDArray[Any], end: NDArray[Any]) -> NDArray[np.int64]:
    """Return the pixels between two points; of two that touch with their corners, one that touches both as well."""
    steps = int(np.ceil(np.abs(end - start).max() * 2)) + 1
    points = np.rint(np.linspace(start, end, steps + 1)).astype(np.int64)
    points = points[np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]]
    step = np.diff(points, axis=0)
    slanted = np.flatnonzero((step != 0).all(axis=1))
    between = np.column_stack([points[slanted, 0], points[slanted + 1, 1]])
    return np.concatenate([points, between])


def _nearest(parts: NDArray[Any], pieces: NDArray[Any], cut: NDArray[np.bool_]) -> NDArray[Any]:
    """Return `parts` with each pixel of `cut` in the nearest part of its piece; 0 where a piece has no part left."""
    from scipy import ndimage

    nearest = parts.copy()
    for piece in np.unique(pieces[cut]):
        here = pieces == piece
        own = np.where(here, parts, 0)
        if own.any():
            place = ndimage.distance_transform_edt(own == 0, return_distances=False, return_indices=True)
            nearest[here] = own[tuple(place)][here]
    return nearest


def _owners(parts: NDArray[Any], pieces: NDArray[Any], count: int) -> NDArray[Any]:
    """Return for each part the piece that it comes from."""
    owner = np.zeros(count + 1, np.int64)
    owner[parts[parts > 0]] = pieces[parts > 0]
    return owner[1:]


def _part_numbers(sizes: NDArray[Any], owners: NDArray[Any], label: int, new_label: int) -> NDArray[np.int64]:
    """Return the label of each part: the largest of all and those of pieces that stayed whole keep the number."""
    numbers = np.full(len(sizes), label, np.int64)
    order = np.argsort(-sizes, kind="stable")
    parted = np.isin(owners, np.flatnonzero(np.bincount(owners) > 1))
    following = [part for part in order if parted[part]][1:]
    numbers[following] = new_label + np.arange(len(following))
    return numbers


def _window(labels: Any, within: Box | None) -> tuple[int, int, NDArray[Any]]:
    if len(labels.shape) != 2:
        raise EditError(f"Labels of shape {tuple(labels.shape)} cannot be edited here: one plane (Y, X) is needed.")
    y0, x0, y1, x1 = within or (0, 0, *labels.shape)
    y0, x0 = max(y0, 0), max(x0, 0)
    return y0, x0, np.asarray(labels[y0:y1, x0:x1])


def _edit(
    action: str,
    window: NDArray[Any],
    changed: NDArray[np.bool_],
    values: Any,
    origin: tuple[int, int],
    **more: Any,
) -> LabelEdit:
    y, x = np.nonzero(changed)
    before = window[y, x]
    after = np.asarray(values[y, x] if np.ndim(values) else np.full(len(y), values), window.dtype)
    affected = set(_labels(before, after))
    affected |= set(more.get("gone", ())) | set(more.get("created", ()))
    return LabelEdit(action, y + origin[0], x + origin[1], before.copy(), after, tuple(sorted(affected)), **more)


def _labels(*values: NDArray[Any]) -> tuple[int, ...]:
    return tuple(sorted({int(one) for each in values for one in np.unique(each)} - {0}))
