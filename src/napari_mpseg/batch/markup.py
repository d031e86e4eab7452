"""What the report of a batch says before anything else: what failed, and the counts per sample."""

from collections.abc import Collection, Mapping, Sequence
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
    (
        "On the filter",
        "Count × filter area / imaged area, of all images of the filter together, where both are given, of samples and "
        "blanks alike; else the count.",
    ),
    ("Blanks", "Mean of what is on the blanks."),
    ("Corrected", "max(0, on the filter − blanks) in each size class; that of all sizes is their sum."),
    ("LOD, LOQ", "Mean + 3 and + 10 standard deviations of what is on the blanks, from three blanks on."),
    ("Per litre", "Corrected / litres filtered, mean ± standard deviation over the filters."),
    (
        "95 % interval",
        "How sure the number counted is, whatever replicates and method do besides. Of the count it is the exact "
        "Poisson interval (Garwood 1936). On the filter and per litre one particle may stand for more on one filter "
        "than on another: there it is the interval of a weighted sum of Poisson counts (Fay and Feuer 1997), which is "
        "the exact one where all stand for the same; per litre less what was subtracted for the blanks, never below 0.",
    ),
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


def samples_section(frame: "pd.DataFrame", known: Collection[str] = ()) -> Markup:
    """Return the tables of samples, and how they were computed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of :func:`~napari_mpseg.batch.samples.count_samples`.
    known : collection of str
        Names of samples; any other name is that of an image without a sample. Where there is nothing but such images,
        and neither blank nor volume, there is nothing to tell beside what is told of each image.
    """
    if not len(frame) or not (known or frame["blanks"].notna().any() or frame["per_litre_mean"].notna().any()):
        return Markup()
    frame = frame.assign(shown=[_shown_name(row, known) for row in _records(frame)])
    classes = list(dict.fromkeys(frame["size_class"]))
    whole = _tables("All sizes", frame[frame["size_class"] == ALL])
    single = [_tables(size_text(name), frame[frame["size_class"] == name]) for name in classes if name != ALL]
    formulas = [
        element("li", element("b", row["shown"]), f": {row['formula']}")
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


def _shown_name(row: Mapping[str, Any], known: Collection[str]) -> str:
    name = str(row["sample"])
    return sample_title(name, row["blank"] == "yes") + ("" if not known or name in known else " (no sample)")


def _tables(caption: str, frame: "pd.DataFrame") -> Markup:
    """Return what is known of samples, the result first; one table of all of it would be wider than a page."""
    blanks = frame["blanks"].notna().any()
    parts = []
    if frame["per_litre_mean"].notna().any():
        heads = ["Sample", "Filters", "Corrected" if blanks else "On the filter", "Litres", "Per litre"]
        per_litre = [
            [
                *(row["shown"], int(row["replicates"]), _with_sd(row, "corrected"), number(row["volume_l"])),
                *(_with_sd(row, "per_litre"), _range(row, "per_litre")),
            ]
            for row in _records(frame)
            if row["blank"] == "no"
        ]
        parts.append(table(f"{caption}: per litre", [*heads, "95 % per litre"], per_litre))
    if blanks:
        heads = ["Sample", "On the filter", "Blanks", "Corrected", "LOD", "LOQ", "Detection"]
        less = [
            [
                *(row["shown"], _with_sd(row, "filter"), number(row["blank_mean"], 3), _with_sd(row, "corrected")),
                *(number(row["lod"], 3), number(row["loq"], 3), row["detection"] or "–"),
            ]
            for row in _records(frame)
            if row["blank"] == "no"
        ]
        parts.append(table(f"{caption}: without the blanks", heads, less))
    scaled = (frame["filter_mean"] - frame["count_mean"]).abs().max() > 0
    heads = ["Sample", "Filters", "Images", "Count per filter", "95 % of the count"]
    counted = []
    for row in _records(frame):
        cells = [row["shown"], int(row["replicates"]), int(row["images"]), _with_sd(row, "count"), _range(row, "count")]
        counted.append([*cells, *([_with_sd(row, "filter"), _range(row, "filter")] if scaled else [])])
    heads += ["On the filter", "95 % on the filter"] if scaled else []
    return joined([*parts, table(f"{caption}: counted", heads, counted)])


def _with_sd(row: Mapping[str, Any], what: str) -> str:
    """Return mean and standard deviation."""
    mean, sd = row[f"{what}_mean"], row[f"{what}_sd"]
    return number(mean) + (f" ± {number(sd, 2)}" if sd == sd and mean == mean else "")


def _range(row: Mapping[str, Any], what: str) -> str:
    low, high = row[f"{what}_low"], row[f"{what}_high"]
    return f"{number(low, 3)} – {number(high, 3)}" if low == low else "–"


def _records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
