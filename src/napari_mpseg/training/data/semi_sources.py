"""Where particles and backgrounds of semi-synthetic images come from: folders of images."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.images.truth_values import inverted_note, particle_share
from napari_mpseg.synthesis.semi.backgrounds import NEED_IMAGES
from napari_mpseg.synthesis.semi.cutouts import Cutout, CutoutSettings, cut_out
from napari_mpseg.synthesis.semi.library import is_library, load_cutouts
from napari_mpseg.synthesis.semi.settings import SemiSettings
from napari_mpseg.training.data.folders import fold_folders
from napari_mpseg.training.data.pairs import LabelledImage, load_folders, load_pair

_ENDINGS = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
Sources = tuple[list[Cutout], list[LabelledImage]]


def sources_of(
    folder: str | os.PathLike[str],
    settings: SemiSettings,
    *,
    backgrounds: str | os.PathLike[str] | None = None,
    particle_value: int | None = None,
    cutting: CutoutSettings | None = None,
) -> Sources:
    """Return cutouts and backgrounds from folders.

    Parameters
    ----------
    folder : path-like
        Of labelled images (see :func:`labelled_images`), or a library of cutouts.
    settings : SemiSettings
        Say whether backgrounds are needed.
    backgrounds : path-like, optional
        Of images to paste onto; without, the labelled images themselves.
    particle_value : int, optional
        The value in labels that means particle; by default everything but 0.
    cutting : CutoutSettings, optional
        Which particles are cut out.

    Raises
    ------
    ImageError
        If images or labels cannot be used, or there is no particle.
    SettingsError
        If a background is asked for that needs images, and there are cutouts only.
    """
    from_library = is_library(folder)
    images = [] if from_library else labelled_images(folder, particle_value)
    cutouts = load_cutouts(folder) if from_library else _cut(images, cutting, particle_value)
    if backgrounds is not None:
        return cutouts, background_images(backgrounds, particle_value)
    if from_library and settings.background in NEED_IMAGES:
        raise SettingsError(
            f"{folder} holds cutouts only, and the background {settings.background!r} needs images. Give a folder of "
            "them (--backgrounds), or choose the background plain or synthetic."
        )
    return cutouts, images


def _cut(images: list[LabelledImage], cutting: CutoutSettings | None, particle_value: int | None) -> list[Cutout]:
    try:
        return cut_out(images, cutting)
    except ImageError as error:
        note = inverted_note(particle_share(pair.mask for pair in images), particle_value)
        raise ImageError(f"{error} {note}".strip()) from error


def labelled_images(folder: str | os.PathLike[str], particle_value: int | None = None) -> list[LabelledImage]:
    """Return the labelled images of a folder.

    It has images and ``labels`` in it, or folders ``fold_*`` of both, or folders ``images`` and ``labels``.

    Raises
    ------
    ImageError
        If there is no image, or one has no labels or labels of another size.
    SettingsError
        If `particle_value` occurs in no labels.
    """
    root = Path(folder)
    pictures = root / "images"
    if pictures.is_dir() and (root / "labels").is_dir() and not _pictures(root):
        return _side_by_side(pictures, root / "labels", particle_value)
    folders = fold_folders(root) or [root]
    return [pair for inside in load_folders(folders, particle_value) for pair in inside]


def background_images(folder: str | os.PathLike[str], particle_value: int | None = None) -> list[LabelledImage]:
    """Return the images of a folder to paste onto: labelled ones, or, without any labels, ones without particles.

    Raises
    ------
    ImageError
        If there is no image, or only some have labels.
    """
    from napari_mpseg.images.open import open_image
    from napari_mpseg.training.painted.lazy_pixels import LazyPixels

    root = Path(folder)
    if (root / "labels").is_dir() or fold_folders(root):
        return labelled_images(root, particle_value)
    found = []
    for path in _pictures(root):
        pixels = LazyPixels.as_measured(open_image(path))
        found.append(LabelledImage(f"{root.name}/{path.name}", pixels, np.zeros(pixels.shape[:2], bool)))
    if not found:
        raise ImageError(f"No image found in {root}. Give a folder of PNG, TIFF or JPEG files to paste onto.")
    return found


def _side_by_side(pictures: Path, labels: Path, particle_value: int | None) -> list[LabelledImage]:
    truths = {path.stem: path for path in _pictures(labels)}
    found = []
    for path in _pictures(pictures):
        if path.stem not in truths:
            raise ImageError(f"{path} has no labels: there should be a file of the same name in {labels}.")
        found.append(load_pair(path, truths[path.stem], f"{pictures.name}/{path.name}", particle_value))
    if not found:
        raise ImageError(f"No image found in {pictures}. Give a folder of PNG, TIFF or JPEG files with labels.")
    return found


def _pictures(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in _ENDINGS and path.name[0] != ".")
