"""The ranges of colour that somebody sets by hand, and undo. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.colour_ranges import ColourRange, ColourThreshold
from napari_mpseg.methods.colour_spaces import COLOUR_SPACES

_MOST_STEPS = 200
_SHORT = {"lightness": "L*", "a": "a*", "b": "b*"}
PICK_FIRST = "Every colour is in. Press “Pick a colour” and click on a particle, or move the end of a slider."


@dataclass(frozen=True)
class Row:
    """One range in the list.

    Attributes
    ----------
    range : ColourRange
        As the sliders show it: no end passes over 255.
    on : bool
        Whether it counts.
    excluded : bool
        Whether its colours are left out instead of found.
    """

    range: ColourRange = field(default_factory=ColourRange)
    on: bool = True
    excluded: bool = False

    def text(self, short: bool = False) -> str:
        """Return the row as a line of a list: in full, or with one letter for each component."""
        space = COLOUR_SPACES[self.range.space]
        names = [_SHORT.get(name, name[0].upper()) if short else name for name in space.components]
        parts = [
            f"{names[number]} {'' if self.range.inside[number] else 'not '}"
            f"{self.range.low[number]}–{self.range.high[number]}"
            for number in self.range.limits
        ]
        return f"{'without ' if self.excluded else ''}{space.title}: {', '.join(parts) or 'every colour'}"


@dataclass(frozen=True)
class Rows:
    """All ranges, and which one is in the form."""

    rows: tuple[Row, ...] = (Row(),)
    current: int = 0

    @property
    def row(self) -> Row:
        """The one in the form."""
        return self.rows[self.current]

    def with_row(self, row: Row, number: int | None = None) -> Rows:
        """Return them with another row, the one in the form unless a number is given."""
        number = self.current if number is None else number
        return replace(self, rows=(*self.rows[:number], row, *self.rows[number + 1 :]))

    def added(self, row: Row) -> Rows:
        """Return them with a row after the one in the form, which then is the one in the form."""
        at = self.current + 1
        return Rows((*self.rows[:at], row, *self.rows[at:]), at)

    def without_current(self) -> Rows:
        """Return them without the row in the form; a range of every colour, if it was the only one."""
        rest = (*self.rows[: self.current], *self.rows[self.current + 1 :])
        return Rows(rest, min(self.current, len(rest) - 1)) if rest else Rows()

    def threshold(self) -> ColourThreshold:
        """Return the ranges that count.

        A range of every colour is one that is not set yet, unless it is all there is beside what is left out.

        Raises
        ------
        SettingsError
            If none counts, or if every colour is in.
        """
        ranges = tuple(row.range for row in self.rows if row.on and not row.excluded)
        excluded = tuple(row.range for row in self.rows if row.on and row.excluded and row.range.limits)
        limited = tuple(one for one in ranges if one.limits)
        if not ranges:
            raise SettingsError("No range is ticked that finds anything. Tick one in the list, or add one.")
        if not limited and not excluded:
            raise SettingsError(PICK_FIRST)
        return ColourThreshold(limited or ranges[:1], excluded)


def rows_of(threshold: ColourThreshold) -> Rows:
    """Return ranges as a list to be changed."""
    wanted = tuple(Row(shown(one)) for one in threshold.ranges)
    return Rows((*wanted, *(Row(shown(one), excluded=True) for one in threshold.excluded)))


def shown(one: ColourRange) -> ColourRange:
    """Return the same range with no end passing over 255, as two ends of a slider cannot.

    Hue 240 to 20 is what lies outside 21 to 239.
    """
    low, high, inside = list(one.low), list(one.high), list(one.inside)
    for number in range(3):
        if low[number] <= high[number]:
            continue
        if (high[number] - low[number]) % 256 == 255:
            low[number], high[number] = 0, 255
        else:
            low[number], high[number] = high[number] + 1, low[number] - 1
            inside[number] = not inside[number]
    return ColourRange(
        one.space, (low[0], low[1], low[2]), (high[0], high[1], high[2]), (inside[0], inside[1], inside[2])
    )


class RowsHistory:
    """The rows of now, what they were before, and what was undone.

    Parameters
    ----------
    rows : Rows
        To begin with.
    """

    def __init__(self, rows: Rows) -> None:
        self.now = rows
        self._done: list[Rows] = []
        self._undone: list[Rows] = []
        self._going = ""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone)

    def change(self, rows: Rows, going: str = "") -> bool:
        """Take other rows as one step; return whether they differ.

        Parameters
        ----------
        rows : Rows
            The new ones.
        going : str
            What is going on, such as the slider that is dragged: changes of the same kind, one after the other until
            :meth:`settle`, are one step.
        """
        if rows == self.now:
            return False
        if rows.rows == self.now.rows:  # another one in the form is no change to be undone
            self.now = rows
            self.settle()
            return True
        if not going or going != self._going:
            self._done = [*self._done, self.now][-_MOST_STEPS:]
        self._going = going
        self._undone.clear()
        self.now = rows
        return True

    def settle(self) -> None:
        """End the step that is going on."""
        self._going = ""

    def undo(self) -> None:
        """Take the last step back."""
        self._move(self._done, self._undone)

    def redo(self) -> None:
        """Do again what was undone last."""
        self._move(self._undone, self._done)

    def _move(self, source: list[Rows], target: list[Rows]) -> None:
        if source:
            target.append(self.now)
            self.now = source.pop()
            self.settle()
