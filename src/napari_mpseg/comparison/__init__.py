"""Several methods over several images: one table, one picture, times and memory."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.comparison.comparison import Comparison
    from napari_mpseg.comparison.label_layers import LabelsContender
    from napari_mpseg.comparison.run import compare

_HOMES = {"Comparison": "comparison", "LabelsContender": "label_layers", "compare": "run"}
__all__ = ["Comparison", "LabelsContender", "compare"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
