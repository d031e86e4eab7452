"""A comparison as one page that needs no other file."""

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from napari_mpseg.comparison.comparison import Comparison, Score
from napari_mpseg.comparison.effort import effort_of
from napari_mpseg.comparison.figures import FIGURES
from napari_mpseg.comparison.memory import HOW_MEASURED
from napari_mpseg.comparison.sizes import size_counts
from napari_mpseg.comparison.tables import has_folds, table_1, unit_of, value_text
from napari_mpseg.evaluation.aggregate import AGGREGATIONS, TABLE_1
from napari_mpseg.evaluation.metric import METRICS, MetricEntry
from napari_mpseg.provenance import Provenance
from napari_mpseg.reports.markup import Markup, element, joined, number, pairs, size_text, table
from napari_mpseg.reports.page import page
from napari_mpseg.reports.pictures import figure_markup
from napari_mpseg.settings import to_dict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TABLES = {"Pixels": ("pixel", "probability"), "Particles": ("particle",), "Counts and sizes": ("count", "size")}
_SHEET_DPI = 110
_BETTER = {"higher": "Higher is better.", "lower": "Lower is better.", "zero": "Nearer to 0 is better."}
_TIMES = (
    "Time is the wall time of segmenting: opening the image, the method's look at all of it, finding and numbering the "
    "particles; without loading the method and without measuring. On images of a few megapixels or less it is mostly "
    "the same overhead for every method."
)


