"""Which images a model was trained on: told by their pixels, and by their names where the pixels were changed."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.comparison.contender import Doubt
from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.errors import ModelError
from napari_mpseg.methods.registry import FOLDER_CARDS

FOLDS = "folds.json"
WITHOUT = "without-"
_WHOLE = 2**22  # pixels of an image that is read once
_MPNET = Path(__file__).with_name("mpnet_patches.txt")  # digest of some pixels, and name, of the 60 patches of MP-Net


def pixel_digest(picture: Picture) -> str:
    """Return the digest of some of an image's pixels, as training keeps it of what it learnt from."""
    from napari_mpseg.training.data.fingerprints import fingerprints
    from napari_mpseg.training.data.pairs import LabelledImage

    nothing = np.zeros(picture.opened.shape, bool)
    (found,) = fingerprints([LabelledImage(picture.name, _Levels(picture), nothing)])
    return str(found["pixels_sha256"])


class _Levels:
    """An image in grey levels of 0 to 255 as training sees it, read where it is looked at."""

    def __init__(self, picture: Picture) -> None:
        from napari_mpseg.images.normalisation import Normalisation

        image = picture.opened
        # a PNG is read as a whole for every look at it
        self._data = np.asarray(image.data) if picture.pixels <= _WHOLE else image.data
        self.shape = (*image.shape, image.n_channels)
        self._scaling = None if image.dtype == np.uint8 else Normalisation("auto").measure(image)

    def __getitem__(self, part: Any) -> Any:
        pixels = np.asarray(self._data[part])
        if self._scaling is not None:
            pixels = self._scaling.apply(pixels) * np.float32(255)
        return pixels if pixels.ndim == 3 else pixels[..., None]


def training_images(folder: Path) -> list[Mapping[str, Any]]:
    """Return name and digest of the images a model or forest was trained on; empty where its card does not tell.

    Raises
    ------
    ModelError
        If the card cannot be read.
    """
    card = card_of(folder)
    if card is None:
        return []
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{card} cannot be read: {error}. Copy the model again from where it came.") from error
    training = found.get("training") if isinstance(found, dict) else None
    listed = training.get("data") if isinstance(training, dict) else None
    return [one for one in listed or [] if isinstance(one, dict)]


def card_of(folder: Path) -> Path | None:
    """Return the file that says what is in a model's folder, if it is one."""
    return next((folder / name for name in FOLDER_CARDS if (folder / name).is_file()), None)


def is_crossval(folder: Path) -> bool:
    """Tell whether a folder holds a cross-validation: its folds, and a model without each."""
    return (folder / FOLDS).is_file()


def read_folds(folder: Path) -> dict[str, list[Mapping[str, Any]]]:
    """Return the images of each fold of a stored cross-validation.

    Raises
    ------
    ModelError
        If the file is damaged, or a fold's model is missing.
    """
    try:
        found = json.loads((folder / FOLDS).read_text(encoding="utf-8"))
        folds: dict[str, list[Mapping[str, Any]]] = {
            str(name): [dict(image) for image in images] for name, images in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"{folder / FOLDS} cannot be read: {error}. Run the cross-validation again.") from error
    missing = [name for name in folds if card_of(folder / f"{WITHOUT}{name}") is None]
    if missing or not folds:
        raise ModelError(
            f"{folder} holds no model {', '.join(WITHOUT + name for name in missing) or 'of any fold'}. "
            "Let the cross-validation finish: the same command goes on where it stopped."
        )
    return folds


def fold_of(picture: Picture, folds: Mapping[str, Sequence[Mapping[str, Any]]], name: str) -> tuple[str, Doubt | None]:
    """Return the fold whose model never saw an image, and what is unsure about that.

    Raises
    ------
    ModelError
        If the image is of no fold: then nobody knows which model has not seen it.
    """
    digest = pixel_digest(picture)
    there = [fold for fold, images in folds.items() if any(one.get("pixels_sha256") == digest for one in images)]
    if len(there) == 1:
        return there[0], None
    if there:
        chosen = picture.group if picture.group in there else there[0]
        text = f"its pixels lie in {' and '.join(there)}, so the model without {chosen} was trained on them"
        return chosen, Doubt(text, seen=True)
    if picture.group in folds:
        return picture.group, Doubt(
            f"not one of the images listed in {name}; the model without {picture.group} was taken by the fold's name"
        )
    raise ModelError(
        f"{picture.name} is of none of the folds of {name} ({', '.join(folds)}), so it cannot be known which of its "
        "models has not seen it. Compare on the data it was made from, in their fold folders, or name one model."
    )


def seen_in_training(picture: Picture, images: Sequence[Mapping[str, Any]]) -> str:
    """Return why an image is taken to have been learnt from, or "".

    Parameters
    ----------
    picture : Picture
    images : sequence of mapping
        Of :func:`training_images`.
    """
    if not images:
        return ""
    if any(one.get("name") == picture.name for one in images):
        return "an image of this name is part of what the model was trained on"
    digest = pixel_digest(picture)
    return "part of what the model was trained on" if any(one.get("pixels_sha256") == digest for one in images) else ""


def mpnet_name(picture: Picture) -> str:
    """Return which patch of MP-Net an image is, or ""; the bundled network was trained on all of them."""
    if picture.opened.shape != (256, 256) or picture.opened.dtype != np.uint8:
        return ""
    return _mpnet().get(pixel_digest(picture)[:16], "")


@cache
def _mpnet() -> dict[str, str]:
    lines = _MPNET.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)
