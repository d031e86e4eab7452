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
    assert heads(table)[:5] == ["method", "F1", "precision", "recall", "count bias"]
    found = {row[0]: row[1:5] for row in cells(table)}
    # fixed-level takes what is above 106: the streak too, 24 px beside 72 true ones
    assert found["fixed-level"] == [f"{2 * 72 / (2 * 72 + 24):.3f}", "0.750", "1.000", "1.000"]
    assert ready.panel.status.kind == "done"
    assert ready.panel.status.text() == "2 rows on filter."
    assert "no intervals" in ready.results.notes.text()
    screenshot("compare")


def test_definitions_rest_under_the_headings_and_rows_sort(ready, finished):
    from qtpy.QtCore import Qt

    ready.run()
    finished(ready)
    table = ready.results.table
    assert "Share of the predicted pixels that are true" in table.horizontalHeaderItem(2).toolTip()
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
    assert [one.name for one in viewer.layers] == ["filter", "truth", layer.name, "filter errors of otsu"]
    assert not layer.visible  # through each other they would be taken for the errors of one
    screenshot("compare_errors")


def test_errors_that_were_renamed_are_kept(ready, viewer, finished):
    ready.run()
    finished(ready)
    for _ in range(2):  # the second time into the same layer
        ready.results.errors_button.click()
        finished(ready)
    (kept,) = [layer for layer in viewer.layers if "errors" in layer.name]
    kept.name = "mine"
    kept.data[:5] = 3
    ready.results.errors_button.click()
    finished(ready)
    assert np.all(kept.data[:5] == 3)
    assert [layer.name for layer in viewer.layers if layer not in (kept, *viewer.layers[:2])] == [
        f"filter errors of {ready.results.method.currentText()}"
    ]


def test_labels_that_are_there_are_rows(ready, viewer, finished):
    half = np.where(np.arange(80) < 30, viewer.layers["truth"].data, 0)
    viewer.add_labels(half, name="by hand")
    (layer,) = ready.labels.values
    ready.labels.tick(layer)
    for value in ready.methods.list.values:
        ready.methods.list.tick(value, False)
    ready.run()
    finished(ready)
    ((name, _, precision, recall, *_, seconds, memory),) = cells(ready.results.table)
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
    assert {row[0]: row[3] for row in cells(ready.results.table)}["fixed-level"] == "1.000"


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


# -- several images of one size ------------------------------------------------------------------------------------


@pytest.fixture
def two(viewer, widget, scene):
    """The widget with two images of one size and their truth, and a table of F1 and recall of labels alone."""
    image, truth = scene
    for name, data in (("A", image), ("B", image[::-1].copy())):
        viewer.add_image(data, name=name)
        viewer.add_labels(truth if name == "A" else truth[::-1].copy(), name=f"{name} expert")
    widget.pairs.add_button.click()
    for value in widget.methods.list.values:
        widget.methods.list.tick(value, False)
    for value in widget.metrics.values:
        widget.metrics.tick(value, value in ("f1", "recall"))
    return widget


def scores(widget):
    return {row[0]: row[1:3] for row in cells(widget.results.table)}


def pairs(widget):
    return {image.name: truth.name for image, truth in widget.pairs.pairs}


def test_truth_is_proposed_by_name(two, viewer):
    from napari_mpseg.gui.compare_widget import CompareWidget

    assert pairs(two) == {"A": "A expert", "B": "B expert"}
    viewer.add_labels(viewer.layers["A expert"].data.copy(), name="A colleague")
    again = CompareWidget(viewer)  # everything is there when it opens
    again.pairs.add_button.click()
    assert pairs(again) == {"A": "A expert", "B": "B expert"}
    again.release()
    again.deleteLater()


def test_no_image_is_added_twice(two, viewer, scene):
    assert not two.pairs.add_button.isEnabled()
    two.pairs.add()
    assert len(two.pairs.rows) == 2
    viewer.add_image(scene[0], name="C")
    assert two.pairs.add_button.isEnabled()
    two.pairs.add_button.click()
    assert two.pairs.rows[2].pair == (viewer.layers["C"], None)


def test_closing_an_image_takes_its_truth_out_of_the_row(two, viewer):
    first = two.pairs.rows[0]
    closed, other = first.image.layer, two.pairs.rows[1].image.layer
    viewer.layers.remove(closed)
    assert first.pair == (None, None)
    assert pairs(two) == {other.name: f"{other.name} expert"}
    assert "Choose the image" in two.hint.text()
    assert not two.panel.run_button.isEnabled()
    first.remove_button.click()
    assert two.panel.run_button.isEnabled()


def test_another_image_gets_its_own_truth(two, viewer):
    two.pairs.rows[1].remove_button.click()
    (row,) = two.pairs.rows
    for name in ("B", "A"):
        row.image.choose(viewer.layers[name])
        assert pairs(two) == {name: f"{name} expert"}


def test_labels_are_scored_on_the_image_whose_name_they_have(two, viewer, finished):
    for name in ("A", "B"):
        two.labels.tick(viewer.add_labels(viewer.layers[f"{name} expert"].data.copy(), name=f"{name} colleague"))
    two.run()
    finished(two)
    assert scores(two) == {"colleague": ["1.000", "1.000"]}  # one row for both
    assert two.panel.status.kind == "done"
    assert two.panel.status.text() == "1 row on 2 images."


def test_labels_of_some_images_are_no_failure(two, viewer, finished):
    two.labels.tick(viewer.add_labels(viewer.layers["A expert"].data.copy(), name="A by hand"))
    two.run()
    finished(two)
    assert scores(two) == {"by hand (1 of 2 images)": ["1.000", "1.000"]}
    assert two.panel.status.kind == "done"
    assert "failed" not in two.results.notes.text()


