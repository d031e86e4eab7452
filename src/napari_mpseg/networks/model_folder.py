"""What all folders of trained networks have in common: weights, and a card that names their digest."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.files import finished_at
from napari_mpseg.settings import to_dict

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = "weights.safetensors"


def write_model_folder(
    path: str | os.PathLike[str], network: "nn.Module", card: Any, card_file: str, *, overwrite: bool = False
) -> Path:
    """Write weights and card as a folder, finished atomically.

    Parameters
    ----------
    path : path-like
        The folder.
    network : torch.nn.Module
        Whose weights are written.
    card : dataclass
        With a field ``weights_sha256``, which is filled in.
    card_file : str
        Name of the card in the folder, which tells what kind of model it is.
    overwrite : bool
        Whether something that is there may be replaced.

    Raises
    ------
    StoreError
        If something is there already (and `overwrite` is False) or the place cannot be written.
    """
    from safetensors.torch import save

    weights = save({name: value.contiguous() for name, value in network.state_dict().items()})
    told = replace(card, weights_sha256=hashlib.sha256(weights).hexdigest())
    with finished_at(path, overwrite=overwrite) as part:
        part.mkdir()
        (part / WEIGHTS).write_bytes(weights)
        (part / card_file).write_text(_text(told), encoding="utf-8")
    return Path(path)


def write_threshold(
    folder: Path, card: Any, card_file: str, threshold: float, record: Mapping[str, Any], out: Path | None = None
) -> Path:
    """Write another threshold into a card, or into that of a copy; the weights stay as they are, byte for byte.

    Parameters
    ----------
    folder : Path
        The model's.
    card : dataclass
        What its card says now: fields ``name``, ``threshold`` and ``scores`` are changed.
    card_file : str
        Name of the card in the folder.
    threshold : float
        From 0 up to, not including, 1.
    record : mapping
        How it was chosen; kept under ``scores["operating_point"]``.
    out : Path, optional
        A new folder for a copy.

    Returns
    -------
    Path
        The folder that has the new threshold.

    Raises
    ------
    SettingsError
        If the threshold is impossible.
    StoreError
        If the card cannot be written, or something is at `out` already.
    """
    if not 0 <= threshold < 1:
        raise SettingsError(f"Threshold {threshold} is impossible: give a number from 0 up to, not including, 1.")
    scores = {**card.scores, "operating_point": dict(record)}
    changed = replace(card, threshold=float(threshold), scores=scores)
    if out is None:
        with finished_at(folder / card_file) as part:
            part.write_text(_text(changed), encoding="utf-8")
        return folder
    with finished_at(out, overwrite=False) as part:
        shutil.copytree(folder, part)
        (part / card_file).write_text(_text(replace(changed, name=out.name)), encoding="utf-8")
    return out


def _text(card: Any) -> str:
    return json.dumps(to_dict(card), indent=2, ensure_ascii=False) + "\n"
