"""A COCO file as layers: its images, where they are beside it, and their particles with classes and scores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.labels_files import LabelsFile

if TYPE_CHECKING:
    from napari_mpseg.coco.document import CocoDocument, CocoImage
    from napari_mpseg.coco.labels import CocoLabels

MOST = 20
"""Images that are opened at once."""
_RESULT_MARKS = (b'"segmentation"', b'"bbox"', b'"score"')


def read_coco_file(path: Path) -> tuple[list[Any], list[LabelsFile]]:
    """Return the images (:class:`~napari_mpseg.images.stack.Stack`) of a COCO file that are there, and all labels.

    Raises
    ------
    ImageError
        If it is damaged, names no image, or an annotation does not fit its image; also if it is a list of results that
        does not tell the sizes of its images.
    """
    from napari_mpseg.coco.labels import labels_from_coco

    document = _document(path)
    stacks, labels = [], []
    for image in document.images[:MOST]:
        stack = _stack(document, image)
        found = labels_from_coco(document, image.id)
        if stack is not None:
            stacks.append(stack)
        labels += _labels(found, path, stack)
    notes = []
    if document.results:
        notes.append(
            f"{path.name} is a list of results, which tells neither names of images nor categories. Labels are called "
            "by the number of their image, and classes by that of their category."
        )
    if len(document.images) > MOST:
        more = "" if document.results else " 'napari-mpseg coco to-labels' writes the labels of all."
        notes.append(f"{path.name} has {len(document.images)} images; the first {MOST} are shown.{more}")
    if labels:
        labels[0] = replace(labels[0], notes=(*notes, *labels[0].notes))
    return stacks, labels


def looks_like_results(path: Path) -> bool:
    """Return whether a file begins like a list of COCO results; only its first characters are read."""
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return False
    start = b"".join(head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].split())
    return start.startswith(b"[{") and b'"image_id"' in head and any(mark in head for mark in _RESULT_MARKS)


def _document(path: Path) -> CocoDocument:
    from napari_mpseg.coco.document import read_coco

    if looks_like_results(path):
        return _results(path)
    document = read_coco(path)
    if not document.images:
        raise ImageError(
            f"{path} is a COCO file without images, so there is nothing to show. Each image needs an entry in 'images' "
            "with id, file_name, height and width."
        )
    return document


def _results(path: Path) -> CocoDocument:
    """Read a list of results; the sizes of its images are those that the run lengths tell."""
    from napari_mpseg.coco.document import CocoDocument, CocoImage, read_coco
    from napari_mpseg.coco.masks import own_size

    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ImageError(f"{path} cannot be read as a list of COCO results: {error}.") from error
    sizes: dict[int, tuple[int, int] | None] = {}
    for one in found:
        number = one.get("image_id") if isinstance(one, dict) else None
        if isinstance(number, int):
            sizes[number] = sizes.get(number) or own_size(one)
    unknown = [number for number, size in sizes.items() if size is None]
    if unknown:
        raise ImageError(
            f"{path} is a list of COCO results and does not tell the size of image {unknown[0]}: boxes and polygons "
            "alone do not say it. Drop the COCO file of the truth instead, which lists the images, or write results "
            "with run lengths."
        )
    images = tuple(
        CocoImage(number, f"{path.stem} {number}", *size) for number, size in sizes.items() if size is not None
    )
    document = read_coco(found, images_of=CocoDocument(path, images, {}, {}))
    return replace(document, path=path)


def _stack(document: CocoDocument, image: CocoImage) -> Any:
    """Return the image with the pixel size that the COCO file knows, or None if it is not there or not readable."""
    from napari_mpseg.coco.files import find_file
    from napari_mpseg.errors import MpsegError
    from napari_mpseg.images.open import open_stack

    file = find_file(document, image)
    if file is None:
        return None
    try:
        stack = open_stack(file)
    except MpsegError:  # its labels can be shown all the same
        return None
    return replace(stack, calibration=image.calibration) if image.calibration.calibrated else stack


def _labels(found: CocoLabels, path: Path, stack: Any) -> list[LabelsFile]:
    from napari_mpseg.particles.table import ParticleTable

    calibration = found.image.calibration
    if not calibration.calibrated and stack is not None:
        calibration = stack.calibration
    notes = []
    if stack is not None:
        size = tuple(stack.image(stack.plane_indices()[0]).shape[:2])
        if size != found.shape:
            notes.append(
                f"{stack.name} has {size[0]} x {size[1]} px, but {path.name} tells {found.shape[0]} x {found.shape[1]} "
                "px, so its particles do not lie where they are seen. Is it the same image, in the same size?"
            )
    if found.overlapping:
        notes.append(f"{found.image.file_name}: {found.overlapping} px were claimed by more than one particle.")
    if found.hidden:
        notes.append(f"{found.image.file_name}: {len(found.hidden)} particles have no pixel left.")
    try:
        features = ParticleTable(found.frame, calibration).to_features()
    except ImageError as error:  # numbers so far apart that a layer cannot hold the table
        features = None
        notes.append(str(error))
    one = LabelsFile(
        found.labels,
        features,
        calibration.pixel_size,
        (),
        calibration.unit_name,
        f"{found.image.name} particles",
        {"source": stack.name if stack is not None else found.image.file_name, "coco": str(path)},
        tuple(notes),
    )
    ignored = found.ignored
    if ignored is None:
        return [one]
    beside = replace(one, data=ignored.astype(np.uint8), features=None, name=f"{found.image.name} to ignore", notes=())
    return [beside, one]
