"""Two stages as one run: what comes first is learnt first, nothing of it leaks, and a killed run ends the same."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import napari_mpseg as mp
from napari_mpseg.errors import Cancelled, ImageError, SettingsError
from napari_mpseg.experiments.crossval import stored_trainer
from napari_mpseg.progress import CancelToken
from napari_mpseg.synthesis.patches import training_pairs
from napari_mpseg.synthesis.semi.cutouts import CutoutSettings, cut_out
from napari_mpseg.training.crossval import Fold
from napari_mpseg.training.data.fingerprints import Fingerprint
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.seen import seen_by_card
from napari_mpseg.training.data.statistics import mean_and_deviation
from napari_mpseg.training.earlier import EarlierStage
from napari_mpseg.training.made_images import MAKERS, Wanted, made_images
from napari_mpseg.training.preset import load_preset
from napari_mpseg.training.presets import PRESETS
from napari_mpseg.training.run.control import TrainingControl
from napari_mpseg.training.session import prepare_session
from napari_mpseg.training.stages import STAGE
from napari_mpseg.training.train import prepare_training

PLAIN = PRESETS["painted-from-scratch"].changed(
    network="quarter-multiresunet",
    epochs=3,
    batch=2,
    network_options={},
    precision="fp32",
    **{"patches.size": 16, "patches.per_epoch": 4},
)
SYNTHETIC = PLAIN.changed(before="synthetic", **{"before.count": 3, "before.epochs": 2, "before.options.size": 64})
SEMI = PLAIN.changed(before="semi", **{"before.count": 3, "before.epochs": 2, "before.options.size": [64, 64]})
FIRST, SECOND, STEPS = 2, 3, 2  # epochs of either stage, steps of each epoch


def picture(name, rng, level=200):
    """Bright squares on noise, 64 x 64."""
    mask = np.zeros((64, 64), bool)
    for y in (8, 40):
        for x in (8, 40):
            mask[y : y + 9, x : x + 9] = True
    image = np.where(mask[..., None], level, 40) + rng.normal(0, 6, (64, 64, 3))
    return LabelledImage(name, image.clip(0, 255).astype(np.uint8), mask)


@pytest.fixture
def pictures(rng):
    return [picture(f"image {number}", rng) for number in range(5)]


@pytest.fixture
def folder(tmp_path, rng):
    """A folder of two labelled images."""
    from PIL import Image as Pictures

    place = tmp_path / "elsewhere"
    (place / "labels").mkdir(parents=True)
    for number in range(2):
        pair = picture("", rng, 150)
        Pictures.fromarray(pair.image).save(place / f"{number}.png")
        Pictures.fromarray(pair.mask.astype(np.uint8)).save(place / "labels" / f"{number}.png")
    return place


def weights(model):
    return model.network.state_dict()


def same(one, other):
    return all(torch.equal(weights(one)[name], weights(other)[name]) for name in weights(one))


class Killed(BaseException):
    pass


# -- what is learnt, and in which order ------------------------------------------------------------------------------


def test_two_stages_are_the_first_alone_and_then_the_second_from_its_model(pictures):
    """The same weights as two runs by hand, one on the made images and one that starts from its model."""
    made = [LabelledImage("made", *pair) for pair in training_pairs(0, 3, 64)]
    before = prepare_session(made, replace(PLAIN.settings, epochs=FIRST, validation=0.0)).run()
    by_hand = prepare_training(pictures, PLAIN, start=before).run()
    assert same(prepare_training(pictures, SYNTHETIC).run(), by_hand)
    assert not same(by_hand, prepare_training(pictures, PLAIN).run())


@pytest.mark.parametrize("preset", [SYNTHETIC, SEMI], ids=["synthetic", "semi"])
def test_progress_and_history_are_those_of_one_run(pictures, preset):
    session, events, progress = prepare_training(pictures, preset), [], []
    assert (session.epochs, session.step, session.history) == (FIRST + SECOND, 0, ())
    session.run(on_event=events.append, on_progress=progress.append)
    total = (FIRST + SECOND) * STEPS
    assert [event.step for event in events if not event.ended] == list(range(1, total + 1))
    assert [event.epoch for event in events if event.ended] == [1, 2, 3, 4, 5]
    assert [event.passed for event in events if event.ended] == pytest.approx([1, 2, 3, 4, 5])
    assert {(event.steps, event.epochs) for event in events} == {(total, FIRST + SECOND)}
    assert [(one.done, one.total) for one in progress] == [(step, total) for step in range(1, total + 1)]
    assert [one.stage for one in progress] == [STAGE] * FIRST * STEPS + ["Training"] * SECOND * STEPS
    assert [record.epoch for record in session.history] == [1, 2, 3, 4, 5]
    assert [record.validation is None for record in session.history] == [True, True, False, False, False]
    assert session.step == total


def test_each_stage_is_normalised_by_its_own_images(pictures):
    preset = SYNTHETIC.changed(standardise=True, validation=0.0)
    session = prepare_training(pictures, preset)
    made = [LabelledImage("made", *pair) for pair in training_pairs(0, 3, 64)]
    seen = {}

    def look(event):
        training = (session.first or session).training
        seen.setdefault(session.first is None, training.network.mean.flatten().tolist())

    session.run(on_event=look)
    assert seen[False] == pytest.approx(mean_and_deviation(made)[0], abs=1e-6)
    assert seen[True] == pytest.approx(mean_and_deviation(pictures)[0], abs=1e-6)


def test_the_average_of_the_second_stage_begins_with_the_weights_of_the_first(pictures):
    """With a learning rate of next to nothing in the second stage, the first's weights come out."""
    slow = SYNTHETIC.changed(**{"optimiser.learning_rate": 1e-12, "before.optimiser.learning_rate": 2e-3})
    made = [LabelledImage("made", *pair) for pair in training_pairs(0, 3, 64)]
    alone = prepare_session(made, replace(PLAIN.settings, epochs=FIRST, validation=0.0)).run()
    both = prepare_training(pictures, slow).run()
    for name, value in weights(alone).items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(weights(both)[name], value, atol=1e-5, rtol=0)


