"""The settings of the chosen method, read from the function that builds it: a new method needs no new form."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from magicgui.widgets import Container, create_widget
from qtpy.QtWidgets import QVBoxLayout, QWidget

_NOT_OPTIONS = ("device",)  # a preference, not a setting of the method
_KINDS = (bool, int, float, str)


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
        self._defaults = options_of(method)
        if self._defaults:
            fields = [_field(name, value) for name, value in self._defaults.items()]
            self._form = Container(widgets=fields, labels=True)
            self._form.margins = (0, 0, 0, 0)
            self.layout().addWidget(self._form.native)
        return bool(self._defaults)


def options_of(method: str) -> dict[str, Any]:
    """Return the plain options of a registered method with their defaults; none for a model file."""
    from napari_mpseg.methods import METHODS

    if method not in METHODS:
        return {}
    entry = METHODS[method]
    module, name = entry.factory.split(":")
    parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters.values()
    free = [one for one in parameters if one.name not in (*_NOT_OPTIONS, *entry.options)]
    return {one.name: one.default for one in free if isinstance(one.default, _KINDS)}


def _field(name: str, value: Any) -> Any:
    limits = {"min": -1e6, "max": 1e6} if isinstance(value, (int, float)) and not isinstance(value, bool) else {}
    return create_widget(name=name, label=name.replace("_", " ").capitalize(), value=value, options=limits)
