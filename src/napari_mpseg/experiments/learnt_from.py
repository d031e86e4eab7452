"""Which images a model was trained on, as far as its card says."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

_BUNDLED_LIST = ("comparison", "mpnet_patches.txt")  # first digits of the digests of the patches of MP-Net
_DIGITS = 16


def learnt_from(model: str) -> set[str]:
    """Return the first digits of the digests of the pixels of the images that a model was trained on.

    Parameters
    ----------
    model : str
        A method's name, a model's or a forest's folder, ``"default"`` for the bundled network, or empty.

    Returns
    -------
    set of str
        To be compared with :func:`short`; empty for what is no model, and where its card does not say.
    """
    if model == "default":
        return _bundled()
    card = _card(Path(model)) if model not in ("", "scratch") else {}
    training = card.get("training")
    if not isinstance(training, Mapping):
        return set()
    found = {short(one["pixels_sha256"]) for one in training.get("data") or () if "pixels_sha256" in one}
    return found | (_bundled() if training.get("started_from") == _bundled_name() else set())


def short(digest: Any) -> str:
    """Return the digits that are compared."""
    return str(digest)[:_DIGITS]


def _card(folder: Path) -> Mapping[str, Any]:
    from napari_mpseg.methods.registry import FOLDER_CARDS

    place = next((folder / name for name in FOLDER_CARDS if (folder / name).is_file()), None)
    try:
        card = json.loads(place.read_text(encoding="utf-8")) if place is not None else {}
    except (OSError, ValueError):
        return {}  # whoever loads the model says what is wrong with it
    return card if isinstance(card, Mapping) else {}


def _bundled() -> set[str]:
    lines = resources.files("napari_mpseg").joinpath(*_BUNDLED_LIST).read_text(encoding="utf-8").splitlines()
    return {line.split(" ", 1)[0] for line in lines}


def _bundled_name() -> str:
    from napari_mpseg.networks.bundled import bundled_model

    return bundled_model().card.name