def test_training_starts_from_a_model_before_the_first_stage(pictures):
    start = prepare_training(pictures, PLAIN.changed(epochs=1)).run()
    slow = SYNTHETIC.changed(**{"optimiser.learning_rate": 1e-12})
    model = prepare_training(pictures, slow, start=start).run()
    for name, value in weights(start).items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(weights(model)[name], value, atol=1e-5, rtol=0)
    assert model.card.training["started_from"] == start.card.name


@pytest.mark.parametrize("preset", [SYNTHETIC, SEMI], ids=["synthetic", "semi"])
def test_a_grey_image_is_learnt_from_after_grey_made_images(pictures, preset):
    grey = [replace(pair, image=pair.image[..., :1]) for pair in pictures]
    assert prepare_training(grey, preset.changed(epochs=1)).run().card.in_channels == 1


# -- no leakage ------------------------------------------------------------------------------------------------------


def marked(rng):
    """Five images whose particles have a blue that tells the image."""
    pairs = []
    for number in range(5):
        pair = picture(f"image {number}", rng)
        image = pair.image.copy()
        image[pair.mask] = (10, 10, 50 * number + 30)
        pairs.append(replace(pair, image=image))
    return pairs


def blues(session):
    """The images of which particles are in what the first stage learns from."""
    found = set()
    for pair in session.first.training.sampler._pools[0].images:
        pixels = np.asarray(pair.image[:, :])[pair.mask]
        blue = pixels[(pixels[:, :2] == 10).all(1), 2].astype(float)
        found |= {round(value) for value in (blue - 30) / 50 if abs(value - round(value)) < 0.06}  # edges are mixed
    return found


WHOLE = SEMI.changed(**{"before.count": 30, "before.options.weight": 1.0, "before.options.rotate": False})


def test_nothing_is_cut_out_of_what_is_validated_on(rng):
    pairs = marked(rng)
    session = prepare_training(pairs, WHOLE.changed(validation=0.4))
    held = {int(pair.name[-1]) for pair in session.validation}
    assert len(held) == 2
    assert blues(session) == {0, 1, 2, 3, 4} - held


def test_nothing_is_cut_out_of_validation_images_that_are_given(rng):
    pairs = marked(rng)
    session = prepare_training(pairs[:3], WHOLE, validation=pairs[3:])
    assert blues(session) == {0, 1, 2}


def test_strokes_that_are_kept_aside_are_not_cut_out(rng, monkeypatch):
    """Of one image with four squares some are kept aside: nothing is made of any pixel of them."""
    pair, seen = marked(rng)[1], []
    known = pair.mask.copy()
    known[20:36] = True
    spy_on(monkeypatch, seen)
    session = prepare_training([replace(pair, known=known)], WHOLE.changed(validation=0.25))
    (held,), (given,) = session.validation, seen[0]
    assert (held.mask & held.known).any()
    assert not (given.known & held.known).any()
    assert not (given.mask & held.known).any()
    areas = [cutout.area for cutout in cut_out([given], CutoutSettings(whole=False, least_pixels=1))]
    assert sum(areas) == (given.mask & given.known).sum() < pair.mask.sum()


