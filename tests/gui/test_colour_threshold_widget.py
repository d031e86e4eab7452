"""*Colour threshold by hand* in a real viewer; ranges, picking and undo without one."""

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.gui.colour_threshold_overlay import ROLE
from napari_mpseg.gui.colour_threshold_pick import range_around, widened
from napari_mpseg.gui.colour_threshold_state import Row, Rows, RowsHistory, rows_of, shown
from napari_mpseg.layers import role_of
from napari_mpseg.methods.colour_ranges import ColourRange, ColourThreshold, colour_threshold

RED, PURPLE, ORANGE, GREEN, GREY = (230, 20, 30), (220, 20, 70), (240, 130, 20), (20, 200, 40), (90, 90, 92)


@pytest.fixture
def picture():
    """Red, purplish red, orange and green squares of 6, 6, 5 and 4 px on dark grey."""
    image = np.full((80, 120, 3), 25, np.uint8)
    image[10:16, 20:26] = RED
    image[10:16, 60:66] = PURPLE
    image[40:45, 90:95] = ORANGE
    image[60:64, 30:34] = GREEN
    return image


@pytest.fixture
def widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.colour_threshold_widget import ColourThresholdWidget

    click_menu("Layers", "Segment", "Colour threshold by hand")
    found = docked(ColourThresholdWidget)
    found.picking.tolerance.setValue(5)
    return found


@pytest.fixture
def image(viewer, widget, picture, qtbot):
    return add(viewer, widget, picture, qtbot)


@pytest.fixture
def model():
    """A viewer without a window, which is all that most of this needs."""
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def bare(model, qtbot):
    """The widget on its own."""
    from napari_mpseg.gui.colour_threshold_widget import ColourThresholdWidget

    found = ColourThresholdWidget(model)
    qtbot.addWidget(found)
    found.picking.tolerance.setValue(5)
    yield found
    found.close()


@pytest.fixture
def layer(model, bare, picture, qtbot):
    return add(model, bare, picture, qtbot)


def add(viewer, widget, picture, qtbot):
    layer = viewer.add_image(picture, name="filter", scale=(2.5, 2.5), units=("um", "um"))
    see(viewer, layer)
    seen(widget, qtbot, (0, 80, 0, 120))
    return layer


def see(viewer, layer, box=None):
    """Show a box of a layer, all of it and more without one."""
    height, width = layer.data.shape[-3:-1]
    y0, y1, x0, x1 = box or (-height, 2 * height, -width, 2 * width)  # the docks may take more room yet
    viewer.scene.camera.center = (0, *(np.array([(y0 + y1) / 2, (x0 + x1) / 2]) * layer.scale[-2:]))
    viewer.scene.camera.zoom = min(np.asarray(viewer.canvas.size) / ([y1 - y0, x1 - x0] * layer.scale[-2:]))


def seen(widget, qtbot, box):
    qtbot.waitUntil(lambda: widget._view is not None and widget._view.box == box, timeout=5000)


def overlays(viewer):
    return [layer for layer in viewer.layers if role_of(layer) == ROLE]


def shown_mask(viewer, qtbot):
    qtbot.wait(50)
    (layer,) = overlays(viewer)
    return layer.data.astype(bool)


def test_nothing_there_says_what_to_do(viewer, widget, screenshot, qtbot):
    assert "No image yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    screenshot("colour_empty")
    viewer.add_image(np.zeros((9, 9)), name="grey")
    widget._on_layer(None)
    assert "grey" in widget.hint.text()
    assert widget.image.layer is None


