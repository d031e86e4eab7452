"""The choice of a method for many images: those that must be given something on each image cannot be chosen."""

from __future__ import annotations

from typing import Any, cast

from qtpy.QtCore import Qt
from qtpy.QtGui import QStandardItemModel

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.method_choice import MethodChoice
from napari_mpseg.gui.method_inputs import inputs_of

_SETTINGS = "Make its settings on one image and save them as a method file; choose that with “From file …”."
_PER_IMAGE = "It needs {what} on every image, so it cannot be used on a folder. Use it in Segment particles."


class BatchMemory(Memory):
    """Remembers what was chosen for folders; what never was is as it was chosen for single images.

    Parameters
    ----------
    first : Memory
        Of the widget for single images. The models used last are the same in both.
    """

    def __init__(self, widget: str, first: Memory) -> None:
        super().__init__(widget)
        self._first = first

    def get(self, key: str, default: Any) -> Any:
        """Return a remembered value; without one that of the other widget."""
        if key == "models":
            return self._first.get(key, default)
        return super().get(key, self._first.get(key, default))

    def set(self, **values: Any) -> None:
        """Remember values."""
        models = values.pop("models", None)
        if models is not None:
            self._first.set(models=models)
        super().set(**values)


class BatchMethod(MethodChoice):
    """Every method; those that need clicked points or painted labels are grey, and say what to do instead."""

    def choose(self, method: str) -> None:
        """Choose a method; in place of one that cannot be used here the bundled network."""
        super().choose("default" if inputs_of(method) else method)

    def _fill(self) -> None:
        super()._fill()
        model = cast("QStandardItemModel", self.model())
        for index in range(self.count()):
            method = self.itemData(index)
            needed = inputs_of(method) if isinstance(method, str) and not method.startswith("\0") else ()
            if not needed:
                continue
            settings = all(one.kind == "settings" for one in needed)
            what = " and ".join(one.title.lower() for one in needed)
            model.item(index).setFlags(Qt.ItemFlag.NoItemFlags)
            tip = _SETTINGS if settings else _PER_IMAGE.format(what=what)
            self.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)