def spy_on(monkeypatch, seen):
    """Keep what images are made from."""
    maker = MAKERS["semi"]

    def make(wanted):
        seen.append(wanted.labelled)
        return maker.make(wanted)

    monkeypatch.setitem(MAKERS._entries, "semi", replace(maker, make=make))


def test_a_fold_that_is_held_out_gives_nothing(rng, tmp_path, monkeypatch):
    pairs, seen = marked(rng), []
    folds = [Fold("fold_1", tuple(pairs[:2])), Fold("fold_2", tuple(pairs[2:]))]
    spy_on(monkeypatch, seen)
    trainer = stored_trainer(SEMI.changed(epochs=1, validation=0.0), tmp_path, "cpu")
    trainer(folds[1], pairs[:2], lambda event: None, CancelToken())
    assert [{pair.name for pair in labelled} for labelled in seen] == [{pair.name for pair in pairs[:2]}]


# -- killed, stopped, paused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preset", "epoch"), [(SYNTHETIC, 2), (SYNTHETIC, 3), (SYNTHETIC, 4), (SEMI, 2), (SEMI, 3)])
def test_a_run_that_was_killed_in_either_stage_ends_the_same(pictures, preset, epoch, tmp_path):
    """In the second epoch of the first stage, in the first of the second (no checkpoint of it yet), and later."""
    uninterrupted = prepare_training(pictures, preset)
    whole = uninterrupted.run()

    def kill(event):
        if event.epoch == epoch and not event.ended:
            raise Killed

    session = prepare_training(pictures, preset, checkpoint=tmp_path / "run")
    with pytest.raises(Killed):
        session.run(on_event=kill)
    again, events = prepare_training(pictures, preset, checkpoint=tmp_path / "run"), []
    assert again.resumed == epoch - 1
    assert [record.epoch for record in again.history] == list(range(1, epoch))
    model = again.run(on_event=events.append)
    assert same(model, whole)
    assert events[0].step == (epoch - 1) * STEPS + 1
    assert again.history == uninterrupted.history
    assert model.card.training == whole.card.training
    assert model.card.description == whole.card.description


def test_images_are_not_made_again_when_they_are_learnt_from_already(pictures, tmp_path, monkeypatch):
    prepare_training(pictures, SYNTHETIC, checkpoint=tmp_path / "run").run()
    monkeypatch.setitem(MAKERS._entries, "synthetic", replace(MAKERS["synthetic"], make=None))
    assert prepare_training(pictures, SYNTHETIC, checkpoint=tmp_path / "run").resumed == FIRST + SECOND


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (SYNTHETIC, SYNTHETIC.changed(**{"before.epochs": 3}), "epochs"),
        (SYNTHETIC, SYNTHETIC.changed(**{"before.count": 4}), "count"),
        (SYNTHETIC, SEMI, "images"),
        (SYNTHETIC, PLAIN, "before"),
        (PLAIN, SYNTHETIC, "before"),
        (SYNTHETIC, SYNTHETIC.changed(batch=3), "batch"),
    ],
)
@pytest.mark.parametrize("stopped", [2, 4], ids=["in the first stage", "in the second"])
def test_another_run_does_not_go_on_from_a_checkpoint(pictures, first, then, said, stopped, tmp_path):
    cancel = CancelToken()
    session = prepare_training(pictures, first, checkpoint=tmp_path / "run")
    session.run(on_event=lambda event: cancel.cancel() if event.epoch == stopped else None, control=cancel)
    if not (tmp_path / "run").exists():
        pytest.skip("no epoch was over")
    if (said, stopped) == ("before", 2) and then is PLAIN:
        said = "made"  # what the first stage calls its images
    with pytest.raises(SettingsError, match=said):
        prepare_training(pictures, then, checkpoint=tmp_path / "run")


def test_a_stop_in_the_first_stage_keeps_what_was_learnt_and_says_so(pictures, tmp_path):
    cancel = CancelToken()
    session = prepare_training(pictures, SYNTHETIC)
    model = session.run(on_event=lambda event: cancel.cancel() if event.step == 2 else None, control=cancel)
    assert session.only_before
    assert session.step == 2
    card = model.card
    assert card.training["steps_done"] == 0
    assert card.training["before"]["steps_done"] == 2
    assert "not yet from the labelled images" in card.description
    assert "3 synthetic images (seed 0)" in card.description
    seen = seen_by_card({"training": card.training})
    assert seen.told
    assert all(seen.sight_of(Fingerprint(pair.name, pair.image)) is None for pair in pictures)
    model.save(tmp_path / "model")
    assert mp.segment(pictures[0].image, tmp_path / "model").probability.shape == (64, 64)


