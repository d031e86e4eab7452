"""Whole test images predicted once; masks and evidence are kept."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg._version import __version__
from napari_mpseg.evaluation.evidence import Evidence, gather_evidence
from napari_mpseg.experiments.evidence_files import load_evidence, save_evidence
from napari_mpseg.experiments.samples import Sample
from napari_mpseg.files import finished_at
from napari_mpseg.progress import CancelToken, ProgressCallback

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model

_TILE = 512
PARTICLE_MIN_SIZE = 3
"""Least number of pixels of a particle that counts in particle metrics; pixel metrics take every pixel."""


@dataclass(frozen=True)
class Predictor:
    """A method ready to predict test images.

    Attributes
    ----------
    method : str or Method
        As :func:`~napari_mpseg.pipeline.segment` takes it.
    made_by : str
        A digest of everything that its masks depend on.
    graded : bool
        Whether its probabilities mean something.
    """

    method: Any
    made_by: str
    graded: bool


def predictor_of_model(model: "Model", device: str, min_size: int) -> Predictor:
    """Return the predictor of a trained model or detector: its card's threshold and test-time augmentation."""
    from napari_mpseg.experiments.told_apart import method_of

    card = model.card
    facts = [card.weights_sha256, card.threshold, list(getattr(card, "tta", ())), getattr(card, "shrink", 1), min_size]
    return Predictor(method_of(model, device), _digest(facts), True)


def predictor_of_method(method: str, device: str, min_size: int) -> Predictor:
    """Return the predictor of a method that needs no training.

    Parameters
    ----------
    method : str
        A registered name, a model folder or a method file.

    Raises
    ------
    UnknownNameError
        If there is none.
    SettingsError
        If it needs more than the image.
    """
    from napari_mpseg.methods.options import checked_options
    from napari_mpseg.methods.registry import MethodEntry, resolve_method

    entry = resolve_method(method)
    assert isinstance(entry, MethodEntry)
    built = entry.build(device=device, **checked_options(entry, {}))
    described = {key: value for key, value in built.describe().items() if key != "device"}
    return Predictor(method, _digest([entry.name, described, dict(entry.defaults), min_size]), entry.graded)


def predict_sample(
    predictor: Predictor,
    sample: Sample,
    truth: Any,
    places: tuple[Path, Path],
    *,
    group: str,
    min_size: int,
    device: str,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Evidence:
    """Predict one image as ``segment`` does and compare it with its truth, unless that was done before.

    Parameters
    ----------
    truth : ndarray of bool
        ``(Y, X)``.
    places : tuple of Path
        Where evidence (JSON) and mask (TIFF, 255 is particle) are, or shall be.
    group : str
        Of the evidence.
    min_size : int
        Predicted particles of fewer pixels are dropped from the mask; 0 keeps all.

    Raises
    ------
    Cancelled
    """
    from napari_mpseg.pipeline import segment

    evidence_place, mask_place = places
    known = load_evidence(evidence_place, predictor.made_by)
    if known is not None and mask_place.exists():
        return known
    result = segment(
        sample.image,
        predictor.method,
        min_size=min_size,
        measure=False,
        device=device,
        on_progress=on_progress,
        cancel=cancel,
    )
    cancel.check()
    evidence = gather_evidence(
        result.labels,
        truth,
        probability=result.probability if predictor.graded else None,
        min_size=PARTICLE_MIN_SIZE,
        name=sample.name,
        group=group,
        pixel_size_um=result.image.calibration.pixel_size_um,
    )
    _save_mask(result.labels, mask_place)
    save_evidence(evidence, evidence_place, predictor.made_by)
    return evidence


def _save_mask(labels: Any, place: Path) -> None:
    """Write labels as a mask, tile by tile."""
    import tifffile

    def tiles() -> Iterator[Any]:
        for y in range(0, labels.shape[0], _TILE):
            for x in range(0, labels.shape[1], _TILE):
                part = np.asarray(labels[y : y + _TILE, x : x + _TILE]) > 0
                missing = [(0, _TILE - size) for size in part.shape]
                yield np.pad(part, missing).astype(np.uint8) * np.uint8(255)

    with finished_at(place) as part:
        tifffile.imwrite(part, tiles(), shape=labels.shape, dtype=np.uint8, tile=(_TILE, _TILE), compression="deflate")


def _digest(facts: Any) -> str:
    """Return a digest of what a prediction depends on; that is the program itself, too."""
    return hashlib.sha256(json.dumps([__version__, facts], sort_keys=True, default=str).encode()).hexdigest()[:32]
