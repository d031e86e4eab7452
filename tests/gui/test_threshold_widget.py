"""*Choose a threshold* in a real viewer: counts, aims, labels, and the card of a model."""

import hashlib
import json

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import f1_score, precision_score, recall_score


@pytest.fixture
def probability():
    """A stored probability with peaks of many heights."""
    rng = np.random.default_rng(5)
    peaks = np.zeros((120, 160))
    peaks[rng.integers(5, 115, 40), rng.integers(5, 155, 40)] = rng.uniform(20, 60, 40)
    return np.clip(ndimage.gaussian_filter(peaks, 2) * 255, 0, 255).astype(np.uint8)


@pytest.fixture
def truth(probability):
    return ndimage.label(probability > 120, np.ones((3, 3)))[0].astype(np.int32)


@pytest.fixture
def result_layer(viewer, probability):
    record = {
        "source": "scan",
        "role": "probability",
        "provenance": {
            "settings": {"method": "default", "threshold": 0.2, "min_size": 4, "connectivity": 2},
            "model": {},
        },
    }
    scale = {"scale": (2.5, 2.5), "units": ("um", "um")}
    viewer.add_image(np.full(probability.shape, 90, np.uint8), name="scan", **scale)
    return viewer.add_image(
        probability, name="scan probability", metadata={"napari-mpseg": record}, colormap="magma", opacity=0.6, **scale
    )


@pytest.fixture
def widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.threshold_widget import ThresholdWidget

    click_menu("Layers", "Segment", "Choose a threshold")
    return docked(ThresholdWidget)


def counted(probability, threshold, min_size):
    labels = ndimage.label(probability > 255 * threshold, np.ones((3, 3)))[0]
    return int((np.bincount(labels.ravel())[1:] >= min_size).sum())


def test_nothing_to_choose_on(widget, screenshot):
    assert "No probability yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    assert not widget.choice_box.isVisible()
    screenshot("threshold_empty")


def test_counts_at_every_threshold(viewer, widget, finished, result_layer, probability, screenshot):
    assert widget.form.probability.layer is result_layer
    assert (widget.threshold, widget.form.min_size.value()) == (pytest.approx(0.2, abs=0.004), 4)
    assert not widget.picker.plot.isVisible()
    widget.panel.run_button.click()
    finished(widget)
    for threshold in (0.1, 0.304, 0.5, 0.87):
        widget.picker.number.setValue(threshold)
        assert f"<b>{counted(probability, widget.threshold, 4):,} particle" in widget.picker.said.text()
        assert abs(widget.threshold - threshold) < 0.004
    assert widget.picker.plot.isVisible()
    assert not widget.picker.aims.isVisible()  # there is no truth to aim at
    screenshot("threshold_counted")
    widget.form.min_size.setValue(9)
    assert not widget.picker.plot.isVisible()
    assert "Press" in widget.picker.said.text()


def test_truth_gives_scores_and_aims(viewer, widget, finished, result_layer, probability, truth, screenshot):
    widget.form.truth.choose(viewer.add_labels(truth, name="expert", scale=(2.5, 2.5), visible=False))
    widget.form.probability.choose(result_layer)
    widget.panel.run_button.click()
    finished(widget)
    widget.picker.number.setValue(0.3)
    flat = truth.ravel() > 0, probability.ravel() > 255 * widget.threshold
    for name, function in (("precision", precision_score), ("recall", recall_score), ("F1", f1_score)):
        assert f"{name} {function(*flat):.3f}" in widget.picker.said.text()
    widget.picker.aims.aim.setCurrentIndex(widget.picker.aims.aim.findData("best-f1"))
    widget.picker.aims.button.click()
    assert np.array_equal(probability > 255 * widget.threshold, truth > 0)  # where F1 is 1
    assert widget.record()["aim"] == "best-f1"
    assert widget.record()["f1"] == 1
    screenshot("threshold_truth")
    widget.picker.slider.setValue(widget.picker.slider.value() + 9)
    assert widget.record()["aim"] == "by hand"


