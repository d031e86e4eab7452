"""The threshold of a trained model, chosen on its validation images by a stated aim."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.operating_points import AIMS, LEVELS, choose_threshold, threshold_case
from napari_mpseg.experiments.labelled_prediction import predict_labelled
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.data.fingerprints import fingerprints

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.training.data.pairs import LabelledImage
    from napari_mpseg.training.session import Session
    from napari_mpseg.training.settings import TrainSettings

_MARGIN = 64  # pixels around what is known, so that the network sees it in its surroundings
_COUNTING = ("count-bias-zero",)


def parse_aim(text: str) -> tuple[str, float | None]:
    """Return name and value of an aim: ``"best-f1"``, ``"recall-at-least:0.95"`` or ``"recall-at-least=0.95"``.

    Raises
    ------
    UnknownNameError
        If no aim is called so.
    SettingsError
        If its value makes no sense.
    """
    name, colon, value = text.replace("=", ":").partition(":")
    try:
        number = float(value) if colon else None
    except ValueError:
        raise SettingsError(f"{value!r} is not a number: write the aim as {name}:0.95.") from None
    return name, AIMS[name].checked(number)


def check_operating_point(settings: "TrainSettings") -> None:
    """Refuse an aim that there is not, or that the network's head does not allow, before anything is trained.

    Raises
    ------
    UnknownNameError, SettingsError
        As :func:`parse_aim`, or if the aim counts particles and a head tells touching ones apart: connected pixels
        above a threshold are not its particles.
    """
    if not settings.operating_point:
        return
    aim, _ = parse_aim(settings.operating_point)
    if aim in _COUNTING and settings.head != "mask":
        raise SettingsError(
            f"operating_point = {settings.operating_point!r} counts connected pixels at every threshold, and the head "
            f"{settings.head!r} tells touching particles apart. Choose an aim of pixels, such as best-f1 or equal-area."
        )


def finisher(
    device: str = "auto", on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
) -> "Callable[[Session, Model], Model]":
    """Return what gives a trained model the operating point that its settings ask for."""

    def finish(session: "Session", model: "Model") -> "Model":
        return with_operating_point(session, model, device=device, on_progress=on_progress, cancel=cancel)

    return finish


def with_operating_point(
    session: "Session",
    model: "Model",
    *,
    device: str = "auto",
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> "Model":
    """Return a trained model with the threshold that its settings ask for; itself if they ask for none.

    The threshold is chosen on the images the session validated on, which the network has not learnt from. How it was
    chosen lies in the card under ``scores["operating_point"]``. Where only parts of an image are known, only known
    pixels count.

    Parameters
    ----------
    session : Session
    model : Model
        What came out of it.

    Raises
    ------
    SettingsError
        If there is nothing to choose on, or the aim needs whole images and only parts are known.
    Cancelled
    """
    text = session.training.settings.operating_point
    if not text:
        return model
    aim, value = parse_aim(text)
    images, cancel = session.validation, cancel or CancelToken()
    if not any(pair.mask.any() for pair in images):
        raise SettingsError(
            f"No threshold can be chosen ({text}): no particle was kept aside for validation. Label more, or leave out "
            "operating_point."
        )
    if aim in _COUNTING and any(pair.known is not None for pair in images):
        raise SettingsError(
            f"{aim} counts particles on whole images, but only parts of the validation images are known. Label five "
            "images or more, so that whole ones are kept aside, or choose another aim."
        )
    cases = []
    for done, pair in enumerate(images):
        on_progress(Progress("Choosing the threshold", done, len(images), "images"))
        cases.append(threshold_case(*_known_part(model, pair, device, cancel), cancel=cancel))
    point = choose_threshold(cases, aim, value, cancel=cancel)
    on_progress(Progress("Choosing the threshold", len(images), len(images), "images"))
    record = {**point.to_dict(), "chosen_on": fingerprints(images)}
    if session.training.settings.head != "mask":
        del record["count_bias"]  # it is that of connected pixels
    card = replace(model.card, threshold=point.threshold, scores={**model.card.scores, "operating_point": record})
    return replace(model, card=card)


def _known_part(model: "Model", pair: "LabelledImage", device: str, cancel: CancelToken) -> tuple[Any, Any]:
    """Return stored probability and truth of what is known; unknown pixels are background in both."""
    part = _around(pair)
    probability = np.floor(predict_labelled(model, pair, device, cancel, part) * LEVELS + 0.5).astype(np.uint8)
    mask = pair.mask[part]
    if pair.known is not None:
        known = pair.known[part]
        probability, mask = np.where(known, probability, 0).astype(np.uint8), mask & known
    return probability, mask


def _around(pair: "LabelledImage") -> tuple[slice, slice]:
    """Return the smallest part that holds all known pixels, with a margin."""
    if pair.known is None:
        return slice(None), slice(None)
    sides = []
    for axis in (0, 1):
        there = np.flatnonzero(pair.known.any(1 - axis))
        if not len(there):
            return slice(0, 1), slice(0, 1)
        sides.append(slice(max(0, int(there[0]) - _MARGIN), int(there[-1]) + 1 + _MARGIN))
    return sides[0], sides[1]
