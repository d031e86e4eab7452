"""Labelled images on disk as training pairs."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.images.image import Image
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.open import open_image
from napari_mpseg.images.truth_values import check_particle_value
from napari_mpseg.training.data.compacting import compact

Array = np.ndarray[Any, Any]
_ENDINGS = {".png", ".tif", ".tiff", ".jpg", ".jpeg"}


@dataclass(frozen=True)
class LabelledImage:
    """An image with its mask, for training and validation.

    Attributes
    ----------
    name : str
    image : array
        ``(Y, X, C)`` in grey levels of 0 to 255, uint8 or float32. Anything that can be sliced as ``[y0:y1, x0:x1]``
        and has a ``shape``: large images are read where they are looked at.
    mask : ndarray of bool
        ``(Y, X)``; True is particle.
    known : ndarray of bool, optional
        ``(Y, X)``; where the mask is known. Elsewhere nothing was painted, and no loss is taken. None: everywhere.
    instances : ndarray of int, optional
        ``(Y, X)``; which particle a pixel belongs to, 0 is background. None where only the mask is known; see
        :func:`~napari_mpseg.training.data.instances.with_instances`.
    """

    name: str
    image: Any
    mask: Array
    known: Array | None = None
    instances: Array | None = None


def folder_files(folder: str | os.PathLike[str]) -> list[tuple[Path, Path]]:
    """Return the images of a folder, each with the labels of the same name in its sub-folder ``labels``.

    Raises
    ------
    ImageError
        If there is no image, or one has no labels.
    """
    root = Path(folder)
    files = sorted(path for path in root.glob("*") if path.suffix.lower() in _ENDINGS)
    if not files:
        raise ImageError(f"No image found in {root}. Give a folder of PNG, TIFF or JPEG files with masks in 'labels'.")
    pairs = []
    for path in files:
        same_name = (root / "labels").glob(f"{glob.escape(path.stem)}.*")
        truth = next((other for other in same_name if other.suffix.lower() in _ENDINGS), None)
        if truth is None:
            raise ImageError(f"{path} has no mask: there should be one of the same name in {root / 'labels'}.")
        pairs.append((path, truth))
    return pairs


def truth_alone(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the labels of a data folder that have no image of the same name."""
    root = Path(folder)
    images = {path.stem for path in root.glob("*") if path.suffix.lower() in _ENDINGS}
    labels = sorted(path for path in (root / "labels").glob("*") if path.suffix.lower() in _ENDINGS)
    return [path for path in labels if path.stem not in images and not path.name.startswith(".")]


def _levels(image: Image) -> Array:
    """Return the pixels in grey levels of 0 to 255, scaled as they will be when they are segmented."""
    pixels = np.asarray(image.data)
    if pixels.dtype != np.uint8:
        pixels = Normalisation("auto").measure(image).apply(pixels) * np.float32(255)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def load_folder(folder: str | os.PathLike[str], particle_value: int | None = None) -> list[LabelledImage]:
    """Read all images of a folder with the masks of the same name in its sub-folder ``labels``.

    Parameters
    ----------
    folder : path-like
        Images, with ``labels`` beside them.
    particle_value : int, optional
        The value that means particle; by default everything but 0.

    Raises
    ------
    ImageError
        If there is no image, a mask is missing or of another size.
    SettingsError
        If `particle_value` occurs in no mask.
    """
    return load_folders([folder], particle_value)[0]


def load_folders(
    folders: Sequence[str | os.PathLike[str]], particle_value: int | None = None
) -> list[list[LabelledImage]]:
    """Read all images of several folders; see :func:`load_folder`.

    Raises
    ------
    ImageError
        If there is no image in a folder, a mask is missing or of another size.
    SettingsError
        If `particle_value` occurs in no mask of any folder.
    """
    files = [folder_files(folder) for folder in folders]
    found = [
        [load_pair(path, truth, f"{Path(folder).name}/{path.name}", particle_value) for path, truth in inside]
        for folder, inside in zip(folders, files, strict=True)
    ]
    if not any(pair.mask.any() for inside in found for pair in inside):
        check_particle_value((open_image(truth).data for inside in files for _, truth in inside), particle_value)
    return found


def load_pair(
    path: Path, truth: Path, name: str, particle_value: int | None = None, *, pixels: Any = None
) -> LabelledImage:
    """Read one image with its mask.

    Parameters
    ----------
    path, truth : Path
        The image, and its labels of the same size.
    name : str
    particle_value : int, optional
        The value that means particle; by default everything but 0.
    pixels : array, optional
        ``(Y, X, C)`` as :class:`LabelledImage` has them, where they are not to be read here.

    Raises
    ------
    ImageError
        If either cannot be read, or their sizes differ.
    """
    image = _levels(open_image(path)) if pixels is None else pixels
    labels = np.asarray(open_image(truth).data)
    if image.shape[:2] != labels.shape[:2]:
        raise ImageError(f"{truth} is {labels.shape}, its image {image.shape}: they must have the same size.")
    if labels.ndim == 3:
        labels = labels[..., 0]
    if particle_value is not None:
        return LabelledImage(name, image, labels == particle_value)
    whole = labels.dtype.kind in "uib"
    return LabelledImage(name, image, labels > 0, instances=compact(np.where(labels > 0, labels, 0)) if whole else None)
