"""Whether the labels of a result are what its method told apart, or the connected pixels of the probability."""

from collections.abc import Mapping
from typing import Any


def told_apart(record: Mapping[str, Any]) -> bool:
    """Return whether the method itself told the particles apart.

    Touching particles have labels of their own then, and the labels cannot be made again from the stored probability:
    what is above a threshold joins all that touches.

    Parameters
    ----------
    record : mapping
        Of the run: in ``NAME_run.json``, the store's attributes, or a layer's metadata under ``"provenance"``.
    """
    settings = record.get("settings")
    return isinstance(settings, Mapping) and settings.get("instances") is not None
