"""What may be replaced when a synthetic image is written: files, and folders that hold nothing but such an image."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.errors import StoreError

_TITLE = "synthetic "  # with which the names of all synthetic images begin


def already_there(places: Mapping[str, Path]) -> list[Path]:
    """Return those of some places at which there is something."""
    return [path for path in places.values() if os.path.lexists(path)]


def check_replaceable(places: Mapping[str, Path]) -> None:
    """Make sure that nothing at these places is lost that is no synthetic image.

    Parameters
    ----------
    places : mapping of str to Path
        As :func:`~napari_mpseg.synthesis.writing.places_of` returns them.

    Raises
    ------
    StoreError
        If one of them is a folder that is no synthetic OME-Zarr, or holds other files too, or a folder is to be
        written where there is a file.
    """
    for path in places.values():
        stored = path.name.lower().endswith(".zarr")
        if path.is_dir() and not (stored and is_synthetic_zarr(path)):
            raise StoreError(
                f"{path} is a folder that holds other things than a synthetic image, and is not replaced. Choose "
                "another name, or move the folder away."
            )
        if stored and path.is_file():
            raise StoreError(f"{path} is a file, and a folder is to be written there. Choose another name.")


def is_synthetic_zarr(path: Path) -> bool:
    """Return whether a folder is an OME-Zarr of a synthetic image with its truth, and nothing but that."""
    ome = _ome(path)
    named = ome.get("multiscales")
    first = named[0] if isinstance(named, list) and named and isinstance(named[0], dict) else {}
    if not str(first.get("name", "")).startswith(_TITLE) or _ome(path / "labels").get("labels") != ["particles"]:
        return False
    return (
        _holds_only(path, "labels")
        and _holds_only(path / "labels", "particles")
        and _holds_only(path / "labels" / "particles")
    )


def _holds_only(folder: Path, *names: str) -> bool:
    """Return whether a group holds nothing but its description, levels and these members."""
    return all(
        entry.name in ("zarr.json", *names) or (entry.name.isdecimal() and _is_array(entry))
        for entry in folder.iterdir()
    )


def _is_array(folder: Path) -> bool:
    return folder.is_dir() and {entry.name for entry in folder.iterdir()} <= {"zarr.json", "c"}


def _ome(group: Path) -> dict[str, Any]:
    try:
        found = json.loads((group / "zarr.json").read_text(encoding="utf-8"))["attributes"]["ome"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
