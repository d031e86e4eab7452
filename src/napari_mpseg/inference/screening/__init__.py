"""Tell cheaply which parts of an image cannot hold a particle, and spare the method there."""

from napari_mpseg.inference.screening.predictor import ScreenedPredictor
from napari_mpseg.inference.screening.screened import screened, skipped_note, tells_of_loss
from napari_mpseg.inference.screening.settings import ScreenSettings, find_screen
from napari_mpseg.inference.screening.tally import Skipped
from napari_mpseg.inference.screening.ways import SCREENS, ScreenEntry

__all__ = [
    "SCREENS",
    "ScreenEntry",
    "ScreenSettings",
    "ScreenedPredictor",
    "Skipped",
    "find_screen",
    "screened",
    "skipped_note",
    "tells_of_loss",
]
