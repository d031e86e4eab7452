"""Segmentation by a trained Mask R-CNN: every particle by itself, also where particles touch."""

import os
from pathlib import Path
from typing import Any

from napari_mpseg.detection.modelfile import DetectorModel, load_detector
from napari_mpseg.detection.network import Detector
from napari_mpseg.detection.windows import WindowDetector
from napari_mpseg.images.channels import match_channels
from napari_mpseg.images.checks import gap_notes
from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.instance_predictor import WindowInstances
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.networks.device import choose_device
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.settings import to_dict

_FAR = 1.5  # pixel sizes that differ by more than this factor are worth a word


class MaskRCNNPredictor(WindowDetector):
    """Finds particles in windows; an ``InstancePredictor``.

    Parameters
    ----------
    network, scaling, window, halo, device
        As for :class:`~napari_mpseg.detection.windows.WindowDetector`.

    Attributes
    ----------
    overlap : int
        Half of the halo: so far from its end a window knows what surrounds a particle.
    """

    def __init__(self, network: Detector, scaling: Scaling, window: int, halo: int, device: Any = None) -> None:
        super().__init__(network, scaling, window, halo, device)
        self.overlap = max(1, halo // 2)

    def predict_instances(self, window: Any, margins: tuple[int, int, int, int], threshold: float) -> WindowInstances:
        """Return the particles whose score is `threshold` or more; their probability is the score."""
        labels, scores = self.instances(window, margins, threshold)
        return WindowInstances(scores, labels)


class MaskRCNNMethod:
    """A trained Mask R-CNN as a method.

    Parameters
    ----------
    model : DetectorModel
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.

    Attributes
    ----------
    threshold_drops_particles : bool
        A higher threshold leaves out particles and changes no outline, so what is found at threshold 0 tells what is
        found at any. Particles below the threshold leave nothing in the probability.
    """

    threshold_drops_particles = True

    def __init__(self, model: DetectorModel, device: str = "auto") -> None:
        self.model = model
        self.name = model.card.name
        self.default_threshold = model.card.threshold
        self.device = choose_device(device)

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Match channels and measure the image's value range; see ``Method.prepare``."""
        card = self.model.card
        matched = match_channels(image, card.in_channels)
        scaling = card.normalisation.measure(matched, cancel, on_progress)
        predictor = MaskRCNNPredictor(self.model.network, scaling, card.window, card.halo, self.device)
        notes = (*_notes(image, card.in_channels, card.pixel_size_um), *gap_notes(scaling.not_finite))
        return Prepared(matched, predictor, notes)

    def describe(self) -> dict[str, Any]:
        """Return the card and the device."""
        return {"model": to_dict(self.model.card), "device": str(self.device)}


def from_folder(path: str | os.PathLike[str], device: str = "auto") -> MaskRCNNMethod:
    """Return the Mask R-CNN of a folder that training wrote."""
    return MaskRCNNMethod(load_detector(Path(path)), device)


def _notes(image: Image, channels: int, trained: float | None) -> list[str]:
    notes = []
    if image.n_channels == 1 and channels > 1:
        notes.append(
            "This Mask R-CNN was trained on colour images; the grey image was used for all channels, which is less "
            "sure. Check the result, or train on images like this one."
        )
    here = image.calibration.pixel_size_um
    if here is not None and trained is not None and not 1 / _FAR <= here / trained <= _FAR:
        notes.append(
            f"The image has {here:g} um per pixel, the Mask R-CNN was trained at {trained:g}: particles look "
            f"{trained / here:.2g} times as large to it. Check the result, or train on images of this pixel size."
        )
    return notes
