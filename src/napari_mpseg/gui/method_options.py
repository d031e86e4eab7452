"""The settings of the chosen method, read from the function that builds it: a new method needs no new form."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import Container, create_widget
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_mpseg.methods.options import MethodOption, options_of


class MethodOptions(QWidget):
    """One field for each plain option of a method: numbers, texts, yes or no; hidden where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form: Container | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    @property
    def values(self) -> dict[str, Any]:
        """What was chosen, by option; only what differs from the method's own defaults."""
        fields = self._form or ()
        return {field.name: field.value for field in fields if field.value != self._defaults[field.name]}

    def show_for(self, method: str) -> bool:
        """Show the options of a registered method; return whether it has any."""
        if self._form is not None:
            self.layout().removeWidget(self._form.native)
            self._form.native.deleteLater()
            self._form = None
        options = options_of(method)
        self._defaults = {option.name: option.default for option in options}
        if self._defaults:
            fields = [_field(option) for option in options]
            for field, option in zip(fields, options, strict=True):
                field.tooltip = option.help
            self._form = Container(widgets=fields, labels=True)
            self._form.margins = (0, 0, 0, 0)
            self.layout().addWidget(self._form.native)
        return bool(self._defaults)


def _field(option: MethodOption) -> Any:
    choices: dict[str, Any] = {}
    if option.choices:
        choices = {"widget_type": "ComboBox", "options": {"choices": option.choices}}
    elif isinstance(option.default, (int, float)) and not isinstance(option.default, bool):
        choices = {"options": {"min": -1e6, "max": 1e6}}
    return create_widget(name=option.name, label=option.title, value=option.default, **choices)
