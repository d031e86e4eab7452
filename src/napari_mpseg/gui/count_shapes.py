"""The boxes of a count as a shapes layer: coloured by confidence, and followed when drawn or moved. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from napari.layers import Shapes

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.count_review import CountReview
from napari_mpseg.layers import space_of, unique_name
from napari_mpseg.particles.counting.boxes import CORNERS, DRAWN
from napari_mpseg.particles.counting.marks import MARKS, marks_of

ROLE = "boxes"
MOST = 5_000
"""Boxes that are shown together; of more the least sure, since napari takes seconds for tens of thousands."""

_WIDTHS = (2.0, 4.0)  # least and most, in pixels, of the line of a box
_FEW = 3  # boxes that are shown one by one
_SHOWN = ("number", "confidence", "confidence_max", "area_px", "origin", "keep", "reviewed")
_RGBA = {kind: [*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)), 1.0] for kind, colour in MARKS.items()}


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
    ) -> None:
        self._viewer, self.review, self._later, self._say = viewer, review, later, say
        self._busy, most = False, MOST if most is None else most
        self._moved: set[int] = set()
        self._removed: set[int] = set()  # found boxes whose shape the user removed
        order = review.order()
        drawn = set(review.frame["number"][review.frame["origin"] == DRAWN].tolist())
        left = {*drawn, *skip}
        found = [number for number in order if number not in left]
        self.left_out = max(0, len(found) - most)
        self.layer = self._made([*found[:most], *(number for number in order if number in drawn)])
        self._known = set(self._numbers())
        self.layer.events.data.connect(self._on_data)
        self.layer.events.features.connect(self._on_features)

    # -- the layer

    @property
    def known(self) -> set[int]:
        """The boxes that are shown."""
        return set(self._known)

    def _made(self, numbers: Sequence[int]) -> Any:
        frame = self.review.frame.set_index("number", drop=False).loc[list(numbers)].reset_index(drop=True)
        labels = self.review.layer
        data = labels.data[0] if labels.multiscale else labels.data
        # joining leaves 3 px between box and particle, so that this hides nothing
        self._width = min(max(_WIDTHS[0], max(data.shape[-2:]) / 500), _WIDTHS[1])
        options: dict[str, Any] = {"ndim": 2} if not len(frame) else {}
        if len(frame):
            options = {
                "shape_type": "rectangle",
                "edge_color": _colours(frame),
                "features": frame[list(_SHOWN)],
            }
        layer = Shapes(
            rectangles(frame[list(CORNERS)].to_numpy(float)) if len(frame) else None,
            face_color="transparent",
            edge_width=self._width,
            opacity=1.0,
            name=unique_name(self._viewer, f"{labels.name} boxes"),
            metadata={"napari-mpseg": {"role": ROLE, "source": labels.name}},
            **options,
            **space_of(labels, 2),
        )
        if not len(frame):
            layer.features = frame[list(_SHOWN)]
        layer.current_edge_color = MARKS["drawn by hand"]
        return layer

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
            self.layer.add(rectangles(np.array([corners])), shape_type="rectangle", edge_width=self._width)
            index = len(self.layer.features) - 1
        self._fill(index, row)

    def _fill(self, index: int, row: Any) -> None:
        """Write what is known of a box into its row, and give it its colour."""
        features = self.layer.features
        for name in _SHOWN:
            features.iat[index, features.columns.get_loc(name)] = row[name]
        before = set(self.layer.selected_data)
        self.layer.selected_data = {index}
        self.layer.current_edge_color = _colour(row)
        self.layer.selected_data = before

    def _recolour(self) -> None:
        rows = self.review.frame.set_index("number", drop=False).reindex(self._numbers())
        rows = rows.reset_index(drop=True)
        features = self.layer.features
        for name in ("keep", "reviewed"):
            features[name] = rows[name].to_numpy()
        self.layer.edge_color = _colours(rows)

    # -- from the layer to the review

    def _on_data(self, event: Any) -> None:
        action = str(getattr(event, "action", "")).rpartition(".")[2].lower()
        if self._busy or action not in ("added", "removed", "changed"):
            return
        if action == "changed":
            self._moved.update(int(index) % max(1, len(self.layer.features)) for index in event.data_indices)
        self._later(self._take_over)

    def _on_features(self, event: Any = None) -> None:
        if not self._busy and len(self.layer.features) != len(self._known):  # such as shapes that were pasted
            self._later(self._take_over)

    def _take_over(self) -> None:
        """Bring the review in step with what was drawn, moved or removed."""
        if self._busy:
            return
        self._busy = True
        moved, self._moved = self._moved, set()
        try:
            self._take_new()
            for number in sorted(self._known - set(self._numbers())):
                self._told(self.review.take_away(number))
                self._removed.add(number)
            data = self.layer.data if moved else ()
            for index in (one for one in moved if one < len(data)):
                self.review.move(self._numbers()[index], self._within(data[index]))
        except MpsegError as error:
            self._say(str(error), "error")
        finally:
            self._busy = False
        self._known = set(self._numbers())

    def _take_new(self) -> None:
        seen: set[int] = set()
        data: Any = None
        for index, number in enumerate(self._numbers()):
            if number in self._known and number not in seen:
                seen.add(number)
                continue
            data = self.layer.data if data is None else data
            new = self.review.draw(self._within(data[index]))
            seen.add(new)
            row = self.review.row(new)
            self._fill(index, row)
            self._told(f"box {new} drawn")

    def _within(self, shape: Any) -> list[float]:
        """Return the corners of what was drawn, in whole pixels of the image."""
        height, width = self.review.boxes.shape
        y0, x0, y1, x1 = (float(round(value)) for value in corners_of(shape))
        y0, x0 = min(max(y0, 0.0), height - 1.0), min(max(x0, 0.0), width - 1.0)
        return [y0, x0, min(max(y1, y0 + 1), height), min(max(x1, x0 + 1), width)]

    def _told(self, text: str) -> None:
        if text:
            self._say(f"{text[:1].upper()}{text[1:]}.", "done")

    def close(self) -> None:
        """Stop following the layer; it stays as it is."""
        self.layer.events.data.disconnect(self._on_data)
        self.layer.events.features.disconnect(self._on_features)


def rectangles(corners: np.ndarray) -> np.ndarray:
    """Return boxes y0, x0, y1, x1 in pixels as napari's ``(N, 4, 2)``, where a pixel's centre is a whole number."""
    y0, x0, y1, x1 = (corners.astype(float) - 0.5).T
    return np.stack([np.stack([y0, y0, y1, y1], 1), np.stack([x0, x1, x1, x0], 1)], 2)


def corners_of(shape: Any) -> list[float]:
    """Return the box around a shape of napari's, in pixels."""
    points = np.asarray(shape, float)[:, -2:] + 0.5
    return [float(value) for value in (*points.min(0), *points.max(0))]


def _colours(frame: Any) -> np.ndarray:
    return np.array([_RGBA[kind] for kind in marks_of(frame)])


def _colour(row: Any) -> str:
    import pandas as pd

    frame = pd.DataFrame([{name: row[name] for name in ("confidence", "origin", "keep")}])
    return MARKS[str(marks_of(frame)[0])]
