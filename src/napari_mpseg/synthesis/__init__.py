"""Synthetic microscopy images with exact truth: filters with microplastics, SEM fields with nanoparticles.

Everything is seeded and made block by block on demand: the same settings give the same bytes whatever the
chunking, and an image of any size costs no memory until a part of it is looked at.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.synthesis.bright_field import synthetic_bright_field
    from napari_mpseg.synthesis.bright_field_settings import BrightFieldSettings
    from napari_mpseg.synthesis.filters import FilterSettings, synthetic_filter
    from napari_mpseg.synthesis.made_image import SyntheticImage
    from napari_mpseg.synthesis.microscopes import MICROSCOPES, image_settings, synthetic_image
    from napari_mpseg.synthesis.patches import training_pairs
    from napari_mpseg.synthesis.sem import SemSettings, synthetic_sem
    from napari_mpseg.synthesis.writing import write_synthetic

_HOMES = {
    "BrightFieldSettings": "bright_field_settings",
    "FilterSettings": "filters",
    "MICROSCOPES": "microscopes",
    "SemSettings": "sem",
    "SyntheticImage": "made_image",
    "image_settings": "microscopes",
    "synthetic_bright_field": "bright_field",
    "synthetic_filter": "filters",
    "synthetic_image": "microscopes",
    "synthetic_sem": "sem",
    "training_pairs": "patches",
    "write_synthetic": "writing",
}
__all__ = [
    "MICROSCOPES",
    "BrightFieldSettings",
    "FilterSettings",
    "SemSettings",
    "SyntheticImage",
    "image_settings",
    "synthetic_bright_field",
    "synthetic_filter",
    "synthetic_image",
    "synthetic_sem",
    "training_pairs",
    "write_synthetic",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
