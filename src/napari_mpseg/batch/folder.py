"""Whether results can be written where they shall go, before anything is computed."""

import os
from pathlib import Path

from napari_mpseg.errors import StoreError


def check_folder(out: Path) -> None:
    """Look whether a folder can be made and written to; nothing is written.

    Raises
    ------
    StoreError
        If a file is in the way, or there is no right to write.
    """
    place = out
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise StoreError(f"Results cannot go to {out}: {place} is no folder. Choose another folder.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise StoreError(
            f"Results cannot go to {out}: there is no right to write to {place}. Choose another folder, or ask for it."
        )
