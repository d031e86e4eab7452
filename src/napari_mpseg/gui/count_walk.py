"""Going through the boxes of a count, whatever made them: the part of *Count in clutter* below its form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFileDialog, QScrollArea

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.count_layers import itself
from napari_mpseg.gui.count_left import LeftBoxes, later, left_boxes_of, notify
from napari_mpseg.gui.count_outlines import Shown
from napari_mpseg.gui.count_panel import KEYS, CountPanel
from napari_mpseg.gui.count_review import CountReview
from napari_mpseg.gui.count_shapes import BoxShapes
from napari_mpseg.gui.count_view import centre, told
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.review_keys import BoundKeys
from napari_mpseg.gui.run_panel import WorkingWidget
from napari_mpseg.particles.counting.boxes import CORNERS, CountedBoxes


class BoxWalk(WorkingWidget):
    """A widget that lets the user go through the boxes of one labels layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Itself, since keys and callbacks outlive a proxy.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._memory = Memory("count")
        self.review: CountReview | None = None
        self.shapes: BoxShapes | None = None
        self.current: int | None = None
        self._order: list[int] = []
        self._seen: set[int] = set()  # boxes that were shown
        actions = {
            "next": lambda: self.step(1),
            "previous": lambda: self.step(-1),
            "accept": lambda: self.decide(keep=True),
            "reject": lambda: self.decide(keep=False),
            "undo": lambda: self._again("undo"),
            "redo": lambda: self._again("redo"),
        }
        self._keys = BoundKeys(actions, KEYS)
        self.boxes = CountPanel(actions)
        self.boxes.draw.toggled.connect(self._draw)
        self.boxes.save.clicked.connect(self.ask_and_save)
        self.boxes.hide()
        self._viewer.layers.events.removed.connect(self._on_removed)

    def _on_source(self, _: Any = None) -> None:
        """Show what can be done with the layer, once boxes are shown or gone."""

    def _begin(self, labels: Any, boxes: CountedBoxes, *, go_on: bool = False) -> bool:
        """Start the review of some boxes in a layer of their own, or in the one that shows them already."""
        self._leave(remove=True)
        labels = itself(labels)
        left = left_boxes_of(self._viewer, labels)
        shown = None if left is None else left.stop()
        if shown is not None and not go_on:
            self._viewer.layers.remove(shown.layer)
            shown = None
        try:
            self.review = CountReview(self._viewer, labels, boxes)
        except MpsegError as error:
            self._say(str(error), "error")
            return False
        self.review.on_change = self._on_boxes
        self.boxes.show()
        self._seen = set()
        self._show_shapes(shown)
        self._on_source()
        QTimer.singleShot(0, self._bring_boxes)
        return True

    def _bring_boxes(self) -> None:
        """Bring the buttons into sight, where other widgets leave little room."""
        scroll = self.findChild(QScrollArea)
        if self.review is not None and scroll is not None:
            scroll.ensureWidgetVisible(self.boxes, 0, 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the buttons in sight while the boxes are gone through."""
        super().resizeEvent(event)
        if self.review is not None:
            QTimer.singleShot(0, self._bring_boxes)

    def _show_shapes(self, shown: Shown | None = None) -> None:
        """Show the boxes, or the next ones where there are too many to be shown together."""
        assert self.review is not None
        self._leave_shapes(remove=True)
        self.shapes = BoxShapes(
            self._viewer,
            self.review,
            later=later,
            say=self._say,
            skip=self._seen,
            shown=shown,
        )
        if shown is None:
            self._viewer.add_layer(self.shapes.layer)
        else:
            self.shapes.catch_up()
        self.shapes.layer.mouse_drag_callbacks.append(self._on_click)
        self._keys.bind(self._viewer, self.shapes.layer)
        self._order = [number for number in self.review.order() if number in self.shapes.known]
        self._seen |= self.shapes.known
        self.current = None
        self._show()

    def _leave(self, *, remove: bool = False) -> None:
        """Let go of the boxes; they are kept with their labels, and so is what is done to those that stay."""
        self._settle()
        self._leave_to_itself(remove)
        self._leave_shapes(remove=remove)
        review, self.review = self.review, None
        self.current = None
        if review is not None:
            review.on_change = lambda numbers: None
            review.close()
        self.boxes.hide()

    def _settle(self) -> None:
        """Take over at once what was drawn or moved a moment ago."""
        if self.shapes is not None:
            self.shapes.take_over()

    def _leave_to_itself(self, remove: bool) -> None:
        there = self._viewer.layers
        if remove or self.shapes is None or self.review is None:
            return
        if self.shapes.layer in there and self.review.layer in there:
            LeftBoxes(self._viewer, self.review.layer, self.shapes.shown, later=later, say=notify)

    def _leave_shapes(self, *, remove: bool) -> None:
        shapes, self.shapes = self.shapes, None
        self._keys.release()
        self.boxes.draw.setChecked(False)
        if shapes is None:
            return
        shapes.close()
        if self._on_click in shapes.layer.mouse_drag_callbacks:
            shapes.layer.mouse_drag_callbacks.remove(self._on_click)
        if remove and shapes.layer in self._viewer.layers:
            self._viewer.layers.remove(shapes.layer)

    def _on_removed(self, event: Any) -> None:
        removed = itself(event.value)
        if self.shapes is not None and self.review is not None and removed in (self.shapes.layer, self.review.layer):
            labels, gone = self.review.layer, removed is self.review.layer
            self._leave(remove=gone)
            self._on_source()
            self._say("" if gone else f"The boxes are no longer shown; they are kept with {labels.name}.", "info")

    # -- going through -------------------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Go to the next box (1) or the one before (-1), the least sure first."""
        if self.review is None or self.shapes is None:
            return
        there = set(self.review.frame["number"].tolist())
        self._order += sorted(there - set(self._order)) if not self.shapes.left_out else []
        place = self._order.index(self.current) if self.current in self._order else -1 if by > 0 else len(self._order)
        place += by
        while 0 <= place < len(self._order) and self._order[place] not in there:
            place += by
        if 0 <= place < len(self._order):
            self.go_to(self._order[place])
        else:
            self._at_the_end(by)

    def _at_the_end(self, by: int) -> None:
        if by > 0 and self.shapes is not None and self.shapes.left_out:
            self._show_shapes()
            self._say("Those were the least sure boxes; now the next ones are shown.", "done")
        else:
            self._say(f"That was the {'last' if by > 0 else 'first'} box.", "done")

    def go_to(self, number: int) -> None:
        """Make a box the one that is looked at, and bring it into view."""
        row = self.review.row(number) if self.review is not None else None
        if row is None or self.shapes is None:
            return
        self.current = number
        self._viewer.layers.selection.active = self.shapes.layer
        self.shapes.select(number)
        centre(self._viewer, self.shapes.layer, [float(row[name]) for name in CORNERS])
        self._show()

    def decide(self, *, keep: bool) -> None:
        """Accept or reject the box, and go on."""
        if self.review is None:
            return
        if self.current is None:
            self._say("Choose a box first: press Next, or click one.", "warning")
            return
        try:
            text = self.review.decide(self.current, keep=keep)
        except MpsegError as error:
            self._say(str(error), "error")
            return
        self.step(1)
        self._say(f"{text[:1].upper()}{text[1:]}.", "info")

    def _again(self, name: str) -> None:
        if self.review is None:
            return
        try:
            step = getattr(self.review, name)()
        except MpsegError as error:
            self._say(str(error), "error")
            return
        if step is None:
            self._say(f"Nothing to {name}.", "info")
            return
        self.go_to(step.number)
        self._show()
        self._say(f"{'Taken back' if name == 'undo' else 'Done again'}: {step.text}.", "info")

    def _on_boxes(self, numbers: Sequence[int]) -> None:
        if self.shapes is not None:
            self.shapes.show(numbers)
            self._show()

    def _on_click(self, layer: Any, event: Any) -> Any:
        """Take the box that is clicked, where nothing is drawn or dragged."""
        mode = str(layer.mode)
        yield
        if event.type != "mouse_release" or mode.startswith("add") or self.shapes is None:
            return
        number = self.shapes.at(layer.world_to_data(event.position))
        if number is not None:
            self.current = number
            self.shapes.select(number)
            self._show()

    def _draw(self, on: bool) -> None:
        if self.shapes is None:
            return
        self._viewer.layers.selection.active = self.shapes.layer
        self.shapes.layer.mode = "add_rectangle" if on else "pan_zoom"
        self._say(
            "Drag a box around each particle that was missed. Press the button again to end." if on else "", "info"
        )

    def _show(self) -> None:
        if self.review is None or self.shapes is None:
            return
        self.boxes.show_boxes(self.review.frame, self.shapes.left_out)
        row = None if self.current is None else self.review.row(self.current)
        self.boxes.current.setText(told(row) if row is not None else "Press Next to begin with the least sure box.")
        for name in ("accept", "reject"):
            self.boxes.buttons[name].setEnabled(row is not None)
        self.boxes.buttons["undo"].setEnabled(self.review.can_undo)
        self.boxes.buttons["redo"].setEnabled(self.review.can_redo)

    def _say(self, text: str, kind: str) -> None:
        self.panel.status.say(text, kind)

    # -- files ---------------------------------------------------------------------------------------------------

    def ask_and_save(self) -> None:
        """Ask where to save the boxes."""
        if self.review is None:
            return
        proposed = Path(self._memory.get("folder", str(Path.home()))) / f"{self.review.layer.name}_boxes.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save boxes", str(proposed), "Table (*.csv)")
        if path:
            self.save(Path(path))

    def save(self, path: Path) -> None:
        """Save all boxes as CSV; what is there is replaced."""
        if self.review is None:
            return
        try:
            written = self.review.boxes.to_csv(path if path.suffix else path.with_suffix(".csv"))
        except MpsegError as error:
            self._say(str(error), "error")
            return
        self._memory.set(folder=str(written.parent))
        self._say(f"{len(self.review.boxes):,} boxes saved in {written}.", "done")
