"""*Count in clutter* in a real viewer."""

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.gui.count_shapes import ROLE, corners_of, rectangles
from napari_mpseg.layers import role_of
from napari_mpseg.particles.counting import count_particles
from napari_mpseg.particles.counting.marks import MARKS
from napari_mpseg.particles.counting.record import counted_of
from napari_mpseg.particles.review.audit import audit_of
from napari_mpseg.particles.reviewable import measure_for_review

GREY = tuple(int(MARKS["rejected"][k : k + 2], 16) / 255 for k in (1, 3, 5))


@pytest.fixture
def widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.count_widget import CountWidget

    click_menu("Layers", "Measure", "Count in clutter")
    return docked(CountWidget)


@pytest.fixture
def labels():
    """A fibre in two strands 8 px apart (labels 1 and 2), and two specks."""
    labels = np.zeros((80, 120), np.int32)
    labels[20:22, 10:30], labels[20:22, 38:60] = 1, 2
    labels[60:62, 100:102], labels[40:43, 10:13] = 4, 3
    return labels


@pytest.fixture
def probability(labels):
    return np.select([labels == 1, labels == 2, labels == 3, labels == 4], [240, 240, 150, 200]).astype("uint8")


@pytest.fixture
def measured(viewer, labels, probability):
    """A result: its image's probability, and its labels with their table."""
    about = {"source": "filter"}
    space = {"scale": (2.0, 2.0), "units": ("um", "um")}
    viewer.add_image(probability, name="p", metadata={"napari-mpseg": {**about, "role": "probability"}}, **space)
    features = measure_for_review(labels, probability=probability).to_features()
    return viewer.add_labels(
        labels, features=features, name="found", metadata={"napari-mpseg": {**about, "role": "particles"}}, **space
    )


@pytest.fixture
def counted(widget, finished, measured):
    widget.source.choose(measured)
    widget.panel.run_button.click()
    finished(widget)
    return widget


def boxes_of(viewer):
    (layer,) = [layer for layer in viewer.layers if role_of(layer) == ROLE]
    return layer


def test_nothing_there_says_what_to_do(widget, screenshot):
    assert "Nothing to count on yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    assert not widget.boxes.isVisible()
    screenshot("count_empty")


def test_boxes_lie_around_joined_particles_the_least_sure_first(viewer, counted, measured, probability, tmp_path):
    layer = boxes_of(viewer)
    assert layer.features["area_px"].tolist() == [9, 4, 84]
    assert layer.features["confidence"].tolist() == pytest.approx([150 / 255, 200 / 255, 240 / 255])
    # the strands, and 3 px on each side; a pixel's centre is a whole number
    assert layer.data[2].min(0).tolist() == [16.5, 6.5]
    assert layer.data[2].max(0).tolist() == [24.5, 62.5]
    np.testing.assert_allclose(layer.scale, measured.scale)
    assert [tuple(np.round(colour[:3], 3)) for colour in layer.edge_color] == [
        tuple(np.round([int(MARKS[kind][k : k + 2], 16) / 255 for k in (1, 3, 5)], 3))
        for kind in ("below 0.7", "0.7 to 0.9", "0.9 or more")
    ]
    assert "3 particles" in counted.boxes.figures.text()
    counted.save(tmp_path / "boxes.csv")
    table = pd.read_csv(tmp_path / "boxes.csv")
    assert table["y0_um"].tolist() == [34, 74, 114]
    assert table["labels"].tolist() == ["1 2", "3", "4"]
    assert "3 boxes saved" in counted.panel.status.text()
    alone = count_particles(measured.data, numbered=True, probability=probability)
    assert counted.review.boxes.corners.tolist() == alone.corners.tolist()


def test_of_very_many_the_least_sure_are_shown_first(viewer, counted, monkeypatch):
    monkeypatch.setattr("napari_mpseg.gui.count_shapes.MOST", 2)
    counted.panel.status.say("")
    counted._begin(counted.review.layer, counted.review.boxes)
    assert boxes_of(viewer).features["number"].tolist() == [2, 3]
    assert "least sure boxes only" in counted.boxes.legend.text()
    assert "1 surer" in counted.boxes.legend.text()
    assert "3 particles" in counted.boxes.figures.text()
    for _ in range(3):
        counted.step(1)
    assert boxes_of(viewer).features["number"].tolist() == [1]
    assert "next ones" in counted.panel.status.text()


