"""What a metric is: one number from the evidence of one or several images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class MetricEntry:
    """A metric.

    Attributes
    ----------
    name : str
        What users type: ``"f1"``, ``"panoptic-quality"``.
    title : str
        Heading of its column.
    family : str
        ``"pixel"``, ``"probability"``, ``"particle"``, ``"count"`` or ``"size"``.
    definition : str
        In words and as a formula.
    undefined : str
        What it is where there is no truth, no prediction, or neither.
    better : str
        ``"higher"``, ``"lower"`` or ``"zero"`` (a bias).
    of : callable
        Takes the evidence of one or more images and returns the metric of all of them *together* (counts are added up
        first; errors of counts and sizes are taken over the images). Never NaN.
    source : str
        Paper or standard.
    needs_probability : bool
        Whether the evidence must hold the counts by probability level.
    """

    name: str
    title: str
    family: str
    definition: str
    undefined: str
    better: str
    of: Callable[[Sequence[Evidence]], float]
    source: str = ""
    needs_probability: bool = False


METRICS: Registry[MetricEntry] = Registry("metric")
