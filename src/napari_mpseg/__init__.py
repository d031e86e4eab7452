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
    from napari_mpseg.coco.labels import labels_from_coco
    from napari_mpseg.comparison.run import compare
    from napari_mpseg.evaluation.aggregate import score
    from napari_mpseg.evaluation.errors import error_map
    from napari_mpseg.evaluation.evidence import gather_evidence
    from napari_mpseg.evaluation.metric import METRICS
    from napari_mpseg.evaluation.report import evaluate
    from napari_mpseg.exchange.coco.writing import labels_to_coco
    from napari_mpseg.experiments.train import train
    from napari_mpseg.images.image import Image
    from napari_mpseg.images.open import open_image, open_planes
    from napari_mpseg.inference.background import BackgroundSettings
    from napari_mpseg.methods.files import save_method
    from napari_mpseg.methods.forest.forest import load_forest
    from napari_mpseg.methods.forest.settings import ForestSettings
    from napari_mpseg.methods.forest.training import train_forest
    from napari_mpseg.methods.network import NetworkMethod
    from napari_mpseg.methods.registry import METHODS
    from napari_mpseg.networks.modelfile import Model, load_model, save_model
    from napari_mpseg.networks.registry import NETWORKS
    from napari_mpseg.operating_point import choose_operating_point
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
    from napari_mpseg.synthesis.microscopes import synthetic_image
    from napari_mpseg.synthesis.sem import synthetic_sem
    from napari_mpseg.synthesis.writing import write_synthetic
    from napari_mpseg.training.presets import PRESETS

_WHERE = {
    "BackgroundSettings": "inference.background",
    "Calibration": "calibration",
    "CancelToken": "progress",
    "ForestSettings": "methods.forest.settings",
    "Image": "images.image",
    "InstanceSettings": "particles.instances.settings",
    "METHODS": "methods.registry",
    "METRICS": "evaluation.metric",
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
    "choose_operating_point": "operating_point",
    "classify_by_rules": "particles.classes.rules",
    "compare": "comparison.run",
    "error_map": "evaluation.errors",
    "evaluate": "evaluation.report",
    "gather_evidence": "evaluation.evidence",
    "labels_from_coco": "coco.labels",
    "labels_to_coco": "exchange.coco.writing",
    "load_classifier": "particles.classes.classifier_files",
    "load_forest": "methods.forest.forest",
    "load_model": "networks.modelfile",
    "make_instances": "particles.instances.make",
    "measure": "particles.measure",
    "measure_for_review": "particles.reviewable",
    "open_image": "images.open",
    "open_planes": "images.open",
    "save_classifier": "particles.classes.classifier_files",
    "save_method": "methods.files",
    "save_model": "networks.modelfile",
    "score": "evaluation.aggregate",
    "segment": "pipeline",
    "synthetic_filter": "synthesis.filters",
    "synthetic_image": "synthesis.microscopes",
    "synthetic_sem": "synthesis.sem",
    "write_synthetic": "synthesis.writing",
    "train": "experiments.train",
    "train_classifier": "particles.classes.trained",
    "train_forest": "methods.forest.training",
    "write_report": "reports.report",
}

__all__ = [
    "METHODS",
    "METRICS",
    "NETWORKS",
    "PLOTS",
    "PRESETS",
    "PROPERTIES",
    "RULE_SETS",
    "BackgroundSettings",
    "Calibration",
    "CancelToken",
    "ForestSettings",
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
    "choose_operating_point",
    "classify_by_rules",
    "compare",
    "error_map",
    "evaluate",
    "gather_evidence",
    "labels_from_coco",
    "labels_to_coco",
    "load_classifier",
    "load_forest",
    "load_model",
    "make_instances",
    "measure",
    "measure_for_review",
    "open_image",
    "open_planes",
    "save_classifier",
    "save_method",
    "save_model",
    "score",
    "segment",
    "synthetic_filter",
    "synthetic_image",
    "synthetic_sem",
    "train",
    "train_classifier",
    "train_forest",
    "write_report",
    "write_synthetic",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
