"""The settings of a pixel forest."""

import math
from dataclasses import dataclass

from napari_mpseg.errors import SettingsError


@dataclass(frozen=True)
class ForestSettings:
    """What a forest sees, and how it grows.

    Attributes
    ----------
    features : tuple of str
        Names in :data:`~napari_mpseg.methods.forest.features.FEATURES`.
    sigmas : tuple of float
        Scales in pixels: standard deviations of the Gaussians every feature starts from. A round particle of diameter d
        answers most at d / 2.8.
    trees : int
    max_depth : int
        Questions from the root of a tree to its end, at most.
    min_leaf : int
        Pixels that an end of a tree must hold at least; more makes smoother probabilities.
    max_background, max_particle : int
        Pixels that are learnt from, at most; of more, as many are drawn by chance.
    seed : int
        The same seed gives the same forest.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """

    features: tuple[str, ...] = ("intensity", "gradient", "hessian")
    sigmas: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    trees: int = 100
    max_depth: int = 20
    min_leaf: int = 1
    max_background: int = 50_000
    max_particle: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.sigmas or not all(math.isfinite(sigma) and 0.3 <= sigma <= 64 for sigma in self.sigmas):
            raise SettingsError(f"Scales {self.sigmas} are impossible: give one or more from 0.3 to 64 px.")
        if not self.features:
            raise SettingsError("No feature is chosen: a forest needs at least one.")
        least = {"trees": 1, "max_depth": 1, "min_leaf": 1, "max_background": 1, "max_particle": 1, "seed": 0}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise SettingsError(f"{name} = {getattr(self, name)} is impossible: give {lowest} or more.")
