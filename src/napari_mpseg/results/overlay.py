"""A picture of the image with a ring around every particle, coloured by size class."""

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from napari_mpseg.results.result import Result

# Okabe and Ito's colours, told apart with any colour vision
COLOURS = ("#56B4E9", "#009E73", "#F0E442", "#E69F00", "#CC79A7", "#D55E00", "#0072B2")
_BLOCK = 2048


def overlay_picture(result: "Result", largest: int = 2400) -> "Picture":
    """Draw the overlay.

    Parameters
    ----------
    result : Result
        With or without a table; without one only the image is shown.
    largest : int
        Longer side of the picture in pixels; smaller images are enlarged up to four times.

    Returns
    -------
    PIL.Image.Image
        RGB, with a legend below.
    """
    from PIL import Image as Pictures

    height, width = result.image.shape
    step = max(1, -(-max(height, width) // largest))
    zoom = max(1, min(4, largest // max(height, width))) if step == 1 else 1
    background = Pictures.fromarray(_display(_shrunk(result.image, step)))
    if zoom > 1:
        background = background.resize((background.width * zoom, background.height * zoom), Pictures.Resampling.NEAREST)
    factor = zoom / step
    if result.particles is None or not len(result.particles):
        return _with_legend(background, result, {})
    from napari_mpseg.particles.sizes import count_by_size, size_class

    classes = size_class(result.particles)
    counts = count_by_size(result.particles)
    colours = {str(name): COLOURS[index % len(COLOURS)] for index, name in enumerate(counts.index)}
    _rings(background, result, [colours[str(name)] for name in classes], factor)
    legend = {f"{name}: {counts[name]}": colours[str(name)] for name in counts.index}
    return _with_legend(background, result, legend)


def _rings(picture: "Picture", result: "Result", colours: list[str], factor: float) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    frame = result.table
    boxes = frame[["bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1"]].to_numpy(float) * factor
    line = max(1, round(max(picture.size) / 1200))
    for (y0, x0, y1, x1), colour in zip(boxes, colours, strict=True):
        radius = max(np.hypot(y1 - y0, x1 - x0) / 2 + 3 * line, 5 * line)
        y, x = (y0 + y1) / 2, (x0 + x1) / 2
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=line)


def _with_legend(picture: "Picture", result: "Result", entries: dict[str, str]) -> "Picture":
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    size = max(12, max(picture.size) // 80)
    font = ImageFont.load_default(size)
    pad = size // 2
    texts = [(f"{result.image.name}   {result.count} particles   {result.method}", "#FFFFFF")]
    texts += [(f"● {text}", colour) for text, colour in entries.items()]
    draw = ImageDraw.Draw(picture)
    rows, x, y = [], pad, pad
    for text, colour in texts:
        wide = draw.textlength(text, font=font)
        if x > pad and x + wide > picture.width - pad:
            x, y = pad, y + size + pad
        rows.append((x, y, text, colour))
        x += int(wide) + 2 * size
    whole = Pictures.new("RGB", (picture.width, picture.height + y + size + pad), "#101010")
    whole.paste(picture, (0, 0))
    draw = ImageDraw.Draw(whole)
    for left, top, text, colour in rows:
        draw.text((left, picture.height + top), text.replace("● ", ""), fill=colour, font=font)
    return whole


def _shrunk(image: Image, step: int) -> np.ndarray[Any, Any]:
    """Return the image averaged over ``step`` x ``step`` pixels, float32, read block by block."""
    height, width = image.shape
    rows, cols = -(-height // step), -(-width // step)
    channels = () if image.data.ndim == 2 else (image.n_channels,)
    small = np.zeros((rows, cols, *channels), np.float32)
    block = max(step, _BLOCK // step * step)
    for y in range(0, height, block):
        for x in range(0, width, block):
            pixels = read_region(image, y, min(y + block, height), x, min(x + block, width)).astype(np.float32)
            if pixels.dtype.kind == "f":
                pixels = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
            starts_y, starts_x = np.arange(0, pixels.shape[0], step), np.arange(0, pixels.shape[1], step)
            summed = np.add.reduceat(np.add.reduceat(pixels, starts_y, 0), starts_x, 1)
            area = np.multiply.outer(
                np.diff(np.append(starts_y, pixels.shape[0])), np.diff(np.append(starts_x, pixels.shape[1]))
            )
            part = summed / area.reshape(area.shape + (1,) * len(channels))
            small[y // step : y // step + part.shape[0], x // step : x // step + part.shape[1]] = part
    return small


def _display(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return uint8 RGB: one or two channels as grey, three as they are; stretched so that dim images can be seen."""
    if pixels.ndim == 3 and pixels.shape[2] not in (3, 4):
        pixels = pixels.mean(2)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, 2)
    pixels = pixels[..., :3]
    low, high = float(pixels.min()), float(np.percentile(pixels.max(2), 99.9))
    span = max(high - low, 1e-12)
    return (np.clip((pixels - low) / span, 0, 1) * 235).astype(np.uint8)
