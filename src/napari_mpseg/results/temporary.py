"""The folder of a result that nobody asked to keep."""

from napari_mpseg.inference.temporary import CACHE_VARIABLE, temporary_folder

__all__ = ["CACHE_VARIABLE", "temporary_folder"]
