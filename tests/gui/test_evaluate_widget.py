"""*Evaluate against truth* in a real viewer: the table, the layer of errors, and the walk through them."""

import csv

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication
from scipy import ndimage
from sklearn.metrics import average_precision_score, f1_score, recall_score


@pytest.fixture
def truth():
    """Particles of 36, 16 and 4 px, and one of 2 px, which is too small to count."""
    labels = np.zeros((90, 120), np.int32)
    labels[10:16, 10:16], labels[60:64, 80:84], labels[50:52, 30:32], labels[80, 5:7] = 1, 2, 3, 4
    return labels


@pytest.fixture
def found(truth):
    """The first moved, the second missed, the third found, and two that are none: 30 px and 6 px."""
    labels = np.zeros_like(truth)
    labels[12:18, 10:16], labels[50:52, 30:32], labels[30:35, 100:106], labels[5:7, 60:63] = 1, 2, 3, 4
    return labels


@pytest.fixture
def layers(viewer, truth, found):
    record = {"role": "particles", "source": "scan", "provenance": {}}
    scale = {"scale": (2.5, 2.5), "units": ("um", "um")}
    viewer.add_image(np.random.default_rng(2).integers(60, 90, truth.shape, dtype=np.uint8), name="scan", **scale)
    expert = viewer.add_labels(truth, name="expert", visible=False, **scale)
    predicted = viewer.add_labels(found, name="scan particles", metadata={"napari-mpseg": record}, **scale)
    return predicted, expert


@pytest.fixture
def widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.evaluate_widget import EvaluateWidget

    click_menu("Layers", "Measure", "Evaluate against truth")
    return docked(EvaluateWidget)


def table(widget):
    rows = list(csv.reader(widget.table.text().splitlines(), delimiter="\t"))
    assert rows[0] == ["metric", "value"]
    return {name: float(value) for name, value in rows[1:]}


def test_nothing_to_compare(viewer, widget, screenshot):
    assert "Nothing to evaluate yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    screenshot("evaluate_empty")
    viewer.add_labels(np.ones((9, 9), np.int32), name="only")
    assert "Choose the truth" in widget.hint.text()
    widget.truth.choose(viewer.layers["only"])
    assert "the same layer" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()


def test_table_and_errors(viewer, layers, widget, finished, found, truth, screenshot):
    assert (widget.predicted.layer, widget.truth.layer) == layers
    widget.panel.run_button.click()
    finished(widget)
    told = table(widget)
    flat = truth.ravel() > 0, found.ravel() > 0
    assert told["f1"] == pytest.approx(f1_score(*flat))
    assert told["recall"] == pytest.approx(recall_score(*flat))
    assert told["particle-recall"] == pytest.approx(2 / 3)
    assert told["particle-precision"] == pytest.approx(2 / 4)
    assert told["count-bias"] == 1
    assert "2 TP" in widget.table.item([*told].index("f1"), 0).toolTip()
    errors = viewer.layers["scan particles errors"]
    np.testing.assert_array_equal(
        errors.data, (found > 0) & (truth > 0) | 2 * ((found > 0) & (truth == 0)) | 3 * ((found == 0) & (truth > 0))
    )
    np.testing.assert_array_equal(errors.scale, layers[0].scale)
    assert errors.units == layers[0].units
    colours = [tuple(np.rint(np.asarray(errors.get_color(n)) * 255)[:3]) for n in (1, 2, 3)]
    assert colours == [
        (0x00, 0x9E, 0x73),
        (0xD5, 0x5E, 0x00),
        (0x56, 0xB4, 0xE9),
    ]  # none is black or red, as images are
    assert widget.table.item([*told].index("size-wasserstein"), 0).text() == "size distance (µm)"
    assert viewer.layers.selection.active is not errors
    assert "4 particles predicted, 3 in truth" in widget.panel.status.text()
    assert "1 missed, 2 false" in widget.panel.status.text()
    screenshot("evaluate")


def test_colours_can_be_switched(viewer, layers, widget, finished):
    widget.legend.choice.setCurrentIndex(widget.legend.choice.findData("colour-blind"))
    widget.panel.run_button.click()
    finished(widget)
    errors = viewer.layers["scan particles errors"]
    assert tuple(np.rint(np.asarray(errors.get_color(3)) * 255)[:3]) == (0x56, 0xB4, 0xE9)
    widget.legend.choice.setCurrentIndex(widget.legend.choice.findData("paper"))
    assert [tuple(errors.get_color(n)) for n in (1, 2, 3)] == [(0, 0, 0, 1), (1, 0, 0, 1), (0, 1, 0, 1)]


