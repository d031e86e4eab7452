"""The part of the form on what is cleaned: strands, holes, sizes, edges."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QWidget

from napari_mpseg.calibration import Calibration
from napari_mpseg.gui.instances_fields import Choice, NumberEdit, row

NONE, ALL, UP_TO = "none", "all", "up to"


class CleaningForm(QWidget):
    """Fields for the clean-up steps of :class:`~napari_mpseg.particles.instances.InstanceSettings`.

    Signals
    -------
    changed()
        A field has another value.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._calibration = Calibration()
        self._unit = "px"
        self._build()
        for signal in (
            self.join.toggled,
            self.dilate.valueChanged,
            self.erode.valueChanged,
            self.keeps.currentIndexChanged,
            self.holes.currentIndexChanged,
            self.largest_hole.valueChanged,
            self.least.valueChanged,
            self.most.valueChanged,
            self.edges.toggled,
            self.connectivity.currentIndexChanged,
        ):
            signal.connect(self._on_changed)
        self.unit.currentIndexChanged.connect(self._on_unit)
        self._on_changed()

    def _build(self) -> None:
        self.join = QCheckBox("dilate, then erode")
        self.join.setToolTip("Join pieces that lie close together, such as broken strands of one fibre")
        self.dilate = NumberEdit("Side of the square by which particles grow", 1)
        self.erode = NumberEdit("Side of the square by which they shrink again; the same side grows nothing", 1)
        self.keeps = Choice(
            {"joined": "particles are what is joined", "own": "particles keep their own pixels"},
            "What belongs to a joined particle. With its own pixels only, it may lie in several pieces.",
        )
        self.holes = Choice({NONE: "none", ALL: "all", UP_TO: "up to"}, "Holes inside a particle that become particle")
        self.largest_hole = NumberEdit("Area of the largest hole that is filled")
        self.least = NumberEdit("Smaller particles are dropped")
        self.most = NumberEdit("Larger particles are dropped; 0 for no limit")
        self.most.setSpecialValueText("no limit")
        self.edges = QCheckBox("Drop particles at the border of the image")
        self.edges.setToolTip("They are cut off, so their sizes are too small")
        self.connectivity = Choice(
            {2: "sides or corners (8)", 1: "sides (4)"}, "Which pixels touch and so belong to one particle"
        )
        self.unit = Choice({"px": "px"}, "Unit of the sizes on this form; areas are in its square")
        self._joining = row(self.dilate, "then", self.erode)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Join strands", self.join)
        form.addRow("", self._joining)
        form.addRow("", self.keeps)
        form.addRow("Fill holes", row(self.holes, self.largest_hole))
        form.addRow("Keep sizes", row(self.least, "to", self.most))
        form.addRow("Sizes in", self.unit)
        form.addRow("Pixels touch", self.connectivity)
        form.addRow("", self.edges)
        self._form = form

    @property
    def values(self) -> dict[str, Any]:
        """The settings as keyword arguments."""
        join = self.join.isChecked()
        holes: float | None = {NONE: 0.0, ALL: None}.get(self.holes.value, self.largest_hole.value())
        return {
            "join_dilate": self.dilate.value() if join else 0.0,
            "join_erode": self.erode.value() if join else 0.0,
            "join_keeps": self.keeps.value,
            "fill_holes": holes,
            "min_size": self.least.value(),
            "max_size": self.most.value() or None,
            "exclude_on_edges": self.edges.isChecked(),
            "connectivity": self.connectivity.value,
            "unit": self.unit.value,
        }

    def take(self, calibration: Calibration) -> None:
        """Offer the unit of a pixel size."""
        if calibration == self._calibration:
            return
        chosen = self.unit.value
        if not calibration.calibrated or (chosen != "px" and chosen != calibration.unit):
            self.unit.choose("px")  # sizes become pixels by the old pixel size
            chosen = "px"
        self._calibration = calibration
        self.unit.blockSignals(True)
        self.unit.clear()
        self.unit.addItem("px", "px")
        if calibration.calibrated:
            self.unit.addItem(calibration.unit.replace("um", "µm"), calibration.unit)
        self.unit.choose(chosen)
        self.unit.blockSignals(False)
        self._on_changed()

    def restore(self, kept: dict[str, Any]) -> None:
        """Show what was chosen last, in px; what is missing stays as it is."""
        self.join.setChecked(bool(kept.get("join", False)))
        for field, name, default in self._numbers():
            try:
                field.setValue(float(kept.get(name, default)))
            except (TypeError, ValueError):
                field.setValue(default)
        self.keeps.choose(kept.get("keeps"))
        self.holes.choose(kept.get("holes"))
        self.connectivity.choose(kept.get("connectivity"))
        self.edges.setChecked(bool(kept.get("edges", False)))

    def remembered(self) -> dict[str, Any]:
        """Return what is chosen, sizes in px, so that it fits images of any pixel size."""
        numbers = {name: field.value() / self._per_pixel(name, self.unit.value) for field, name, _ in self._numbers()}
        return {
            **numbers,
            "join": self.join.isChecked(),
            "keeps": self.keeps.value,
            "holes": self.holes.value,
            "connectivity": self.connectivity.value,
            "edges": self.edges.isChecked(),
        }

    def _numbers(self) -> list[tuple[NumberEdit, str, float]]:
        return [
            (self.dilate, "dilate", 15.0),  # as in Badillo-Cardenas et al.
            (self.erode, "erode", 9.0),
            (self.largest_hole, "hole_area", 10.0),
            (self.least, "least_area", 0.0),
            (self.most, "most_area", 0.0),
        ]

    def _per_pixel(self, name: str, unit: str) -> float:
        """Return the side or the area of one pixel in a unit of the form."""
        if unit == "px" or not self._calibration.calibrated:
            return 1.0
        height, width = self._calibration.converted(unit).pixel_size
        return float(height * width if name.endswith("area") else (height * width) ** 0.5)

    def _on_unit(self) -> None:
        """Turn the numbers into the new unit, so that they mean the same."""
        before, self._unit = self._unit, str(self.unit.value)
        for field, name, _ in self._numbers():
            value = field.value() * self._per_pixel(name, self._unit) / self._per_pixel(name, before)
            field.blockSignals(True)
            field.setMinimum(1 if self._unit == "px" and field in (self.dilate, self.erode) else 0)
            field.setValue(value)
            field.blockSignals(False)
        self._on_changed()

    def _on_changed(self) -> None:
        unit = str(self.unit.currentText())
        for field, name, _ in self._numbers():
            area = f" {unit}²" if name.endswith("area") else f" {unit}"
            field.setSuffix(area)
        self._form.setRowVisible(self._joining, self.join.isChecked())
        self._form.setRowVisible(self.keeps, self.join.isChecked())
        self.largest_hole.setVisible(self.holes.value == UP_TO)
        self.changed.emit()
