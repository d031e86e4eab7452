"""Open anything lazily as ``(Y, X)`` or ``(Y, X, C)`` with its pixel size, check it, and make it network input.

The names below are loaded at their first use, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.images.channels import match_channels, pick_channels
    from napari_mpseg.images.checks import check_image
    from napari_mpseg.images.image import Image
    from napari_mpseg.images.image_warning import ImageWarning
    from napari_mpseg.images.layers import layer_calibration
    from napari_mpseg.images.normalisation import Normalisation
    from napari_mpseg.images.open import open_image, open_levels, open_planes, open_stack
    from napari_mpseg.images.region import read_region
    from napari_mpseg.images.scaling import Scaling
    from napari_mpseg.images.stack import Stack

_HOMES = {
    "Image": "image",
    "ImageWarning": "image_warning",
    "Normalisation": "normalisation",
    "Scaling": "scaling",
    "Stack": "stack",
    "check_image": "checks",
    "layer_calibration": "layers",
    "match_channels": "channels",
    "open_image": "open",
    "open_levels": "open",
    "open_planes": "open",
    "open_stack": "open",
    "pick_channels": "channels",
    "read_region": "region",
}

__all__ = [
    "Image",
    "ImageWarning",
    "Normalisation",
    "Scaling",
    "Stack",
    "check_image",
    "layer_calibration",
    "match_channels",
    "open_image",
    "open_levels",
    "open_planes",
    "open_stack",
    "pick_channels",
    "read_region",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