def test_walk_through_the_errors(viewer, layers, widget, finished, qtbot):
    widget.panel.run_button.click()
    finished(widget)
    steps = widget.steps
    assert "1 missed, 2 false" in steps.said.text()
    steps.next_button.click()
    assert "<b>False</b>, 30 px, at y 32, x 102 (1 of 3)" in steps.said.text()
    centre = viewer.scene.camera.center[-2:]
    assert centre == pytest.approx((32 * 2.5, 102.5 * 2.5))
    viewer.window._qt_window.activateWindow()
    press(viewer, "Shift-X")
    assert "<b>Missed</b>, 16 px" in steps.said.text()
    press(viewer, "Shift-X")
    press(viewer, "Shift-X")
    assert "(1 of 3)" in steps.said.text()
    press(viewer, "Shift-Z")
    assert "<b>False</b>, 6 px" in steps.said.text()
    steps.order.setCurrentIndex(1)
    steps.next_button.click()
    assert "6 px" in steps.said.text()
    steps.kind.setCurrentIndex(steps.kind.findData("missed"))
    steps.next_button.click()
    assert "16 px, at y 62, x 82 (1 of 1)" in steps.said.text()


def press(viewer, keys):
    from napari.utils.key_bindings import KeyBinding, coerce_keybinding

    bound = {coerce_keybinding(key): action for key, action in viewer.keymap.items()}
    bound[coerce_keybinding(KeyBinding.from_str(keys.replace("-", "+")))](viewer)


def test_after_an_edit_it_is_evaluated_again(viewer, layers, widget, finished):
    widget.panel.run_button.click()
    finished(widget)
    errors = viewer.layers["scan particles errors"]
    layers[0].selected_label = 9
    layers[0].brush_size = 4
    layers[0].paint((62, 82), 9)
    assert "edited since" in widget.panel.status.text()
    before = [layer.name for layer in viewer.layers]
    widget.panel.run_button.click()
    finished(widget)
    assert [layer.name for layer in viewer.layers] == before
    assert table(widget)["particle-recall"] == 1
    assert errors.data[62, 82] == 1
    assert "0 missed" in widget.panel.status.text()


def test_masks_and_probability(viewer, layers, widget, finished, truth):
    rng = np.random.default_rng(1)
    levels = np.clip(rng.normal(np.where(truth > 0, 160, 60), 40), 0, 255).astype(np.uint8)
    record = {"napari-mpseg": {"role": "probability", "source": "scan"}}
    widget.metrics.tick("average-precision")
    widget.panel.run_button.click()
    finished(widget)
    assert "needs a probability" in widget.panel.status.text()
    probability = viewer.add_image(levels, name="scan probability", metadata=record)
    mask = viewer.add_image(np.where(truth > 0, 0, 255).astype(np.uint8), name="mask", rgb=False)
    widget.truth.choose(mask)
    widget.truth_value.box.setChecked(True)
    assert widget.probability.layer is probability  # of the same image
    widget.panel.run_button.click()
    finished(widget)
    told = table(widget)
    assert told["average-precision"] == pytest.approx(average_precision_score(truth.ravel() > 0, levels.ravel()))
    assert "average-precision" in widget._memory.get("metrics", [])
    widget.truth_value.box.setChecked(False)
    widget.panel.run_button.click()
    finished(widget)
    assert "only value" in widget.panel.status.text()


def test_another_size_is_refused(viewer, layers, widget, finished, screenshot):
    widget.truth.choose(viewer.add_labels(np.ones((20, 30), np.int32), name="other"))
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.kind == "error"
    assert "120 x 90 px" in widget.panel.status.text()
    assert "30 x 20 px" in widget.panel.status.text()
    assert "scan particles errors" not in viewer.layers
    screenshot("evaluate_error")


