"""What the report of a batch says before anything else: what failed, and the counts per sample."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_mpseg.batch.outcome import ImageOutcome
from napari_mpseg.batch.samples import ALL
from napari_mpseg.reports.markup import Markup, element, joined, pairs, size_text, table
from napari_mpseg.reports.sections import notes_list

if TYPE_CHECKING:
    import pandas as pd

_HOW = (
    ("Replicates", "Filters of one sample; all images of one sample and replicate count as one filter."),
    ("Count", "Mean over the replicates, of particles that were kept, with its exact 95 % Poisson interval."),
    ("Corrected", "max(0, count − mean count of the blanks) in each size class; that of all sizes is their sum."),
    ("LOD, LOQ", "Mean + 3 and + 10 standard deviations of the counts of the blanks, from three blanks on."),
    ("Per litre", "Corrected count / litres filtered, times filter area / imaged area where both are given."),
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
    columns: list[tuple[str, str]] = [
        ("Replicates", "replicates"),
        ("Count", "count_mean"),
        ("from", "count_low"),
        ("to", "count_high"),
        ("sd", "count_sd"),
    ]
    if frame["blanks"].notna().any():
        columns += [("Blank", "blank_mean"), ("LOD", "lod"), ("LOQ", "loq"), ("Detection", "detection")]
        columns += [("Corrected", "corrected_mean"), ("sd", "corrected_sd")]
    if frame["per_litre_mean"].notna().any():
        columns += [("Litres", "volume_l"), ("Per litre", "per_litre_mean"), ("sd", "per_litre_sd")]
        columns += [("from", "per_litre_low"), ("to", "per_litre_high")]
    rows: list[list[Any]] = [
        [f"{row['sample']}{' (blank)' if row['blank'] == 'yes' else ''}", *(_cell(row[name]) for _, name in columns)]
        for row in _records(frame)
    ]
    return table(caption, ["Sample", *(head for head, _ in columns)], rows)


def _records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _cell(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, str):
        return value or "–"
    return None if pd.isna(value) else float(value) if isinstance(value, float) else int(value)