def test_decisions_reach_the_table_and_its_record_and_can_be_undone(viewer, counted, measured, screenshot):
    layer = boxes_of(viewer)
    for _ in range(3):
        counted.boxes.buttons["next"].click()
    assert "2 particles joined" in counted.boxes.current.text()
    counted.boxes.buttons["reject"].click()
    keep = measured.features["keep"]
    assert keep.tolist()[1:] == [False, False, True, True]
    assert [entry.action for entry in audit_of(measured.metadata)] == ["reject"]
    assert audit_of(measured.metadata).reviewed() == {1, 2}
    assert layer.features["keep"].tolist() == [True, True, False]
    np.testing.assert_allclose(layer.edge_color[2][:3], GREY, atol=1e-3)
    assert "2 particles" in counted.boxes.figures.text()
    counted.boxes.buttons["undo"].click()
    assert measured.features["keep"].tolist()[1:] == [True] * 4
    assert audit_of(measured.metadata).reviewed() == set()
    assert layer.features["keep"].all()
    counted.boxes.buttons["redo"].click()
    assert measured.features["keep"].tolist()[1:] == [False, False, True, True]
    counted.go_to(1)
    counted.boxes.buttons["accept"].click()
    assert measured.features["keep"].tolist()[1:] == [True] * 4
    screenshot("count_review")


def test_what_is_decided_in_the_table_is_seen_at_the_boxes(viewer, counted, measured):
    frame = measured.features.copy()
    frame.loc[3, "keep"] = False
    measured.features = frame
    assert boxes_of(viewer).features["keep"].tolist() == [False, True, True]
    assert counted.review.boxes.count == 2


def test_a_drawn_box_counts_and_is_saved_with_the_labels(viewer, qtbot, counted, measured, finished, tmp_path):
    layer = boxes_of(viewer)
    counted.boxes.draw.click()
    assert layer.mode == "add_rectangle"
    layer.add(rectangles(np.array([[50.0, 40, 60.2, 55]])), shape_type="rectangle")
    qtbot.waitUntil(lambda: len(counted.review.boxes) == 4)
    counted.boxes.draw.click()
    assert layer.mode == "pan_zoom"
    drawn = counted.review.frame.iloc[-1]
    assert drawn[["y0", "x0", "y1", "x1"]].tolist() == [50, 40, 60, 55]
    assert "4 particles</b>, 1 drawn by hand" in counted.boxes.figures.text()
    counted.go_to(2)
    counted.decide(keep=False)
    path = tmp_path / "saved.ome.zarr"
    measured.save(str(path), plugin="napari-mpseg")
    viewer.layers.clear()
    viewer.open(str(path), plugin="napari-mpseg")
    (loaded,) = viewer.layers
    counted.source.choose(loaded)
    assert "saved boxes (4)" in counted.saved.text()
    counted.saved.click()
    assert counted.review.boxes.count == 3
    again = boxes_of(viewer).features.set_index("number")
    assert again["keep"].to_dict() == {1: True, 2: False, 3: True, 4: True}
    assert again.loc[4, "origin"] == "drawn"
    # counting again keeps what was drawn by hand
    counted.panel.run_button.click()
    finished(counted)
    assert counted.review.boxes.count == 3
    assert len(counted_of(loaded.metadata)) == 4


def test_drawing_and_deleting_can_be_undone(viewer, qtbot, counted, measured):
    layer = boxes_of(viewer)
    layer.add(rectangles(np.array([[50.0, 40, 60, 55]])), shape_type="rectangle")
    qtbot.waitUntil(lambda: len(counted.review.boxes) == 4)
    counted.boxes.buttons["undo"].click()
    assert len(counted.review.boxes) == 3 == layer.nshapes
    counted.boxes.buttons["redo"].click()
    assert len(counted.review.boxes) == 4 == layer.nshapes
    number = int(layer.features["number"].iloc[0])
    layer.remove([0])  # napari's own Delete: a found box is rejected
    qtbot.waitUntil(lambda: counted.review.boxes.count == 3)
    assert not measured.features["keep"].iloc[3]
    counted.boxes.buttons["undo"].click()
    assert measured.features["keep"].iloc[3]
    assert number in layer.features["number"].tolist()
    layer.remove([counted.shapes.index_of(4)])  # a drawn one goes
    qtbot.waitUntil(lambda: len(counted.review.boxes) == 3)
    counted.boxes.buttons["undo"].click()
    assert counted.review.boxes.count == 4


