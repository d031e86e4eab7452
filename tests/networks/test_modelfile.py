"""Model folders come back as they were saved, and anything else is refused with a reason."""

import hashlib
import json
import pickle
from importlib import resources

import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_mpseg.errors import ModelError, SettingsError, StoreError
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.networks.modelfile import (
    CARD,
    WEIGHTS,
    Model,
    ModelCard,
    load_card,
    load_model,
    save_model,
    with_threshold,
)
from napari_mpseg.networks.registry import NETWORKS


@pytest.fixture
def model():
    torch.manual_seed(3)
    network = NETWORKS["quarter-multiresunet"].build(3).eval()
    card = ModelCard("a model", "quarter-multiresunet", normalisation=Normalisation("range"), threshold=0.4)
    return Model(network, card)


@pytest.fixture
def folder(model, tmp_path):
    return save_model(model, tmp_path / "model")


def _resign(folder):
    card = json.loads((folder / CARD).read_text())
    card["weights_sha256"] = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    (folder / CARD).write_text(json.dumps(card))


def _change_card(folder, **values):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **values}))


def test_card_survives(folder):
    card = load_card(folder)
    assert (card.name, card.threshold, card.normalisation.kind) == ("a model", 0.4, "range")


def test_an_existing_model_is_not_overwritten_unasked(model, folder):
    before = (folder / WEIGHTS).read_bytes()
    with pytest.raises(StoreError, match="already there"):
        save_model(model, folder)
    assert (folder / WEIGHTS).read_bytes() == before
    save_model(model, folder, overwrite=True)


def test_changed_weights_are_refused(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match="changed or damaged"):
        load_model(folder)


def test_a_pickle_is_never_run(folder, tmp_path):
    witness = tmp_path / "witness"

    class Evil:
        def __reduce__(self):
            return (witness.write_text, ("ran",))

    (folder / WEIGHTS).write_bytes(pickle.dumps(Evil()))
    _resign(folder)
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_model(folder)
    assert not witness.exists()


def test_missing_and_misshapen_weights_are_named(folder):
    state = load_file(folder / WEIGHTS)
    state.pop("head.bias")
    state["head.weight"] = torch.zeros(1, 7, 1, 1)
    save_file(state, folder / WEIGHTS)
    _resign(folder)
    with pytest.raises(ModelError, match=r"1 weights missing \(head.bias\).*1 of another shape \(head.weight"):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "vgg"}, "No network is called 'vgg'"),
        ({"colour": 1}, "no setting 'colour'"),
        ({"format": 99}, "newer version"),
        ({"network": "half-multiresunet"}, "does not fit the network 'half-multiresunet'"),
    ],
)
def test_foreign_cards_are_refused(folder, change, message):
    _change_card(folder, **change)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_what_is_no_model_is_said(tmp_path, folder):
    with pytest.raises(ModelError, match="not a model folder"):
        load_model(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="holds no card"):
        load_model(tmp_path / "empty")
    (folder / CARD).write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)
    (folder / CARD).unlink()
    with pytest.raises(ModelError, match="holds no card"):
        load_model(folder)


def test_of_a_cross_validation_the_models_are_named(tmp_path):
    for name in ("without-fold_1", "without-fold_2"):
        (tmp_path / name).mkdir()
    (tmp_path / "folds.json").write_text("{}")
    with pytest.raises(ModelError, match="cross-validation: give one of its models, without-fold_1, without-fold_2"):
        load_model(tmp_path)


def test_the_bundled_model_loads_and_says_where_it_comes_from():
    from napari_mpseg.networks.bundled import BUNDLED

    with resources.as_file(resources.files("napari_mpseg") / "models" / BUNDLED) as path:
        model = load_model(path)
    assert "MP-Net" in model.card.attribution
    assert model.card.receptive_radius
    assert model.card.training["seed"] is not None


def test_another_threshold_leaves_the_weights_alone(folder):
    weights, before = (folder / WEIGHTS).read_bytes(), json.loads((folder / CARD).read_text())
    with_threshold(folder, 0.25, {"aim": "best-f1", "value": 0.8})
    after = json.loads((folder / CARD).read_text())
    changed = {"threshold": 0.25, "scores": {"operating_point": {"aim": "best-f1", "value": 0.8}}}
    assert after == {**before, **changed}
    assert (folder / WEIGHTS).read_bytes() == weights
    assert load_model(folder).card.threshold == 0.25
    assert sorted(file.name for file in folder.iterdir()) == sorted((CARD, WEIGHTS))


def test_a_copy_gets_the_threshold_and_a_name_of_its_own(folder, tmp_path):
    before = (folder / CARD).read_bytes()
    with_threshold(folder, 0.6, {}, out=tmp_path / "copy")
    assert (folder / CARD).read_bytes() == before
    card = load_model(tmp_path / "copy").card
    assert (card.name, card.threshold) == ("copy", 0.6)
    with pytest.raises(StoreError, match="already there"):
        with_threshold(folder, 0.7, {}, out=tmp_path / "copy")


def test_the_bundled_model_is_only_copied(tmp_path):
    with resources.as_file(resources.files("napari_mpseg") / "models" / "half-multiresunet-nile-red") as bundled:
        before = (bundled / CARD).read_bytes()
        with pytest.raises(ModelError, match="copy"):
            with_threshold(bundled, 0.5, {})
        assert load_card(with_threshold(bundled, 0.5, {}, out=tmp_path / "mine")).threshold == 0.5
        assert (bundled / CARD).read_bytes() == before


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_an_impossible_threshold_is_refused(folder, threshold):
    with pytest.raises(SettingsError, match="impossible"):
        with_threshold(folder, threshold, {})
