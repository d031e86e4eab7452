"""What every method looks like from outside: it prepares itself on an image."""

from typing import Any, Protocol

from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.progress import CancelToken, ProgressCallback


class Method(Protocol):
    """A way from image to mask."""

    name: str
    default_threshold: float

    def prepare(self, image: Image, *, on_progress: ProgressCallback, cancel: CancelToken) -> Prepared:
        """Look at the whole image once where the method needs it (histogram, range), and make a predictor.

        Raises
        ------
        ImageError
            If the method cannot work on such an image.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Return all settings, and for networks the model card, as plain JSON values."""
        ...
