"""Synthetic microscopy images with exact truth: filters with microplastics, SEM fields with nanoparticles.

Everything is seeded and made block by block on demand: the same settings give the same bytes whatever the
chunking, and an image of any size costs no memory until a part of it is looked at.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.synthesis.filters import FilterSettings, synthetic_filter
    from napari_mpseg.synthesis.patches import training_pairs
    from napari_mpseg.synthesis.sem import SemSettings, synthetic_sem
    from napari_mpseg.synthesis.synthetic_image import SyntheticImage

_HOMES = {
    "FilterSettings": "filters",
    "synthetic_filter": "filters",
    "SemSettings": "sem",
    "synthetic_sem": "sem",
    "SyntheticImage": "synthetic_image",
    "training_pairs": "patches",
}
__all__ = [
    "FilterSettings",
    "SemSettings",
    "SyntheticImage",
    "synthetic_filter",
    "synthetic_sem",
    "training_pairs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
