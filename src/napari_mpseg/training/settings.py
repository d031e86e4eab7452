"""Settings of a training run."""

from dataclasses import dataclass

from napari_mpseg.errors import SettingsError


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained.

    Attributes
    ----------
    network : str
        Name in the registry of networks.
    dropout : float
        Share of feature maps dropped in training, where the network knows dropout.
    steps : int
        Optimiser steps.
    batch : int
        Crops per step.
    crop : int
        Side of a crop in pixels, a multiple of the network's stride.
    loss : str
        Name in the registry of losses.
    learning_rate : float
        Peak of the one-cycle schedule (10 % of the steps up, then a cosine down).
    weight_decay : float
        Of AdamW.
    average : float
        Decay of the exponential moving average of the weights, which is what is kept.
    particle_share : float
        Share of crops that are laid around a particle; the rest lie anywhere.
    synthetic_share : float
        Share of crops from synthetic patches.
    gain, offset, noise : float
        Photometric augmentation: spread of the logarithm of the brightness factor; spread of an added level and
        largest spread of added noise, both in 1/255 of the range.
    grey_share : float
        Share of crops turned grey, so that the network also serves single-channel cameras.
    bf16 : bool
        Compute in bfloat16 where torch says it is safe.
    seed : int
        The same seed on the same machine gives the same weights.
    """

    network: str = "half-multiresunet"
    dropout: float = 0.3
    steps: int = 400
    batch: int = 8
    crop: int = 96
    loss: str = "bce+dice"
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    average: float = 0.995
    particle_share: float = 0.75
    synthetic_share: float = 0.1
    gain: float = 0.1
    offset: float = 4.0
    noise: float = 1.0
    grey_share: float = 0.1
    bf16: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "crop"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} = {getattr(self, name)} is impossible: give at least 1.")
        if self.learning_rate <= 0:
            raise SettingsError(f"learning_rate = {self.learning_rate} is impossible: give a positive number.")
        for name in ("dropout", "average", "particle_share", "synthetic_share", "grey_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} = {getattr(self, name)} is impossible: give a share from 0 to 1.")
