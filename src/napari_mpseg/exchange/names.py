"""Names of images as names of files."""

import re

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
