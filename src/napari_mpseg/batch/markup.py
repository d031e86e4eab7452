"""What the report of a batch says before anything else: what failed, and the counts per sample."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from napari_mpseg.batch.metadata import sample_title
from napari_mpseg.batch.outcome import ImageOutcome
from napari_mpseg.batch.samples import ALL
from napari_mpseg.reports.markup import Markup, element, joined, number, pairs, size_text, table
from napari_mpseg.reports.sections import notes_list

if TYPE_CHECKING:
    import pandas as pd

_HOW = (
    ("Filters", "Replicates of one sample; all images of one sample and replicate count as one filter."),
    ("Count", "Mean ± standard deviation over the filters, of particles that were kept."),
    ("95 %", "Exact Poisson interval: how sure the number counted is, whatever replicates and method do besides."),
    (
        "On the filter",
        "Count × filter area / imaged area where both are given, of samples and blanks alike; else the count.",
    ),
    ("Corrected", "max(0, on the filter − mean of the blanks) in each size class; that of all sizes is their sum."),
    ("LOD, LOQ", "Mean + 3 and + 10 standard deviations of what is on the blanks, from three blanks on."),
    ("Per litre", "Corrected / litres filtered."),
)


def failed_section(failed: Sequence[ImageOutcome], notes: Sequence[str]) -> Markup:
    """Return the images that are not in the report, each with its reason, and the notes; nothing where all is well."""
    parts = []
    if failed:
        rows = [[one.name, element("span", one.message or one.status)] for one in failed]
        body = element("ul", *(element("li", element("b", name), ": ", why) for name, why in rows), class_="notes")
        parts += [element("h2", "Images that are missing", id="missing"), body]
    if notes:
        parts += [element("h2", "Notes", id="notes"), notes_list(notes)]
    return element("section", *parts) if parts else Markup()


def samples_section(frame: "pd.DataFrame") -> Markup:
    """Return the table of samples, one per size class, and how it was computed."""
    if not len(frame):
        return Markup()
    classes = list(dict.fromkeys(frame["size_class"]))
    whole = _table("All sizes", frame[frame["size_class"] == ALL])
    single = [_table(size_text(name), frame[frame["size_class"] == name]) for name in classes if name != ALL]
    formulas = [
        element("li", element("b", str(row["sample"])), f": {row['formula']}")
        for row in _records(frame[frame["size_class"] == ALL])
        if row["formula"]
    ]
    parts = [
        element("h2", "Samples", id="samples"),
        whole,
        element("details", element("summary", "By size class"), *single) if single else Markup(),
        element("details", element("summary", "Particles per litre, step by step"), element("ul", *formulas))
        if formulas
        else Markup(),
        pairs(_HOW),
    ]
    return element("section", joined(parts))


def _table(caption: str, frame: "pd.DataFrame") -> Markup:
    heads = ["Sample", "Filters"]
    per_litre, blanks = frame["per_litre_mean"].notna().any(), frame["blanks"].notna().any()
    heads += ["Per litre", "95 %", "Litres"] if per_litre else []
    heads += ["Detection"] if blanks else []
    heads += ["Count per filter", "95 %"]
    scaled = (frame["filter_mean"] - frame["count_mean"]).abs().max() > 0
    heads += ["On the filter", "95 %"] if scaled else []
    heads += ["Blanks", "Corrected", "LOD, LOQ"] if blanks else []
    rows = []
    for row in _records(frame):
        cells: list[Any] = [sample_title(str(row["sample"]), row["blank"] == "yes"), int(row["replicates"])]
        if per_litre:
            cells += [_with_sd(row, "per_litre"), _range(row, "per_litre"), number(row["volume_l"])]
        cells += [row["detection"] or "–"] if blanks else []
        cells += [_with_sd(row, "count"), _range(row, "count")]
        cells += [_with_sd(row, "filter"), _range(row, "filter")] if scaled else []
        if blanks:
            limits = f"{number(row['lod'], 3)}, {number(row['loq'], 3)}" if row["lod"] == row["lod"] else "–"
            cells += [number(row["blank_mean"], 3), _with_sd(row, "corrected"), limits]
        rows.append(cells)
    return table(caption, heads, rows)


def _with_sd(row: Mapping[str, Any], what: str) -> str:
    """Return mean and standard deviation."""
    mean, sd = row[f"{what}_mean"], row[f"{what}_sd"]
    return number(mean) + (f" ± {number(sd, 2)}" if sd == sd and mean == mean else "")


def _range(row: Mapping[str, Any], what: str) -> str:
    low, high = row[f"{what}_low"], row[f"{what}_high"]
    return f"{number(low, 3)} – {number(high, 3)}" if low == low else "–"


def _records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