def test_a_mask_where_0_is_particle(viewer, widget, finished, result_layer, truth):
    layer = viewer.add_image(np.where(truth > 0, 0, 255).astype(np.uint8), name="mask")
    widget.form.probability.choose(result_layer)
    widget.form.truth.choose(layer)
    widget.form.particle.box.setChecked(True)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.curves.n_truth == (np.bincount(truth.ravel())[1:] >= 4).sum()


def test_truth_of_another_size_is_refused(viewer, widget, finished, result_layer, screenshot):
    widget.form.truth.choose(viewer.add_labels(np.ones((20, 30), np.int32), name="other"))
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.kind == "error"
    assert "30 x 20 px" in widget.panel.status.text()
    screenshot("threshold_error")


def test_values_that_are_no_probability_are_refused(viewer, widget, finished):
    viewer.add_image(np.linspace(0, 9, 400).reshape(20, 20), name="heights")
    widget.panel.run_button.click()
    assert "from 0 to 9" in widget.panel.status.text()


def test_the_mask_in_view_follows_the_slider(viewer, widget, qtbot, result_layer, probability):
    qtbot.waitUntil(lambda: widget.preview._layer is not None)
    widget.picker.number.setValue(0.4)
    layer = viewer.layers["scan probability above threshold"]
    y, x = np.rint(np.asarray(layer.translate) / 2.5).astype(int)
    height, width = layer.data.shape
    assert height * width > 1000  # what is in view
    seen = probability[y : y + height, x : x + width]
    np.testing.assert_array_equal(layer.data > 0, seen > 255 * widget.threshold)
    np.testing.assert_array_equal(layer.scale, result_layer.scale)
    widget.preview_box.setChecked(False)
    assert "scan probability above threshold" not in viewer.layers
    widget.preview_box.setChecked(True)
    viewer.layers.remove(viewer.layers["scan probability above threshold"])
    assert not widget.preview_box.isChecked()
    assert widget._memory.get("preview", False)  # which closing the window does too


def test_labels_are_those_of_segmentation(viewer, widget, finished, result_layer, probability):
    widget.preview_box.setChecked(False)
    widget.picker.number.setValue(0.35)
    before = len(viewer.layers)
    widget.make_button.click()
    finished(widget)
    assert len(viewer.layers) == before + 1
    layer = viewer.layers[f"scan particles at {widget.threshold:.3f}"]
    labels = ndimage.label(probability > 255 * widget.threshold, np.ones((3, 3)))[0]
    large = np.bincount(labels.ravel()) >= 4
    large[0] = False
    np.testing.assert_array_equal(layer.data > 0, large[labels])
    assert layer.data.max() == large.sum()
    assert layer.features["area_px"].iloc[1:].tolist() == np.bincount(layer.data.ravel())[1:].tolist()
    assert layer.features["intensity_mean"].iloc[1:].eq(90).all()  # of the scan, not of the probability
    np.testing.assert_array_equal(layer.scale, result_layer.scale)
    made = layer.metadata["napari-mpseg"]["provenance"]["settings"]
    assert (made["threshold"], made["min_size"]) == (widget.threshold, 4)
    assert made["options"]["stored_probability"]["layer"] == "scan probability"


def test_labels_without_the_image(viewer, widget, finished):
    probability = np.zeros((3, 40, 50), np.float32)
    probability[1, 5:9, 5:9] = 0.7
    viewer.add_image(probability, name="stack")
    viewer.dims.current_step = (1, 0, 0)
    widget.picker.number.setValue(0.6)
    widget.make_button.click()
    finished(widget)
    layer = viewer.layers[f"stack particles at {widget.threshold:.3f}"]
    assert layer.data.shape == (1, 40, 50)
    assert layer.translate.tolist() == [1, 0, 0]
    assert layer.features["area_px"].iloc[1:].tolist() == [16]


def test_another_plane_is_not_counted_yet(viewer, widget, finished):
    viewer.add_image(np.random.default_rng(0).random((3, 40, 50)).astype(np.float32), name="stack")
    viewer.dims.current_step = (0, 0, 0)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.picker.plot.isVisible()
    viewer.dims.current_step = (2, 0, 0)
    assert not widget.picker.plot.isVisible()


