"""What speaks against scoring a method on an image: that it has seen it; and the folds of a cross-validation."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.comparison.contender import Doubt
from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.errors import ModelError
from napari_mpseg.methods.seen import card_of

if TYPE_CHECKING:
    from napari_mpseg.training.data.seen import SeenImages

FOLDS = "folds.json"
WITHOUT = "without-"


def doubts_about(picture: Picture, seen: "SeenImages") -> tuple[Doubt, ...]:
    """Return the doubt that a method has seen an image, if its card says so."""
    sight = seen.sight_of(picture.fingerprint)
    return () if sight is None else (Doubt(sight.text, seen=sight.learnt),)


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
    from napari_mpseg.training.data.seen import same_pixels

    there = [fold for fold, images in folds.items() if any(same_pixels(picture.fingerprint, one) for one in images)]
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
