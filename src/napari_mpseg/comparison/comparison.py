"""What a comparison gives: a score of every method by every metric, with intervals."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.comparison.case import Case
from napari_mpseg.comparison.contender import Contender
from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.comparison.settings import FEW_IMAGES, CompareSettings
from napari_mpseg.evaluation.bootstrap import bootstrap
from napari_mpseg.evaluation.errors import ERROR_COLOURS
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.metric import METRICS, MetricEntry, find_metric
from napari_mpseg.evaluation.metric_sets import DEFAULT_METRICS, WITH_PROBABILITY
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

if TYPE_CHECKING:
    import pandas as pd

_LEADING = ("f1", "particle-f1", "iou")
_TRAILING = ("balanced-accuracy",)  # near 1 for all, as nearly all pixels are background
COLUMNS = (
    *_LEADING,
    *(name for name in DEFAULT_METRICS if name not in (*_LEADING, *_TRAILING)),
    *WITH_PROBABILITY,
    *_TRAILING,
)
"""The usual columns; what tells most in one number comes first."""

_MOSTLY = 0.5
"""Share of an image above which truth is likely to mean the opposite."""


@dataclass(frozen=True)
class Row:
    """A method of the table.

    Attributes
    ----------
    label, title : str
        Heading, and what it is in words.
    promise : str
        What holds for all its figures unless there are doubts.
    """

    label: str
    title: str
    promise: str = ""


@dataclass(frozen=True)
class Failure:
    """A case that could not be run."""

    method: str
    image: str
    why: str


@dataclass(frozen=True)
class Score:
    """One metric of one method.

    Attributes
    ----------
    total : float
        Of all images together.
    mean : float
        Mean over the images.
    low, high : float or None
        Interval of the total; None with one image, or without samples.
    """

    total: float
    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Several methods on several images.

    Attributes
    ----------
    rows : tuple of Row
        The methods.
    pictures : tuple of Picture
        The images.
    settings : CompareSettings
        How the table is made.
    min_size : int
        Least number of pixels of a particle that counts.
    cases : tuple of Case
        What each method gave on each image.
    failures : tuple of Failure
        What could not be run.
    remarks : tuple of str
        What is to be said of the data and the folder.
    """

    rows: tuple[Row, ...]
    pictures: tuple[Picture, ...]
    settings: CompareSettings = field(default_factory=CompareSettings)
    min_size: int = 3
    cases: tuple[Case, ...] = ()
    failures: tuple[Failure, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def planned(
        cls, contenders: Sequence[Contender], pictures: Sequence[Picture], settings: CompareSettings, min_size: int
    ) -> "Comparison":
        """Return a comparison nothing of which has been run yet; wrong metrics are refused here."""
        rows = tuple(Row(one.label, one.title, one.promise) for one in contenders)
        made = cls(rows, tuple(pictures), settings, min_size)
        _ = made.metrics, ERROR_COLOURS[settings.colours]
        return made

    @cached_property
    def metrics(self) -> tuple[MetricEntry, ...]:
        """The columns."""
        return tuple(find_metric(name) for name in metric_names(self.settings.metrics or COLUMNS))

    def cases_of(self, label: str) -> list[Case]:
        """Return the finished cases of a row, in the order of the images."""
        found = {case.image: case for case in self.cases if case.method == label}
        return [found[picture.name] for picture in self.pictures if picture.name in found]

    def evidence_of(self, label: str) -> list[Evidence]:
        """Return what the metrics of a row are taken from."""
        return [case.evidence for case in self.cases_of(label)]

    def graded(self, label: str) -> bool:
        """Tell whether a row has probabilities on all its images."""
        evidence = self.evidence_of(label)
        return bool(evidence) and all(one.levels is not None for one in evidence)

    def score(self, label: str, metric: MetricEntry) -> Score | None:
        """Return a metric of a row, or None where it has no case, or not the probabilities that the metric needs."""
        return self._scores.get((label, metric.name)) or self._scored(label, metric)

    @cached_property
    def _scores(self) -> dict[tuple[str, str], Score]:
        return {
            (row.label, metric.name): score
            for row in self.rows
            for metric in self.metrics
            if (score := self._scored(row.label, metric)) is not None
        }

    def _scored(self, label: str, metric: MetricEntry) -> Score | None:
        evidence = self.evidence_of(label)
        if not evidence or (metric.needs_probability and not self.graded(label)):
            return None
        total, mean = metric.of(evidence), float(np.mean(metric.each(evidence)))
        if len(evidence) < 2 or not self.settings.resamples:
            return Score(total, mean)
        chosen = self.settings
        found = bootstrap(evidence, [metric.name], resamples=chosen.resamples, level=chosen.level, seed=chosen.seed)
        return Score(total, mean, found[metric.name].low, found[metric.name].high)

    @cached_property
    def fair(self) -> tuple[str, ...]:
        """The rows that were run on all images and learnt from none of them."""
        cases = {row.label: self.cases_of(row.label) for row in self.rows}
        return tuple(
            label
            for label, done in cases.items()
            if len(done) == len(self.pictures) and not any(case.seen for case in done)
        )

    def name_of(self, label: str) -> str:
        """Return the heading of a row, with a star if it learnt from an image, and how many images there are of all."""
        cases, whole = self.cases_of(label), len(self.pictures)
        star = "*" if any(case.seen for case in cases) else ""
        return f"{label}{star}" + (f" ({len(cases)} of {whole} images)" if len(cases) < whole else "")

    def best(self, metric: MetricEntry, what: str = "total") -> set[str]:
        """Return the rows that are best by a metric, among those that can be the best (:meth:`fair`)."""
        values = {label: score for label in self.fair if (score := self.score(label, metric)) is not None}
        if len(values) < 2:
            return set()
        badness = {label: BADNESS[metric.better](getattr(score, what)) for label, score in values.items()}
        least = min(badness.values())
        return {label for label, value in badness.items() if np.isclose(value, least, rtol=1e-9, atol=1e-12)}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know, each said once."""
        return notes_of(self)

    def to_markdown(self) -> str:
        """Return the table of totals with their intervals."""
        from napari_mpseg.comparison.tables import markdown

        return markdown(self)

    def frame(self) -> "pd.DataFrame":
        """Return one row per method and metric: total, mean over the images, low and high of the interval."""
        from napari_mpseg.comparison.tables import comparison_frame

        return comparison_frame(self)

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: ProgressCallback = silent,
        cancel: CancelToken | None = None,
    ) -> dict[str, Path]:
        """Write tables, figures and the page; see :func:`napari_mpseg.comparison.writing.write_comparison`."""
        from napari_mpseg.comparison.writing import write_comparison

        return write_comparison(self, folder, overwrite=overwrite, on_progress=on_progress, cancel=cancel)


def metric_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of metrics, each once; a family (``"pixel"``) stands for all of its own, ``"all"`` for all."""
    families = {entry.family for entry in METRICS.values()}
    found: list[str] = []
    for name in names:
        if name == "all" or (name in families and name not in METRICS):
            found += [entry.name for entry in METRICS.values() if name in ("all", entry.family)]
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))


