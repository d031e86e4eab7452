"""Which grey values are particle: the level of a rule on an image's histogram, with what the user should know of it."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.thresholds.registry import THRESHOLD_RULES

Particles = Literal["bright", "dark"]


@dataclass(frozen=True)
class Choice:
    """A level, and how it came about.

    Attributes
    ----------
    level : int or None
        None if all pixels have the same grey value: nothing is particle then.
    found : bool
        Whether the rule found it. Else it is 0, as in ImageJ.
    remarks : tuple of str
        Sentences for the user.
    """

    level: int | None
    found: bool = True
    remarks: tuple[str, ...] = ()


def choose_level(rule: str, counts: NDArray[np.int64]) -> Choice:
    """Return the level of a rule on a histogram.

    Parameters
    ----------
    rule : str
        Name in :data:`~napari_mpseg.methods.thresholds.THRESHOLD_RULES`.
    counts : ndarray
        int64 ``(256,)``.

    Notes
    -----
    Where a rule finds no level, ImageJ takes level 0, and so does this; the user is told. An image of a single grey
    value has no level by any rule; ImageJ then takes what its code happens to leave, and here nothing is particle.
    """
    entry = THRESHOLD_RULES[rule]
    if np.count_nonzero(counts) < 2:
        return Choice(None, False, ("All pixels have the same grey value, so there is no level: nothing is particle.",))
    level = entry.level(counts)
    if level is None:
        remark = (
            f"{rule} finds no level on this image. As in ImageJ, level 0 is taken, which is hardly what you "
            "want: choose another rule."
        )
        return Choice(0, False, (remark,))
    remark = entry.remark(counts) or ""
    return Choice(level, True, (remark,) if remark else ())


def check_particles(particles: str) -> str:
    """Return it if it is ``"bright"`` or ``"dark"``.

    Raises
    ------
    SettingsError
        If it is neither.
    """
    if particles not in get_args(Particles):
        raise SettingsError(f"Particles are bright or dark, not {particles!r}.")
    return particles


def byte_limits(level: int | None, particles: str) -> tuple[float, float]:
    """Return the lowest and the highest 8-bit grey value that is particle, both included.

    For bright particles (ImageJ's dark background) that is level + 1 (at most 255) to 255, for dark ones 0 to the
    level, as in ImageJ. Without a level nothing is.
    """
    if level is None:
        return math.inf, -math.inf
    return (float(min(level + 1, 255)), 255.0) if particles == "bright" else (0.0, float(level))


def given_limits(level: int, particles: str) -> tuple[float, float]:
    """Return the same for a level that a person gave: no pixel is brighter than 255, so above it nothing is."""
    return (level + 1.0, 255.0) if particles == "bright" else (0.0, float(level))


def own_limits(level: int | None, particles: str, low: float, high: float) -> tuple[float, float]:
    """Return the same in an image's own grey values, of which `low` is the least and `high` the greatest.

    ImageJ counts 255 steps from `low` to `high`: 8-bit grey value v stands for low + v / 255 (high - low). The limits 0
    and 255 are no limits.
    """
    lowest, highest = byte_limits(level, particles)
    if level is None:
        return lowest, highest
    step = (high - low) / 255
    return (
        -math.inf if lowest == 0 else low + lowest * step,
        math.inf if highest == 255 else low + highest * step,
    )
