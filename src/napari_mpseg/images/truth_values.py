"""Which value of a truth is particle: what to say where the answer seems wrong."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError

MOSTLY = 0.5
"""Share of an image above which particles are likely to be the background: real ones cover a few percent."""

_FEW = 6  # values that are told one by one
_ROWS = 1024


def check_particle_value(truths: Iterable[Any], value: int | None) -> None:
    """Refuse a value that is to mean particle, and occurs nowhere.

    Truths are read, in strips, until one with the value is found. Where all truths have one value throughout, nobody
    can tell images without particles from a wrong value, and nothing is refused.

    Parameters
    ----------
    truths : iterable of array
        ``(Y, X)``, or more axes; the truth of every image as it is in its file.
    value : int or None
        None asks for nothing.

    Raises
    ------
    SettingsError
        If no truth holds it; the message names the values there are.
    """
    if value is None:
        return
    known: set[int] = set()
    for truth in truths:
        for start in range(0, truth.shape[0], _ROWS):
            known.update(np.unique(np.asarray(truth[start : start + _ROWS])).tolist())
            if value in known:
                return
    if len(known) > 1:
        raise SettingsError(
            f"No truth holds the value {value} that is to be particle (--particle-value, particle_value); there "
            f"{_listed(sorted(known))}. Give one of them, or leave it out where all but 0 is particle."
        )


def particle_share(masks: Iterable[Any]) -> float:
    """Return which share of the pixels of all masks is true; 0 without any pixel."""
    true = every = 0
    for mask in masks:
        true, every = true + int(np.count_nonzero(mask)), every + int(mask.size)
    return true / every if every else 0.0


def inverted_note(share: float, value: int | None) -> str:
    """Return what to say if so large a share of the truth's pixels is particle; empty if nothing.

    Parameters
    ----------
    share : float
        0 to 1.
    value : int or None
        The value that means particle; None for all but 0. A value that was chosen is not doubted.
    """
    if share <= MOSTLY or value is not None:
        return ""
    return (
        f"{share:.0%} of the pixels of the truth are particle. If 0 means particle there, as in MP-Net's labels, give "
        "--particle-value 0."
    )


def _listed(values: list[int]) -> str:
    if len(values) > _FEW:
        return f"are {len(values)} values from {values[0]} to {values[-1]}"
    return f"are {', '.join(map(str, values))}"
