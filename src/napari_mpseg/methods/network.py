"""Segmentation by a trained network: the bundled one, or a model folder."""

import os
from importlib import resources
from pathlib import Path
from typing import Any

from napari_mpseg.images.channels import match_channels
from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.networks.modelfile import Model, load_model
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.settings import to_dict

BUNDLED = "half-multiresunet-nile-red"
_FAR = 1.5  # pixel sizes that differ by more than this factor are worth a word


class NetworkMethod:
    """A trained network as a method.

    Parameters
    ----------
    model : Model
        Network, weights and card.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        from napari_mpseg.inference.device import choose_device

        self.model = model
        self.name = model.card.name
        self.default_threshold = model.card.threshold
        self.device = choose_device(device)

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Match channels and measure the image's value range; see ``Method.prepare``."""
        from napari_mpseg.inference.runtime import NetworkPredictor

        card = self.model.card
        matched = match_channels(image, card.in_channels)
        scaling = card.normalisation.measure(matched, cancel, on_progress)
        notes = [*_channel_note(image, card.in_channels), *_size_note(image, card.pixel_size_um)]
        if scaling.not_finite:
            notes.append(
                f"{scaling.not_finite} pixels are not numbers (NaN or infinite); they were taken as background."
            )
        predictor = NetworkPredictor(self.model.network, scaling, card.receptive_radius, self.device)
        return Prepared(matched, predictor, tuple(notes))

    def describe(self) -> dict[str, Any]:
        """Return the model card and the device."""
        return {"model": to_dict(self.model.card), "device": str(self.device)}


def bundled(device: str = "auto") -> NetworkMethod:
    """Return the network that comes with the package."""
    with resources.as_file(resources.files("napari_mpseg") / "models" / BUNDLED) as folder:
        return NetworkMethod(load_model(folder), device)


def from_file(path: str | os.PathLike[str], device: str = "auto") -> NetworkMethod:
    """Return the network of a model folder."""
    return NetworkMethod(load_model(Path(path)), device)


def _channel_note(image: Image, expected: int) -> list[str]:
    if image.n_channels == 1 and expected > 1:
        return [
            "This network was trained on colour images; the grey image was used for all channels, which is less sure. "
            "Check the result, or train on images like this one."
        ]
    return []


def _size_note(image: Image, trained: float | None) -> list[str]:
    here = image.calibration.pixel_size_um
    if here is None or trained is None or 1 / _FAR <= here / trained <= _FAR:
        return []
    return [
        f"The image has {here:g} um per pixel, the network was trained at {trained:g}: "
        f"particles look {trained / here:.2g} times as large to it. Check the result, or rescale the image."
    ]
