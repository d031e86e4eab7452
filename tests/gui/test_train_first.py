"""What is learnt from first, as a person chooses it and as the training thread does it."""

import numpy as np
import pytest

from napari_mpseg.training.presets import PRESETS


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def recipe(qtbot):
    from napari_mpseg.gui.memory import Memory
    from napari_mpseg.gui.train_recipe import Recipe

    made = Recipe(Memory("train"))
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "other filters" / "labels").mkdir(parents=True)
    return tmp_path / "other filters"


def test_nothing_is_learnt_from_first_unless_it_is_chosen(recipe):
    assert recipe.preset.before is None
    assert not recipe.first.epochs.isVisible()


@pytest.mark.parametrize("name", ["synthetic", "semi"])
def test_a_kind_of_made_image_is_chosen(recipe, name):
    recipe.first.choose(name)
    assert recipe.first.epochs.isVisible()
    recipe.first.epochs.setValue(7)
    assert recipe.preset.before.images == name
    assert recipe.preset.settings_before().epochs == 7
    assert recipe.preset.settings.epochs == recipe.epochs.value()
    assert recipe.first.choice.currentText() in recipe.first.choice.toolTip()


def test_a_folder_is_asked_for(recipe, folder, monkeypatch):
    from qtpy.QtWidgets import QFileDialog

    answers = ["", str(folder), ""]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *args: answers.pop(0))
    ask = recipe.first.choice.count() - 1
    recipe.first.choose("semi")
    recipe.first.choice.setCurrentIndex(ask)  # the user thinks better of it
    assert recipe.first.images == "semi"
    recipe.first.choice.setCurrentIndex(ask)
    assert recipe.first.images == str(folder)
    assert recipe.first.choice.currentText() == "other filters"
    assert recipe.preset.before.images == str(folder)
    recipe.first.choice.setCurrentIndex(recipe.first.choice.count() - 1)
    assert recipe.first.images == str(folder)


def test_a_preset_brings_its_own_stage_and_it_can_be_left_out(recipe):
    recipe.choose("lee-transfer")
    assert recipe.first.images == "semi"
    assert recipe.preset.before.options["weight"] == 0.65
    assert recipe.preset.before.count == PRESETS["lee-transfer"].before.count
    recipe.first.choose("")
    assert recipe.preset.before is None
    recipe.choose("painted")
    assert recipe.first.images == ""


def test_what_is_chosen_is_remembered_but_not_a_folder_that_has_gone(recipe, folder, qtbot):
    from napari_mpseg.gui.memory import Memory
    from napari_mpseg.gui.train_recipe import Recipe

    def again():
        made = Recipe(Memory("train"))
        qtbot.addWidget(made)
        return made

    recipe.first.choose(str(folder))
    recipe.first.epochs.setValue(9)
    recipe.remember()
    second = again()
    assert (second.first.images, second.first.epochs.value()) == (str(folder), 9)
    (folder / "labels").rmdir()
    folder.rmdir()
    third = again()
    assert third.first.images == ""


def test_to_train_on_is_to_go_on_with_what_is_painted(recipe):
    recipe.first.choose("synthetic")
    recipe.start.continue_from(object())
    assert recipe.preset.before is None
    assert not recipe.first.isEnabled()
    assert "goes on" in recipe.first.choice.toolTip()
    recipe.start.continue_from(None)
    assert recipe.first.isEnabled()
    assert recipe.preset.before.images == "synthetic"


QUICK = PRESETS["painted-from-scratch"].changed(
    network="quarter-multiresunet",
    network_options={},
    epochs=2,
    batch=2,
    before="synthetic",
    **{"patches.size": 32, "patches.per_epoch": 4, "before.count": 2, "before.options.size": 64},
)


@pytest.mark.parametrize("stop", [0, 1, 5], ids=["to the end", "in the first stage", "in the second"])
def test_the_thread_learns_both_stages_and_a_cancel_keeps_what_there_is(spots, tmp_path, stop):
    from napari.layers import Labels

    from napari_mpseg.gui.train_preview import PreviewMaker
    from napari_mpseg.gui.train_run import TrainRequest, TrainRun
    from napari_mpseg.images.open import open_image
    from napari_mpseg.progress import CancelToken
    from napari_mpseg.training.painted.placement import snapshot_layer

    painted = np.zeros(spots.shape, np.uint16)
    painted[11:13, 21:25] = painted[51, 60:63] = 2
    painted[20, 10:90] = painted[60, 10:90] = 1
    layers = [(open_image(spots), snapshot_layer(Labels(painted)))]
    request = TrainRequest(layers, QUICK, "scribbles", start="scratch", cache=str(tmp_path))
    begun, events, progress = [], [], []

    def watch(event):
        events.append(event)
        if event.step == stop:
            run.control.cancel()

    maker = PreviewMaker(lambda prediction: None, lambda reason: None)
    run = TrainRun(request, maker, lambda *values: begun.append(values), watch)
    outcome = run(on_progress=progress.append, cancel=CancelToken())
    assert begun[0][:2] == (0, ())
    assert "Making images to learn from" in {event.stage for event in progress}
    assert outcome.ended == ("cancelled" if stop else "finished")
    assert outcome.only_before == (stop == 1)
    assert outcome.epochs == {0: 4, 1: 0, 5: 2}[stop]
    assert outcome.model.model.card.training["before"]["images"] == "synthetic"
    assert outcome.model.path.exists()