def test_results_stay_with_their_image_when_it_is_renamed(two, viewer, finished):
    record = {"napari-mpseg": {"role": "particles", "source": "A", "provenance": {"settings": {"method": "otsu"}}}}
    result = viewer.add_labels(viewer.layers["A expert"].data.copy(), name="A particles", metadata=record)
    viewer.layers["A"].name = "filter 7"
    two.labels.tick(result)
    result.name = "found"
    assert two.labels.list.item(0).text() == "found"
    two.run()
    finished(two)
    assert scores(two) == {"found (otsu) (1 of 2 images)": ["1.000", "1.000"]}
    assert two.result.comparison.cases[0].image == "filter 7"


def test_the_user_says_of_which_image_labels_are(two, viewer, finished):
    labels = [viewer.add_labels(viewer.layers[f"{name} expert"].data.copy(), name=name * 3) for name in ("A", "B")]
    for layer in labels:
        two.labels.tick(layer)
    two.run()
    assert two.panel.status.kind == "error"
    assert "Choose the image that “AAA” belongs to" in two.panel.status.text()
    for layer, name in zip(labels, "AB", strict=True):
        image, heading = two.labels.fields_of(layer)
        image.setCurrentText(name)
        image.activated.emit(image.currentIndex())
        heading.setText("colleague")
    two.run()
    finished(two)
    assert scores(two) == {"colleague": ["1.000", "1.000"]}


def test_two_labels_of_one_image_need_two_rows(two, viewer):
    for name in ("A x", "A y"):
        layer = viewer.add_labels(viewer.layers["A expert"].data.copy(), name=name)
        two.labels.tick(layer)
        two.labels.fields_of(layer)[1].setText("same")
    two.run()
    assert "both labels of A in the row “same”" in two.panel.status.text()


def test_a_closed_image_is_named_in_its_result(two, viewer, finished):
    two.labels.tick(viewer.add_labels(viewer.layers["A expert"].data.copy(), name="A by hand"))
    two.run()
    finished(two)
    assert two.results.image.count() == 2
    viewer.layers.remove(viewer.layers["A"])
    assert "No longer open: A." in two.results.heading.text()
    assert [two.results.image.itemText(place) for place in range(two.results.image.count())] == ["B"]
    viewer.layers.clear()
    assert "No longer open: A, B." in two.results.heading.text()
    assert not two.results.errors_button.isEnabled()


# -- planes and masks ----------------------------------------------------------------------------------------------


def test_labels_of_another_plane_are_refused(ready, viewer, scene, finished):
    image, truth = scene
    viewer.layers.clear()
    space = {"scale": (5, 1, 1), "translate": (10, 0, 0)}
    stack = viewer.add_image(np.stack([image, image.T.copy().reshape(image.shape), image]), name="stack", **space)
    # the truth lies two planes deeper: its first plane is at the third of the image
    viewer.add_labels(np.stack([truth, 0 * truth]), name="truth", scale=(5, 1, 1), translate=(20, 0, 0))
    hand = viewer.add_labels(truth[None], name="by hand", scale=(5, 1, 1), translate=(20, 0, 0))
    ready.pairs.rows[0].truth.choose(viewer.layers["truth"])
    ready.labels.tick(hand)
    for place in (10, 25):
        viewer.dims.set_point(0, place)
        ready.run()
        assert ready.panel.status.kind == "error"
        assert "has no plane where the sliders" in ready.panel.status.text()
    viewer.dims.set_point(0, 20)
    ready.run()
    finished(ready)
    assert ready.panel.status.text() == "3 rows on stack, plane 2."
    assert {row[0]: row[1] for row in cells(ready.results.table)}["by hand"] == "1.000"
    ready.results.errors_button.click()
    finished(ready)
    assert viewer.layers[-1].translate.tolist() == [20, 0, 0]
    assert stack.data.shape == (3, *image.shape)


def test_an_inverted_mask_is_told_before_and_after(widget, viewer, scene, finished):
    image, truth = scene
    viewer.add_image(image, name="a")
    viewer.add_image(np.where(truth, 0, 255).astype(np.uint8), name="a mask")
    assert pairs(widget) == {"a": "a mask"}
    assert "99% of the true pixels" in widget.truth_note.text()  # (5120 - 72) / 5120
    for value in widget.methods.list.values:
        widget.methods.list.tick(value, value == "otsu")
    widget.run()
    finished(widget)
    assert widget.panel.status.kind == "warning"
    assert "wrong way round" in widget.panel.status.text()
    widget.particle_value.box.setChecked(True)
    assert not widget.truth_note.text()


def test_a_remembered_value_never_turns_labels_round(ready, viewer, finished):
    from napari_mpseg.gui.compare_widget import CompareWidget

    layer = viewer.layers["truth"]
    mask = viewer.add_image(np.where(layer.data, 0, 255).astype(np.uint8), name="filter mask", visible=False)
    ready.pairs.rows[0].truth.choose(mask)
    ready.particle_value.box.setChecked(True)
    ready.run()
    finished(ready)
    viewer.layers.remove(mask)
    again = CompareWidget(viewer)
    again.pairs.rows[0].truth.choose(layer)
    assert again.particle_value.value is None
    again.particle_value.box.setChecked(True)
    assert "take the tick of “only value” away" in again.truth_note.text()
    again.release()
    again.deleteLater()


def test_length_columns_have_their_unit(ready, viewer, finished):
    ready.metrics.tick("size-wasserstein")
    viewer.layers["filter"].scale = (2.5, 2.5)
    viewer.layers["filter"].units = ("um", "um")
    ready.run()
    finished(ready)
    assert "size distance (µm)" in heads(ready.results.table)
