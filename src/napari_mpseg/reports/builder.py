"""A report that is put together image by image, so that only one image's particles need be in memory."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.provenance import Provenance
from napari_mpseg.reports import sections
from napari_mpseg.reports.figures import figures
from napari_mpseg.reports.frames import counts_frame, summary_frame
from napari_mpseg.reports.item import ReportItem, ReportSettings
from napari_mpseg.reports.markup import Markup, element, joined
from napari_mpseg.reports.page import page
from napari_mpseg.reports.pictures import picture_markup
from napari_mpseg.reports.samples import drawn_apart
from napari_mpseg.reports.summary import ImageSummary, summarise_item
from napari_mpseg.settings import to_dict

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

ENDINGS = {"html": ".html", "images": "_images.csv", "counts": "_counts.csv", "record": "_settings.json"}

_SMALL_PICTURE = 480  # pixels of the longer side, where there are hundreds
# what the plots of all images look at; of thousands of particles on hundreds of images the rest would fill the memory
_KEPT = re.compile(
    r"label|class|keep|confidence|circularity|solidity|feret_angle_deg|(area|feret_max)_.*|touches_border"
)


class ReportBuilder:
    """Sums up and draws one image after the other, then writes the whole.

    Parameters
    ----------
    settings : ReportSettings, optional
        Size classes, class rules, tests, plots, title.
    """

    def __init__(self, settings: ReportSettings | None = None) -> None:
        self.settings = settings or ReportSettings()
        self.summaries: list[ImageSummary] = []
        self._samples: list[str] = []
        self._names: set[str] = set()
        self._images: list[Markup] = []
        self._inputs: list[dict[str, Any]] = []

    def add(
        self, item: ReportItem, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> ImageSummary:
        """Add an image and return its figures.

        Parameters
        ----------
        item : ReportItem
            Where two have one name, the second is called ``"name [2]"``.
        on_progress, cancel
            See :mod:`napari_mpseg.progress`; for the tests of the point pattern.

        Raises
        ------
        SettingsError, UnknownNameError
            If a setting does not fit the table; the report is then as it was before.
        Cancelled
            If `cancel` was set.
        """
        cancel = cancel or CancelToken()
        item = replace(item, name=self._unique(item.name))
        summary = summarise_item(item, self.settings, on_progress=on_progress, cancel=cancel)
        cancel.check()
        image = self._image(item, summary, cancel)
        self._names.add(item.name)
        self._images.append(image)
        self._samples.append(item.sample)
        self._inputs.append(_described(item))
        self.summaries.append(replace(summary, table=_slim(summary.table)) if self.settings.brief else summary)
        return summary

    def write(self, parts: Mapping[str, Path], first: Sequence[Markup] = (), cancel: CancelToken | None = None) -> None:
        """Write the report.

        Parameters
        ----------
        parts : mapping of str to Path
            Where each of :data:`ENDINGS` goes.
        first : sequence of Markup
            Sections that come before all others.
        cancel : CancelToken, optional

        Raises
        ------
        SettingsError
            If there is no image.
        """
        if not self.summaries:
            raise SettingsError("A report needs at least one image with measured particles.")
        record = Provenance("report", to_dict(self.settings), {"images": self._inputs}).to_dict()
        body = self._body(record, first, cancel or CancelToken())
        parts["html"].write_text(page(self.settings.title, body), encoding="utf-8")
        summary_frame(self.summaries).to_csv(parts["images"], index=False, encoding="utf-8")
        counts_frame(self.summaries).to_csv(parts["counts"], index=False, encoding="utf-8")
        text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
        parts["record"].write_text(text + "\n", encoding="utf-8")

    def _body(self, record: dict[str, Any], first: Sequence[Markup], cancel: CancelToken) -> Markup:
        total = sum(summary.count for summary in self.summaries)
        number = f"{total} particle{'' if total == 1 else 's'}"
        images = "1 image" if len(self.summaries) == 1 else f"{len(self.summaries)} images"
        made = f"{number} on {images}. Made {record['created'][:10]} with napari-mpseg {record['version']}."
        parts = [element("header", element("h1", self.settings.title), element("p", made, class_="soft")), *first]
        if len(self.summaries) > 1:
            parts.append(self._overview(cancel))
        parts += self._images
        parts.append(element("section", sections.how_measured(self.summaries, self.settings)))
        shown = sections.provenance_section(self.summaries, record, brief=self.settings.brief)
        return element("main", *parts, element("section", shown))

    def _overview(self, cancel: CancelToken) -> Markup:
        notes: list[str] = []
        tables = drawn_apart(self.summaries, self._samples, together=self.settings.brief)
        some = any(summary.count for summary in self.summaries)
        drawn = figures(tables, self.settings.plots, notes, cancel) if some else []
        tests = [(summary.name, row) for summary in self.summaries for row in summary.pattern]
        links = [
            element("li", element("a", summary.name, href=f"#image-{position}"))
            for position, summary in enumerate(self.summaries, 1)
        ]
        return element(
            "section",
            element("nav", element("ul", *links)),
            element("h2", "Overview"),
            sections.overview(self.summaries, self._samples),
            sections.pattern_tables(tests) if tests else Markup(),
            element("div", *drawn, class_="figures") if drawn else Markup(),
            sections.notes_list(notes),
        )

    def _image(self, item: ReportItem, summary: ImageSummary, cancel: CancelToken) -> Markup:
        notes, brief = list(summary.notes), self.settings.brief
        table = {summary.name: summary.table}
        drawn = figures(table, self.settings.plots, notes, cancel) if summary.count and not brief else []
        tests = [(summary.name, row) for row in summary.pattern]
        shown = Markup()
        if item.picture is not None:
            text = f"{summary.name}: the particles found"
            shown = picture_markup(item.picture, text, _SMALL_PICTURE) if brief else picture_markup(item.picture, text)
        parts = [
            element("h2", summary.name),
            sections.facts(summary, item.sample),
            sections.notes_list(notes),
            shown,
            sections.counts_table(summary),
            sections.averages_table(summary.averages) if summary.count and not brief else Markup(),
            sections.pattern_tables(tests) if tests else Markup(),
            sections.pattern_notes(summary.pattern),
            element("div", *drawn, class_="figures") if drawn else Markup(),
        ]
        return element("section", joined(parts), id=f"image-{len(self._images) + 1}", class_="image")

    def _unique(self, name: str) -> str:
        number, unique = 1, name
        while unique in self._names:
            number += 1
            unique = f"{name} [{number}]"
        return unique


def _described(item: ReportItem) -> dict[str, Any]:
    return {
        "name": item.name,
        "shape": item.shape,
        "calibration": to_dict(item.table.calibration),
        "particles": len(item.table),
        "measured": dict(item.provenance or item.table.provenance),
    }


def _slim(table: "ParticleTable") -> "ParticleTable":
    kept = [name for name in table.frame.columns if _KEPT.fullmatch(name)]
    units = {name: unit for name, unit in table.units.items() if name in kept}
    return replace(table, frame=table.frame[kept].copy(), units=units)
