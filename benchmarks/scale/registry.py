"""The rows of the table, and the parts they are measured by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_mpseg.registry import Registry
from scale.settings import Settings
from scale.verdict import Verdict

if TYPE_CHECKING:
    from scale.bench import Bench

Figures = dict[str, Any]


def nothing_missing(settings: Settings) -> str:
    """Return no reason to leave a row out."""
    return ""


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes
    ----------
    name, title : str
        What is typed, and what the table shows.
    measure : callable
        Takes a :class:`~scale.bench.Bench`, which runs parts, and returns the verdicts.
    missing : callable
        Takes the settings and returns why this row cannot be measured here, or an empty text.
    network : bool
        Whether the network of the settings is run.
    """

    name: str
    title: str
    measure: "Callable[[Bench], list[Verdict]]"
    missing: Callable[[Settings], str] = nothing_missing
    network: bool = True


ROWS: Registry[Row] = Registry("row")

#: What is measured in a process of its own: takes the settings and arguments, returns figures that JSON can hold.
PARTS: Registry[Callable[..., Figures]] = Registry("part")