BADNESS: dict[str, Any] = {"higher": lambda value: -value, "lower": float, "zero": abs}


def notes_of(comparison: Comparison) -> tuple[str, ...]:
    """Return failures, warnings and what the methods said, joined where they say the same of several images."""
    found = [f"{one.method} on {one.image} failed: {one.why}" for one in comparison.failures]
    said: dict[tuple[str, str], list[str]] = {}
    for row in comparison.rows:
        for case in comparison.cases_of(row.label):
            for text in case.warnings:
                said.setdefault((row.label, text), []).append(case.image)
    found += [f"{label} on {_images(names, comparison)}: {text}." for (label, text), names in said.items()]
    if any(case.seen for case in comparison.cases):
        found.append("* Learnt from images it is scored on, so its figures are too good; it is never marked as best.")
    doubted = {label for label, _ in said}
    found += [f"{row.label}: {row.promise}." for row in comparison.rows if row.promise and row.label not in doubted]
    found += inverted_notes(comparison)
    few = len(comparison.pictures)
    if comparison.settings.resamples and 1 < few < FEW_IMAGES:
        found.append(f"The intervals rest on {few} images; with so few they are too narrow.")
    if few == 1 and comparison.settings.resamples:
        found.append("There are no intervals: they come from resampling images, and there is one.")
    return (*found, *comparison.remarks)


def inverted_notes(comparison: Comparison) -> list[str]:
    """Return a sentence on the images most of which is particle in the truth, if there are any."""
    shares: dict[str, float] = {}
    for case in comparison.cases:
        pixels = case.evidence.pixels
        shares[case.image] = (pixels.tp + pixels.fn) / max(1, pixels.total)
    names = [name for name, share in shares.items() if share > _MOSTLY]
    if not names:
        return []
    least = f"{100 * min(shares[name] for name in names):.3g}%{' or more' if len(names) > 1 else ''}"
    return [
        f"In the truth of {_images(names, comparison)}, {least} of the pixels are particle: are particle and "
        "background the wrong way round? In MP-Net's labels particles are 0 (in napari “only value” 0, on the command "
        "line --particle-value 0)."
    ]


def _images(names: Sequence[str], comparison: Comparison) -> str:
    if len(names) == len(comparison.pictures) > 1:
        return f"all {len(names)} images"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
