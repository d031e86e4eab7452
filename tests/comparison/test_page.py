"""Files of a comparison, opened again."""

import base64
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from napari_mpseg.comparison import compare
from napari_mpseg.comparison.figures import FIGURES
from napari_mpseg.errors import StoreError, UnknownNameError

EMPTY = {"img", "meta", "br"}


class Page(HTMLParser):
    """Collects tables, pictures and texts, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.images, self.headings, self.titles, self.notes = [], [], [], [], {}, []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "img":
            self.images.append(given["src"])
        elif tag == "abbr":
            self.tip = given["title"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data
            if self.open[-1] == "abbr":
                self.titles[data] = self.tip
        elif self.open[-1:] in (["h1"], ["h2"]):
            self.headings.append(data)
        elif self.open[-1:] == ["li"]:
            self.notes.append(data)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    import numpy as np

    from napari_mpseg.comparison import LabelsContender

    out = tmp_path_factory.mktemp("out")
    data, half = [], {}
    for number in range(3):
        image, truth = np.full((64, 64), 20, np.uint8), np.zeros((64, 64), np.uint8)
        image[10 : 16 + number, 20:28], truth[10 : 16 + number, 20:28] = 200, 1
        image[50, 5 : 15 + 5 * number] = 120
        data.append((image, truth, f"fold_{number % 2}/<{number}>.png"))
        half[data[-1][2]] = np.where(np.arange(64)[:, None] < 12, truth, 0).astype(np.int32)
    methods = ["fixed-level:level=130", "Low & loose=fixed-level:level=90", LabelsContender("half", half)]
    done = compare(data, methods, out / "cmp", resamples=100)
    return done, out / "cmp", Page((out / "cmp" / "comparison.html").read_text(encoding="utf-8"))


def test_page_has_all_its_parts(saved):
    _, _, page = saved
    assert page.headings == [
        "Comparison of methods",
        "Scores",
        "Columns of Table 1 of Baek et al. 2021",
        "Precision and recall",
        "Counts",
        "Errors",
        "Time and memory",
        "Methods",
        "Definitions",
        "Settings and versions",
    ]
    assert len(page.images) == len(FIGURES)
    for source in page.images:
        kind, data = re.fullmatch(r"data:image/(png|svg\+xml);base64,(.+)", source).groups()
        start = base64.b64decode(data)[:200]
        assert start.startswith(b"\x89PNG") if kind == "png" else b"<svg" in start or b"<?xml" in start


def test_page_needs_no_other_file(saved):
    _, out, _ = saved
    text = (out / "comparison.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert "<script" not in text


def test_table_says_what_the_csv_says(saved):
    done, out, page = saved
    frame = pd.read_csv(out / "comparison.csv")
    assert frame["method"].tolist() == ["fixed-level:level=130", "Low & loose", "half"]
    scores = next(rows for rows in page.tables if "F1" in rows[0])
    column = scores[0].index("F1")
    for row, value, low, high in zip(scores[1:], frame["f1"], frame["f1_low"], frame["f1_high"], strict=True):
        assert row[column] == f"{value:.3f} [{low:.3f}, {high:.3f}]"
    assert frame["f1"].tolist() == [score.total for score in (done.score(row.label, _f1(done)) for row in done.rows)]


def _f1(done):
    return next(metric for metric in done.metrics if metric.name == "f1")


def test_headings_explain_themselves(saved):
    done, _, page = saved
    for metric in done.metrics:
        assert page.titles[metric.title].startswith(metric.definition)


def test_counts_stand_beside_the_truth(saved):
    _, out, page = saved
    counts = next(rows for rows in page.tables if rows[0][0] == "Particles")
    assert [row[0] for row in counts[1:]] == ["truth", "fixed-level:level=130", "Low & loose", "half"]
    assert counts[1][-1] == "3"
    frame = pd.read_csv(out / "size_classes.csv")
    assert frame.groupby("method", sort=False)["particles"].sum().to_dict()["Low & loose"] == 6
    assert frame.query("method == 'truth'")["difference"].eq(0).all()


def test_figures_are_files_too(saved):
    _, out, _ = saved
    names = sorted(path.name for path in (out / "figures").iterdir())
    assert "errors.png" in names
    assert {"precision_recall.png", "precision_recall.svg", "bland_altman.svg", "size_classes.png"} <= set(names)


def test_few_images_are_a_note(saved):
    _, _, page = saved
    assert any("rest on 3 images" in note for note in page.notes)


def test_saving_over_files_must_be_asked_for(saved):
    done, out, _ = saved
    with pytest.raises(StoreError, match="already there"):
        done.save(out)


def test_unknown_colours_are_refused(pairs):
    with pytest.raises(UnknownNameError):
        compare(pairs, ["fixed-level"], colours="rainbow")


def test_nothing_found_gives_a_page_too(tmp_path):
    import numpy as np

    black = np.zeros((40, 40), np.uint8)
    done = compare([(black, black, "black.png")], ["fixed-level"], tmp_path, resamples=0)
    assert done.score("fixed-level", _f1(done)).total == 1
    Page((tmp_path / "comparison.html").read_text(encoding="utf-8"))