def test_a_stop_in_the_first_stage_on_cutouts_has_seen_their_images(pictures):
    cancel = CancelToken()
    session = prepare_training(pictures, SEMI.changed(validation=0.0))
    model = session.run(on_event=lambda event: cancel.cancel(), control=cancel)
    seen = seen_by_card({"training": model.card.training})
    assert all(seen.sight_of(Fingerprint(pair.name, pair.image)).learnt for pair in pictures)


def test_a_stop_in_the_second_stage_keeps_both(pictures):
    cancel = CancelToken()
    session = prepare_training(pictures, SYNTHETIC)
    model = session.run(
        on_event=lambda event: cancel.cancel() if event.step == FIRST * STEPS + 1 else None, control=cancel
    )
    assert not session.only_before
    assert model.card.training["steps_done"] == 1
    assert model.card.training["before"]["epochs_done"] == FIRST


def test_a_stop_while_images_are_made(pictures):
    cancel, told = CancelToken(), []

    def stop(event):
        told.append(event)
        cancel.cancel()

    with pytest.raises(Cancelled):
        prepare_training(pictures, SYNTHETIC, on_progress=stop, cancel=cancel)
    assert (told[0].done, told[0].total, told[0].unit) == (0, 3, "images")


def test_a_preview_is_of_the_stage_that_goes_on(pictures):
    session, seen = prepare_training(pictures, SYNTHETIC), []

    def look(event):
        if not event.ended:
            seen.append((event.step, "before" in session.model().card.training, session.model().card.description))

    session.run(on_event=look)
    assert all(before for _, before, _ in seen)
    assert ["not yet" in text for *_, text in seen] == [True] * FIRST * STEPS + [False] * SECOND * STEPS


def test_a_pause_holds_either_stage(pictures):
    control, session = TrainingControl(), prepare_training(pictures, SYNTHETIC)
    waited = []
    control.wait = lambda: waited.append(session.step)
    session.run(control=control)
    assert len(waited) == (FIRST + SECOND) * STEPS


# -- what the card tells ---------------------------------------------------------------------------------------------


def test_the_card_tells_both_stages(pictures):
    card = prepare_training(pictures, SEMI).run().card
    before = card.training["before"]
    assert (before["images"], before["count"], before["seed"]) == ("semi", 3, 0)
    assert before["options"] == {"size": [64, 64]}
    assert (before["epochs_done"], before["steps_done"]) == (FIRST, FIRST * STEPS)
    assert before["settings"]["epochs"] == FIRST
    assert len(before["sha256"]) == 64
    assert before["last_loss"] > 0
    assert (card.training["epochs"], card.training["epochs_done"]) == (SECOND, SECOND)
    assert "learnt from 3 semi images (seed 0) first" in card.description
    json.dumps(card.training)


def test_the_same_seed_makes_the_same_images_and_another_others(pictures):
    digests = [prepare_training(pictures, SYNTHETIC.changed(seed=seed)).data["before"]["sha256"] for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


def test_real_images_of_a_first_stage_count_as_seen(pictures, folder, tmp_path):
    preset = PLAIN.changed(before=str(folder), epochs=1, **{"before.epochs": 1})
    cancel = CancelToken()
    session = prepare_training(pictures, preset, checkpoint=tmp_path / "run")
    session.run(on_event=lambda event: cancel.cancel() if event.step == STEPS + 1 else None, control=cancel)
    for again in (prepare_training(pictures, preset), prepare_training(pictures, preset, checkpoint=tmp_path / "run")):
        card = again.run().card
        seen = seen_by_card({"training": card.training})
        other = mp.open_image(folder / "0.png")
        assert seen.sight_of(Fingerprint.of(other)).learnt
        assert seen.sight_of(Fingerprint(pictures[0].name, pictures[0].image)) is not None
        assert card.training["before"]["folder"] == "elsewhere"
        assert str(tmp_path) not in json.dumps(card.training) + card.description


# -- what cannot be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"before": "nowhere"}, "no folder and none of synthetic, semi"),
        ({"before": "synthetic", "before.options.colour": 1}, "colour"),
        ({"before": "synthetic", "before.options.size": 3}, "3"),
        ({"before": "semi", "before.options.blend": "glue"}, "glue"),
        ({"before": "semi", "before.options.colours": 1}, "colours"),
        ({"before": "semi", "before.options.seed": 1}, "before.seed"),
        ({"before": "semi", "before.patches.size": 33}, "33"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_learnt(pictures, change, said):
    with pytest.raises(Exception, match=said) as caught:
        prepare_training(pictures, PLAIN.changed(**change))
    assert isinstance(caught.value, (SettingsError, KeyError))  # an unknown name is a KeyError of ours
    assert isinstance(caught.value, mp.errors.MpsegError)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"before.epochs": 3}, "has none"),
        ({"before": "semi", "before.network": "unet"}, "one network"),
        ({"before": "semi", "before.shrink": 2}, "one network"),
        ({"before": "semi", "before.nothing": 1}, "no setting 'before.nothing'"),
        ({"before": "semi", "before.count": 0}, "count = 0"),
        ({"before": ""}, "empty"),
        ({"before": "semi", "before.epochs": "many"}, "whole number"),
    ],
)
def test_impossible_stages_are_refused_when_they_are_asked_for(change, said):
    with pytest.raises(SettingsError, match=said):
        PLAIN.changed(**change)


