"""All export formats.

A new format is one more module that calls :func:`~napari_mpseg.exchange.source.add`, named here; the widget, the
command line and the tests read it from the registry.

Examples
--------
>>> list(EXPORTS)
['csv', 'parquet', 'imagej-results', 'imagej-rois', 'coco', 'coco-results']
"""

from napari_mpseg.exchange import tables  # noqa: F401, I001 - they fill the registry, in this order
from napari_mpseg.exchange import imagej  # noqa: F401
from napari_mpseg.exchange import rois  # noqa: F401
from napari_mpseg.exchange.coco import entry  # noqa: F401
from napari_mpseg.exchange.source import EXPORTS, ExportFormat, ExportSource

__all__ = ["EXPORTS", "ExportFormat", "ExportSource"]