def test_a_moved_box_keeps_its_new_corners(viewer, qtbot, counted, measured):
    layer = boxes_of(viewer)
    data = [shape.copy() for shape in layer.data]
    data[1] = rectangles(np.array([[55.0, 95, 70, 110]]))[0]
    layer.data = data
    qtbot.waitUntil(lambda: counted.review.can_undo)
    assert counted_of(measured.metadata).frame.set_index("number").loc[
        int(layer.features["number"].iloc[1]), ["y0", "x0", "y1", "x1"]
    ].tolist() == [55, 95, 70, 110]
    counted.boxes.buttons["undo"].click()
    index = counted.shapes.index_of(int(counted.review.order()[1]))
    assert corners_of(layer.data[index]) == [57, 97, 65, 105]


def test_a_mask_and_a_probability_get_labels_with_a_table(viewer, widget, finished, labels, probability):
    viewer.add_labels((labels > 0).astype("uint8"), name="mask")
    widget.panel.run_button.click()
    finished(widget)
    made = viewer.layers["mask counted"]
    np.testing.assert_array_equal(made.data > 0, labels > 0)
    assert made.data[20, 10] == made.data[20, 59]
    assert len(made.features) == 4
    assert boxes_of(viewer).features["confidence"].isna().all()
    widget.go_to(1)
    widget.decide(keep=False)
    assert made.features["keep"].iloc[1] == False  # noqa: E712 - numpy's
    layer = viewer.add_image(probability, name="p", metadata={"napari-mpseg": {"role": "probability", "source": "f"}})
    widget.source.choose(layer)
    widget.threshold.setValue(0.7)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.review.boxes.count == 2
    assert viewer.layers["p counted"].features["confidence"].iloc[1:].tolist() == pytest.approx([240 / 255, 200 / 255])


def test_sizes_in_um_and_impossible_ones(widget, finished, measured):
    widget.source.choose(measured)
    widget.settings_form.unit.choose("um")
    assert widget.settings_form.values["dilate"] == 30
    widget.settings_form.dilate.setValue(10)
    widget.settings_form.erode.setValue(10)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.review.boxes.count == 4
    widget.settings_form.unit.choose("px")
    widget.settings_form.dilate.setValue(4)
    widget.panel.run_button.click()
    assert "odd" in widget.panel.status.text() or "eat" in widget.panel.status.text()


def test_the_preview_counts_what_is_in_view(viewer, qtbot, widget, measured):
    widget.source.choose(measured)
    viewer.reset_view()
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: "3 particles in view" in widget.preview.count.text(), timeout=20_000)
    widget.settings_form.dilate.setValue(9)
    qtbot.waitUntil(lambda: "3 particles in view" in widget.preview.count.text(), timeout=20_000)
    widget.settings_form.erode.setValue(5)
    widget.settings_form.dilate.setValue(5)
    qtbot.waitUntil(lambda: "4 particles in view" in widget.preview.count.text(), timeout=20_000)


def test_nothing_found_can_still_be_drawn_on(viewer, qtbot, widget, finished):
    viewer.add_labels(np.zeros((40, 40), np.int32), name="empty")
    widget.panel.run_button.click()
    finished(widget)
    layer = boxes_of(viewer)
    layer.add(rectangles(np.array([[5.0, 5, 10, 10]])), shape_type="rectangle")
    qtbot.waitUntil(lambda: widget.review is not None and len(widget.review.boxes) == 1)
    assert widget.review.boxes.count == 1


def test_closing_leaves_boxes_and_gives_keys_back(viewer, counted, measured):
    layer = boxes_of(viewer)
    before = dict(layer.keymap)
    assert before
    viewer.window.remove_dock_widget("all")
    assert not layer.keymap
    assert layer in viewer.layers
    assert len(counted_of(measured.metadata)) == 3


def drawn(qtbot, widget, viewer, box, number):
    boxes_of(viewer).add(rectangles(np.array([box], float)), shape_type="rectangle")
    qtbot.waitUntil(lambda: len(widget.review.boxes) == number)


def test_counting_again_on_a_probability_keeps_what_was_done_by_hand(viewer, qtbot, widget, finished, probability):
    viewer.add_image(probability, name="p", metadata={"napari-mpseg": {"role": "probability", "source": "f"}})
    widget.panel.run_button.click()
    finished(widget)
    drawn(qtbot, widget, viewer, [70, 40, 78, 55], 4)
    widget.go_to(3)
    widget.decide(keep=False)
    widget.review.move(2, [35, 5, 50, 20])
    widget.threshold.setValue(0.55)
    widget.panel.run_button.click()
    finished(widget)
    made = widget.review.layer
    assert made is not viewer.layers["p counted"]
    frame = widget.review.frame.set_index("number")
    assert frame["origin"].tolist() == ["found"] * 3 + ["drawn"]
    assert frame["keep"].to_dict() == {1: True, 2: True, 3: False, 4: True}
    assert frame.loc[2, ["y0", "x0", "y1", "x1"]].tolist() == [35, 5, 50, 20]
    assert made.features["keep"].iloc[3] == False  # noqa: E712 - numpy's
    assert audit_of(made.metadata).reviewed() == {3}
    said = widget.panel.status.text()
    assert "Kept from p counted: 1 drawn box, 1 box with changed corners, 1 decision" in said


