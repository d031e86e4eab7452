"""The registry of metrics."""

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.coco_ap import COCO_ENTRIES
from napari_mpseg.evaluation.count import COUNT_ENTRIES
from napari_mpseg.evaluation.count_confusion import COUNT_WRONG
from napari_mpseg.evaluation.metric_entry import MetricEntry
from napari_mpseg.evaluation.panoptic import PANOPTIC_ENTRIES
from napari_mpseg.evaluation.particle import PARTICLE_ENTRIES
from napari_mpseg.evaluation.pixel import PIXEL_ENTRIES
from napari_mpseg.evaluation.probability import PROBABILITY_ENTRIES
from napari_mpseg.evaluation.ranked import RANKED_ENTRIES
from napari_mpseg.evaluation.size import SIZE_ENTRIES
from napari_mpseg.registry import Registry

__all__ = ["METRICS", "MetricEntry", "find_metric"]

METRICS: Registry[MetricEntry] = Registry("metric")
for _entry in (
    *PIXEL_ENTRIES,
    *PROBABILITY_ENTRIES,
    *PARTICLE_ENTRIES,
    *PANOPTIC_ENTRIES,
    *RANKED_ENTRIES,
    *COCO_ENTRIES,
    *COUNT_ENTRIES,
    COUNT_WRONG,
    *SIZE_ENTRIES,
):
    METRICS.add(_entry.name, _entry)


def find_metric(name: str) -> MetricEntry:
    """Return a metric by name, with its parameter after a colon if it has one.

    Examples
    --------
    >>> find_metric("particle-f1-distance:5").title
    'particle F1 (5 px)'

    Raises
    ------
    UnknownNameError
        If no metric is called so.
    SettingsError
        If it has no parameter, or the value is none.
    """
    base, colon, value = name.partition(":")
    entry = METRICS[base]
    if not colon:
        return entry
    try:
        number = float(value)
    except ValueError:
        raise SettingsError(f"{value!r} is not a number: write the metric as {base}:NUMBER.") from None
    return entry.with_value(number)
