"""*Colour particles by a column* in a real viewer: what is seen is what the legend says."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def labels(viewer):
    """Four squares of known classes and sizes; the third is rejected."""
    data = np.zeros((40, 60), np.int32)
    for number, size in enumerate((4, 6, 8, 10)):
        data[5 : 5 + size, 3 + 14 * number : 3 + 14 * number + size] = number + 1
    features = pd.DataFrame(
        {
            "index": range(5),
            "class": pd.Categorical([None, "fibre", "film", "film", None], ["fibre", "bead", "film"]),
            "keep": pd.array([None, True, True, False, True], "boolean"),
            "area_px": [np.nan, 16, 36, 64, 100],
        }
    )
    return viewer.add_labels(data, name="squares", features=features, opacity=1)


@pytest.fixture
def colour(viewer, click_menu, docked, qtbot):
    from napari_mpseg.gui.colour_widget import ColourWidget

    click_menu("Layers", "Visualize", "Colour particles by a column")
    widget = docked(ColourWidget)
    qtbot.waitUntil(lambda: widget.isVisible())
    return widget


def pick(widget, words):
    """Choose a column by its words, as a user does."""
    row = widget.column.findText(words)
    assert row >= 0, [widget.column.itemText(one) for one in range(widget.column.count())]
    widget.column.setCurrentIndex(row)
    widget.column.activated.emit(row)


def legend_texts(widget):
    from matplotlib.text import Text

    return {text.get_text() for text in widget.canvas.figure.findobj(Text)}


def seen(viewer, label_data):
    """Return the colour on the screen in the middle of each label."""
    viewer.reset_view()
    picture = viewer.screenshot(canvas_only=True, flash=False) / 255
    camera = viewer.scene.camera
    found = {}
    for label in range(1, int(label_data.max()) + 1):
        middle = np.mean(np.nonzero(label_data == label), axis=1)
        ratio = picture.shape[0] / viewer.canvas.size[0]
        offset = (middle - np.asarray(camera.center)[-2:]) * camera.zoom * ratio
        y, x = np.rint(np.array(picture.shape[:2]) / 2 + offset).astype(int)
        found[label] = picture[y, x, :3]
    return found


def test_without_a_table_it_says_what_to_do(viewer, colour, screenshot):
    assert "No labels yet" in colour.hint.text()
    viewer.add_labels(np.ones((5, 5), int))
    assert "no table yet" in colour.hint.text()
    assert not colour.column.isVisible()
    assert not colour.back_button.isVisible()
    screenshot("colour_empty")


def test_classes(viewer, labels, colour, qtbot, screenshot):
    from matplotlib.colors import to_rgb

    from napari_mpseg.plots.colours import OTHER, class_colours

    own = labels.colormap
    assert colour.legend is None
    pick(colour, "Class")
    known = class_colours(["fibre", "bead", "film"])
    expected = {1: known["fibre"], 2: known["film"], 3: known["film"], 4: OTHER}
    for label, wanted in expected.items():
        np.testing.assert_allclose(labels.get_color(label)[:3], to_rgb(wanted), atol=1e-6)
    for label, found in seen(viewer, labels.data).items():
        np.testing.assert_allclose(found, to_rgb(expected[label]), atol=0.02)
    assert {"fibre (n = 1)", "film (n = 2)", "no class (n = 1)"} <= legend_texts(colour)
    assert not colour.colormap.isVisible()
    screenshot("colour_class")
    colour.hide_rejected.click()
    assert labels.get_color(3)[3] == 0
    np.testing.assert_allclose(seen(viewer, labels.data)[3], 0, atol=0.02)
    assert "rejected, hidden (n = 1)" in legend_texts(colour)
    colour.back_button.click()
    assert labels.colormap is own
    assert not colour.canvas.isVisible()
    assert not colour.back_button.isVisible()


def test_numbers(viewer, labels, colour, qtbot, screenshot):
    from matplotlib import colormaps

    pick(colour, "Area (px²)")
    colour.low.setValue(0)
    colour.high.setValue(100)
    expected = colormaps["viridis"]((np.array([16, 36, 64, 100]) - 16) / 84)[:, :3]
    np.testing.assert_allclose([labels.get_color(one)[:3] for one in (1, 2, 3, 4)], expected, atol=0.02)
    for label, found in seen(viewer, labels.data).items():
        np.testing.assert_allclose(found, expected[label - 1], atol=0.03)
    assert "Area (px²), n = 4" in legend_texts(colour)
    screenshot("colour_area")
    colour.log.click()
    share = (np.log(36) - np.log(16)) / (np.log(100) - np.log(16))
    np.testing.assert_allclose(labels.get_color(2)[:3], colormaps["viridis"](share)[:3], atol=0.02)
    colour.colormap.setCurrentText("magma")
    colour.colormap.activated.emit(0)
    np.testing.assert_allclose(labels.get_color(4)[:3], colormaps["magma"](1.0)[:3], atol=0.02)
    colour.low.setValue(100)
    assert colour.status.kind == "error"
    assert "must be below" in colour.status.text()


def test_it_follows_the_table(viewer, labels, colour, qtbot):
    pick(colour, "Class")
    features = labels.features.copy()
    features.loc[4, "class"] = "bead"
    labels.features = features
    qtbot.waitUntil(lambda: "bead (n = 1)" in legend_texts(colour))
    assert colour.column.currentText() == "Class"
    features = features.drop(columns="class")
    labels.features = features
    qtbot.waitUntil(lambda: colour.column.findText("Class") < 0)


def test_a_highlight_goes_over_the_colours_and_back(viewer, labels, colour):
    from napari_mpseg.gui.colour_labels import colours_of

    own = labels.colormap
    pick(colour, "Class")
    before = labels.get_color(1)
    colours_of(labels).highlight([2])
    assert labels.get_color(1)[3] < 0.5
    colours_of(labels).clear_highlight()
    np.testing.assert_array_equal(labels.get_color(1), before)
    colours_of(labels).highlight([2])
    colour.back_button.click()
    assert labels.get_color(1)[3] < 0.5
    colours_of(labels).clear_highlight()
    assert labels.colormap is own


def test_the_layer_keeps_its_colours_when_the_widget_is_closed(viewer, labels, colour, qtbot):
    pick(colour, "Class")
    before = labels.get_color(1)
    colour.parent().destroyOnClose()
    qtbot.wait(100)
    np.testing.assert_array_equal(labels.get_color(1), before)
    labels.features = labels.features.copy()
    qtbot.wait(200)


def test_another_layer_keeps_its_own_colours(viewer, labels, colour):
    pick(colour, "Class")
    other = viewer.add_labels(labels.data, name="other", features=labels.features)
    own = other.colormap
    assert colour.labels.layer == other
    assert colour.column.currentText() == "choose …"
    assert not colour.back_button.isVisible()
    assert other.colormap is own
    colour.labels.choose(labels)
    assert colour.back_button.isVisible()


@pytest.mark.parametrize("count", [65_535, 65_536, 70_000])
def test_more_labels_than_napari_has_a_table_for(count):
    from napari.layers import Labels

    from napari_mpseg.gui.colour_labels import colours_of

    layer = Labels(np.arange(count + 1).reshape(1, -1))
    own = layer.colormap
    colours = np.zeros((count + 1, 4), np.float32)
    colours[:, 3] = 1
    colours[:, 0] = (np.arange(count + 1) % 200) / 255
    colours_of(layer).colour(colours)
    for label in (1, 199, 200, 1234, 65_000, count):
        np.testing.assert_allclose(layer.get_color(label), colours[label], atol=1 / 255)
    assert layer.get_color(0) is None or layer.get_color(0)[3] == 0
    colours_of(layer).restore()
    assert layer.colormap is own


def test_rejected_ones_dimmed_and_a_highlight_meet_in_any_order(viewer, labels):
    """The review and a lasso each dim; whichever ends last, the layer has its own colours again."""
    from napari_mpseg.gui.colour_labels import colours_of
    from napari_mpseg.gui.review_shade import Shade

    own, before = labels.colormap, labels.get_color(1)
    shade, colours = Shade(labels), colours_of(labels)
    shade.show(np.array([False, True, False, False, False]))
    assert labels.get_color(1)[3] < 0.5
    colours.highlight([2])
    shade.show(np.array([False, True, True, False, False]))
    assert labels.get_color(2)[3] == 1
    colours.clear_highlight()
    assert labels.get_color(2)[3] < 0.5
    shade.show(np.zeros(5, bool))
    np.testing.assert_allclose(labels.get_color(1), before, atol=1e-6)
    shade.hide()
    assert labels.colormap is own

    colours.highlight([2])
    shade.show(np.array([False, True, False, False, False]))
    table = np.tile(np.array([0, 1, 0, 1], np.float32), (5, 1))
    table[4] = 0
    colours.colour(table)
    colours.clear_highlight()
    assert labels.get_color(1)[3] < 0.5
    np.testing.assert_allclose(labels.get_color(2), (0, 1, 0, 1))
    shade.hide()
    np.testing.assert_allclose(labels.get_color(1), (0, 1, 0, 1))
    colours.restore()
    assert labels.colormap is own
