"""Classes learnt from particles that a user assigned to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.classes.assigned import given_names, unmarked
from napari_mpseg.particles.classes.columns import frame_of
from napari_mpseg.particles.classes.describing import describing_columns, matrix
from napari_mpseg.particles.classes.models import CLASSIFIERS, ClassifierSettings
from napari_mpseg.particles.classes.rules import UNCLASSIFIED, as_classes
from napari_mpseg.particles.classes.validation import Validation, cross_validate
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

#: Fewest examples that a class needs.
FEWEST = 3

Table = ParticleTable | pd.DataFrame


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier with all it was made from, so that it can be saved as plain numbers and fitted again.

    Attributes
    ----------
    settings : ClassifierSettings
        How it was trained.
    columns : tuple of str
        What it looks at.
    classes : tuple of str
        Names of the classes.
    rows : ndarray
        The examples, float64 ``(N, columns)``, missing values nan.
    codes : ndarray
        Their classes, int64 ``(N,)``, as places in `classes`.
    validation : Validation
        How well it does on examples held back.
    """

    settings: ClassifierSettings
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    rows: NDArray[np.float64]
    codes: NDArray[np.int64]
    validation: Validation
    _model: Any = field(repr=False, compare=False)

    @property
    def examples(self) -> pd.Series:
        """Number of examples of each class."""
        counts = np.bincount(self.codes, minlength=len(self.classes))
        return pd.Series(counts, index=pd.Index(self.classes), name="examples")

    def predict(self, table: Table) -> pd.DataFrame:
        """Return class and probability of each particle.

        Parameters
        ----------
        table : ParticleTable or pandas.DataFrame
            Measured particles with the columns :attr:`columns`; lengths may be in another unit.

        Returns
        -------
        pandas.DataFrame
            With the table's index: ``class``, categorical, and ``class_probability``, float64 from 0 to 1. A particle
            without any value is ``"unclassified"``.

        Raises
        ------
        SettingsError
            If the table lacks columns.
        """
        frame = frame_of(table)
        rows = matrix(frame, self.columns)
        known = ~np.isnan(rows).all(axis=1)
        codes = np.full(len(rows), len(self.classes), np.int64)
        likely = np.full(len(rows), np.nan)
        if known.any():
            shares = self.shares(rows[known])
            codes[known], likely[known] = shares.argmax(axis=1), shares.max(axis=1)
        classes = as_classes(codes, (*self.classes, UNCLASSIFIED), frame.index)
        return pd.DataFrame({"class": classes, "class_probability": likely}, index=frame.index)

    def shares(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each class, ``(N, classes)``, for rows of :attr:`columns`."""
        return np.asarray(self._model.predict_proba(rows), np.float64)


def train_classifier(
    table: Table | Sequence[Table],
    assigned: "pd.Series | Sequence[pd.Series]",
    settings: ClassifierSettings | None = None,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> TrainedClassifier:
    """Learn classes from particles that a user assigned to them.

    Parameters
    ----------
    table : ParticleTable, pandas.DataFrame or a sequence of them
        Measured particles, with the column ``label``; one table per image.
    assigned : pandas.Series or a sequence of them
        The user's classes: label -> name of a class, for each table. Missing values, empty names and
        ``"unclassified"`` are passed over.
    settings : ClassifierSettings, optional
        How to train.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    TrainedClassifier
        Trained on all examples; its `validation` comes from classifiers trained on parts of them.

    Raises
    ------
    SettingsError
        If there are fewer than two classes or fewer than three examples of one, if an assigned label is not in the
        table, or if there is nothing to learn from.
    Cancelled
        If `cancel` was set.

    Examples
    --------
    >>> frame = pd.DataFrame({"label": range(1, 9), "solidity": [0.2, 0.25, 0.3, 0.2, 0.8, 0.85, 0.9, 0.8]})
    >>> mine = pd.Series({1: "film", 2: "film", 3: "film", 5: "bead", 6: "bead", 7: "bead"})
    >>> train_classifier(frame, mine).predict(frame).loc[[3, 7], "class"].tolist()
    ['film', 'bead']
    """
    settings = settings or ClassifierSettings()
    tables = [table] if isinstance(table, (ParticleTable, pd.DataFrame)) else list(table)
    wishes = [assigned] if isinstance(assigned, pd.Series) else list(assigned)
    if len(tables) != len(wishes) or not tables:
        raise SettingsError(f"There are {len(tables)} tables and {len(wishes)} lists of classes. Give one per table.")
    parts = [_examples(frame_of(one), wish) for one, wish in zip(tables, wishes, strict=True)]
    names = pd.concat([names for _, names in parts])
    classes = _check(names)
    frames = [frame for frame, _ in parts]
    columns = settings.columns or describing_columns(frames, size=settings.size)
    rows = np.concatenate([matrix(frame, columns) for frame in frames])
    if not settings.columns:
        told = ~np.isnan(rows).all(axis=0)
        columns, rows = tuple(np.asarray(columns, object)[told]), rows[:, told]
    if not columns:
        raise SettingsError(
            "The table has no columns that describe particles, such as circularity or solidity. Measure first."
        )
    codes = np.asarray([classes.index(name) for name in names], np.int64)
    return fit(settings, columns, classes, rows, codes, None, on_progress=on_progress, cancel=cancel)


def fit(
    settings: ClassifierSettings,
    columns: tuple[str, ...],
    classes: tuple[str, ...],
    rows: NDArray[np.float64],
    codes: NDArray[np.int64],
    validation: Validation | None,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> TrainedClassifier:
    """Fit a classifier to rows and their classes; validates it unless a `validation` is given."""

    def make() -> Any:
        return CLASSIFIERS[settings.model](settings)

    if validation is None:
        validation = cross_validate(
            make,
            rows,
            codes,
            classes,
            folds=settings.folds,
            seed=settings.seed,
            on_progress=on_progress,
            cancel=cancel,
        )
    if cancel is not None:
        cancel.check()
    on_progress(Progress("Learning", 0, 1, "classifiers"))
    model = make().fit(rows, codes)
    on_progress(Progress("Learning", 1, 1, "classifiers"))
    return TrainedClassifier(settings, columns, classes, rows, codes, validation, model)


def _examples(frame: pd.DataFrame, assigned: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """Return the assigned particles' rows, in label order, and their classes."""
    if "label" not in frame.columns:
        raise SettingsError("The table has no column 'label', so it cannot be known which particles are meant.")
    names = given_names(assigned).sort_index()
    if names.empty and unmarked(frame):
        raise SettingsError(
            "Particles are assigned to no class yet: every particle of this table has a class, and nothing says which "
            "of them you gave. Mark your own with true in a column class_assigned, or give a table of label and class "
            "only."
        )
    twice = names.index[names.index.duplicated()]
    if len(twice):
        raise SettingsError(f"Label {twice[0]} is assigned twice. Give each particle one class.")
    rows = frame.set_index("label", drop=False)
    unknown = names.index.difference(rows.index)
    if len(unknown):
        shown = ", ".join(map(str, unknown[:5])) + (" ..." if len(unknown) > 5 else "")
        raise SettingsError(f"Classes were assigned to labels that are not in the table: {shown}. Measure again.")
    return rows.loc[names.index], names


def _check(names: pd.Series) -> tuple[str, ...]:
    counts = names.value_counts().sort_index()
    if len(counts) < 2:
        have = f"only to {counts.index[0]!r}" if len(counts) else "to no class yet"
        raise SettingsError(
            f"Particles are assigned {have}. A classifier needs two classes or more, "
            f"each with {FEWEST} particles or more."
        )
    few = counts[counts < FEWEST]
    if len(few):
        told = ", ".join(f"{name!r} has {count}" for name, count in few.items())
        raise SettingsError(f"Too few examples: {told}. Assign at least {FEWEST} particles to each class.")
    return tuple(str(name) for name in counts.index)
