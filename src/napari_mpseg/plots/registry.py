"""All plots.

A new plot is one more module with a function under :func:`~napari_mpseg.plots.entry.plot`, named here; the widget, the
command line and the tests read it from the registry.

Examples
--------
>>> list(PLOTS)
['size-distribution', 'violin-area', 'feret-angle', 'feret-rose', 'correlation', 'scatter']
"""

from napari_mpseg.plots import size_distribution  # noqa: F401, I001 - they fill the registry, in this order
from napari_mpseg.plots import violin  # noqa: F401
from napari_mpseg.plots import feret_angle  # noqa: F401
from napari_mpseg.plots import feret_rose  # noqa: F401
from napari_mpseg.plots import correlation  # noqa: F401
from napari_mpseg.plots import scatter  # noqa: F401
from napari_mpseg.plots.entry import PLOTS, PlotEntry

__all__ = ["PLOTS", "PlotEntry"]
