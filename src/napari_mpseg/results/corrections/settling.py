"""What a repainted region means: which particles are new, parted, gone. Pixels only, in memory."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Settled:
    """A repainted region with the numbers that its particles get.

    Attributes
    ----------
    labels : numpy.ndarray
        ``(Y, X)``, of the dtype of the labels.
    touched : tuple of int
        Labels of which a pixel changed, old and new, ascending.
    created : tuple of int
        Those that are new; all above the largest number that ever was in use.
    gone : tuple of int
        Those of which no pixel is left anywhere.
    parents : mapping of int to int
        The label that a new one is a part of.
    reaching : tuple of int
        Those that were erased inside but go on outside of the region.
    parted : tuple of int
        Those of which several pieces reach out of the region, which only looking further shows to be connected.
    """

    labels: NDArray[Any]
    touched: tuple[int, ...]
    created: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    parents: dict[int, int] = field(default_factory=dict)
    reaching: tuple[int, ...] = ()
    parted: tuple[int, ...] = ()

    def notes(self) -> list[str]:
        """Return what a user should know, one sentence each."""
        notes = []
        if self.reaching:
            notes.append(
                f"{_particles(self.reaching)} {_verb(self.reaching, 'goes', 'go')} on outside of the region, and what "
                "lies there stays. To erase all of it, take a region that holds it."
            )
        if self.parted:
            notes.append(
                f"{_particles(self.parted)} {_verb(self.parted, 'reaches', 'reach')} out of the region with several "
                "pieces, which keep one number."
            )
        return notes


def settle(
    before: NDArray[Any],
    painted: NDArray[Any],
    inner: tuple[slice, slice],
    *,
    highest: int,
    outside: Collection[int] = (),
    separate: bool = True,
    connectivity: int = 2,
) -> Settled:
    """Give the particles of a repainted region their numbers.

    New numbers follow on `highest`, first those of particles that were painted anew, then those of parts. A piece keeps
    the number that it was painted with if it goes on outside of the region, or is the largest of what the particle's
    own piece was parted into. Other pieces become particles of their own: parts, and what was painted apart from the
    particle of that number. A number of a particle that lies elsewhere is taken for a new one.

    Parameters
    ----------
    before : numpy.ndarray
        ``(Y, X)``, integer; the region with a ring of one pixel around it where the image goes on.
    painted : numpy.ndarray
        The region as it was painted, without the ring; any integers of 0 or more.
    inner : tuple of slice
        Where the region lies in `before`.
    highest : int
        The largest number that ever was in use in the whole image.
    outside : collection of int
        Labels that are known to lie outside of the region as well; those that the ring shows need not be among them.
    separate : bool
        Without, pieces keep the number they were painted with, unconnected or not.
    connectivity : {1, 2}
        1: pixels touch with their sides. 2: corners too.

    Returns
    -------
    Settled
        Labels of which no pixel was changed are never renumbered.
    """
    old = before[inner]
    changed = old != painted
    if not changed.any():
        return Settled(old.copy(), ())
    values = np.unique(np.concatenate([painted[changed], old[changed]])).astype(np.int64)
    in_question = [int(one) for one in values if one > 0]
    beyond = {int(one) for one in outside} | _ring_values(before, inner)
    known = {int(one) for one in np.unique(old)} | beyond
    # only where these lie is looked at: a large region then needs little more memory than its pixels
    part, window, place = _around(changed | np.isin(old, in_question) | np.isin(painted, in_question), before, inner)
    settled = _settled(
        before[window], painted[part], place, set(in_question), known, beyond, highest, separate, connectivity
    )
    labels = old.copy()
    labels[part] = settled.labels
    return replace(settled, labels=labels)


def _around(
    mask: NDArray[np.bool_], before: NDArray[Any], inner: tuple[slice, slice]
) -> tuple[tuple[slice, slice], tuple[slice, slice], tuple[slice, slice]]:
    """Return where a mask lies in the region, the same with a ring in `before`, and where the first lies in that."""
    part, window, place = [], [], []
    for axis in (0, 1):
        there = np.flatnonzero(mask.any(axis=1 - axis))
        first, last, offset = int(there[0]), int(there[-1]) + 1, inner[axis].start or 0
        start = max(first + offset - 1, 0)
        part.append(slice(first, last))
        window.append(slice(start, min(last + offset + 1, before.shape[axis])))
        place.append(slice(first + offset - start, last + offset - start))
    return (part[0], part[1]), (window[0], window[1]), (place[0], place[1])


def _settled(
    before: NDArray[Any],
    painted: NDArray[Any],
    inner: tuple[slice, slice],
    in_question: Collection[int],
    known: Collection[int],
    beyond: Collection[int],
    highest: int,
    separate: bool,
    connectivity: int,
) -> Settled:
    from skimage.measure import label

    after = before.astype(np.int64)
    after[inner] = painted
    pieces = label(after, background=0, connectivity=connectivity)
    was = label(before, background=0, connectivity=connectivity)
    found = _pieces_of(pieces, was, after, before, inner, in_question)
    renumbered: list[tuple[int, int, int]] = []  # painted number, piece, parent
    for number, mine in found.items():
        new = number not in known
        for piece in mine:
            if new or (separate and not piece.keeps(mine, number in beyond)):
                parent = number if piece.overlaps and not new else 0
                renumbered.append((number, piece.name, parent))
    return _numbered(after, pieces, inner, before[inner], found, renumbered, highest, separate, known, beyond)


@dataclass(frozen=True)
class _Piece:
    """A connected part of a painted number; `overlaps` names the pieces of that number before, `ring` says it goes on.

    `largest_of` are those pieces before of which it is the largest remainder and which did not go on outside.
    """

    name: int
    size: int
    ring: bool
    overlaps: tuple[int, ...]
    largest_of: tuple[int, ...]

    def keeps(self, others: list["_Piece"], goes_on: bool) -> bool:
        """Whether it keeps its number."""
        if self.ring or self.largest_of:
            return True
        if goes_on or any(one.ring or one.largest_of for one in others):
            return False
        return self.size == max(one.size for one in others) and self.name == min(
            one.name for one in others if one.size == self.size
        )


def _pieces_of(
    pieces: NDArray[Any],
    was: NDArray[Any],
    after: NDArray[Any],
    before: NDArray[Any],
    inner: tuple[slice, slice],
    chosen: Collection[int],
) -> dict[int, list[_Piece]]:
    """Return the pieces that some numbers are in now, in raster order, those on the ring alone left out."""
    numbers = pieces[inner]
    sizes = np.bincount(numbers.ravel(), minlength=int(pieces.max(initial=0)) + 1)
    on_ring, was_on_ring = _ring_values(pieces, inner), _ring_values(was, inner)
    same = (after == before) & (after > 0)
    pairs, counts = np.unique(np.stack([was[same], pieces[same]]), axis=1, return_counts=True)
    overlaps: dict[int, list[int]] = {}
    best: dict[int, tuple[int, int]] = {}
    for (old, new), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
        overlaps.setdefault(new, []).append(old)
        best[old] = max(best.get(old, (0, 0)), (count, -new))
    first = np.unique(numbers, return_index=True)
    found: dict[int, list[_Piece]] = {}
    flat = after[inner].ravel()
    for name, place in zip(*(one.tolist() for one in first), strict=True):
        number = int(flat[place])
        if name == 0 or number not in chosen:
            continue
        mine = tuple(overlaps.get(name, ()))
        largest = tuple(one for one in mine if one not in was_on_ring and best[one][1] == -name)
        found.setdefault(number, []).append(_Piece(name, int(sizes[name]), name in on_ring, mine, largest))
    return found


def _numbered(
    after: NDArray[Any],
    pieces: NDArray[Any],
    inner: tuple[slice, slice],
    old: NDArray[Any],
    found: dict[int, list[_Piece]],
    renumbered: list[tuple[int, int, int]],
    highest: int,
    separate: bool,
    known: Collection[int],
    beyond: Collection[int],
) -> Settled:
    """Write the new numbers, those painted anew first."""
    labels, parts = after[inner].copy(), pieces[inner]
    given: dict[int, int] = {}
    parents: dict[int, int] = {}
    names: dict[int, int] = {}  # of a number painted anew that stays in one, whatever its pieces
    follows = highest
    for number, name, parent in sorted(renumbered, key=lambda one: (one[2] > 0, one[0] if not one[2] else 0, one[1])):
        if not separate and number in names:
            given[name] = names[number]
            continue
        follows += 1
        given[name] = names[number] = follows
        if parent:
            parents[follows] = parent
    if given:
        lookup = np.arange(int(pieces.max(initial=0)) + 1)
        chosen = np.isin(parts, list(given))
        for name, number in given.items():
            lookup[name] = number
        labels[chosen] = lookup[parts[chosen]]
    changed = labels != old
    touched = sorted({int(one) for one in np.unique(np.concatenate([labels[changed], old[changed]]))} - {0})
    left = {int(one) for one in np.unique(labels)}
    reaching = tuple(one for one in touched if one in known and one not in left and one in beyond)
    parted = tuple(
        number for number, mine in found.items() if number in touched and sum(piece.ring for piece in mine) > 1
    )
    gone = tuple(one for one in touched if one not in left and one not in beyond)
    return Settled(
        labels.astype(old.dtype), tuple(touched), tuple(sorted(given.values())), gone, parents, reaching, parted
    )


def _ring_values(values: NDArray[Any], inner: tuple[slice, slice]) -> set[int]:
    """Return what lies around the region."""
    rows, columns = inner
    height, width = values.shape
    top, bottom, left, right = rows.start or 0, rows.stop or height, columns.start or 0, columns.stop or width
    strips = (values[:top], values[bottom:], values[:, :left], values[:, right:])
    return {int(one) for strip in strips for one in np.unique(strip)} - {0}


def _particles(labels: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, labels[:6])) + (" …" if len(labels) > 6 else "")
    return f"Particle{'s' if len(labels) > 1 else ''} {shown}"


def _verb(labels: tuple[int, ...], one: str, many: str) -> str:
    return many if len(labels) > 1 else one
