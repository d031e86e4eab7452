"""The page: well-formed, in one file, escaped, and with the right numbers in it."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_mpseg.errors import Cancelled, SettingsError, StoreError, UnknownNameError
from napari_mpseg.plots.registry import PLOTS
from napari_mpseg.progress import CancelToken
from napari_mpseg.reports.report import ReportSettings, write_report

QUIET = ReportSettings(pattern=(), plots=())
VOID = {"meta", "img", "br"}
LOADS = {"src", "href", "data", "poster", "srcset", "action", "background", "xlink:href"}


class Page(HTMLParser):
    """Checks that every element is closed in its turn, and keeps tables, texts and what would be loaded."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.open, self.loads, self.ids, self.tables, self.texts = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.loads += [value for name, value in attributes if name in LOADS]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        assert "script" not in self.open
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    def table(self, *beginning):
        """Return the rows of the table whose headings begin so."""
        return next(rows for rows in self.tables if rows[0][: len(beginning)] == list(beginning))


@pytest.fixture
def write(tmp_path):
    def write(*items, settings=QUIET, **more):
        return write_report(items, tmp_path / "out", settings, **more)

    return write


def test_counts_and_averages_of_one_image(write, item):
    page = Page(write(item)["html"])
    counts = page.table("Class")
    assert counts[0] == ["Class", "< 20 µm", "20–50 µm", "50–100 µm", "100–500 µm", "≥ 500 µm", "all"]
    assert counts[1:] == [
        ["fibre", "2", "0", "0", "0", "0", "2"],
        ["bead", "0", "0", "0", "0", "0", "0"],
        ["film", "0", "1", "0", "1", "1", "3"],
        ["unclassified", "0", "0", "1", "0", "0", "1"],
        ["all", "2", "1", "1", "1", "1", "6"],
    ]
    averages = {row[0]: row[1:] for row in page.table("Property")[1:]}
    assert averages["Area (µm²)"] == ["1400", "748.3", "1400", "6"]
    assert averages["Feret angle: alignment R"][0] == "0.9397"
    for text in (
        "0.75 particles per mm²",
        "0.105 %",
        "2000 × 1000 px, 4 × 2 mm",
        "6, and 1 not kept",
        "2 µm per pixel",
    ):
        assert text in page.text
    assert "Overview" not in page.text


def test_definitions_settings_and_versions_are_there(write, item):
    text = Page(write(item, settings=replace(QUIET, rules="mp-vat"))["html"]).text
    for part in (
        "How it was measured",
        "4 pi area / perimeter^2, at most 1. Source: ImageJ",
        "Borders 20, 50, 100, 500 µm",
        "MP-VAT (Prata 2019)",
        "max-entropy",
        "flips",
        "numpy",
        "Model digest",
        "Colours were <odd>.",
    ):
        assert part in text