def test_images_without_particles_cannot_be_cut_out_of(pictures):
    """Two images: the one with particles is kept for validation by the caller."""
    empty = replace(pictures[0], mask=np.zeros((64, 64), bool))
    with pytest.raises(ImageError, match="no particle"):
        made_images(EarlierStage("semi", 2), Wanted(2, 0, 3, [empty]))


def test_a_trainer_of_another_program_is_never_run(tmp_path):
    place = PLAIN.save(tmp_path / "preset.json")
    values = json.loads(place.read_text())
    for trainer in ("os:system", "napari_mpseg.cli:main", "napari_mpseg", "napari_mpseg_evil.x:prepare"):
        place.write_text(json.dumps({**values, "trainer": trainer}))
        with pytest.raises(SettingsError, match="trainer"):
            load_preset(place)


# -- presets ---------------------------------------------------------------------------------------------------------


def test_an_earlier_stage_survives_json(tmp_path):
    preset = SEMI.changed(**{"before.options.size": [64, 64], "before.optimiser.learning_rate": 1e-4})
    again = load_preset(preset.save(tmp_path / "preset.json"))
    assert again == preset
    assert again.settings_before().optimiser.learning_rate == 1e-4
    assert again.settings_before().epochs == FIRST
    assert again.changed(before=None) == replace(preset, before=None, source=again.changed(before=None).source)


def test_another_kind_of_image_begins_with_its_own_options():
    assert SEMI.changed(before="synthetic").before == EarlierStage("synthetic", 3, {}, {"epochs": 2})
    assert SEMI.changed(before="semi").before.options == SEMI.before.options


def test_what_is_chosen_on_validation_images_is_left_to_the_second_stage():
    preset = PRESETS["babkauskas-unet-r18"].changed(before="synthetic", operating_point="best-f1", patience=3)
    first = preset.settings_before()
    assert (first.keep, first.validation, first.patience, first.operating_point) == ("last", 0.0, 0, "")
    assert preset.changed(**{"before.validation": 0.2, "before.keep": "best-iou"}).settings_before().keep == "best-iou"


def test_lee_transfer_says_what_the_paper_says():
    preset = PRESETS["lee-transfer"]
    for settings in (preset.settings, preset.settings_before()):
        assert settings.network == "unet-reverse"
        assert (settings.schedule.factor, settings.schedule.every, settings.schedule.unit) == (0.8, 4, "epochs")
        optimiser = settings.optimiser
        assert (optimiser.momentum, optimiser.weight_decay, optimiser.clip_value) == (0.9, 1e-8, 0.1)
        assert [step.name for step in settings.augmentation] == ["flips"]
        assert settings.augmentation[0].options == {"horizontal": 0.5, "vertical": 0.5}
        assert settings.standardise
    assert preset.before.images == "semi"
    assert preset.before.options["weight"] == 0.65
    assert preset.note


def test_lee_transfer_trains(pictures):
    small = PRESETS["lee-transfer"].changed(
        epochs=1, network_options={"width": 4}, **{"patches.size": 64, "patches.step": 64, "before.count": 2}
    )
    model = prepare_training(pictures[:2], small).run()
    assert model.card.training["before"]["options"]["weight"] == 0.65
