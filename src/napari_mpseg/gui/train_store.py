"""Folders that nobody chose: the checkpoint of a run that may be killed, and models not saved. No Qt here."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import MpsegError
from napari_mpseg.leftovers import remove
from napari_mpseg.results.temporary import CACHE_VARIABLE
from napari_mpseg.settings import to_dict

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.training.preset import Preset

FOLDER = "napari-mpseg-training"
_KEPT_DAYS = 30


def checkpoint_for(
    cache: str,
    preset: Preset,
    pairs: Sequence[tuple[Any, Any]],
    painted: tuple[str, int],
    start: Model | str,
) -> Path:
    """Return the folder where a run with exactly these inputs keeps its checkpoint.

    The same painted labels, settings and start give the same folder, so that a run that was cut short is gone on with;
    anything else gives another one. Folders that nobody came back for within a month are removed.

    Parameters
    ----------
    cache : str
        The user's cache folder; empty for the variable ``NAPARI_MPSEG_CACHE``, else the system's temporary folder.
    preset, pairs, start
        What the run is made from.
    painted : tuple of str and int
        How it was painted, and the background label.
    """
    root = _folder(cache, "checkpoints")
    digest = hashlib.sha256(json.dumps([to_dict(preset), *painted], sort_keys=True).encode())
    for image, labels in pairs:
        digest.update(f"{image.name} {image.data.shape} {labels.data.shape} {labels.data.dtype}".encode())
        if hasattr(labels.data, "tobytes"):
            digest.update(labels.data.tobytes())
    digest.update((start if isinstance(start, str) else _weights_of(start)).encode())
    return root / digest.hexdigest()[:24]


def _weights_of(model: Model) -> str:
    from napari_mpseg.networks.modelfile import weights_digest

    return weights_digest(model.network)


def keep_unsaved(cache: str, model: Model) -> Path | None:
    """Write a model that was just learnt where it survives the program; None if that cannot be done."""
    root = _folder(cache, "unsaved")
    try:
        return model.save(root / f"{model.card.name} {time.strftime('%Y-%m-%d %H.%M.%S')}", overwrite=True)
    except (MpsegError, OSError):
        return None


def last_unsaved(cache: str) -> Path | None:
    """Return the newest model that was learnt but not saved."""
    from napari_mpseg.methods.registry import FOLDER_CARDS

    with suppress(OSError):
        entries = _folder(cache, "unsaved").iterdir()
        found = [entry for entry in entries if any((entry / card).exists() for card in FOLDER_CARDS)]
        return max(found, key=lambda entry: entry.stat().st_mtime, default=None)
    return None


def _folder(cache: str, kind: str) -> Path:
    """Return the folder of one kind, less what nobody came back for within a month."""
    root = Path(cache or os.environ.get(CACHE_VARIABLE) or tempfile.gettempdir()) / FOLDER / kind
    with suppress(OSError):
        for entry in list(root.iterdir()):
            if time.time() - entry.stat().st_mtime > _KEPT_DAYS * 86400:
                remove(entry)
    return root
