"""``napari-mpseg plot``: figures from tables, and what is said where it cannot be."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.commands import plot
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.columns import with_review_columns

START = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture
def file(tmp_path):
    """Return the measured table of thirty rectangles."""
    labels = np.zeros((80, 130), np.int32)
    for number in range(30):
        y, x = divmod(number, 10)
        labels[25 * y + 2 : 25 * y + 4 + number // 3, 12 * x + 2 : 12 * x + 4 + number % 7] = number + 1
    table = with_review_columns(measure(labels, calibration=Calibration((2, 2), "um")))
    table.to_csv(tmp_path / "scan_particles.csv")
    return tmp_path / "scan_particles.csv"


@pytest.mark.parametrize("kind", plot.KINDS)
@pytest.mark.parametrize("ending", START)
def test_each_kind_in_each_format(run, file, tmp_path, kind, ending):
    out = tmp_path / f"figure.{ending}"
    code, said, error = run("plot", file, "--kind", kind, "--out", out)
    assert (code, error) == (0, "")
    assert out.read_bytes().startswith(START[ending])
    assert "Particles 30 of 1 image" in said
    assert str(out) in said


def test_kinds_are_those_of_the_registry_and_all_are_explained():
    from napari_mpseg.plots.registry import PLOTS

    assert tuple(PLOTS) == plot.KINDS
    for name, entry in PLOTS.items():
        line = next(line for line in plot.COMMAND.description.splitlines() if line.strip().startswith(name))
        assert all(option in line for option in entry.options.__dataclass_fields__)


def test_all_into_a_folder(run, names, file, tmp_path):
    code, said, _ = run("plot", file, file, "--kind", "all", "--out", tmp_path / "out", "--format", "svg")
    assert code == 0
    assert names(tmp_path / "out") == sorted(f"{kind}.svg" for kind in plot.KINDS)
    assert "60 of 2 images" in said
    code, _, error = run("plot", file, "--kind", "all", "--out", tmp_path / "out", "--format", "svg")
    assert code == 1
    assert "already there" in error
    assert run("plot", file, "--kind", "all", "--out", tmp_path / "out", "--format", "svg", "--overwrite")[0] == 0


def test_all_leaves_out_what_was_not_measured(run, names, tmp_path):
    pd.DataFrame({"label": [1, 2, 3], "area_px": [3.0, 4, 5]}).to_csv(tmp_path / "few.csv", index=False)
    code, said, _ = run("plot", tmp_path / "few.csv", "--kind", "all", "--out", tmp_path / "out")
    assert code == 0
    assert names(tmp_path / "out") == ["violin-area.png"]
    assert "Left out  feret-angle" in said


def test_options_reach_the_plot(run, file, tmp_path, monkeypatch):
    from napari_mpseg.plots.registry import PLOTS

    seen = {}
    entry = PLOTS["size-distribution"]
    spy = replace(entry, paint=lambda figure, tables, options: seen.update(tables=tables, options=options))
    monkeypatch.setitem(PLOTS._entries, "size-distribution", spy)
    chosen = ["column=area", "log=no", "percent=TRUE", "bins=12", "by=none"]
    sets = [part for one in chosen for part in ("--set", one)]
    other = tmp_path / "b" / "scan_particles.csv"
    other.parent.mkdir()
    other.write_bytes(file.read_bytes())
    command = ("plot", file, other, "--kind", "size-distribution", "--out", tmp_path / "f.png", *sets)
    assert run(*command)[0] == 0
    options = seen["options"]
    assert (options.column, options.log, options.percent, options.bins, options.by) == ("area", False, True, 12, "none")
    assert list(seen["tables"]) == [f"{tmp_path.name}/scan", "b/scan"]


@pytest.mark.parametrize(
    ("kind", "option", "message"),
    [
        ("scatter", "x", "Write KEY=VALUE"),
        ("scatter", "z=area", "no option 'z'. There are: x, y"),
        ("all", "z=area", "There are: column, by"),
        ("scatter", "x=size", "'size' cannot be plotted"),
        ("scatter", "log_x=perhaps", "true or false"),
        ("feret-rose", "bins=many", "whole number"),
        ("feret-rose", "bins=1", "between 2 and 180"),
        ("correlation", "columns=area", "two columns"),
        ("violin-area", "by=species", "Choose from image, class, none"),
        ("size-distribution", "borders=20 nm", "cannot be marked"),
    ],
)
def test_wrong_options_are_said_and_nothing_is_written(run, names, file, tmp_path, kind, option, message):
    out = tmp_path / "out" / ("figures" if kind == "all" else "figure.png")
    code, said, error = run("plot", file, "--kind", kind, "--out", out, "--set", option)
    assert (code, said) == (2, "")
    assert message in error
    assert not out.parent.exists()


def test_quiet_is_accepted_as_everywhere(run, file, tmp_path):
    code, said, error = run("plot", file, "--kind", "scatter", "--out", tmp_path / "f.png", "--quiet")
    assert (code, error) == (0, "")
    assert "Figure " in said


def test_wrong_arguments(run, file, tmp_path):
    code, _, error = run("plot", file, "--kind", "scatter", "--out", tmp_path / "figure.jpg")
    assert code == 2
    assert "must end in .png, .svg or .pdf" in error
    code, _, error = run("plot", file, "--kind", "pie", "--out", tmp_path / "figure.png")
    assert code == 2
    assert "size-distribution" in error
    code, _, error = run("plot", tmp_path / "nothing.csv", "--kind", "scatter", "--out", tmp_path / "figure.png")
    assert code == 1
    assert "is not there" in error


def test_an_earlier_figure_stays(run, file, tmp_path):
    out = tmp_path / "figure.png"
    out.write_text("mine")
    code, _, error = run("plot", file, "--kind", "scatter", "--out", out)
    assert code == 1
    assert "already there" in error
    assert out.read_text() == "mine"
    assert run("plot", file, "--kind", "scatter", "--out", out, "--overwrite")[0] == 0
    assert out.read_bytes().startswith(START["png"])


def test_help_loads_no_plots():
    import subprocess
    import sys

    program = "import sys; from napari_mpseg import cli; cli.build_parser(); assert 'matplotlib' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
