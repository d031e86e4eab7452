"""The threshold of a trained model is chosen on what it was validated on, by a stated aim, and kept in its card."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn import metrics

import napari_mpseg as mp
from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.evaluation.operating_points import AIMS
from napari_mpseg.experiments.labelled_prediction import predict_labelled
from napari_mpseg.experiments.operating_point import parse_aim, with_operating_point
from napari_mpseg.experiments.registry import PROTOCOLS
from napari_mpseg.experiments.samples import find_samples, read_all
from napari_mpseg.networks.modelfile import load_card
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.data.fingerprints import fingerprints
from napari_mpseg.training.settings import TrainSettings
from napari_mpseg.training.train import prepare_training


@pytest.fixture(scope="module")
def trained(pictures, quick):
    """A session on ten images that has run, and its model with no aim."""
    preset = quick.changed(epochs=3, validation=0.3)
    session = prepare_training(read_all(find_samples(pictures, 0)), preset, device="cpu")
    return session, session.run()


def aimed(trained, aim):
    session, model = trained
    before = session.training.settings
    session.training.settings = replace(before, operating_point=aim)
    try:
        return with_operating_point(session, model, device="cpu")
    finally:
        session.training.settings = before


@pytest.fixture(scope="module")
def by_scikit_learn(trained):
    """Return a function: threshold to precision, recall and F1 of the validation images' pixels together."""
    session, model = trained
    truth = np.concatenate([pair.mask.ravel() for pair in session.validation])
    found = [predict_labelled(model, pair, "cpu", CancelToken()) for pair in session.validation]
    stored = np.floor(np.concatenate([one.ravel() for one in found]) * 255 + 0.5) / 255

    @cache
    def at(threshold):
        p, r, f, _ = metrics.precision_recall_fscore_support(
            truth, stored > threshold, average="binary", zero_division=0
        )
        return p, r, f

    return at


def test_no_aim_changes_nothing(trained):
    _, model = trained
    assert aimed(trained, "") is model
    assert model.card.threshold == 0.5


def test_the_best_f1_is_the_best_of_all_thresholds(trained, by_scikit_learn):
    model = aimed(trained, "best-f1")
    best = max(by_scikit_learn(threshold)[2] for threshold in (np.arange(1, 256) - 0.5) / 255)
    assert by_scikit_learn(model.card.threshold)[2] == pytest.approx(best)
    record = model.card.scores["operating_point"]
    assert record["f1"] == pytest.approx(best)
    assert record["aim"] == "best-f1"
    assert record["chosen_on"] == fingerprints(trained[0].validation)
    assert model.card.scores["validation"] == trained[1].card.scores["validation"]
    json.dumps(record)


@pytest.mark.parametrize("value", [0.6, 0.95])
def test_a_demanded_recall_is_reached_with_the_best_precision(trained, by_scikit_learn, value):
    model = aimed(trained, f"recall-at-least:{value}")
    precision, recall, _ = by_scikit_learn(model.card.threshold)
    assert recall >= value
    others = [by_scikit_learn(threshold) for threshold in (np.arange(1, 256) - 0.5) / 255]
    assert precision == pytest.approx(max(other[0] for other in others if other[1] >= value))


@pytest.mark.parametrize("aim", list(AIMS))
def test_every_aim_gives_a_threshold_that_segment_takes(trained, aim):
    model = aimed(trained, aim)
    assert 0 <= model.card.threshold < 1
    assert model.card.scores["operating_point"]["images"] == len(trained[0].validation)


def test_unknown_pixels_do_not_count(trained):
    session, model = trained
    part = [
        replace(pair, known=np.broadcast_to(np.arange(pair.mask.shape[1]) < 40, pair.mask.shape))
        for pair in session.validation
    ]
    cut = [replace(pair, mask=pair.mask & pair.known, known=pair.known) for pair in part]
    scattered = [replace(pair, mask=pair.mask | ~pair.known) for pair in part]
    chosen = []
    for images in (cut, scattered):
        other = replace(session, validation=images)
        chosen.append(aimed((other, model), "best-f1").card)
    assert chosen[0].threshold == chosen[1].threshold
    with pytest.raises(SettingsError, match="whole images"):
        aimed((other, model), "count-bias-zero")


def test_what_cannot_be_chosen_is_said_before_training(pictures, trained):
    assert parse_aim("recall-at-least:0.9") == parse_aim("recall-at-least=0.9") == ("recall-at-least", 0.9)
    assert parse_aim("best-f1") == ("best-f1", None)
    for wrong in ("recall-at-least:many", "recall-at-least:2", "best-f1:0.5"):
        with pytest.raises(SettingsError):
            parse_aim(wrong)
    with pytest.raises(SettingsError, match="validation share"):
        TrainSettings(operating_point="best-f1")
    with pytest.raises(UnknownNameError, match="No aim is called 'best-f'"):
        mp.train([], mp.PRESETS["painted"].changed(operating_point="best-f"))
    session, model = trained
    empty = replace(session, validation=[replace(session.validation[0], mask=np.zeros((64, 64), bool))])
    with pytest.raises(SettingsError, match="no particle was kept aside"):
        aimed((empty, model), "best-f1")


def test_a_checkpoint_from_before_the_setting_is_gone_on_with(pictures, quick, tmp_path):
    """Settings that came later have their defaults in an older checkpoint."""
    place = tmp_path / "run.training"
    images = read_all(find_samples(pictures, 0))
    prepare_training(images, quick.changed(epochs=1), device="cpu", checkpoint=place).run()
    state = json.loads((place / "state.json").read_text())
    assert state["settings"].pop("operating_point") == ""
    assert state["settings"]["patches"].pop("most") == 0
    (place / "state.json").write_text(json.dumps(state))
    assert prepare_training(images, quick.changed(epochs=1), device="cpu", checkpoint=place).resumed == 1
    with pytest.raises(SettingsError, match="batch"):
        prepare_training(images, quick.changed(epochs=1, batch=3), device="cpu", checkpoint=place)


def test_commands_scripts_and_protocols_choose_it(run, pictures, quick, tmp_path):
    preset = quick.changed(epochs=1, operating_point="best-f2")
    preset.save(tmp_path / "mine.json")
    given = ["--preset", tmp_path / "mine.json", "--particle-value", 0, "--quiet"]
    code, out, err = run("train", pictures, "--out", tmp_path / "model", *given)
    assert code == 0, err
    card = load_card(tmp_path / "model")
    assert f"Threshold {card.threshold:g} (best-f2)" in out
    model = mp.train(read_all(find_samples(pictures, 0)), preset, name="model", device="cpu")
    assert (model.card.threshold, model.card.scores) == (card.threshold, card.scores)
    protocol = PROTOCOLS["babkauskas-2023"]
    protocol.run(pictures, tmp_path / "out", settings=protocol.settings(particle_value=0), presets=[preset], methods=[])
    split = json.loads((tmp_path / "out" / "split.json").read_text())["rounds"]["trained"]
    card = load_card(tmp_path / "out" / "models" / "baek-unet-3" / "trained")
    assert [one["name"] for one in card.scores["operating_point"]["chosen_on"]] == split["validation"]
    evidence = json.loads(next((tmp_path / "out" / "evidence").rglob("*.json")).read_text())["evidence"]
    levels = np.array(evidence["levels"])
    above = np.arange(256) / 255 > card.threshold
    assert evidence["pixels"]["tp"] == levels[1, above].sum()
    assert evidence["pixels"]["fp"] == levels[0, above].sum()
