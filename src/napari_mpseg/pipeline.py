"""The front door: an image and a method go in, particles and their table come out."""
from napari_mpseg.methods.registry import METHODS
def segment(image, method="default", *, out=None, overwrite=False, threshold=None, min_size=3, connectivity=2, channels=None, plane=None, calibration=None, device="auto", tile_size=None, measure=True, on_progress=None, cancel=None):
    raise NotImplementedError
