"""Ranges of colour around what was clicked. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_mpseg.gui.colour_threshold_state import shown
from napari_mpseg.methods.colour_ranges import ColourRange
from napari_mpseg.methods.colour_spaces import COLOUR_SPACES, components_of

_COLOURED = 16
"""Saturation from which a hue means anything."""


def range_around(pixels: np.ndarray, space: str, tolerance: int) -> ColourRange:
    """Return the range that holds all of some colours, and as much more on each side as is tolerated.

    Parameters
    ----------
    pixels : ndarray of uint8
        ``(..., 3)``: red, green, blue.
    space : str
        Colour space of the range.
    tolerance : int
        How far the range goes beyond the colours, of 255.
    """
    entry = COLOUR_SPACES[space]
    parts = [part.ravel() for part in components_of(pixels.reshape(-1, 3), space)]
    ends = []
    for part, circular in zip(parts, entry.circular, strict=True):
        if circular:
            told = part[parts[1] >= _COLOURED]  # the hue of what is almost grey is noise
            ends.append(_wider_arc(*_arc(told), tolerance) if len(told) else (0, 255))
        else:
            ends.append((max(0, int(part.min()) - tolerance), min(255, int(part.max()) + tolerance)))
    low, high = zip(*ends, strict=True)
    return shown(ColourRange(space, (low[0], low[1], low[2]), (high[0], high[1], high[2])))


def widened(one: ColourRange, more: ColourRange) -> ColourRange:
    """Return a range that holds what either of two of one colour space holds, component by component.

    Where what lies inside passes, the ends move apart; where what lies outside passes, they move together.
    """
    if not one.limits:
        return more
    ends = [_both(one, more, number) for number in range(3)]
    low, high, inside = zip(*ends, strict=True)
    return shown(
        ColourRange(one.space, (low[0], low[1], low[2]), (high[0], high[1], high[2]), (inside[0], inside[1], inside[2]))
    )


def _both(one: ColourRange, more: ColourRange, number: int) -> tuple[int, int, bool]:
    passed = _passing(one, number) | _passing(more, number)
    if passed.all():
        return 0, 255, True
    if COLOUR_SPACES[one.space].circular[number]:
        return (*_arc(np.flatnonzero(passed)), True)
    if one.inside[number]:
        values = np.flatnonzero(passed)
        return int(values[0]), int(values[-1]), True
    return (*_longest_run(~passed), False)


def _passing(one: ColourRange, number: int) -> np.ndarray:
    """Return which of the values 0 to 255 of one component pass."""
    low, high = one.low[number], one.high[number]
    passed: np.ndarray = (np.arange(256) - low) % 256 <= (high - low) % 256
    return passed if one.inside[number] else ~passed


def _arc(values: Any) -> tuple[int, int]:
    """Return the shortest stretch of the circle that holds all values."""
    there = np.unique(values).astype(int)
    gaps = np.diff(there, append=there[0] + 256)
    before = int(np.argmax(gaps))
    return int(there[(before + 1) % len(there)]), int(there[before])


def _wider_arc(low: int, high: int, tolerance: int) -> tuple[int, int]:
    if (high - low) % 256 + 2 * tolerance >= 255:
        return 0, 255
    return (low - tolerance) % 256, (high + tolerance) % 256


def _longest_run(there: np.ndarray) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(there.astype(int), prepend=0, append=0)).reshape(-1, 2)
    first, end = edges[np.argmax(edges[:, 1] - edges[:, 0])]
    return int(first), int(end) - 1