def test_picking_sets_the_range_and_shift_widens_it(model, bare, layer, qtbot, picture):
    assert overlays(model) == []  # every colour is in: nothing is set yet
    assert "Pick a colour" in bare.found.text()
    selected = model.layers.selection.active
    bare.pick_at(12, 22, widen=False)
    np.testing.assert_array_equal(shown_mask(model, qtbot), (picture == RED).all(-1))
    assert "0.375 % of the pixels in view, 1 particle of 3 px" in bare.found.text()
    bare.pick_at(42, 92, widen=True)
    found = (picture == RED).all(-1) | (picture == ORANGE).all(-1)
    np.testing.assert_array_equal(shown_mask(model, qtbot), found)
    assert "2 particles" in bare.found.text()
    bare.pick_at(12, 62, widen=True)  # over the end of the circle of hues
    found |= (picture == PURPLE).all(-1)
    np.testing.assert_array_equal(shown_mask(model, qtbot), found)
    assert not bare.form.components[0].inside.isChecked()
    bare.pick_at(-5, 500, widen=False)  # beside the image
    np.testing.assert_array_equal(shown_mask(model, qtbot), found)
    assert model.layers.selection.active == selected
    for wanted in (2, 1):
        bare.ranges.undo_button.click()
        qtbot.wait(50)
        assert f"{wanted} particle" in bare.found.text()
    bare.ranges.redo_button.click()
    qtbot.wait(50)
    assert "2 particles" in bare.found.text()


def test_clicks_pick_and_drags_do_not(viewer, widget, image, qtbot):
    from vispy.app.canvas import MouseEvent

    def press(world, modifiers=(), moved=0):
        canvas = viewer.window._qt_viewer.canvas
        size = np.asarray(viewer.canvas.size, float)
        place = (np.asarray(world) - viewer.scene.camera.center[-2:]) * viewer.scene.camera.zoom + size / 2
        events, pos = canvas._scene_canvas.events, place[::-1]
        events.mouse_move(pos=pos, modifiers=modifiers, button=None)
        events.mouse_press(pos=pos, modifiers=modifiers, button=1)
        if moved:
            pressed = MouseEvent("mouse_press", pos=pos, modifiers=modifiers, button=1)
            events.mouse_move(pos=pos + moved, modifiers=modifiers, button=1, press_event=pressed)
        events.mouse_release(pos=pos + moved, modifiers=modifiers, button=1)
        qtbot.wait(50)

    painted = viewer.add_labels(np.zeros((80, 120), int), scale=(2.5, 2.5), units=("um", "um"))
    painted.mode = "paint"
    widget.picking.button.setChecked(True)
    assert viewer.layers.selection.active == image  # nothing is painted by a pick
    press((12 * 2.5, 22 * 2.5), moved=30)
    assert "Pick a colour" in widget.found.text()
    see(viewer, image)
    press((12 * 2.5, 22 * 2.5))
    assert "1 particle " in widget.found.text()
    press((42 * 2.5, 92 * 2.5), modifiers=("Shift",))
    assert "2 particles" in widget.found.text()
    widget.picking.button.setChecked(False)
    press((62 * 2.5, 32 * 2.5))
    assert "2 particles" in widget.found.text()
    assert not painted.data.any()


def test_sliders_numbers_and_ticks_set_the_range(model, bare, layer, qtbot, picture):
    red = bare.form.components[0]
    bare.form.space.setCurrentIndex(bare.form.space.findData("rgb"))
    assert red.name.text() == "Red"
    red.slider.setValue((200, 255))
    red.slider.setValue((225, 255))
    red.slider.sliderReleased.emit()
    np.testing.assert_array_equal(shown_mask(model, qtbot), picture[..., 0] >= 225)
    assert red.ends == (225, 255)
    red.high.setValue(235)
    np.testing.assert_array_equal(shown_mask(model, qtbot), picture[..., 0] == 230)
    red.inside.setChecked(False)
    np.testing.assert_array_equal(shown_mask(model, qtbot), picture[..., 0] != 230)
    counts = np.expm1(red.histogram._counts)
    np.testing.assert_allclose(counts, np.bincount(picture[..., 0].ravel(), minlength=256))
    texts = []
    while bare.history.can_undo:
        texts.append(bare.history.now.row.range.text())
        bare.ranges.undo()
    assert texts == ["rgb:red!=225-235", "rgb:red=225-235", "rgb:red=225-255", "rgb:"]  # a drag is one step
    assert bare.form.space.currentData() == "hsb"
    red.low.setValue(250)
    red.high.setValue(100)  # the other end comes along
    assert red.ends == (100, 100)


