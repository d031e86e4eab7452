"""A title and coloured entries below a picture."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_NARROWEST = 640
_GROUND, _TEXT = "#101010", "#FFFFFF"


def with_legend(picture: "Picture", title: str, entries: Mapping[str, str]) -> "Picture":
    """Return the picture, RGB, with a dark strip below it that holds the title and the entries.

    Parameters
    ----------
    picture : PIL.Image.Image
        Of any size; one narrower than 640 pixels is centred above a legend of that width.
    title : str
        Shortened in its middle where it is longer than the picture is wide.
    entries : mapping of str to str
        Text of each entry and the colour of its mark, such as ``"#E69F00"``.
    """
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    width = max(picture.width, _NARROWEST)
    size = max(14, width // 80)
    font = ImageFont.load_default(size)
    pad = size // 2
    draw = ImageDraw.Draw(picture)
    rows: list[tuple[int, int, str, str | None]] = [(pad, pad, _shortened(title, draw, font, width - 2 * pad), None)]
    x, y = pad, pad + size + pad
    for text, colour in entries.items():
        wide = size + pad + int(draw.textlength(text, font=font))
        if x > pad and x + wide > width - pad:
            x, y = pad, y + size + pad
        rows.append((x, y, text, colour))
        x += wide + 2 * size
    height = (y + size + pad if entries else pad + size) + pad
    whole = Pictures.new("RGB", (width, picture.height + height), _GROUND)
    whole.paste(picture, ((width - picture.width) // 2, 0))
    draw = ImageDraw.Draw(whole)
    radius = 3 * size // 8
    for left, below, line, mark in rows:
        middle = picture.height + below + size // 2
        if mark is not None:
            draw.ellipse((left, middle - radius, left + 2 * radius, middle + radius), fill=mark)
        draw.text((left if mark is None else left + size + pad // 2, middle), line, fill=_TEXT, font=font, anchor="lm")
    return whole


def _shortened(text: str, draw: Any, font: Any, width: int) -> str:
    """Return the text with as much taken from its middle as it needs to fit `width` pixels."""
    if draw.textlength(text, font=font) <= width:
        return text
    keep = len(text)
    while keep > 2:
        keep -= 1
        shorter = f"{text[: (keep + 1) // 2]}...{text[len(text) - keep // 2 :]}"
        if draw.textlength(shorter, font=font) <= width:
            return shorter
    return "..."
