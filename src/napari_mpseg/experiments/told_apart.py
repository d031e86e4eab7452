"""Held-out images as models segment them that tell particles apart: detectors, and networks with such a head."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.progress import CancelToken

if TYPE_CHECKING:
    from napari_mpseg.evaluation.held_out import HeldOutFold
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.training.crossval import Fold, HeldOut
    from napari_mpseg.training.data.pairs import LabelledImage
    from napari_mpseg.training.preset import Preset

COLUMNS = {
    "particle-recall-iou": "recall, IoU 0.5",
    "particle-precision-iou": "precision, IoU 0.5",
    "panoptic-quality": "panoptic quality",
    "count-bias": "count bias",
    "count-mae": "count MAE",
}
"""Metrics that feel whether particles were told apart, and their titles."""


@dataclass(frozen=True)
class ToldApartFold:
    """A fold with the model that was trained on all others, and the particles it finds there.

    Attributes
    ----------
    fold : Fold
    model : Model or DetectorModel
    probabilities : tuple of ndarray
        float32 ``(Y, X)`` for each patch of the fold, as results store it; of a detector the score of the particle.
    labels : tuple of ndarray
        ``(Y, X)`` for each patch: the particles as the model tells them apart, of any size.
    """

    fold: "Fold"
    model: "Model"
    probabilities: tuple[NDArray[np.float32], ...]
    labels: tuple[NDArray[Any], ...]

    @property
    def truths(self) -> tuple[NDArray[Any], ...]:
        """The true particles as they were labelled; where all have one label, connected pixels are a particle."""
        from napari_mpseg.training.data.instances import with_instances

        return tuple(np.asarray(with_instances(patch).instances) for patch in self.fold.patches)

    @classmethod
    def of(cls, held: "HeldOut") -> "ToldApartFold":
        """Return the fold of a cross-validation that predicted with :func:`segmented`."""
        found: Sequence[Any] = held.probabilities
        return cls(held.fold, held.model, tuple(one[0] for one in found), tuple(one[1] for one in found))


def tells_apart(preset: "Preset") -> bool:
    """Return whether what a preset trains tells particles apart itself."""
    from napari_mpseg.training.detector_presets import TRAINER

    return preset.trainer == TRAINER or preset.settings.head != "mask"


def method_of(model: Any, device: str) -> Any:
    """Return a trained network, or a trained detector, as a method."""
    from napari_mpseg.detection.modelfile import DetectorModel
    from napari_mpseg.methods.mask_rcnn import MaskRCNNMethod
    from napari_mpseg.methods.network import NetworkMethod

    return MaskRCNNMethod(model, device) if isinstance(model, DetectorModel) else NetworkMethod(model, device)


def segmented(device: str, cancel: CancelToken) -> "Callable[[Model, Sequence[LabelledImage]], Sequence[Any]]":
    """Return a predictor that gives probability and labels of each image, as ``segment`` does at the card's threshold.

    It raises Cancelled if `cancel` is set.
    """

    def predict(model: Any, images: "Sequence[LabelledImage]") -> list[tuple[Any, Any]]:
        return [_segmented(model, pair, device, cancel) for pair in images]

    return predict


def _segmented(model: Any, pair: "LabelledImage", device: str, cancel: CancelToken) -> tuple[Any, Any]:
    from napari_mpseg.images.image import Image
    from napari_mpseg.images.normalisation import Normalisation
    from napari_mpseg.inference.store import PROBABILITY_SCALE
    from napari_mpseg.pipeline import segment

    # its pixels are in grey levels of 0 to 255 already, whatever the file held
    scaled = replace(model.card, normalisation=Normalisation("fixed", offset=0.0, scale=255.0))
    pixels: Any = np.asarray(pair.image[:, :])
    image = Image(pixels if pixels.shape[2] > 1 else pixels[..., 0], pair.name)
    method = method_of(replace(model, card=scaled), device)
    result = segment(image, method, min_size=0, measure=False, cancel=cancel)
    probability = np.asarray(result.probability[...], np.float32) / np.float32(PROBABILITY_SCALE)
    return probability, np.asarray(result.labels[...])


def object_scores(held: "Sequence[HeldOutFold]") -> dict[str, dict[str, float]]:
    """Return the metrics of :data:`COLUMNS` by fold, all images of a fold together, and their mean over the folds."""
    from napari_mpseg.evaluation.aggregate import score
    from napari_mpseg.evaluation.held_out import fold_evidence

    found: dict[str, dict[str, float]] = {}
    for outcome in held:
        evidences: list[Evidence] = fold_evidence(outcome)
        found[outcome.fold.name] = score(evidences, tuple(COLUMNS))
    means = {name: float(np.mean([one[name] for one in found.values()])) for name in COLUMNS}
    return {**found, "mean": means}


def object_table(scores: dict[str, dict[str, float]]) -> str:
    """Return what :func:`object_scores` gave as a Markdown table."""
    lines = [f"| fold held out | {' | '.join(COLUMNS.values())} |", f"|---|{'---|' * len(COLUMNS)}"]
    lines += [f"| {fold} | {' | '.join(f'{one[name]:.3f}' for name in COLUMNS)} |" for fold, one in scores.items()]
    return "\n".join(lines)
