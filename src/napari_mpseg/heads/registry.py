"""The registry of heads."""

from napari_mpseg.heads.affinities import AffinitiesHead
from napari_mpseg.heads.boundary import BoundaryHead
from napari_mpseg.heads.distance import DistanceHead
from napari_mpseg.heads.head import Head
from napari_mpseg.heads.mask import MaskHead
from napari_mpseg.registry import Registry

MASK = "mask"
"""The head that tells nothing apart."""

HEADS: Registry[Head] = Registry("head")
for _head in (MaskHead(), BoundaryHead(), DistanceHead(), AffinitiesHead()):
    HEADS.add(_head.name, _head)
