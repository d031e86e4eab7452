"""napari-mpseg: find, measure and classify particles in microscopy images.

The scripting API loads its parts when first used, so that importing this package is quick and needs neither torch
nor napari.

Examples
--------
>>> import napari_mpseg as mp
>>> result = mp.segment("filter.tif")            # doctest: +SKIP
>>> result.table                                  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

from napari_mpseg._version import __version__

if TYPE_CHECKING:
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.evaluation.report import evaluate
    from napari_mpseg.images.image import Image
    from napari_mpseg.images.open import open_image, open_planes
    from napari_mpseg.methods.network import NetworkMethod
    from napari_mpseg.methods.registry import METHODS
    from napari_mpseg.networks.modelfile import Model, load_model, save_model
    from napari_mpseg.networks.registry import NETWORKS
    from napari_mpseg.particles.measure import measure
    from napari_mpseg.pipeline import segment
    from napari_mpseg.progress import CancelToken, Progress
    from napari_mpseg.results.result import Result
    from napari_mpseg.synthesis.filters import synthetic_filter
    from napari_mpseg.synthesis.sem import synthetic_sem
    from napari_mpseg.training.presets import PRESETS
    from napari_mpseg.training.train import train

_WHERE = {
    "Calibration": "calibration",
    "CancelToken": "progress",
    "Image": "images.image",
    "METHODS": "methods.registry",
    "Model": "networks.modelfile",
    "NETWORKS": "networks.registry",
    "NetworkMethod": "methods.network",
    "PRESETS": "training.presets",
    "Progress": "progress",
    "Result": "results.result",
    "evaluate": "evaluation.report",
    "load_model": "networks.modelfile",
    "measure": "particles.measure",
    "open_image": "images.open",
    "open_planes": "images.open",
    "save_model": "networks.modelfile",
    "segment": "pipeline",
    "synthetic_filter": "synthesis.filters",
    "synthetic_sem": "synthesis.sem",
    "train": "training.train",
}

__all__ = [
    "METHODS",
    "NETWORKS",
    "PRESETS",
    "Calibration",
    "CancelToken",
    "Image",
    "Model",
    "NetworkMethod",
    "Progress",
    "Result",
    "__version__",
    "evaluate",
    "load_model",
    "measure",
    "open_image",
    "open_planes",
    "save_model",
    "segment",
    "synthetic_filter",
    "synthetic_sem",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
