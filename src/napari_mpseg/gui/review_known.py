"""What a review knows of the decisions in a table, to find those that were made behind its back. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.particles.classes.assigned import ASSIGNED


@dataclass(frozen=True)
class Known:
    """The decisions in a table at one moment.

    Attributes
    ----------
    keep : numpy.ndarray
        int8: 1 kept, 0 rejected, -1 no particle.
    codes : numpy.ndarray
        Index into `names`, -1 without a class.
    names : tuple of str
        The classes.
    area : numpy.ndarray or None
        To know whether a particle is still the same.
    own : numpy.ndarray or None
        bool: whether the class was given by hand; None where the table does not say.
    """

    keep: np.ndarray
    codes: np.ndarray
    names: tuple[str, ...]
    area: np.ndarray | None
    own: np.ndarray | None = None

    @classmethod
    def of(cls, frame: Any) -> Known:
        """Return what is in `frame` now."""
        keep = frame["keep"].to_numpy(np.float64, na_value=np.nan)
        classes, area = frame["class"].cat, areas(frame)
        return cls(
            np.where(np.isnan(keep), -1, keep).astype(np.int8),
            classes.codes.to_numpy().copy(),
            tuple(map(str, classes.categories)),
            None if area is None else area.copy(),  # cells are written in place
            frame[ASSIGNED].eq(True).fillna(False).to_numpy(bool) if ASSIGNED in frame else None,
        )

    @property
    def labels(self) -> list[int]:
        """Labels with a particle."""
        return [int(label) for label in np.flatnonzero(self.keep >= 0)]

    @property
    def own_classes(self) -> dict[int, str]:
        """The classes that were given by hand, by label."""
        if self.own is None:
            return {}
        return {int(label): self.value("class", int(label)) for label in np.flatnonzero(self.own & (self.codes >= 0))}

    def value(self, column: str, label: int) -> Any:
        """Return the decision on a particle."""
        if column == "keep":
            return None if self.keep[label] < 0 else bool(self.keep[label])
        return None if self.codes[label] < 0 else self.names[self.codes[label]]


def differences(before: Known, after: Known) -> list[tuple[int, str, Any, Any]]:
    """Return label, column, old and new value of each cell that changed."""
    rows = min(len(before.keep), len(after.keep))
    changed = [(label, "keep") for label in np.flatnonzero(before.keep[:rows] != after.keep[:rows])]
    if before.names == after.names:
        others = np.flatnonzero(before.codes[:rows] != after.codes[:rows])
    else:
        old, new = (np.array([*one.names, ""], object)[one.codes[:rows]] for one in (before, after))
        others = np.flatnonzero(old != new)
    changed += [(label, "class") for label in others]
    return [
        (int(label), name, before.value(name, int(label)), after.value(name, int(label))) for label, name in changed
    ]


def of_right_types(frame: Any) -> bool:
    """Whether the decisions are of the types that a review reads and writes."""
    return isinstance(frame["class"].dtype, pd.CategoricalDtype) and isinstance(frame["keep"].dtype, pd.BooleanDtype)


def as_edited(frame: Any) -> bool:
    """Whether the columns are such that napari's table can edit them: right types, and no particle's cell empty."""
    return of_right_types(frame) and not bool((frame["class"].isna() & frame["keep"].notna()).any())


def areas(frame: Any) -> np.ndarray | None:
    """Return the area in pixels of each row of a features table; None where it was not measured."""
    if "area_px" not in frame:
        return None
    return np.asarray(frame["area_px"].to_numpy(np.float64, na_value=np.nan))
