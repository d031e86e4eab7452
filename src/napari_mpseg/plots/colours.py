"""Colours that can be told apart with any colour vision."""

from collections.abc import Sequence
from typing import Any

# Okabe and Ito 2008; first those that can be seen on white, on dark grey and on black
OKABE_ITO = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#0072B2", "#F0E442", "#D55E00")
OTHER = "#8C8C8C"
"""Of what belongs to no group: a missing value, no class."""
HIGHLIGHT = "#D55E00"
"""Of what a user has selected."""

#: Sequential maps of even lightness steps, and what they are good for.
SEQUENTIAL = ("viridis", "cividis", "plasma", "magma", "inferno")
DIVERGING = "RdBu_r"

_PALER = 0.55  # share of white in the second round of colours


def group_colours(count: int) -> list[str]:
    """Return as many colours; after the seventh, paler ones, and then the same again."""
    pale = [_mixed(colour) for colour in OKABE_ITO]
    both = (*OKABE_ITO, *pale)
    return [both[number % len(both)] for number in range(count)]


def class_colours(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of each class, by its place among all classes, so that plots and layers agree.

    ``"unclassified"`` is grey.
    """
    from napari_mpseg.particles.classes.rules import UNCLASSIFIED

    proper = [name for name in dict.fromkeys(names) if name != UNCLASSIFIED]
    return {**dict(zip(proper, group_colours(len(proper)), strict=True)), UNCLASSIFIED: OTHER}


def is_dark(colour: Any) -> bool:
    """Return whether white can be read better on a colour (red, green, blue from 0 to 1) than black."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]  # WCAG 2
    return bool(luminance < 0.179)


def _mixed(colour: str) -> str:
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * _PALER):02X}" for part in parts)
