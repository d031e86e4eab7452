"""The experiment with and without made images: arms differ in nothing else, nothing leaks, and it can be killed."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from napari_mpseg.errors import Cancelled, SettingsError, UnknownNameError
from napari_mpseg.evaluation.evidence import gather_evidence
from napari_mpseg.experiments import transfer
from napari_mpseg.experiments.transfer import (
    ARMS,
    Case,
    Tested,
    TransferSettings,
    cases_of,
    patches_of,
    read_transfer,
    recipe,
    run_transfer,
)
from napari_mpseg.experiments.transfer_table import COLUMNS, difference, mean_and_spread, transfer_tables, values_of
from napari_mpseg.progress import CancelToken
from napari_mpseg.settings import to_dict
from napari_mpseg.training.crossval import Fold
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.train import prepare_training

TINY = TransferSettings(
    repeats=1, steps=2, steps_before=2, made=2, few=2, network="quarter-multiresunet", size=16, batch=2
)


@pytest.fixture
def folds(rng):
    """Three folds of two patches with one bright square each."""
    made = []
    for number in range(3):
        patches = []
        for index in range(2):
            image = rng.integers(20, 40, (48, 48, 3), np.uint8)
            mask = np.zeros((48, 48), bool)
            mask[10 + number : 20, 10 + index : 22] = True
            image[mask] = 220
            patches.append(LabelledImage(f"{number}/{index}", image, mask))
        made.append(Fold(f"fold_{number + 1}", tuple(patches)))
    return made


def weights(model):
    return model.network.state_dict()


# -- what is compared ------------------------------------------------------------------------------------------------


def test_arms_differ_in_what_comes_first_and_in_nothing_else():
    recipes = {name: recipe(ARMS[name], replace(TINY, steps=40, steps_before=20), 0) for name in ARMS}
    real = to_dict(recipes["real"].settings)
    assert to_dict(recipes["synthetic"].settings) == to_dict(recipes["semi"].settings) == real
    assert recipes["real"].before is None
    assert recipes["real-longer"].before is None
    longer = to_dict(recipes["real-longer"].settings)
    assert [key for key in real if real[key] != longer[key]] == ["epochs"]
    for name in ("synthetic", "semi"):
        assert recipes[name].before.images == name
        assert recipes[name].settings_before().seed == recipes[name].settings.seed


@pytest.mark.parametrize(("steps", "before"), [(200, 300), (2, 2), (30, 10)])
def test_the_longer_arm_takes_as_many_steps_as_both_stages(steps, before):
    settings = replace(TINY, steps=steps, steps_before=before)

    def taken(chosen):
        return chosen.epochs * chosen.patches.per_epoch // chosen.batch

    both = recipe(ARMS["semi"], settings, 0)
    assert taken(both.settings) >= steps
    assert taken(both.settings_before()) >= before
    longer = taken(recipe(ARMS["real-longer"], settings, 0).settings)
    assert abs(longer - taken(both.settings) - taken(both.settings_before())) < 2 * transfer.EPOCH
    if steps % transfer.EPOCH == before % transfer.EPOCH == 0:
        assert (taken(both.settings), longer) == (steps, steps + before)


def test_every_repeat_has_another_seed():
    assert [recipe(ARMS["real"], replace(TINY, seed=5), repeat).settings.seed for repeat in range(3)] == [5, 6, 7]


def test_all_arms_learn_from_the_same_patches_and_never_from_the_fold(folds):
    for which in ("all", "few"):
        for fold in range(3):
            names = {tuple(patch.name for patch in patches_of(Case(which, 0, fold, arm), folds, TINY)) for arm in ARMS}
            (chosen,) = names
            assert len(chosen) == {"all": 4, "few": 2}[which]
            assert not {name for name in chosen if name.startswith(f"{fold}/")}


def test_few_patches_are_others_in_another_repeat(folds):
    draws = {tuple(p.name for p in patches_of(Case("few", repeat, 0, "real"), folds, TINY)) for repeat in range(8)}
    assert len(draws) > 1


def test_few_patches_hold_particles(folds):
    empty = LabelledImage("0/x", folds[0].patches[0].image, np.zeros((48, 48), bool))
    with_empty = [replace(folds[0], patches=(empty, empty, empty)), *folds[1:]]
    for repeat in range(8):
        assert "0/x" not in {p.name for p in patches_of(Case("few", repeat, 1, "real"), with_empty, TINY)}
    with pytest.raises(SettingsError, match="only 2 patches"):
        patches_of(Case("few", 0, 1, "real"), with_empty, replace(TINY, few=3))


def test_what_is_learnt_once_for_all_folds_gives_the_weights_of_both_stages_in_one_run(folds, tmp_path):
    case = Case("all", 0, 1, "synthetic")
    patches = patches_of(case, folds, TINY)
    shared = transfer._trained(case, patches, TINY, tmp_path, tmp_path / "run", "cpu", CancelToken())
    both = prepare_training(patches, recipe(ARMS["synthetic"], TINY, 0), device="cpu").run()
    assert all(torch.equal(weights(shared)[name], weights(both)[name]) for name in weights(both))


# -- run, killed, gone on with ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_experiment_goes_on_and_ends_the_same(folds, tmp_path):
    small = replace(TINY, sets=("few",))
    whole = run_transfer(folds, small, tmp_path / "whole", device="cpu")
    assert len(whole) == len(cases_of(small, 3)) == 12
    cancel, new = CancelToken(), []

    def stop(tested):
        new.append(tested.case)
        if len(new) == 5:
            cancel.cancel()

    with pytest.raises(Cancelled):
        run_transfer(folds, small, tmp_path / "again", device="cpu", on_case=stop, cancel=cancel)
    assert len(read_transfer(small, 3, tmp_path / "again")) == 5
    again = run_transfer(folds, small, tmp_path / "again", device="cpu", on_case=lambda tested: new.append(tested.case))
    assert sorted(map(str, new)) == sorted(map(str, cases_of(small, 3)))
    assert [[e.to_dict() for e in one.evidence] for one in again] == [
        [e.to_dict() for e in one.evidence] for one in whole
    ]
    assert not list((tmp_path / "again").rglob("*.training"))
    text = transfer_tables(again)
    assert "real patches alone, as many steps as both stages" in text
    assert "fold_3" in text


def test_results_of_other_settings_or_images_are_not_mixed(folds, tmp_path):
    one = replace(TINY, sets=("few",), arms=("real",))
    run_transfer(folds[:2], one, tmp_path / "out", device="cpu")
    assert len(run_transfer(folds[:2], replace(one, arms=("real", "semi")), tmp_path / "out", device="cpu")) == 4
    with pytest.raises(SettingsError, match="steps: 2 there, 3 here"):
        run_transfer(folds[:2], replace(one, steps=3), tmp_path / "out", device="cpu")
    with pytest.raises(SettingsError, match="folds"):
        run_transfer(folds, one, tmp_path / "out", device="cpu")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repeats": 0}, "repeats = 0"),
        ({"steps_before": 0}, "steps_before"),
        ({"sets": ("some",)}, "all, few"),
        ({"sets": ()}, "all, few"),
        ({"arms": ("semi",)}, "'real'"),
    ],
)
def test_impossible_settings_are_refused(change, said):
    with pytest.raises(SettingsError, match=said):
        TransferSettings(**change)


def test_an_unknown_arm_is_refused():
    with pytest.raises(UnknownNameError, match="real-longer"):
        TransferSettings(arms=("real", "longer"))


# -- the figures -----------------------------------------------------------------------------------------------------


def test_the_interval_is_that_of_nadeau_and_bengio():
    """By hand: differences of two repeats of two folds, 0.1 0.3 0.2 0.4."""
    one, other = np.array([[0.6, 0.8], [0.7, 0.9]]), np.full((2, 2), 0.5)
    found = difference(one, other)
    variance = ((0.15**2) * 2 + (0.05**2) * 2) / 3
    half = stats.t.ppf(0.975, 3) * np.sqrt((1 / 4 + 1 / 1) * variance)
    assert found.mean == pytest.approx(0.25)
    assert (found.low, found.high) == (pytest.approx(0.25 - half), pytest.approx(0.25 + half))
    assert not found.sure
    assert difference(one + 5, other).sure
    assert difference(one[:, :1], other[:, :1]).low is None


def test_spread_is_that_of_repeats():
    values = np.array([[[0.2], [0.4]], [[0.5], [0.7]]])  # means over folds 0.3 and 0.6
    mean, spread = mean_and_spread(values)
    assert mean[0] == pytest.approx(0.45)
    assert spread[0] == pytest.approx(0.3 / np.sqrt(2))
    assert np.isnan(mean_and_spread(values[:1])[1][0])


def outcome(arm, repeat, fold, found):
    truth = np.zeros((20, 20), bool)
    truth[2:6, 2:6] = truth[10:14, 10:14] = True
    prediction = truth.copy()
    prediction[10:14, 10:14] &= found
    evidence = gather_evidence(prediction, truth, min_size=3, name="a", group=f"fold_{fold + 2}")
    return Tested(Case("all", repeat, fold, arm), [evidence], 1.0, ("b", "c"))


def test_tables_of_what_is_done():
    """Two particles of which the base finds one and the other arm both: F1 2/3 and 1."""
    done = [outcome("real", repeat, fold, False) for repeat in range(2) for fold in range(2)]
    done += [outcome("semi", repeat, fold, True) for repeat in range(2) for fold in range(2)]
    assert values_of(done, "all", "real")[..., list(COLUMNS).index("particle-f1-iou")] == pytest.approx(2 / 3)
    text = transfer_tables(done)
    assert "| real patches alone | 2 | 0.667 ± 0.000 | 0.667 ± 0.000 | 0.500 ± 0.000 | 1.000 ± 0.000 |" in text
    assert "**+0.333 (+0.333 to +0.333)**" in text
    assert "object F1, fold_3" in text
    assert "(2 patches; 2 folds)" in text
    assert transfer_tables([]) == "Nothing is done yet."


def test_a_repeat_that_is_not_complete_is_left_out():
    done = [outcome("real", 0, fold, False) for fold in range(2)] + [outcome("real", 1, 0, False)]
    assert values_of(done, "all", "real").shape == (1, 2, len(COLUMNS))


# -- the script ------------------------------------------------------------------------------------------------------


def script():
    place = Path(__file__).resolve().parents[2] / "benchmarks" / "transfer.py"
    spec = importlib.util.spec_from_file_location("transfer_script", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_writes_its_tables_into_a_page(tmp_path, rng, capsys):
    from PIL import Image as Pictures

    for fold in ("fold_1", "fold_2"):
        (tmp_path / "data" / fold / "labels").mkdir(parents=True)
        image = rng.integers(20, 40, (48, 48, 3), np.uint8)
        image[10:20, 10:20] = 220
        label = np.full((48, 48), 255, np.uint8)
        label[10:20, 10:20] = 0
        Pictures.fromarray(image).save(tmp_path / "data" / fold / "a.png")
        Pictures.fromarray(label).save(tmp_path / "data" / fold / "labels" / "a.png")
    page = tmp_path / "page.md"
    page.write_text("# Page\n<!-- transfer -->\n<!-- end transfer -->\n")
    asked = [str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--repeats", "1", "--steps", "2"]
    asked += ["--steps-before", "2", "--made", "2", "--size", "16", "--batch", "2", "--sets", "all"]
    asked += ["--network", "quarter-multiresunet", "--arms", "real", "semi", "--page", str(page)]
    before = torch.get_num_threads()
    try:
        script().main(asked)
        said = capsys.readouterr().out
        assert "all repeat 0 without fold 2: semi" in said
        assert "| real patches alone |" in page.read_text()
        script().main([*asked, "--tables-only"])
    finally:
        torch.set_num_threads(before)
    assert "without fold" not in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "experiment.json").read_text())["settings"]["steps"] == 2
