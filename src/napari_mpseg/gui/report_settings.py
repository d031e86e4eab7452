"""What a report shall hold: title, size classes, shape classes, plots, tests of the point pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QLineEdit, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.tick_list import TickList

if TYPE_CHECKING:
    from napari_mpseg.reports.item import ReportSettings


class ReportForm(QGroupBox):
    """A form for :class:`~napari_mpseg.reports.item.ReportSettings`, filled with what was chosen last time."""

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        from napari_mpseg.particles.classes.rules import RULE_SETS
        from napari_mpseg.particles.pattern.pattern_tests import PATTERN_TESTS
        from napari_mpseg.plots.registry import PLOTS
        from napari_mpseg.reports.item import ReportSettings

        super().__init__("Report", parent)
        self._memory = memory
        usual = ReportSettings()
        self.title_edit = QLineEdit(memory.get("title", usual.title))
        self.title_edit.setToolTip("Heading of the report")
        self.sizes = QLineEdit(memory.get("sizes", ""))
        self.sizes.setPlaceholderText("as fits the pixel size")
        self.sizes.setToolTip("Borders of the size classes and their unit, such as 20, 50, 100, 500 µm")
        self.rules = QComboBox()
        self.rules.setToolTip("Rules in place of the classes in the table. Classes that you gave stay.")
        self.rules.addItem("as in the table", None)
        for name, rules in RULE_SETS.items():
            self.rules.addItem(f"by rules: {name}", name)
            self.rules.setItemData(self.rules.count() - 1, rules.description, 3)  # 3 = tool tip
        self.rules.setCurrentIndex(max(0, self.rules.findData(memory.get("rules", "") or None)))
        self.plots = TickList()
        self.pattern = TickList()
        _fill(self.plots, PLOTS, lambda entry: entry.summary, _last(memory, "plots", usual.plots))
        _fill(self.pattern, PATTERN_TESTS, lambda entry: entry.definition, _last(memory, "pattern", usual.pattern))
        form = QFormLayout(self)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Title", self.title_edit)
        form.addRow("Size classes", self.sizes)
        form.addRow("Shape classes", self.rules)
        form.addRow("Plots", self.plots)
        form.addRow("Point pattern", self.pattern)

    @property
    def settings(self) -> ReportSettings:
        """What the form says.

        Raises
        ------
        SettingsError
            If the size classes cannot be read.
        """
        from napari_mpseg.particles.sizes import SizeClasses
        from napari_mpseg.reports.item import ReportSettings

        text = self.sizes.text().strip()
        return ReportSettings(
            title=self.title_edit.text().strip() or ReportSettings().title,
            sizes=SizeClasses.parse(text) if text else None,
            rules=self.rules.currentData(),
            pattern=tuple(self.pattern.ticked),
            plots=tuple(self.plots.ticked),
        )

    def remember(self) -> None:
        """Keep the choices for the next time."""
        self._memory.set(
            title=self.title_edit.text(),
            sizes=self.sizes.text().strip(),
            rules=self.rules.currentData() or "",
            plots=",".join(self.plots.ticked),
            pattern=",".join(self.pattern.ticked),
        )


def _last(memory: Memory, key: str, usual: Sequence[str]) -> list[str]:
    """Return the names ticked last time, which may be none."""
    text: str = memory.get(key, ",".join(usual))
    return text.split(",")


def _fill(field: TickList, registry: Mapping[str, Any], tip: Any, ticked: list[str]) -> None:
    field.fill([(name, entry.title, tip(entry)) for name, entry in registry.items()], ticked)
