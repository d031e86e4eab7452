"""What the engine runs: something that turns windows of pixels into probabilities."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from napari_mpseg.images.image import Image


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

    @property
    def halo(self) -> int: ...  # noqa: D102 - told above
    @property
    def stride(self) -> int: ...  # noqa: D102
    @property
    def exact(self) -> bool: ...  # noqa: D102

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Any:
        """Return the probability of particle of a window, less its margins.

        Parameters
        ----------
        window : ndarray
            ``(Y, X)`` or ``(Y, X, C)`` pixels; height and width are multiples of `stride`.
        margins : tuple of int
            Pixels at the top, bottom, left and right that serve as context only.

        Returns
        -------
        ndarray of float32
            ``(Y - top - bottom, X - left - right)``, 0 to 1.
        """
        ...


@dataclass(frozen=True)
class Prepared:
    """A method made ready for one image.

    Attributes
    ----------
    image : Image
        The image in the channels the predictor takes.
    predictor : TilePredictor
    notes : tuple of str
        What the user should know: a pixel size unlike the training data's, a grey image for a colour network.
    """

    image: Image
    predictor: TilePredictor
    notes: tuple[str, ...] = ()
