"""The buttons and figures of a count's review; what they do is the widget's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_mpseg.gui.review_keys import Key
from napari_mpseg.gui.status_line import note
from napari_mpseg.particles.counting.boxes import DRAWN
from napari_mpseg.particles.counting.marks import MARKS, mark_counts

KEYS = (
    Key("next", ("Shift-N",), "Next box, the least sure first"),
    Key("previous", ("Shift-B",), "The box before"),
    Key("accept", ("Shift-K",), "Accept the box: its particle counts"),
    Key("reject", ("Shift-R",), "Reject the box: its particle does not count"),
    Key("undo", ("Shift-U", "Control-Z"), "Take back the last step"),
    Key("redo", ("Shift-Y", "Control-Shift-Z"), "Do again what was taken back"),
)
"""Keys of the review of a count; the same as in *Review particles* for the same things."""

_ROWS = (
    (("previous", "◀ Previous"), ("next", "Next ▶")),
    (("accept", "Accept"), ("reject", "Reject")),
    (("undo", "Undo"), ("redo", "Redo")),
)


class CountPanel(QWidget):
    """Figures, legend and buttons.

    Parameters
    ----------
    actions : mapping of str to callable
        By the names of :data:`KEYS`.
    """

    def __init__(self, actions: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__()
        self.figures, self.legend, self.current = note(), note(), note()
        self.buttons: dict[str, QPushButton] = {}
        keys = {key.action: key for key in KEYS}
        grid = QGridLayout()
        grid.setSpacing(4)
        for row, pair in enumerate(_ROWS):
            for column, (action, text) in enumerate(pair):
                self.buttons[action] = _button(f"{text}  {keys[action].shown}", keys[action].does, actions[action])
                grid.addWidget(self.buttons[action], row, column)
        self.draw = _button("Draw a missed particle", "Drag a box around a particle that was not found", None)
        self.draw.setCheckable(True)
        self.save = _button(
            "Save boxes …", "Save all boxes as CSV. Saving the labels layer keeps them too, with all decisions.", None
        )
        grid.addWidget(self.draw, len(_ROWS), 0)
        grid.addWidget(self.save, len(_ROWS), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for item in (self.figures, self.legend, self.current):
            layout.addWidget(item)
        layout.addLayout(grid)

    def show_boxes(self, frame: pd.DataFrame, left_out: int) -> None:
        """Show how many there are of each kind."""
        kept, drawn = int(frame["keep"].sum()), int((frame["origin"].eq(DRAWN) & frame["keep"]).sum())
        rejected, reviewed = int((~frame["keep"]).sum()), int(frame["reviewed"].sum())
        more = [f"{drawn:,} drawn by hand"] * bool(drawn) + [f"{rejected:,} rejected"] * bool(rejected)
        particles = f"<b>{kept:,} particle{'' if kept == 1 else 's'}</b>"
        self.figures.setText(f"{', '.join([particles, *more])}; {reviewed:,} of {len(frame):,} boxes reviewed")
        counts = mark_counts(frame)
        text = " &nbsp; ".join(
            f"<span style='color:{MARKS[kind]}'>■</span>&nbsp;{kind.replace(' ', '&nbsp;')}:&nbsp;{count:,}"
            for kind, count in counts.items()
        )
        if left_out:
            text += f"<br><b>Shown are the least sure boxes only</b>; {left_out:,} surer count, and come after them."
        self.legend.setText(text)
        self.legend.setVisible(bool(text))


def _button(text: str, tip: str, run: Callable[[], Any] | None) -> QPushButton:
    """Return a button that leaves the keyboard to the picture."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    if run is not None:
        button.clicked.connect(lambda: run())
    return button
