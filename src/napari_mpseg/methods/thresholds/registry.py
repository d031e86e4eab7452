"""All rules by name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.methods.rule_titles import RULE_TITLES
from napari_mpseg.methods.thresholds import entropy, groups, isodata, moments, shape
from napari_mpseg.registry import Registry

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class ThresholdRule:
    """One way from a histogram to a level.

    Attributes
    ----------
    name : str
        What users type: ``"max-entropy"``.
    imagej : str
        What ImageJ calls it.
    level : callable
        Takes int64 ``(256,)`` counts of at least one pixel, and returns the level t: bright objects are the grey values
        above t, dark objects those up to t. None where the rule finds no level.
    remark : callable
        Takes the same, and returns a sentence on what is wrong with the level, or None.
    """

    name: str
    imagej: str
    level: Callable[[Counts], int | None]
    remark: Callable[[Counts], str | None] = lambda counts: None


THRESHOLD_RULES: Registry[ThresholdRule] = Registry("threshold rule")


def _add(name: str, level: Callable[[Counts], int | None], **more: Callable[[Counts], str | None]) -> None:
    THRESHOLD_RULES.add(name, ThresholdRule(name, RULE_TITLES[name][0], level, **more))


_add("max-entropy", entropy.max_entropy)
_add("otsu", groups.otsu)
_add("yen", entropy.yen)
_add("renyi-entropy", entropy.renyi_entropy)
_add("triangle", shape.triangle)
_add("li", groups.li)
_add("isodata", isodata.isodata)
_add("imagej-default", isodata.imagej_default)
_add("ij-isodata", isodata.ij_isodata)
_add("huang", shape.huang)
_add("intermodes", shape.intermodes)
_add("minimum", shape.minimum)
_add("mean", moments.mean)
_add("min-error", groups.min_error, remark=groups.min_error_remark)
_add("moments", moments.moments)
_add("percentile", moments.percentile)
_add("shanbhag", entropy.shanbhag)