def test_the_plane_in_view(viewer, widget, finished, found, truth):
    viewer.add_labels(np.stack([np.zeros_like(truth), truth, truth]), name="truth")
    stack = viewer.add_labels(np.stack([found, found, truth]), name="found")
    widget.predicted.choose(stack)
    widget.truth.choose(viewer.layers["truth"])
    for plane, recall in ((1, recall_score(truth.ravel() > 0, found.ravel() > 0)), (2, 1)):
        viewer.dims.current_step = (plane, 0, 0)
        widget.panel.run_button.click()
        finished(widget)
        assert table(widget)["recall"] == pytest.approx(recall)
        errors = viewer.layers["found errors"]
        assert errors.data.shape == (1, *truth.shape)
        assert errors.translate.tolist() == [plane, 0, 0]


def test_copy_and_save(viewer, layers, widget, finished, tmp_path, monkeypatch):
    from napari_mpseg.gui import evaluate_widget

    widget.panel.run_button.click()
    finished(widget)
    widget.copy_button.click()
    assert QApplication.clipboard().text().startswith("metric\tvalue\n")
    for name in ("t.csv", "t.xlsx"):
        monkeypatch.setattr(
            evaluate_widget.QFileDialog, "getSaveFileName", lambda *args, name=name: (str(tmp_path / name), "")
        )
        widget.save_button.click()
    assert "xlsx" in widget.panel.status.text()
    with (tmp_path / "t.csv").open() as file:
        saved = {name: float(value) for name, value in list(csv.reader(file))[1:]}
    assert saved == table(widget)


def test_particles_are_pieces_of_masks(viewer, widget, finished, truth):
    viewer.add_image((truth > 0).astype(np.uint8) * 255, name="found", rgb=False)
    viewer.add_image(truth > 0, name="truth", rgb=False)
    widget.predicted.choose(viewer.layers["found"])
    widget.truth.choose(viewer.layers["truth"])
    widget.panel.run_button.click()
    finished(widget)
    assert widget.result.evidence.n_truth == (np.bincount(ndimage.label(truth > 0)[0].ravel())[1:] >= 3).sum()
    assert "None: every particle was found" in widget.steps.said.text()


# -- layers that were chosen, planes, and what is no probability ----------------------------------------------------


def evaluated(widget, finished):
    widget.panel.run_button.click()
    finished(widget)
    return widget.panel.status.text()


def test_the_choice_stays_when_errors_are_shown(viewer, layers, widget, finished, found):
    other = viewer.add_labels(found * 0, name="nothing", metadata=dict(layers[0].metadata))
    viewer.layers.selection.active = other
    widget.predicted.setCurrentIndex(widget.predicted.findText("scan particles"))
    evaluated(widget, finished)
    assert widget.predicted.layer == layers[0]
    assert viewer.layers.selection.active == other


def test_the_plane_is_found_by_its_place(viewer, widget, finished, found, truth):
    viewer.add_labels(np.stack([truth * 0, truth * 0, truth]), name="truth", scale=(5, 1, 1), translate=(10, 0, 0))
    viewer.add_labels(np.stack([found, truth]), name="found", scale=(10, 1, 1), translate=(10, 0, 0))
    viewer.add_labels(np.zeros((40, 2, 2), np.int32), name="finer")  # its steps are those of the slider
    for choice, name in ((widget.predicted, "found"), (widget.truth, "truth")):
        choice.choose(viewer.layers[name])
    viewer.dims.set_point(0, 20)
    assert evaluated(widget, finished).startswith("Plane 1 of found and plane 2 of truth: ")
    assert table(widget)["f1"] == 1


def test_one_plane_is_not_judged_by_the_truth_of_another(viewer, widget, finished, found, truth):
    """The result of plane 2 of a stack lies there, and has nothing at plane 0."""
    stack = viewer.add_labels(np.stack([truth * 0, truth * 0, truth]), name="truth", scale=(5, 1, 1))
    single = viewer.add_labels(found[None], name="found", scale=(5, 1, 1), translate=(10, 0, 0))
    widget.predicted.choose(single)
    widget.truth.choose(stack)
    viewer.dims.set_point(0, 0)
    assert "found has no plane" in evaluated(widget, finished)
    assert widget.panel.status.kind == "error"
    assert widget.result is None
    viewer.dims.set_point(0, 10)
    assert evaluated(widget, finished).startswith("Plane 2 of truth: 4 particles predicted")
    assert table(widget)["recall"] == pytest.approx(recall_score(truth.ravel() > 0, found.ravel() > 0))


