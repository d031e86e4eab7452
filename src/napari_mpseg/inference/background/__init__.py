"""Subtract an uneven background before a method looks at the image."""

from napari_mpseg.inference.background.settings import BackgroundSettings, find_background
from napari_mpseg.inference.background.subtraction import subtracted
from napari_mpseg.inference.background.ways import BACKGROUNDS, BackgroundEntry

__all__ = ["BACKGROUNDS", "BackgroundEntry", "BackgroundSettings", "find_background", "subtracted"]
