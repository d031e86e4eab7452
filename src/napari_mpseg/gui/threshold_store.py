"""*Store in model …*: the chosen threshold becomes that of a model's card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_mpseg.errors import ModelError, MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.method_choice import recent_models, remember_model
from napari_mpseg.gui.threshold_labels import source_plane

_DIGESTED_AT_ONCE = 2**25  # pixels, read while the window waits


def model_behind(layer: Any) -> Path | None:
    """Return the model that made a probability layer: the bundled one or one of those used last, told by its weights.

    None where the layer does not say, or the model is not found.
    """
    digest = digest_behind(layer)
    if not digest:
        return None
    from napari_mpseg.operating_point import BUNDLED, model_folder

    known = [model_folder(BUNDLED), *(Path(path) for path in recent_models(Memory("segment")))]
    return next((path for path in known if _card(path).get(_digest_name(_card(path))) == digest), None)


def digest_behind(layer: Any) -> str:
    """Return the digest of the weights or trees that made a probability layer; empty where it does not say."""
    metadata = layer.metadata.get("napari-mpseg", {}) if isinstance(layer.metadata, dict) else {}
    provenance = metadata.get("provenance", {}) if isinstance(metadata, dict) else {}
    card = dict(provenance.get("model") or {})
    return str(card.get(_digest_name(card), ""))


def _digest_name(card: Mapping[str, Any]) -> str:
    return next((name for name in ("weights_sha256", "trees_sha256") if name in card), "")


def _card(path: Path) -> dict[str, Any]:
    """Return the values of a network's or a forest's card; empty where there is none."""
    from napari_mpseg.methods.registry import FOLDER_CARDS

    for name in FOLDER_CARDS:
        try:
            values = json.loads((path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return values if isinstance(values, dict) else {}
    return {}


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
    from napari_mpseg.networks.modelfile import is_bundled
    from napari_mpseg.operating_point import store_threshold

    path = model_behind(layer) or _ask_for_model(parent)
    if path is None:
        return None
    card, digest = _card(path), digest_behind(layer)
    if digest and card.get(_digest_name(card)) != digest:
        raise ModelError(
            f"{path} is not the model that made {layer.name}, so this threshold means nothing for it. Choose the model "
            "that the image was segmented with."
        )
    out = None
    if is_bundled(path):
        out = _ask_for_copy(parent, str(card.get("name", path.name)), memory)
        if out is None:
            return None
    elif not _may_change(parent, path, float(card.get("threshold", 0.5)), threshold):
        return None
    made = store_threshold(path, threshold, record, out=out)
    remember_model(Memory("segment"), made)
    kept = "a copy of the bundled model, saved as" if out is not None else "the card of"
    return f"Threshold {threshold:.3f} stored in {kept} {made}. Its weights are unchanged."


def image_in_card(viewer: Any, layer: Any) -> str | dict[str, Any]:
    """Return what a card keeps of the image that a threshold was chosen on: name, size and digest, or the name alone.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    layer : napari.layers.Image
        The probability.
    """
    from napari_mpseg.training.data.fingerprints import Fingerprint

    name = str(layer.metadata.get("napari-mpseg", {}).get("source", layer.name))
    try:
        image = source_plane(viewer, layer)
    except MpsegError:
        return name
    if image is None or image.shape[0] * image.shape[1] > _DIGESTED_AT_ONCE:
        return name
    return {**Fingerprint.of(image).to_dict(), "name": name}


def list_models_anew(viewer: Any) -> None:
    """Let an open *Segment particles* list the models again, of which one is new."""
    from napari_mpseg.gui.segment_widget import SegmentWidget

    window = getattr(viewer, "window", None)
    for widget in window.dock_widgets.values() if window is not None else ():
        if isinstance(widget, SegmentWidget):
            widget.method.refresh()


def _ask_for_model(parent: QWidget) -> Path | None:
    known = recent_models(Memory("segment"))
    folder = str(Path(known[0]).parent) if known else str(Path.home())
    path, _ = QFileDialog.getOpenFileName(
        parent,
        "Choose the model that made this probability: its card",
        folder,
        "Models (card.json detector.json forest.json)",
    )
    return Path(path).parent if path else None


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
