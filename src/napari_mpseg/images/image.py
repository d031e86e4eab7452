"""The one shape in which every image walks through this package."""

from dataclasses import dataclass, field, replace
from typing import Any

from napari_mpseg.calibration import Calibration


@dataclass(frozen=True)
class Image:
    """A two-dimensional image, lazily read, with its calibration.

    Attributes
    ----------
    data : dask.array.Array
        ``(Y, X)`` or ``(Y, X, C)``; any real numeric dtype.
    name : str
        What to call results made from it (file name without its ending, or layer name).
    calibration : Calibration
        Pixel size and unit.
    channels : tuple of str
        One name per channel; empty for ``(Y, X)``.
    source : str
        File path, layer name or ``"array"``: for provenance.
    plane : tuple of int
        Which plane of a stack this is; empty for a plain image.
    """

    data: Any
    name: str = "image"
    calibration: Calibration = field(default_factory=Calibration)
    channels: tuple[str, ...] = ()
    source: str = "array"
    plane: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.data.shape[0]), int(self.data.shape[1])

    @property
    def n_channels(self) -> int:
        """Number of channels; 1 for ``(Y, X)``."""
        return int(self.data.shape[2]) if self.data.ndim == 3 else 1

    @property
    def dtype(self) -> Any:
        """The dtype of the pixels."""
        return self.data.dtype

    def with_calibration(self, calibration: Calibration) -> "Image":
        """Return the same image with another pixel size."""
        return replace(self, calibration=calibration)
