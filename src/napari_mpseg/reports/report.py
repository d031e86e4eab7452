"""Write a report on the particles of one image or many."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.files import finished_together
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.provenance import Provenance
from napari_mpseg.reports import sections
from napari_mpseg.reports.figures import figures
from napari_mpseg.reports.frames import counts_frame, summary_frame
from napari_mpseg.reports.item import ReportItem, ReportSettings
from napari_mpseg.reports.markup import Markup, element, joined
from napari_mpseg.reports.page import page
from napari_mpseg.reports.pictures import picture_markup
from napari_mpseg.reports.summary import ImageSummary, summarise_item
from napari_mpseg.settings import to_dict

__all__ = ["ReportItem", "ReportSettings", "write_report"]

ENDINGS = {"html": ".html", "images": "_images.csv", "counts": "_counts.csv", "record": "_settings.json"}


def write_report(
    items: Sequence[ReportItem],
    folder: str | os.PathLike[str],
    settings: ReportSettings | None = None,
    *,
    name: str = "report",
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> dict[str, Path]:
    """Write a report, all its files or none.

    Parameters
    ----------
    items : sequence of ReportItem
        One per image; where two have one name, the second is called ``"name [2]"``.
    folder : path-like
        Where the files go; made if it is not there.
    settings : ReportSettings, optional
        Size classes, class rules, tests, plots, title.
    name : str
        What the files' names begin with.
    overwrite : bool
        Replace an earlier report.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    dict of str to Path
        ``"html"``: the report, one file that needs no other; ``"images"``: a CSV table with a row per image;
        ``"counts"``: particles per class and size class; ``"record"``: settings and versions.

    Raises
    ------
    SettingsError, UnknownNameError
        If there is no image, or a setting does not fit the tables.
    StoreError
        If files are there already (and `overwrite` is False) or cannot be written.
    Cancelled
        If `cancel` was set.
    """
    settings, cancel = settings or ReportSettings(), cancel or CancelToken()
    if not items:
        raise SettingsError("A report needs at least one image with measured particles.")
    unique = _unique([item.name for item in items])
    items = [replace(item, name=each) for item, each in zip(items, unique, strict=True)]
    stem = file_stem(name)
    paths = {part: Path(folder) / f"{stem}{ending}" for part, ending in ENDINGS.items()}
    record = _record(items, settings)
    with finished_together(paths, overwrite=overwrite) as parts:
        summaries = []
        for done, item in enumerate(items):
            cancel.check()
            on_progress(Progress("Summing up", done, len(items), "images"))
            summaries.append(summarise_item(item, settings, on_progress=on_progress, cancel=cancel))
        body = _body(items, summaries, settings, record, on_progress, cancel)
        parts["html"].write_text(page(settings.title, body), encoding="utf-8")
        summary_frame(summaries).to_csv(parts["images"], index=False, encoding="utf-8")
        counts_frame(summaries).to_csv(parts["counts"], index=False, encoding="utf-8")
        text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
        parts["record"].write_text(text + "\n", encoding="utf-8")
        cancel.check()
    return paths


def _record(items: Sequence[ReportItem], settings: ReportSettings) -> dict[str, Any]:
    inputs = {
        "images": [
            {
                "name": item.name,
                "shape": item.shape,
                "calibration": to_dict(item.table.calibration),
                "particles": len(item.table),
                "measured": dict(item.provenance or item.table.provenance),
            }
            for item in items
        ]
    }
    return Provenance("report", to_dict(settings), inputs).to_dict()


def _body(
    items: Sequence[ReportItem],
    summaries: Sequence[ImageSummary],
    settings: ReportSettings,
    record: dict[str, Any],
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Markup:
    total = sum(summary.count for summary in summaries)
    number = f"{total} particle{'' if total == 1 else 's'}"
    images = "1 image" if len(summaries) == 1 else f"{len(summaries)} images"
    made = f"{number} on {images}. Made {record['created'][:10]} with napari-mpseg {record['version']}."
    parts = [element("header", element("h1", settings.title), element("p", made, class_="soft"))]
    if len(summaries) > 1:
        parts.append(_overview(summaries, settings, cancel))
    for position, (item, summary) in enumerate(zip(items, summaries, strict=True), 1):
        cancel.check()
        on_progress(Progress("Drawing", position - 1, len(items), "images"))
        parts.append(_image(position, item, summary, settings, cancel))
    parts.append(element("section", sections.how_measured(summaries, settings)))
    parts.append(element("section", sections.provenance_section(summaries, record)))
    on_progress(Progress("Drawing", len(items), len(items), "images"))
    return element("main", *parts)


def _overview(summaries: Sequence[ImageSummary], settings: ReportSettings, cancel: CancelToken) -> Markup:
    notes: list[str] = []
    tables = {summary.name: summary.table for summary in summaries}
    drawn = figures(tables, settings.plots, notes, cancel) if any(summary.count for summary in summaries) else []
    tests = [(summary.name, row) for summary in summaries for row in summary.pattern]
    links = [
        element("li", element("a", summary.name, href=f"#image-{position}"))
        for position, summary in enumerate(summaries, 1)
    ]
    return element(
        "section",
        element("nav", element("ul", *links)),
        element("h2", "Overview"),
        sections.overview(summaries),
        sections.pattern_tables(tests) if tests else Markup(),
        element("div", *drawn, class_="figures") if drawn else Markup(),
        sections.notes_list(notes),
    )


def _image(
    position: int, item: ReportItem, summary: ImageSummary, settings: ReportSettings, cancel: CancelToken
) -> Markup:
    notes = list(summary.notes)
    drawn = figures({summary.name: summary.table}, settings.plots, notes, cancel) if summary.count else []
    tests = [(summary.name, row) for row in summary.pattern]
    picture = item.picture
    parts = [
        element("h2", summary.name),
        sections.facts(summary),
        sections.notes_list(notes),
        picture_markup(picture, f"{summary.name}: the particles found") if picture is not None else Markup(),
        sections.counts_table(summary),
        sections.averages_table(summary.averages) if summary.count else Markup(),
        sections.pattern_tables(tests) if tests else Markup(),
        sections.pattern_notes(summary.pattern),
        element("div", *drawn, class_="figures") if drawn else Markup(),
    ]
    return element("section", joined(parts), id=f"image-{position}", class_="image")


def _unique(names: Sequence[str]) -> list[str]:
    """Return the names, numbered where one comes twice."""
    found: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name} [{number}]"
        found.append(unique)
    return found
