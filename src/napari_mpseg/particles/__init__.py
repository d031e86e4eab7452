"""From a mask to particles: labelling, measuring, size classes, tables.

Importing this package loads nothing; its names are looked up when used (PEP 562). The function
``measure`` is taken from its module, :mod:`napari_mpseg.particles.measure`, whose name it shares.

Examples
--------
>>> import numpy as np
>>> from napari_mpseg.particles.measure import measure
>>> measure(np.eye(3, dtype=np.uint8)).frame["area_px"].tolist()
[3.0]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.particles.labelling import label_mask
    from napari_mpseg.particles.lazy_labels import label_chunks
    from napari_mpseg.particles.properties import PROPERTIES, Property, properties_in
    from napari_mpseg.particles.sizes import SizeClasses, count_by_size, size_class
    from napari_mpseg.particles.table import ParticleTable

_HOMES = {
    "label_mask": "labelling",
    "label_chunks": "lazy_labels",
    "PROPERTIES": "properties",
    "Property": "properties",
    "properties_in": "properties",
    "SizeClasses": "sizes",
    "count_by_size": "sizes",
    "size_class": "sizes",
    "ParticleTable": "table",
}

__all__ = [
    "PROPERTIES",
    "ParticleTable",
    "Property",
    "SizeClasses",
    "count_by_size",
    "label_chunks",
    "label_mask",
    "properties_in",
    "size_class",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
