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
    from napari_mpseg.experiments.train import train
    from napari_mpseg.images.image import Image
    from napari_mpseg.images.open import open_image, open_planes
    from napari_mpseg.methods.network import NetworkMethod
    from napari_mpseg.methods.registry import METHODS
    from napari_mpseg.networks.modelfile import Model, load_model, save_model
    from napari_mpseg.networks.registry import NETWORKS
    from napari_mpseg.particles.classes.classifier_files import load_classifier, save_classifier
    from napari_mpseg.particles.classes.rules import RULE_SETS, classify_by_rules
    from napari_mpseg.particles.classes.trained import train_classifier
    from napari_mpseg.particles.instances.make import make_instances
    from napari_mpseg.particles.instances.settings import InstanceSettings
    from napari_mpseg.particles.measure import measure
    from napari_mpseg.particles.pattern.analyse import analyse_pattern
    from napari_mpseg.particles.properties import PROPERTIES
    from napari_mpseg.particles.reviewable import measure_for_review
    from napari_mpseg.particles.table import ParticleTable
    from napari_mpseg.pipeline import segment
    from napari_mpseg.plots.registry import PLOTS
    from napari_mpseg.progress import CancelToken, Progress
    from napari_mpseg.reports.item import ReportItem
    from napari_mpseg.reports.report import write_report
    from napari_mpseg.results.result import Result
    from napari_mpseg.synthesis.filters import synthetic_filter
    from napari_mpseg.synthesis.sem import synthetic_sem
    from napari_mpseg.training.presets import PRESETS

_WHERE = {
    "Calibration": "calibration",
    "CancelToken": "progress",
    "Image": "images.image",
    "InstanceSettings": "particles.instances.settings",
    "METHODS": "methods.registry",
    "Model": "networks.modelfile",
    "NETWORKS": "networks.registry",
    "NetworkMethod": "methods.network",
    "PLOTS": "plots.registry",
    "PRESETS": "training.presets",
    "PROPERTIES": "particles.properties",
    "ParticleTable": "particles.table",
    "Progress": "progress",
    "RULE_SETS": "particles.classes.rules",
    "ReportItem": "reports.item",
    "Result": "results.result",
    "analyse_pattern": "particles.pattern.analyse",
    "classify_by_rules": "particles.classes.rules",
    "evaluate": "evaluation.report",
    "load_classifier": "particles.classes.classifier_files",
    "load_model": "networks.modelfile",
    "make_instances": "particles.instances.make",
    "measure": "particles.measure",
    "measure_for_review": "particles.reviewable",
    "open_image": "images.open",
    "open_planes": "images.open",
    "save_classifier": "particles.classes.classifier_files",
    "save_model": "networks.modelfile",
    "segment": "pipeline",
    "synthetic_filter": "synthesis.filters",
    "synthetic_sem": "synthesis.sem",
    "train": "experiments.train",
    "train_classifier": "particles.classes.trained",
    "write_report": "reports.report",
}

__all__ = [
    "METHODS",
    "NETWORKS",
    "PLOTS",
    "PRESETS",
    "PROPERTIES",
    "RULE_SETS",
    "Calibration",
    "CancelToken",
    "Image",
    "InstanceSettings",
    "Model",
    "NetworkMethod",
    "ParticleTable",
    "Progress",
    "ReportItem",
    "Result",
    "__version__",
    "analyse_pattern",
    "classify_by_rules",
    "evaluate",
    "load_classifier",
    "load_model",
    "make_instances",
    "measure",
    "measure_for_review",
    "open_image",
    "open_planes",
    "save_classifier",
    "save_model",
    "segment",
    "synthetic_filter",
    "synthetic_sem",
    "train",
    "train_classifier",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