def test_the_page_needs_no_other_file(write, item):
    picture = Image.new("RGB", (3000, 1500), "red")
    paths = write(replace(item, picture=picture), replace(item, name="b"))
    page = Page(paths["html"])
    assert any(load.startswith("data:image/jpeg;base64,") for load in page.loads)
    assert all(load.startswith(("data:image/", "#")) for load in page.loads)
    assert {load[1:] for load in page.loads if load.startswith("#")} <= set(page.ids)
    style = re.search("<style>(.*?)</style>", paths["html"].read_text(encoding="utf-8"), re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in style
    assert "@media print" in style


EVIL = "<script>alert('x')</script>\"&"


def test_names_of_users_are_escaped_everywhere(write, item):
    frame = item.table.frame.assign(**{"class": pd.Categorical([EVIL] * 7)})
    table = replace(item.table, frame=frame)
    provenance = {"settings": {"method": EVIL, EVIL: EVIL}, "model": {"name": EVIL}, EVIL: EVIL}
    evil = replace(item, name=EVIL, table=table, notes=(EVIL,), provenance=provenance, picture=Image.new("L", (5, 5)))
    page = Page(write(evil, evil, settings=replace(QUIET, title=EVIL))["html"])
    assert page.text.count(EVIL) > 10
    assert page.table("Class")[1][0] == EVIL


def test_several_images_have_an_overview(write, item):
    bare = [name for name in item.table.frame.columns if not name.endswith(("_um", "_um2"))]
    from napari_mpseg.calibration import Calibration

    plain = replace(item.table, frame=item.table.frame[bare], calibration=Calibration())
    page = Page(write(item, replace(item, name="b", table=plain))["html"])
    assert page.table("Image") == [
        [
            "Image",
            "Particles",
            "Not kept",
            "Density",
            "% area",
            "Area",
            "Maximum Feret diameter",
            "Circularity",
            "Feret angle (°)",
        ],
        ["filter 1", "6", "1", "0.75 /mm²", "0.105", "1400 µm²", "151.6 µm", "0.55", page.table("Image")[1][-1]],
        ["b", "6", "1", "3 /Mpx", "0.105", "350 px²", "75.82 px", "0.55", page.table("Image")[2][-1]],
    ]
    assert {"image-1", "image-2"} <= set(page.ids)


def test_units_that_are_the_same_stand_in_the_heading(write, item):
    head = Page(write(item, replace(item, name="b"))["html"]).table("Image")[0]
    assert head[3:7] == ["Particles per mm²", "% area", "Area (µm²)", "Maximum Feret diameter (µm)"]


def test_images_of_one_name_are_told_apart(write, item):
    paths = write(item, item, settings=ReportSettings(pattern=("biovoxxel",), plots=()))
    assert [row[0] for row in Page(paths["html"]).table("Image", "Expected mean (px)")[1:]] == [
        "filter 1",
        "filter 1 [2]",
    ]
    assert pd.read_csv(paths["images"])["image"].tolist() == ["filter 1", "filter 1 [2]"]


def test_tables_for_other_programs(write, item):
    paths = write(item, replace(item, name="b"))
    assert sorted(path.name for path in paths["html"].parent.iterdir()) == [
        "report.html",
        "report_counts.csv",
        "report_images.csv",
        "report_settings.json",
    ]
    images = pd.read_csv(paths["images"])
    assert images["image"].tolist() == ["filter 1", "b"]
    assert images["area_um2_mean"].tolist() == [1400, 1400]
    assert images["width_px"].tolist() == [2000, 2000]
    counts = pd.read_csv(paths["counts"])
    assert counts.groupby("image")["particles"].sum().tolist() == [4 * 6, 4 * 6]  # cells, two margins, their corner
    record = json.loads(paths["record"].read_text(encoding="utf-8"))
    assert record["settings"]["pattern"] == []
    assert record["inputs"]["images"][0]["measured"]["settings"]["method"] == "max-entropy"
    assert "numpy" in record["libraries"]


def test_no_particles(write, item):
    empty = replace(item.table, frame=item.table.frame.iloc[:0])
    page = Page(write(replace(item, table=empty))["html"])
    assert page.table("", "< 20 µm")[-1] == ["Particles", "0", "0", "0", "0", "0", "0"]


def test_an_earlier_report_stays_unless_asked(write, item):
    first = write(item)["html"]
    before = first.read_bytes()
    with pytest.raises(StoreError, match="already there"):
        write(item, settings=replace(QUIET, title="new"))
    assert first.read_bytes() == before
    write(item, settings=replace(QUIET, title="new"), overwrite=True)
    assert first.read_bytes() != before


@pytest.mark.parametrize(("items", "message"), [(0, "at least one image"), (1, "pixel size")])
def test_what_cannot_be_reported_leaves_nothing(write, item, tmp_path, items, message):
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.particles.sizes import SizeClasses

    bare = [name for name in item.table.frame.columns if not name.endswith(("_um", "_um2"))]
    plain = replace(item.table, frame=item.table.frame[bare], calibration=Calibration())
    with pytest.raises(SettingsError, match=message):
        write(*[replace(item, table=plain)] * items, settings=replace(QUIET, sizes=SizeClasses()))
    assert not (tmp_path / "out").exists()


def test_it_can_be_cancelled(write, item, tmp_path):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        write(item, cancel=token)
    assert not (tmp_path / "out").exists()


def test_progress_goes_from_nothing_to_all(write, item):
    events = []
    write(item, item, on_progress=events.append)
    assert [(event.stage, event.done, event.total) for event in events] == [
        ("Summing up", 0, 2),
        ("Summing up", 1, 2),
        ("Summing up", 2, 2),
    ]


def test_the_point_pattern_is_told_as_in_the_thesis(write, item):
    settings = ReportSettings(plots=(), pattern=("biovoxxel",))
    page = Page(write(item, replace(item, name="b"), settings=settings)["html"])
    alone = page.table("Test")
    assert alone[0][:5] == ["Test", "Expected mean (px)", "Median (px)", "Mean (px)", "n"]
    assert alone[1][0].startswith("BioVoxxel")
    assert (alone[1][1], alone[1][4], alone[1][-2]) == ("288.7", "6", "95 %")
    together = page.table("Image", "Expected mean (px)")
    assert [row[0] for row in together[1:]] == ["filter 1", "b"]
    assert "Region: whole image." in page.text


def test_plots_are_drawn_into_the_page(write, item):
    paths = write(item, replace(item, name="b"), settings=ReportSettings(pattern=(), plots=("size-distribution",)))
    page = Page(paths["html"])
    drawn = [base64.b64decode(load.partition(",")[2]) for load in page.loads if load.startswith("data:image/svg+xml;")]
    assert len(drawn) == 3  # of both together, and of each
    for svg in drawn:
        ElementTree.fromstring(svg)
        assert b'href="http' not in svg
    assert "Size distribution: how many particles" in page.text


def test_every_plot_of_the_registry_fits_a_page(write, item):
    paths = write(item, settings=ReportSettings(pattern=(), plots=tuple(PLOTS)))
    page = Page(paths["html"])
    assert sum(load.startswith("data:image/") for load in page.loads) + page.text.count("Not drawn") == len(PLOTS)


def test_a_plot_of_many_particles_is_small(write, item):
    many = pd.concat([item.table.frame] * 3000, ignore_index=True)
    many["label"] = range(1, len(many) + 1)
    table = replace(item.table, frame=many.assign(circularity=np.linspace(0, 1, len(many))))
    paths = write(replace(item, table=table), settings=ReportSettings(pattern=(), plots=("scatter",)))
    assert paths["html"].stat().st_size < 800_000


def test_a_plot_that_cannot_be_drawn_is_said(write, item):
    frame = item.table.frame.drop(columns=["feret_max_px", "feret_max_um"])
    table = replace(item.table, frame=frame)
    page = Page(
        write(replace(item, table=table), settings=ReportSettings(pattern=(), plots=("size-distribution",)))["html"]
    )
    assert "Not drawn: size distribution" in page.text


def test_unknown_plots_are_said(write, item):
    with pytest.raises(UnknownNameError, match="size-distribution"):
        write(item, settings=ReportSettings(pattern=(), plots=("size-distributoin",)))
