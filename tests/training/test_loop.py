"""The training loop learns, repeats, stops, pauses, keeps the best, and survives a kill."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from napari_mpseg.errors import ModelError, MpsegError, SettingsError, StoreError
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.batch import Batch
from napari_mpseg.training.run.checkpoints import read_checkpoint, restore_checkpoint, save_checkpoint
from napari_mpseg.training.run.control import TrainingControl
from napari_mpseg.training.run.loop import Training
from napari_mpseg.training.run.optimisers import OPTIMISERS, SCHEDULES
from napari_mpseg.training.settings import OptimiserSettings, ScheduleSettings, TrainSettings

DATA = {"images": ["a"]}
PLAIN = TrainSettings(
    loss="bce",
    loss_options={"positive_weight": 1.0},
    optimiser=OptimiserSettings("adam", 0.05),
    batch=2,
    epochs=4,
    precision="fp32",
)


class Squares:
    """Two batches an epoch of noise with a bright square, which is the particle."""

    steps_per_epoch = 2

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)

    def epoch(self):
        for _ in range(2):
            images = self.rng.random((2, 1, 8, 8), np.float32) * 0.2
            targets = np.zeros((2, 1, 8, 8), np.float32)
            y, x = self.rng.integers(0, 5, 2)
            targets[:, :, y : y + 3, x : x + 3] = 1
            yield Batch(images + targets * 0.7, targets)

    def state(self):
        return {"rng": self.rng.bit_generator.state}

    def restore(self, state):
        self.rng.bit_generator.state = state["rng"]


def network(seed=0):
    torch.manual_seed(seed)
    made = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Dropout2d(0.2), nn.Conv2d(4, 1, 1))
    made.stride = 1
    return made


def training(settings=PLAIN, **more):
    return Training(network(), Squares(), settings, **more)


def kept(run):
    return {name: value.clone() for name, value in run.network.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def held_out():
    image = np.full((20, 20, 1), 20, np.uint8)
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    image[mask] = 220
    return [LabelledImage("held", image, mask)]


def test_it_learns_and_repeats():
    first, again = training(replace(PLAIN, epochs=30)), training(replace(PLAIN, epochs=30))
    first.run()
    before = torch.get_rng_state()
    again.run()
    assert torch.equal(before, torch.get_rng_state()), "the user's random numbers are not touched"
    assert first.history[-1].loss < 0.3 * first.history[0].loss
    assert same(kept(first), kept(again))
    assert not first.network.training


def test_events_tell_every_step_and_epoch():
    events, progress = [], []
    training(validation=held_out()).run(on_event=events.append, on_progress=progress.append)
    assert [event.step for event in events if not event.ended] == list(range(1, 9))
    ends = [event for event in events if event.ended]
    assert [event.epoch for event in ends] == [1, 2, 3, 4]
    assert all(event.validation is not None for event in ends)
    assert ends[0].best
    assert (progress[-1].done, progress[-1].total) == (8, 8)


def test_a_cancel_keeps_what_was_learnt():
    cancel = CancelToken()
    run = training()
    before = kept(run)
    run.run(on_event=lambda event: cancel.cancel() if event.step == 3 else None, control=cancel)
    assert run.step == 3
    assert len(run.history) == 1
    assert not same(before, kept(run))


def test_a_pause_holds_and_a_cancel_ends_it():
    control, reached = TrainingControl(), threading.Event()
    run = training(replace(PLAIN, epochs=500))

    def pause(event):
        if event.step == 4:
            control.pause()
            reached.set()

    thread = threading.Thread(target=run.run, kwargs={"on_event": pause, "control": control})
    thread.start()
    assert reached.wait(20)
    thread.join(0.3)
    assert thread.is_alive()
    assert run.step == 4
    control.resume()
    control.cancel()
    thread.join(20)
    assert not thread.is_alive()
    assert run.step < 1000


def test_a_snapshot_is_a_copy():
    run = training()
    run.run()
    copy = run.snapshot()
    with torch.no_grad():
        next(copy.parameters()).zero_()
    assert bool(next(run.network.parameters()).any())
    assert not copy.training


@pytest.mark.parametrize("keep", ["best-loss", "best-iou"])
def test_the_best_epoch_is_kept(keep, monkeypatch):
    from napari_mpseg.training.run.validation import Validation

    scores = iter([Validation(0.9, 0.1), Validation(0.2, 0.8), Validation(0.5, 0.5), Validation(0.6, 0.6)])
    monkeypatch.setattr("napari_mpseg.training.run.loop.validate", lambda *_: next(scores))
    run = training(replace(PLAIN, keep=keep, validation=0.5), validation=held_out())
    second = {}

    def remember(event):
        if event.ended and event.epoch == 2:
            second.update(kept(run))

    run.run(on_event=remember)
    assert run.best == 2
    assert same(kept(run), second)


def test_early_stopping_waits_as_long_as_it_is_told(monkeypatch):
    from napari_mpseg.training.run.validation import Validation

    losses = iter([0.5, 0.4, 0.45, 0.41, 0.1])
    monkeypatch.setattr("napari_mpseg.training.run.loop.validate", lambda *_: Validation(next(losses), 0.5))
    run = training(replace(PLAIN, epochs=20, patience=2, validation=0.5), validation=held_out())
    run.run()
    assert len(run.history) == 4


@pytest.mark.parametrize("keep", ["average", "last"])
def test_a_loss_that_is_no_number_stops_with_advice_and_keeps_the_last_epoch(keep):
    run, first = training(replace(PLAIN, keep=keep)), {}

    def spoil(event):
        if event.ended and event.epoch == 1:
            first.update({name: value.clone() for name, value in run.kept_weights().items()})
        if event.step == 3 and not event.ended:
            with torch.no_grad():
                for value in run.network.parameters():
                    value.fill_(float("nan"))

    with pytest.raises(MpsegError, match="smaller learning rate"):
        run.run(on_event=spoil)
    assert same(first, kept(run))


@pytest.mark.parametrize("keep", ["average", "last"])
def test_a_run_gone_on_with_that_goes_astray_keeps_what_the_checkpoint_held(keep, tmp_path):
    settings = replace(PLAIN, keep=keep)
    first = training(settings)
    cancel = CancelToken()

    def save(run):
        save_checkpoint(run, tmp_path / "run", DATA)
        cancel.cancel()

    first.run(after_epoch=save, control=cancel)
    again = training(settings)
    assert restore_checkpoint(again, tmp_path / "run", DATA)
    again.loss_of = lambda logits, targets, known: logits.sum() * float("nan")
    with pytest.raises(MpsegError, match="smaller learning rate"):
        again.run()
    assert same(kept(first), kept(again))


def test_a_folder_of_something_else_is_never_taken_for_a_checkpoint(tmp_path):
    place = tmp_path / "thesis"
    place.mkdir()
    (place / "chapter-1.txt").write_text("years of work")
    with pytest.raises(StoreError, match="folder of its own"):
        restore_checkpoint(training(), place, DATA)
    with pytest.raises(StoreError, match="folder of its own"):
        training().run(after_epoch=lambda run: save_checkpoint(run, place, DATA))
    assert (place / "chapter-1.txt").read_text() == "years of work"


def test_one_cycle_of_ten_steps():
    run = training(replace(PLAIN, epochs=5, schedule=ScheduleSettings("one-cycle")))
    assert run.steps == 10
    run.run()
    assert run.history[-1].learning_rate < 0.05


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")]
)
def test_too_little_memory_is_said_with_advice(error, monkeypatch):
    run = training()
    monkeypatch.setattr(run, "_step", lambda batch: (_ for _ in ()).throw(error))
    with pytest.raises(MpsegError, match="smaller batch"):
        run.run()


@pytest.mark.parametrize("keep", ["average", "best-loss", "last"])
@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path, keep, optimiser):
    settings = replace(
        PLAIN,
        keep=keep,
        validation=0.5,
        optimiser=OptimiserSettings(optimiser, 0.01, weight_decay=1e-3),
        schedule=ScheduleSettings("one-cycle"),
    )
    whole = training(settings, validation=held_out())
    whole.run()

    class Killed(Exception):
        pass

    def save(run):
        save_checkpoint(run, tmp_path / "run", DATA)
        if len(run.history) == 2:
            raise Killed

    with pytest.raises(Killed):
        training(settings, validation=held_out()).run(after_epoch=save)
    torch.manual_seed(99)
    again = Training(network(5), Squares(7), settings, validation=held_out())
    assert restore_checkpoint(again, tmp_path / "run", DATA)
    assert len(again.history) == 2
    again.run()
    assert same(kept(whole), kept(again))
    assert again.history == whole.history


def test_no_checkpoint_is_no_error(tmp_path):
    assert not restore_checkpoint(training(), tmp_path / "none", DATA)


def test_a_checkpoint_of_another_run_is_refused_with_the_difference(tmp_path):
    run = training()
    run.run()
    save_checkpoint(run, tmp_path / "run", DATA)
    other = training(replace(PLAIN, optimiser=OptimiserSettings("adam", 0.5)))
    with pytest.raises(SettingsError, match=r"settings\.optimiser\.learning_rate \(0\.05 there, 0\.5 here\)"):
        restore_checkpoint(other, tmp_path / "run", DATA)
    with pytest.raises(SettingsError, match="data"):
        restore_checkpoint(training(), tmp_path / "run", {"images": ["b"]})


@pytest.mark.parametrize("damage", ["state", "tensors", "version"])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    run = training()
    run.run()
    save_checkpoint(run, tmp_path / "run", DATA)
    if damage == "state":
        (tmp_path / "run" / "state.json").write_text("{")
    elif damage == "tensors":
        (tmp_path / "run" / "tensors.safetensors").write_bytes(b"nothing")
    else:
        state = read_checkpoint(tmp_path / "run") | {"format": 99}
        (tmp_path / "run" / "state.json").write_text(json.dumps(state))
    with pytest.raises(ModelError, match="Delete it to start again"):
        restore_checkpoint(training(), tmp_path / "run", DATA)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (ScheduleSettings("constant"), [1.0] * 6),
        (ScheduleSettings("stairs", 0.5, 2, "steps"), [1, 1, 0.5, 0.5, 0.25, 0.25]),
        (ScheduleSettings("stairs", 0.5, 1, "epochs"), [1, 1, 1, 0.5, 0.5, 0.5]),
        (ScheduleSettings("drop", 0.1, 4, "steps"), [1, 1, 1, 1, 0.1, 0.1]),
    ],
)
def test_schedules_by_hand(schedule, expected):
    optimiser = OPTIMISERS["sgd"](network().parameters(), OptimiserSettings("sgd", 2.0))
    made = SCHEDULES[schedule.name](optimiser, schedule, 3, 6)
    rates = []
    for _ in range(6):
        rates.append(optimiser.param_groups[0]["lr"] / 2)
        optimiser.step()
        made.step()
    assert rates == pytest.approx(expected)


def test_gradients_are_cut(monkeypatch):
    run = training(replace(PLAIN, optimiser=OptimiserSettings("sgd", 1.0, momentum=0.0, clip_value=1e-4)))
    before = kept(run)
    batch = next(iter(Squares().epoch()))
    run._step(batch)
    moved = [float((value - before[name]).abs().max()) for name, value in run.network.state_dict().items()]
    assert max(moved) == pytest.approx(1e-4, rel=1e-3)
