"""Settings as JSON files that say what they are."""

import json
import os
from pathlib import Path
from typing import Any, TypeVar

from napari_mpseg.errors import SettingsError, StoreError
from napari_mpseg.files import finished_at
from napari_mpseg.settings import from_dict, to_dict

S = TypeVar("S")

_FORMAT = "napari-mpseg"
_LARGEST = 64 * 2**20  # bytes; far above any rule set or classifier


def save_json(settings: Any, what: str, path: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
    """Write a settings dataclass as JSON.

    Parameters
    ----------
    settings : dataclass
        What :func:`~napari_mpseg.settings.to_dict` can turn into JSON.
    what : str
        What it is, for people and for :func:`load_json`: ``"rule set"``.
    path : path-like
        The file to write.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    StoreError
        If the place cannot be written, or is taken and `overwrite` is False.
    """
    return write_object({"format": _FORMAT, "kind": what, what: to_dict(settings)}, path, overwrite=overwrite)


def load_json(kind: type[S], what: str, path: str | os.PathLike[str]) -> S:
    """Read a settings dataclass that :func:`save_json` wrote.

    Raises
    ------
    SettingsError
        If the file is not such a file, or holds unknown or impossible settings.
    StoreError
        If it cannot be read.
    """
    found = read_object(path, what)
    try:
        return from_dict(kind, found[what])
    except (SettingsError, KeyError) as error:
        reason = f"it has no {what}" if isinstance(error, KeyError) else str(error)
        raise SettingsError(f"{path} cannot be used: {reason}") from error


def write_object(values: dict[str, Any], path: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
    """Write a JSON object; numbers keep every digit."""
    with finished_at(path, overwrite=overwrite) as part:
        part.write_text(json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    return Path(path)


def read_object(path: str | os.PathLike[str], what: str) -> dict[str, Any]:
    """Read a JSON object that says it is a `what`.

    Raises
    ------
    StoreError
        If it cannot be read.
    SettingsError
        If it is something else, or damaged.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise SettingsError(f"{path} is too large to be a {what} ({path.stat().st_size / 2**20:.0f} MiB).")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(f"Cannot read {path}: {error.strerror or error}. Choose a {what} that was saved.") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not a text file, so it is no {what}.") from None
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is damaged, or no {what}: it is not JSON ({error}).") from None
    if not isinstance(found, dict) or found.get("format") != _FORMAT or found.get("kind") != what:
        kind = found.get("kind") if isinstance(found, dict) else None
        told = f"it says it is {kind!r}" if isinstance(kind, str) else "it does not say what it is"
        raise SettingsError(f"{path} is no {what} of napari-mpseg: {told}. Choose a file that was saved as one.")
    return found


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number")
