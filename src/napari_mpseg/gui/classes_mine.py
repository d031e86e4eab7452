"""The tab *From my classes*: classes with their counts, and giving them to particles."""

from __future__ import annotations

import pandas as pd
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note
from napari_mpseg.particles.classes.models import CLASSIFIERS, ClassifierSettings
from napari_mpseg.particles.classes.rules import UNCLASSIFIED

_PROPOSED = ("fibre", "fragment", "film", "bead")
_ROWS_SHOWN = 6


class MineEditor(QWidget):
    """Lists classes and asks for them to be given to the selected particles.

    Parameters
    ----------
    memory : Memory
        Holds the classes' names and the kind of classifier.

    Signals
    -------
    assign_requested(str), unassign_requested(), take_all_requested()
        What is to be done with the selected particles, or all.
    class_added(str)
        A new name was typed.
    save_requested(), load_requested()
        Of the classifier.
    """

    assign_requested = Signal(str)
    unassign_requested = Signal()
    take_all_requested = Signal()
    class_added = Signal(str)
    save_requested = Signal()
    load_requested = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self._counts = pd.DataFrame({"all": [], "mine": []})
        self._own: list[str] = memory.get("classes", list(_PROPOSED))
        self.how = note(
            "Select a particle in the picture, or rows of the features table, and give it a class. "
            "Do so for 3 or more of each class, then train."
        )
        self.classes = QTableWidget(0, 3)
        self.classes.setHorizontalHeaderLabels(("Class", "Mine", "All"))
        self.classes.verticalHeader().hide()
        self.classes.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.classes.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.classes.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.classes.setToolTip("Double click gives the class to the selected particles")
        self.classes.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.classes.itemDoubleClicked.connect(lambda item: self._assign())
        self.classes.itemSelectionChanged.connect(self._name_button)
        self.new_name = QLineEdit()
        self.new_name.setPlaceholderText("New class")
        self.new_name.returnPressed.connect(self._add)
        self.add_button = self._button("Add", "Add this class to the list", self._add)
        self.remove_button = self._button("Remove", "Take a class that no particle has off the list", self._remove)
        self.assign_button = self._button("Assign", "Give this class to the selected particles", self._assign)
        self.unassign_button = self._button(
            "Not mine", "Take back your class of the selected particles", self.unassign_requested.emit
        )
        self.all_button = self._button(
            "All are mine",
            "Count every class that is in the table now as yours, for example after you corrected them all",
            self.take_all_requested.emit,
        )
        self.model = QComboBox()
        for name in CLASSIFIERS:
            self.model.addItem(name.replace("-", " "), name)
        self.model.setCurrentIndex(max(0, self.model.findData(memory.get("model", "random-forest"))))
        self.model.setToolTip("Random forest suits most; logistic regression is steadier with very few particles")
        self.size = QCheckBox("Look at size too")
        self.size.setChecked(memory.get("size", True))
        self.size.setToolTip(
            "Without, classes are told apart by shape and brightness alone, and hold for sizes that none of yours had"
        )
        self.save_button = self._button("Save classifier …", "Save what was learnt", self.save_requested.emit)
        self.save_button.setEnabled(False)
        self.load_button = self._button("Load and apply …", "Use a saved classifier", self.load_requested.emit)
        self._lay_out()
        self.show_counts(self._counts)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.addWidget(self.how)
        column.addWidget(self.classes)
        for row in (
            (self.new_name, self.add_button, self.remove_button),
            (self.assign_button, self.unassign_button, self.all_button),
        ):
            line = QHBoxLayout()
            for part in row:
                line.addWidget(part, 1 if part in (self.new_name, self.assign_button) else 0)
            column.addLayout(line)
        form = QFormLayout()
        form.addRow("Classifier", self.model)
        form.addRow("", self.size)
        column.addLayout(form)
        files = QHBoxLayout()
        files.addWidget(self.save_button)
        files.addWidget(self.load_button)
        column.addLayout(files)
        column.addStretch(1)

    @property
    def settings(self) -> ClassifierSettings:
        """How to train."""
        return ClassifierSettings(self.model.currentData(), size=self.size.isChecked())

    @property
    def chosen(self) -> str:
        """The class that is chosen in the list, or what is typed; empty if neither."""
        row = self.classes.currentRow()
        item = self.classes.item(row, 0) if row >= 0 else None
        return item.text() if item is not None else self.new_name.text().strip()

    def remember(self) -> None:
        """Keep names and model for the next session."""
        self._memory.set(classes=self._own, model=self.model.currentData(), size=self.size.isChecked())

    def show_counts(self, counts: pd.DataFrame) -> None:
        """Show how many particles have each class; classes of the list that nobody has yet stay in it."""
        self._counts = counts
        chosen = self.chosen
        names = [name for name in dict.fromkeys((*self._own, *map(str, counts.index))) if name != UNCLASSIFIED]
        self.classes.setRowCount(len(names))
        for row, name in enumerate(names):
            numbers = (int(counts[column].get(name, 0)) for column in ("mine", "all"))
            for place, text in enumerate((name, *(f"{number:,}" for number in numbers))):
                item = QTableWidgetItem(text)
                if place:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.classes.setItem(row, place, item)
        if chosen in names:
            self.classes.selectRow(names.index(chosen))
        rows = self.classes.rowHeight(0) * min(max(len(names), 3), _ROWS_SHOWN) if names else 60
        self.classes.setFixedHeight(self.classes.horizontalHeader().height() + rows + 4)
        self._name_button()

    def choose(self, name: str) -> None:
        """Select a class in the list."""
        found = self.classes.findItems(name, Qt.MatchFlag.MatchExactly)
        if found:
            self.classes.selectRow(found[0].row())

    def _add(self) -> None:
        name = self.new_name.text().strip()
        if name and name != UNCLASSIFIED:
            if name not in self._own:
                self._own.append(name)
            self.new_name.clear()
            self.class_added.emit(name)
            self.choose(name)

    def _remove(self) -> None:
        if self.chosen in self._own:
            self._own.remove(self.chosen)
            self.classes.clearSelection()
            self.classes.setCurrentCell(-1, -1)
            self.show_counts(self._counts)

    def _assign(self) -> None:
        if self.new_name.text().strip():
            self._add()
        self.assign_requested.emit(self.chosen)

    def _name_button(self) -> None:
        name = self.chosen
        self.assign_button.setText(f"Assign {name}" if name else "Assign")
        used = name in self._counts.index and self._counts.loc[name].any()
        self.remove_button.setEnabled(name in self._own and not used)

    @staticmethod
    def _button(text: str, tooltip: str, clicked: object) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda: clicked())  # type: ignore[operator]
        return button