def test_several_ranges_are_joined_switched_and_left_out(model, bare, layer, qtbot, picture):
    from qtpy.QtCore import Qt

    red, green = (picture == RED).all(-1), (picture == GREEN).all(-1)
    bare.pick_at(12, 22, widen=False)
    bare.ranges.add_button.click()
    np.testing.assert_array_equal(shown_mask(model, qtbot), red)  # one that is not set adds nothing
    bare.pick_at(62, 32, widen=False)
    np.testing.assert_array_equal(shown_mask(model, qtbot), red | green)
    bare.ranges.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    np.testing.assert_array_equal(shown_mask(model, qtbot), green)
    bare.ranges.undo()
    bare.ranges.copy_button.click()
    bare.form.excluded.setChecked(True)
    np.testing.assert_array_equal(shown_mask(model, qtbot), red)
    assert bare.ranges.list.item(2).text().startswith("without HSB")
    bare.ranges.remove_button.click()
    np.testing.assert_array_equal(shown_mask(model, qtbot), red | green)
    bare.ranges.list.setCurrentRow(0)
    assert bare.form.components[2].ends == (225, 235)
    for _ in range(3):
        bare.ranges.remove_button.click()
    assert bare.history.now == Rows()


def test_the_preview_follows_the_view_and_goes(viewer, widget, image, qtbot, picture):
    widget.pick_at(12, 22, widen=False)
    whole = shown_mask(viewer, qtbot)
    assert whole.shape == (80, 120)
    see(viewer, image, (0, 40, 0, 60))
    qtbot.waitUntil(lambda: overlays(viewer)[0].data.shape != (80, 120), timeout=5000)
    layer = overlays(viewer)[0]
    y0, y1, x0, x1 = widget._view.box
    np.testing.assert_array_equal(layer.data.astype(bool), (picture == RED).all(-1)[y0:y1, x0:x1])
    np.testing.assert_allclose(layer.data_to_world((0, 0)), image.data_to_world((y0, x0)))
    widget.preview.setChecked(False)
    assert overlays(viewer) == []
    widget.preview.setChecked(True)
    viewer.layers.remove(overlays(viewer)[0])
    assert not widget.preview.isChecked()
    widget.preview.setChecked(True)
    image.data = np.full_like(picture, 25)
    qtbot.waitUntil(lambda: "0 particles" in widget.found.text(), timeout=5000)
    before = list(viewer.layers)
    viewer.window.remove_dock_widget("all")
    assert [layer for layer in before if layer in viewer.layers] == [image]
    assert overlays(viewer) == []
    see(viewer, image)
    qtbot.wait(200)  # nobody looks any more


def test_the_whole_image_is_segmented_and_the_method_saved(
    viewer, widget, image, qtbot, finished, picture, tmp_path, screenshot
):
    from napari_mpseg.pipeline import segment

    widget.panel.run_button.click()
    assert widget.panel.status.kind == "error"
    assert "Every colour is in" in widget.panel.status.text()
    widget.pick_at(12, 22, widen=False)
    widget.pick_at(12, 62, widen=True)
    widget.min_size.setValue(5)
    qtbot.wait(50)
    screenshot("colour_picked")
    see(viewer, image, (30, 60, 30, 60))
    widget.panel.run_button.click()
    finished(widget)
    labels = viewer.layers["filter particles"]
    wanted = (picture == RED).all(-1) | (picture == PURPLE).all(-1)
    np.testing.assert_array_equal(labels.data > 0, wanted)
    assert len(labels.features) == 3
    np.testing.assert_allclose(labels.scale, image.scale)
    assert overlays(viewer) == []
    screenshot("colour_segmented")
    widget.files.save(tmp_path / "reds.json")
    assert widget.panel.status.kind == "done"
    assert json.loads((tmp_path / "reds.json").read_text())["min_size"] == 5
    np.testing.assert_array_equal(segment(picture, tmp_path / "reds.json").labels, labels.data)
    rows = widget.history.now
    widget.ranges.remove_button.click()
    widget.min_size.setValue(9)
    widget.files.open(tmp_path / "reds.json")
    assert (widget.history.now, widget.min_size.value()) == (rows, 5)
    widget.ranges.undo()
    assert widget.history.now == Rows()


