"""The choice of a way to leave out empty parts of an image."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from napari_mpseg.gui.memory import Memory
from napari_mpseg.inference.screening import SCREENS


class EmptyChoice(QComboBox):
    """Offers the registry of screens, and none.

    Parameters
    ----------
    memory : Memory
        Where the choice is remembered.
    """

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self.setToolTip(
            "Leave out parts of the image that cannot hold a particle, as far as a quick look tells: several times "
            "faster on filters with few particles, at the risk of losing faint ones. Four places are looked at in full "
            "before; a note tells if particles would be lost there. To be sure, compare once with all parts computed."
        )
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.addItem("computed like the rest", None)
        for name, entry in SCREENS.items():
            self.addItem(f"skipped: {entry.title}", name)
            self.setItemData(self.count() - 1, entry.summary, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(max(0, self.findData(memory.get("skip_empty", "") or None)))

    @property
    def way(self) -> str | None:
        """The chosen way; None for none."""
        chosen: str | None = self.currentData()
        return chosen

    def remember(self) -> None:
        """Keep the choice for next time."""
        self._memory.set(skip_empty=self.way or "")
