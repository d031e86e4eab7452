"""What every method looks like from outside: it prepares itself on an image, then predicts tiles."""

from typing import Any, Protocol, runtime_checkable

from napari_mpseg.images.image import Image
from napari_mpseg.progress import CancelToken, ProgressCallback


@runtime_checkable
class TilePredictor(Protocol):
    """A method made ready for one image: turns windows of pixels into probabilities.

    Attributes
    ----------
    halo : int
        How many pixels around a point can change its value; windows are read that much larger.
    stride : int
        Window origins and sizes must be multiples of it (2 to the number of poolings; 1 without).
    exact : bool
        True if `halo` covers the whole influence, so that the result does not depend on the tiling.
        False for networks that see further than any window: their windows are blended.
    """

    halo: int
    stride: int
    exact: bool

    def predict(self, window: Any) -> Any:
        """Return the probability of particle, float32 ``(Y, X)`` in 0..1, of a window ``(Y, X)`` or ``(Y, X, C)``."""
        ...


class Method(Protocol):
    """A way from image to mask."""

    name: str
    default_threshold: float

    def prepare(self, image: Image, *, on_progress: ProgressCallback, cancel: CancelToken) -> TilePredictor:
        """Look at the whole image once where the method needs it (histogram, range), and return its predictor.

        Raises
        ------
        ImageError
            If the method cannot work on such an image.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Return all settings, and for networks the model card, as plain JSON values."""
        ...
