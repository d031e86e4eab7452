"""COCO's JSON: particles as polygons and run lengths, read into labels; pycocotools is not needed.

Writing needs the particle table and lies in :mod:`napari_mpseg.exchange.coco`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.coco.document import CocoDocument, read_coco
    from napari_mpseg.coco.labels import CocoLabels, labels_from_coco
    from napari_mpseg.coco.pairs import coco_pairs

_HOMES = {
    "CocoDocument": "document",
    "CocoLabels": "labels",
    "coco_pairs": "pairs",
    "labels_from_coco": "labels",
    "read_coco": "document",
}
__all__ = ["CocoDocument", "CocoLabels", "coco_pairs", "labels_from_coco", "read_coco"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
