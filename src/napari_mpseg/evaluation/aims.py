"""What a threshold may be chosen for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.threshold_curves import Numbers, ThresholdCurves
from napari_mpseg.registry import Registry

_ENOUGH = 0.5  # share of the best F1 that a threshold must reach to be taken for its count or area


@dataclass(frozen=True)
class Aim:
    """What a threshold is chosen for.

    Attributes
    ----------
    name : str
    title : str
        For menus.
    definition : str
        Which threshold is taken.
    default : float or None
        Of the value that it demands, 0 to 1; None where it demands none.
    pick : callable
        From curves and value to: what is reached ``(256,)``, how good each level is ``(256,)`` (higher is better, -inf
        impossible), and whether each fulfils the aim ``(256,)``.
    """

    name: str
    title: str
    definition: str
    default: float | None
    pick: Callable[[ThresholdCurves, float], tuple[Numbers, Numbers, NDArray[np.bool_]]]

    def checked(self, value: float | None) -> float | None:
        """Return the demanded value, the default for None; raise :class:`SettingsError` if it makes no sense."""
        if self.default is None:
            if value is not None:
                raise SettingsError(f"The aim {self.name!r} demands no value: leave out {value!r}.")
            return None
        if value is None:
            return self.default
        if not 0 < value <= 1:
            raise SettingsError(f"{value!r} is impossible for {self.name!r}: give a share above 0 and up to 1.")
        return float(value)


AIMS: Registry[Aim] = Registry("aim")


def _best(beta_name: str) -> Callable[[ThresholdCurves, float], Any]:
    def pick(curves: ThresholdCurves, _value: float) -> Any:
        reached = getattr(curves, beta_name)
        return reached, reached, np.ones(256, bool)

    return pick


def _recall_at_least(curves: ThresholdCurves, value: float) -> Any:
    enough = curves.recall >= value - 1e-12
    return curves.recall, np.where(enough, 1 + curves.precision, curves.recall), enough


def _precision_at_least(curves: ThresholdCurves, value: float) -> Any:
    enough = (curves.precision >= value - 1e-12) & curves.found
    merit = np.where(enough, 2 + curves.recall, np.where(curves.found, curves.precision, -1))
    return curves.precision, merit, enough


def _nearest(reached: Numbers, off: Numbers, curves: ThresholdCurves) -> Any:
    """Take the smallest error among thresholds that fit at all; of equal ones that with the best F1."""
    fits = curves.f1 >= _ENOUGH * curves.f1[1:].max()
    nearest = off[1:][fits[1:]].min()
    merit = np.where(fits, np.where(off == nearest, 1 + curves.f1, -off), -np.inf)
    return reached, merit, np.ones(256, bool)


def _count_bias_zero(curves: ThresholdCurves, _value: float) -> Any:
    bias = curves.count - curves.n_truth
    return _nearest(bias, np.abs(bias), curves)


def _equal_area(curves: ThresholdCurves, _value: float) -> Any:
    return _nearest(curves.area, np.abs(curves.area - 1), curves)


_FITS = "Only thresholds with at least half of the best pixel F1 are considered; of equal ones that with the best F1."
for _aim in (
    Aim("best-f1", "best F1", "The threshold with the highest pixel F1.", None, _best("f1")),
    Aim("best-f0.5", "best F0.5 (precision first)", "The threshold with the highest pixel F0.5.", None, _best("f05")),
    Aim("best-f2", "best F2 (recall first)", "The threshold with the highest pixel F2.", None, _best("f2")),
    Aim(
        "recall-at-least",
        "recall of at least",
        "Of the thresholds whose pixel recall is the value or more, the one with the highest precision.",
        0.9,
        _recall_at_least,
    ),
    Aim(
        "precision-at-least",
        "precision of at least",
        "Of the thresholds whose pixel precision is the value or more, the one with the highest recall.",
        0.9,
        _precision_at_least,
    ),
    Aim(
        "count-bias-zero",
        "right number of particles",
        f"The threshold whose number of particles, over all images, is nearest to the true one. {_FITS}",
        None,
        _count_bias_zero,
    ),
    Aim(
        "equal-area",
        "right total area",
        f"The threshold whose particle pixels, over all images, come nearest to the true number. {_FITS}",
        None,
        _equal_area,
    ),
):
    AIMS.add(_aim.name, _aim)
