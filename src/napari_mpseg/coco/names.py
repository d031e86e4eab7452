"""Names of images in COCO files."""

import re
from pathlib import PurePosixPath

_LABELS = re.compile(r"(\.ome)?(\.zarr|\.tiff?|\.png|\.jpe?g|\.npy|\.btf|\.bmp)$", re.IGNORECASE)


def stem_of(file_name: str) -> str:
    """Return the file's name without folder and ending; other dots belong to it.

    Examples
    --------
    >>> stem_of("images/a.v1.ome.tif"), stem_of("b.jpg")
    ('a.v1', 'b')
    """
    return _LABELS.sub("", PurePosixPath(file_name.replace("\\", "/")).name) or "image"
