"""Colours of particles by a column, and their legend."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgba

from napari_mpseg.errors import SettingsError
from napari_mpseg.plots.colour_legend import draw_legend
from napari_mpseg.plots.colouring import LEVELS, ColourSettings, colours_by
from napari_mpseg.plots.colours import OKABE_ITO, OTHER, class_colours, group_colours


def texts(figure):
    from matplotlib.text import Text

    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_numbers_between_their_percentiles():
    values = np.random.default_rng(0).permutation(np.arange(101.0))
    colours, legend = colours_by(pd.DataFrame({"area_um2": values}), ColourSettings("area_um2", low=10, high=90), "um2")
    assert legend.words == "Area (µm²)"
    assert legend.limits == (10, 90)
    assert legend.beyond == (True, True)
    assert (legend.count, legend.missing) == (101, 0)
    expected = colormaps["viridis"](np.clip((values - 10) / 80, 0, 1))
    np.testing.assert_allclose(colours, expected, atol=0.02)  # in steps
    assert len(np.unique(colours, axis=0)) <= LEVELS


def test_numbers_by_their_logarithm():
    values = np.array([1.0, 10, 100, 0, -3, np.nan])
    settings = ColourSettings("area_px", "cividis", 0, 100, log=True)
    colours, legend = colours_by(pd.DataFrame({"area_px": values}), settings, "px2")
    np.testing.assert_allclose(colours[:3], colormaps["cividis"]([0.0, 0.5, 1.0]), atol=0.01)
    np.testing.assert_allclose(colours[3:], [to_rgba(OTHER)] * 3, atol=1e-6)
    assert (legend.count, legend.missing) == (3, 3)


def test_equal_and_missing_numbers():
    colours, legend = colours_by(pd.DataFrame({"a": [3.0, 3, np.nan]}), ColourSettings("a"))
    assert legend.limits == (3, 3)
    assert (colours[0] == colours[1]).all()
    assert "all 3" in texts(draw_legend(legend))
    colours, legend = colours_by(pd.DataFrame({"a": [np.nan, np.inf]}), ColourSettings("a"))
    assert (legend.count, legend.missing) == (0, 2)
    assert "no value (n = 2)" in texts(draw_legend(legend))
    colours, legend = colours_by(pd.DataFrame({"a": np.empty(0)}), ColourSettings("a"))
    assert colours.shape == (0, 4)
    assert "no particles" in texts(draw_legend(legend))


def test_classes_have_the_same_colours_as_in_plots():
    classes = pd.Categorical(["film", "fibre", None, "film"], ["fibre", "bead", "film"])
    colours, legend = colours_by(pd.DataFrame({"class": classes}), ColourSettings("class"))
    known = class_colours(["fibre", "bead", "film"])
    assert [to_hex(colour).upper() for colour in colours] == [known["film"], known["fibre"], OTHER, known["film"]]
    assert legend.classes == (("fibre", known["fibre"], 1), ("film", known["film"], 2), ("no class", OTHER, 1))
    assert {"fibre (n = 1)", "film (n = 2)", "no class (n = 1)"} <= set(texts(draw_legend(legend)).splitlines())


def test_yes_and_no():
    frame = pd.DataFrame({"keep": pd.array([True, False, None, True], "boolean")})
    _, legend = colours_by(frame, ColourSettings("keep"))
    assert {name: count for name, _, count in legend.classes} == {"yes": 2, "no": 1, "no class": 1}


def test_rejected_particles_can_be_hidden():
    frame = pd.DataFrame({"a": [1.0, 2, 3, 1000], "keep": [True, True, True, False]})
    colours, legend = colours_by(frame, ColourSettings("a", low=0, high=100, hide_rejected=True))
    assert legend.limits == (1, 3)  # of those that are shown
    assert legend.hidden == 1
    assert (colours[3] == 0).all()
    assert (colours[:3, 3] == 1).all()
    assert "rejected, hidden (n = 1)" in texts(draw_legend(legend))
    without, _ = colours_by(frame.drop(columns="keep"), ColourSettings("a", hide_rejected=True))
    assert (without[:, 3] == 1).all()


def test_the_bar_has_the_limits_and_the_unit():
    frame = pd.DataFrame({"feret_max_um": np.geomspace(1, 1000, 200)})
    for log in (False, True):
        _, legend = colours_by(frame, ColourSettings("feret_max_um", log=log, low=0, high=100), "um")
        figure = draw_legend(legend)
        assert "Maximum Feret diameter (µm), n = 200" in texts(figure)
        np.testing.assert_allclose(figure.axes[0].get_xlim(), (1, 1000))
        assert figure.axes[0].get_xscale() == ("log" if log else "linear")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"column": "b"}, "no column 'b'"),
        ({"colormap": "jet"}, "viridis"),
        ({"low": 99, "high": 1}, "percentiles|Percentiles"),
    ],
)
def test_impossible_settings(wrong, message):
    with pytest.raises(SettingsError, match=message):
        colours_by(pd.DataFrame({"a": [1.0]}), replace(ColourSettings("a"), **wrong))


def test_colours_are_told_apart():
    colours = group_colours(14)
    assert colours[:7] == list(OKABE_ITO)
    assert len(set(colours)) == 14
    assert class_colours(["unclassified", "b"]) == {"b": OKABE_ITO[0], "unclassified": OTHER}