def test_foreign_files_are_refused_and_nothing_changes(bare, layer, tmp_path):
    from napari_mpseg.methods.files import save_method

    save_method(tmp_path / "level.json", "fixed-level")
    (tmp_path / "no.json").write_text("{}")
    for name, why in (("level", "fixed-level"), ("no", "no method file")):
        bare.files.open(tmp_path / f"{name}.json")
        assert bare.panel.status.kind == "error"
        assert why in bare.panel.status.text()
    assert bare.history.now == Rows()
    bare.files.save(tmp_path / "empty.json")
    assert "Every colour is in" in bare.panel.status.text()
    assert not (tmp_path / "empty.json").exists()


@pytest.mark.parametrize("kind", ["stack of colour images", "channels first", "16 bit"])
def test_other_images_of_three_channels(model, bare, qtbot, finished, picture, kind):
    if kind == "stack of colour images":
        layer = model.add_image(np.stack([np.zeros_like(picture), picture]), name="a")
        model.dims.set_current_step(0, 1)
    elif kind == "channels first":
        layer = model.add_image(np.moveaxis(picture, 2, 0), name="a", axis_labels=("c", "y", "x"), rgb=False)
    else:
        layer = model.add_image(picture.astype(np.uint16) * 256, name="a", rgb=True)
    assert bare.image.layer == layer
    model.reset_view()
    qtbot.waitUntil(lambda: bare._view is not None and bare._view.pixels[12, 22, 0] > 200, timeout=5000)
    bare.pick_at(12, 22, widen=False)
    qtbot.wait(50)
    assert "1 particle " in bare.found.text()
    assert overlays(model)[0].data.shape == ((1, 80, 120) if kind.startswith("stack") else (80, 120))
    bare.panel.run_button.click()
    finished(bare)
    data = model.layers["a particles"].data
    np.testing.assert_array_equal(np.squeeze(data) > 0, (picture == RED).all(-1))
    if kind.startswith("stack"):
        assert model.layers["a particles"].data_to_world((0, 0, 0))[0] == 1


def test_choices_are_remembered_and_it_opens_once(viewer, widget, image, qtbot, finished):
    from napari_mpseg.gui.colour_threshold_widget import ColourThresholdWidget, open_colour_threshold

    assert open_colour_threshold(viewer, image) == widget
    widget.pick_at(12, 22, widen=False)
    widget.panel.run_button.click()
    finished(widget)
    text = widget.history.now.threshold().text()
    viewer.window.remove_dock_widget("all")
    other = open_colour_threshold(viewer)
    assert isinstance(other, ColourThresholdWidget)
    assert other.history.now.threshold().text() == text


def test_the_choice_stays_when_its_preview_is_shown(viewer, widget, image, picture, qtbot):
    other = viewer.add_image(picture[::-1].copy(), name="other")
    viewer.layers.selection.active = other
    widget.image.setCurrentIndex(widget.image.findText("filter"))
    see(viewer, image)
    seen(widget, qtbot, (0, 80, 0, 120))
    widget.pick_at(12, 22, widen=False)
    np.testing.assert_array_equal(shown_mask(viewer, qtbot), (picture == RED).all(-1))
    qtbot.wait(150)
    assert widget.image.layer == image
    assert viewer.layers.selection.active == other


