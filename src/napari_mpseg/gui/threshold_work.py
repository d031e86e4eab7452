"""What *Choose a threshold* computes in a thread: counts at every threshold, and labels at one. No Qt here."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_mpseg.evaluation.levels import threshold_of as threshold_of
from napari_mpseg.gui.evaluate_input import PROBABILITY_SCALE, check_same_shape
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.segmentation import MaskSettings
from napari_mpseg.layers import prepare
from napari_mpseg.progress import CancelToken, ProgressCallback

LOWEST, HIGHEST = 1, PROBABILITY_SCALE
"""Levels of a slider: the smallest stored probability that counts as particle."""


def level_of(threshold: float) -> int:
    """Return the smallest stored probability that a threshold lets pass."""
    return MaskSettings(threshold).lowest


@dataclass(frozen=True)
class Curves:
    """What there would be at every threshold.

    Attributes
    ----------
    counts : ndarray of int64
        ``(256,)``: particles if pixels of that stored probability or more count; index 0 has no meaning.
    precision, recall, f1 : ndarray of float64 or None
        ``(256,)``: over pixels; None without truth.
    n_truth : int or None
        True particles of the least size or more.
    case : ThresholdCase or None
        What :func:`~napari_mpseg.evaluation.operating_points.choose_threshold` takes; None without truth.
    """

    counts: Any
    precision: Any = None
    recall: Any = None
    f1: Any = None
    n_truth: int | None = None
    case: Any = None


class StoredProbability:
    """A probability that is there already as a method: what was segmented once is segmented again at once.

    Parameters
    ----------
    probability : Image
        uint8 ``(Y, X)``, 255 stands for 1.
    name : str
        Of the method that made it.
    record : mapping
        What is to be told of it in the record of the run: settings, and the model's card under ``"model"``.
    """

    default_threshold = 0.5

    def __init__(self, probability: Any, name: str, record: Mapping[str, Any]) -> None:
        self.probability, self.name, self._record = probability, name, dict(record)

    def prepare(self, image: Any, *, on_progress: ProgressCallback, cancel: CancelToken) -> Prepared:
        """Return the stored probability in place of the image."""
        check_same_shape(image, self.probability, (image.name, self.probability.name))
        return Prepared(self.probability, _AsStored())

    def describe(self) -> dict[str, Any]:
        """Return what made the probability."""
        made = {name: value for name, value in self._record.items() if name != "model"}
        model = {"model": self._record["model"]} if "model" in self._record else {}
        return copy.deepcopy({"stored_probability": {"layer": self.probability.name, **made}, **model})


class _AsStored:
    halo, stride, exact = 0, 1, True

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Any:
        return window.astype(np.float32) / np.float32(PROBABILITY_SCALE)


def count_everywhere(
    probability: Any,
    truth: Any = None,
    *,
    min_size: int,
    connectivity: int = 2,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Curves:
    """Count the particles at every threshold and, with truth, how well pixels are told apart.

    Parameters
    ----------
    probability : array
        uint8 ``(Y, X)``.
    truth : array, optional
        Labels or a mask of the same shape.
    min_size : int
        Smaller particles do not count.
    connectivity : int
        2 for 8 neighbours, 1 for 4.
    """
    from napari_mpseg.evaluation.count_curve import count_curve
    from napari_mpseg.evaluation.threshold_curves import threshold_case, threshold_curves

    settings = {"min_size": min_size, "connectivity": connectivity}
    if truth is None:
        return Curves(count_curve(probability, **settings, on_progress=on_progress, cancel=cancel))
    check_same_shape(probability, truth, ("The probability", "the truth"))
    case = threshold_case(probability, truth, **settings, on_progress=on_progress, cancel=cancel)
    shares = threshold_curves([case])
    return Curves(case.counts, shares.precision, shares.recall, shares.f1, case.n_truth, case)


def labels_at(
    probability: Any,
    image: Any,
    *,
    threshold: float,
    min_size: int,
    connectivity: int = 2,
    calibration: Any,
    method: str,
    record: Mapping[str, Any],
    cache: str | None = None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[Any, Any]:
    """Return the result that segmentation would have given at another threshold, and its layers.

    Parameters
    ----------
    probability : Image
        uint8 ``(Y, X)``.
    image : Image or None
        What it was made from, for the intensities in the table; without, shapes and confidence only.
    threshold, min_size, connectivity, calibration, cache
        As in :func:`napari_mpseg.pipeline.segment`.
    method, record
        Of the segmentation that made the probability.

    Returns
    -------
    result : Result
    prepared : PreparedLayers
    """
    from napari_mpseg.pipeline import segment

    result = segment(
        probability if image is None else image,
        StoredProbability(probability, method, record),
        threshold=threshold,
        min_size=min_size,
        connectivity=connectivity,
        calibration=calibration,
        measure=image is not None,
        cache=cache,
        on_progress=on_progress,
        cancel=cancel,
    )
    if image is None:
        from napari_mpseg.particles.reviewable import measure_for_review

        table = measure_for_review(
            result.labels,
            None,
            probability=result.probability,
            calibration=calibration,
            on_progress=on_progress,
            cancel=cancel,
        )
        result = replace(result, particles=replace(table, provenance=result.provenance))
    cancel.check()
    return result, prepare(result)


def how_it_was_made(layer: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the method, its record without mask settings, and the mask settings, of a result's probability layer.

    For any other layer the method is ``"stored-probability"`` and nothing is known.
    """
    metadata = layer.metadata.get("napari-mpseg", {}) if isinstance(layer.metadata, dict) else {}
    provenance = metadata.get("provenance", {}) if isinstance(metadata, dict) else {}
    settings = dict(provenance.get("settings", {}))
    mask = {name: settings.pop(name) for name in ("threshold", "min_size", "connectivity") if name in settings}
    for name in ("tile_size", "rules"):
        settings.pop(name, None)
    method = str(settings.pop("method", "stored-probability"))
    if provenance.get("model"):
        settings["model"] = provenance["model"]
    return method, settings, mask


def is_told_apart(layer: Any) -> bool:
    """Return whether the particles of a probability layer's result were told apart by the method itself."""
    from napari_mpseg.results.instances import told_apart

    metadata = layer.metadata.get("napari-mpseg", {}) if isinstance(layer.metadata, dict) else {}
    record = metadata.get("provenance", {}) if isinstance(metadata, dict) else {}
    return isinstance(record, dict) and told_apart(record)


def below_note(layer: Any, threshold: float) -> str:
    """Return a sentence, after a space, if nothing is known of what lies below the threshold that made a layer."""
    card = how_it_was_made(layer)[1].get("model", {})
    if not isinstance(card, Mapping) or card.get("network") != "mask-rcnn":
        return ""
    return f" Nothing is known below {threshold:g}: segment with a lower threshold to see what there is."


def source_image(layer: Any, layers: Any) -> Any:
    """Return the image layer that a probability layer was made from, if it is there with the same size, or None."""
    from napari_mpseg.layers import role_of

    metadata = layer.metadata.get("napari-mpseg", {}) if isinstance(layer.metadata, dict) else {}
    for other in layers:
        if type(other).__name__ != "Image" or other is layer or role_of(other) or other.name != metadata.get("source"):
            continue
        data = other.data[0] if other.multiscale else other.data
        first = data.ndim - 2 - int(other.rgb)
        own = (layer.data[0] if layer.multiscale else layer.data).shape
        if tuple(data.shape[first : first + 2]) == tuple(own[-2:]):
            return other
    return None