def comparison_page(comparison: Comparison, drawn: "Mapping[str, Figure]", record: Mapping[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    comparison : Comparison
    drawn : mapping of str to Figure
        By the names of :data:`~napari_mpseg.comparison.figures.FIGURES`.
    record : mapping
        Of :func:`record_of`.
    """
    title = comparison.settings.title
    images, methods = len(comparison.pictures), len(comparison.rows)
    made = (
        f"{methods} method{'s' * (methods != 1)} on {images} image{'s' * (images != 1)}. "
        f"Made {str(record['created'])[:10]} with napari-mpseg {record['version']}."
    )
    body = element(
        "main",
        element("header", element("h1", title), element("p", made, class_="soft")),
        element("section", _notes(comparison.notes), *_scores(comparison)),
        element("section", element("h2", "Columns of Table 1 of Baek et al. 2021"), *_table_1(comparison)),
        element("section", element("h2", "Precision and recall"), _figure("precision_recall", drawn)),
        element("section", element("h2", "Counts"), _counts(comparison), *_figures(drawn)),
        element("section", element("h2", "Errors"), _sheet(drawn)),
        element("section", element("h2", "Time and memory"), *_effort(comparison)),
        element("section", element("h2", "Methods"), *_methods(comparison)),
        element("section", element("h2", "Definitions"), _definitions(comparison)),
        element("section", element("h2", "Settings and versions"), *_settings(comparison, record)),
    )
    return page(title, body)


def record_of(comparison: Comparison) -> dict[str, Any]:
    """Return everything needed to make the comparison again, as plain JSON values."""
    inputs = {
        "methods": {row.label: row.title for row in comparison.rows},
        "images": [
            {"name": one.name, "fold": one.group, "shape": list(one.opened.shape), "source": one.opened.source}
            for one in comparison.pictures
        ],
        "failures": [{"method": one.method, "image": one.image, "why": one.why} for one in comparison.failures],
    }
    settings = {
        **to_dict(comparison.settings),
        "metrics": [metric.name for metric in comparison.metrics],
        "min_size": comparison.min_size,
    }
    return Provenance("compare", settings, inputs).to_dict()


def _notes(notes: Sequence[str]) -> Markup:
    return element("ul", *(element("li", note) for note in notes), class_="notes") if notes else Markup()


def _scores(comparison: Comparison) -> Iterable[Markup]:
    level = f"{100 * comparison.settings.level:g} %"
    how = (
        f"All images taken together; in brackets the interval of {level} from {comparison.settings.resamples} samples "
        "of the images, drawn with replacement and the same for all methods. "
        if comparison.settings.resamples and len(comparison.pictures) > 1
        else "All images taken together. "
    )
    yield element("h2", "Scores")
    yield element("p", how + "The best of each column is bold. Rest the pointer on a heading for its definition.")
    parts = {
        caption: [metric for metric in comparison.metrics if metric.family in families]
        for caption, families in _TABLES.items()
    }
    known = [metric for metrics in parts.values() for metric in metrics]
    parts["Others"] = [metric for metric in comparison.metrics if metric not in known]
    for caption, metrics in parts.items():
        yield _family(comparison, metrics, caption, "total") if metrics else Markup()
    if len(comparison.pictures) > 1:
        yield element("h3", "Means over the images")
        for caption, metrics in parts.items():
            yield _family(comparison, metrics, caption, "mean") if metrics else Markup()


def _family(comparison: Comparison, metrics: Sequence[MetricEntry], caption: str, what: str) -> Markup:
    best = {metric.name: comparison.best(metric, what) for metric in metrics}
    rows = [
        [
            comparison.name_of(row.label),
            *(_cell(comparison.score(row.label, one), what, row.label in best[one.name]) for one in metrics),
        ]
        for row in comparison.rows
    ]
    return table(
        caption, ["Method", *(joined([_head(metric), unit_of(comparison, metric)]) for metric in metrics)], rows
    )


def _head(metric: MetricEntry) -> Markup:
    told = f"{metric.definition} {_BETTER[metric.better]} Undefined cases: {metric.undefined}"
    return element("abbr", metric.title, title=told)


def _cell(score: Score | None, what: str, best: bool) -> Any:
    if score is None:
        return None
    shown = element("strong" if best else "span", value_text(getattr(score, what)))
    if what != "total" or score.low is None or score.high is None:
        return shown
    between = element("span", f" [{value_text(score.low)}, {value_text(score.high)}]", class_="soft small")
    return joined([shown, between])


def _table_1(comparison: Comparison) -> Iterable[Markup]:
    folded = has_folds(comparison)
    if folded:
        yield element(
            "p",
            "The paper averages TP, FP, FN and TN over the folds before it takes a column. A mean of counts differs "
            "from their sum by one factor, which cancels out: these are the totals over all images too.",
        )
    caption = AGGREGATIONS["folds"].definition if folded else "All images taken together; mean IoU over the images"
    yield _table_1_of(comparison, "folds", caption)
    if folded:
        yield _table_1_of(comparison, "fold-mean", AGGREGATIONS["fold-mean"].definition)


def _table_1_of(comparison: Comparison, how: str, caption: str) -> Markup:
    mean = "IoU of each image, averaged over the images. Higher is better."
    heads = ["Method", *(_head(METRICS[name]) for name in TABLE_1)]
    if how == "folds":
        heads[1 + TABLE_1.index("iou")] = element("abbr", "mean IoU", title=mean)
    rows = table_1(comparison, how)
    columns = zip(*(values for label, values in rows if label in comparison.fair), strict=True)
    most = [max((value for value in column if value is not None), default=None) for column in columns]
    several = len(comparison.fair) > 1
    body = [
        [
            comparison.name_of(label),
            *(
                element(
                    "strong" if several and label in comparison.fair and value == most[n] else "span", value_text(value)
                )
                for n, value in enumerate(values)
            ),
        ]
        for label, values in rows
    ]
    return table(caption, heads, body)


def _counts(comparison: Comparison) -> Markup:
    sizes = size_counts(comparison)
    heads = ["Particles", *(size_text(name) for name in sizes.classes.names), "All"]
    rows = [[label, *counts, sum(counts)] for label, counts in sizes.counts.items()]
    caption = (
        f"Particles of {comparison.min_size} px or more per size class, by the diameter of the circle of equal area; "
        "the first row is the truth"
    )
    return table(caption, heads, rows)


def _figures(drawn: "Mapping[str, Figure]") -> Iterable[Markup]:
    return [_figure("size_classes", drawn), _figure("bland_altman", drawn)]


def _figure(name: str, drawn: "Mapping[str, Figure]") -> Markup:
    if name not in drawn:
        return element("p", "Nothing to draw.", class_="soft")
    return figure_markup(drawn[name], FIGURES[name].caption)


def _sheet(drawn: "Mapping[str, Figure]") -> Markup:
    """Return the contact sheet in its own size: its cells would be too small at that of the other figures."""
    if "errors" not in drawn:
        return element("p", "Nothing to draw.", class_="soft")
    buffer = io.BytesIO()
    drawn["errors"].savefig(buffer, format="png", dpi=_SHEET_DPI, bbox_inches="tight")
    source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    caption = FIGURES["errors"].caption
    image = element("img", src=source, alt=caption, style="max-height: none")
    return element("figure", image, element("figcaption", caption))


def _effort(comparison: Comparison) -> Iterable[Markup]:
    rows = []
    for row in comparison.rows:
        effort = effort_of(comparison.cases_of(row.label))
        rows.append(
            [
                comparison.name_of(row.label),
                _rounded(effort.seconds),
                _rounded(effort.megapixels_per_second),
                _rounded(effort.load_seconds) if effort.seconds is not None else None,
                _rounded(effort.peak_mib),
            ]
        )
    heads = ["Method", "Time (s)", "Megapixels per second", "Loading (s)", "Peak memory (MiB)"]
    yield table("All images one after the other", heads, rows)
    yield element("p", f"{_TIMES} {HOW_MEASURED}", class_="small soft")


def _rounded(value: float | None) -> str | None:
    return None if value is None else number(float(value), 3)


def _methods(comparison: Comparison) -> Iterable[Markup]:
    yield pairs((row.label, row.title) for row in comparison.rows)
    for row in comparison.rows:
        cases = comparison.cases_of(row.label)
        told = [f"{case.image}: {' '.join(case.notes)}" for case in cases if case.notes]
        last = cases[0].settings if cases else {}
        if told or last:
            text = json.dumps(last, indent=2, ensure_ascii=False, default=str)
            yield element(
                "details",
                element("summary", f"{row.label}: what it said of each image, and its settings"),
                element("pre", "\n".join([*told, text])),
            )


def _definitions(comparison: Comparison) -> Markup:
    return pairs(
        (
            metric.title,
            f"{metric.definition} {_BETTER[metric.better]} Undefined cases: {metric.undefined}"
            + (f" Source: {metric.source}." if metric.source else ""),
        )
        for metric in comparison.metrics
    )


def _settings(comparison: Comparison, record: Mapping[str, Any]) -> Iterable[Markup]:
    libraries = ", ".join(f"{name} {version}" for name, version in record["libraries"].items())
    chosen = comparison.settings
    yield pairs(
        [
            ("Made", record["created"]),
            ("With", f"{record['program']} {record['version']}, Python {record['python']}"),
            ("Libraries", libraries),
            ("Least size", f"{comparison.min_size} px; smaller particles are dropped and need not be found"),
            ("Metrics", ", ".join(metric.name for metric in comparison.metrics)),
            ("Intervals", f"{100 * chosen.level:g} %, {chosen.resamples} samples, seed {chosen.seed}"),
        ]
    )
    text = json.dumps(dict(record), indent=2, ensure_ascii=False, default=str)
    yield element("details", element("summary", "The whole record, with all images"), element("pre", text))
