"""From a mask or a probability to instances: components, clean-up, watersheds, joining of broken strands.

Importing this package loads nothing; its names are looked up when used (PEP 562).

Examples
--------
>>> import numpy as np
>>> from napari_mpseg.particles.instances import InstanceSettings, make_instances
>>> make_instances(np.eye(3), InstanceSettings(connectivity=1)).diagonal().tolist()
[1, 2, 3]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.particles.instances.edm import distance_map, ultimate_points
    from napari_mpseg.particles.instances.make import make_instances
    from napari_mpseg.particles.instances.settings import InstanceSettings
    from napari_mpseg.particles.instances.ways import (
        INSTANCES,
        Components,
        DistanceWatershed,
        ImageJWatershed,
        IntensityWatershed,
    )

_HOMES = {
    "INSTANCES": "ways",
    "Components": "ways",
    "DistanceWatershed": "ways",
    "ImageJWatershed": "ways",
    "InstanceSettings": "settings",
    "IntensityWatershed": "ways",
    "distance_map": "edm",
    "make_instances": "make",
    "ultimate_points": "edm",
}

__all__ = [
    "INSTANCES",
    "Components",
    "DistanceWatershed",
    "ImageJWatershed",
    "InstanceSettings",
    "IntensityWatershed",
    "distance_map",
    "make_instances",
    "ultimate_points",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
