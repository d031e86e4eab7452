"""Smooth densities: along a line, and of directions without an arrow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.plots.bins import value_step

_NARROWEST, _WIDEST = 2.0, 15.0  # degrees: standard deviation of the kernel on the axis
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class AxialDensity:
    """Density of axes: directions of which 0 and 180 degrees are the same.

    Attributes
    ----------
    degrees : numpy.ndarray
        0 to 180, both included.
    density : numpy.ndarray
        Per degree; its integral over 0 to 180 is 1.
    mean : float
        Mean axis in degrees, 0 up to 180.
    strength : float
        Length of the mean vector of the doubled angles: 0 without a preferred axis, 1 if all are parallel.
    bandwidth : float
        Standard deviation of the kernel, in degrees.
    """

    degrees: NDArray[np.float64]
    density: NDArray[np.float64]
    mean: float
    strength: float
    bandwidth: float


def axial_density(degrees: NDArray[np.float64], *, bandwidth: float = 0.0, points: int = 361) -> AxialDensity:
    """Return the kernel density of axes with a von Mises kernel of period 180 degrees.

    Angles are doubled, so that 0 and 180 meet, as usual for axial data (Fisher 1993, Statistical Analysis of Circular
    Data). The density is summed as a Fourier series, whose terms are the trigonometric moments of the data times those
    of the kernel: exact to rounding, and linear in the number of particles.

    Parameters
    ----------
    degrees : numpy.ndarray
        ``(N,)``, finite, one or more; any multiple of 180 may be added.
    bandwidth : float
        Standard deviation of the kernel in degrees; 0 to choose it by the rule of Taylor (2008, Computational
        Statistics and Data Analysis 52, 3493), within 2 to 15 degrees: the rule knows one direction only and would
        smooth away several.
    points : int
        Number of places where the density is given.
    """
    from scipy import special

    doubled = np.deg2rad(np.asarray(degrees, np.float64)) * 2
    first = np.exp(1j * doubled)
    mean = complex(first.mean())
    width = bandwidth or _chosen_bandwidth(abs(mean), len(doubled))
    kappa = 1 / np.deg2rad(2 * width) ** 2
    places = np.linspace(0, 180, points)
    at = np.deg2rad(places) * 2
    density = np.full(points, 1.0)
    power = first.copy()
    for order in range(1, 10_000):
        kernel = special.ive(order, kappa) / special.ive(0, kappa)
        if kernel < _NEGLIGIBLE:
            break
        moment = complex(power.mean())
        density += 2 * kernel * (moment.conjugate() * np.exp(1j * order * at)).real
        power *= first
    axis = float(np.rad2deg(np.angle(mean)) / 2 % 180)
    return AxialDensity(places, np.maximum(density, 0) / 180, axis, min(1.0, abs(mean)), width)


def _chosen_bandwidth(strength: float, count: int) -> float:
    """Return Taylor's rule, for a concentration estimated as Fisher (1993) does."""
    from scipy import special

    if strength > 1 - 1e-9:
        return _NARROWEST
    if strength < 0.53:
        kappa = 2 * strength + strength**3 + 5 * strength**5 / 6
    elif strength < 0.85:
        kappa = -0.4 + 1.39 * strength + 0.43 / (1 - strength)
    else:
        kappa = 1 / (strength**3 - 4 * strength**2 + 3 * strength)
    # exp(-2 kappa) cancels between I2(2 kappa) and I0(kappa) squared
    smooth = 3 * count * kappa**2 * special.ive(2, 2 * kappa) / (4 * np.sqrt(np.pi) * special.ive(0, kappa) ** 2)
    kernel = max(float(smooth) ** 0.4, 1e-12)
    return float(np.clip(np.rad2deg(1 / np.sqrt(kernel)) / 2, _NARROWEST, _WIDEST))


def line_density(
    values: NDArray[np.float64], *, log: bool = False, points: int = 256
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a Gaussian kernel density between the smallest and the largest value, by Silverman's rule.

    Values are counted in fine cells, which are then smoothed: linear in the number of values. Where values come in
    steps, each stands for all within half a step: an area of two pixels for one and a half to two and a half. Without
    that, areas of a few pixels would look like so many separate groups.

    Parameters
    ----------
    values : numpy.ndarray
        ``(N,)``, finite, with two different values or more; above zero for logarithms.
    log : bool
        The density of the decimal logarithms.
    points : int
        Number of places.

    Returns
    -------
    tuple of numpy.ndarray
        Places, as values, evenly spaced (as logarithms if asked for); and the densities there.
    """
    from scipy import ndimage

    scaled = np.log10(values) if log else values
    low, quarter, three_quarters, high = np.quantile(scaled, (0, 0.25, 0.75, 1))
    spread = float(scaled.std())
    middle = (three_quarters - quarter) / 1.349
    width = 0.9 * (min(spread, middle) if middle > 0 else spread) * len(values) ** -0.2
    cell = (high - low) / int(np.clip(4 * (high - low) / width, 512, 65_536))
    padding = int(np.ceil(4 * width / cell))
    edges = np.arange(-padding, round((high - low) / cell) + padding + 1) * cell + low
    share = np.diff(_cumulative(values, 10**edges if log else edges)) / cell
    smooth = ndimage.gaussian_filter1d(share, max(width / cell, 1e-3), mode="constant")
    places = np.linspace(low, high, points)
    density = np.interp(places, (edges[:-1] + edges[1:]) / 2, smooth)
    return (10**places if log else places), density


def _cumulative(values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of values up to each of some places, values in steps spread over their steps."""
    unique, counts = np.unique(values, return_counts=True)
    step = value_step(unique)
    if not step:
        return np.searchsorted(np.sort(values), at, side="right") / len(values)
    share = np.r_[0, np.cumsum(counts)] / len(values)
    borders = np.column_stack([unique - step / 2, unique + step / 2]).ravel()
    return np.asarray(np.interp(at, borders, np.column_stack([share[:-1], share[1:]]).ravel()))
