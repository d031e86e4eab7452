"""The form of a review: what can be chosen and pressed; what it does is the widget's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from napari.layers import Image, Labels
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QPushButton, QWidget

from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.review_panel import ClassButtons, ReviewButtons, ReviewFigures, heading
from napari_mpseg.gui.review_state import can_be_reviewed
from napari_mpseg.gui.run_panel import WorkingWidget
from napari_mpseg.gui.status_line import StatusLine, note
from napari_mpseg.particles.review.order import ORDERS


class _Foot(StatusLine):
    """What was done last; there is no job to stop."""

    def abandon(self) -> None:
        """Do nothing: nothing runs."""


class ReviewForm(WorkingWidget):
    """Everything that is seen of a review."""

    panel: Any

    def _build(self, layers: Any, memory: Memory, actions: Mapping[str, Callable[[], Any]]) -> None:
        self.labels = LayerChoice(layers, lambda layer: isinstance(layer, Labels), preferred=can_be_reviewed)
        self.labels.setToolTip("The measured labels whose particles are reviewed")
        self.image = LayerChoice(
            layers, lambda layer: isinstance(layer, Image), preferred=lambda layer: False, none="none: shapes only"
        )
        self.image.setToolTip("The image that edited particles get their brightness from")
        self.order = QComboBox()
        for name, order in ORDERS.items():
            self.order.addItem(order.title, name)
        self.order.setCurrentIndex(max(self.order.findData(memory.get("order", "largest")), 0))
        self.order.setToolTip("In which order Next goes through the particles")
        self.undecided = QCheckBox("Only those not reviewed yet")
        self.undecided.setChecked(memory.get("undecided", True))
        self.go_on = QCheckBox("Go on after a decision")
        self.go_on.setChecked(memory.get("go_on", True))
        self.zoom = QCheckBox("Zoom to each particle")
        self.zoom.setChecked(memory.get("zoom", True))
        self.dim = QCheckBox("Dim rejected particles  Shift+H")
        self.dim.setChecked(memory.get("dim", True))
        self.hint = note()
        self.figures = ReviewFigures()
        self.buttons = ReviewButtons(actions)
        self.classes = ClassButtons()
        self.panel = _Foot()
        self.table_button = QPushButton("Show table")
        self.table_button.setToolTip("Open napari's features table; what is edited there is in the record too")
        self.save_button = QPushButton("Save record …")
        self.save_button.setToolTip(
            "Save who changed what and when, as JSON lines and as CSV. Saving the layer keeps it too."
        )
        self._lay_out()

    def _lay_out(self) -> None:
        top = QWidget()
        form = QFormLayout(top)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Labels", self.labels)
        self.form_box = QWidget()
        more = QFormLayout(self.form_box)
        more.setContentsMargins(0, 0, 0, 0)
        more.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        more.addRow("Image", self.image)
        more.addRow("Order", self.order)
        for box in (self.undecided, self.go_on, self.zoom, self.dim):
            more.addRow("", box)
        self.parts = (
            self.form_box,
            self.figures,
            self.buttons,
            heading("Class"),
            self.classes,
            self.table_button,
            self.save_button,
        )
        self.lay_out(top, self.hint, *self.parts[:3], self.panel, *self.parts[3:])
