"""Put a screen before a method that is ready for an image."""

from dataclasses import replace
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.instance_predictor import finds_instances
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.screening.check import lost_at_places
from napari_mpseg.inference.screening.instances import ScreenedInstances
from napari_mpseg.inference.screening.predictor import ScreenedPredictor
from napari_mpseg.inference.screening.settings import ScreenSettings, find_screen
from napari_mpseg.inference.screening.ways import SCREENS
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

_LOSS = "Particles are lost where empty parts are skipped"


def screened(
    prepared: Prepared,
    way: ScreenSettings | str | None,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Prepared:
    """Return the method made ready that skips empty space.

    Parameters
    ----------
    prepared : Prepared
        Image and predictor, of a network or a forest.
    way : ScreenSettings, str or None
        Such as ``"background"`` or ``"background:6"``; see :func:`find_screen`. None and ``"none"`` change nothing.
    on_progress, cancel
        For the check at a few places (``ScreenSettings.check``). The screen itself works window by window and needs no
        look at the whole image first.

    Returns
    -------
    Prepared
        The same image; its predictor is a :class:`ScreenedPredictor`. There is one note more where the check tells
        that the way does not suit the image.

    Raises
    ------
    UnknownNameError, SettingsError
        If the way is unknown or a setting impossible, or if the method is a threshold or another one that takes no
        longer than the screen itself.
    ImageError
        If the image cannot be read where it is checked.
    Cancelled
        If `cancel` was set.
    """
    settings = find_screen(way)
    if settings is None:
        return prepared
    if not worth_screening(prepared.predictor):
        raise SettingsError(
            f"Skipping empty space ({settings}) is for networks and forests: this method takes no longer than the look "
            "at what is empty. Leave it out, or choose a network."
        )
    predictor = prepared.predictor
    screen = (
        ScreenedInstances(predictor, settings) if finds_instances(predictor) else ScreenedPredictor(predictor, settings)
    )
    places, lost, particle = lost_at_places(prepared, screen, on_progress, cancel or CancelToken())
    notes = prepared.notes
    if lost:
        notes += (
            f"{_LOSS} by “{SCREENS[settings.way].title}” ({settings}): at {places} of a few places that were looked at "
            f"in full, {lost} of {particle} particle pixels would be missed. Let every part be computed, or skip in "
            "another way; a lower limit misses less, where one can be given.",
        )
    return replace(prepared, predictor=screen, notes=notes)


def tells_of_loss(note: str) -> bool:
    """Return whether a note of a result says that skipping empty space lost particles."""
    return note.startswith(_LOSS)


def worth_screening(predictor: Any) -> bool:
    """Return whether a predictor costs more than a screen.

    Such predictors, and only these, bring pixels to the range they were trained at: they, or what they ask, carry a
    ``scaling``. Thresholds and drawn results have none.
    """
    while predictor is not None:
        if hasattr(predictor, "scaling"):
            return True
        predictor = getattr(predictor, "predictor", None)
    return False


def skipped_note(prepared: Prepared, counts: tuple[int, int] = (0, 0)) -> str | None:
    """Return what to tell the user after the run: how much was skipped; None without a screen or a count.

    Parameters
    ----------
    prepared : Prepared
    counts : tuple of int
        Pixels the screen was asked about and pixels skipped, of all tiles wherever and whenever they were done. Zeros:
        what this process counted, which leaves out others and earlier runs.
    """
    predictor = prepared.predictor
    if not isinstance(predictor, ScreenedPredictor):
        return None
    total, skipped = counts if counts[0] else (predictor.tally.total, predictor.tally.skipped)
    if not total:
        return None
    percent = 100 * skipped / total
    return (
        f"Skipped {percent:.3g} % of the image as empty ({predictor.settings}); particles fainter than that are not "
        "found."
    )
