"""The settings of a synthetic image as a form, read from the dataclass that holds them."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QToolButton, QVBoxLayout, QWidget

from napari_mpseg.gui.form_rows import FormRows
from napari_mpseg.gui.option_field import OptionField
from napari_mpseg.methods.options import MethodOption, Shown
from napari_mpseg.synthesis.setting import Setting, changed, settings_of

_UNITS = {"um": "µm", "per mm2": "per mm²", "degree": "°", "x": "×"}


class SettingsForm(QWidget):
    """A row for each setting; those that are seldom needed are folded away.

    Signals
    -------
    changed()
        Another value.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._settings: Any = None
        self._silent = False
        self.fields: dict[str, OptionField] = {}
        self.more = QToolButton()
        self.more.setText("More settings")
        self.more.setCheckable(True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setToolTip("Membrane, optics, camera and clutter in detail")
        self._basic, self._folded = QWidget(), QWidget()
        self._rows = [FormRows(_form(box)) for box in (self._basic, self._folded)]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for item in (self._basic, self.more, self._folded):
            layout.addWidget(item)
        self.more.toggled.connect(self._fold)
        self._fold(False)

    @property
    def values(self) -> dict[str, Any]:
        """What differs from the settings shown first, by dotted name."""
        return {path: field.value for path, field in self.fields.items() if field.value != field.option.default}

    @property
    def settings(self) -> Any:
        """The settings as they stand in the form.

        Raises
        ------
        SettingsError
            If they cannot be made together.
        """
        return changed(self._settings, self.values)

    def show_for(self, settings: Any, values: dict[str, Any] | None = None) -> None:
        """Show some settings, with other values by dotted name; those that do not fit are passed over."""
        self._silent = True
        for rows in self._rows:
            rows.clear()
        self._settings, self.fields = settings, {}
        for setting in settings_of(settings):
            field = OptionField(_option(setting))
            self._rows[not setting.range.basic].add(setting.title, field)
            self.fields[setting.path] = field
            value = (values or {}).get(setting.path)
            if isinstance(value, (int, float)):
                field.value = type(setting.value)(value)
            field.changed.connect(self._tell)
        self._silent = False
        self._tell()

    def _tell(self) -> None:
        if not self._silent:
            self.changed.emit()

    def _fold(self, shown: bool) -> None:
        self.more.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self._folded.setVisible(shown)


def _form(box: QWidget) -> QFormLayout:
    form = QFormLayout(box)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _option(setting: Setting) -> MethodOption:
    shown = setting.range
    unit = _UNITS.get(shown.unit, shown.unit)
    return MethodOption(
        setting.path,
        setting.value,
        help=setting.help,
        shown=Shown(setting.title, unit, shown.low, shown.high, shown.step),
    )