def test_the_plane_is_found_by_its_place(model, bare, qtbot, finished, picture):
    model.add_labels(np.zeros((40, 2, 2), int), name="finer")  # its steps are those of the slider
    stack = model.add_image(np.stack([picture * 0, picture, picture * 0]), name="a", scale=(5, 1, 1))
    model.reset_view()
    model.dims.set_point(0, 5)
    qtbot.waitUntil(lambda: bare._view is not None and bare._view.plane == (1,), timeout=5000)
    bare.pick_at(12, 22, widen=False)
    qtbot.wait(50)
    assert "1 particle " in bare.found.text()
    bare.panel.run_button.click()
    finished(bare)
    found = model.layers["a particles"]
    np.testing.assert_array_equal(found.data[0] > 0, (picture == RED).all(-1))
    assert found.translate[0] == stack.data_to_world((1, 0, 0))[0]
    model.dims.set_point(0, 30)
    bare.panel.run_button.click()
    assert "a has no plane" in bare.panel.status.text()


def test_picking_ends_where_another_layer_is_active(model, bare, layer, picture, qtbot):
    painted = model.add_labels(np.zeros(picture.shape[:2], int))
    bare.picking.button.setChecked(True)
    assert model.layers.selection.active == layer
    bare.pick_at(12, 22, widen=False)  # the preview comes and becomes active for a moment
    shown_mask(model, qtbot)
    assert bare.picking.button.isChecked()
    model.layers.selection.active = painted
    qtbot.waitUntil(lambda: not bare.picking.button.isChecked(), timeout=1000)
    assert bare.picking._clicks._on_press not in model.mouse_drag_callbacks


def test_only_the_user_decides_about_the_preview(viewer, widget, image, qtbot, finished):
    from napari_mpseg.gui.colour_threshold_widget import open_colour_threshold

    widget.pick_at(12, 22, widen=False)
    for _ in range(2):
        widget.panel.run_button.click()
        finished(widget)
    assert not widget.preview.isChecked()  # it would hide the labels
    viewer.window.remove_dock_widget("all")
    again = open_colour_threshold(viewer)
    assert again.preview.isChecked()
    again.preview.setChecked(False)
    viewer.window.remove_dock_widget("all")
    assert not open_colour_threshold(viewer).preview.isChecked()


def test_components_have_the_names_of_the_field(bare, layer):
    names = {}
    for space in ("hsb", "rgb", "lab"):
        bare.form.space.setCurrentIndex(bare.form.space.findData(space))
        names[space] = [one.name.text() for one in bare.form.components]
    assert names["lab"] == ["L*", "a*", "b*"]
    assert names["hsb"] == ["Hue", "Saturation", "Brightness"]


def test_the_dock_shows_its_whole_title(widget):
    from qtpy.QtWidgets import QDockWidget

    dock = widget
    while not isinstance(dock, QDockWidget):
        dock = dock.parent()
    label = dock.titleBarWidget().title
    assert label.text() == "Colour threshold by hand (napari-mpseg)"
    assert label.fontMetrics().horizontalAdvance(label.text()) <= label.width()


