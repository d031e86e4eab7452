"""What was run, with what, on what: the record that travels with every layer, store and table."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import Any

from napari_mpseg._version import __version__

_LIBRARIES = ("numpy", "torch", "zarr", "dask", "scikit-image", "numba")


@dataclass(frozen=True)
class Provenance:
    """One run, as plain JSON values.

    Attributes
    ----------
    operation : str
        ``"segment"``, ``"measure"``, ``"train"``.
    settings : mapping
        Everything that must be given again to get the same result.
    inputs : mapping
        What it ran on: name, source, shape, calibration.
    model : mapping
        Name, digest and card of the model, if any.
    """

    operation: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_dict(self) -> dict[str, Any]:
        """Return the record with program and library versions."""
        return {
            "program": "napari-mpseg",
            "version": __version__,
            "operation": self.operation,
            "created": self.created,
            "settings": dict(self.settings),
            "inputs": dict(self.inputs),
            "model": dict(self.model),
            "python": platform.python_version(),
            "libraries": library_versions(),
        }


def library_versions() -> dict[str, str]:
    """Return the installed versions of the libraries that can change a number, without importing them."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
