"""Training a detector: heads first, best epoch kept, watched, stopped and gone on with like every other network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_mpseg.detection.modelfile import DetectorModel
from napari_mpseg.detection.training import DetectorSession, prepare
from napari_mpseg.errors import SettingsError
from napari_mpseg.training.detector_presets import TRAINER
from napari_mpseg.training.preset import Preset
from napari_mpseg.training.run.control import TrainingControl
from napari_mpseg.training.settings import OptimiserSettings, PatchSettings, ScheduleSettings, TrainSettings
from napari_mpseg.training.train import prepare_training, train


@pytest.fixture
def preset(tiny_settings):
    """Return a recipe of four epochs with two steps each."""

    def make(heads_epochs=0, **changes):
        settings = TrainSettings(
            network="mask-rcnn",
            network_options=tiny_settings,
            loss="mask-rcnn",
            optimiser=OptimiserSettings("sgd", 1e-3),
            schedule=ScheduleSettings("drop", 0.1, 1, "epochs"),
            batch=1,
            epochs=4,
            patches=PatchSettings(size=64, per_epoch=2),
            keep="last",
            precision="fp32",
        )
        options = {"heads_epochs": heads_epochs}
        return Preset("tiny", "Tiny", "test", replace(settings, **changes), trainer=TRAINER, options=options)

    return make


def _weights(session):
    return {name: value.clone() for name, value in session.training.network.state_dict().items()}


def test_the_front_door_leads_to_the_detector(discs, preset):
    session = prepare_training([discs()], preset(), name="mine")
    assert isinstance(session, DetectorSession)
    model = train([discs()], preset(), name="mine")
    assert isinstance(model, DetectorModel)
    assert model.card.name == "mine"
    assert (model.card.in_channels, model.card.window, model.card.halo) == (1, 64, 16)
    assert model.card.training["epochs_done"] == 4
    assert model.card.training["steps_done"] == 8
    assert model.card.training["data"][0]["name"] == "discs 0"
    assert not model.network.training


def test_the_heads_learn_alone_first_and_the_schedule_begins_anew(discs, preset):
    session = prepare([discs()], preset(heads_epochs=2))
    body, fpn, rates, moved = [], [], [], []
    start = _weights(session)

    def watch(event):
        if event.ended:
            now = session.training.network.state_dict()
            body.append(
                all(
                    torch.equal(now[name], start[name])
                    for name, _ in session.training.network.named_parameters()
                    if "backbone.body" in name
                )
            )
            fpn.append(
                torch.equal(now["backbone.fpn.inner_blocks.0.0.weight"], start["backbone.fpn.inner_blocks.0.0.weight"])
            )
        else:
            rates.append(event.learning_rate)
        moved.append(event)

    session.run(on_event=watch)
    assert body == [True, True, False, False]
    assert fpn == [False] * 4
    # events tell the rate of the step to come: two steps to an epoch, a tenth after the first epoch of each stage
    assert rates == pytest.approx([1e-3, 1e-4, 1e-4, 1e-3, 1e-3, 1e-4, 1e-4, 1e-4])


def test_the_best_epoch_of_the_second_stage_is_kept(discs, preset, monkeypatch):
    from napari_mpseg.detection import run
    from napari_mpseg.training.run.validation import Validation

    ious = iter([0.9, 0.8, 0.3, 0.6, 0.5, 0.4])
    monkeypatch.setattr(run, "validate_detector", lambda *_: Validation(1.0, next(ious)))
    chosen = preset(heads_epochs=2, keep="best-iou", validation=0.3, epochs=6)
    session = prepare([discs(side=120), discs(side=120, seed=1)], chosen)
    kept = {}

    def watch(event):
        if event.ended and event.epoch == 4:
            kept.update(_weights(session))

    model = session.run(on_event=watch)
    assert session.training.best == 4
    assert model.card.scores["validation"] == {"epoch": 4, "loss": 1.0, "iou": 0.6}
    assert all(torch.equal(value, kept[name]) for name, value in model.network.state_dict().items())


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_killed_run_goes_on_to_the_same_weights(discs, preset, tmp_path, killed_after):
    chosen = preset(heads_epochs=2)
    whole = prepare([discs()], chosen).run()
    control = TrainingControl()

    def stop(event):
        if event.ended and event.epoch == killed_after:
            control.cancel()

    prepare([discs()], chosen, checkpoint=tmp_path / "c").run(on_event=stop, control=control)
    session = prepare([discs()], chosen, checkpoint=tmp_path / "c")
    assert session.resumed == killed_after
    again = session.run()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_a_stop_keeps_what_was_learnt(discs, preset):
    control, session = TrainingControl(), prepare([discs()], preset())
    start = _weights(session)

    def stop(event):
        if event.step == 3:
            control.cancel()

    model = session.run(on_event=stop, control=control)
    assert model.card.training["steps_done"] == 3
    assert any(not torch.equal(value, start[name]) for name, value in model.network.state_dict().items())


def test_what_was_learnt_so_far_is_a_model_while_it_goes_on(discs, preset):
    session, seen = prepare([discs()], preset()), []

    def watch(event):
        if event.step == 2 and not event.ended:
            seen.append(session.model())

    session.run(on_event=watch)
    assert isinstance(seen[0], DetectorModel)
    assert not seen[0].network.training


def test_validation_changes_nothing_of_the_training(discs, preset):
    """Also not the running means of batch normalisation, nor the random numbers."""
    pairs, held = [discs()], [discs(seed=5)]
    without = prepare(pairs, preset()).run()
    session = prepare(pairs, preset(), validation=held)
    with_it = session.run()
    assert all(0 <= record.validation.iou <= 1 for record in session.training.history)
    assert all(np.isfinite(record.validation.loss) for record in session.training.history)
    for name, value in without.network.state_dict().items():
        assert torch.equal(value, with_it.network.state_dict()[name]), name
    assert with_it.card.training["validated_on"][0]["name"] == "discs 5"


def test_of_an_image_that_is_cut_in_two_all_is_learnt_from(discs, preset):
    session = prepare([discs(side=200, count=20)], preset(validation=0.25, keep="best-iou"))
    assert [one["name"] for one in session.card.training["data"]] == ["discs 0"]
    assert session.card.training["validated_on"] == []
    assert session.validation[0].mask.shape == (50, 200)
    many = prepare([discs(seed=seed) for seed in range(6)], preset(validation=0.34, keep="best-iou"))
    assert len(many.card.training["data"]) == 4
    assert len(many.card.training["validated_on"]) == 2


def test_too_little_to_validate_is_said(discs, preset):
    session = prepare([discs(side=64)], preset(validation=0.2, keep="best-iou"))
    assert any("validation" in note for note in session.notes)
    assert session.training.settings.keep == "last"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"painted": "scribbles"}, "whole particles"),
        ({"painted": "scribbles"}, "'Painted as: Dense mask'"),
        ({"start": "default"}, r"'Start from: Nothing \(from scratch\)' in napari, start='scratch'"),
        ({"changes": {"shrink": 2}}, "shrink would do nothing"),
        ({"changes": {"head": "affinities"}}, "head would do nothing"),
        ({"changes": {"loss": "dice", "patches": PatchSettings(synthetic_share=0.5)}}, "loss, patches.synthetic_share"),
        ({"changes": {"schedule": ScheduleSettings("one-cycle")}, "heads_epochs": 2}, "cannot be run twice"),
        ({"changes": {"network_options": {"backbone": "vgg"}}}, "backbone"),
    ],
)
def test_what_does_not_fit_is_refused(discs, preset, given, message):
    chosen = preset(heads_epochs=given.pop("heads_epochs", 0), **given.pop("changes", {}))
    with pytest.raises(SettingsError, match=message):
        prepare([discs()], chosen, **given)


def test_particles_that_all_have_one_label_are_said(discs, preset):
    pair = discs()
    assert not any("same label" in note for note in prepare([pair], preset()).notes)
    one = replace(pair, instances=pair.mask.astype(np.int32))
    assert any("those that touch for one" in note for note in prepare([one], preset()).notes)


def test_images_known_in_part_or_of_two_kinds_are_refused(discs, preset):
    pair = discs()
    known = np.ones_like(pair.mask)
    known[:20] = False
    with pytest.raises(SettingsError, match="Only a part"):
        prepare([replace(pair, known=known)], preset())
    with pytest.raises(SettingsError, match="channels"):
        prepare([pair, discs(channels=3)], preset())


def test_a_short_run_has_both_stages(discs, preset):
    assert prepare([discs()], preset(heads_epochs=30)).training.heads_epochs == 2


def test_a_trained_detector_is_gone_on_from(discs, preset, tmp_path):
    first = train([discs()], preset())
    first.save(tmp_path / "first")
    session = prepare([discs(seed=3)], preset(network_options={}), start=tmp_path / "first")
    assert session.card.options == first.card.options
    assert all(
        torch.equal(value, first.network.state_dict()[name])
        for name, value in session.training.network.state_dict().items()
    )
    learnt = session.card.training["data"]
    assert [one["name"] for one in learnt] == ["discs 3", "discs 0"]


def test_the_commands_train_and_segment(discs, preset, run, tmp_path):
    import tifffile

    (tmp_path / "data" / "labels").mkdir(parents=True)
    pair = discs()
    tifffile.imwrite(tmp_path / "data" / "a.tif", pair.image[..., 0])
    tifffile.imwrite(tmp_path / "data" / "labels" / "a.tif", pair.instances.astype(np.uint16))
    recipe = preset(epochs=1).save(tmp_path / "tiny.json")
    code, said, told = run("train", tmp_path / "data", "--preset", recipe, "--out", tmp_path / "mine", "--quiet")
    assert code == 0, said + told
    assert (tmp_path / "mine" / "detector.json").is_file()
    image, method = tmp_path / "data" / "a.tif", tmp_path / "mine"
    code, said, told = run("segment", image, "--method", method, "--out", tmp_path / "out", "--quiet")
    assert code == 0, said + told
    code, said, told = run(
        "train", tmp_path / "data", "--preset", recipe, "--out", tmp_path / "b", "--start", "default"
    )
    assert code == 2
    assert "scratch" in said + told


@pytest.mark.slow
def test_a_light_detector_learns_to_tell_touching_discs_apart(discs):
    from napari_mpseg.images.scaling import Scaling
    from napari_mpseg.training.presets import PRESETS
    from napari_mpseg.training.run.objects import f1, object_counts

    chosen = PRESETS["maskrcnn-light"].changed(
        **{"patches.size": 96, "patches.per_epoch": 40, "epochs": 3, "validation": 0.0},
        **{"network_options.min_size": 96, "network_options.max_size": 96},
    )
    made = [discs(side=160, count=14, seed=seed, apart=0) for seed in (0, 1, 2, 3, 98, 99)]
    model = prepare(made[:4], chosen).run()
    detector = model.tile_predictor(Scaling("fixed", 0.0, 255.0))
    counts = np.sum(
        [object_counts(one.instances, detector.instances(one.image, least_score=0.5)[0]) for one in made[4:]], axis=0
    )
    assert counts[1] == 28
    assert f1(*counts.tolist()) > 0.85
