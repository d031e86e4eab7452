"""Whether a result on disk is still what its run wrote."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.errors import StoreError
from napari_mpseg.files import file_digest
from napari_mpseg.inference.checksums import stored_checksum
from napari_mpseg.inference.store import open_store
from napari_mpseg.results.corrections.place import place_in

_CHANGED = "changed since"


def check_result(record: Path) -> dict[str, str]:
    """Read all of a result, and compare it with the checksums that its run noted.

    Parameters
    ----------
    record : Path
        The file ``NAME_run.json``; the other parts lie beside it.

    Returns
    -------
    dict of str to str
        Per part ``"as written"``, ``"changed since"``, ``"missing"``, ``"damaged: ..."`` or ``"without checksum"``. Of
        changed labels the number of recorded corrections is told behind it.

    Raises
    ------
    StoreError
        If it is no record of a run.
    """
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        settings, arrays, files = told["settings"], told.get("checksums", {}), told.get("sha256", {})
        tile = int(settings["tile_size"] or 0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{record} is no record of a run ({error!r}). Give a file that ends in _run.json.") from error
    found = {name: _of_file(record.with_name(name), digest) for name, digest in files.items()}
    store = record.with_name(record.name.removesuffix("_run.json") + ".ome.zarr")
    return {**_with_corrections(_of_store(store, arrays, tile), store), **found}


def _of_file(path: Path, told: str) -> str:
    if not path.exists():
        return "missing"
    return "as written" if file_digest(path) == told else _CHANGED


def _of_store(path: Path, told: Mapping[str, str], tile: int) -> dict[str, str]:
    if not path.exists():
        return {path.name: "missing"}
    if not told or not tile:
        return {path.name: "without checksum"}
    arrays = open_store(path)
    return {f"{path.name} {name}": _of_array(getattr(arrays, name), checksum, tile) for name, checksum in told.items()}


def _with_corrections(found: dict[str, str], path: Path) -> dict[str, str]:
    """Say of changed labels how many corrections, those taken back left out, the store has a record of."""
    part, place = f"{path.name} labels", place_in(path)
    if found.get(part) != _CHANGED or place is None:
        return found
    entries = [one for one in place.kept().get("audit") or () if isinstance(one, dict)]
    numbers = {
        action: {dict(one.get("after") or {}).get("correction") for one in entries if one.get("action") == action}
        for action in ("correct", "undo")
    }
    count = len(numbers["correct"] - numbers["undo"] - {None})
    if not count:
        return found
    told = "1 correction is" if count == 1 else f"{count} corrections are"
    return {**found, part: f"{_CHANGED}; {told} recorded in the store"}


def _of_array(array: Any, told: str, tile: int) -> str:
    try:
        return "as written" if stored_checksum(array, tile) == told else _CHANGED
    except Exception as error:  # whatever the codec of a damaged chunk raises
        return f"damaged: {error}"
