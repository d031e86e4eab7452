"""How a training run ended, in words. No Qt here."""

from __future__ import annotations

from napari_mpseg.gui.train_run import Outcome
from napari_mpseg.gui.worker import duration

_ENDINGS = {
    "finished": "Trained {epochs} in {time}.",
    "early": "Stopped after {epochs} and {time}, as the validation loss no longer fell.",
    "time": "Stopped after {epochs}, as the {time} were over.",
    "cancelled": "Cancelled after {epochs} and {time}; what was learnt until then is kept.",
}
_WITHIN_THE_FIRST = {
    "time": "The {time} were over within the first epoch. Little was learnt, and it is kept: press Train on for more.",
    "cancelled": "Cancelled after {time}, within the first epoch. Little was learnt, and it is kept: press Train on "
    "for more, or Start afresh to let go of it.",
}
_MORE = "Save it, use it, or paint corrections where the preview is wrong and press Train on."
_ONLY_BEFORE = "Only the other images are learnt from yet: press Train on to learn from what is painted."


def ending(outcome: Outcome) -> tuple[str, str]:
    """Return how a run ended, and how that went: ``"done"`` or ``"warning"``."""
    if outcome.model is None:
        return "Stopped before anything was learnt. Nothing was changed.", "warning"
    time = duration(outcome.seconds)
    if not outcome.epochs and outcome.ended in _WITHIN_THE_FIRST and not outcome.only_before:
        return _WITHIN_THE_FIRST[outcome.ended].format(time=time), "warning"
    said = [_ENDINGS[outcome.ended].format(epochs=_epochs(outcome.epochs), time=time)]
    if outcome.only_before:
        if not outcome.epochs:
            said = [f"Stopped after {time}."]
        return " ".join([*said, _ONLY_BEFORE]), "warning"
    if outcome.iou is not None:
        said.append(f"IoU {outcome.iou:.2f} on what was kept aside.")
    return " ".join([*said, _MORE]), "warning" if outcome.ended == "cancelled" else "done"


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
