"""Names of images as names of files, and back."""

import os
import re
from pathlib import Path

_LONGEST = 180  # bytes; file systems allow 255 with the ending


def file_stem(name: str) -> str:
    """Return what a file's name may begin with for the image of that name; never empty, no folder in it.

    Examples
    --------
    >>> file_stem("filter 3/left")
    'filter_3_left'
    """
    stem = re.sub(r'[\\/:*?"<>|\s\x00-\x1f]+', "_", name).strip("._")
    return stem.encode(errors="replace")[:_LONGEST].decode(errors="ignore") or "image"


def labels_stem(path: str | os.PathLike[str]) -> str:
    """Return the name of a labels file or store without its ending; other dots belong to the name.

    Examples
    --------
    >>> labels_stem("results/a.v1.ome.zarr"), labels_stem("a.v2.tif")
    ('a.v1', 'a.v2')
    """
    return re.sub(r"(\.ome)?(\.zarr|\.tiff?)$|\.ome$", "", Path(path).name, flags=re.IGNORECASE)
