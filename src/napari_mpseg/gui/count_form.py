"""The part of the form on how is counted: joining, holes, sizes."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QCheckBox, QFormLayout

from napari_mpseg.errors import SettingsError
from napari_mpseg.gui.instances_cleaning import ALL, NONE, UP_TO, CleaningForm
from napari_mpseg.gui.instances_fields import Choice, NumberEdit, row


class CountForm(CleaningForm):
    """Fields for :class:`~napari_mpseg.particles.counting.CountSettings`, with units as the clean-up has them.

    Signals
    -------
    changed()
        A field has another value.
    """

    def _build(self) -> None:
        # what joining is for elsewhere, and here is always on or never asked for
        self.join, self.edges = QCheckBox(self), QCheckBox(self)
        self.join.setChecked(True)
        self.keeps, self.most = Choice({"own": "own"}, ""), NumberEdit("")
        for unused in (self.join, self.edges, self.keeps, self.most):
            unused.setParent(self)
            unused.hide()
        self.dilate = NumberEdit("Side of the square by which particles grow: pieces nearer than that become one", 1)
        self.erode = NumberEdit("Side of the square by which they shrink again; smaller than the first in the paper", 1)
        self.first = QCheckBox("Shrink before growing")
        self.first.setToolTip("Specks that the smaller square does not fit into are dropped, and so are thin fibres")
        self.holes = Choice(
            {ALL: "any size: outer outlines only", NONE: "none: both count", UP_TO: "up to"},
            "What lies in a hole of a particle is part of it, for holes of this size",
        )
        self.largest_hole = NumberEdit("Area of the largest such hole")
        self.least = NumberEdit("Boxes with fewer own pixels are dropped")
        self.connectivity = Choice(
            {2: "sides or corners (8)", 1: "sides (4)"}, "Which pixels touch and so belong to one particle"
        )
        self.unit = Choice({"px": "px"}, "Unit of the sizes on this form; areas are in its square")
        self._joining = row(self.dilate, "shrink", self.erode)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Join: grow", self._joining)
        form.addRow("", self.first)
        form.addRow("In holes", row(self.holes, self.largest_hole))
        form.addRow("Least size", self.least)
        form.addRow("Sizes in", self.unit)
        form.addRow("Pixels touch", self.connectivity)
        self._form = form
        self.first.toggled.connect(lambda on: self.changed.emit())

    def check(self) -> None:
        """Say in the words of this form what is impossible.

        Raises
        ------
        SettingsError
            If particles would shrink by more than they grow.
        """
        grow, shrink, unit = self.dilate.value(), self.erode.value(), self.unit.currentText()
        if shrink > grow:
            raise SettingsError(
                f"Particles that grow by {grow:g} {unit} and shrink by {shrink:g} {unit} would be eaten away. "
                f"Let them shrink by {grow:g} {unit} at most, or grow by more."
            )

    @property
    def values(self) -> dict[str, Any]:
        """The settings as keyword arguments."""
        holes: float | None = {NONE: 0.0, ALL: None}.get(self.holes.value, self.largest_hole.value())
        return {
            "dilate": self.dilate.value(),
            "erode": self.erode.value(),
            "erode_first": self.first.isChecked(),
            "fill_holes": holes,
            "min_size": self.least.value(),
            "connectivity": self.connectivity.value,
            "unit": self.unit.value,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Show what was chosen last, in px; what is missing stays as it is."""
        super().restore({**kept, "join": True})
        self.first.setChecked(bool(kept.get("erode_first", False)))

    def remembered(self) -> dict[str, Any]:
        """Return what is chosen, sizes in px."""
        return {**super().remembered(), "erode_first": self.first.isChecked()}

    def _on_changed(self) -> None:
        unit = str(self.unit.currentText())
        for field, name, _ in self._numbers():
            field.setSuffix(f" {unit}²" if name.endswith("area") else f" {unit}")
        self.largest_hole.setVisible(self.holes.value == UP_TO)
        self.changed.emit()
