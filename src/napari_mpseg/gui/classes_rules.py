"""The tab *By rules*: a rule set, and a table of its thresholds to change."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note
from napari_mpseg.particles.classes.rules import RULE_SETS, Condition, Rule, RuleSet, load_rules, save_rules

_CLASS, _PROPERTY, _FROM, _TO, _UNIT = range(5)
_HEADINGS = ("Class", "Property", "From", "Below", "Unit")
_FILES = "Rule sets (*.json)"


class RuleEditor(QWidget):
    """Choose a rule set and change its thresholds.

    Parameters
    ----------
    memory : Memory
        Holds the last choice and folder.
    say : callable
        Shows a text and its kind (``"error"``, ``"done"``).
    """

    def __init__(self, memory: Memory, say: Callable[[str, str], None]) -> None:
        super().__init__()
        self._memory, self._say = memory, say
        self._sets: list[RuleSet] = list(RULE_SETS.values())
        self.choice = QComboBox()
        self.choice.addItems([rules.name for rules in self._sets])
        self.choice.setToolTip("Which rules. The first one that fits a particle decides.")
        self.about = note()
        self.thresholds = QTableWidget(0, len(_HEADINGS))
        self.thresholds.setHorizontalHeaderLabels(_HEADINGS)
        self.thresholds.verticalHeader().hide()
        self.thresholds.setToolTip(
            "Double click a number to change it; empty is no limit. A value equal to “From” belongs to the class, one "
            "equal to “Below” does not, unless > or ≤ stands before the number."
        )
        self.rest = note()
        self.reset_button = _button("Reset", "Take back all changes to the thresholds", self.reset)
        self.save_button = _button("Save rules …", "Save these rules as a JSON file", self.ask_and_save)
        self.load_button = _button("Load rules …", "Take rules from a JSON file", self.ask_and_load)
        buttons = QHBoxLayout()
        for button in (self.reset_button, self.save_button, self.load_button):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        for part in (self.choice, self.about, self.thresholds, self.rest):
            column.addWidget(part)
        column.addLayout(buttons)
        column.addStretch(1)
        names = [rules.name for rules in self._sets]
        remembered = self._memory.get("rules", "")
        self.choice.setCurrentIndex(names.index(remembered) if remembered in names else 0)
        self.choice.currentIndexChanged.connect(self.reset)
        self.reset()

    @property
    def rules(self) -> RuleSet:
        """The rules as the table shows them.

        Raises
        ------
        SettingsError
            If a threshold is not a number, or the ends are the wrong way round.
        """
        chosen = self._chosen
        row, changed = 0, []
        for rule in chosen.rules:
            conditions = []
            for condition in rule.conditions:
                conditions.append(self._condition(row, condition))
                row += 1
            changed.append(Rule(rule.name, tuple(conditions)))
        rules = replace(chosen, rules=tuple(changed))
        return rules if rules == chosen else replace(rules, name=f"{chosen.name.removesuffix(', changed')}, changed")

    @property
    def _chosen(self) -> RuleSet:
        return self._sets[self.choice.currentIndex()]

    def remember(self) -> None:
        """Keep the choice for the next session."""
        self._memory.set(rules=self._chosen.name)

    def reset(self) -> None:
        """Show the thresholds of the chosen rule set."""
        chosen = self._chosen
        self.about.setText(chosen.description)
        self.rest.setText(f"Everything else: <b>{chosen.default}</b>")
        self.thresholds.setRowCount(sum(len(rule.conditions) for rule in chosen.rules))
        row = 0
        for rule in chosen.rules:
            for number, condition in enumerate(rule.conditions):
                self._show(row, rule.name if number == 0 else "and", condition)
                row += 1
        self.thresholds.resizeColumnsToContents()
        self.thresholds.horizontalHeader().setSectionResizeMode(_PROPERTY, QHeaderView.ResizeMode.Stretch)
        height = self.thresholds.horizontalHeader().height() + sum(map(self.thresholds.rowHeight, range(row))) + 4
        self.thresholds.setFixedHeight(height)

    def _show(self, row: int, name: str, condition: Condition) -> None:
        quantity = f"{condition.quantity} / {condition.over}" if condition.over else condition.quantity
        low = "" if condition.lowest is None else f"{'' if condition.includes_lowest else '> '}{condition.lowest:g}"
        high = "" if condition.highest is None else f"{'≤ ' if condition.includes_highest else ''}{condition.highest:g}"
        unit = "" if condition.over else condition.unit
        for column, text in enumerate((name, quantity, low, high, unit)):
            item = QTableWidgetItem(text)
            fixed = column in (_CLASS, _PROPERTY) or (column == _UNIT and not unit)
            if fixed:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            item.setToolTip(quantity if column == _PROPERTY else self.thresholds.toolTip())
            self.thresholds.setItem(row, column, item)

    def _condition(self, row: int, condition: Condition) -> Condition:
        lowest, given = self._number(row, _FROM)
        highest, also = self._number(row, _TO)
        return replace(
            condition,
            lowest=lowest,
            highest=highest,
            includes_lowest=given != ">",
            includes_highest=also in ("≤", "<="),
            unit=condition.unit if condition.over else self._text(row, _UNIT),
        )

    def _number(self, row: int, column: int) -> tuple[float | None, str]:
        text = self._text(row, column)
        match = re.fullmatch(r"(>=|<=|>|<|≥|≤)?\s*(.*)", text)
        sign, number = (match[1] or "", match[2]) if match else ("", text)
        if not number:
            return None, sign
        try:
            return float(number.replace(",", ".")), sign
        except ValueError:
            name, quantity = self._text(row, _CLASS), self._text(row, _PROPERTY)
            raise SettingsError(
                f"“{text}” in the row {name} – {quantity} is not a number. Write one such as 0.3, or leave it empty."
            ) from None

    def _text(self, row: int, column: int) -> str:
        item = self.thresholds.item(row, column)
        return item.text().strip() if item is not None else ""

    def ask_and_save(self) -> None:
        """Ask for a file name and save the rules."""
        path, _ = QFileDialog.getSaveFileName(self, "Save rules", self._proposed(f"{self._chosen.name}.json"), _FILES)
        if path:
            self._try(self._save, Path(path if Path(path).suffix else f"{path}.json"))

    def ask_and_load(self) -> None:
        """Ask for a file and take its rules."""
        path, _ = QFileDialog.getOpenFileName(self, "Load rules", self._proposed(""), _FILES)
        if path:
            self._try(self._load, Path(path))

    def _save(self, path: Path) -> str:
        save_rules(self.rules, path)
        return f"Rules saved in {path}."

    def _load(self, path: Path) -> str:
        rules = load_rules(path)
        self._sets.append(rules)
        self.choice.addItem(f"{rules.name} ({path.name})")
        self.choice.setCurrentIndex(len(self._sets) - 1)
        return f"Rules of {path} taken; press Apply rules."

    def _proposed(self, name: str) -> str:
        return str(Path(self._memory.get("folder", str(Path.home()))) / name)

    def _try(self, work: Callable[[Path], str], path: Path) -> None:
        try:
            told = work(path)
        except MpsegError as error:
            self._say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self._say(told, "done")


def _button(text: str, tooltip: str, clicked: Callable[[], Any]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.clicked.connect(lambda: clicked())
    return button
