"""A band that a random curve leaves anywhere with a known probability: the global rank envelope test.

Source: Myllymäki, Mrkvička, Grabarnik, Seijo, Hahn 2017, Global envelope tests for spatial processes, J. R. Stat. Soc.
B 79, 381-404 (extreme rank lengths).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Envelope:
    """A global envelope.

    Attributes
    ----------
    p : float
        Probability of a random curve as extreme as the observed one.
    low, high : numpy.ndarray
        float64 ``(K,)``.
    """

    p: float
    low: Array
    high: Array


def global_envelope(observed: Array, simulated: Array, alpha: float) -> Envelope:
    """Compare a curve with simulated ones, all of it at once.

    Parameters
    ----------
    observed : numpy.ndarray
        float64 ``(K,)``.
    simulated : numpy.ndarray
        float64 ``(M, K)``, each row a curve of a random pattern.
    alpha : float
        Probability with which a random curve leaves the band.
    """
    from scipy.stats import rankdata

    curves = np.vstack([observed, simulated])
    ranks = rankdata(curves, axis=0)
    ranks = np.minimum(ranks, len(curves) + 1 - ranks)
    ranks.sort(axis=1)
    # the most extreme curve has the smallest rank somewhere; among equals, the one that has it more often
    order = np.lexsort(ranks.T[::-1])
    place = np.empty(len(curves), np.int64)
    different = np.any(ranks[order][1:] != ranks[order][:-1], axis=1)
    groups = np.concatenate([[0], np.cumsum(different)])
    last = np.searchsorted(groups, groups, side="right")  # how many are at least as extreme
    place[order] = last
    inside = place > alpha * len(curves)
    return Envelope(float(place[0] / len(curves)), curves[inside].min(axis=0), curves[inside].max(axis=0))
