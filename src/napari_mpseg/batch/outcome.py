"""What became of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

DONE, FAILED, NOT_DONE = "done", "failed", "not done"


@dataclass(frozen=True)
class ImageOutcome:
    """What became of one image.

    Attributes
    ----------
    name : str
        What its results are called: ``NAME_particles.csv``.
    path : Path
        The image.
    status : str
        ``"done"``, ``"failed"`` or ``"not done"``.
    message : str
        Why it failed.
    particles : int or None
        How many were found, before any were rejected by a person.
    seconds : float or None
        Time it took, None where that is not known.
    earlier : bool
        Whether it had been done by an earlier run.
    """

    name: str
    path: Path
    status: str
    message: str = ""
    particles: int | None = None
    seconds: float | None = None
    earlier: bool = False

    @property
    def failed(self) -> bool:
        """Whether it could not be done."""
        return self.status == FAILED


@dataclass(frozen=True)
class BatchOutcome:
    """What became of all images, and where the tables are.

    Attributes
    ----------
    images : tuple of ImageOutcome
    paths : mapping of str to Path
        ``"summary"`` (a row per image), ``"samples"`` (rows per sample and size class), ``"report"``, ``"record"``.
    notes : tuple of str
        What the reader should know: files left out, rows of the sheet without a file ...
    summary, samples : pandas.DataFrame
        The tables, as written.
    """

    images: tuple[ImageOutcome, ...]
    paths: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    summary: "pd.DataFrame | Any" = None
    samples: "pd.DataFrame | Any" = None

    @property
    def failures(self) -> tuple[ImageOutcome, ...]:
        """The images that failed."""
        return tuple(one for one in self.images if one.failed)
