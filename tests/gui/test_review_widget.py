"""The review as a user does it: menu, keys, mouse, napari's table, closing."""

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.audit import audit_of
from napari_mpseg.particles.review.columns import with_review_columns
from napari_mpseg.particles.table import ParticleTable


@pytest.fixture
def made():
    """1: bar of 10x40. 2, 3: squares of 12x12 side by side. 4: 6x6. 5: 3x3."""
    labels = np.zeros((120, 160), np.int32)
    labels[10:20, 20:60] = 1
    labels[50:62, 30:42] = 2
    labels[50:62, 42:54] = 3
    labels[90:96, 120:126] = 4
    labels[30:33, 140:143] = 5
    return labels


@pytest.fixture
def image(rng, made):
    return (rng.integers(0, 60, (120, 160)) + 120 * (made > 0)).astype(np.uint8)


@pytest.fixture
def layer(viewer, made, image):
    viewer.add_image(image, name="filter", scale=(2.0, 2.0))
    table = measure(made, image).with_columns(confidence=[0.9, 0.3, 0.8, 0.2, 0.7])
    classes = pd.Series(pd.Categorical([None] * 5, categories=["fibre", "bead", "film"]))
    return viewer.add_labels(
        made.copy(), name="mine", features=with_review_columns(table, classes).to_features(), scale=(2.0, 2.0)
    )


@pytest.fixture
def widget(viewer, layer, click_menu, docked, qtbot):
    from napari_mpseg.gui.review_widget import ReviewWidget

    click_menu("Layers", "Annotate", "Review particles")
    widget = docked(ReviewWidget)
    qtbot.wait(200)
    return widget


@pytest.fixture
def press(viewer):
    """Press a key with the picture in focus, as ``"Shift+K"``."""

    def press(text):
        *held, key = text.split("+")
        modifiers = Qt.KeyboardModifier.NoModifier
        for name in held:
            modifiers |= {
                "Shift": Qt.KeyboardModifier.ShiftModifier,
                "Alt": Qt.KeyboardModifier.AltModifier,
                "Ctrl": Qt.KeyboardModifier.ControlModifier,
            }[name]
        native = viewer.window._qt_window._qt_viewer.canvas.native
        QTest.keyClick(native, getattr(Qt.Key, f"Key_{key}"), modifiers)

    return press


@pytest.fixture
def mouse(viewer, qtbot):
    """Draw through places of the picture in pixels of the labels, or click with one place."""

    def place(layer, point):
        native = viewer.window._qt_window._qt_viewer.canvas.native
        camera = viewer.scene.camera
        world = np.asarray(layer.data_to_world(point))
        middle = np.array([native.height(), native.width()]) / 2
        y, x = middle + (world - np.asarray(camera.center)[-2:]) * camera.zoom
        return native, QPoint(round(x), round(y))

    def draw(layer, *points):
        native, start = place(layer, points[0])
        if len(points) == 1:
            qtbot.mouseMove(native, start)
            qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=start)
        else:
            send(native, "press", start)
            for point in points[1:]:
                qtbot.wait(10)  # napari leaves out moves that follow within 5 ms
                send(native, "move", place(layer, point)[1])
            send(native, "release", place(layer, points[-1])[1])
        qtbot.wait(20)

    return draw


