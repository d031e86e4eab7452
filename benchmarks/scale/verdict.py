"""What was measured beside what was asked for."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """One figure and its bar.

    Attributes
    ----------
    what : str
        What the figure is.
    measured, bar : float
        In the same unit.
    least : bool
        True if the figure must reach the bar, False if it must not exceed it.
    unit : str
        Behind both numbers.
    note : str
        What else must be known of the figure.
    """

    what: str
    measured: float
    bar: float
    least: bool = False
    unit: str = ""
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the bar is held."""
        return self.measured >= self.bar if self.least else self.measured <= self.bar

    @property
    def asked(self) -> str:
        """The bar in words."""
        return f"at {'least' if self.least else 'most'} {self.bar:g}{self.unit}"

    @property
    def found(self) -> str:
        """The figure in words."""
        shown = f"{self.measured:.2g}" if abs(self.measured) < 0.01 else f"{self.measured:.4g}"
        return f"{shown}{self.unit}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "what": self.what,
            "measured": self.measured,
            "bar": self.bar,
            "rule": "at least" if self.least else "at most",
            "unit": self.unit,
            "passed": self.passed,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Verdict":
        """Return the verdict of :meth:`to_dict`."""
        given = {name: told[name] for name in ("what", "measured", "bar", "unit", "note")}
        return cls(**given, least=told["rule"] == "at least")


@dataclass(frozen=True)
class Outcome:
    """What came of one row.

    Attributes
    ----------
    name, title : str
        Of the row.
    verdicts : tuple of Verdict
    skipped : str
        Why nothing was measured; empty if something was.
    failed : str
        What went wrong; empty if nothing.
    load : tuple of float or None
        How many processes wanted to run on the machine before and after.
    measurements : list of dict
        Every part that was run, in order: its name, its arguments, its figures.
    """

    name: str
    title: str
    verdicts: tuple[Verdict, ...] = ()
    skipped: str = ""
    failed: str = ""
    load: tuple[float | None, ...] = ()
    measurements: list[dict[str, Any]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every bar is held; what was skipped holds none and misses none."""
        return not self.failed and all(verdict.passed for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        verdicts = [verdict.to_dict() for verdict in self.verdicts]
        return {**self.__dict__, "verdicts": verdicts, "passed": None if self.skipped else self.passed}

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Outcome":
        """Return the outcome of :meth:`to_dict`."""
        given = {name: told[name] for name in ("name", "title", "skipped", "failed", "measurements")}
        verdicts = tuple(Verdict.from_dict(verdict) for verdict in told["verdicts"])
        return cls(**given, verdicts=verdicts, load=tuple(told["load"]))
