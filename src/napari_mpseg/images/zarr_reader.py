"""Reading zarr arrays in any process."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari_mpseg.images.lazy import Reopened


def is_zarr(thing: Any) -> bool:
    """Tell whether it is a zarr array or group, without loading zarr."""
    return type(thing).__module__.partition(".")[0] == "zarr" and type(thing).__name__ in ("Array", "Group")


def zarr_reader(array: Any) -> Callable[[Any], Any]:
    """Return what reads parts of a zarr array; brought to another process, it opens the folder there."""
    root = getattr(array.store, "root", None)
    if type(array.store).__name__ != "LocalStore" or root is None:
        read: Callable[[Any], Any] = array.__getitem__  # goes with its store, if that can be pickled
        return read
    return Reopened(partial(_open, Path(root).absolute(), array.path), array)


def _open(root: Path, path: str) -> Any:
    import zarr
    from zarr.storage import LocalStore

    return zarr.open_array(LocalStore(root, read_only=True), path=path, mode="r")
