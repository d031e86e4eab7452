"""What a run of two stages tells of its earlier stage: in its checkpoint, and in the card of its model."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.training.data.fingerprints import WHOLE
from napari_mpseg.training.earlier import EarlierStage
from napari_mpseg.training.made_images import MAKERS, kind_of
from napari_mpseg.training.run.loop import EpochRecord, Training
from napari_mpseg.training.run.validation import Validation
from napari_mpseg.training.session import Session
from napari_mpseg.training.settings import TrainSettings

BEFORE = "before"
"""Where the data of a run, and the training of its card, tell of the earlier stage."""

REACHED, REAL_IMAGES = "reached", "real_images"
STEPS = ("steps_done", "epochs_done", "last_loss", "validation")


def description(before: EarlierStage, settings: TrainSettings) -> dict[str, Any]:
    """Return how the images of a stage are made, and how they are learnt from, as plain JSON values."""
    kind = kind_of(before)
    told = {**to_dict(before), "images": kind, "seed": settings.seed, "settings": to_dict(settings)}
    if kind != before.images:  # a folder: its name without where it lies
        told |= {"folder": Path(before.images).resolve().name, "count": None}
    return told


def made_entries(told: Mapping[str, Any], real: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what a card lists as learnt from in the first stage: made images as one entry, real ones each."""
    if told["images"] not in MAKERS:
        return list(real)
    return [{"name": in_words(told), "sha256": told["sha256"]}, *real]


def not_among(real: Sequence[Mapping[str, Any]], images: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the fingerprints of images that are not listed already."""
    listed = {one[WHOLE] for one in images}
    return [one for one in real if one[WHOLE] not in listed]


def with_real(session: Session) -> Session:
    """Let the card list the real images of the earlier stage too, so that nobody tests on them."""
    told = session.data[BEFORE]
    real = [{"seen_in": in_words(told), **one} for one in told.get(REAL_IMAGES, ())]
    training = {**session.card.training, "data": [*session.card.training["data"], *real]}
    return replace(session, card=replace(session.card, training=training))


def in_words(told: Mapping[str, Any]) -> str:
    """Return which images were learnt from first, for a sentence."""
    if told.get("folder"):
        return f"the labelled images of the folder {told['folder']}"
    return f"{told['count']} {told['images']} images (seed {told['seed']})"


def digest(data: Mapping[str, Any]) -> str:
    """Return one digest of all images of a stage."""
    return hashlib.sha256(json.dumps([data["images"], data["validation"]], sort_keys=True).encode()).hexdigest()


def reached(training: Training) -> dict[str, Any]:
    """Return how far a stage came, for the card; keys are those of :data:`STEPS`."""
    last = training.history[-1] if training.history else None
    number = training.best or len(training.history)
    seen = training.history[number - 1].validation if last is not None else None
    return {
        "steps_done": training.step,
        "epochs_done": len(training.history),
        "last_loss": last.loss if last is not None else None,
        "validation": dataclasses.asdict(seen) if seen is not None else None,
    }


def told_history(training: Training) -> list[dict[str, Any]]:
    """Return the epochs of a stage as plain JSON values."""
    return [dataclasses.asdict(record) for record in training.history]


def epoch_record(values: Mapping[str, Any]) -> EpochRecord:
    """Return an epoch that :func:`told_history` told."""
    seen = values["validation"]
    return EpochRecord(**{**values, "validation": from_dict(Validation, seen) if seen else None})
