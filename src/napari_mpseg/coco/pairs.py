"""Images with their labels, read from a COCO file one at a time: what training takes."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from numpy.typing import NDArray

from napari_mpseg.coco.document import CocoDocument, read_coco
from napari_mpseg.coco.files import find_file
from napari_mpseg.coco.labels import CocoLabels, labels_from_coco
from napari_mpseg.errors import ImageError

Pair = tuple[Path, NDArray[Any]]


class CocoPairs(Sequence[Pair]):
    """Pairs of an image file and its labels ``(Y, X)``; each is made when it is asked for, and not kept.

    Parameters
    ----------
    document : CocoDocument
    files : sequence of Path
        Of its images, in their order.
    on_top, clip
        See :func:`~napari_mpseg.coco.labels.labels_from_coco`.
    """

    def __init__(
        self, document: CocoDocument, files: Sequence[Path], on_top: str | None = None, clip: bool = False
    ) -> None:
        self.document, self.files = document, tuple(files)
        self._on_top, self._clip = on_top, clip

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        return self.files[index], self.particles(index).labels

    def __iter__(self) -> Iterator[Pair]:
        for index in range(len(self)):
            yield self[index]

    def particles(self, index: int) -> CocoLabels:
        """Return all that the file says of an image: classes, and where nobody knows what is particle (``ignored``)."""
        return labels_from_coco(
            self.document,
            self.document.images[index].id,
            on_top=self._on_top,
            clip=self._clip,
            images=self.files[index].parent,
        )


def coco_pairs(
    source: str | os.PathLike[str] | Mapping[str, Any],
    images: str | os.PathLike[str] | None = None,
    *,
    on_top: str | None = None,
    clip: bool = False,
) -> CocoPairs:
    """Return the images of a COCO file with their labels; one without annotations has empty labels.

    Parameters
    ----------
    source : path-like or mapping
        The COCO file, or what was read from it.
    images : path-like, optional
        Folder of the images; default that of the COCO file, and ``images`` in or beside it.
    on_top, clip
        See :func:`~napari_mpseg.coco.labels.labels_from_coco`.

    Returns
    -------
    CocoPairs
        A sequence of ``(path, labels)``.

    Raises
    ------
    ImageError
        If the file is no COCO, has no images, an image is not there, or two images are one file.
    """
    document = read_coco(source)
    if not document.images:
        raise ImageError(f"{document.told} has no images.")
    found = [find_file(document, image, images) for image in document.images]
    missing = [image.file_name for image, path in zip(document.images, found, strict=True) if path is None]
    if missing:
        where = str(images) if images is not None else f"the folder of {document.told}, or 'images' in it"
        some = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise ImageError(f"Not found in {where}: {some}. Give the folder of the images.")
    owners: dict[tuple[Path, int | None], str] = {}
    files = [path for path in found if path is not None]
    for image, path in zip(document.images, files, strict=True):
        place = (path.resolve(), image.plane)
        if place in owners:
            raise ImageError(
                f"{owners[place]} and {image.file_name} of {document.told} would both be {path}, so that labels would "
                "come with the wrong picture. Put the images into the folders that the COCO file tells."
            )
        owners[place] = image.file_name
    return CocoPairs(document, files, on_top, clip)
