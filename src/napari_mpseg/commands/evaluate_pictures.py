"""Pictures of errors: what was found, what is false, what was missed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.files import finished_at

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image
    from napari_mpseg.progress import CancelToken

_BAND = 1024  # rows of a picture that are made at once


def write_error_picture(
    predicted: "Image", truth: "Image", path: Path, colours: str, cancel: "CancelToken | None" = None
) -> None:
    """Write the picture of one image's errors as PNG; what is there is replaced."""
    from napari_mpseg.evaluation.errors import error_map

    with finished_at(path) as part:
        error_picture(error_map(predicted.data, truth.data), colours, cancel).save(part, format="PNG")


def error_picture(errors: Any, colours: str, cancel: "CancelToken | None" = None, largest: int = 8192) -> Any:
    """Return errors as a picture with a palette.

    Parameters
    ----------
    errors : array
        Of :func:`~napari_mpseg.evaluation.errors.error_map`, ``(Y, X)``.
    colours : str
        Name in :data:`~napari_mpseg.evaluation.errors.ERROR_COLOURS`.
    cancel : CancelToken, optional
    largest : int
        Longer side in pixels; of a larger image each pixel of the picture shows the worst of several, so that no error
        is lost.

    Returns
    -------
    PIL.Image.Image
    """
    import numpy as np
    from PIL import Image as Pictures

    from napari_mpseg.evaluation.errors import ERROR_COLOURS

    step = max(1, -(-max(errors.shape) // largest))
    rows = []
    for top in range(0, errors.shape[0], _BAND * step):
        if cancel is not None:
            cancel.check()
        band = np.asarray(errors[top : top + _BAND * step])
        if step > 1:
            band = np.maximum.reduceat(band, np.arange(0, band.shape[0], step), 0)
            band = np.maximum.reduceat(band, np.arange(0, band.shape[1], step), 1)
        rows.append(band)
    picture = Pictures.fromarray(np.concatenate(rows), "P")
    picture.putpalette(ERROR_COLOURS[colours].table().ravel().tolist())
    return picture


def legend(colours: str) -> str:
    """Return which colour means what."""
    from napari_mpseg.evaluation.errors import ERROR_COLOURS

    return f"{ERROR_COLOURS[colours].title} ({ERROR_COLOURS[colours].source})"
