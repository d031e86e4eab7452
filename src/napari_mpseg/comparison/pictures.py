"""What methods are compared on: images with their truth, opened only when they are looked at."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.comparison.digests import array_digest, file_digest
from napari_mpseg.errors import ImageError, MpsegError, SettingsError
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.images.truth_values import check_particle_value

if TYPE_CHECKING:
    from napari_mpseg.training.data.fingerprints import Fingerprint

_IN_MEMORY = 2**27  # pixels of a truth that is read once instead of part by part


@dataclass(frozen=True)
class Picture:
    """One image beside its truth.

    Attributes
    ----------
    name : str
        Folder and file name, as training records them: ``"fold_2/005.png"``; unique among the data.
    image : path, array or Image
        Anything :func:`~napari_mpseg.images.open.open_image` takes.
    truth : path or array
        Labels or a mask, ``(Y, X)``.
    group : str
        Name of the fold folder it lies in; empty without folds.
    particle_value : int or None
        The value in the truth that means particle; None: all but 0.
    """

    name: str
    image: Any
    truth: Any
    group: str = ""
    particle_value: int | None = None

    @cached_property
    def opened(self) -> Image:
        """The image, lazily, under this picture's name."""
        return replace(open_image(self.image), name=self.name)

    def labels(self) -> Any:
        """Return the truth: ``(Y, X)`` labels, or booleans where one value means particle.

        Up to 128 megapixels are read into memory; more stay a lazy array.

        Raises
        ------
        ImageError
            If it is not as large as the image, or holds no labels.
        """
        found = self.truth if hasattr(self.truth, "dtype") and hasattr(self.truth, "shape") else _read(self.truth)
        if found.ndim == 3:
            found = found[..., 0]
        if tuple(found.shape) != self.opened.shape:
            raise ImageError(
                f"{self.name}: the truth is {' x '.join(map(str, found.shape))} px, the image "
                f"{' x '.join(map(str, self.opened.shape))}. They must cover the same pixels."
            )
        if np.dtype(found.dtype).kind not in "bui":
            raise ImageError(f"{self.name}: the truth holds {found.dtype}. Give labels or a mask.")
        if self.particle_value is not None:
            found = found == self.particle_value
        return np.asarray(found) if found.size <= _IN_MEMORY else found

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        height, width = self.opened.shape
        return height * width

    @cached_property
    def fingerprint(self) -> "Fingerprint":
        """What training keeps of an image, to tell whether a model has seen it."""
        from napari_mpseg.training.data.fingerprints import Fingerprint

        return Fingerprint.of(self.opened)

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of image and truth: of files as they are, of arrays their values."""
        return {"image": _digest(self.image), "truth": _digest(self.truth)}


def pictures_of(
    data: Any, *, particle_value: int | None = None, count: int | None = None, group: str = ""
) -> list[Picture]:
    """Return the images of a data folder, or of pairs given by a script.

    Parameters
    ----------
    data : path-like or sequence of tuple
        A folder of images with ``labels``, or one with ``fold_*`` folders of that form; or ``(image, truth)`` or
        ``(image, truth, name)`` tuples of anything that can be opened.
    particle_value : int, optional
        The value in the truth that means particle; default everything but 0.
    count : int, optional
        Only as many images, taken evenly from all.
    group : str
        Fold of all the images of a plain folder.

    Raises
    ------
    ImageError
        If there is none, or one has no truth.
    SettingsError
        If `count` is not positive, `particle_value` occurs in no truth, or `group` is given for folders that are folds.
    """
    if count is not None and count < 1:
        raise SettingsError(f"{count} images cannot be compared on: give 1 or more.")
    if isinstance(data, (str, os.PathLike)):
        found = _of_folder(Path(os.fspath(data)), particle_value, group)
    else:
        found = [_of_pair(number, pair, particle_value, group) for number, pair in enumerate(data, 1)]
    if not found:
        raise ImageError("There is nothing to compare on. Give at least one image with its truth.")
    check_particle_value(_truths(found), particle_value)
    found = _uniquely_named(found)
    if count is not None and count < len(found):
        found = [found[int(place)] for place in np.linspace(0, len(found) - 1, count).round()]
    return found


def _of_folder(folder: Path, value: int | None, group: str) -> list[Picture]:
    from napari_mpseg.training.data.folders import fold_folders
    from napari_mpseg.training.data.pairs import folder_files

    if not folder.is_dir():
        raise ImageError(
            f"{folder} is no folder. Give one of images with their truth in 'labels', or of fold_* folders."
        )
    folds = fold_folders(folder)
    if folds and group:
        raise SettingsError(
            f"{folder} has folds of its own ({', '.join(fold.name for fold in folds)}), so no fold can be named for "
            f"all its images. Leave out {group!r}."
        )
    return [
        Picture(f"{part.name}/{image.name}", image, truth, part.name if folds else group, value)
        for part in folds or [folder]
        for image, truth in folder_files(part)
    ]


def remarks_on(data: Any) -> list[str]:
    """Return what is to be said of a data folder: truth without an image."""
    from napari_mpseg.training.data.folders import fold_folders
    from napari_mpseg.training.data.pairs import truth_alone

    if not isinstance(data, (str, os.PathLike)):
        return []
    folder = Path(os.fspath(data))
    alone = [f"{part.name}/{file.name}" for part in fold_folders(folder) or [folder] for file in truth_alone(part)]
    if not alone:
        return []
    names = ", ".join(alone[:3]) + (f" and {len(alone) - 3} more" if len(alone) > 3 else "")
    return [f"Truth without an image of the same name was left out: {names}."]


def _truths(pictures: Sequence[Picture]) -> Iterator[Any]:
    """Give the truths that can be read, as they are; for the others their case says why they cannot."""
    for picture in pictures:
        try:
            yield picture.truth if hasattr(picture.truth, "shape") else _read(picture.truth)
        except MpsegError:
            continue


def _of_pair(number: int, pair: Any, value: int | None, group: str) -> Picture:
    if isinstance(pair, Picture):
        return pair
    image, truth, *name = pair
    opened = open_image(image)
    named = name[0] if name else opened.name if opened.name != "image" else f"image {number}"
    return Picture(str(named), opened if not isinstance(image, (str, os.PathLike)) else image, truth, group, value)


def _uniquely_named(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures with numbers added to names that come twice, also as names of files."""
    seen: set[str] = set()
    found = []
    for picture in pictures:
        number, name = 1, picture.name
        while file_stem(name).lower() in seen:
            number += 1
            name = f"{picture.name} [{number}]"
        seen.add(file_stem(name).lower())
        found.append(picture if name == picture.name else replace(picture, name=name))
    return found


def _read(path: Any) -> Any:
    return open_image(path).data


def _digest(source: Any) -> str:
    if _is_path(source) and Path(source).is_file():
        return file_digest(Path(source))
    return array_digest(
        source.data if isinstance(source, Image) else open_image(source).data if _is_path(source) else source
    )


def _is_path(source: Any) -> bool:
    return isinstance(source, (str, os.PathLike))
