"""What the user did to an earlier count, carried over to a new one: drawn boxes, changed corners, decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.counting.boxes import CORNERS, DRAWN, CountedBoxes
from napari_mpseg.particles.counting.source import read
from napari_mpseg.progress import CancelToken

_AT_ONCE = 2**22  # pixels


@dataclass(frozen=True)
class CarriedOver:
    """A count with what was done to an earlier one.

    Attributes
    ----------
    boxes : CountedBoxes
        With the boxes that were drawn by hand, and corners that were changed. Decisions on particles are not in it:
        they belong to the table of the labels.
    drawn, moved : int
        How many boxes were drawn, and how many have changed corners.
    decisions : mapping of int to bool
        By label of the new count, what was decided on it.
    lost : int
        Boxes that were changed or decided on, but hold other particles now.
    """

    boxes: CountedBoxes
    drawn: int = 0
    moved: int = 0
    decisions: Mapping[int, bool] = field(default_factory=dict)
    lost: int = 0

    def told(self, name: str = "") -> str:
        """Return a sentence on what was kept, and what was not; empty where there was nothing."""
        parts = [
            *_some(self.drawn, "drawn box", "drawn boxes"),
            *_some(self.moved, "box with changed corners", "boxes with changed corners"),
            *_some(len(self.decisions), "decision", "decisions"),
        ]
        text = f" Kept from {name or 'the earlier count'}: {', '.join(parts)}." if parts else ""
        if self.lost:
            text += (
                f" {self.lost:,} box{' that was' if self.lost == 1 else 'es that were'} changed or decided on before "
                f"hold{'s' if self.lost == 1 else ''} other particles now: look through the new ones."
            )
        return text


def carry_over(
    boxes: CountedBoxes, earlier: CountedBoxes, same: Mapping[int, int] | None = None, *, decisions: bool = False
) -> CarriedOver:
    """Return a count with what was done by hand to an earlier one.

    Parameters
    ----------
    boxes, earlier : CountedBoxes
        Of the same image.
    same : mapping of int to int, optional
        Which number a box of the earlier count has now. Without, boxes with the same labels are the same.
    decisions : bool
        Carry over decisions too: the labels are others, whose table does not have them yet.
    """
    frame = boxes.frame.copy()
    same = _of_same_labels(boxes, earlier) if same is None else same
    place = {int(number): index for index, number in enumerate(frame["number"])}
    found = earlier.frame[earlier.frame["origin"] != DRAWN]
    corners, labels = frame[list(CORNERS)].to_numpy(np.float64).copy(), frame["labels"].tolist()
    changed, lost = frame["moved"].to_numpy(bool).copy(), 0
    decided: dict[int, bool] = {}
    columns = [found[name].tolist() for name in ("number", "moved", "reviewed", "keep")]
    for number, moved, reviewed, keep, box in zip(*columns, found[list(CORNERS)].to_numpy(), strict=True):
        reviewed &= decisions
        index = place.get(same.get(number, -1))
        if index is None:
            lost += bool(moved or reviewed)
            continue
        if moved:
            corners[index], changed[index] = box, True
        if reviewed:
            decided.update(dict.fromkeys(labels[index], keep))
    frame[list(CORNERS)], frame["moved"] = corners, changed
    drawn = len(earlier.frame) - len(found)
    return CarriedOver(replace(boxes, frame=frame).with_drawn_of(earlier), drawn, int(changed.sum()), decided, lost)


def same_particles(
    earlier: CountedBoxes, earlier_labels: Any, boxes: CountedBoxes, labels: Any, cancel: CancelToken | None = None
) -> dict[int, int]:
    """Return which boxes of two counts stand for the same particle: those that share most of their own pixels.

    Parameters
    ----------
    earlier, boxes : CountedBoxes
        Two counts.
    earlier_labels, labels : array
        ``(Y, X)``, of the same shape: the labels that these boxes know.
    cancel : CancelToken, optional
        Stops it.

    Returns
    -------
    dict
        From the number of the earlier box to that of the new one. Shared are more than half of the pixels that are in
        either of them, so that no box has two partners.
    """
    before, after = _numbers_of(earlier), _numbers_of(boxes)
    shared = np.zeros((0, 3), np.int64)
    height, width = labels.shape
    rows = max(1, _AT_ONCE // max(1, width))
    for top in range(0, height, rows):
        if cancel is not None:
            cancel.check()
        part = (top, min(top + rows, height), 0, width)
        old, new = _taken(before, read(earlier_labels, part)), _taken(after, read(labels, part))
        pairs, counts = np.unique(np.stack([old, new], 1)[(old > 0) | (new > 0)], axis=0, return_counts=True)
        shared = np.concatenate([shared, np.column_stack([pairs.reshape(-1, 2), counts])])
    sizes_before = np.bincount(shared[:, 0], shared[:, 2])
    sizes_after = np.bincount(shared[:, 1], shared[:, 2])
    both = shared[(shared[:, 0] > 0) & (shared[:, 1] > 0)]
    pairs, inverse = np.unique(both[:, :2], axis=0, return_inverse=True)
    overlap = np.bincount(inverse.reshape(-1), both[:, 2], minlength=len(pairs))
    either = sizes_before[pairs[:, 0]] + sizes_after[pairs[:, 1]] - overlap if len(pairs) else overlap
    return {int(old): int(new) for old, new in pairs[2 * overlap > either]}


def has_changes(earlier: CountedBoxes) -> bool:
    """Whether somebody decided on found boxes, or changed their corners."""
    frame = earlier.frame
    return bool(((frame["reviewed"] | frame["moved"]) & (frame["origin"] != DRAWN)).any())


def _of_same_labels(boxes: CountedBoxes, earlier: CountedBoxes) -> dict[int, int]:
    now = {frozenset(labels): int(n) for labels, n in zip(boxes.frame["labels"], boxes.frame["number"], strict=True)}
    pairs = zip(earlier.frame["number"], earlier.frame["labels"], strict=True)
    return {int(number): now[frozenset(labels)] for number, labels in pairs if labels and frozenset(labels) in now}


def _numbers_of(boxes: CountedBoxes) -> NDArray[np.int64]:
    """Return the number of the box by label; 0 where there is none."""
    rows = list(zip(boxes.frame["number"], boxes.frame["labels"], strict=True))
    numbers = np.zeros(1 + max((label for _, labels in rows for label in labels), default=0), np.int64)
    for number, labels in rows:
        numbers[list(labels)] = number
    return numbers


def _taken(numbers: NDArray[np.int64], labels: NDArray[Any]) -> NDArray[np.int64]:
    flat = labels.reshape(-1)
    return np.where((flat > 0) & (flat < len(numbers)), numbers[np.minimum(flat, len(numbers) - 1)], 0)


def _some(count: int, one: str, many: str) -> list[str]:
    return [f"{count:,} {one if count == 1 else many}"] if count else []
