"""Folders of trained detectors: ``weights.safetensors`` and ``detector.json``. Nothing in them is ever executed."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.checked_file import read_checked
from napari_mpseg.detection.settings import DetectorSettings
from napari_mpseg.errors import ModelError, SettingsError
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.networks.model_folder import WEIGHTS, write_model_folder, write_threshold
from napari_mpseg.settings import from_dict

if TYPE_CHECKING:
    import torch

    from napari_mpseg.detection.network import Detector
    from napari_mpseg.detection.windows import WindowDetector

CARD = "detector.json"
FORMAT = 1
NETWORK = "mask-rcnn"


@dataclass(frozen=True)
class DetectorCard:
    """All that must be known of a detector beside its weights.

    Attributes
    ----------
    name : str
        What users see.
    options : DetectorSettings
        Its architecture.
    network : str
        ``"mask-rcnn"``.
    in_channels : int
        1 for grey images, 3 for colour.
    normalisation : Normalisation
        How pixels become input.
    threshold : float
        Least score of a particle.
    window, halo : int
        Side of the squares that it sees, and how much of that on every side is there for context, in pixels of the
        image.
    pixel_size_um : float or None
        Pixel size of the training images in micrometre, if known.
    description, training_data, attribution, licence : str
        For the reader.
    training : mapping
        Settings of the training, enough to run it again.
    scores : mapping
        What it reached, and on which data.
    versions : mapping
        Of program and libraries when it was made.
    weights_sha256 : str
        Digest of the weights file; a file with another digest is refused.
    format : int
        Version of this layout.
    """

    name: str
    options: DetectorSettings = field(default_factory=DetectorSettings)
    network: str = NETWORK
    in_channels: int = 3
    normalisation: Normalisation = field(default_factory=Normalisation)
    threshold: float = 0.5
    window: int = 256
    halo: int = 64
    pixel_size_um: float | None = None
    description: str = ""
    training_data: str = ""
    attribution: str = ""
    licence: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    weights_sha256: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.window < 8 or not 0 < 2 * self.halo < self.window:
            raise SettingsError(
                f"Squares of {self.window} px with {self.halo} px of context on every side are impossible: context "
                "must take less than half of the side."
            )


@dataclass(frozen=True)
class DetectorModel:
    """A detector with its weights and its card."""

    network: "Detector"
    card: DetectorCard

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the folder; see :func:`save_detector`."""
        return save_detector(self, path, overwrite=overwrite)

    def tile_predictor(self, scaling: Scaling, device: "torch.device | None" = None) -> "WindowDetector":
        """Return what finds particles in windows of an image."""
        from napari_mpseg.detection.windows import WindowDetector

        return WindowDetector(self.network, scaling, self.card.window, self.card.halo, device)


def save_detector(model: DetectorModel, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write the folder of a detector, finished atomically.

    Raises
    ------
    StoreError
        If something is there already (and `overwrite` is False) or the place cannot be written.
    """
    return write_model_folder(path, model.network, model.card, CARD, overwrite=overwrite)


def load_detector_card(path: str | os.PathLike[str]) -> DetectorCard:
    """Read the card of a detector's folder.

    Raises
    ------
    ModelError
        If there is none, or it is not one this version understands.
    """
    file = Path(path) / CARD
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{path} holds no {CARD}, so it is not a trained detector. Give the folder that training a Mask R-CNN "
            "wrote."
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}. Copy the detector again from where it came.") from error
    if not isinstance(values, dict) or values.get("format", FORMAT) > FORMAT:
        raise ModelError(f"{path} was made by a newer version. Update napari-mpseg to use it.")
    try:
        card = from_dict(DetectorCard, values)
    except SettingsError as error:
        raise ModelError(f"{file} does not fit this version: {error}") from error
    if card.network != NETWORK:
        raise ModelError(f"{file} says the network {card.network!r}, and this version knows {NETWORK!r} only.")
    return card


def load_detector(path: str | os.PathLike[str]) -> DetectorModel:
    """Read the folder of a detector: card, network, weights.

    Raises
    ------
    ModelError
        If a file is missing, damaged or changed, or the weights do not fit the network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from napari_mpseg.detection.network import build_detector

    card, file = load_detector_card(path), Path(path) / WEIGHTS
    content = read_checked(file, card.weights_sha256, "detector")
    network = build_detector(card.options, card.in_channels, pretrained=False)
    try:
        network.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ModelError(
            f"{file} does not fit the detector in {CARD}: {reason} Copy the detector again from where it came."
        ) from error
    return DetectorModel(network.eval(), card)


def with_threshold(
    path: str | os.PathLike[str],
    threshold: float,
    record: Mapping[str, Any],
    *,
    out: str | os.PathLike[str] | None = None,
) -> Path:
    """Write another least score into a detector's card, or into a copy at `out`; the weights stay as they are.

    Parameters
    ----------
    path : path-like
        The detector's folder.
    threshold : float
        0 or more and below 1.
    record : mapping
        How it was chosen; kept under ``scores["operating_point"]``.
    out : path-like, optional
        A new folder.

    Returns
    -------
    Path
        The folder that has the new threshold.

    Raises
    ------
    ModelError
        If there is no detector.
    SettingsError
        If the threshold is impossible.
    StoreError
        If the card cannot be written, or something is at `out` already.
    """
    card = load_detector_card(path)
    return write_threshold(Path(path), card, CARD, threshold, record, Path(out) if out is not None else None)
