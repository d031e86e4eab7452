"""*Segment particles* in a real viewer, used as a person would."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_mpseg.errors import ImageError


@pytest.fixture
def image(viewer, spots):
    return viewer.add_image(spots, name="spots", scale=(2.5, 2.5), units=("um", "um"), translate=(100, 200))


def names(viewer):
    return [layer.name for layer in viewer.layers]


def tables(viewer):
    return [name for name in viewer.window.dock_widgets if name.startswith("Features table")]


def test_no_image_says_what_to_do(segment_widget, screenshot):
    assert segment_widget.hint.isVisible()
    assert "Open Sample" in segment_widget.hint.text()
    assert not segment_widget.panel.run_button.isEnabled()
    screenshot("segment_empty")


def test_labels_alone_are_refused_with_a_reason(viewer, segment_widget, spots):
    viewer.add_labels((spots > 0).astype(int), name="painted")
    assert "painted" in segment_widget.hint.text()
    assert "labels layer" in segment_widget.hint.text()
    assert not segment_widget.panel.run_button.isEnabled()


def test_segment_adds_probability_labels_and_table(viewer, segment_widget, fake_segment, finished, image, screenshot):
    segment_widget.panel.run_button.click()
    assert segment_widget.panel.busy
    finished(segment_widget)
    assert names(viewer) == ["spots", "spots probability", "spots particles"]
    labels = viewer.layers["spots particles"]
    for layer in list(viewer.layers)[1:]:
        np.testing.assert_array_equal(layer.scale, image.scale)
        np.testing.assert_array_equal(layer.translate, image.translate)
        assert layer.units == image.units
    assert viewer.layers.selection.active == labels
    assert len(labels.features) == 4  # background and three particles
    np.testing.assert_allclose(sorted(labels.features["area_um2"].iloc[1:]), np.array([9, 16, 24]) * 6.25)
    assert len(tables(viewer)) == 1
    assert "3 particles" in segment_widget.panel.status.text()
    screenshot("segment_spots")

    # once more: nothing of the first result is touched, and the table is not opened twice
    labels.data[:] = 0
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert len(tables(viewer)) == 1
    assert names(viewer)[-1] == "spots particles [2]"
    assert not viewer.layers["spots particles"].data.any()
    assert viewer.layers["spots particles [2]"].data.any()


def test_a_note_of_lost_particles_is_a_warning(
    viewer, segment_widget, fake_segment, finished, image, screenshot, monkeypatch
):
    import napari_mpseg.pipeline
    from napari_mpseg.inference.predictor import Prepared
    from napari_mpseg.inference.screening import screened

    module = importlib.import_module("napari_mpseg.inference.screening.screened")
    monkeypatch.setattr(module, "lost_at_places", lambda *args: (1, 20, 60))
    predictor = SimpleNamespace(scaling=None, halo=0, stride=1, exact=True)
    (note,) = screened(Prepared(None, predictor), segment_widget.empty.itemData(2)).notes
    assert segment_widget.empty.itemText(2).removeprefix("skipped: ") in note

    def segment(*args, **options):
        result = fake_segment(*args, **options)
        result.notes = (note,) if options["skip_empty"] else ("Something else.",)
        return result

    monkeypatch.setattr(napari_mpseg.pipeline, "segment", segment)
    for index, kind in ((0, "done"), (2, "warning")):
        segment_widget.empty.setCurrentIndex(index)
        segment_widget.panel.run_button.click()
        finished(segment_widget)
        assert segment_widget.panel.status.kind == kind
    assert "20 of 60 particle pixels" in segment_widget.panel.status.text()
    screenshot("segment_lost")


def test_a_second_table_is_not_opened_beside_one_from_the_menu(
    viewer, segment_widget, fake_segment, finished, image, click_menu
):
    click_menu("Layers", "Metadata", "Features table")
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert len(tables(viewer)) == 1


def test_progress_and_cancel_leave_no_layer(viewer, segment_widget, fake_segment, finished, image, qtbot, screenshot):
    fake_segment.gate.clear()
    segment_widget.panel.run_button.click()
    qtbot.waitUntil(lambda: "0 of 10 tiles" in segment_widget.panel.progress_text.text(), timeout=5000)
    assert segment_widget.panel.bar.isVisible()
    assert not segment_widget.form_box.isEnabled()
    screenshot("segment_running")
    segment_widget.panel.cancel_button.click()
    finished(segment_widget)
    assert fake_segment.stopped
    assert fake_segment.tiles == 0
    assert names(viewer) == ["spots"]
    assert "Cancelled" in segment_widget.panel.status.text()
    assert segment_widget.panel.run_button.isEnabled()
    screenshot("segment_cancelled")


def test_cancel_in_naparis_activity_dialog(viewer, segment_widget, fake_segment, finished, image, qtbot):
    from napari.utils.progress import progress

    fake_segment.gate.clear()
    segment_widget.panel.run_button.click()
    qtbot.waitUntil(lambda: bool(fake_segment.calls), timeout=5000)
    (bar,) = progress._all_instances
    bar.cancel()
    finished(segment_widget)
    assert fake_segment.stopped
    assert not progress._all_instances
    assert names(viewer) == ["spots"]


def test_work_is_not_done_in_the_gui_thread_and_on_a_copy(viewer, segment_widget, fake_segment, finished, image, qtbot):
    import threading

    fake_segment.gate.clear()
    segment_widget.panel.run_button.click()
    qtbot.waitUntil(lambda: bool(fake_segment.calls), timeout=5000)
    image.data[:] = 0  # the user goes on working
    fake_segment.gate.set()
    finished(segment_widget)
    assert fake_segment.threads[0] is not threading.main_thread()
    assert viewer.layers["spots particles"].data.max() == 3


def test_errors_for_the_user_are_shown_and_leave_no_layer(
    viewer, segment_widget, fake_segment, finished, image, screenshot
):
    fake_segment.error = ImageError("The image has 2 channels, the network needs 3. Choose a channel.")
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert segment_widget.panel.status.text().startswith("The image has 2 channels")
    assert segment_widget.panel.status.kind == "error"
    assert names(viewer) == ["spots"]
    screenshot("segment_error")


def test_defects_are_reported_with_their_traceback(viewer, segment_widget, fake_segment, finished, image):
    from napari.utils.notifications import notification_manager

    fake_segment.error = ZeroDivisionError("three")
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert "ZeroDivisionError: three" in segment_widget.panel.status.text()
    assert isinstance(notification_manager.records[-1].exception, ZeroDivisionError)
    assert names(viewer) == ["spots"]


def test_a_pixel_size_of_zero_is_refused_before_the_start(segment_widget, fake_segment, image):
    segment_widget.pixel_size.height.setValue(0)
    segment_widget.panel.run_button.click()
    assert not segment_widget.panel.busy
    assert "impossible" in segment_widget.panel.status.text()


def test_closing_the_viewer_during_a_run_stops_it(viewer, segment_widget, fake_segment, image, qtbot):
    fake_segment.gate.clear()
    segment_widget.panel.run_button.click()
    qtbot.waitUntil(lambda: bool(fake_segment.calls), timeout=5000)
    viewer.close()
    assert fake_segment.stopped


def test_closing_the_widget_during_a_run_stops_it(viewer, segment_widget, fake_segment, image, qtbot):
    fake_segment.gate.clear()
    segment_widget.panel.run_button.click()
    qtbot.waitUntil(lambda: bool(fake_segment.calls), timeout=5000)
    segment_widget.parent().destroyOnClose()  # what the cross in the dock's title bar does
    assert fake_segment.stopped
    qtbot.wait(50)
    assert names(viewer) == ["spots"]
    viewer.add_image(np.zeros((4, 4)))  # and the closed widget no longer minds


def test_removing_the_image_during_a_run_still_gives_its_result(
    viewer, segment_widget, fake_segment, finished, image, qtbot
):
    fake_segment.gate.clear()
    segment_widget.panel.run_button.click()
    qtbot.waitUntil(lambda: bool(fake_segment.calls), timeout=5000)
    viewer.layers.remove(image)
    fake_segment.gate.set()
    finished(segment_widget)
    assert names(viewer) == ["spots probability", "spots particles"]
    np.testing.assert_array_equal(viewer.layers[0].scale, (2.5, 2.5))


def test_choices_reach_the_method_and_are_remembered(viewer, segment_widget, fake_segment, finished, image, click_menu):
    from napari.settings import get_plugin_settings

    get_plugin_settings("napari-mpseg").processing.device = "cpu"
    get_plugin_settings("napari-mpseg").processing.tile_size = 256
    segment_widget.method.choose("max-entropy")
    segment_widget.automatic.setChecked(False)
    segment_widget.threshold.setValue(0.3)
    segment_widget.min_size.setValue(7)
    assert segment_widget.min_area.text() == "= 43.75 µm²"
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    options = fake_segment.calls[0][1]
    assert options["method"] == "max-entropy"
    assert options["threshold"] is None  # MaxEntropy gives no probabilities to put a threshold on
    assert not segment_widget.form.isRowVisible(segment_widget.threshold_row)
    assert (options["min_size"], options["device"], options["tile_size"]) == (7, "cpu", 256)
    assert options["calibration"].pixel_size == (2.5, 2.5)

    segment_widget.method.choose("default")
    assert segment_widget.form.isRowVisible(segment_widget.threshold_row)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert fake_segment.calls[1][1]["threshold"] == pytest.approx(0.3)

    from napari_mpseg.gui.segment_widget import SegmentWidget

    again = SegmentWidget(viewer)
    assert again.method.method == "default"
    assert again.threshold.value() == pytest.approx(0.3)
    assert again.min_size.value() == 7
    again.close()


def test_test_time_augmentation_is_offered_for_networks(
    viewer, segment_widget, fake_segment, finished, image, screenshot
):
    assert segment_widget.form.isRowVisible(segment_widget.tta)
    assert "as many times as long" in segment_widget.tta.toolTip()
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert not fake_segment.calls[0][1]["tta"]
    segment_widget.tta.setCurrentIndex(segment_widget.tta.findData("flips"))
    assert "8" in segment_widget.tta.currentText()
    screenshot("segment_tta")
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert fake_segment.calls[1][1]["tta"] == "flips"

    segment_widget.method.choose("max-entropy")
    assert not segment_widget.form.isRowVisible(segment_widget.tta)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert not fake_segment.calls[2][1]["tta"]

    from napari_mpseg.gui.segment_widget import SegmentWidget

    again = SegmentWidget(viewer)
    assert again.tta.currentData() == "flips"
    again.close()


def test_a_given_pixel_size_overrides_and_is_offered_again(viewer, segment_widget, fake_segment, finished, spots):
    viewer.add_image(spots, name="bare")
    size = segment_widget.pixel_size
    assert not size.calibration.calibrated
    assert "no pixel size" in size.source.text()
    size.unit.setCurrentIndex(size.unit.findData("um"))
    size.height.setValue(0.65)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert fake_segment.calls[0][1]["calibration"].pixel_size == (0.65, 0.65)
    assert viewer.layers["bare particles"].features["area_um2"].max() == pytest.approx(24 * 0.65**2)

    viewer.add_image(spots, name="bare too")
    assert not size.calibration.calibrated  # never taken over silently
    assert size.again.isVisible()
    size.again.click()
    assert size.calibration.pixel_size == (0.65, 0.65)


def test_pixels_that_are_not_square_keep_both_sizes(viewer, segment_widget, spots):
    viewer.add_image(spots, scale=(1.5, 2.0), units=("nm", "nm"))
    size = segment_widget.pixel_size
    assert size.width.isVisible()
    assert (size.calibration.pixel_size, size.calibration.unit) == ((1.5, 2.0), "nm")


def test_the_current_plane_of_a_stack(viewer, segment_widget, fake_segment, finished, spots):
    stack = viewer.add_image(np.stack([spots * 0, spots, spots // 2]), name="stack", scale=(10, 2, 2))
    viewer.dims.set_current_step(0, 1)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    labels = viewer.layers["stack particles"]
    assert labels.data.shape == (1, 100, 120)  # shown on its plane only
    np.testing.assert_allclose(labels.data_to_world((0, 5, 6)), stack.data_to_world((1, 5, 6)))
    assert labels.data.max() == 3


def test_all_planes_of_a_stack_are_numbered_together(viewer, segment_widget, fake_segment, finished, spots):
    one = np.where(np.arange(100)[:, None] < 40, spots, 0).astype(np.uint8)
    viewer.add_image(np.stack([spots, spots * 0, one]), name="stack")
    segment_widget.stack.setCurrentIndex(segment_widget.stack.findData("all"))
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    labels = viewer.layers["stack particles"]
    assert labels.data.shape == (3, 100, 120)
    assert np.unique(labels.data).tolist() == [0, 1, 2, 3, 4]
    assert np.unique(labels.data[2]).tolist() == [0, 4]
    assert labels.features["plane"].iloc[1:].tolist() == [0, 0, 0, 2]
    assert labels.features["index"].tolist() == [0, 1, 2, 3, 4]


def test_channels_are_chosen_where_the_first_axis_is_channels(viewer, segment_widget, fake_segment, finished, spots):
    data = np.stack([spots * 0, spots])
    viewer.add_image(data, name="two", axis_labels=("c", "y", "x"))
    assert segment_widget.stack.currentData() == "channels"
    segment_widget.channel.setCurrentIndex(segment_widget.channel.findData(1))
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    np.testing.assert_array_equal(np.asarray(fake_segment.calls[0][0].data), spots)
    segment_widget.image.choose(viewer.layers["two"])
    segment_widget.channel.setCurrentIndex(0)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert fake_segment.calls[1][0].data.shape == (100, 120, 2)


def test_no_particles_is_a_valid_answer(viewer, segment_widget, fake_segment, finished):
    viewer.add_image(np.zeros((40, 50), np.uint8), name="black")
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert "0 particles" in segment_widget.panel.status.text()
    assert len(viewer.layers["black particles"].features) == 1


def test_a_new_image_is_chosen_but_never_a_result(viewer, segment_widget, fake_segment, finished, image, spots):
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert segment_widget.image.layer == image
    other = viewer.add_image(spots, name="other")
    assert segment_widget.image.layer == other
    viewer.layers.selection.active = image
    assert segment_widget.image.layer == image
    image.name = "renamed"
    assert segment_widget.image.currentText() == "renamed"


def test_a_model_file_joins_the_methods(segment_widget, image, tmp_path, monkeypatch):
    from napari_mpseg.gui import method_choice

    model = tmp_path / "mine"
    model.mkdir()
    (model / "card.json").write_text("{}")
    chosen = [(str(model / "card.json"), ""), ("", "")]
    monkeypatch.setattr(method_choice.QFileDialog, "getOpenFileName", lambda *args: chosen.pop(0))
    choice = segment_widget.method
    choice.setCurrentIndex(choice.count() - 1)
    assert choice.method == str(model)
    assert str(model) in choice.summary.text()
    choice.setCurrentIndex(choice.count() - 1)  # and the dialog is left without a choice
    assert choice.method == str(model)


def test_options_of_a_method_get_their_own_fields(viewer, segment_widget, finished, image, qtbot):
    assert segment_widget.method.method == "default"
    assert not segment_widget.options.fields
    segment_widget.method.choose("fixed-level")
    level = segment_widget.options.fields["level"]
    qtbot.waitUntil(level.isVisible)
    assert "8-bit" in level.toolTip()
    assert level.value == 106
    assert level.edit.text() == "106 of 255"
    level.value = 240  # the 8-bit range is stretched to 0..250: only the third rectangle is above
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert viewer.layers["spots particles"].features["area_px"].iloc[1:].tolist() == [16]
    level.edit.setValue(300)
    assert level.value == 255


def test_minus_one_is_shown_as_what_it_stands_for(segment_widget):
    segment_widget.method.choose("local-threshold")
    factor = segment_widget.options.fields["k"]
    assert (factor.value, factor.edit.text()) == (-1, "the rule's own")
    factor.edit.stepUp()
    assert (factor.value, factor.edit.text()) == (0, "0")
    factor.edit.setValue(-3)
    assert factor.value == -1
    assert segment_widget.form.labelForField(factor).text() == "Factor k"
    segment_widget.options.fields["window"].edit.setValue(-3)
    assert segment_widget.options.values == {"window": 3}


def test_options_of_a_method_are_there_again(viewer, segment_widget, fake_segment, finished, image):
    segment_widget.method.choose("fixed-level")
    segment_widget.options.fields["level"].value = 150
    segment_widget.options.fields["channel"].value = "red"
    segment_widget.method.choose("otsu")
    assert segment_widget.options.values == {}
    segment_widget.method.choose("fixed-level")
    assert segment_widget.options.values == {"level": 150, "channel": "red"}
    segment_widget.panel.run_button.click()
    finished(segment_widget)

    from napari_mpseg.gui.segment_widget import SegmentWidget

    again = SegmentWidget(viewer)
    assert again.options.values == {"level": 150, "channel": "red"}
    again.options.reset()
    assert again.options.values == {}
    again.close()


def test_methods_are_listed_under_headings_that_cannot_be_chosen(segment_widget):
    choice = segment_widget.method
    texts = [choice.itemText(row) for row in range(choice.count())]
    row = texts.index("ImageJ macros")
    assert not choice.model().item(row).isEnabled()
    assert texts[row + 1].startswith("MP-VAT")
    assert choice.itemData(row) is None


def test_a_background_is_subtracted_first_and_remembered(viewer, segment_widget, fake_segment, finished, image):
    background = segment_widget.background
    assert not background.radius.isVisible()
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert fake_segment.calls[0][1]["background"] == "none"
    background.way.setCurrentIndex(background.way.findData("top-hat"))
    background.radius.setValue(12)
    background.light.setChecked(True)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert str(fake_segment.calls[1][1]["background"]) == "top-hat:12:light"

    from napari_mpseg.gui.segment_widget import SegmentWidget

    again = SegmentWidget(viewer)
    assert str(again.background.settings) == "top-hat:12:light"
    again.close()


def test_points_reach_the_method_in_pixels_of_the_image(viewer, segment_widget, fake_segment, finished, image):
    segment_widget.method.choose("region-growing")
    segment_widget.panel.run_button.click()
    assert "points" in segment_widget.panel.status.text().lower()
    assert not fake_segment.calls
    seeds = segment_widget.inputs.choices["seeds"]
    row = seeds.parentWidget().layout()
    row.itemAt(1).widget().click()  # New
    points = viewer.layers["spots points"]
    assert points.mode == "add"
    assert seeds.layer is points
    assert points.current_face_color in ("transparent", "#00000000")  # a ring, which hides nothing
    segment_widget.panel.run_button.click()
    assert "holds no points" in segment_widget.panel.status.text()
    points.add(points.world_to_data((100 + 2.5 * 12, 200 + 2.5 * 23)))  # in the first rectangle
    viewer.layers.selection.active = image
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    np.testing.assert_allclose(fake_segment.calls[0][1]["options"]["seeds"], [[12, 23]])


def test_strokes_are_copied_and_must_fit(viewer, segment_widget, fake_segment, finished, image, spots):
    segment_widget.method.choose("pixel-forest")
    wrong = viewer.add_labels(np.zeros((9, 9), int), name="wrong")
    segment_widget.inputs.choices["painted"].choose(wrong)
    segment_widget.panel.run_button.click()
    assert "(9, 9)" in segment_widget.panel.status.text()
    painted = viewer.add_labels((spots > 0).astype(int) + 1, name="strokes", scale=(2.5, 2.5))
    segment_widget.inputs.choices["painted"].choose(painted)
    viewer.layers.selection.active = image
    segment_widget.panel.run_button.click()
    painted.data[:] = 0
    finished(segment_widget)
    assert set(np.unique(fake_segment.calls[0][1]["options"]["painted"])) == {1, 2}


def test_a_method_file_brings_its_settings(viewer, segment_widget, image, tmp_path):
    from napari_mpseg.methods.files import save_method

    save_method(tmp_path / "ours.json", "otsu", background="gaussian:30", min_size=9)
    segment_widget.method.add_model(tmp_path / "ours.json")
    assert segment_widget.min_size.value() == 9
    assert str(segment_widget.background.settings) == "gaussian:30"
    assert not segment_widget.form.isRowVisible(segment_widget.threshold_row)
    assert not segment_widget.form.isRowVisible(segment_widget.tta)
    assert "Otsu" in segment_widget.method.summary.text()
    assert "background gaussian:30, minimum size 9 px" in segment_widget.method.summary.text()
    save_method(tmp_path / "level.json", "fixed-level", {"level": 150, "channel": "red"}, note="For tyres.")
    segment_widget.method.add_model(tmp_path / "level.json")
    assert "grey level 150 of 255, channel red. For tyres." in segment_widget.method.summary.text()


def test_a_method_that_is_gone_gives_way_to_the_bundled_network(viewer, segment_widget, tmp_path):
    from napari_mpseg.gui.method_choice import MethodChoice
    from napari_mpseg.methods.files import save_method

    path = save_method(tmp_path / "ours.json", "otsu")
    segment_widget.method.add_model(path)
    segment_widget._remember()
    path.unlink()
    again = MethodChoice(segment_widget._memory)
    assert again.method == "default"
    assert f"{path} is no longer there" in again.summary.text()
    segment_widget.method.refresh()
    assert segment_widget.method.method == "default"
    assert segment_widget.form.isRowVisible(segment_widget.tta)


def test_a_model_that_another_widget_made_is_listed(segment_widget, tmp_path, qtbot):
    from napari_mpseg.gui.memory import Memory
    from napari_mpseg.gui.method_choice import remember_model

    model = tmp_path / "copy"
    model.mkdir()
    (model / "card.json").write_text("{}")
    remember_model(Memory("segment"), model)
    choice = segment_widget.method
    assert choice.findData(str(model)) < 0
    choice.showPopup()
    choice.hidePopup()
    assert choice.findData(str(model)) >= 0
    assert choice.method == "default"


@pytest.fixture
def planes(viewer, spots):
    """Planes 5 um apart, of which the one at 10 um is plane 2; another stack makes the slider's steps 1 um."""
    viewer.add_image(np.zeros((3, *spots.shape), np.uint8), name="fine", scale=(1, 2, 2))
    return viewer.add_image(np.stack([spots * 0, spots // 2, spots]), name="stack", scale=(5, 2, 2))


def test_the_plane_at_the_place_in_view_is_segmented(viewer, segment_widget, fake_segment, finished, planes):
    viewer.dims.set_point(0, 10)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    labels = viewer.layers["stack particles"]
    assert labels.data.max() == 3
    assert labels.translate[0] == 10
    segment_widget.image.choose(viewer.layers["fine"])
    segment_widget.panel.run_button.click()
    assert "fine has no plane" in segment_widget.panel.status.text()


def test_points_and_strokes_are_those_of_the_plane(viewer, segment_widget, fake_segment, finished, planes):
    viewer.dims.set_point(0, 10)
    segment_widget.method.choose("region-growing")
    segment_widget.inputs.choices["seeds"].parentWidget().layout().itemAt(1).widget().click()  # New
    points = viewer.layers["stack points"]
    assert points.ndim == 3
    points.data = [(0, 1, 1), (2, 12, 23), (1, 3, 3)]
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    np.testing.assert_allclose(fake_segment.calls[-1][1]["options"]["seeds"], [[12, 23]])

    segment_widget.method.choose("pixel-forest")
    segment_widget.inputs.choices["painted"].parentWidget().layout().itemAt(1).widget().click()
    painted = viewer.layers["stack painted"]
    painted.data[1, :3, :3] = 1
    segment_widget.panel.run_button.click()
    assert "no strokes on plane 2" in segment_widget.panel.status.text()
    painted.data[2, :4, :4] = 2
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    np.testing.assert_array_equal(fake_segment.calls[-1][1]["options"]["painted"], painted.data[2])

    # all planes: each with its own, flat ones on every plane
    segment_widget.stack.setCurrentIndex(segment_widget.stack.findData("all"))
    segment_widget.panel.run_button.click()
    assert "no strokes on plane 0" in segment_widget.panel.status.text()
    segment_widget.method.choose("region-growing")
    count = len(fake_segment.calls)
    segment_widget.inputs.choices["seeds"].choose(points)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    seeds = [call[1]["options"]["seeds"].tolist() for call in fake_segment.calls[count:]]
    np.testing.assert_allclose(seeds, [[[1, 1]], [[3, 3]], [[12, 23]]])
    flat = viewer.add_points([(5, 6)], scale=(2, 2), name="flat")
    segment_widget.inputs.choices["seeds"].choose(flat)
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert fake_segment.calls[-1][1]["options"]["seeds"].tolist() == [[5, 6]]


def test_nothing_is_cut_off_at_the_width_a_dock_gives(viewer, segment_widget, image, qtbot, screenshot):
    segment_widget.background.way.setCurrentIndex(1)
    for method in ("region-growing", "pixel-forest", "mp-act", "local-threshold"):
        segment_widget.method.choose(method)
        qtbot.wait(50)
        viewer.window._qt_window.resizeDocks([segment_widget.parent()], [10], Qt.Orientation.Horizontal)
        qtbot.wait(50)
        assert segment_widget.form_box.minimumSizeHint().width() <= segment_widget.form_box.width()
        right = segment_widget.form_box.mapTo(segment_widget, segment_widget.form_box.rect().topRight()).x()
        assert right < segment_widget.width() < 400
        screenshot(f"segment_{method}")
