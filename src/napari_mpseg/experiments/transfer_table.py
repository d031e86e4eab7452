"""The figures of the transfer experiment: means, spread over repeats, and paired differences with their interval.

References
----------
Nadeau and Bengio 2003, Machine Learning 52: the variance of a difference over folds is too small, since their training
sets overlap; it is corrected by the ratio of test to training data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.evaluation.aggregate import score
from napari_mpseg.experiments.transfer import ARMS, BASE, SETS, Tested

COLUMNS = {
    "f1": "pixel F1",
    "particle-f1-iou": "object F1",
    "particle-recall-iou": "object recall",
    "particle-precision-iou": "object precision",
    "particle-recall": "recall, one common pixel",
    "particle-precision": "precision, one common pixel",
}
"""Metrics and their titles; objects match at an intersection over union of 0.5 unless said otherwise."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Difference:
    """A mean of paired differences.

    Attributes
    ----------
    mean : float
    low, high : float or None
        95 % interval; None for fewer than two pairs or folds.
    """

    mean: float
    low: float | None
    high: float | None

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def values_of(tested: Sequence[Tested], which: str, arm: str) -> Array:
    """Return the metrics of one arm, ``(repeats, folds, metrics)``; only repeats of which all folds are done."""
    mine = [one for one in tested if (one.case.set, one.case.arm) == (which, arm)]
    folds = 1 + max((one.case.fold for one in tested), default=0)
    rows = []
    for repeat in sorted({one.case.repeat for one in mine}):
        by_fold = {one.case.fold: one for one in mine if one.case.repeat == repeat}
        if len(by_fold) == folds:
            rows.append([list(score(by_fold[fold].evidence, tuple(COLUMNS)).values()) for fold in range(folds)])
    return np.asarray(rows, np.float64).reshape(len(rows), folds, len(COLUMNS))


def mean_and_spread(values: Array) -> tuple[Array, Array]:
    """Return the mean over repeats and folds, and the standard deviation over repeats of their mean over folds."""
    of_repeats = values.mean(1)
    spread = of_repeats.std(0, ddof=1) if len(of_repeats) > 1 else np.full(values.shape[2], np.nan)
    return of_repeats.mean(0), spread


def difference(one: Array, other: Array) -> Difference:
    """Return how far `one` is above `other`, ``(repeats, folds)`` each, with the corrected 95 % interval.

    The standard error is ``sqrt((1/n + 1/(k - 1)) * variance)`` with n pairs and k folds, and Student's t has n - 1
    degrees of freedom (Nadeau and Bengio 2003, for k-fold cross-validation with repeats).
    """
    from scipy.stats import t

    pairs = (one - other).ravel()
    mean, folds = float(pairs.mean()), one.shape[1]
    if pairs.size < 2 or folds < 2:
        return Difference(mean, None, None)
    error = np.sqrt((1 / pairs.size + 1 / (folds - 1)) * pairs.var(ddof=1))
    half = float(t.ppf(0.975, pairs.size - 1) * error)
    return Difference(mean, mean - half, mean + half)


def transfer_tables(tested: Sequence[Tested]) -> str:
    """Return the tables of all that is done, as Markdown."""
    parts = []
    names = {one.case.fold: one.evidence[0].group for one in tested}
    for which, title in SETS.items():
        arms = {name: values_of(tested, which, name) for name in ARMS}
        arms = {name: values for name, values in arms.items() if len(values)}
        if BASE not in arms:
            continue
        few = sorted({len(one.learnt_from) for one in tested if one.case.set == which})
        counts = f"{few[0]}" if len(few) == 1 else f"{few[0]} to {few[-1]}"
        parts += [
            f"**Learnt from {title}** ({counts} patches; {arms[BASE].shape[1]} folds)",
            _means(arms),
            f"Difference to {ARMS[BASE].title}, paired, with its 95 % interval:",
            _differences(arms),
            "By fold held out, mean over repeats:",
            _by_fold(arms, names),
        ]
    return "\n\n".join(parts) if parts else "Nothing is done yet."


def _means(arms: dict[str, Array]) -> str:
    rows = []
    for name, values in arms.items():
        cells = [_cell(mean, spread) for mean, spread in zip(*mean_and_spread(values), strict=True)]
        rows.append([ARMS[name].title, str(len(values)), *cells])
    return _table(["trained on", "repeats", *COLUMNS.values()], rows)


def _cell(mean: float, spread: float) -> str:
    return f"{mean:.3f}" if np.isnan(spread) else f"{mean:.3f} ± {spread:.3f}"


def _differences(arms: dict[str, Array]) -> str:
    rows = []
    for name, values in arms.items():
        if name == BASE:
            continue
        repeats = min(len(values), len(arms[BASE]))
        found = [
            difference(values[:repeats, :, column], arms[BASE][:repeats, :, column]) for column in range(len(COLUMNS))
        ]
        rows.append([ARMS[name].title, *(_told(one) for one in found)])
    return _table(["trained on", *COLUMNS.values()], rows)


def _told(one: Difference) -> str:
    if one.low is None or one.high is None:
        return f"{one.mean:+.3f}"
    text = f"{one.mean:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
    return f"**{text}**" if one.sure else text


def _by_fold(arms: dict[str, Array], names: dict[int, str]) -> str:
    titles = list(COLUMNS.values())[:2]
    folds = sorted(names)
    head = ["trained on", *(f"{title}, {names[fold]}" for title in titles for fold in folds)]
    rows = [
        [ARMS[name].title, *(f"{values[:, fold, column].mean():.3f}" for column in (0, 1) for fold in folds)]
        for name, values in arms.items()
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
