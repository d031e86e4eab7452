"""The settings of the chosen method, read from the function that builds it: a new method needs no new form."""

from __future__ import annotations

import json
from typing import Any

from qtpy.QtWidgets import QFormLayout, QPushButton

from napari_mpseg.errors import SettingsError
from napari_mpseg.gui.form_rows import FormRows
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.option_field import OptionField
from napari_mpseg.methods.options import MethodOption, options_of


class MethodOptions:
    """One row of a form for each plain option of a method: numbers, choices, texts, yes or no.

    What was chosen for a method is there again when one comes back to it.

    Parameters
    ----------
    form : QFormLayout
        Where the rows are added.
    memory : Memory
        Keeps what was chosen for each method.

    Attributes
    ----------
    fields : dict of OptionField
        By option, of the method that is shown.
    """

    def __init__(self, form: QFormLayout, memory: Memory) -> None:
        self._rows, self._memory = FormRows(form), memory
        self._method = ""
        self._kept: dict[str, dict[str, Any]] = {}
        self._back: QPushButton | None = None
        self.fields: dict[str, OptionField] = {}

    @property
    def values(self) -> dict[str, Any]:
        """What was chosen, by option; only what differs from the method's own defaults."""
        return {name: field.value for name, field in self.fields.items() if field.value != field.option.default}

    def show_for(self, method: str) -> None:
        """Show the options of a registered method, as they were chosen last."""
        if self._method:
            self._kept[self._method] = self.values
        self._rows.clear()
        self._method = method
        self.fields = {option.name: OptionField(option) for option in options_of(method)}
        if not self.fields:
            return
        chosen = self._kept[method] if method in self._kept else self._remembered(method)
        for name, field in self.fields.items():
            self._rows.add(field.option.title, field)
            if _fits(field.option, chosen.get(name)):
                field.value = chosen[name]
            field.changed.connect(self._offer_defaults)
        self._back = QPushButton("Back to the method's defaults")
        self._back.setToolTip("Forget what was set here for this method")
        self._back.clicked.connect(self.reset)
        self._rows.add("", self._back)
        self._offer_defaults()

    def reset(self) -> None:
        """Show the method's own defaults."""
        for field in self.fields.values():
            field.value = field.option.default

    def remember(self) -> None:
        """Keep what was chosen for this method for the next time."""
        if self.fields:
            self._memory.set(**{_key(self._method): json.dumps(self.values)})

    def _remembered(self, method: str) -> dict[str, Any]:
        try:
            found = json.loads(self._memory.get(_key(method), "{}"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _offer_defaults(self) -> None:
        assert self._back is not None
        self._rows.set_visible(self._back, bool(self.values))


def _key(method: str) -> str:
    return f"options_of_{method}"


def _fits(option: MethodOption, value: Any) -> bool:
    try:
        option.checked(value)
    except SettingsError:
        return False
    return True