def test_counting_again_on_labels_keeps_changed_corners(viewer, counted, measured, finished):
    counted.review.move(1, [10, 0, 30, 70])
    counted.panel.run_button.click()
    finished(counted)
    assert counted.review.frame["y0"].tolist()[0] == 10
    assert "1 box with changed corners" in counted.panel.status.text()
    counted.settings_form.erode.setValue(1)
    counted.settings_form.dilate.setValue(1)
    counted.panel.run_button.click()
    finished(counted)
    assert len(counted.review.boxes) == 4
    assert "1 box that was changed" in counted.panel.status.text()


def test_boxes_drawn_after_closing_are_kept_and_gone_on_with(viewer, qtbot, click_menu, docked, counted, measured):
    from napari_mpseg.gui.count_widget import CountWidget

    layer = boxes_of(viewer)
    viewer.window.remove_dock_widget("all")
    layer.add(rectangles(np.array([[50.0, 40, 60, 55]])), shape_type="rectangle")
    qtbot.waitUntil(lambda: len(counted_of(measured.metadata)) == 4)
    click_menu("Layers", "Measure", "Count in clutter")
    widget = docked(CountWidget)
    widget.source.choose(measured)
    widget.saved.click()
    assert boxes_of(viewer) is layer  # the only one
    assert layer.nshapes == 4 == len(widget.review.boxes)
    assert layer.features["origin"].tolist()[-1] == "drawn"
    assert "4 boxes" in widget.panel.status.text()
    viewer.layers.remove(layer)
    assert "Going on" not in widget.panel.status.text()


def test_of_images_only_masks_and_probabilities_are_offered(viewer, widget, finished, labels):
    mask = viewer.add_image(labels > 0, name="mask")
    viewer.add_image(labels.astype("uint16"), name="camera")
    photo = viewer.add_image(((labels > 0) * 200).astype("uint8"), name="photo")
    offered = [widget.source.itemText(index) for index in range(widget.source.count())]
    assert sorted(offered) == ["mask", "photo"]
    widget.source.choose(mask)
    assert not widget.form.isRowVisible(widget.threshold)
    assert not widget.form.isRowVisible(widget.plain)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.text().startswith("3 particles in mask")
    widget.source.choose(photo)
    assert widget.form.isRowVisible(widget.plain)
    assert "Segment particles" in widget.plain.text()
    widget.panel.run_button.click()
    finished(widget)
    assert "brightness was taken as probability" in widget.panel.status.text()


def test_what_is_impossible_is_said_in_the_words_of_the_form(widget, measured):
    widget.source.choose(measured)
    widget.settings_form.unit.choose("um")
    widget.settings_form.erode.setValue(500)
    widget.panel.run_button.click()
    assert "grow by 30 µm and shrink by 500 µm" in widget.panel.status.text()


def test_the_buttons_come_into_sight_where_there_is_little_room(qtbot, counted):
    from qtpy.QtWidgets import QScrollArea

    scroll = counted.findChild(QScrollArea)
    counted.setMaximumHeight(250)  # as where other widgets share the side of the window
    qtbot.waitUntil(lambda: scroll.viewport().height() <= 250)

    def seen():
        button = counted.boxes.buttons["accept"]
        top = button.mapTo(scroll.viewport(), button.rect().topLeft()).y()
        return 0 <= top <= scroll.viewport().height() - button.height()

    qtbot.waitUntil(seen)


def test_lines_of_small_boxes_stay_thin_when_they_are_chosen(qtbot, viewer, counted):
    layer = boxes_of(viewer)
    # a tenth of the shorter sides, 9, 8 and 8 px
    assert layer.edge_width == pytest.approx([0.9, 0.8, 0.8])
    for _ in range(3):
        counted.step(1)
        counted.decide(keep=True)
    qtbot.wait(20)
    assert layer.edge_width == pytest.approx([0.9, 0.8, 0.8])
