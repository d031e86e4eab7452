"""Touching particles in *Train from painted labels*: heads, labels of their own, and what cannot be started from."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_mpseg.gui.elided_combo import ElidedCombo
from napari_mpseg.gui.painting import next_label
from napari_mpseg.gui.train_inputs import start_problem
from napari_mpseg.gui.train_run import Learnt, Outcome
from napari_mpseg.gui.train_words import ending
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.training.presets import PRESETS

DETECTORS = [name for name, preset in PRESETS.items() if preset.trainer]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def recipe(qtbot):
    return _recipe(qtbot)


def _recipe(qtbot):
    from napari_mpseg.gui.memory import Memory
    from napari_mpseg.gui.train_recipe import Recipe

    made = Recipe(Memory("train"))
    qtbot.addWidget(made)
    return made


@pytest.fixture
def form(qtbot):
    """The widget, with two touching squares of one label painted as a dense mask."""
    from napari_mpseg.gui.train_widget import TrainWidget

    viewer = ViewerModel()
    viewer.add_image(np.zeros((60, 60), np.uint8), name="squares")
    painted = np.zeros((60, 60), np.uint16)
    painted[10:20, 10:30] = 1
    viewer.add_labels(painted, name="painted")
    widget = TrainWidget(viewer)
    qtbot.addWidget(widget)
    widget.show()
    widget.how.choose("dense")
    return widget


# -- heads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", list(HEADS))
def test_every_head_can_be_chosen_and_is_trained(recipe, head):
    recipe.choose("painted-large")
    assert not recipe.instances
    recipe.head.choose(head)
    assert recipe.preset.settings.head == head
    assert recipe.instances == (HEADS[head].channels > 1)
    assert (f"head: {HEADS[head].title.lower()}" in recipe.summary.text()) == recipe.instances
    assert HEADS[head].summary in recipe.head.choice.toolTip()


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_unchanged_has_its_own_settings(recipe, name):
    recipe.choose(name)
    assert recipe.preset.settings == PRESETS[name].settings
    assert recipe.instances == (name in DETECTORS or PRESETS[name].settings.head != "mask")


def test_head_and_size_are_remembered(recipe, qtbot):
    recipe.choose("painted-large")
    recipe.head.choose("distance")
    recipe.shrink.setValue(6)
    recipe.remember()
    again = _recipe(qtbot).preset.settings
    assert (again.head, again.shrink) == ("distance", 6)
    recipe.choose("maskrcnn-light")
    recipe.patch.setValue(128)
    recipe.remember()
    again = _recipe(qtbot).preset.settings
    assert (again.head, again.patches.size) == ("mask", 128)


def test_a_model_that_is_started_from_keeps_the_size_it_sees(recipe):
    recipe.choose("painted-large")
    assert recipe.shrink.isEnabled()
    recipe.start.choose("default")
    assert not recipe.shrink.isEnabled()
    assert "keeps the size" in recipe.shrink.toolTip()


def test_windows_side_by_side_stay_so_with_other_patches(recipe):
    recipe.choose("babkauskas-maskrcnn-1")
    recipe.patch.setValue(128)
    assert (recipe.preset.settings.patches.size, recipe.preset.settings.patches.step) == (128, 128)
    assert "patches of 128 px" in recipe.summary.text()


# -- what cannot be started from -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_cannot_start_from_the_bundled_network(recipe, name):
    recipe.start.choose("default")
    recipe.choose(name)
    entry = recipe.start.choice.model().item(recipe.start.choice.findData("default"))
    assert recipe.start.chosen == "scratch"
    assert not entry.isEnabled()
    assert "mask-rcnn" in recipe.summary.text()
    assert not recipe.head.isEnabled()
    assert recipe.problem == ""
    recipe.start.refresh()
    assert not recipe.start.choice.model().item(recipe.start.choice.findData("default")).isEnabled()
    recipe.choose("painted")
    assert recipe.start.chosen == "default"
    assert recipe.start.choice.model().item(recipe.start.choice.findData("default")).isEnabled()


def test_models_of_the_other_kind_are_refused_before_the_start(tmp_path):
    (tmp_path / "detector").mkdir()
    (tmp_path / "detector" / "detector.json").touch()
    detector, network = str(tmp_path / "detector"), str(tmp_path)
    assert start_problem(detector, True) == start_problem(network, False) == start_problem("default", False) == ""
    assert "cannot start from a Mask R-CNN" in start_problem(detector, False)
    assert "Nothing (from scratch)" in start_problem(network, True)
    assert "Start afresh" in start_problem(object(), True)


# -- one label for each ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["touching", "maskrcnn-light"])
def test_particles_of_one_label_are_said_before_training(form, preset):
    assert "same label" not in form.findings.text()
    form.recipe.choose(preset)
    assert "label of its own" in form.how.explanation.text()
    assert "All particles of squares have the same label" in form.findings.text()
    assert form.panel.run_button.isEnabled()
    layer = form.pairs.painted
    layer.data[10:20, 20:30] = 2
    form.recipe.changed.emit()
    assert "same label" not in form.findings.text()
    form.recipe.choose("painted")
    assert "every other label is particle" in form.how.explanation.text()


@pytest.mark.parametrize("preset", ["touching", "maskrcnn-light"])
def test_scribbles_are_refused_before_training(form, preset):
    form.how.choose("scribbles")
    form.recipe.choose(preset)
    assert "'Painted as: Dense mask'" in form.findings.text()
    assert not form.panel.run_button.isEnabled()
    form.how.choose("dense")
    assert form.panel.run_button.isEnabled()


def test_the_next_particle_has_a_new_label(form):
    assert form.strokes.buttons["particle"].text() == "Particle (1)"
    form.recipe.choose("touching")
    layer = form.pairs.painted
    assert "key <i>M</i>" in form.strokes.explanation.text()
    form.strokes.buttons["particle"].click()
    assert (layer.selected_label, layer.mode) == (2, "paint")
    form.strokes.buttons["particle"].click()  # nothing was painted with it
    assert layer.selected_label == 2
    layer.data[40:45, 40:45] = 2
    form.strokes.buttons["erase"].click()
    form.strokes.buttons["same"].click()
    assert (layer.selected_label, layer.mode) == (2, "paint")
    form.strokes.buttons["particle"].click()
    assert layer.selected_label == 3
    form.recipe.choose("painted")
    assert "same" not in form.strokes.buttons


def test_a_label_is_new_also_where_the_highest_number_is_taken():
    labels = ViewerModel().add_labels(np.array([[0, 1], [2, 255]], np.uint8))
    assert next_label(labels) == 3


def test_new_labels_for_touching_particles_are_for_a_dense_mask(form):
    form.recipe.choose("touching")
    form.how.choose("scribbles")
    form.pairs.new_button.click()
    assert form.how.kind == "dense"
    assert form.pairs.painted.selected_label == 1


# -- words -----------------------------------------------------------------------------------------------------------


def _outcome(**given):
    return Outcome(**{"model": Learnt(None, None), "ended": "cancelled", "epochs": 0, "seconds": 21.0, **given})


@pytest.mark.parametrize(
    ("outcome", "words", "kind"),
    [
        (_outcome(model=None), "before anything was learnt", "warning"),
        (_outcome(), "within the first epoch. Little was learnt", "warning"),
        (_outcome(ended="time"), "over within the first epoch", "warning"),
        (_outcome(epochs=1), "Cancelled after 1 epoch and 21 s; what was learnt until then is kept.", "warning"),
        (_outcome(ended="finished", epochs=3, iou=0.5), "Trained 3 epochs in 21 s. IoU 0.50", "done"),
        (_outcome(only_before=True), "Only the other images", "warning"),
    ],
)
def test_how_a_run_ended_is_said_as_it_was(outcome, words, kind):
    said, how = ending(outcome)
    assert words in said
    assert "0 epochs" not in said
    assert how == kind


def test_a_name_that_does_not_fit_ends_in_dots(qtbot):
    combo = ElidedCombo()
    qtbot.addWidget(combo)
    combo.add("A preset of a very long name that fits into no form at all", "long", "")
    combo.add("Short", "short", "")
    combo.resize(150, 30)
    combo.show()
    assert combo.shown_text().endswith("…")
    combo.setCurrentIndex(1)
    assert combo.shown_text() == "Short"
    combo.grab()  # paints


def test_names_of_this_projects_presets_fit_the_form(form):
    for name, preset in PRESETS.items():
        if preset.source == "napari-mpseg":
            form.recipe.choose(name)
            assert form.recipe.preset_choice.shown_text() == preset.title
