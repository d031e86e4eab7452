"""Semi-synthetic images: particles cut out of labelled images and pasted onto other grounds, with exact truth.

After Lee et al. 2022. ``cutouts`` takes particles out, ``change`` turns and scales them, ``recolouring`` gives them
colours, ``backgrounds`` makes what they are pasted onto, ``blends`` pastes, ``composition`` does all of it for one
image. Image number `index` of a seed is the same whichever others are made, and in whatever order.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.synthesis.semi.composition import Composition, compose
    from napari_mpseg.synthesis.semi.cutouts import Cutout, CutoutSettings, cut_out
    from napari_mpseg.synthesis.semi.library import load_cutouts, save_cutouts
    from napari_mpseg.synthesis.semi.settings import SemiSettings

_HOMES = {
    "Composition": "composition",
    "compose": "composition",
    "Cutout": "cutouts",
    "CutoutSettings": "cutouts",
    "cut_out": "cutouts",
    "load_cutouts": "library",
    "save_cutouts": "library",
    "SemiSettings": "settings",
}
__all__ = [
    "Composition",
    "Cutout",
    "CutoutSettings",
    "SemiSettings",
    "compose",
    "cut_out",
    "load_cutouts",
    "save_cutouts",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