@pytest.fixture
def model(tmp_path):
    from napari_mpseg.networks.modelfile import Model, ModelCard, save_model
    from napari_mpseg.networks.registry import NETWORKS

    network = NETWORKS["quarter-multiresunet"].build(3).eval()
    return save_model(Model(network, ModelCard("mine", "quarter-multiresunet", threshold=0.4)), tmp_path / "mine")


def made_by(layer, folder):
    card = json.loads((folder / "card.json").read_text())
    layer.metadata["napari-mpseg"]["provenance"]["model"] = card
    return card


def test_store_in_the_model_that_made_it(widget, result_layer, model, monkeypatch):
    from napari_mpseg.gui import threshold_store
    from napari_mpseg.gui.memory import Memory
    from napari_mpseg.gui.method_choice import remember_model

    remember_model(Memory("segment"), model)
    made_by(result_layer, model)
    weights = (model / "weights.safetensors").read_bytes()
    widget.picker.number.setValue(0.31)
    answers = [threshold_store.QMessageBox.StandardButton.No, threshold_store.QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(threshold_store.QMessageBox, "question", lambda *args: answers.pop(0))
    widget.store_button.click()
    assert json.loads((model / "card.json").read_text())["threshold"] == 0.4
    widget.store_button.click()
    card = json.loads((model / "card.json").read_text())
    assert card["threshold"] == widget.threshold
    assert card["scores"]["operating_point"]["aim"] == "by hand"
    (image,) = card["scores"]["operating_point"]["chosen_on"]
    assert (image["name"], image["shape"]) == ("scan", [120, 160, 1])
    whole = hashlib.sha256(b"(120, 160, 1)" + bytes([90]) * (120 * 160)).hexdigest()
    assert image["image_sha256"] == whole
    assert (model / "weights.safetensors").read_bytes() == weights
    assert "stored" in widget.panel.status.text()


def test_the_bundled_model_is_copied(widget, result_layer, tmp_path, monkeypatch):
    from importlib.resources import files

    from napari_mpseg.gui import threshold_store
    from napari_mpseg.networks.modelfile import load_card

    made_by(result_layer, files("napari_mpseg") / "models" / "half-multiresunet-nile-red")
    monkeypatch.setattr(
        threshold_store.QFileDialog, "getSaveFileName", lambda *args, **more: (str(tmp_path / "tuned"), "")
    )
    widget.picker.number.setValue(0.5)
    widget.store_button.click()
    assert load_card(tmp_path / "tuned").threshold == widget.threshold


def test_another_model_than_made_it_is_refused(widget, result_layer, model, monkeypatch):
    from napari_mpseg.gui import threshold_store

    made_by(result_layer, model)
    result_layer.metadata["napari-mpseg"]["provenance"]["model"]["weights_sha256"] = "0" * 64
    monkeypatch.setattr(
        threshold_store.QFileDialog, "getOpenFileName", lambda *args, **more: (str(model / "card.json"), "")
    )
    widget.store_button.click()
    assert widget.panel.status.kind == "error"
    assert "is not the model that made" in widget.panel.status.text()


# -- which probability, and whose truth ----------------------------------------------------------------------------


def yes_or_no(viewer, probability):
    record = {"role": "probability", "source": "scan", "provenance": {"settings": {"method": "yen", "threshold": 0.5}}}
    mask = (probability > 100).astype(np.uint8) * 255
    return viewer.add_image(mask, name="scan probability [2]", metadata={"napari-mpseg": record})


def test_the_choice_stays_when_the_mask_is_shown(viewer, widget, qtbot, result_layer, probability):
    second = viewer.add_image(probability[::-1], name="second", metadata=dict(result_layer.metadata))
    assert widget.form.probability.layer == second
    viewer.layers.selection.active = second
    choice = widget.form.probability
    choice.setCurrentIndex(choice.findText("scan probability"))
    qtbot.waitUntil(lambda: "scan probability above threshold" in viewer.layers)
    qtbot.wait(300)
    assert choice.layer == result_layer
    assert viewer.layers.selection.active == second


def test_the_plane_is_found_by_its_place(viewer, widget, qtbot):
    stack = np.zeros((4, 40, 50), np.uint8)
    stack[2, 10:20, 10:30] = 200
    viewer.add_labels(np.zeros((40, 2, 2), np.int32), name="finer")  # its steps are those of the slider
    viewer.add_image(stack, name="stack", scale=(5, 1, 1))
    viewer.dims.set_point(0, 10)
    viewer.reset_view()
    name = "stack above threshold"
    qtbot.waitUntil(lambda: name in viewer.layers and viewer.layers[name].data.any(), timeout=3000)
    assert viewer.layers[name].translate[0] == 10


def test_a_yes_or_no_result_is_chosen_by_the_user_only(viewer, widget, finished, probability, result_layer):
    assert widget.form.probability.layer == result_layer
    answer = yes_or_no(viewer, probability)
    assert widget.form.probability.layer == result_layer
    viewer.layers.remove(result_layer)
    assert widget.form.probability.layer == viewer.layers["scan"]
    viewer.layers.remove("scan")
    assert widget.form.probability.layer is None
    assert "Choose a probability" in widget.hint.text()
    widget.form.probability.choose(answer)
    widget.panel.run_button.click()
    finished(widget)
    assert "yen says yes or no only" in widget.picker.said.text()
    assert "was made with" not in widget.picker.said.text()


def test_an_inverted_truth_is_told(viewer, widget, finished, result_layer, truth):
    mask = viewer.add_image(np.where(truth > 0, 0, 255).astype(np.uint8), name="mask")
    widget.form.probability.choose(result_layer)
    widget.form.truth.choose(mask)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.kind == "warning"
    assert "tick “only value” and give 0" in widget.panel.status.text()
    widget.form.particle.box.setChecked(True)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.text() == ""
    widget.form.truth.choose(viewer.add_labels(truth, name="labels"))
    assert widget.form.particle.value is None  # what was right for the mask would turn them round


def test_particles_that_a_method_told_apart_are_not_aimed_at(viewer, widget, finished, result_layer, truth):
    settings = result_layer.metadata["napari-mpseg"]["provenance"]
    settings["settings"]["instances"] = "predicted"
    settings["model"] = {"network": "mask-rcnn"}
    widget.form.truth.choose(viewer.add_labels(truth, name="truth"))
    widget.panel.run_button.click()
    finished(widget)
    said = widget.picker.said.text()
    assert "the numbers of particles are not its own" in said
    assert "Nothing is known below 0.2" in said
    aims = widget.picker.aims
    aims.aim.setCurrentIndex(aims.aim.findData("count-bias-zero"))
    aims.button.click()
    assert widget.panel.status.kind == "error"
    assert "tells touching particles apart" in widget.panel.status.text()
    aims.aim.setCurrentIndex(aims.aim.findData("best-f1"))
    aims.button.click()
    assert "against truth" not in widget.panel.status.text()
    assert not {"particles", "count_bias"} & set(widget.record())
    assert {"precision", "recall", "f1"} <= set(widget.record())


def test_a_copy_is_listed_where_one_segments_and_an_old_error_goes(
    viewer, widget, result_layer, tmp_path, monkeypatch, segment_widget
):
    from importlib.resources import files

    from napari_mpseg.gui import threshold_store

    made_by(result_layer, files("napari_mpseg") / "models" / "half-multiresunet-nile-red")
    answers = [str(tmp_path / "tuned"), str(tmp_path / "tuned"), ""]
    monkeypatch.setattr(threshold_store.QFileDialog, "getSaveFileName", lambda *args, **more: (answers.pop(0), ""))
    widget.store_button.click()
    assert segment_widget.method.findData(str(tmp_path / "tuned")) >= 0
    assert segment_widget.method.method == "default"
    widget.store_button.click()
    assert widget.panel.status.kind == "error"  # it is there already
    widget.store_button.click()
    assert widget.panel.status.text() == ""
