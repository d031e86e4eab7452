"""Shape classes by rules: thresholds on measured properties, the first rule that fits wins."""

import numbers
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.classes.columns import check_unit, frame_of, values_in
from napari_mpseg.particles.classes.files import load_json, save_json
from napari_mpseg.particles.review.definitions import UNCLASSIFIED as UNCLASSIFIED
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.registry import Registry

_WHAT = "rule set"


@dataclass(frozen=True)
class Condition:
    """An interval that a property must lie in.

    Attributes
    ----------
    quantity : str
        Property: stem of its column (``"feret_max"``), or the whole name (``"circularity"``, ``"intensity_mean_red"``).
    lowest, highest : float or None
        The ends; None for none.
    includes_lowest, includes_highest : bool
        Whether an end belongs to the interval. As in a histogram, the lower one does and the upper one does not.
    unit : str
        ``""`` for plain numbers; ``"px"``, ``"um"``, ``"nm"`` ... for lengths, ``"px2"``, ``"um2"`` ... for areas. In
        pixels the condition means the same on calibrated and uncalibrated tables; in a unit of length it needs a
        calibrated table, in whatever unit that is.
    over : str
        Divide by this property first: ``quantity="feret_max", over="feret_min"``. Both are taken in the table's unit of
        length where it has them in one, and else in pixels, whatever `unit` says: where pixels are not square a ratio
        of pixels is wrong. `unit` then only says whether they are plain numbers, lengths or areas.

    Raises
    ------
    SettingsError
        If there is no end, an end is no number, the ends are the wrong way round, or the unit is unknown.
    """

    quantity: str
    lowest: float | None = None
    highest: float | None = None
    includes_lowest: bool = True
    includes_highest: bool = False
    unit: str = ""
    over: str = ""

    def __post_init__(self) -> None:
        low, high = self.lowest, self.highest
        for name in ("quantity", "unit", "over"):
            if not isinstance(getattr(self, name), str):
                raise SettingsError(f"A condition's {name} must be a text, not {getattr(self, name)!r}.")
        if not self.quantity.strip():
            raise SettingsError("A condition needs the name of a property, such as circularity.")
        if low is None and high is None:
            raise SettingsError(f"The condition on {self.quantity} needs a lowest or a highest value.")
        given: tuple[Any, ...] = (low, high)
        for end in given:
            if end is not None and (isinstance(end, bool) or not isinstance(end, numbers.Real)):
                raise SettingsError(f"The condition on {self.quantity} has the end {end!r}. Give a number.")
        if any(end is not None and not np.isfinite(end) for end in (low, high)):
            raise SettingsError(f"The condition on {self.quantity} has an end that is not a number: {low} to {high}.")
        if low is not None and high is not None and (low > high or (low == high and not self._holds_both)):
            raise SettingsError(
                f"The condition on {self.quantity} is from {low:g} to {high:g}, which holds nothing. "
                "The lowest value must be below the highest."
            )
        object.__setattr__(self, "unit", check_unit(self.unit))

    @property
    def _holds_both(self) -> bool:
        return self.includes_lowest and self.includes_highest

    def __str__(self) -> str:
        name = f"{self.quantity} / {self.over}" if self.over else self.quantity
        unit = f" {self.unit}" if self.unit and not self.over else ""
        ends = []
        if self.lowest is not None:
            ends.append(f"{'>=' if self.includes_lowest else '>'} {self.lowest:g}{unit}")
        if self.highest is not None:
            ends.append(f"{'<=' if self.includes_highest else '<'} {self.highest:g}{unit}")
        return f"{name} {' and '.join(ends)}"

    def values(self, table: ParticleTable | pd.DataFrame) -> NDArray[np.float64]:
        """Return what is compared, float64 ``(N,)``.

        Raises
        ------
        SettingsError
            If the table lacks it.
        """
        if not self.over:
            return values_in(table, self.quantity, self.unit)
        if self.unit in ("", "deg"):
            return self._ratio(table, self.unit)
        square = "2" if self.unit.endswith("2") else ""
        try:
            found = self._ratio(table, f"um{square}")
        except SettingsError:
            return self._ratio(table, f"px{square}")
        try:
            counted = self._ratio(table, f"px{square}")
        except SettingsError:
            return found
        # square pixels: whole numbers give the ratio without a rounding error, with and without a pixel size
        return np.where(np.isclose(found, counted, rtol=1e-9, atol=0), counted, found)

    def _ratio(self, table: ParticleTable | pd.DataFrame, unit: str) -> NDArray[np.float64]:
        over = values_in(table, self.over, unit)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(values_in(table, self.quantity, unit) / over)

    def holds(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which values lie in the interval, bool ``(N,)``; nan does not."""
        inside = ~np.isnan(values)
        if self.lowest is not None:
            inside &= values >= self.lowest if self.includes_lowest else values > self.lowest
        if self.highest is not None:
            inside &= values <= self.highest if self.includes_highest else values < self.highest
        return inside


@dataclass(frozen=True)
class Rule:
    """A class, and the conditions that must all hold for it. Several rules may name the same class."""

    name: str
    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise SettingsError("A rule needs the name of a class.")
        if not self.conditions:
            raise SettingsError(f"The rule for {self.name!r} needs a condition.")


@dataclass(frozen=True)
class RuleSet:
    """Rules in order; the first that fits wins.

    Attributes
    ----------
    name : str
        What it is called.
    rules : tuple of Rule
        In order.
    default : str
        Class of what no rule fits.
    description : str
        What it is for and where its thresholds come from.

    Raises
    ------
    SettingsError
        If there are no rules.
    """

    name: str
    rules: tuple[Rule, ...]
    default: str = UNCLASSIFIED
    description: str = ""

    def __post_init__(self) -> None:
        if not self.rules:
            raise SettingsError(f"The rule set {self.name!r} has no rules.")
        if not self.default.strip():
            raise SettingsError(f"The rule set {self.name!r} needs a class for what no rule fits.")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in order of the rules, each once, the default and ``"unclassified"`` last."""
        return tuple(dict.fromkeys((*(rule.name for rule in self.rules), self.default, UNCLASSIFIED)))

    @property
    def properties(self) -> tuple[str, ...]:
        """Properties that must have been measured, each once."""
        conditions = [condition for rule in self.rules for condition in rule.conditions]
        return tuple(dict.fromkeys(name for one in conditions for name in (one.quantity, one.over) if name))


def classify_by_rules(table: ParticleTable | pd.DataFrame, rules: RuleSet | str = "mp-vat") -> pd.Series:
    """Return each particle's class.

    Parameters
    ----------
    table : ParticleTable or pandas.DataFrame
        Measured particles, or the features of a labels layer.
    rules : RuleSet or str
        A rule set, or the name of one in :data:`RULE_SETS`.

    Returns
    -------
    pandas.Series
        Categorical, named ``class``, with the table's index and all of :attr:`RuleSet.classes` as categories. Where a
        missing value leaves the first fitting rule open, the class is ``"unclassified"``.

    Raises
    ------
    SettingsError
        If the table lacks a property, or has it in pixels only and the rule is in a unit of length.
    UnknownNameError
        If there is no rule set of that name.

    Examples
    --------
    >>> frame = pd.DataFrame({"circularity": [0.1, 0.3, 0.9, float("nan")]})
    >>> classify_by_rules(frame, "mp-vat").tolist()
    ['fibre', 'fragment', 'particle', 'unclassified']
    """
    chosen = RULE_SETS[rules] if isinstance(rules, str) else rules
    frame = frame_of(table)
    codes = np.full(len(frame), chosen.classes.index(chosen.default), np.int64)
    undecided = np.ones(len(frame), bool)
    for rule in chosen.rules:
        fits, refused = np.ones(len(frame), bool), np.zeros(len(frame), bool)
        for condition in rule.conditions:
            values = condition.values(frame)
            holds = condition.holds(values)
            fits &= holds
            refused |= ~holds & ~np.isnan(values)
        codes[undecided & fits] = chosen.classes.index(rule.name)
        # neither met nor refused: a later rule must not take a particle that might have belonged here
        codes[undecided & ~fits & ~refused] = chosen.classes.index(UNCLASSIFIED)
        undecided &= refused
    return as_classes(codes, chosen.classes, frame.index)


def as_classes(codes: NDArray[np.int64], names: tuple[str, ...], index: pd.Index) -> pd.Series:
    """Return the column ``class`` from the classes' numbers (-1 for none)."""
    values = pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype=object))
    return pd.Series(values, index=index, name="class")


