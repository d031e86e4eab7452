"""Figures as files."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.errors import StoreError
from napari_mpseg.files import finished_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
"""Endings of files that a figure can be saved as: pixels, and two kinds of lines."""

DPI = 200


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's ending stands for.

    Raises
    ------
    StoreError
        If it is none of :data:`FORMATS`.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise StoreError(f"A figure cannot be saved as {Path(path).name}. End the name in .png, .svg or .pdf.")
    return ending


def save_figure(figure: "Figure", path: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
    """Write a figure as PNG (200 dots per inch), SVG or PDF, by the file's ending.

    Raises
    ------
    StoreError
        If the ending is another one, or the place cannot be written.
    """
    kind = format_of(path)
    with finished_at(path, overwrite=overwrite) as part:
        write_figure(figure, part, kind)
    return Path(path)


def write_figure(figure: "Figure", part: Path, kind: str) -> None:
    """Write a figure to a file of any name, in one of :data:`FORMATS`; the same figure gives the same file."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    figure.savefig(part, format=kind, dpi=DPI, facecolor=figure.get_facecolor(), metadata=undated)
