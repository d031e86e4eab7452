"""A comparison as tables for other programs, and as Markdown."""

from typing import TYPE_CHECKING, Any

from napari_mpseg.comparison.comparison import Comparison, Score
from napari_mpseg.comparison.effort import effort_of
from napari_mpseg.comparison.sizes import size_counts
from napari_mpseg.evaluation.aggregate import TABLE_1, score
from napari_mpseg.evaluation.metric import MetricEntry
from napari_mpseg.evaluation.size import size_unit

if TYPE_CHECKING:
    import pandas as pd

_LENGTHS = ("size-wasserstein",)  # metrics that are no pure numbers


def comparison_frame(comparison: Comparison) -> "pd.DataFrame":
    """Return one row per method.

    Columns are ``method``, ``images``, for each metric ``METRIC``, ``METRIC_mean``, ``METRIC_low`` and ``METRIC_high``
    (of all images together, mean over the images, and the interval of the first), ``seconds``,
    ``megapixels_per_second`` and ``peak_mib``.
    """
    import pandas as pd

    rows = []
    for row in comparison.rows:
        values: dict[str, Any] = {"method": row.label, "images": len(comparison.cases_of(row.label))}
        for metric in comparison.metrics:
            score = comparison.score(row.label, metric)
            values[metric.name] = score.total if score else None
            values[f"{metric.name}_mean"] = score.mean if score else None
            values[f"{metric.name}_low"] = score.low if score else None
            values[f"{metric.name}_high"] = score.high if score else None
        effort = effort_of(comparison.cases_of(row.label))
        values |= {
            "seconds": effort.seconds,
            "megapixels_per_second": effort.megapixels_per_second,
            "peak_mib": effort.peak_mib,
        }
        rows.append(values)
    return pd.DataFrame(rows)


def per_image_frame(comparison: Comparison) -> "pd.DataFrame":
    """Return one row per method and image: counts of pixels and particles, every metric, times and memory."""
    import pandas as pd

    rows = []
    for row in comparison.rows:
        cases = comparison.cases_of(row.label)
        evidence = [case.evidence for case in cases]
        graded = comparison.graded(row.label)
        wanted = [metric for metric in comparison.metrics if cases and (graded or not metric.needs_probability)]
        columns = {metric.name: metric.each(evidence) for metric in wanted}
        for place, case in enumerate(cases):
            one = case.evidence
            effort = effort_of([case])
            rows.append(
                {
                    "method": row.label,
                    "image": case.image,
                    "fold": one.group,
                    **one.pixels.to_dict(),
                    "particles_truth": one.n_truth,
                    "particles_predicted": one.n_predicted,
                    **{
                        metric.name: float(columns[metric.name][place]) if metric.name in columns else None
                        for metric in comparison.metrics
                    },
                    "threshold": case.threshold,
                    "seconds": case.seconds,
                    "load_seconds": case.load_seconds,
                    "megapixels_per_second": effort.megapixels_per_second,
                    "peak_mib": effort.peak_mib,
                }
            )
    return pd.DataFrame(rows)


def size_frame(comparison: Comparison) -> "pd.DataFrame":
    """Return columns ``method`` (``truth`` first), ``size_class``, ``particles`` and ``difference`` from truth."""
    import pandas as pd

    sizes = size_counts(comparison)
    truth = next(iter(sizes.counts.values()))
    rows = [
        (method, name, count, count - true)
        for method, counts in sizes.counts.items()
        for name, count, true in zip(sizes.classes.names, counts, truth, strict=True)
    ]
    return pd.DataFrame(rows, columns=["method", "size_class", "particles", "difference"])


def table_1(comparison: Comparison, how: str) -> list[tuple[str, list[float | None]]]:
    """Return the columns of Table 1 of Baek et al. 2021 for each method.

    Parameters
    ----------
    comparison : Comparison
    how : str
        Name in :data:`~napari_mpseg.evaluation.aggregate.AGGREGATIONS`: ``"folds"`` as the paper does it (over all
        images where there are no folds), ``"fold-mean"``.
    """
    found: list[tuple[str, list[float | None]]] = []
    for row in comparison.rows:
        evidence = comparison.evidence_of(row.label)
        values = score(evidence, TABLE_1, how) if evidence else {}
        found.append((row.label, [values.get(name) for name in TABLE_1]))
    return found


def has_folds(comparison: Comparison) -> bool:
    """Tell whether the images lie in at least two folds."""
    return len({picture.group for picture in comparison.pictures if picture.group}) > 1


def markdown(comparison: Comparison) -> str:
    """Return the totals of all images together with their intervals; the best of each column is bold."""
    heads = ["method", *(metric.title + unit_of(comparison, metric) for metric in comparison.metrics)]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---|' * len(comparison.metrics)}"]
    best = {metric.name: comparison.best(metric) for metric in comparison.metrics}
    for row in comparison.rows:
        cells = []
        for metric in comparison.metrics:
            text = score_text(comparison.score(row.label, metric))
            first, space, rest = text.partition(" ")
            cells.append(f"**{first}**{space}{rest}" if row.label in best[metric.name] else text)
        lines.append(f"| {comparison.name_of(row.label).replace('|', '/')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def unit_of(comparison: Comparison, metric: MetricEntry) -> str:
    """Return what to write behind a metric's title: ``" (µm)"``, or nothing where it is a pure number.

    Lengths are in micrometre if the pixel size of every image is known; a row that ran on fewer images can differ.
    """
    if metric.name not in _LENGTHS:
        return ""
    evidence = (comparison.evidence_of(row.label) for row in comparison.rows)
    units = sorted({size_unit(one).replace("um", "µm") for one in evidence if one})
    return f" ({' or '.join(units)})" if units else ""


def score_text(score: Score | None) -> str:
    """Return ``0.712 (0.650-0.771)``, or a dash."""
    if score is None:
        return "–"
    text = value_text(score.total)
    if score.low is None or score.high is None:
        return text
    return f"{text} ({value_text(score.low)} to {value_text(score.high)})"


def value_text(value: float | None) -> str:
    """Return a value with three decimals, or fewer where it is large."""
    if value is None:
        return "–"
    text = f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
    return text.replace("-", "−")