def test_errors_of_two_predictions_lie_side_by_side_and_renamed_ones_are_kept(viewer, layers, widget, finished, truth):
    second = viewer.add_labels(truth * 0, name="second", metadata=dict(layers[0].metadata))
    for prediction in (layers[0], second, layers[0]):
        widget.predicted.choose(prediction)
        evaluated(widget, finished)
    assert [layer.name for layer in viewer.layers if "errors" in layer.name] == [
        "scan particles errors",
        "second errors",
    ]
    widget.legend.choice.setCurrentIndex(widget.legend.choice.findData("paper"))
    for name in ("scan particles errors", "second errors"):
        assert tuple(viewer.layers[name].get_color(3)) == (0, 1, 0, 1)
    kept = viewer.layers["scan particles errors"]
    kept.name = "my errors"
    kept.data[:3] = 2
    layers[0].data[:] = 0
    evaluated(widget, finished)
    assert (kept.data[:3] == 2).all()
    assert viewer.layers["scan particles errors"].data.max() == 3


def test_results_go_with_their_layers(viewer, layers, widget, finished, truth, qtbot):
    evaluated(widget, finished)
    assert widget.about.text() == "<b>scan particles</b> against expert"
    viewer.add_labels(truth, name="another truth")
    viewer.layers.remove(layers[1])
    assert widget.results.isHidden()
    assert widget.result is None
    assert widget.panel.status.text() == ""
    assert widget.steps.current is None


def test_yes_or_no_is_no_probability(viewer, layers, widget, finished, found):
    record = {"role": "probability", "source": "scan", "provenance": {"settings": {"method": "yen"}}}
    image = viewer.add_image((found > 0).astype(np.uint8) * 255, name="yen", metadata={"napari-mpseg": record})
    assert widget.probability.layer is None
    widget.probability.choose(image)
    widget.metrics.tick("average-precision")
    assert "yen says yes or no only" in evaluated(widget, finished)
    assert "average-precision" not in table(widget)


def test_only_value_is_remembered_for_masks_and_never_for_labels(viewer, layers, widget, finished, truth):
    from napari_mpseg.gui.evaluate_widget import EvaluateWidget

    mask = viewer.add_image(np.where(truth > 0, 0, 255).astype(np.uint8), name="mask")
    widget.truth.choose(mask)
    widget.truth_value.box.setChecked(True)
    evaluated(widget, finished)
    assert table(widget)["particle-recall"] == pytest.approx(2 / 3)
    widget.truth.choose(layers[1])
    assert widget.truth_value.value is None
    widget.truth_value.box.setChecked(True)  # background is all the rest
    assert "only the value 0 was taken as particle" in evaluated(widget, finished)
    again = EvaluateWidget(viewer)
    again.truth.choose(layers[1])
    assert again.truth_value.value is None
    again.truth.choose(mask)
    assert again.truth_value.value == 0
    again.release()
    again.deleteLater()


def test_previews_are_no_prediction(viewer, widget, truth):
    viewer.add_image(truth.astype(np.uint8), name="above", metadata={"napari-mpseg": {"role": "threshold preview"}})
    assert widget.predicted.layer is None


def test_errors_of_large_lazy_labels_are_made_where_they_are_looked_at(monkeypatch):
    import dask.array as da

    from napari_mpseg import pyramids
    from napari_mpseg.gui.evaluate_work import evaluate_planes
    from napari_mpseg.progress import CancelToken

    monkeypatch.setattr(pyramids, "LARGEST_TEXTURE", 64)
    labels = np.zeros((100, 120), np.int32)
    labels[10:20, 10:20] = 1
    truth = da.from_array(np.roll(labels, 5, 0), chunks=(32, 32))
    done = evaluate_planes(
        da.from_array(labels, chunks=(32, 32)),
        truth,
        metrics=["f1"],
        min_size=3,
        on_progress=lambda event: None,
        cancel=CancelToken(),
    )
    errors, levels = done.errors
    assert levels
    assert isinstance(errors[0], da.Array)
    assert np.bincount(errors[0].compute().ravel()).tolist() == [100 * 120 - 150, 50, 50, 50]
    assert done.scores[0][1] == pytest.approx(0.5)
