"""*Plot particles* in a real viewer: every plot, the lasso, keeping and rejecting."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

HIGHLIGHT = (0xD5 / 255, 0x5E / 255, 0, 1)
LOOP = (12, 40, 10, 45)
TITLES = (
    "Size distribution",
    "Violin of area",
    "Feret angle, density",
    "Feret angle, rose",
    "Correlation matrix",
    "Scatter of two properties",
)


@pytest.fixture
def grid():
    """Labels of 60 bars that get wider to the right and taller to the bottom."""
    data = np.zeros((180, 260), np.int32)
    for number in range(60):
        row, column = divmod(number, 10)
        y, x = 30 * row + 4, 26 * column + 3
        data[y : y + 3 + 3 * row, x : x + 2 + 2 * column] = number + 1
    return data


@pytest.fixture
def labels(viewer, grid):
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.particles.measure import measure
    from napari_mpseg.particles.review.columns import with_review_columns

    measured = measure(grid, calibration=Calibration((2, 2), "um"))
    table = with_review_columns(measured, pd.Series(["fibre", "fragment", "film"] * 20))
    return viewer.add_labels(
        grid, name="filter 1", features=table.to_features(), scale=(2, 2), units=("micrometer", "micrometer")
    )


@pytest.fixture
def plots(viewer, click_menu, docked, qtbot):
    from napari_mpseg.gui.plots_widget import PlotsWidget

    click_menu("Layers", "Visualize", "Plot particles")
    widget = docked(PlotsWidget)
    qtbot.waitUntil(lambda: widget.isVisible())
    return widget


@pytest.fixture
def choose(plots, qtbot):
    """Choose a plot as a user does, and wait until it is drawn."""

    def choose(title):
        plots.kind.setCurrentText(title)
        assert plots.kind.currentText() == title
        settle(plots, qtbot)

    return choose


def settle(plots, qtbot):
    """Wait until nothing is due to be drawn and the docks have found their sizes."""
    qtbot.waitUntil(lambda: not plots._timer.isActive())
    sizes = [None]
    while plots.canvas.size() != sizes[-1] or len(sizes) < 3:
        sizes.append(plots.canvas.size())
        qtbot.wait(60)
    plots.canvas.draw()


def texts(plots):
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in plots.canvas.figure.findobj(Text))


def drag(plots, qtbot, corners):
    """Draw with the left mouse button over the canvas; corners in the data of the plot."""
    from qtpy.QtCore import QPoint, Qt

    settle(plots, qtbot)
    axes, canvas = plots.canvas.figure.axes[0], plots.canvas
    ratio = canvas.device_pixel_ratio
    places = axes.transData.transform(np.asarray(corners, float)) / ratio
    points = [QPoint(round(x), round(canvas.height() - y)) for x, y in places]
    qtbot.mouseMove(canvas, points[0])
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
    for start, end in pairwise(points):
        for share in np.linspace(0, 1, 6)[1:]:
            send_move(canvas, start + (end - start) * share)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])
    qtbot.wait(50)


def send_move(canvas, point):
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = QPointF(point)
    event = QMouseEvent(QEvent.Type.MouseMove, place, QPointF(canvas.mapToGlobal(point)), left, left, none)
    QApplication.sendEvent(canvas, event)


def loop(x, y, width, height):
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]


def values(labels):
    """Return the default axes of the scatter plot by label."""
    return labels.features["feret_max_um"].to_numpy(float), labels.features["circularity"].to_numpy(float)


def loop_around(labels, first, last, low, high):
    """Return a loop in wide gaps between points, near those ranks across and upwards, and the labels inside."""

    def gap(ranked, rank):
        near = ranked[max(0, rank - 5) : rank + 5]
        widest = int(np.argmax(np.diff(near)))
        return near[widest : widest + 2].mean()

    x, y = values(labels)
    across, upwards = np.unique(x[1:].round(6)), np.unique(y[1:].round(6))
    left, right, bottom, top = gap(across, first), gap(across, last), gap(upwards, low), gap(upwards, high)
    inside = np.flatnonzero((x > left) & (x < right) & (y > bottom) & (y < top))
    assert len(inside) > 5
    return loop(left, bottom, right - left, top - bottom), inside


def test_without_measured_labels_it_says_what_to_do(viewer, plots, grid, qtbot, screenshot):
    assert "No measured labels" in plots.hint.text()
    assert plots.hint.isVisible()
    assert not plots.canvas.isVisible()
    screenshot("plots_empty")
    layer = viewer.add_labels(grid, name="painted")
    assert plots.hint.isVisible()
    from napari_mpseg.particles.measure import measure

    layer.features = measure(grid).to_features()
    settle(plots, qtbot)
    assert not plots.hint.isVisible()
    assert plots.canvas.isVisible()
    assert "n = 60" in texts(plots)


@pytest.mark.parametrize("title", TITLES)
def test_each_plot_is_drawn(viewer, labels, plots, choose, title, screenshot):
    choose(title)
    assert plots.status.text() == ""
    assert "n = 60" in texts(plots)
    assert plots.canvas.figure.axes
    screenshot(f"plots_{plots.entry.name}")


def test_options_are_in_words_and_redraw(viewer, labels, plots, choose, qtbot):
    choose("Size distribution")
    column = plots.options.fields["column"]
    words = [column.itemText(row) for row in range(column.count())]
    assert words[0] == "Maximum Feret diameter (µm)"
    assert "Area (µm²)" in words
    assert not any("entroid" in word for word in words)
    column.setCurrentIndex(words.index("Area (px²)"))
    column.activated.emit(column.currentIndex())
    assert "Area (px²)" in texts(plots)
    plots.options.fields["percent"].click()
    assert "Particles (%)" in texts(plots)
    by = plots.options.fields["by"]
    by.setCurrentIndex(by.findData("class"))
    by.activated.emit(by.currentIndex())
    assert "film (n = 20)" in texts(plots)
    choose("Scatter of two properties")
    choose("Size distribution")
    assert "Area (px²)" in texts(plots)  # remembered
    field = plots.options.fields["borders"]
    field.setText("nonsense")
    field.editingFinished.emit()
    assert plots.status.kind == "error"
    assert "no size classes" in plots.status.text()
    field.setText("")
    field.editingFinished.emit()
    assert plots.status.text() == ""


def test_it_follows_the_table(viewer, labels, plots, choose, qtbot):
    choose("Violin of area")
    features = labels.features.copy()
    features.loc[1:15, "keep"] = False
    labels.features = features
    settle(plots, qtbot)
    assert "n = 45" in texts(plots)
    labels.features.loc[1:20, "keep"] = False  # as napari's table edits: nobody is told
    plots.refresh_button.click()
    assert "n = 40" in texts(plots)


def test_a_table_that_cannot_be_read_is_told_and_comes_back(viewer, labels, plots, qtbot, tmp_path, monkeypatch):
    was = labels.features.copy()
    labels.features = was.assign(bbox_y0=was["bbox_y0"].where(was["index"] != 7))
    qtbot.waitUntil(lambda: plots.status.kind == "error")  # an error in the timer fails the test
    assert "filter 1" in plots.status.text()
    assert "'bbox_y0' is empty" in plots.status.text()
    assert plots.canvas.isVisible()
    plots.save(tmp_path / "figure.png")
    plots.copy()
    assert not (tmp_path / "figure.png").exists()
    assert "bbox_y0" in plots.status.text()
    labels.features = was
    qtbot.waitUntil(lambda: not plots.status.text())
    plots.save(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").exists()


def test_several_layers(viewer, labels, plots, choose, qtbot, screenshot):
    from qtpy.QtCore import Qt

    other = viewer.add_labels(labels.data, name="filter 2", features=labels.features.iloc[:31])
    viewer.add_labels(labels.data, name="painted")
    choose("Size distribution")
    assert plots.layers.chosen == [other]  # the layer made active last, as long as one is ticked
    assert [layer.name for layer in plots.layers.measured] == ["filter 2", "filter 1"]
    plots.layers.item(2).setCheckState(Qt.CheckState.Checked)
    settle(plots, qtbot)
    assert {"filter 1 (n = 60)", "filter 2 (n = 30)"} <= set(texts(plots).splitlines())
    screenshot("plots_two")
    viewer.layers.remove(other)
    settle(plots, qtbot)
    assert plots.layers.chosen == [labels]
    assert "n = 60" in texts(plots)


def test_the_theme_changes_the_ink(viewer, labels, plots, choose, qtbot, screenshot):
    from matplotlib.colors import to_rgb
    from napari.settings import get_settings

    choose("Violin of area")
    assert min(to_rgb(plots.canvas.figure.axes[0].yaxis.label.get_color())) > 0.8
    get_settings().appearance.theme = "light"
    settle(plots, qtbot)
    assert max(to_rgb(plots.canvas.figure.axes[0].yaxis.label.get_color())) < 0.2
    assert min(plots.canvas.figure.get_facecolor()[:3]) > 0.8
    screenshot("plots_light")


def test_a_loop_around_points_selects_their_particles(viewer, labels, plots, choose, qtbot, screenshot):
    choose("Scatter of two properties")
    own = labels.colormap
    before = np.array([labels.get_color(label) for label in range(1, 61)])
    x, y = values(labels)
    corners, inside = loop_around(labels, *LOOP)
    drag(plots, qtbot, corners)
    assert list(plots.selection) == ["filter 1"]
    np.testing.assert_array_equal(plots.selection["filter 1"], inside)
    assert f"{len(inside)} of 60 particles selected" in plots.lasso_hint.text()
    for label in range(1, 61):
        colour = labels.get_color(label)
        if label in inside:
            np.testing.assert_allclose(colour, HIGHLIGHT, atol=1e-6)
        else:
            assert colour[3] < 0.5
    shown = plots._lasso._chosen.get_xydata()
    np.testing.assert_allclose(shown, np.column_stack([x, y])[inside])
    screenshot("plots_lasso")
    plots.clear_button.click()
    assert plots.selection == {}
    assert labels.colormap is own
    np.testing.assert_array_equal([labels.get_color(label) for label in range(1, 61)], before)
    assert not plots.reject_button.isEnabled()


def test_a_loop_on_logarithmic_axes(viewer, labels, plots, choose, qtbot):
    choose("Scatter of two properties")
    for name in ("log_x", "log_y"):
        plots.options.fields[name].click()
    settle(plots, qtbot)
    corners, inside = loop_around(labels, 10, 45, 15, 40)
    drag(plots, qtbot, corners)
    np.testing.assert_array_equal(plots.selection["filter 1"], inside)


def test_a_loop_over_two_layers_and_more_with_shift(viewer, labels, plots, choose, qtbot, monkeypatch):
    from qtpy.QtCore import Qt

    from napari_mpseg.gui import plots_widget as module

    other = viewer.add_labels(labels.data, name="filter 2", features=labels.features.copy())
    plots.layers.choose([labels, other])
    choose("Scatter of two properties")
    corners, inside = loop_around(labels, *LOOP)
    drag(plots, qtbot, corners)
    assert set(plots.selection) == {"filter 1", "filter 2"}
    for found in plots.selection.values():
        np.testing.assert_array_equal(found, inside)
    x, y = values(labels)
    first = np.setdiff1d(np.arange(1, 61), inside)[0]
    shift = Qt.KeyboardModifier.ShiftModifier
    monkeypatch.setattr(module.QApplication, "keyboardModifiers", lambda *_: shift)
    drag(plots, qtbot, [(x[first], y[first])] * 2)
    assert plots.chosen.count == 2 * len(inside) + 1
    plots.layers.choose([labels])
    assert plots.selection == {}


def test_a_click_selects_one_particle_and_moves_the_view(viewer, labels, plots, choose, qtbot):
    choose("Scatter of two properties")
    x, y = values(labels)
    largest = int(np.nanargmax(x))
    drag(plots, qtbot, [(x[largest], y[largest])] * 2)
    assert plots.selection["filter 1"].tolist() == [largest]
    assert labels.selected_label == largest
    assert viewer.layers.selection.active == labels
    rows, columns = np.nonzero(labels.data == largest)
    middle = 2 * np.array([rows.min() + rows.max(), columns.min() + columns.max()]) / 2
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], middle)
    drag(plots, qtbot, [(x[largest] * 0.5, 0.02)] * 2)  # nothing is near: nothing changes
    assert plots.selection["filter 1"].tolist() == [largest]


def test_keeping_and_rejecting_with_undo(viewer, labels, plots, choose, qtbot, screenshot):
    from napari_mpseg.particles.review.audit import audit_of

    choose("Scatter of two properties")
    before = labels.features.copy()
    drag(plots, qtbot, loop_around(labels, *LOOP)[0])
    chosen = plots.selection["filter 1"]
    plots.reject_button.click()
    keep = labels.features["keep"]
    assert np.flatnonzero((keep == False).fillna(False)).tolist() == chosen.tolist()  # noqa: E712
    assert keep.isna().tolist() == [True] + [False] * 60
    assert plots.selection == {}
    assert f"n = {60 - len(chosen)}" in texts(plots)
    assert "rejected" in plots.status.text()
    entry = audit_of(labels.metadata)[-1]
    assert (entry.action, entry.labels) == ("reject", tuple(chosen))
    screenshot("plots_rejected")

    plots.undo_button.click()
    assert labels.features.equals(before)
    assert "n = 60" in texts(plots)
    assert audit_of(labels.metadata)[-1].action == "undo"
    assert not plots.undo_button.isEnabled()

    drag(plots, qtbot, loop_around(labels, *LOOP)[0])
    chosen = plots.selection["filter 1"]
    plots.keep_button.click()
    assert np.flatnonzero(labels.features["keep"].fillna(False)).tolist() == chosen.tolist()
    assert f"n = {len(chosen)}" in texts(plots)
    plots.undo_button.click()
    assert labels.features.equals(before)


def test_rejecting_without_the_column_adds_it(viewer, grid, plots, choose, qtbot):
    from napari_mpseg.particles.measure import measure

    layer = viewer.add_labels(grid, name="bare", features=measure(grid).to_features())
    choose("Scatter of two properties")
    plots.chosen.take({layer: np.array([2, 3])}, [layer])
    plots.reject()
    assert layer.features["keep"].tolist()[1:5] == [True, False, False, True]
    assert layer.features["keep"].dtype == "boolean"
    assert layer.features.columns[1] == "keep"


def test_figures_are_saved_and_copied(viewer, labels, plots, choose, tmp_path, monkeypatch):
    from qtpy.QtWidgets import QApplication

    from napari_mpseg.gui import plots_widget as module

    choose("Correlation matrix")
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        path = tmp_path / "figure"
        monkeypatch.setattr(
            module.QFileDialog, "getSaveFileName", lambda *args, path=path, e=ending: (str(path), f"(*{e})")
        )
        plots.save_button.click()
        assert path.with_suffix(ending).read_bytes().startswith(start)
        assert str(path) in plots.status.text()
    plots.save(tmp_path / "figure.bmp")
    assert plots.status.kind == "error"
    plots.copy_button.click()
    picture = QApplication.clipboard().image()
    assert picture.width() > 600
    assert picture.pixelColor(2, 2).name() == "#ffffff"


def test_closing_gives_the_colours_back(viewer, labels, plots, choose, qtbot):
    choose("Scatter of two properties")
    own = labels.colormap
    drag(plots, qtbot, loop_around(labels, *LOOP)[0])
    assert labels.colormap is not own
    plots.parent().destroyOnClose()
    qtbot.wait(100)
    assert labels.colormap is own
    labels.features = labels.features.copy()
    viewer.add_labels(np.zeros((5, 5), int))
    qtbot.wait(200)


def test_matplotlib_stays_as_it_was(viewer, labels, plots):
    """The widget embeds its canvas: it opens no figure of pyplot and changes no setting."""
    import subprocess
    import sys

    program = (
        "import matplotlib, sys; before = matplotlib.rcParams.copy()\n"
        "from napari_mpseg.gui import plots_widget, colour_widget\n"
        "assert matplotlib.rcParams.copy() == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_saved_and_copied_shows_cells_edited_since(viewer, labels, plots, choose, tmp_path):
    """Editing a cell in napari's table is announced by nobody."""
    choose("Scatter of two properties")
    for number, make in enumerate((lambda: plots.save(tmp_path / "a.svg"), plots.copy)):
        labels.features.loc[number + 1, "keep"] = False
        assert f"n = {59 - number}" not in texts(plots)
        make()
        assert f"n = {59 - number}" in texts(plots)
    assert plots.status.text() == "Figure copied."


def test_a_decision_is_recorded_once_and_taken_back(viewer, grid):
    from napari.components import ViewerModel

    from napari_mpseg.gui.plots_keep import KeepDecisions
    from napari_mpseg.gui.review_session import ReviewSession
    from napari_mpseg.particles.measure import measure
    from napari_mpseg.particles.review.audit import audit_of
    from napari_mpseg.particles.review.columns import with_review_columns

    model = ViewerModel()
    layer = model.add_labels(grid, features=with_review_columns(measure(grid)).to_features())
    decisions = KeepDecisions()
    decisions.decide([(layer, np.array([2, 3]), False)])
    assert audit_of(layer.metadata).reviewed() == {2, 3}
    decisions.undo()
    assert audit_of(layer.metadata)[-1].before == {"action": "reject", "keep": False}
    assert audit_of(layer.metadata).reviewed() == set()

    session = ReviewSession(model, layer)
    before = len(audit_of(layer.metadata))
    decisions.decide([(layer, np.array([5]), False)])
    assert [one.labels for one in audit_of(layer.metadata)][before:] == [(5,)]
    session.close()
