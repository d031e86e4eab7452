"""How well a classifier does on particles it was not shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback


@dataclass(frozen=True)
class Validation:
    """Result of a cross-validation: each example is classified by a classifier that was trained without it.

    Attributes
    ----------
    classes : tuple of str
        Names of the classes, the order of `confusion`.
    confusion : tuple of tuple of int
        Number of examples by true class (rows) and by the class they were given (columns).
    folds : int
        Number of parts the examples were divided into.
    """

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    folds: int

    @property
    def accuracy(self) -> float:
        """Share of the examples that got their true class."""
        counts = np.asarray(self.confusion)
        return float(np.trace(counts) / counts.sum())

    @property
    def recall(self) -> pd.Series:
        """Share of each class's examples that got their true class."""
        counts = np.asarray(self.confusion)
        return pd.Series(np.diag(counts) / counts.sum(axis=1), index=pd.Index(self.classes), name="recall")

    @property
    def balanced_accuracy(self) -> float:
        """Mean of :attr:`recall`: a common class counts no more than a rare one."""
        return float(self.recall.mean())

    @property
    def table(self) -> pd.DataFrame:
        """The confusion matrix with the classes' names; rows are the true classes."""
        return pd.DataFrame(
            np.asarray(self.confusion),
            index=pd.Index(self.classes, name="true"),
            columns=pd.Index(self.classes, name="classified as"),
        )


def cross_validate(
    make: Callable[[], Any],
    rows: NDArray[np.float64],
    codes: NDArray[np.int64],
    classes: tuple[str, ...],
    *,
    folds: int,
    seed: int,
    on_progress: ProgressCallback,
    cancel: CancelToken | None,
) -> Validation:
    """Train on all folds but one, classify that one, and count; each fold holds every class in its proportion.

    Parameters
    ----------
    make : callable
        Returns a fresh scikit-learn estimator.
    rows : ndarray
        Examples, ``(N, columns)``.
    codes : ndarray
        True classes, ``(N,)``, as places in `classes`.
    classes : tuple of str
        Names of the classes.
    folds : int
        At most this many; no more than there are examples of the rarest class.
    seed : int
        Of the division into folds.
    """
    from sklearn.metrics import confusion_matrix
    from sklearn.model_selection import StratifiedKFold

    folds = int(min(folds, np.bincount(codes).min()))
    given = np.empty_like(codes)
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for done, (learnt, kept) in enumerate(parts.split(rows, codes)):
        if cancel is not None:
            cancel.check()
        on_progress(Progress("Testing on particles held back", done, folds, "parts"))
        given[kept] = make().fit(rows[learnt], codes[learnt]).predict(rows[kept])
    counts = confusion_matrix(codes, given, labels=np.arange(len(classes)))
    return Validation(classes, tuple(tuple(int(number) for number in row) for row in counts), folds)
