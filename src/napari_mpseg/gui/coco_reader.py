"""A COCO file as layers: its images, where they are beside it, and their particles with classes and scores."""

from __future__ import annotations

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


def read_coco_file(path: Path) -> tuple[list[Any], list[LabelsFile]]:
    """Return the images (:class:`~napari_mpseg.images.stack.Stack`) of a COCO file that are there, and all labels.

    Raises
    ------
    ImageError
        If it is damaged, or an annotation does not fit its image.
    """
    from napari_mpseg.coco.document import read_coco
    from napari_mpseg.coco.labels import labels_from_coco

    document = read_coco(path)
    stacks, labels = [], []
    for image in document.images[:MOST]:
        stack = _stack(document, image)
        found = labels_from_coco(document, image.id)
        if stack is not None:
            stacks.append(stack)
        labels += _labels(found, path, stack)
    if len(document.images) > MOST and labels:
        note = (
            f"{path.name} has {len(document.images)} images; the first {MOST} are shown. "
            "'napari-mpseg coco to-labels' writes the labels of all."
        )
        labels[0] = replace(labels[0], notes=(note, *labels[0].notes))
    return stacks, labels


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
