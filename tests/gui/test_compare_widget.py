"""The widget *Compare methods*, as a user meets it."""

import numpy as np
import pytest


@pytest.fixture
def scene():
    """An image with two squares and a streak that is none, and its truth."""
    image = np.full((64, 80), 20, np.uint8)
    truth = np.zeros((64, 80), np.uint8)
    for top, left in ((6, 8), (30, 50)):
        image[top : top + 6, left : left + 6] = 200
        truth[top : top + 6, left : left + 6] = 1
    image[55, 5:29] = 120
    return image, truth


@pytest.fixture
def widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.compare_widget import CompareWidget

    click_menu("Layers", "Measure", "Compare methods")
    return docked(CompareWidget)


@pytest.fixture
def ready(viewer, widget, scene):
    """The widget with an image, its truth, and two quick methods ticked."""
    image, truth = scene
    viewer.add_image(image, name="filter")
    viewer.add_labels(truth, name="truth")
    for value in widget.methods.list.values:
        widget.methods.list.tick(value, value in ("fixed-level", "otsu"))
    for value in widget.metrics.values:
        widget.metrics.tick(value, value in ("precision", "recall", "f1", "count-bias"))
    return widget


def cells(table):
    return [
        [table.item(row, column).text() for column in range(table.columnCount())] for row in range(table.rowCount())
    ]


def heads(table):
    return [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]


def test_empty_state_says_what_to_do(widget, viewer, scene):
    assert "Open an image and its truth" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    viewer.add_image(scene[0], name="filter")
    assert "Choose the truth" in widget.hint.text()
    viewer.add_labels(scene[1], name="truth")
    assert widget.pairs.pairs == [(viewer.layers["filter"], viewer.layers["truth"])]
    assert widget.hint.isHidden()
    assert widget.panel.run_button.isEnabled()


def test_comparing_gives_the_table(ready, finished, qtbot, screenshot):
    ready.run()
    finished(ready)
    table = ready.results.table
    assert heads(table)[:5] == ["method", "precision", "recall", "F1", "count bias"]
    found = {row[0]: row[1:5] for row in cells(table)}
    # fixed-level takes what is above 106: the streak too, 24 px beside 72 true ones
    assert found["fixed-level"] == ["0.750", "1.000", f"{2 * 72 / (2 * 72 + 24):.3f}", "1.000"]
    assert ready.panel.status.kind == "done"
    assert "no intervals" in ready.results.notes.text()
    screenshot("compare")


def test_definitions_rest_under_the_headings_and_rows_sort(ready, finished):
    from qtpy.QtCore import Qt

    ready.run()
    finished(ready)
    table = ready.results.table
    assert "Share of the predicted pixels that are true" in table.horizontalHeaderItem(1).toolTip()
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    values = [float(row[1]) for row in cells(table)]
    assert values == sorted(values)
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert [float(row[1]) for row in cells(table)] == sorted(values, reverse=True)


def test_errors_are_a_layer_on_the_image(ready, viewer, finished, screenshot):
    viewer.layers["filter"].scale = viewer.layers["truth"].scale = (2.5, 2.5)
    ready.run()
    finished(ready)
    ready.results.method.setCurrentText("fixed-level")
    ready.results.errors_button.click()
    finished(ready)
    layer = viewer.layers["filter errors of fixed-level"]
    assert layer.scale.tolist() == [2.5, 2.5]
    assert np.bincount(np.asarray(layer.data).ravel()).tolist() == [64 * 80 - 96, 72, 24]
    ready.results.method.setCurrentText("otsu")
    ready.results.errors_button.click()
    finished(ready)
    assert [one.name for one in viewer.layers] == ["filter", "truth", "filter errors of otsu"]
    screenshot("compare_errors")


def test_labels_that_are_there_are_rows(ready, viewer, finished):
    half = np.where(np.arange(80) < 30, viewer.layers["truth"].data, 0)
    viewer.add_labels(half, name="by hand")
    (layer,) = ready.labels.values
    ready.labels.tick(layer)
    for value in ready.methods.list.values:
        ready.methods.list.tick(value, False)
    ready.run()
    finished(ready)
    ((name, precision, recall, *_, seconds, memory),) = cells(ready.results.table)
    assert (name, precision, recall) == ("by hand", "1.000", "0.500")
    assert (seconds, memory) == ("–", "–")


def test_several_images_are_compared_together(ready, viewer, scene, finished):
    image, truth = scene
    viewer.add_image(image.T.copy(), name="turned")
    viewer.add_labels(truth.T.copy(), name="truth of turned")
    ready.pairs.add_button.click()
    assert len(ready.pairs.pairs) == 2
    ready.run()
    finished(ready)
    assert len(ready.result.comparison.pictures) == 2
    assert ready.results.image.count() == 2


def test_unlike_sizes_are_told(ready, viewer, scene):
    viewer.add_labels(scene[1][:30], name="cut")
    ready.pairs.rows[0].truth.choose(viewer.layers["cut"])
    assert "80 x 30 px" in ready.hint.text()
    assert not ready.panel.run_button.isEnabled()


def test_particle_value_turns_a_mask_round(ready, viewer, scene, finished):
    viewer.layers["truth"].data = np.where(scene[1], 0, 255).astype(np.uint8)
    ready.particle_value.box.setChecked(True)
    ready.particle_value.number.setValue(0)
    ready.run()
    finished(ready)
    assert {row[0]: row[2] for row in cells(ready.results.table)}["fixed-level"] == "1.000"


def test_nothing_ticked_is_told(ready):
    for value in ready.methods.list.values:
        ready.methods.list.tick(value, False)
    ready.run()
    assert ready.panel.status.kind == "error"
    assert "at least one method" in ready.panel.status.text()


def test_saving_writes_the_page_and_replaces_nothing(ready, finished, tmp_path, monkeypatch):
    from napari_mpseg.comparison.figures import FIGURES

    monkeypatch.setattr(FIGURES, "_entries", {})  # figures have tests of their own
    monkeypatch.setattr("napari_mpseg.comparison.page._figure", lambda name, drawn: name)
    ready.run()
    finished(ready)
    for _ in range(2):
        ready.save(tmp_path / "comparison")
        finished(ready)
    assert (tmp_path / "comparison" / "comparison.html").exists()
    assert (tmp_path / "comparison 2" / "comparison.csv").exists()


def test_cancelling_makes_no_table(ready, finished):
    ready.run()
    ready.panel.cancel()
    finished(ready)
    assert ready.result is None
    assert ready.results.isHidden()


def test_choices_are_remembered(ready, viewer, finished):
    from napari_mpseg.gui.compare_widget import CompareWidget

    ready.min_size.setValue(5)
    ready.run()
    finished(ready)
    again = CompareWidget(viewer)
    assert again.min_size.value() == 5
    assert set(again.methods.ticked) == {"fixed-level", "otsu"}
    again.release()
    again.deleteLater()
