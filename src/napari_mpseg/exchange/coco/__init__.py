"""Labels written as COCO's JSON; reading it is :mod:`napari_mpseg.coco`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.exchange.coco.settings import CocoSettings
    from napari_mpseg.exchange.coco.source import CocoSource
    from napari_mpseg.exchange.coco.writing import CocoWritten, labels_to_coco, write_coco

_HOMES = {
    "CocoSettings": "settings",
    "CocoSource": "source",
    "CocoWritten": "writing",
    "labels_to_coco": "writing",
    "write_coco": "writing",
}
__all__ = ["CocoSettings", "CocoSource", "CocoWritten", "labels_to_coco", "write_coco"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
