"""The count that is kept with labels: in a layer's metadata, and so in every file that the labels are saved to."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.counting.boxes import CountedBoxes
from napari_mpseg.particles.review.audit import KEY

COUNTING = "counting"
"""Where the boxes lie in what this package keeps with labels."""


def counted_of(metadata: Any) -> CountedBoxes | None:
    """Return the count that is kept in a layer's ``metadata``; None where there is none that can be read."""
    about = metadata.get(KEY) if isinstance(metadata, Mapping) else None
    return kept_count(about)


def kept_count(about: Any) -> CountedBoxes | None:
    """Return the count in what this package keeps with labels, in a file or a layer; None without one."""
    stored = about.get(COUNTING) if isinstance(about, Mapping) else None
    if not isinstance(stored, Mapping):
        return None
    try:
        return CountedBoxes.from_dict(stored)
    except SettingsError:  # of another version: it is shown nowhere, but stays where it is
        return None


def keep_count(metadata: MutableMapping[str, Any], boxes: CountedBoxes) -> None:
    """Put a count into a layer's ``metadata``, beside what is there.

    The record is put in place anew, since a layer that was duplicated shares it with the other.
    """
    about = metadata.get(KEY)
    metadata[KEY] = {**(about if isinstance(about, Mapping) else {}), COUNTING: boxes.to_dict()}