def count_by_class(classes: pd.Series) -> pd.Series:
    """Return the number of particles per class (int64, named ``count``), empty classes included.

    ``"unclassified"`` is left out where there is none.
    """
    counts = classes.value_counts(sort=False).astype("int64").rename("count")
    return counts.drop(UNCLASSIFIED) if counts.get(UNCLASSIFIED) == 0 else counts


def save_rules(rules: RuleSet, path: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
    """Write a rule set as JSON.

    Raises
    ------
    StoreError
        If the place cannot be written, or is taken and `overwrite` is False.
    """
    return save_json(rules, _WHAT, path, overwrite=overwrite)


def load_rules(path: str | os.PathLike[str]) -> RuleSet:
    """Read a rule set that :func:`save_rules` wrote, perhaps edited since.

    Raises
    ------
    StoreError
        If the file cannot be read.
    SettingsError
        If it is not a rule set, or has unknown or impossible settings.
    """
    return load_json(RuleSet, _WHAT, path)


def find_rules(rules: RuleSet | str | os.PathLike[str]) -> RuleSet:
    """Return a rule set: itself, the one of a name in :data:`RULE_SETS`, or that of a file.

    Raises
    ------
    UnknownNameError
        If it is neither a name nor a file.
    SettingsError, StoreError
        If the file cannot be used.
    """
    if isinstance(rules, RuleSet):
        return rules
    name = os.fspath(rules)
    if name not in RULE_SETS and (Path(name).suffix.lower() == ".json" or Path(name).exists()):
        return load_rules(name)
    return RULE_SETS[name]


RULE_SETS: Registry[RuleSet] = Registry("rule set")

RULE_SETS.add(
    "mp-vat",
    RuleSet(
        "mp-vat",
        (
            Rule("fibre", (Condition("circularity", 0.0, 0.3),)),
            Rule("fragment", (Condition("circularity", 0.3, 0.6),)),
            Rule("particle", (Condition("circularity", 0.6, 1.0, includes_highest=True),)),
        ),
        description="MP-VAT (Prata 2019), by ImageJ's circularity. A border belongs to the class above it.",
    ),
)

RULE_SETS.add(
    "four-shapes",
    RuleSet(
        "four-shapes",
        (
            Rule("fibre", (Condition("aspect_ratio", 3.0, includes_lowest=False),)),
            Rule("fibre", (Condition("circularity", highest=0.3),)),
            Rule(
                "bead",
                (
                    Condition("feret_max", highest=1.2, includes_highest=True, unit="px", over="feret_min"),
                    Condition("circularity", 0.8),
                ),
            ),
            Rule("film", (Condition("equivalent_diameter", 300.0, unit="um"),)),
        ),
        default="fragment",
        description="Fibre: more than 3 times as long as wide, or curled up. Bead: as wide as long, with a smooth "
        "outline. Film: else, and large; thickness cannot be seen from above, so set this size to your samples. "
        "Fragment: the rest.",
    ),
)
