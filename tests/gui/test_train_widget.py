"""*Train from painted labels* in a real viewer, used as a person would."""

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_mpseg.errors import MpsegError

SPACE = {"scale": (2.5, 2.5), "units": ("um", "um"), "translate": (100, 200)}
EPOCHS, STEPS = 3, 2


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def train_widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.train_widget import TrainWidget

    click_menu("Layers", "Segment", "Train from painted labels")
    return docked(TrainWidget)


@pytest.fixture
def image(viewer, spots):
    return viewer.add_image(spots, name="spots", **SPACE)


@pytest.fixture
def scribbles(spots):
    """Two particles and some background, of three particles."""
    painted = np.zeros(spots.shape, np.uint16)
    painted[11:13, 21:25] = painted[51, 60:63] = 2
    painted[20, 10:90] = painted[60, 10:90] = 1
    return painted


@pytest.fixture
def painted(viewer, train_widget, image, scribbles):
    """A widget that is ready to train."""
    layer = viewer.add_labels(scribbles.copy(), name="strokes", **SPACE)
    train_widget.how.choose("scribbles")
    train_widget.recipe.epochs.setValue(EPOCHS)
    train_widget.preview.box.setChecked(False)
    return layer


class FakeCore:
    """Stands for ``prepare_training``: a tiny network that learns nothing, each step held until `gate` is set."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.running = threading.Event()
        self.calls, self.threads, self.models = [], [], []
        self.error, self.error_at = None, 3
        self.resumed, self.notes = 0, ()
        self.stopped, self.only_before = False, False

    @property
    def history(self):
        return tuple(self.training.history)

    @property
    def step(self):
        return self.training.step

    def __call__(self, pairs, preset, **options):
        from napari_mpseg.networks.modelfile import Model, ModelCard
        from napari_mpseg.networks.registry import NETWORKS
        from napari_mpseg.training.run.loop import EpochRecord

        self.calls.append(SimpleNamespace(pairs=pairs, preset=preset, **options))
        self.threads.append(threading.current_thread())
        Path(options["checkpoint"]).mkdir(parents=True)
        network = NETWORKS["quarter-multiresunet"].build(3).eval()
        self.epochs = preset.settings.epochs
        self.training = SimpleNamespace(step=self.resumed * STEPS, history=[])
        self.training.history += [EpochRecord(number + 1, 0.5, 1e-3) for number in range(self.resumed)]
        card = ModelCard(options["name"], "quarter-multiresunet", receptive_radius=12)
        self.model = lambda: Model(network, card)
        return self

    def run(self, *, on_progress, on_event, control):
        from napari_mpseg.progress import Progress
        from napari_mpseg.training.run.events import TrainingEvent
        from napari_mpseg.training.run.loop import EpochRecord
        from napari_mpseg.training.run.validation import Validation

        training, steps = self.training, self.epochs * STEPS
        self.running.set()
        while training.step < steps:
            control.wait()
            while not self.gate.wait(0.01) and not control.cancelled:
                pass
            if control.cancelled:
                self.stopped = True
                break
            training.step += 1
            if self.error is not None and training.step == self.error_at:
                raise self.error
            epoch = -(-training.step // STEPS)
            on_event(TrainingEvent(training.step, steps, epoch, self.epochs, 1 / training.step, 1e-3))
            on_progress(Progress("Training", training.step, steps, "steps"))
            if training.step % STEPS == 0:
                seen = Validation(1.5 / epoch, epoch / 10)
                training.history.append(EpochRecord(epoch, 1 / epoch, 1e-3, seen))
                event = TrainingEvent(training.step, steps, epoch, self.epochs, 1 / epoch, 1e-3, True, seen, True)
                on_event(event)
        self.models.append(self.model())
        return self.models[-1]


@pytest.fixture
def core(monkeypatch):
    from napari_mpseg.training import train

    fake = FakeCore()
    monkeypatch.setattr(train, "prepare_training", fake)
    return fake


def names(viewer):
    return [layer.name for layer in viewer.layers]


def begun(core, qtbot):
    qtbot.waitUntil(core.running.is_set, timeout=20_000)


# -- before training -------------------------------------------------------------------------------------------------


def test_no_image_says_what_to_do(train_widget, screenshot):
    assert train_widget.hint.isVisible()
    assert "Open Sample" in train_widget.hint.text()
    assert "New labels to paint" in train_widget.hint.text()
    assert not train_widget.panel.run_button.isEnabled()
    screenshot("train_empty")


def test_it_opens_from_the_plugins_menu_too(viewer, click_menu, docked):
    from napari_mpseg.gui.train_widget import TrainWidget

    click_menu("Plugins", "napari-mpseg", "Train from painted labels")
    assert docked(TrainWidget)


def test_opening_it_loads_no_torch():
    program = (
        "import sys\n"
        "from napari.components import ViewerModel\n"
        "from qtpy.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from napari_mpseg.gui.train_widget import TrainWidget\n"
        "import numpy as np\n"
        "viewer = ViewerModel()\n"
        "viewer.add_image(np.zeros((50, 50)))\n"
        "painted = np.zeros((50, 50), int)\n"
        "painted[3], painted[9] = 1, 2\n"
        "viewer.add_labels(painted)\n"
        "widget = TrainWidget(viewer)\n"
        "widget.how.choose('scribbles')\n"
        "assert widget.panel.run_button.isEnabled(), widget.findings.text()\n"
        "loaded = {'torch', 'segmentation_models_pytorch'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_new_labels_lie_on_the_image_and_are_ready_for_strokes(viewer, train_widget, image, screenshot):
    assert "New labels to paint" in train_widget.findings.text()
    train_widget.pairs.new_button.click()
    labels = viewer.layers["spots painted"]
    assert labels.data.shape == image.data.shape
    assert not labels.data.any()
    for axis in ("scale", "translate"):
        np.testing.assert_array_equal(getattr(labels, axis), getattr(image, axis))
    assert labels.units == image.units
    assert viewer.layers.selection.active == labels
    assert labels.mode == "paint"
    assert train_widget.how.kind == "scribbles"
    assert labels.selected_label == 2
    assert "Nothing is painted on spots" in train_widget.findings.text()
    assert "background" in train_widget.strokes.explanation.text()
    train_widget.strokes.buttons["background"].click()
    assert (labels.selected_label, labels.mode) == (1, "paint")
    train_widget.strokes.buttons["erase"].click()
    assert labels.mode == "erase"
    train_widget.how.background.setValue(3)
    train_widget.strokes.buttons["background"].click()
    assert labels.selected_label == 3
    screenshot("train_new_labels")
    train_widget.pairs.new_button.click()  # never over what is there
    assert names(viewer) == ["spots", "spots painted", "spots painted [2]"]


def test_new_labels_of_a_stack_have_all_its_planes_and_of_colour_no_channels(viewer, train_widget, spots):
    viewer.add_image(np.stack([spots] * 3), name="stack")
    train_widget.pairs.new_button.click()
    assert viewer.layers["stack painted"].data.shape == (3, *spots.shape)
    viewer.layers.clear()
    viewer.add_image(np.stack([spots] * 3, -1), name="colour", rgb=True)
    train_widget.pairs.new_button.click()
    assert viewer.layers["colour painted"].data.shape == spots.shape


def test_how_it_was_painted_is_never_guessed(viewer, train_widget, image, scribbles):
    viewer.add_labels(scribbles, name="strokes", **SPACE)
    assert train_widget.how.kind == ""
    assert not train_widget.panel.run_button.isEnabled()
    assert "dense mask, or as scribbles" in train_widget.findings.text()
    train_widget.how.choose("dense")
    assert train_widget.panel.run_button.isEnabled()
    assert "0 is background" in train_widget.how.explanation.text()
    assert not train_widget.how.background.isVisible()
    train_widget.how.choose("scribbles")
    assert train_widget.how.background.isVisible()
    assert train_widget.findings.text().startswith("Only 11 pixels of particle")
    assert train_widget.panel.run_button.isEnabled()


@pytest.mark.parametrize(
    ("change", "how", "said"),
    [
        (lambda labels: labels * 0, "scribbles", "Nothing is painted"),
        (lambda labels: labels * (labels == 2), "scribbles", "No background is painted"),
        (lambda labels: labels * (labels == 1), "scribbles", "Only background is painted"),
        (lambda labels: labels * 0, "dense", "No particle is painted"),
        (lambda labels: labels * 0 + 1, "dense", "No background is there"),
    ],
)
def test_wrong_strokes_are_said_before_training(viewer, train_widget, image, scribbles, qtbot, change, how, said):
    labels = viewer.add_labels(scribbles, name="strokes", **SPACE)
    train_widget.how.choose(how)
    assert train_widget.panel.run_button.isEnabled()
    labels.data_setitem(np.nonzero(scribbles >= 0), change(scribbles).ravel())
    qtbot.waitUntil(lambda: said in train_widget.findings.text(), timeout=3000)
    assert not train_widget.panel.run_button.isEnabled()


def test_wrong_pairings_are_said_before_training(viewer, train_widget, image, scribbles, screenshot):
    train_widget.how.choose("scribbles")
    small = viewer.add_labels(scribbles[:50, :50], name="small", **SPACE)
    (row,) = train_widget.pairs.rows
    assert row.labels.layer is None  # never chosen by itself
    row.labels.choose(small)
    assert "spots has 100 x 120 pixels, small has 50 x 50" in row.problem.text()
    assert not train_widget.panel.run_button.isEnabled()
    screenshot("train_wrong_pair")
    coarse = viewer.add_labels(scribbles, name="coarse")
    row.labels.choose(coarse)
    assert "pixels of different size" in row.problem.text()
    coarse.scale = (2.5, 2.5)
    assert "shifted against each other" in row.problem.text()
    coarse.translate = (100, 200)
    assert row.problem.text() == ""
    assert train_widget.panel.run_button.isEnabled()
    row.labels.choose(viewer.add_labels(np.zeros((2, 100, 120), int), name="two planes", scale=(1, 2.5, 2.5)))
    assert "2 planes" in row.problem.text()


def test_newest_image_and_labels_are_chosen_until_the_user_chooses(viewer, train_widget, image, spots, scribbles):
    row = train_widget.pairs.rows[0]
    second = viewer.add_image(spots, name="second", **SPACE)
    assert row.pair == (second, None)
    first = viewer.add_labels(scribbles, name="first strokes", **SPACE)
    assert row.pair == (second, first)
    newer = viewer.add_labels(scribbles, name="newer strokes", **SPACE)
    assert row.pair == (second, newer)
    viewer.add_image(spots, name="third", **SPACE)  # something is painted for the second already
    viewer.layers.selection.active = image
    assert row.pair == (second, newer)
    row.labels.setCurrentIndex(row.labels.findText("first strokes"))
    row.labels.activated.emit(row.labels.currentIndex())
    viewer.add_labels(scribbles, name="newest strokes", **SPACE)
    assert row.pair == (second, first)


def test_the_same_labels_twice_are_refused(viewer, train_widget, painted, spots):
    train_widget.pairs.add_button.click()
    train_widget.pairs.rows[1].labels.choose(painted)
    assert "chosen twice" in train_widget.findings.text()
    train_widget.pairs.rows[1].remove_button.click()
    assert train_widget.panel.run_button.isEnabled()
    assert not train_widget.pairs.rows[0].remove_button.isVisible()
    assert names(viewer) == ["spots", "strokes"]


# -- training --------------------------------------------------------------------------------------------------------


def test_training_ends_with_a_model_to_go_on_from(viewer, train_widget, painted, core, finished, screenshot, qtbot):
    before = painted.data.copy()
    train_widget.panel.run_button.click()
    assert train_widget.panel.busy
    finished(train_widget)
    (call,) = core.calls
    assert call.painted == "scribbles"
    assert call.background_label == 1
    assert call.start == "default"
    assert call.name == "spots-model"
    assert call.preset.name == "painted"
    assert call.preset.settings.epochs == EPOCHS
    ((image, labels),) = call.pairs
    assert image.calibration.pixel_size == (2.5, 2.5)
    np.testing.assert_array_equal(labels.data, before)
    curves = train_widget.panel.curve.curves
    assert curves.epochs == [(1, 1), (2, 1 / 2), (3, 1 / 3)]
    assert curves.validation == [(1, 1.5), (2, 0.75), (3, 0.5)]
    assert curves.iou == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert [x for x, _ in curves.steps] == pytest.approx([0.5, 1, 1.5, 2, 2.5, 3])
    assert train_widget.panel.status.text().startswith("Trained 3 epochs")
    assert not Path(call.checkpoint).exists()
    np.testing.assert_array_equal(painted.data, before)
    assert names(viewer) == ["spots", "strokes"]

    # paint more, then train on
    assert train_widget.recipe.start.continues.isVisible()
    assert "Continues from this session's model" in train_widget.recipe.start.continues.text()
    assert train_widget.panel.run_button.text() == "Train on"
    painted.data_setitem((np.array([90]), np.array([5])), 1)
    screenshot("train_continue")
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert core.calls[1].start is core.models[0]
    assert core.calls[1].pairs[0][1].data[90, 5] == 1

    train_widget.recipe.start.afresh.click()
    assert train_widget.panel.run_button.text() == "Train"
    assert train_widget.recipe.start.choice.isVisible()
    train_widget.recipe.start.choose("scratch")
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert core.calls[2].start == "scratch"


def test_the_thread_gets_copies_of_what_was_painted(train_widget, painted, core, finished, image, qtbot):
    core.gate.clear()
    train_widget.panel.run_button.click()
    before = painted.data.copy()
    painted.data[:] = 0  # the user goes on
    image.data[:] = 0
    begun(core, qtbot)
    core.gate.set()
    finished(train_widget)
    ((seen, labels),) = core.calls[0].pairs
    np.testing.assert_array_equal(labels.data, before)
    assert np.asarray(seen.data).any()
    assert core.threads[0] is not threading.main_thread()


def test_cancel_keeps_what_was_learnt(viewer, train_widget, painted, core, finished, qtbot, screenshot):
    before = painted.data.copy()
    train_widget.panel.run_button.click()
    qtbot.waitUntil(lambda: bool(train_widget.panel.curve.curves.epochs), timeout=20_000)
    core.gate.clear()
    train_widget.panel.cancel_button.click()
    finished(train_widget)
    if core.stopped:  # the last step may have been done by then
        assert "Cancelled after" in train_widget.panel.status.text()
    assert train_widget.recipe.start.learnt is core.models[0]
    assert train_widget.trained.isVisible()
    np.testing.assert_array_equal(painted.data, before)
    screenshot("train_cancelled")


def test_a_stop_before_what_is_painted_is_learnt_from_is_said(train_widget, painted, core, finished):
    core.only_before = True
    train_widget.recipe.first.choose("synthetic")
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert core.calls[0].preset.before.images == "synthetic"
    assert "press Train on to learn from what is painted" in train_widget.panel.status.text()
    assert train_widget.panel.status.kind == "warning"
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert core.calls[1].preset.before is None


def test_cancel_before_the_first_step_learns_nothing(train_widget, painted, core, finished, qtbot):
    core.gate.clear()
    train_widget.panel.run_button.click()
    begun(core, qtbot)
    train_widget.panel.cancel_button.click()
    finished(train_widget)
    assert "Nothing was" in train_widget.panel.status.text()
    assert train_widget.recipe.start.learnt is None
    assert not train_widget.trained.isVisible()
    assert train_widget.panel.run_button.isEnabled()


def test_cancel_in_naparis_activity_dialog(train_widget, painted, core, finished, qtbot):
    from napari.utils.progress import progress

    core.gate.clear()
    train_widget.panel.run_button.click()
    begun(core, qtbot)
    (bar,) = progress._all_instances
    bar.cancel()
    finished(train_widget)
    assert core.stopped


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MpsegError("Training went astray: the loss is nan."), "Training went astray"),
        (MemoryError(), "not enough memory"),
        (ZeroDivisionError("three"), "ZeroDivisionError: three"),
    ],
)
def test_an_error_keeps_what_was_painted_and_learnt(
    viewer, train_widget, painted, core, finished, screenshot, error, said
):
    before = painted.data.copy()
    core.error = error
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert train_widget.panel.status.kind == "error"
    assert said in train_widget.panel.status.text()
    np.testing.assert_array_equal(painted.data, before)
    assert names(viewer) == ["spots", "strokes"]
    assert train_widget.recipe.start.learnt is not None
    assert train_widget.trained.save_button.isEnabled()
    assert train_widget.panel.run_button.text() == "Train on"
    screenshot("train_error")


def test_an_error_before_the_first_step_leaves_all_as_it_was(train_widget, painted, core, finished):
    core.error, core.error_at = MpsegError("no"), 1
    core.training = None

    def refuse(*args, **options):
        raise MpsegError("Images of 2 channels do not fit.")

    from napari_mpseg.training import train

    train.prepare_training = refuse  # the fixture puts it back
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert train_widget.panel.status.text() == "Images of 2 channels do not fit."
    assert train_widget.recipe.start.learnt is None


@pytest.mark.parametrize("way", ["widget", "window", "paused"])
def test_closing_during_training_stops_it_and_keeps_what_was_painted(
    viewer, train_widget, painted, core, qtbot, way, monkeypatch
):
    before = painted.data.copy()
    core.gate.clear()
    train_widget.panel.run_button.click()
    begun(core, qtbot)
    if way == "paused":
        train_widget.panel.pause_button.click()
        core.gate.set()
        qtbot.wait(300)
    if way == "window":
        viewer.close()
    else:
        train_widget.parent().destroyOnClose()  # what the cross in the dock's title bar does
    assert core.stopped
    np.testing.assert_array_equal(painted.data, before)
    assert Path(core.calls[0].checkpoint).exists()  # for the next time
    if way != "window":
        qtbot.wait(50)
        assert names(viewer) == ["spots", "strokes"]
        painted.data_setitem((np.array([90]), np.array([5])), 1)  # and the closed widget no longer minds
        viewer.add_image(np.zeros((4, 4)))


def test_a_run_that_was_cut_short_is_gone_on_with(train_widget, painted, core, finished):
    core.resumed = 2
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert [x for x, _ in train_widget.panel.curve.curves.epochs] == [1, 2, 3]
    assert train_widget.panel.status.text().startswith("Trained 3 epochs")


def test_the_same_inputs_have_the_same_checkpoint_and_others_another(train_widget, painted, core, finished):
    places = []
    for change in (
        lambda: None,
        lambda: train_widget.recipe.start.choose("scratch"),
        lambda: train_widget.recipe.start.choose("default"),
        lambda: train_widget.recipe.epochs.setValue(EPOCHS + 1),
        lambda: train_widget.recipe.epochs.setValue(EPOCHS),
        lambda: painted.data_setitem((np.array([90]), np.array([5])), 1),
    ):
        change()
        train_widget.panel.run_button.click()
        finished(train_widget)
        train_widget.recipe.start.continue_from(None)
        places.append(core.calls[-1].checkpoint)
    assert places[0] == places[2] == places[4]
    assert len(set(places)) == 4


def test_pause_and_go_on(train_widget, painted, core, finished, qtbot):
    core.gate.clear()
    train_widget.panel.run_button.click()
    begun(core, qtbot)
    train_widget.panel.pause_button.click()
    core.gate.set()
    qtbot.wait(600)
    assert core.training.step <= 1  # the one that was held already
    assert train_widget.panel.pause_button.text() == "Go on"
    assert "Paused" in train_widget.panel.progress_text.text()
    train_widget.panel.pause_button.click()
    finished(train_widget)
    assert core.training.step == EPOCHS * STEPS
    assert train_widget.panel.pause_button.text() == "Pause"
    assert not train_widget.panel.pause_button.isEnabled()


def test_a_limit_of_time_ends_the_run(train_widget, painted, core, finished, monkeypatch):
    from napari_mpseg.gui import train_run

    train_widget.recipe.minutes.setValue(1)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(train_run.time, "monotonic", lambda: (setattr(clock, "now", clock.now + 9), clock.now)[1])
    train_widget.panel.run_button.click()
    finished(train_widget)
    monkeypatch.undo()
    assert 0 < core.training.step < EPOCHS * STEPS
    assert "were over" in train_widget.panel.status.text()
    assert train_widget.recipe.start.learnt is not None


def test_several_images_and_planes_are_learnt_from_together(viewer, train_widget, painted, core, finished, spots):
    stack = viewer.add_image(np.stack([spots, spots, spots]), name="stack", units=("um", "um", "um"))
    train_widget.pairs.add_button.click()
    row = train_widget.pairs.rows[1]
    assert row.pair == (stack, None)
    strokes = np.zeros((3, 100, 120), np.uint16)
    strokes[2] = painted.data
    layer = viewer.add_labels(strokes, name="strokes of the stack", units=("um", "um", "um"))
    row.labels.choose(layer)
    train_widget.panel.run_button.click()
    finished(train_widget)
    (one, first), (two, second) = core.calls[0].pairs
    assert (one.name, two.name) == ("spots", "stack_z2")
    assert two.plane == (2,)
    np.testing.assert_array_equal(second.data, painted.data)
    np.testing.assert_array_equal(first.data, painted.data)
    row.remove_button.click()
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert len(core.calls[1].pairs) == 1


def test_choices_are_remembered(viewer, train_widget, painted, core, finished):
    from napari.settings import get_plugin_settings

    from napari_mpseg.gui.train_widget import TrainWidget

    get_plugin_settings("napari-mpseg").processing.device = "cpu"
    train_widget.recipe.choose("painted-from-scratch")
    assert train_widget.recipe.start.chosen == "scratch"  # what this preset says
    train_widget.recipe.epochs.setValue(7)
    train_widget.recipe.minutes.setValue(5)
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert core.calls[0].device == "cpu"
    assert core.calls[0].preset.settings.epochs == 7
    again = TrainWidget(viewer)
    assert again.how.kind == "scribbles"
    assert again.recipe.preset.name == "painted-from-scratch"
    assert (again.recipe.epochs.value(), again.recipe.minutes.value()) == (7, 5)
    assert again.recipe.start.chosen == "scratch"
    assert not again.preview.box.isChecked()
    again.close()


def test_every_preset_can_be_chosen_and_says_its_source(train_widget, image):
    from napari_mpseg.training.presets import PRESETS

    for name, preset in PRESETS.items():
        train_widget.recipe.choose(name)
        assert train_widget.recipe.preset.name == name
        assert preset.source in train_widget.recipe.preset_choice.toolTip()
        assert train_widget.recipe.epochs.value() == preset.settings.epochs


# -- the model -------------------------------------------------------------------------------------------------------


@pytest.fixture
def learnt(train_widget, painted, core, finished):
    train_widget.panel.run_button.click()
    finished(train_widget)
    return train_widget


@pytest.fixture
def answer(monkeypatch):
    """Answer the file dialog and the question whether to replace."""
    from napari_mpseg.gui import trained_model

    answers = SimpleNamespace(path="", replace=False, asked=[], proposed=[])

    def name(parent, title, proposed, options=None):
        answers.proposed.append(proposed)
        return str(answers.path), ""

    def question(parent, title, text):
        answers.asked.append(text)
        buttons = trained_model.QMessageBox.StandardButton
        return buttons.Yes if answers.replace else buttons.No

    monkeypatch.setattr(trained_model.QFileDialog, "getSaveFileName", name)
    monkeypatch.setattr(trained_model.QMessageBox, "question", question)
    return answers


def saved(widget, qtbot):
    widget.trained.save_button.click()
    qtbot.waitUntil(lambda: "Saved as" in widget.trained.state.text(), timeout=10_000)


def test_saving_makes_a_model_that_segment_offers(viewer, learnt, answer, qtbot, tmp_path, click_menu, docked):
    from napari_mpseg.gui.segment_widget import SegmentWidget
    from napari_mpseg.networks.modelfile import load_model

    click_menu("Layers", "Segment", "Segment particles")
    segment = docked(SegmentWidget)
    assert "Not saved" in learnt.trained.state.text()
    assert list((tmp_path / "cache" / "napari-mpseg-training" / "unsaved").iterdir())
    answer.path = tmp_path / "beads"
    saved(learnt, qtbot)
    assert load_model(tmp_path / "beads").card.name == "beads"
    assert segment.method.findData(str(tmp_path / "beads")) >= 0
    assert segment.method.method == "default"
    assert not list((tmp_path / "cache" / "napari-mpseg-training" / "unsaved").iterdir())
    assert learnt.recipe.start.choice.findData(str(tmp_path / "beads")) >= 0
    learnt.trained.save_button.click()
    assert Path(answer.proposed[-1]).parent == tmp_path  # the folder is remembered


def test_saving_never_replaces_unasked(learnt, answer, qtbot, tmp_path):
    from napari_mpseg.networks.modelfile import load_card

    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    answer.path = tmp_path / "notes"
    learnt.trained.save_button.click()
    assert "is no model" in learnt.panel.status.text()
    assert (tmp_path / "notes" / "mine.txt").read_text() == "mine"
    answer.path = tmp_path / "beads"
    saved(learnt, qtbot)
    card = (tmp_path / "beads" / "card.json").stat().st_mtime_ns
    learnt.trained.save_button.click()
    assert "Replace" in answer.asked[-1]
    qtbot.wait(200)
    assert (tmp_path / "beads" / "card.json").stat().st_mtime_ns == card
    answer.replace = True
    learnt.trained.save_button.click()
    qtbot.waitUntil(lambda: (tmp_path / "beads" / "card.json").stat().st_mtime_ns != card, timeout=10_000)
    qtbot.waitUntil(lambda: learnt.trained.save_button.isEnabled(), timeout=10_000)
    assert load_card(tmp_path / "beads").name == "beads"


def test_a_place_that_cannot_be_written_is_said(learnt, answer, qtbot, tmp_path):
    (tmp_path / "file").write_text("")
    answer.path = tmp_path / "file" / "beads"
    learnt.trained.save_button.click()
    qtbot.waitUntil(lambda: learnt.panel.status.kind == "error", timeout=10_000)
    assert "is a file" in learnt.panel.status.text()
    assert learnt.trained.save_button.isEnabled()
    assert "Not saved" in learnt.trained.state.text()


def test_use_it_opens_segment_with_the_model_saved_or_not(viewer, learnt, answer, qtbot, tmp_path, docked):
    from napari_mpseg.gui.segment_widget import SegmentWidget
    from napari_mpseg.networks.modelfile import load_model

    learnt.trained.use_button.click()
    segment = docked(SegmentWidget)
    first = segment.method.method
    assert load_model(first).card.name == "spots-model"
    answer.path = tmp_path / "beads"
    saved(learnt, qtbot)
    assert Path(first).exists()  # it is chosen there
    learnt.trained.use_button.click()
    assert docked(SegmentWidget).method.method == str(tmp_path / "beads")


def test_a_model_that_was_never_saved_is_offered_next_time(viewer, learnt):
    from napari_mpseg.gui.train_widget import TrainWidget

    again = TrainWidget(viewer)
    texts = [again.recipe.start.choice.itemText(row) for row in range(again.recipe.start.choice.count())]
    assert any(text.startswith("spots-model") and text.endswith("(not saved)") for text in texts)
    again.close()


def test_a_saved_model_can_be_chosen_to_start_from(train_widget, painted, core, finished, tmp_path, monkeypatch):
    from napari_mpseg.gui import start_choice

    model = tmp_path / "mine"
    model.mkdir()
    (model / "card.json").write_text("{}")
    chosen = [(str(model / "card.json"), ""), ("", "")]
    monkeypatch.setattr(start_choice.QFileDialog, "getOpenFileName", lambda *args: chosen.pop(0))
    choice = train_widget.recipe.start
    for _ in range(2):  # the second time the dialog is left without a choice
        choice.choice.setCurrentIndex(choice.choice.count() - 1)
        assert choice.chosen == str(model)
        assert choice.choice.currentText() == "mine"
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert core.calls[0].start == str(model)


# -- the live preview ------------------------------------------------------------------------------------------------


def preview_of(viewer, name="spots training preview"):
    return next((layer for layer in viewer.layers if layer.name == name), None)


def test_the_preview_is_one_layer_over_the_image(viewer, train_widget, painted, core, finished, qtbot, image):
    viewer.scene.camera.zoom /= 4
    mine = viewer.add_image(np.ones((5, 5)), name="spots training preview", **SPACE)
    train_widget.preview.image.choose(image)
    train_widget.preview.box.setChecked(True)
    viewer.layers.selection.active = painted
    core.gate.clear()
    train_widget.panel.run_button.click()
    begun(core, qtbot)
    core.gate.set()
    finished(train_widget)
    name = "spots training preview [2]"
    qtbot.waitUntil(lambda: preview_of(viewer, name) is not None, timeout=20_000)
    layer = preview_of(viewer, name)
    np.testing.assert_array_equal(mine.data, np.ones((5, 5)))
    assert layer.data.shape == image.data.shape  # all is in view
    assert layer.data.dtype == np.float32
    assert tuple(layer.contrast_limits) == (0, 1)
    for axis in ("scale", "translate"):
        np.testing.assert_array_equal(getattr(layer, axis), getattr(image, axis))
    assert layer.units == image.units
    assert viewer.layers.selection.active == painted
    assert viewer.layers.index(layer) < viewer.layers.index(painted)

    # once more: the same layer; a moved view: the part of it
    train_widget.panel.run_button.click()
    finished(train_widget)
    viewer.scene.camera.zoom *= 16
    qtbot.waitUntil(lambda: layer.data.shape != image.data.shape, timeout=20_000)
    assert sum("training preview" in one for one in names(viewer)) == 2
    from napari_mpseg.gui.visible import visible_box

    y0, y1, x0, x1 = visible_box(viewer, image)
    assert layer.data.shape == (y1 - y0, x1 - x0)
    np.testing.assert_allclose(layer.data_to_world((0, 0)), image.data_to_world((y0, x0)))


def test_taking_the_preview_away_ends_it(viewer, train_widget, painted, core, finished, qtbot):
    train_widget.preview.box.setChecked(True)
    train_widget.panel.run_button.click()
    finished(train_widget)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=20_000)
    viewer.layers.remove(preview_of(viewer))
    assert not train_widget.preview.box.isChecked()
    qtbot.wait(700)
    assert preview_of(viewer) is None


def test_a_preview_of_the_plane_in_view(viewer, train_widget, painted, core, finished, qtbot, spots):
    stack = viewer.add_image(np.stack([spots * 0, spots]), name="stack", scale=(10, 2.5, 2.5), units=("um",) * 3)
    viewer.dims.set_current_step(0, 1)
    assert train_widget.preview.image.layer == stack
    train_widget.preview.box.setChecked(True)
    train_widget.panel.run_button.click()
    finished(train_widget)
    qtbot.waitUntil(lambda: preview_of(viewer, "stack training preview") is not None, timeout=20_000)
    layer = preview_of(viewer, "stack training preview")
    assert layer.data.shape == (1, 100, 120)
    np.testing.assert_allclose(layer.data_to_world((0, 5, 6)), stack.data_to_world((1, 5, 6)))


def test_a_preview_that_fails_does_not_end_the_training(
    viewer, train_widget, painted, core, finished, qtbot, monkeypatch
):
    from napari_mpseg.inference import region

    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(region, "predict_region", fail)
    train_widget.preview.box.setChecked(True)
    train_widget.panel.run_button.click()
    finished(train_widget)
    assert train_widget.panel.status.text().startswith("Trained 3 epochs")
    qtbot.waitUntil(lambda: "not enough memory for a preview" in train_widget.preview.reason.text(), timeout=5000)
    assert preview_of(viewer) is None


def test_while_paused_the_preview_follows_the_view(viewer, train_widget, painted, core, finished, qtbot, image):
    train_widget.preview.box.setChecked(True)
    core.gate.clear()
    train_widget.panel.run_button.click()
    begun(core, qtbot)
    train_widget.panel.pause_button.click()
    core.gate.set()
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=20_000)
    viewer.scene.camera.zoom *= 4
    qtbot.waitUntil(lambda: preview_of(viewer).data.shape != image.data.shape, timeout=20_000)
    assert core.training.step < EPOCHS * STEPS
    train_widget.panel.pause_button.click()
    finished(train_widget)


# -- for real --------------------------------------------------------------------------------------------------------


@pytest.fixture
def field():
    """Bright round spots on a dark, noisy ground, and where they are."""
    rng = np.random.default_rng(5)
    ys, xs = np.mgrid[:256, :256]
    truth = np.zeros((256, 256), bool)
    for y, x in rng.integers(12, 244, (30, 2)):
        truth |= (ys - y) ** 2 + (xs - x) ** 2 < rng.integers(9, 30)
    grey = np.where(truth, 170, 40) + rng.normal(0, 12, truth.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, 2), truth


@pytest.mark.slow
def test_from_strokes_to_a_model_that_finds_the_rest(
    viewer, train_widget, field, finished, screenshot, qtbot, answer, tmp_path, docked
):
    from napari.settings import get_settings

    from napari_mpseg.gui.segment_widget import SegmentWidget

    pixels, truth = field
    viewer.add_image(pixels, name="field", **SPACE)
    train_widget.pairs.new_button.click()
    labels = viewer.layers["field painted"]
    strokes = np.zeros(truth.shape, np.uint16)
    strokes[20:120, 20:120] = np.where(truth[20:120, 20:120], 2, 0)
    strokes[30:110:16, 20:120][~truth[30:110:16, 20:120]] = 1
    labels.data_setitem(np.nonzero(strokes), strokes[np.nonzero(strokes)])
    qtbot.waitUntil(lambda: train_widget.panel.run_button.isEnabled(), timeout=5000)
    screenshot("train_ready")
    train_widget.recipe.epochs.setValue(4)
    train_widget.panel.run_button.click()
    curves = train_widget.panel.curve
    qtbot.waitUntil(lambda: len(curves.curves.epochs) >= 2, timeout=120_000)
    screenshot("train_running")
    get_settings().appearance.theme = "light"
    screenshot("train_light")
    get_settings().appearance.theme = "dark"
    finished(train_widget, 240_000)
    assert train_widget.panel.status.kind == "done"
    qtbot.wait(1500)
    screenshot("train_done")
    preview = viewer.layers["field training preview"]
    # what is in view, which need not be the whole image: lay it where it belongs
    scale = np.asarray(viewer.layers["field"].scale)[-2:]
    top, left = np.round((preview.translate[-2:] - viewer.layers["field"].translate[-2:]) / scale).astype(int)
    height, width = preview.data.shape[-2:]
    elsewhere = np.zeros(truth.shape, bool)
    elsewhere[top : top + height, left : left + width] = True
    assert elsewhere.mean() > 0.5
    elsewhere[20:120, 20:120] = False
    found = np.zeros(truth.shape, bool)
    found[top : top + height, left : left + width] = preview.data > 0.5
    union = ((found | truth) & elsewhere).sum()
    assert (found & truth & elsewhere).sum() / union > 0.7
    np.testing.assert_array_equal(labels.data, strokes)
    answer.path = tmp_path / "spots"
    saved(train_widget, qtbot)
    train_widget.trained.use_button.click()
    segment = docked(SegmentWidget)
    segment.image.choose(viewer.layers["field"])
    segment.panel.run_button.click()
    finished(segment)
    counted = viewer.layers["field particles"].data.max()
    from skimage.measure import label

    assert abs(int(counted) - label(truth).max()) <= 3
    screenshot("train_used")
