"""From an image to its particles and their table; the way in is :func:`segment`."""

from napari_mpseg.pipeline.choices import MIN_SIZE
from napari_mpseg.pipeline.front_door import segment

__all__ = ["MIN_SIZE", "segment"]
