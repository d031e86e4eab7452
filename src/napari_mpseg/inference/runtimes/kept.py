"""What is found out or made once per machine, in the user's cache folder."""

import hashlib
import inspect
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import StoreError
from napari_mpseg.files import finished_at

if TYPE_CHECKING:
    from torch import nn

_FORMAT = 1
_MOST = 24  # converted networks that are kept; two or three belong to one network
_DIGESTS = "digests.json"
_PLAIN = (int, float, str, tuple)


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``NAPARI_MPSEG_CACHE``, else where the system keeps such things."""
    chosen = os.environ.get("NAPARI_MPSEG_CACHE")
    if chosen:
        return Path(chosen) / "runtimes"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "napari-mpseg" / "runtimes"


def key_of(parts: Mapping[str, Any]) -> str:
    """Return a name for what belongs to these facts, and to these versions of the libraries."""
    facts = {"format": _FORMAT, "versions": dict(_versions()), **parts}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = []
    for name in ("napari-mpseg", "torch", "openvino", "onnx", "onnxruntime"):
        with suppress(metadata.PackageNotFoundError):
            found.append((name, metadata.version(name)))
    return tuple(found)


def network_digest(network: "nn.Module") -> str:
    """Return a digest of all that a network computes: weights, layers, their settings, and the code of this package."""
    from napari_mpseg.networks.modelfile import weights_digest

    digest = hashlib.sha256(weights_digest(network).encode())
    files = set()
    for name, module in network.named_modules():
        kind = type(module)
        plain = sorted((key, value) for key, value in vars(module).items() if isinstance(value, _PLAIN))
        told = [item for item in plain if item[0] != "training"]
        digest.update(f"{name} {kind.__module__}.{kind.__qualname__} {told!r}".encode())
        if kind.__module__.startswith("napari_mpseg."):
            files.add(inspect.getfile(kind))
    for file in sorted(files):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def read_json(name: str) -> Any:
    """Return what is kept under a name; None if there is nothing that can be read."""
    try:
        return json.loads((cache_folder() / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_json(name: str, values: Any) -> None:
    """Keep values under a name; where nothing can be written, they are found out anew the next time."""
    with suppress(StoreError, OSError), finished_at(cache_folder() / f"{name}.json") as part:
        part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def kept_folder(key: str, make: Callable[[Path], None], use: Callable[[Path], Any]) -> Any:
    """Return ``use(folder)`` of a folder that ``make`` fills, the first time or where what is kept is damaged.

    Raises
    ------
    Exception
        Whatever `make` raises, or `use` on what was just made.
    """
    folder = cache_folder() / "converted" / key
    if _is_whole(folder):
        with suppress(Exception):  # whatever a library makes of a file of another version
            found = use(folder)
            os.utime(folder)
            return found
    try:
        with finished_at(folder) as part:
            part.mkdir()
            make(part)
            _write_digests(part)
    except StoreError:  # no rights, or a full disk
        return _without_keeping(make, use)
    _forget_oldest(folder.parent)
    return use(folder)


def _without_keeping(make: Callable[[Path], None], use: Callable[[Path], Any]) -> Any:
    import tempfile

    # what a library has opened cannot be removed on Windows
    with tempfile.TemporaryDirectory(prefix="napari-mpseg-", ignore_cleanup_errors=True) as folder:
        make(Path(folder))
        return use(Path(folder))


def _write_digests(folder: Path) -> None:
    (folder / _DIGESTS).write_text(json.dumps(_digests(folder)), encoding="utf-8")


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for file in sorted(folder.iterdir()):
        if file.name != _DIGESTS:
            with file.open("rb") as stream:
                found[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _is_whole(folder: Path) -> bool:
    try:
        told = json.loads((folder / _DIGESTS).read_text(encoding="utf-8"))
        return bool(told) and told == _digests(folder)
    except (OSError, ValueError):
        return False


def _forget_oldest(folder: Path) -> None:
    with suppress(OSError):
        there = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
        for path in there[:-_MOST]:
            shutil.rmtree(path, ignore_errors=True)
