"""The overlay of a count: the image with its boxes, coloured by confidence."""

from typing import TYPE_CHECKING, Any

from napari_mpseg.progress import CancelToken, ProgressCallback, silent

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image
    from napari_mpseg.particles.counting.boxes import CountedBoxes

_ENOUGH = 1200  # pixels of the longer side up to which small images are enlarged


def count_picture(
    image: "Image", boxes: "CountedBoxes", *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
) -> Any:
    """Draw the boxes of a count.

    Parameters
    ----------
    image : Image
        What they were counted on, or the mask itself. Large ones are averaged down, small ones enlarged.
    boxes : CountedBoxes
        Rejected ones are grey.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    PIL.Image.Image
        RGB, with a legend below.
    """
    from PIL import Image as Pictures
    from PIL import ImageDraw

    from napari_mpseg.particles.counting.marks import MARKS, mark_counts, marks_of
    from napari_mpseg.results.legend import with_legend
    from napari_mpseg.results.overlay import overlay_step
    from napari_mpseg.results.preview import preview

    step = overlay_step(image.shape)
    zoom = max(1, min(16, _ENOUGH // max(image.shape))) if step == 1 else 1
    picture = Pictures.fromarray(preview(image, step, on_progress, cancel))
    if zoom > 1:
        picture = picture.resize((picture.width * zoom, picture.height * zoom), Pictures.Resampling.NEAREST)
    draw, line = ImageDraw.Draw(picture), max(1, round(max(picture.size) / 1000))
    corners = boxes.corners * zoom / step
    for (y0, x0, y1, x1), kind in zip(corners.tolist(), marks_of(boxes.frame).tolist(), strict=True):
        around = (x0 - line, y0 - line, max(x1, x0 + 1) + line - 1, max(y1, y0 + 1) + line - 1)
        draw.rectangle(around, outline=MARKS[kind], width=line)
    number = "1 particle" if boxes.count == 1 else f"{boxes.count} particles"
    entries = {f"{kind}: {count}": MARKS[kind] for kind, count in mark_counts(boxes.frame).items()}
    return with_legend(picture, f"{image.name}   {number}", entries)
