"""A picture of the image with a ring around every particle, coloured by size class."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.results.legend import with_legend
from napari_mpseg.results.preview import preview, stretched

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from napari_mpseg.images.image import Image
    from napari_mpseg.results.result import Result

# Okabe and Ito's colours, told apart with any colour vision
COLOURS = ("#56B4E9", "#009E73", "#F0E442", "#E69F00", "#CC79A7", "#D55E00", "#0072B2")
_ENOUGH = 1200  # pixels of the longer side up to which small images are enlarged
_LARGEST_ZOOM = 16


LARGEST = 2400


def overlay_step(shape: tuple[int, int], largest: int = LARGEST) -> int:
    """Return how many pixels of a side become one in the overlay of an image of that height and width."""
    return max(1, -(-max(shape) // largest))


def overlay_picture(
    result: "Result",
    largest: int = LARGEST,
    *,
    seen: NDArray[np.float32] | NDArray[np.uint8] | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> "Picture":
    """Draw the overlay.

    Parameters
    ----------
    result : Result
        With or without a table; without one only the image is shown.
    largest : int
        Longer side of the picture in pixels. Larger images are averaged down by a whole number, small ones enlarged
        by a whole number.
    seen : ndarray of float32 or uint8, optional
        The image averaged down by :func:`overlay_step` already, ``(Y, X, 3)``; without, it is read, block by block.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    PIL.Image.Image
        RGB, with a legend below.

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    from PIL import Image as Pictures

    longer = max(result.image.shape)
    step = overlay_step(result.image.shape, largest)
    zoom = max(1, min(_LARGEST_ZOOM, min(_ENOUGH, largest) // longer)) if step == 1 else 1
    picture = Pictures.fromarray(_background(result.image, step, seen, on_progress, cancel))
    if zoom > 1:
        picture = picture.resize((picture.width * zoom, picture.height * zoom), Pictures.Resampling.NEAREST)
    number = "1 particle" if result.count == 1 else f"{result.count} particles"
    title = f"{result.image.name}   {number}   {result.method}"
    if result.particles is None or not len(result.particles):
        return with_legend(picture, title, {})
    from napari_mpseg.particles.sizes import count_by_size, size_class

    counts = count_by_size(result.particles)
    colours = {str(name): COLOURS[index % len(COLOURS)] for index, name in enumerate(counts.index)}
    _draw_rings(picture, result, [colours[str(name)] for name in size_class(result.particles)], zoom / step)
    return with_legend(picture, title, {f"{name}: {counts[name]}": colours[str(name)] for name in counts.index})


def _background(
    image: "Image",
    step: int,
    seen: NDArray[np.float32] | NDArray[np.uint8] | None,
    on_progress: ProgressCallback,
    cancel: CancelToken | None,
) -> NDArray[np.uint8]:
    if seen is None:
        return preview(image, step, on_progress, cancel)
    for done in (0, 1):
        if cancel is not None:
            cancel.check()
        on_progress(Progress("Drawing", done, 1, "pictures"))
    return stretched(seen)


def _draw_rings(picture: "Picture", result: "Result", colours: list[str], factor: float) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    boxes = result.table[["bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1"]].to_numpy(float) * factor
    line = max(1, round(max(picture.size) / 1200))
    for (y0, x0, y1, x1), colour in zip(boxes, colours, strict=True):
        radius = max(np.hypot(y1 - y0, x1 - x0) / 2 + 3 * line, 5 * line)
        y, x = (y0 + y1) / 2, (x0 + x1) / 2
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=line)
