"""What a metric is: one number from the evidence of one or several images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError

if TYPE_CHECKING:
    from napari_mpseg.evaluation.evidence import Evidence

Array = NDArray[Any]
Evidences = Sequence["Evidence"]
Weighted = Callable[[Evidences, Array], Array]


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
    weighted : callable
        ``(evidences, weights) -> values``: weights ``(B, N)`` say how often each of the N images counts in each of B
        samples, values ``(B,)`` are the metric of each sample's images *together*. Never NaN.
    source : str
        Paper or standard.
    needs_probability : bool
        Whether the evidence must hold the counts by probability level.
    variant : callable, optional
        Makes the entry for another value of its parameter, such as the largest distance of two centres.
    """

    name: str
    title: str
    family: str
    definition: str
    undefined: str
    better: str
    weighted: Weighted
    source: str = ""
    needs_probability: bool = False
    variant: "Callable[[float], MetricEntry] | None" = None

    def of(self, evidences: Evidences) -> float:
        """Return the metric of all images together.

        Counts are added up first; errors of counts are averaged over the images, sizes are pooled.

        Raises
        ------
        SettingsError
            Without any evidence.
        ImageError
            If the metric needs a probability that an image has not.
        """
        return float(self.sampled(evidences, np.ones((1, len(evidences))))[0])

    def each(self, evidences: Evidences) -> NDArray[np.float64]:
        """Return the metric of every image by itself, ``(N,)``; in one unit for all. Raises as :meth:`of`."""
        return self.sampled(evidences, np.eye(len(evidences)))

    def sampled(self, evidences: Evidences, weights: Array) -> NDArray[np.float64]:
        """Return the metric of B samples of the images, ``(B,)``: see `weighted`. Raises as :meth:`of`."""
        if not len(evidences):
            raise SettingsError(f"{self.title} needs the evidence of one image or more; none was given.")
        if self.needs_probability:
            for evidence in evidences:
                if evidence.levels is None:
                    raise ImageError(
                        f"{self.title} needs probabilities, but {evidence.name!r} was compared without. Give its "
                        "probability too, or leave this metric out."
                    )
        return np.asarray(self.weighted(evidences, weights), np.float64)

    def with_value(self, value: float) -> "MetricEntry":
        """Return the entry for another value of its parameter, called ``NAME:VALUE``.

        Raises
        ------
        SettingsError
            If it has no parameter.
        """
        if self.variant is None:
            raise SettingsError(f"Metric {self.name!r} has no parameter: leave out ':{value:g}'.")
        return replace(self.variant(value), name=f"{self.name}:{value:g}")


def ratio(numerator: Any, denominator: Any, perfect: Any) -> Array:
    """Return quotients; where the denominator is 0, 1 if `perfect`, else 0."""
    below = np.asarray(denominator, np.float64)
    quotient = np.asarray(numerator, np.float64) / np.where(below == 0, 1.0, below)
    return np.where(below == 0, np.where(perfect, 1.0, 0.0), quotient)
