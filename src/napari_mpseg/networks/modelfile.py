"""Model files: a folder with ``weights.safetensors`` and ``card.json``. Nothing in them is ever executed."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.checked_file import read_checked
from napari_mpseg.errors import ModelError, SettingsError, UnknownNameError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.networks.model_folder import WEIGHTS, write_model_folder, write_threshold
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.settings import from_dict

if TYPE_CHECKING:
    from torch import nn

CARD = "card.json"
FORMAT = 1


@dataclass(frozen=True)
class ModelCard:
    """All that must be known of a model beside its weights.

    Attributes
    ----------
    name : str
        What users see.
    network : str
        Name in the registry of networks.
    options : mapping
        Arguments of the network's factory besides the channels.
    in_channels : int
        Channels of the input.
    normalisation : Normalisation
        How pixels become input.
    threshold : float
        Operating point: pixels of a higher probability are particle.
    pixel_size_um : float or None
        Pixel size of the training images in micrometre, if known.
    shrink : int
        Pixels of a side that are averaged into one before the network sees them.
    tta : tuple of str
        Test-time augmentations to predict with unless others are chosen.
    receptive_radius : int or None
        How far an input pixel reaches, in pixels; None if further than a window.
    head : str
        What the network answers for each pixel: a name in :data:`napari_mpseg.heads.registry.HEADS`; ``"mask"`` is the
        particle's probability alone.
    description, training_data, attribution, licence : str
        For the reader.
    training : mapping
        Settings of the training, enough to run it again.
    scores : mapping
        What it reached, and on which data.
    versions : mapping
        Of program and libraries when it was made.
    weights_sha256 : str
        Digest of the weights file; a file with another digest is refused.
    format : int
        Version of this layout.
    """

    name: str
    network: str
    options: Mapping[str, Any] = field(default_factory=dict)
    in_channels: int = 3
    normalisation: Normalisation = field(default_factory=Normalisation)
    threshold: float = 0.5
    pixel_size_um: float | None = None
    shrink: int = 1
    tta: tuple[str, ...] = ()
    receptive_radius: int | None = None
    head: str = "mask"
    description: str = ""
    training_data: str = ""
    attribution: str = ""
    licence: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    weights_sha256: str = ""
    format: int = FORMAT


@dataclass(frozen=True)
class Model:
    """A network with its weights and its card."""

    network: "nn.Module"
    card: ModelCard

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the model folder; see :func:`save_model`."""
        return save_model(self, path, overwrite=overwrite)


def save_model(model: Model, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a model folder, finished atomically.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    StoreError
        If something is there already (and `overwrite` is False) or the place cannot be written.
    """
    return write_model_folder(path, model.network, model.card, CARD, overwrite=overwrite)


def with_threshold(
    path: str | os.PathLike[str],
    threshold: float,
    record: Mapping[str, Any],
    *,
    out: str | os.PathLike[str] | None = None,
) -> Path:
    """Write another operating point into a model's card; the weights stay as they are, byte for byte.

    Parameters
    ----------
    path : path-like
        Model folder.
    threshold : float
        Probability above which pixels are particle, 0 or more and below 1.
    record : mapping
        How it was chosen, as plain JSON values; kept under ``scores["operating_point"]``.
    out : path-like, optional
        Write a copy of the model to this new folder, and leave the one at `path` alone.

    Returns
    -------
    Path
        The folder that has the new threshold.

    Raises
    ------
    ModelError
        If there is no model at `path`, or it is the bundled one and no `out` is given.
    SettingsError
        If the threshold is impossible.
    StoreError
        If the card cannot be written, or something is at `out` already.
    """
    folder = Path(path)
    card = load_card(folder)
    if out is None and is_bundled(folder):
        raise ModelError("The bundled model cannot be changed. Store the threshold in a copy of it.")
    return write_threshold(folder, card, CARD, threshold, record, Path(out) if out is not None else None)


def is_bundled(path: str | os.PathLike[str]) -> bool:
    """Return whether a model folder belongs to the package itself."""
    own = resources.files("napari_mpseg")
    return isinstance(own, Path) and Path(path).resolve().is_relative_to(own.resolve())


def load_card(path: str | os.PathLike[str]) -> ModelCard:
    """Read the card of a model folder.

    Raises
    ------
    ModelError
        If there is none, or it is not one this version understands.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ModelError(
            f"{folder} is not a model folder. A model is a folder with {CARD} and {WEIGHTS}, "
            "made by saving or training."
        )
    try:
        values = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{folder} holds no {CARD}, so it is not a model of napari-mpseg.{models_in(folder)}"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / CARD} cannot be read: {error}. Copy the model again from where it came."
        ) from error
    if not isinstance(values, dict) or values.get("format", FORMAT) > FORMAT:
        raise ModelError(f"{folder} was made by a newer version. Update napari-mpseg to use it.")
    try:
        card = from_dict(ModelCard, values)
        NETWORKS[card.network]
        HEADS[card.head]
    except (SettingsError, UnknownNameError) as error:
        raise ModelError(f"{folder / CARD} does not fit this version: {error}") from error
    return card


def models_in(folder: Path) -> str:
    """Return a sentence on the models of a cross-validation, if the folder is one; else nothing."""
    names = sorted(path.name for path in folder.glob("without-*") if path.is_dir())
    if not names or not (folder / "folds.json").is_file():
        return ""
    return f" It is a cross-validation: give one of its models, {', '.join(names)}, or compare with all of them."


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model folder: card, network, weights.

    Raises
    ------
    ModelError
        If a file is missing, damaged or changed, or the weights do not fit the network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    card = load_card(path)
    file = Path(path) / WEIGHTS
    content = read_checked(file, card.weights_sha256, "model")
    try:
        state = load(content)
    except SafetensorError as error:
        raise ModelError(f"{file} is not a safetensors file: {error}.") from error
    network = _built(card, Path(path))
    _fill(network, state, card, file)
    return Model(network.eval(), card)


def weights_digest(network: "nn.Module") -> str:
    """Return the SHA-256 of all weights and their names, as hexadecimal digits."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _built(card: ModelCard, folder: Path) -> "nn.Module":
    """Build the card's network; its own weights follow, so none are fetched, whatever the card's options say."""
    try:
        outputs = HEADS[card.head].channels
        return NETWORKS[card.network].build(card.in_channels, outputs=outputs, pretrained=False, **card.options)
    except (ModelError, TypeError) as error:
        raise ModelError(f"{folder / CARD} does not fit this version: {error}") from error


def _fill(network: "nn.Module", state: Mapping[str, Any], card: ModelCard, file: Path) -> None:
    expected = network.state_dict()
    missing = sorted(set(expected) - set(state))
    foreign = sorted(set(state) - set(expected))
    other = [name for name in expected if name in state and expected[name].shape != state[name].shape]
    if missing or foreign or other:
        parts = [
            f"{len(missing)} weights missing ({missing[0]})" if missing else "",
            f"{len(foreign)} unknown ({foreign[0]})" if foreign else "",
            f"{len(other)} of another shape ({other[0]}: {tuple(state[other[0]].shape)} instead of "
            f"{tuple(expected[other[0]].shape)})"
            if other
            else "",
        ]
        raise ModelError(
            f"{file} does not fit the network {card.network!r}: {', '.join(part for part in parts if part)}. "
            "It belongs to another network or another version."
        )
    network.load_state_dict(dict(state))
