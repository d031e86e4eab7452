"""Made images with their truth on disk: as a data folder that training reads, or as one zarr."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.files import finished_at
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.settings import to_dict
from napari_mpseg.synthesis.semi.composition import Composition
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.semi import SemiSynthetic

RECORD = "semi_synthetic.json"
_FORMAT, _VERSION = "napari-mpseg semi-synthetic images", 1


def write_pairs(
    images: SemiSynthetic,
    folder: str | os.PathLike[str],
    n: int | None = None,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Path:
    """Write images as a data folder: ``0001.png`` beside ``labels/0001.tif``, which training and evaluation read.

    ``semi_synthetic.json`` keeps the settings, and the source, box, area and covered share of every particle.

    Parameters
    ----------
    images : SemiSynthetic
    folder : path-like
    n : int, optional
        How many; by default all.
    overwrite : bool
        Replace the folder.

    Returns
    -------
    Path
        The folder, in which ``load_folder`` finds the same pixels, masks and instances.

    Raises
    ------
    StoreError
        If the folder is there already or cannot be written; then nothing is left behind.
    ImageError
        If the truth of an image is known in part only, as that of backgrounds with painted labels: labels in a file
        would call the rest background. :func:`write_zarr` keeps it.
    """
    import PIL.Image
    import tifffile

    target, told = Path(folder), []
    with finished_at(target, overwrite=overwrite) as part:
        (part / "labels").mkdir(parents=True)
        for name, made in _made(images, n, on_progress, cancel):
            if _partly_known(made):
                raise ImageError(
                    f"The truth of image {name} ({made.ground}) is known in part only, which labels in a file cannot "
                    "say. Write a zarr instead, or paste onto fully labelled, empty, plain or synthetic backgrounds."
                )
            pixels = made.image if made.image.shape[2] == 3 else made.image[..., 0]
            PIL.Image.fromarray(pixels).save(part / f"{name}.png")
            kind = np.uint16 if made.count < 2**16 else np.int32
            tifffile.imwrite(part / "labels" / f"{name}.tif", made.instances.astype(kind), compression="zlib")
            told.append(_told(f"{name}.png", made))
        (part / RECORD).write_text(json.dumps(_record(images, told), indent=1), encoding="utf-8")
    return target


def write_zarr(
    images: SemiSynthetic,
    path: str | os.PathLike[str],
    n: int | None = None,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Path:
    """Write images as a zarr group: ``images`` ``(N, Y, X, C)`` uint8 and ``labels`` ``(N, Y, X)`` int32.

    Every image is a chunk of its own; the attributes keep what ``semi_synthetic.json`` of a folder does. Where the
    truth of some image is known in part only, ``known`` ``(N, Y, X)`` bool says where.

    Parameters are those of :func:`write_pairs`.

    Raises
    ------
    StoreError
        If the zarr is there already or cannot be written; then nothing is left behind.
    """
    import zarr

    target, told = Path(path), []
    count = len(images) if n is None else n
    shape = images.composition(0).image.shape
    with finished_at(target, overwrite=overwrite) as part:
        group = zarr.open_group(str(part), mode="w", zarr_format=3)
        pixels = group.create_array("images", shape=(count, *shape), chunks=(1, *shape), dtype="uint8")
        labels = group.create_array("labels", shape=(count, *shape[:2]), chunks=(1, *shape[:2]), dtype="int32")
        known: Any = None
        for index, (name, made) in enumerate(_made(images, n, on_progress, cancel)):
            if known is None and _partly_known(made):
                chunks = (1, *shape[:2])
                known = group.create_array(
                    "known", shape=(count, *shape[:2]), chunks=chunks, dtype="bool", fill_value=True
                )
            if known is not None and made.known is not None:
                known[index] = made.known
            pixels[index], labels[index] = made.image, made.instances
            told.append(_told(name, made))
        group.attrs.update(_record(images, told))
    return target


class StoredImages(Sequence[LabelledImage]):
    """The images of a zarr that :func:`write_zarr` wrote, each read when it is looked at.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    ImageError
        If it is no such zarr.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import zarr

        try:
            group: Any = zarr.open_group(str(path), mode="r")
            self._images, self._labels = group["images"], group["labels"]
            self._known = group.get("known")
            fits = group.attrs.get("format") == _FORMAT and tuple(self._images.shape[:3]) == tuple(self._labels.shape)
        except (OSError, KeyError, ValueError, AttributeError) as error:
            raise ImageError(f"{path} is no zarr of semi-synthetic images ({error}).") from error
        if not fits:
            raise ImageError(f"{path} is no zarr of semi-synthetic images. Write it with 'napari-mpseg compose'.")
        self._name = Path(path).name

    def __len__(self) -> int:
        return int(self._labels.shape[0])

    @overload
    def __getitem__(self, index: int) -> LabelledImage: ...
    @overload
    def __getitem__(self, index: slice) -> list[LabelledImage]: ...
    def __getitem__(self, index: int | slice) -> LabelledImage | list[LabelledImage]:
        """Return an image, read now."""
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        index %= len(self)
        labels = np.asarray(self._labels[index])
        pixels = np.asarray(self._images[index])
        known = None if self._known is None else np.asarray(self._known[index])
        known = None if known is None or known.all() else known
        return LabelledImage(f"{self._name}/{index + 1}", pixels, labels > 0, known, labels)


def _made(
    images: SemiSynthetic, n: int | None, on_progress: ProgressCallback, cancel: CancelToken | None
) -> Iterator[tuple[str, Composition]]:
    """Give name and composition of each image, which is not kept any longer than the settings of `images` say."""
    count = len(images) if n is None else n
    digits = max(4, len(str(count)))
    on_progress(Progress("Composing", 0, count, "images"))
    for index in range(count):
        if cancel is not None:
            cancel.check()
        yield f"{index + 1:0{digits}d}", images.composition(index)
        on_progress(Progress("Composing", index + 1, count, "images"))


def _partly_known(made: Composition) -> bool:
    return made.known is not None and not made.known.all()


def _told(file: str, made: Composition) -> dict[str, Any]:
    particles = [to_dict(particle) for particle in made.particles]
    return {"file": file, "ground": made.ground, "count": made.count, "particles": particles}


def _record(images: SemiSynthetic, told: list[dict[str, Any]]) -> dict[str, Any]:
    from napari_mpseg._version import __version__

    return {
        "format": _FORMAT,
        "format_version": _VERSION,
        "napari_mpseg": __version__,
        "settings": to_dict(images.settings),
        "cutouts": len(images.cutouts),
        "backgrounds": [pair.name for pair in images.backgrounds],
        "images": told,
    }
