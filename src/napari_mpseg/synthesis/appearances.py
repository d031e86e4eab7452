"""What a particle does to the light that falls through a filter.

Light is weakened by Beer and Lambert's law: behind optical density d, a share of 10**-d is left. A negative density is
light gained, by scattering or refraction. Each appearance gives a density per pixel, not yet blurred, and how strongly
each colour channel is affected, 1 for the strongest.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.registry import Registry

Density = NDArray[np.float32]
Colour = NDArray[np.float32]
Appearance = Callable[[np.random.Generator, NDArray[np.float32], float], tuple[Density, Colour]]
"""Takes random numbers, the depth of each pixel below the particle's edge (px, 0 outside) and the median density."""

APPEARANCES: Registry[Appearance] = Registry("appearance")

# Relative absorption of red, green and blue by common pigments of plastics: what is left is the colour that one sees.
_PIGMENTS = np.array(
    [
        [0.10, 0.85, 1.00],  # red
        [1.00, 0.50, 0.10],  # blue
        [0.90, 0.20, 1.00],  # green
        [0.05, 0.22, 1.00],  # yellow
        [0.08, 0.50, 1.00],  # orange
        [0.55, 1.00, 0.35],  # violet
        [1.00, 0.35, 0.25],  # cyan
    ],
    np.float32,
)
_RIM = 1.3  # px over which light is bent away at the edge of something transparent


def _grain(rng: np.random.Generator, shape: tuple[int, ...], size: float) -> NDArray[np.float32]:
    """Return unevenness of unit spread with features of about `size` px."""
    from scipy import ndimage

    noise = ndimage.gaussian_filter(rng.standard_normal(shape), size)
    return np.asarray(noise * (2 * np.sqrt(np.pi) * size), np.float32)


def _strongest_is_one(colour: NDArray[np.float64]) -> Colour:
    return np.asarray(colour / colour.max(), np.float32)


@APPEARANCES.register("dark")
def dark(rng: np.random.Generator, depth: NDArray[np.float32], contrast: float) -> tuple[Density, Colour]:
    """Absorb all colours nearly alike: carbon black, thick or weathered plastic."""
    strength = contrast * rng.lognormal(0, 0.35)
    density = strength * np.exp(0.2 * _grain(rng, depth.shape, 1.5)) * (depth > 0)
    return np.asarray(density, np.float32), _strongest_is_one(rng.uniform(0.85, 1.0, 3))


@APPEARANCES.register("coloured")
def coloured(rng: np.random.Generator, depth: NDArray[np.float32], contrast: float) -> tuple[Density, Colour]:
    """Absorb the complement of a pigment's colour; thin edges are paler."""
    strength = contrast * rng.lognormal(0, 0.4)
    thickness = 1 - 0.5 * np.exp(-depth / 2.0)
    density = strength * thickness * np.exp(0.15 * _grain(rng, depth.shape, 2.0)) * (depth > 0)
    pigment = _PIGMENTS[rng.integers(len(_PIGMENTS))] * rng.uniform(0.8, 1.2, 3)
    return np.asarray(density, np.float32), _strongest_is_one(pigment)


@APPEARANCES.register("transparent")
def transparent(rng: np.random.Generator, depth: NDArray[np.float32], contrast: float) -> tuple[Density, Colour]:
    """Bend light: a dark rim, and inside a little darker or, like a lens, brighter than the membrane."""
    rim = contrast * rng.lognormal(0, 0.3) * np.exp(-np.maximum(depth - 1, 0) / _RIM)
    inside = contrast * (rng.uniform(0.05, 0.25) if rng.random() < 0.6 else rng.uniform(-0.4, -0.2))
    inner = inside * (1 - np.exp(-np.maximum(depth - 1, 0) / (2 * _RIM)))
    density = (rim + inner * np.exp(0.2 * _grain(rng, depth.shape, 2.5))) * (depth > 0)
    return np.asarray(density, np.float32), _strongest_is_one(rng.uniform(0.9, 1.0, 3))


@APPEARANCES.register("white")
def white(rng: np.random.Generator, depth: NDArray[np.float32], contrast: float) -> tuple[Density, Colour]:
    """Scatter light back: brighter than the membrane, as foamed or filled plastic in light from above."""
    strength = contrast * rng.lognormal(0, 0.2)
    density = -strength * np.exp(0.15 * _grain(rng, depth.shape, 1.5)) * (depth > 0)
    return np.asarray(density, np.float32), _strongest_is_one(rng.uniform(0.9, 1.0, 3))
