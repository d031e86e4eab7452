"""The image files of a COCO file, and the sizes of images that it does not tell."""

import os
from dataclasses import replace
from pathlib import Path

from napari_mpseg.coco.document import CocoDocument, CocoImage
from napari_mpseg.coco.masks import own_size
from napari_mpseg.errors import ImageError, MpsegError

_BESIDE = ("", "images", "../images")
"""Where image files lie, seen from the COCO file."""


def find_file(document: CocoDocument, image: CocoImage, images: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the file of an image, or None if it is not there.

    Parameters
    ----------
    document : CocoDocument
    image : CocoImage
    images : path-like, optional
        Folder to look into; default that of the COCO file, and ``images`` in or beside it. In either the file may lie
        under the path that the COCO file tells, or under the file's name alone.
    """
    if images is not None:
        folders = [Path(images)]
    elif document.path is not None:
        folders = [document.path.absolute().parent / beside for beside in _BESIDE]
    else:
        folders = []
    for folder in folders:
        for name in (image.file_name, Path(image.file_name.replace("\\", "/")).name):
            if _there(folder / name):
                return folder / name
    return None


def _there(path: Path) -> bool:
    try:
        return path.is_file() or path.is_dir()  # a zarr store is a folder
    except (OSError, ValueError):  # no name that the system takes
        return False


def sized(document: CocoDocument, image: CocoImage, images: str | os.PathLike[str] | None = None) -> CocoImage:
    """Return the image with its size: as the file tells, as its run lengths tell, or as the image file has it.

    Raises
    ------
    ImageError
        If nobody knows it.
    """
    if image.height is not None and image.width is not None:
        return image
    for annotation in document.annotations[image.id]:
        size = own_size(annotation)
        if size is not None:
            return replace(image, height=size[0], width=size[1])
    path = find_file(document, image, images)
    if path is None:
        raise ImageError(
            f"{document.told} does not tell height and width of {image.file_name}, and the image is not beside it. "
            "Write them into the file, or give the folder of the images."
        )
    from napari_mpseg.images.open import open_stack

    try:
        shape = open_stack(path).image((image.plane,) if image.plane is not None else None).shape
    except MpsegError as error:
        raise ImageError(
            f"{document.told} does not tell height and width of {image.file_name}, and {path} does not either: {error}"
        ) from error
    return replace(image, height=shape[0], width=shape[1])