def test_shaded_bars_are_of_one_colour(qtbot):
    """At every width, shaded bars of equal counts are one even surface."""
    from napari_mpseg.gui.colour_threshold_slider import Histogram

    bars = Histogram()
    qtbot.addWidget(bars)
    bars.show_counts(np.full(256, 9))
    bars.show_colours(np.full((256, 3), 200, np.uint8))
    bars.show_passed(np.arange(256) >= 128)
    for width in (200, 272, 335, 601):
        bars.resize(width, 38)
        picture = bars.grab().toImage()
        row = [picture.pixelColor(x, 25).getRgb() for x in range(12, width - 12)]
        assert len(set(row)) == 2
        assert len(set(row[: len(row) // 2 - 2])) == 1


# -- without a viewer ----------------------------------------------------------------------------------------------


def passing(one, number):
    components = [np.zeros(256, np.uint8)] * 3
    components[number] = np.arange(256, dtype=np.uint8)
    low, high, inside = [0, 0, 0], [255, 255, 255], [True, True, True]
    low[number], high[number], inside[number] = one.low[number], one.high[number], one.inside[number]
    return set(np.flatnonzero(ColourRange(one.space, tuple(low), tuple(high), tuple(inside)).holds(components)))


@pytest.mark.parametrize(
    "text", ["hsb:hue=240-20", "hsb:hue!=240-20", "hsb:hue=21-20", "hsb:hue=0-255", "rgb:red!=3-9"]
)
def test_what_the_sliders_show_passes_the_same_colours(text):
    (one,) = colour_threshold(text).ranges
    same = shown(one)
    assert all(low <= high for low, high in zip(same.low, same.high, strict=True))
    assert [passing(one, number) for number in range(3)] == [passing(same, number) for number in range(3)]


def test_a_picked_range_holds_the_colours_and_as_much_as_is_tolerated():
    pixels = np.array([RED, PURPLE], np.uint8)  # hues 252.4 and 244.4 of 255
    one = range_around(pixels, "rgb", 10)
    assert (one.low, one.high) == ((210, 10, 20), (240, 30, 80))
    assert range_around(pixels, "rgb", 50).high == (255, 70, 120)
    hues = passing(range_around(pixels, "hsb", 0), 0)
    assert {244, 252} <= hues
    assert len(hues) < 15
    assert {0, 5, 255, 235} <= passing(range_around(pixels, "hsb", 10), 0)
    assert len(passing(range_around(pixels, "hsb", 127), 0)) == 256
    assert len(passing(range_around(np.array([GREY], np.uint8), "hsb", 5), 0)) == 256  # grey has no hue


@pytest.mark.parametrize(
    ("one", "more", "both"),
    [
        ("rgb:red=10-20", "rgb:red=40-50", "rgb:red=10-50"),
        ("rgb:red=10-20,blue=0-9", "rgb:red=15-18", "rgb:red=10-20"),
        ("hsb:hue=250-255", "hsb:hue=3-9", "hsb:hue=250-9"),
        ("hsb:hue=250-5", "hsb:hue=240-245", "hsb:hue=240-5"),
        ("hsb:hue=100-110", "hsb:hue=120-130", "hsb:hue=100-130"),
        ("rgb:red!=100-200", "rgb:red=110-120", "rgb:red!=121-200"),
        ("rgb:red!=100-200", "rgb:red=50-60", "rgb:red!=100-200"),
        ("rgb:red!=100-200", "rgb:red=90-210", "rgb:"),
        ("rgb:", "rgb:red=1-2", "rgb:red=1-2"),
    ],
)
def test_widening_holds_both(one, more, both):
    found = widened(colour_threshold(one).ranges[0], colour_threshold(more).ranges[0])
    assert found == shown(colour_threshold(both).ranges[0])


def test_a_drag_is_one_step_and_choosing_a_line_is_none():
    history = RowsHistory(Rows())
    for low in (10, 20, 30):
        history.change(history.now.with_row(Row(ColourRange("rgb", (low, 0, 0)))), "red")
    history.settle()
    history.change(history.now.with_row(Row(ColourRange("rgb", (40, 0, 0)))), "red")
    history.change(history.now.added(Row()))
    history.change(replace(history.now, current=0))
    lows = []
    while history.can_undo:
        history.undo()
        lows.append(history.now.rows[0].range.low[0])
    assert lows == [40, 30, 0]
    history.redo()
    assert history.now.rows[0].range.low[0] == 30
    history.change(history.now.with_row(Row(ColourRange("lab"))))
    assert not history.can_redo


def test_only_ticked_and_set_ranges_count():
    red, unset = Row(ColourRange("rgb", (200, 0, 0))), Row()
    assert Rows((red, unset)).threshold() == ColourThreshold((red.range,))
    assert Rows((unset, replace(red, excluded=True))).threshold() == ColourThreshold((unset.range,), (red.range,))
    assert rows_of(Rows((unset, replace(red, excluded=True))).threshold()).rows[1].excluded
    for rows in ((unset,), (replace(red, on=False),), (replace(red, excluded=True),)):
        with pytest.raises(SettingsError):
            Rows(rows).threshold()
