"""Stored levels of probability, and the thresholds between them."""

LEVELS = 255
"""Stored level of probability 1."""


def threshold_of(level: int) -> float:
    """Return a threshold, with three decimals, above which pixels of stored probability `level` or more lie.

    It lies half-way between the level and the one below.

    Parameters
    ----------
    level : int
        1 to 255.

    Returns
    -------
    float
    """
    return round((level - 0.5) / LEVELS, 3)
