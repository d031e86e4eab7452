"""*Store in model …*: the chosen threshold becomes that of a model's card."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_mpseg.errors import ModelError, MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.method_choice import model_of, recent_models, remember_model


def model_behind(layer: Any) -> Path | None:
    """Return the model that made a probability layer: the bundled one or one of those used last, told by its weights.

    None where the layer does not say, or the model is not found.
    """
    digest = weights_behind(layer)
    if not digest:
        return None
    from napari_mpseg.networks.modelfile import load_card

    bundled = resources.files("napari_mpseg") / "models"
    known = [Path(path) for path in recent_models(Memory("segment"))]
    if isinstance(bundled, Path):
        known += sorted(path for path in bundled.iterdir() if path.is_dir())
    for path in known:
        try:
            if load_card(path).weights_sha256 == digest:
                return path
        except MpsegError:
            continue
    return None


def weights_behind(layer: Any) -> str:
    """Return the digest of the weights that made a probability layer; empty where it does not say."""
    metadata = layer.metadata.get("napari-mpseg", {}) if isinstance(layer.metadata, dict) else {}
    provenance = metadata.get("provenance", {}) if isinstance(metadata, dict) else {}
    return str((provenance.get("model") or {}).get("weights_sha256", ""))


def ask_and_store(
    parent: QWidget, layer: Any, threshold: float, record: Mapping[str, Any], memory: Memory
) -> str | None:
    """Ask for the model, or for the place of a copy, and write its card.

    Returns
    -------
    str or None
        What was done; None if the user changed their mind.

    Raises
    ------
    MpsegError
        If it is no model, another one than made the probability, or cannot be written.
    """
    from napari_mpseg.networks.modelfile import is_bundled, load_card, with_threshold

    path = model_behind(layer) or _ask_for_model(parent)
    if path is None:
        return None
    card, digest = load_card(path), weights_behind(layer)
    if digest and card.weights_sha256 != digest:
        raise ModelError(
            f"{path} is not the model that made {layer.name}, so this threshold means nothing for it. Choose the model "
            "that the image was segmented with."
        )
    out = None
    if is_bundled(path):
        out = _ask_for_copy(parent, card.name, memory)
        if out is None:
            return None
    elif not _may_change(parent, path, card.threshold, threshold):
        return None
    made = with_threshold(path, threshold, record, out=out)
    remember_model(Memory("segment"), made)
    kept = "a copy of the bundled model, saved as" if out is not None else "the card of"
    return f"Threshold {threshold:.3f} stored in {kept} {made}. Its weights are unchanged."


def _ask_for_model(parent: QWidget) -> Path | None:
    known = recent_models(Memory("segment"))
    folder = str(Path(known[0]).parent) if known else str(Path.home())
    path, _ = QFileDialog.getOpenFileName(
        parent, "Choose the model that made this probability: its card", folder, "Models (card.json)"
    )
    return model_of(Path(path)) if path else None


def _ask_for_copy(parent: QWidget, name: str, memory: Memory) -> Path | None:
    folder = Path(memory.get("model_folder", str(Path.home())))
    chosen, _ = QFileDialog.getSaveFileName(
        parent, "The bundled model is not changed: save a copy as a folder of this name", str(folder / f"{name}-tuned")
    )
    if not chosen:
        return None
    memory.set(model_folder=str(Path(chosen).parent))
    return Path(chosen)


def _may_change(parent: QWidget, path: Path, before: float, after: float) -> bool:
    answer = QMessageBox.question(
        parent,
        "Change the model's threshold?",
        f"{path}\n\nIts threshold is {before:.3f}. Store {after:.3f} instead? The weights are not changed.",
    )
    return bool(answer == QMessageBox.StandardButton.Yes)