def send(native, kind, point):
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    types = {"press": QEvent.Type.MouseButtonPress, "move": QEvent.Type.MouseMove}
    event = QMouseEvent(
        types.get(kind, QEvent.Type.MouseButtonRelease),
        QPointF(point),
        QPointF(native.mapToGlobal(point)),
        none if kind == "move" else left,
        none if kind == "release" else left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(native, event)


def actions(layer):
    return [entry.action for entry in audit_of(layer.metadata)]


def assert_table_right(layer, image):
    expected = measure(layer.data, image).frame
    now = ParticleTable.from_features(layer.features).frame[expected.columns]
    pd.testing.assert_frame_equal(now, expected, rtol=1e-9)


def test_stepping_selects_centres_and_zooms(viewer, layer, widget, press):
    seen = []
    for _ in range(3):
        press("Shift+N")
        seen.append(layer.selected_label)
        middle = np.argwhere(layer.data == layer.selected_label).mean(axis=0) * 2
        np.testing.assert_allclose(viewer.scene.camera.center[-2:], middle, atol=1)
    assert seen == [1, 2, 3]
    press("Shift+B")
    assert layer.selected_label == 2
    height = 12 * 2 * viewer.scene.camera.zoom
    assert 0.2 < height / min(viewer.canvas.size) < 0.4


def test_orders(layer, widget, press):
    for order, first in (("uncertain", [4, 2, 5, 3, 1]), ("label", [1, 2, 3, 4, 5]), ("largest", [1, 2, 3, 4, 5])):
        widget.order.setCurrentIndex(widget.order.findData(order))
        seen = []
        for _ in range(5):
            press("Shift+N")
            seen.append(layer.selected_label)
        assert seen == first
        press("Shift+N")
        assert "last" in widget.panel.text()
    widget.order.setCurrentIndex(widget.order.findData("random"))
    first = list(widget._queue)
    assert sorted(first) == [1, 2, 3, 4, 5]
    widget._start_anew()
    assert widget._queue == first


def test_keep_and_reject_go_on(layer, widget, press):
    press("Shift+N")
    press("Shift+R")
    assert layer.selected_label == 2
    press("Shift+K")
    assert layer.selected_label == 3
    assert layer.features["keep"].tolist()[1:] == [False, True, True, True, True]
    assert actions(layer) == ["reject", "accept"]
    assert "2</b> of 5 reviewed" in widget.figures.counts.text()
    assert "1</b> rejected" in widget.figures.counts.text()
    assert ParticleTable.from_features(layer.features).kept().labels.tolist() == [2, 3, 4, 5]


def test_class_keys(layer, widget, press):
    widget.go_on.setChecked(False)
    press("Shift+N")
    for key, name in (("Alt+1", "fibre"), ("Alt+2", "bead"), ("Alt+3", "film"), ("Shift+F2", "bead")):
        press(key)
        assert layer.features["class"].iloc[1] == name
        assert [button.text().split(" ")[0] for button in widget.classes.buttons if button.isChecked()] == [name]
    press("Alt+9")  # no such class
    assert actions(layer) == ["class"] * 4


def test_a_class_can_be_added_and_given(layer, widget, press, qtbot):
    press("Shift+N")
    qtbot.keyClicks(widget.classes.field, "tyre wear")
    qtbot.keyClick(widget.classes.field, Qt.Key.Key_Return)
    assert list(layer.features["class"].cat.categories) == ["fibre", "bead", "film", "unclassified", "tyre wear"]
    press("Alt+4")
    assert layer.features["class"].iloc[1] == "tyre wear"


@pytest.mark.parametrize(("undo", "redo"), [("Shift+U", "Shift+Y"), ("Ctrl+Z", "Ctrl+Shift+Z")])
def test_decisions_are_undone_and_redone(layer, widget, press, undo, redo):
    press("Shift+N")
    press("Shift+R")
    press("Alt+2")
    press(undo)
    assert layer.features["class"].tolist()[1:] == ["unclassified"] * 5
    assert layer.selected_label == 2
    press(undo)
    assert layer.features["keep"].iloc[1]
    press(undo)
    assert "Nothing to undo" in widget.panel.text()
    press(redo)
    press(redo)
    assert not layer.features["keep"].iloc[1]
    assert layer.features["class"].iloc[2] == "bead"
    assert actions(layer) == ["reject", "class", "undo", "undo", "redo", "redo"]


def test_merge_by_key_and_click(layer, widget, press, mouse, image, made):
    press("Shift+N")
    press("Shift+N")
    assert layer.selected_label == 2
    press("Shift+M")
    mouse(layer, (56, 48))
    assert (layer.data == 2).sum() == 288
    assert_table_right(layer, image)
    assert layer.selected_label == 2
    press("Shift+U")
    np.testing.assert_array_equal(layer.data, made)
    assert_table_right(layer, image)
    press("Shift+Y")
    assert_table_right(layer, image)
    assert actions(layer) == ["merge", "undo", "redo"]


def test_split_by_a_drawn_line(viewer, layer, widget, press, mouse, image, made):
    press("Shift+N")
    centre = viewer.scene.camera.center
    press("Shift+S")
    assert not layer.mouse_pan
    mouse(layer, (5, 30), (12, 30), (18, 30), (25, 30))
    assert not widget._tool.active, widget.panel.text()
    assert layer.mouse_pan
    assert set(np.unique(layer.data)) == {0, 1, 2, 3, 4, 5, 6}
    assert (layer.data == 1).sum() + (layer.data == 6).sum() == 400
    assert (layer.data[10:20, 20:29] == 6).all()
    assert_table_right(layer, image)
    assert viewer.scene.camera.center == centre
    press("Shift+N")
    assert layer.selected_label == 6  # the new part comes next
    press("Shift+U")
    np.testing.assert_array_equal(layer.data, made)
    assert_table_right(layer, image)


def test_a_line_beside_can_be_drawn_again_or_left(layer, widget, press, mouse, made):
    press("Shift+N")
    press("Shift+S")
    mouse(layer, (12, 30), (14, 30), (15, 30))
    assert "does not part" in widget.panel.text()
    assert widget.panel.kind == "error"
    assert widget._tool.active
    press("Escape")
    assert not widget._tool.active
    assert layer.mouse_pan
    np.testing.assert_array_equal(layer.data, made)
    assert actions(layer) == []


def test_redraw_by_an_outline(layer, widget, press, mouse, image, made):
    press("Shift+N")
    press("Shift+E")
    mouse(layer, (9, 20), (9, 40), (22, 40), (22, 20))
    assert (layer.data == 1).sum() == 14 * 21
    assert_table_right(layer, image)
    press("Shift+U")
    np.testing.assert_array_equal(layer.data, made)


def test_delete_by_key(layer, widget, press, image, made):
    press("Shift+N")
    press("Shift+D")
    assert not (layer.data == 1).any()
    assert layer.selected_label == 2
    assert_table_right(layer, image)
    press("Shift+U")
    np.testing.assert_array_equal(layer.data, made)
    assert layer.selected_label == 1
    assert actions(layer) == ["delete", "undo"]


def test_painting_with_naparis_brush_is_recorded(layer, widget, press, mouse, image, made):
    press("Shift+N")
    widget.zoom.setChecked(False)
    layer.mode, layer.brush_size = "paint", 5
    mouse(layer, (22, 30), (23, 34), (24, 36))
    assert actions(layer) == ["paint"]
    assert_table_right(layer, image)
    press("Ctrl+Z")
    np.testing.assert_array_equal(layer.data, made)
    assert_table_right(layer, image)
    assert actions(layer) == ["paint", "undo"]


def test_rejected_particles_are_dimmed_and_the_colours_come_back(layer, widget, press):
    before = layer.colormap
    colours = layer.colormap.map(np.arange(6, dtype=np.int32))
    press("Shift+N")
    press("Shift+R")
    now = layer.colormap.map(np.arange(6, dtype=np.int32))
    assert now[1, 3] < 0.5
    np.testing.assert_allclose(now[2:], colours[2:], atol=0.01)
    press("Shift+H")
    assert layer.colormap is before
    press("Shift+H")
    press("Shift+U")
    np.testing.assert_allclose(layer.colormap.map(np.arange(6, dtype=np.int32)), colours, atol=0.01)
    press("Shift+Y")
    widget.parent().destroyOnClose()
    assert layer.colormap is before


def test_colours_given_meanwhile_stay(layer, widget, press):
    press("Shift+N")
    press("Shift+R")
    layer.new_colormap(seed=3)
    given = widget._shade._base
    assert layer.colormap.map(np.arange(3, dtype=np.int32))[1, 3] < 0.5
    widget.dim.setChecked(False)
    assert layer.colormap is given


def test_keys_are_naparis_own_again_after_closing(viewer, layer, widget, press, qtbot):
    press("Shift+N")
    widget.parent().destroyOnClose()
    qtbot.wait(50)
    from app_model.types import KeyBinding

    for key in ("Shift+K", "Shift+N", "Alt+1"):
        assert KeyBinding.from_str(key) not in viewer.keymap
        assert KeyBinding.from_str(key) not in layer.keymap
    layer.fill((0, 0), 9)
    assert actions(layer) == []  # nobody follows any more
    press("Ctrl+Z")
    assert not (layer.data == 9).any()


def test_keys_do_not_collide_with_naparis():
    from napari.components import ViewerModel
    from napari.layers import Labels
    from napari.utils.key_bindings import coerce_keybinding
    from napari.utils.shortcuts import default_shortcuts

    from napari_mpseg.gui.review_keys import _ONLY_LAYER, KEYS

    taken = {
        str(one)
        for name, keys in default_shortcuts.items()
        if not name.startswith(("napari:activate_add", "napari:select_append"))  # of shapes and points
        for one in keys
    }
    taken |= {str(one) for owner in (ViewerModel, Labels) for one in owner.class_keymap}
    mine = [str(coerce_keybinding(key)) for entry in KEYS for key in entry.keys if key not in _ONLY_LAYER]
    assert not set(mine) & taken
    assert len(set(mine)) == len(mine)


def test_cells_edited_in_naparis_table(viewer, layer, widget, press, qtbot):
    from napari_mpseg.gui.particle_table import show_table

    table = show_table(viewer, layer)
    qtbot.wait(100)
    press("Shift+N")
    table.toggle.setChecked(True)
    model = table.table.model().sourceModel()
    column = list(layer.features.columns).index("keep") + 1
    model.setData(model.index(4, column), Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole)
    column = list(layer.features.columns).index("class") + 1
    assert model.setData(model.index(3, column), "film", Qt.ItemDataRole.EditRole)
    assert not layer.features["keep"].iloc[4]
    widget._look()
    found = [(one.action, one.labels, dict(one.after)) for one in audit_of(layer.metadata)]
    assert found == [("table", (3,), {"class": "film"}), ("table", (4,), {"keep": False})]
    assert "1</b> rejected" in widget.figures.counts.text()


def test_the_open_table_shows_decisions_and_edits(viewer, layer, widget, press, mouse, qtbot):
    from napari_mpseg.gui.particle_table import show_table

    table = show_table(viewer, layer)
    qtbot.wait(300)
    press("Shift+N")
    press("Shift+R")
    press("Alt+2")
    shown = table.table.model().sourceModel().df
    assert not shown["keep"].iloc[1]
    assert shown["class"].iloc[2] == "bead"
    widget.session.split(1, [(5, 30), (25, 30)])
    shown = table.table.model().sourceModel().df
    assert len(shown) == 7
    assert shown["area_px"].iloc[6] == layer.features["area_px"].iloc[6]
    pd.testing.assert_frame_equal(shown, layer.features, check_dtype=False, check_categorical=False)


def test_a_click_makes_a_particle_the_one_that_is_reviewed(viewer, layer, widget, press, mouse):
    viewer.reset_view()
    mouse(layer, (93, 123))
    assert widget.current == 4
    press("Shift+R")
    assert not layer.features["keep"].iloc[4]


def test_only_those_not_reviewed(layer, widget, press):
    press("Shift+N")
    press("Shift+K")
    press("Shift+K")
    widget.order.setCurrentIndex(widget.order.findData("label"))
    press("Shift+N")
    assert layer.selected_label == 3
    widget.undecided.setChecked(False)
    widget._start_anew()
    press("Shift+N")
    assert layer.selected_label == 1


def test_nothing_is_lost_by_switching_removing_and_closing(viewer, layer, widget, press, made, image, qtbot):
    press("Shift+N")
    press("Shift+R")
    other = viewer.add_labels(
        (made > 0).astype(np.int32), features=measure((made > 0).astype(np.int32)).to_features(), name="other"
    )
    assert widget.session.layer is other
    press("Shift+N")
    press("Shift+R")
    assert actions(other) == ["reject"]
    viewer.layers.selection.active = layer
    assert widget.session.layer is layer
    press("Shift+U")  # the undo of this layer is there again
    assert layer.features["keep"].iloc[1]
    press("Shift+Y")
    viewer.layers.remove(layer)
    assert widget.session.layer is other
    assert actions(layer) == ["reject", "undo", "redo"]
    viewer.layers.remove(other)
    assert widget.session is None
    assert widget.hint.isVisibleTo(widget)
    viewer.add_layer(layer)
    assert widget.session.layer is layer
    assert widget.session.counts().rejected == 1
    widget.parent().destroyOnClose()
    assert actions(layer) == ["reject", "undo", "redo"]


def test_a_layer_that_is_measured_later(viewer, made, click_menu, docked):
    from napari_mpseg.gui.review_widget import ReviewWidget

    layer = viewer.add_labels(made)
    click_menu("Layers", "Annotate", "Review particles")
    widget = docked(ReviewWidget)
    assert "Not measured" in widget.hint.text()
    layer.features = measure(made).to_features()
    assert widget.session is not None
    assert not widget.hint.isVisibleTo(widget)
    assert "keep" in layer.features


def test_labels_changed_since_are_told(viewer, made, click_menu, docked):
    from napari_mpseg.gui.review_widget import ReviewWidget

    layer = viewer.add_labels(made.copy(), features=measure(made).to_features())
    layer.data[90, 120] = 0
    click_menu("Layers", "Annotate", "Review particles")
    assert "1 particle is not as measured, the first is 4" in docked(ReviewWidget).panel.text()


def test_the_record_is_saved_and_survives_the_file(viewer, layer, widget, press, tmp_path):
    widget.save(tmp_path / "mine_audit.jsonl")
    assert "no record" in widget.panel.text()
    press("Shift+N")
    press("Shift+R")
    widget.save(tmp_path / "mine_audit.jsonl")
    assert "entries saved" in widget.panel.text()
    assert sorted(path.name for path in tmp_path.glob("mine*")) == ["mine_audit.csv", "mine_audit.jsonl"]
    layer.save(str(tmp_path / "labels.ome.zarr"), plugin="napari-mpseg")
    (again,) = viewer.open(str(tmp_path / "labels.ome.zarr"), plugin="napari-mpseg")
    assert actions(again) == ["reject"]
    assert not again.features["keep"].iloc[1]
    assert set(again.features["class"].cat.categories) >= {"unclassified"}
    assert widget.session.layer is again
    assert "1</b> of 5 reviewed" in widget.figures.counts.text()


def test_brightness_and_confidence_come_from_the_layers(viewer, made, image, rng, click_menu, docked, press):
    from napari_mpseg.gui.review_widget import ReviewWidget

    probability = rng.integers(0, 256, made.shape).astype(np.uint8)
    record = {"source": "filter"}
    viewer.add_image(image, name="another")
    viewer.add_image(image, name="filter")
    viewer.add_image(probability, name="p", metadata={"napari-mpseg": {**record, "role": "probability"}})
    features = measure(made, image, probability=probability).to_features()
    layer = viewer.add_labels(
        made.copy(), features=features, metadata={"napari-mpseg": {**record, "role": "particles"}}
    )
    click_menu("Layers", "Annotate", "Review particles")
    widget = docked(ReviewWidget)
    assert widget.image.layer.name == "filter"
    widget.session.merge([2, 3])
    expected = measure(layer.data, image, probability=probability).frame
    now = ParticleTable.from_features(layer.features).frame
    pd.testing.assert_frame_equal(now[expected.columns], expected, rtol=1e-9)


@pytest.mark.parametrize("table", [pd.DataFrame(), pd.DataFrame({"mine": range(6)})])
def test_a_table_that_is_taken_away_ends_the_review_until_it_is_measured_again(layer, widget, press, image, table):
    press("Shift+N")
    press("Shift+R")
    layer.features = table
    assert widget.session is None
    assert "Not measured" in widget.hint.text()
    assert not widget.buttons.isVisibleTo(widget)
    widget._look()
    press("Shift+R")
    layer.features = measure(layer.data, image).to_features()
    assert widget.session is not None
    assert widget.session.counts().rejected == 1


def test_a_table_that_is_replaced_while_another_layer_is_reviewed(viewer, layer, widget, press, made, image):
    press("Shift+N")
    press("Shift+R")
    viewer.add_labels(made.copy(), features=measure(made).to_features(), name="other")
    layer.features = measure(layer.data, image).to_features()
    viewer.layers.selection.active = layer
    assert widget.session.layer is layer
    assert widget.session.counts().rejected == 1
    press("Shift+N")
    press("Shift+K")


def test_a_removed_layer_is_let_go(viewer, layer, widget, press):
    press("Shift+N")
    press("Shift+R")
    viewer.layers.remove(layer)
    assert widget._sessions == []
    viewer.add_layer(layer)
    assert widget.session.counts().rejected == 1
    assert widget.session.decided == {1}


def test_the_record_does_not_replace_files_that_were_not_chosen(layer, widget, press, tmp_path, monkeypatch):
    from qtpy.QtWidgets import QFileDialog, QMessageBox

    press("Shift+N")
    press("Shift+R")
    (tmp_path / "mine_audit.csv").write_text("of somebody else")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(tmp_path / "mine.jsonl"), ""))
    asked = []

    def answer(button):
        monkeypatch.setattr(QMessageBox, "question", lambda parent, title, text: asked.append(text) or button)

    answer(QMessageBox.StandardButton.No)
    widget.ask_and_save()
    assert "mine_audit.csv" in asked[0]
    assert [path.name for path in tmp_path.glob("mine*")] == ["mine_audit.csv"]
    assert (tmp_path / "mine_audit.csv").read_text() == "of somebody else"
    widget.save(tmp_path / "mine.jsonl")
    assert widget.panel.kind == "error"
    assert (tmp_path / "mine_audit.csv").read_text() == "of somebody else"
    answer(QMessageBox.StandardButton.Yes)
    widget.ask_and_save()
    assert "reject" in (tmp_path / "mine_audit.csv").read_text()


def test_picture_of_the_widget(viewer, layer, widget, press, screenshot):
    press("Shift+N")
    press("Shift+R")
    press("Alt+2")
    viewer.reset_view()
    screenshot("review")
