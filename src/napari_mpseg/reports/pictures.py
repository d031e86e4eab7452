"""Pictures and figures as part of a page."""

import base64
import io
from typing import TYPE_CHECKING, Any

from napari_mpseg.reports.markup import Markup, element

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_LARGEST = 1600  # pixels of the longer side: what a page or a screen shows
_LARGEST_SVG = 400_000  # bytes; a figure of more marks than that is smaller, and shown sooner, as pixels


def picture_markup(picture: "Picture", text: str, largest: int = _LARGEST) -> Markup:
    """Return a picture as a figure of the page, made smaller if need be.

    Parameters
    ----------
    picture : PIL.Image.Image
        Of any mode.
    text : str
        What it shows.
    largest : int
        Pixels of the longer side.
    """
    shown = picture.convert("RGB")
    shown.thumbnail((largest, largest))
    buffer = io.BytesIO()
    shown.save(buffer, format="JPEG", quality=88)
    return _figure("image/jpeg", buffer.getvalue(), text)


def figure_markup(figure: Any, text: str) -> Markup:
    """Return a matplotlib figure as a figure of the page: drawn as lines (SVG), or as pixels where that is smaller."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    if buffer.tell() <= _LARGEST_SVG:
        return _figure("image/svg+xml", buffer.getvalue(), text)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160, bbox_inches="tight")
    return _figure("image/png", buffer.getvalue(), text)


def _figure(kind: str, content: bytes, text: str) -> Markup:
    source = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    return element("figure", element("img", src=source, alt=text), element("figcaption", text))
