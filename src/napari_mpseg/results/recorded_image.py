"""The image that a result was made from, opened again where the record of the run says that it lies."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import MpsegError
from napari_mpseg.images.channels import pick_channels
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_stack
from napari_mpseg.images.stack import Stack
from napari_mpseg.settings import from_dict


def recorded_stack(record: Mapping[str, Any]) -> Stack | None:
    """Return the one plane that a result was made from with its resolution levels, no pixel of it read.

    Parameters
    ----------
    record : mapping
        Of the run: ``inputs`` tells source, plane, shape and calibration.

    Returns
    -------
    Stack or None
        Without axes of planes, with the pixel size of the run. None if the image is not there any more, cannot be read,
        or is of another size.
    """
    inputs = record.get("inputs")
    if not isinstance(inputs, Mapping):
        return None
    source, shape = str(inputs.get("source", "")), list(inputs.get("shape") or ())[:2]
    path = Path(source)
    if not path.is_absolute() or not path.exists():
        return None
    try:
        stack = open_stack(source)
        plane = tuple(int(number) for number in inputs.get("plane") or ()) or None
        images = [stack.image(plane, level) for level in range(len(stack.levels))]
        if list(images[0].shape) != shape:
            return None
        stored = inputs.get("calibration")
        calibration = from_dict(Calibration, stored) if isinstance(stored, Mapping) else images[0].calibration
    except (MpsegError, TypeError, ValueError):  # moved, replaced or damaged since: the result stands without it
        return None
    levels = tuple(image.data for image in images)
    return replace(stack, levels=levels, plane_axes="", calibration=calibration, name=str(inputs.get("name", "image")))


def recorded_image(record: Mapping[str, Any]) -> Image | None:
    """Return the image that a result was made from, with the channels that it was measured on; None as above."""
    stack = recorded_stack(record)
    if stack is None:
        return None
    inputs = dict(record["inputs"])
    names = tuple(map(str, inputs.get("channels") or ()))
    try:
        image = stack.image()
        image = image if image.channels == names else pick_channels(image, names or None)
    except MpsegError:
        return None
    # one channel of several was taken, and nobody wrote down which
    return image if list(image.data.shape) == list(inputs["shape"]) else None
