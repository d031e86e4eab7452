"""Forests on disk: a folder with ``trees.safetensors`` and ``forest.json``. Nothing in them is ever executed."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from napari_mpseg._version import __version__
from napari_mpseg.checked_file import read_checked
from napari_mpseg.errors import ModelError, MpsegError
from napari_mpseg.files import finished_at
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.trees import Trees, checked_trees
from napari_mpseg.settings import from_dict, to_dict

CARD, TREES = "forest.json", "trees.safetensors"
FORMAT = 1
_LARGEST_CARD = 16 << 20
_LIBRARIES = ("numpy", "numba", "scikit-learn", "scipy")


@dataclass(frozen=True)
class ForestCard:
    """All that must be known of a forest beside its trees.

    Attributes
    ----------
    name : str
        What users see.
    settings : ForestSettings
        What it sees of a pixel, and how it was grown.
    in_channels : int
        Channels of the images.
    normalisation : Normalisation
        How pixels are scaled before features are taken.
    threshold : float
        Operating point: pixels of a higher probability are particle.
    pixel_size_um : float or None
        Pixel size of the training images in micrometre, if known.
    description, training_data, attribution, licence : str
        For the reader.
    training : mapping
        How many pixels it learnt from, and of which images.
    scores : mapping
        What it reached, and on which data.
    versions : mapping
        Of program and libraries when it was made.
    trees_sha256 : str
        Digest of the trees' file; a file with another digest is refused.
    format : int
        Version of this layout.
    """

    name: str
    settings: ForestSettings = field(default_factory=ForestSettings)
    in_channels: int = 3
    normalisation: Normalisation = field(default_factory=Normalisation)
    threshold: float = 0.5
    pixel_size_um: float | None = None
    description: str = ""
    training_data: str = ""
    attribution: str = ""
    licence: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    trees_sha256: str = ""
    format: int = FORMAT


@dataclass(frozen=True)
class Forest:
    """Trees with their card.

    Attributes
    ----------
    trees : Trees
    card : ForestCard
    notes : tuple of str
        What looked wrong with the labels it learnt from; not saved.
    """

    trees: Trees
    card: ForestCard
    notes: tuple[str, ...] = ()

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the forest's folder, finished atomically.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        StoreError
            If something is there already (and `overwrite` is False) or the place cannot be written.
        """
        from safetensors.numpy import save

        trees = save(self.trees.to_arrays())
        card = replace(self.card, trees_sha256=hashlib.sha256(trees).hexdigest())
        with finished_at(path, overwrite=overwrite) as part:
            part.mkdir()
            (part / TREES).write_bytes(trees)
            (part / CARD).write_text(json.dumps(to_dict(card), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return Path(path)


def load_forest(path: str | os.PathLike[str]) -> Forest:
    """Read a forest's folder: card and trees.

    Raises
    ------
    ModelError
        If a file is missing, damaged, changed, or made by a newer version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from napari_mpseg.methods.forest.features import feature_names

    card = load_forest_card(path)
    file = Path(path) / TREES
    content = read_checked(file, card.trees_sha256, "forest")
    try:
        trees = checked_trees(load(content), len(feature_names(card.settings, card.in_channels)))
    except (SafetensorError, ModelError) as error:
        raise ModelError(f"{file} holds no trees of this forest: {error}. Copy the forest again.") from error
    return Forest(trees, card)


def load_forest_card(path: str | os.PathLike[str]) -> ForestCard:
    """Read the card of a forest's folder.

    Raises
    ------
    ModelError
        If there is none, or it is not one this version understands.
    """
    file = Path(path) / CARD
    try:
        if file.stat().st_size > _LARGEST_CARD:
            raise ModelError(f"{file} is too large to be the card of a forest.")
        values = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(
            f"{path} holds no {CARD}, so it is no forest. A forest is a folder with {CARD} and {TREES}, made by "
            "'napari-mpseg train-forest'."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{file} cannot be read: {error}. Copy the forest again from where it came.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{file} is not the card of a forest. Copy the forest again from where it came.")
    made = values.get("format", FORMAT)
    if isinstance(made, int) and made > FORMAT:
        raise ModelError(f"{path} was made by a newer version. Update napari-mpseg to use it.")
    return _card(values, file)


def _card(values: dict[str, Any], file: Path) -> ForestCard:
    from napari_mpseg.methods.forest.features import check_features

    try:
        card = from_dict(ForestCard, values)
        check_features(card.settings)
    except MpsegError as error:
        raise ModelError(f"{file} does not fit this version: {error}") from error
    if card.in_channels < 1 or not 0 <= card.threshold < 1:
        raise ModelError(f"{file} holds an impossible number of channels or threshold. Copy the forest again.")
    return card


def forest_versions() -> dict[str, str]:
    """Return the versions of this program and of the libraries a forest depends on."""
    return {"napari-mpseg": __version__, **{name: metadata.version(name) for name in _LIBRARIES}}
