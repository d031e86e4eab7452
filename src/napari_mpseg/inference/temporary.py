"""The folder of a store that nobody asked to keep."""

import os
import tempfile
from pathlib import Path

from napari_mpseg.errors import StoreError
from napari_mpseg.leftovers import new_mark, sweep

CACHE_VARIABLE = "NAPARI_MPSEG_CACHE"
_PREFIX = "napari-mpseg-"


def temporary_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """Make a new folder for a temporary store, and remove those of processes that were killed.

    Parameters
    ----------
    cache : path-like, optional
        Where; default the variable ``NAPARI_MPSEG_CACHE``, else the system's temporary folder.

    Raises
    ------
    StoreError
        If nothing can be written there.
    """
    try:
        folder = Path(cache or os.environ.get(CACHE_VARIABLE) or tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, _PREFIX)
        return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{new_mark()}-", dir=folder))
    except OSError as error:
        raise StoreError(
            f"Cannot write temporary results: {error}. Choose another cache folder (preferences, or the variable "
            f"{CACHE_VARIABLE})."
        ) from error
