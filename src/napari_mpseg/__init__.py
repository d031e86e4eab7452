"""napari-mpseg: find, measure and classify particles in microscopy images."""

from napari_mpseg._version import __version__

__all__ = ["__version__"]
