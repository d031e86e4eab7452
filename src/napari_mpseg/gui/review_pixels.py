"""Planes of a labels layer whose pixels are read and written through napari's own history. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.layers import particle_box
from napari_mpseg.particles.review.edits import LabelEdit, edit_of_pixels


@dataclass(frozen=True)
class Plane:
    """One plane of a labels layer.

    Attributes
    ----------
    layer : napari.layers.Labels
        The layer.
    index : tuple of int
        Of the plane, on the layer's leading axes; empty for a flat layer.
    """

    layer: Any
    index: tuple[int, ...] = ()

    @staticmethod
    def why_not(layer: Any) -> str:
        """Return why labels cannot be edited, for the user; an empty text if they can."""
        if layer.multiscale:
            return (
                "These labels are too large to be edited in one piece. Decisions can be made here; to edit, use "
                "Layers > Annotate > Correct a region."
            )
        if hasattr(layer.data, "dask"):
            return "These labels are computed on demand and cannot be edited. Save them and open the file, then edit."
        if not layer.editable:
            return "This layer is locked. Make it editable, then edit its particles."
        return ""

    @property
    def pixels(self) -> Any:
        """What can be read as ``(Y, X)`` in rectangles; nothing is copied."""
        data = self.layer.data
        return data[self.index] if isinstance(data, np.ndarray) else _Part(data, self.index)

    def values(self, y: Any, x: Any) -> np.ndarray:
        """Return single pixels."""
        return np.asarray(self.layer.data[self.indices(y, x)])

    def indices(self, y: Any, x: Any) -> tuple[Any, ...]:
        """Return places in the layer's data."""
        return (*(np.full(len(y), number) for number in self.index), y, x)


class _Part:
    """A plane of an array that reads from its store at each access."""

    def __init__(self, data: Any, index: tuple[int, ...]) -> None:
        self._data, self._index = data, index
        self.shape = tuple(data.shape[len(index) :])
        self.dtype = data.dtype

    def __getitem__(self, key: Any) -> np.ndarray:
        return np.asarray(self._data[(*self._index, *key)])


def plane_of(layer: Any, label: int) -> Plane:
    """Return the plane that a particle lies in."""
    ahead = layer.ndim - 2
    if not ahead:
        return Plane(layer)
    box = particle_box(layer, label)
    return Plane(layer, tuple(box[0][:ahead]) if box is not None else (0,) * ahead)


def write_pixels(layer: Any, plane: Plane, edit: LabelEdit) -> None:
    """Change pixels as one step of napari's own history."""
    if len(edit):
        with layer.block_history():
            layer.data_setitem(plane.indices(edit.y, edit.x), edit.after)


def strokes(layer: Any, atoms: Sequence[Any]) -> list[tuple[Plane, LabelEdit]]:
    """Return what napari's paint event says as one edit per plane, with the planes.

    Parameters
    ----------
    layer : napari.layers.Labels
        That was painted on.
    atoms : sequence
        Of napari's history, oldest first.
    """
    places, old, new = [], [], []
    for atom in atoms:
        where, before, after = _pixels_of(atom)
        places.append(where)
        old.append(np.asarray(before).ravel())
        new.append(np.broadcast_to(np.asarray(after), where.shape[1:]).ravel())
    if not places:
        return []
    where, before, after = np.concatenate(places, axis=1), np.concatenate(old), np.concatenate(new)
    after = after.astype(before.dtype)
    found = []
    planes, number = np.unique(where[:-2], axis=1, return_inverse=True)
    number = np.zeros(where.shape[1], int) if where.shape[0] == 2 else np.ravel(number)
    for each in range(max(int(planes.shape[1]), 1) if where.shape[0] > 2 else 1):
        here = number == each
        edit = edit_of_pixels("paint", where[-2][here], where[-1][here], before[here], after[here])
        index = tuple(int(one) for one in planes[:, each]) if where.shape[0] > 2 else ()
        if len(edit):
            found.append((Plane(layer, index), edit))
    return found


def _pixels_of(atom: Any) -> tuple[np.ndarray, Any, Any]:
    """Return places ``(ndim, N)``, values before and value after of one atom of napari's history."""
    if not hasattr(atom, "slice_key"):
        indices, before, after = atom
        return np.stack([np.asarray(one).ravel() for one in indices]), before, after
    starts = np.array([one.start for one in atom.slice_key])
    if atom.mask is None:
        shape = tuple(one.stop - one.start for one in atom.slice_key)
        mask = np.ones(shape, bool)
    else:
        mask = atom.mask
    return np.stack(np.nonzero(mask)) + starts[:, np.newaxis], atom.old_values, atom.new_value
