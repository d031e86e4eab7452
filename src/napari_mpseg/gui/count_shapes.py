"""The boxes of a count as a shapes layer: coloured by confidence, and followed when drawn or moved. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from napari.layers import Shapes

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.count_outlines import (
    Shown,
    colour_of,
    colours_of,
    corners_of,
    rectangles,
    widths_of,
    within,
)
from napari_mpseg.gui.count_review import CountReview
from napari_mpseg.layers import space_of, unique_name
from napari_mpseg.particles.counting.boxes import CORNERS, DRAWN
from napari_mpseg.particles.counting.marks import MARKS

ROLE = "boxes"
MOST = 5_000
"""Boxes that are shown together; of more the least sure, since napari takes seconds for tens of thousands."""

_FEW = 3  # boxes that are shown one by one
_SHOWN = ("number", "confidence", "confidence_max", "area_px", "origin", "keep", "reviewed")
_NO_BOXES = ("line", "path")
_OUTSIDE = "What was drawn lies outside the image, and was removed. Drag a box around a particle."
_LINE = "A line is no box, and was removed. Drag a rectangle around a particle."


class BoxShapes:
    """Shows the boxes of a review, and takes over what is done to them with napari's own tools.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    review : CountReview
    later : callable
        Calls a function once napari has finished what it is at; by itself at once.
    say : callable
        Takes a text and its kind.
    most : int, optional
        Default :data:`MOST`.
    skip : collection of int
        Found boxes that are not shown.
    shown : Shown, optional
        A layer that shows them already, to go on with; what was done to it meanwhile :meth:`catch_up` takes over.
    """

    def __init__(
        self,
        viewer: Any,
        review: CountReview,
        *,
        later: Callable[[Callable[[], None]], None] = lambda work: work(),
        say: Callable[[str, str], None] = lambda text, kind: None,
        most: int | None = None,
        skip: Collection[int] = (),
        shown: Shown | None = None,
    ) -> None:
        self._viewer, self.review, self._later, self._say = viewer, review, later, say
        self._busy, most = False, MOST if most is None else most
        self._moved: set[int] = set()
        self._removed = set(shown.removed) if shown else set()  # found boxes whose shape the user removed
        self._skipped = frozenset(shown.skipped if shown else skip)
        labels = review.layer
        self._shape = (labels.data[0] if labels.multiscale else labels.data).shape[-2:]
        order = review.order()
        drawn = set(review.frame["number"][review.frame["origin"] == DRAWN].tolist())
        left = {*drawn, *self._skipped, *self._removed}
        found = [number for number in order if number not in left]
        if shown is None:
            self.left_out = max(0, len(found) - most)
            self.layer = self._made([*found[:most], *(number for number in order if number in drawn)])
            self._known = set(self._numbers())
        else:
            self.left_out = len(set(found) - shown.known)
            self.layer = shown.layer
            self._known = set(shown.known) & set(order)
        self.layer.events.data.connect(self._on_data)
        self.layer.events.features.connect(self._on_features)

    # -- the layer

    @property
    def known(self) -> set[int]:
        """The boxes that are shown."""
        return set(self._known)

    @property
    def shown(self) -> Shown:
        """The layer with what is on it, for somebody to go on with."""
        return Shown(self.layer, frozenset(self._known), frozenset(self._removed), self._skipped)

    def _made(self, numbers: Sequence[int]) -> Any:
        frame = self.review.frame.set_index("number", drop=False).loc[list(numbers)].reset_index(drop=True)
        labels = self.review.layer
        corners = frame[list(CORNERS)].to_numpy(float)
        options: dict[str, Any] = {"ndim": 2} if not len(frame) else {}
        if len(frame):
            options = {
                "shape_type": "rectangle",
                "edge_color": colours_of(frame),
                "edge_width": widths_of(corners, self._shape).tolist(),
                "features": frame[list(_SHOWN)],
            }
        layer = Shapes(
            rectangles(corners) if len(frame) else None,
            face_color="transparent",
            opacity=1.0,
            name=unique_name(self._viewer, f"{labels.name} boxes"),
            metadata={"napari-mpseg": {"role": ROLE, "source": labels.name}},
            **options,
            **space_of(labels, 2),
        )
        if not len(frame):
            layer.features = frame[list(_SHOWN)]
        layer.current_edge_color = MARKS["drawn by hand"]
        layer.current_edge_width = self._width_of([0, 0, *self._shape])
        return layer

    def _width_of(self, corners: Sequence[float]) -> float:
        return float(widths_of(np.array([corners], float), self._shape)[0])

    def _numbers(self) -> list[int]:
        features = self.layer.features
        values = features["number"].to_numpy(float) if "number" in features else np.zeros(len(features))
        return [int(value) for value in np.nan_to_num(values).astype(np.int64).tolist()]

    def index_of(self, number: int) -> int | None:
        """Return which shape a box is; None if it is not shown."""
        numbers = self._numbers()
        return numbers.index(number) if number in numbers else None

    def at(self, position: Sequence[float]) -> int | None:
        """Return the smallest shown box around a place in the layer's pixels, or None."""
        frame = self.review.frame
        y, x = (float(value) + 0.5 for value in position[-2:])
        around = (frame["y0"] <= y) & (frame["y1"] >= y) & (frame["x0"] <= x) & (frame["x1"] >= x)
        found = frame[around & frame["number"].isin(self._known)]
        if not len(found):
            return None
        areas = (found["y1"] - found["y0"]) * (found["x1"] - found["x0"])
        return int(found["number"].iloc[int(areas.to_numpy().argmin())])

    def select(self, number: int) -> None:
        """Mark one box."""
        index = self.index_of(number)
        self.layer.selected_data = set() if index is None else {index}

    # -- from the review to the layer

    def show(self, numbers: Sequence[int]) -> None:
        """Show boxes as they are in the review: new ones, moved ones, other colours."""
        if self._busy:  # the review follows the layer
            return
        self._busy = True
        try:
            with self.layer.block_thumbnail_update():
                if len(numbers) > _FEW:
                    self._recolour()
                for number in numbers if len(numbers) <= _FEW else sorted(self._removed):
                    self._show_one(number)
        finally:
            self._busy = False
        self._known = set(self._numbers())

    def _show_one(self, number: int) -> None:
        row, index = self.review.row(number), self.index_of(number)
        if row is None:
            if index is not None:
                self.layer.remove([index])
            return
        corners = [float(row[name]) for name in CORNERS]
        if index is not None and corners_of(self.layer.data[index]) != corners:
            self.layer.remove([index])
            index = None
        if index is None:
            back = number in self._removed and bool(row["keep"])
            if number not in self._known and row["origin"] != DRAWN and not back:
                return  # one of those that are not shown
            self._removed.discard(number)
            self.layer.add(rectangles(np.array([corners])), shape_type="rectangle")
            index = len(self.layer.features) - 1
        self._fill(index, row)

    def _fill(self, index: int, row: Any) -> None:
        """Write what is known of a box into its row, and give it its colour."""
        features = self.layer.features
        for name in _SHOWN:
            features.iat[index, features.columns.get_loc(name)] = row[name]
        before = set(self.layer.selected_data)
        self.layer.selected_data = {index}
        self.layer.current_edge_color = colour_of(row)
        self.layer.current_edge_width = self._width_of([float(row[name]) for name in CORNERS])
        self.layer.selected_data = before

    def _recolour(self) -> None:
        rows = self.review.frame.set_index("number", drop=False).reindex(self._numbers())
        rows = rows.reset_index(drop=True)
        features = self.layer.features
        for name in ("keep", "reviewed"):
            features[name] = rows[name].to_numpy()
        self.layer.edge_color = colours_of(rows)

    # -- from the layer to the review

    def _on_data(self, event: Any) -> None:
        action = str(getattr(event, "action", "")).rpartition(".")[2].lower()
        if self._busy or action not in ("added", "removed", "changed"):
            return
        if action == "changed":
            self._moved.update(int(index) % max(1, len(self.layer.features)) for index in event.data_indices)
        self._later(self.take_over)

    def _on_features(self, event: Any = None) -> None:
        if not self._busy and len(self.layer.features) != len(self._known):  # such as shapes that were pasted
            self._later(self.take_over)

    def catch_up(self) -> None:
        """Take over what was done to the layer while nobody looked, and show what was decided meanwhile."""
        kept = {int(row["number"]): [row[name] for name in CORNERS] for row in self.review.frame.to_dict("records")}
        for index, (number, shape) in enumerate(zip(self._numbers(), self.layer.data, strict=True)):
            if number in kept and kept[number] != corners_of(shape):
                self._moved.add(index)
        self.take_over()
        self.show(self._numbers())

    def take_over(self) -> None:
        """Bring the review in step with what was drawn, moved or removed."""
        if self._busy or getattr(self.layer, "_is_creating", False):  # napari tells when a shape is finished
            return
        self._busy = True
        moved, self._moved = self._moved, set()
        refused: list[int] = []
        try:
            refused = self._take_new()
            for number in sorted(self._known - set(self._numbers())):
                self._told(self.review.take_away(number))
                self._removed.add(number)
            self._take_moved(moved - set(refused))
        except MpsegError as error:
            self._say(str(error), "error")
        finally:
            if refused:
                self.layer.remove(refused)
            self._busy = False
        self._known = set(self._numbers())

    def _take_moved(self, moved: Collection[int]) -> None:
        data, numbers = self.layer.data if moved else (), self._numbers()
        back = []
        for index in (one for one in moved if one < len(data)):
            corners = within(corners_of(data[index]), self.review.boxes.shape)
            if corners is None:
                back.append(numbers[index])
            else:
                self.review.move(numbers[index], corners)
        for number in back:
            self._show_one(number)
            self._say(f"Box {number} was moved out of the image, and was put back.", "warning")

    def _take_new(self) -> list[int]:
        """Take over boxes that were drawn; return which shapes are none."""
        seen: set[int] = set()
        data: Any = None
        refused = []
        for index, number in enumerate(self._numbers()):
            if number in self._known and number not in seen:
                seen.add(number)
                continue
            data = self.layer.data if data is None else data
            corners = within(corners_of(data[index]), self.review.boxes.shape)
            if corners is None or self.layer.shape_type[index] in _NO_BOXES:
                self._say(_OUTSIDE if corners is None else _LINE, "warning")
                refused.append(index)
                continue
            new = self.review.draw(corners)
            seen.add(new)
            self._fill(index, self.review.row(new))
            self._told(f"box {new} drawn")
        return refused

    def _told(self, text: str) -> None:
        if text:
            self._say(f"{text[:1].upper()}{text[1:]}.", "done")

    def close(self) -> None:
        """Stop following the layer; it stays as it is."""
        self._busy = True  # for what was put off until later
        self.layer.events.data.disconnect(self._on_data)
        self.layer.events.features.disconnect(self._on_features)
