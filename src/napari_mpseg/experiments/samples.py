"""The images of a protocol: where they lie, which dataset they are in, and their truth."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.training.data.folders import fold_folders
from napari_mpseg.training.data.pairs import LabelledImage, folder_files, load_pair

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image

_WHOLE = 1 << 22  # pixels; larger images are read where training looks at them
_KEPT = 1 << 30  # bytes of pixels that all large images together keep in memory


@dataclass(frozen=True)
class Sample:
    """An image with its truth on disk.

    Attributes
    ----------
    name : str
        Folder and file, ``"fold_2/005.png"``.
    image, truth : Path
    dataset : str
        Name of the ``fold_*`` folder; empty where there is none.
    particle_value : int or None
        The value in the truth that is particle; None for everything but 0.
    """

    name: str
    image: Path
    truth: Path
    dataset: str = ""
    particle_value: int | None = None

    def labelled(self, keep_bytes: int = _KEPT) -> LabelledImage:
        """Return image and mask for training; the mask is read here, and the pixels of a small image too.

        Raises
        ------
        ImageError
            If either cannot be read, or their sizes differ.
        """
        from napari_mpseg.images.open import open_image

        image = open_image(self.image)
        lazy = image.shape[0] * image.shape[1] > _WHOLE
        return load_pair(
            self.image, self.truth, self.name, self.particle_value, pixels=_lazy(image, keep_bytes) if lazy else None
        )


def find_samples(data: str | os.PathLike[str], particle_value: int | None = None) -> list[Sample]:
    """Return the images of a data folder, in a fixed order.

    Parameters
    ----------
    data : path-like
        With folders ``fold_*`` of images and their ``labels``, or with images and ``labels`` itself.
    particle_value : int, optional
        The value in labels that is particle; default everything but 0.

    Raises
    ------
    ImageError
        If there is no image, or one has no labels.
    """
    folders = fold_folders(data)
    found = []
    for folder in folders or [Path(data)]:
        dataset = folder.name if folders else ""
        for image, truth in folder_files(folder):
            found.append(Sample(f"{folder.name}/{image.name}", image, truth, dataset, particle_value))
    return found


def read_all(samples: Sequence[Sample]) -> list[LabelledImage]:
    """Return all of them for training; see :meth:`Sample.labelled`."""
    keep = _KEPT // max(1, len(samples))
    return [sample.labelled(keep) for sample in samples]


def _lazy(image: "Image", keep_bytes: int) -> object:
    from napari_mpseg.images.normalisation import Normalisation
    from napari_mpseg.training.painted.lazy_pixels import LazyPixels

    return LazyPixels(image, Normalisation("auto").measure(image), keep_bytes)
