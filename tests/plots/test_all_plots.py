"""What holds for every plot of the registry."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.plots.options import hint_of
from napari_mpseg.plots.registry import PLOTS
from napari_mpseg.plots.saving import save_figure
from napari_mpseg.settings import from_dict, to_dict


def texts(figure):
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


def drawn(figure):
    """Lay a figure out, as saving it does, with warnings as errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return figure


@pytest.fixture(params=PLOTS)
def plot(request):
    return PLOTS[request.param]


def test_names_and_order():
    assert list(PLOTS) == ["size-distribution", "violin-area", "feret-angle", "feret-rose", "correlation", "scatter"]
    with pytest.raises(UnknownNameError, match="violin-area"):
        PLOTS["violin"]


def test_one_image_with_its_number_of_particles(plot, table):
    assert "n = 300" in texts(drawn(plot.draw({"filter": table(300)})))


def test_several_images_each_with_its_number(plot, table):
    figure = drawn(plot.draw({"a": table(1300, 1), "b": table(40, 2), "c": table(0), "d": table(4)}))
    if plot.name == "correlation":
        assert "4 images (n = 1,344)" in texts(figure)
    else:
        assert {"n = 1,300", "n = 40", "n = 4"} <= set(_counts(texts(figure)))


def _counts(text):
    import re

    return re.findall(r"n = [\d,]+", text)


def test_rejected_particles_are_left_out(plot, table):
    one = table(50)
    one.frame.loc[:9, "keep"] = False
    assert "n = 40" in texts(drawn(plot.draw({"filter": one})))


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10])
def test_few_particles(plot, table, count):
    assert f"n = {count}" in texts(drawn(plot.draw({"filter": table(count)})))


def test_missing_values_and_constant_columns(plot, table):
    one = table(60)
    measured = [name for name in one.frame if name not in ("label", "class", "keep")]
    missing = one.frame.copy()
    missing.loc[::3, measured] = np.nan
    missing.loc[1, measured] = np.inf
    drawn(plot.draw({"filter": replace(one, frame=missing)}))
    drawn(plot.draw({"filter": replace(one, frame=one.frame.assign(**dict.fromkeys(measured, np.nan)))}))
    drawn(plot.draw({"filter": replace(one, frame=one.frame.assign(**dict.fromkeys(measured, 3.0)))}))
    drawn(plot.draw({"filter": replace(one, frame=one.frame.assign(**dict.fromkeys(measured, 0.0)))}))


def test_uncalibrated_tables_are_shown_in_pixels(plot, table):
    from napari_mpseg.calibration import Calibration

    one = table(30)
    frame = one.frame.drop(columns=["area_um2", "feret_max_um"])
    bare = replace(one, frame=frame, calibration=Calibration())
    said = texts(drawn(plot.draw({"calibrated": one, "bare": bare})))
    assert "µm" not in said
    if plot.name in ("size-distribution", "violin-area", "scatter"):
        assert "(px" in said


def test_units_are_on_the_axes(plot, table):
    said = texts(drawn(plot.draw({"filter": table(30)})))
    expected = {
        "size-distribution": "Maximum Feret diameter (µm)",
        "violin-area": "Area (µm²)",
        "feret-angle": "Feret angle (°)",
        "feret-rose": "Feret angle (°)",
        "correlation": "Pearson's r",
        "scatter": "Maximum Feret diameter (µm)",
    }
    assert expected[plot.name] in said


def test_lengths_of_tables_in_other_units_are_converted(table):
    micro, nano = table(20, unit="um"), table(20, unit="nm")
    figure = PLOTS["scatter"].draw({"a": micro, "b": nano}, y="area")
    offsets = figure.axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(offsets[20:, 0], offsets[:20, 0] / 1000)
    np.testing.assert_allclose(offsets[20:, 1], offsets[:20, 1] / 1e6)


def test_options_turn_into_json_and_back(plot):
    options = plot.options()
    stored = json.loads(json.dumps(to_dict(options)))
    assert from_dict(plot.options, stored) == options
    for field in options.__dataclass_fields__.values():
        assert hint_of(field).words
        assert hint_of(field).help


def test_impossible_options_are_said(plot, table):
    tables = {"filter": table(20)}
    with pytest.raises(SettingsError, match="no setting 'colr'"):
        plot.draw(tables, colr="red")
    column = next(name for name in ("column", "columns", "x") if hasattr(plot.options, name))
    with pytest.raises(SettingsError, match="lengthh"):
        plot.draw(tables, **{column: ["lengthh", "area"] if column == "columns" else "lengthh"})
    with pytest.raises(SettingsError, match="no table"):
        plot.draw({})
    if hasattr(plot.options, "by"):
        with pytest.raises(SettingsError, match="Choose from"):
            plot.draw(tables, by="colour")


def test_classes_are_drawn_apart(plot, table):
    how = {"colour": "class"} if plot.name == "scatter" else {"by": "class"}
    said = texts(drawn(plot.draw({"a": table(200, 1), "b": table(100, 2)}, **how)))
    assert {"fibre", "fragment", "film"} <= {word.strip(" (") for word in said.replace("\n", " ").split()}
    one = table(20)
    bare = replace(one, frame=one.frame.drop(columns="class"))
    with pytest.raises(SettingsError, match="no classes"):
        plot.draw({"a": bare}, **how)
    some = one.with_columns(**{"class": pd.Categorical(["fibre"] * 5 + [None] * 15)})
    assert "no class" in texts(drawn(plot.draw({"a": some}, **how)))


def test_a_given_figure_is_emptied_and_its_background_kept(plot, table):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.3, 2.9), facecolor="#262930")
    figure.add_subplot().set_title("before")
    assert plot.draw({"filter": table(30)}, figure=figure) is figure
    drawn(figure)
    assert tuple(figure.get_size_inches()) == (3.3, 2.9)
    assert "before" not in texts(figure)
    axes = figure.axes[0]
    assert axes.get_facecolor() == figure.get_facecolor()
    assert min(_rgb(axes.xaxis.label.get_color())) > 0.8  # light on dark
    white = plot.draw({"filter": table(30)})
    assert max(_rgb(white.axes[0].xaxis.label.get_color())) < 0.2


def _rgb(colour):
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def test_names_with_signs_of_formulas(plot, table):
    drawn(plot.draw({"a $x_1 $ & <b>": table(30), "x" * 200: table(20)}))


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_saving(table, tmp_path, ending):
    figure = PLOTS["scatter"].draw({"filter": table(3000)})
    path = save_figure(figure, tmp_path / f"figure.{ending}")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)
    assert path.stat().st_size < 400_000  # thousands of points are pixels
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_figure_is_not_saved_under_another_ending(table, tmp_path):
    from napari_mpseg.errors import StoreError

    with pytest.raises(StoreError, match="svg"):
        save_figure(PLOTS["scatter"].draw({"filter": table(3)}), tmp_path / "figure.bmp")
    assert not list(tmp_path.iterdir())
