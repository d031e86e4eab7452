"""Folders of detectors: kept whole, checked, and never executed."""

import json

import numpy as np
import pytest
import torch

from napari_mpseg.detection.modelfile import (
    DetectorCard,
    DetectorModel,
    load_detector,
    load_detector_card,
    with_threshold,
)
from napari_mpseg.detection.settings import DetectorSettings
from napari_mpseg.errors import ModelError, SettingsError, StoreError
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.settings import from_dict


@pytest.fixture
def model(tiny, tiny_settings):
    card = DetectorCard(
        "discs",
        from_dict(DetectorSettings, tiny_settings),
        in_channels=1,
        normalisation=Normalisation("fixed", offset=0.0, scale=255.0),
        threshold=0.4,
        window=64,
        halo=16,
    )
    return DetectorModel(tiny().eval(), card)


def test_a_detector_comes_back_as_it_was(model, tmp_path):
    again = load_detector(model.save(tmp_path / "d"))
    assert again.card.options == model.card.options
    assert again.card.threshold == 0.4
    assert len(again.card.weights_sha256) == 64
    image = [torch.rand(1, 64, 64)]
    with torch.inference_mode():
        (one,), (other,) = model.network(image), again.network(image)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_folder_is_not_replaced_unasked(model, tmp_path):
    model.save(tmp_path / "d")
    with pytest.raises(StoreError):
        model.save(tmp_path / "d")
    model.save(tmp_path / "d", overwrite=True)


def test_what_is_damaged_or_foreign_is_refused(model, tmp_path):
    folder = model.save(tmp_path / "d")
    card = json.loads((folder / "detector.json").read_text())
    with pytest.raises(ModelError, match="not a trained detector"):
        load_detector(tmp_path)
    for change, message in (
        ({"format": 99}, "newer version"),
        ({"network": "yolo"}, "yolo"),
        ({"colour": 1}, "no setting"),
        ({"halo": 40}, "less than half"),
        ({"in_channels": 3}, "does not fit"),
    ):
        (folder / "detector.json").write_text(json.dumps({**card, **change}))
        with pytest.raises(ModelError, match=message):
            load_detector(folder)
    (folder / "detector.json").write_text(json.dumps(card))
    weights = bytearray((folder / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(weights)
    with pytest.raises(ModelError, match="changed or damaged"):
        load_detector(folder)


def test_published_weights_are_not_fetched_for_a_stored_detector(tiny, tiny_settings, tmp_path, monkeypatch):
    from napari_mpseg.detection import network

    options = from_dict(DetectorSettings, {**tiny_settings, "weights": "imagenet"})
    with monkeypatch.context() as patched:
        patched.setattr(network, "load_trained", lambda *_: None)
        built = tiny(weights="imagenet")
    folder = DetectorModel(built, DetectorCard("d", options, in_channels=1, window=64, halo=16)).save(tmp_path / "d")

    def fetched(*_):
        raise AssertionError("nothing is to be fetched")

    monkeypatch.setattr(network, "load_trained", fetched)
    load_detector(folder)


def test_another_threshold_is_stored(model, tmp_path):
    folder = model.save(tmp_path / "d")
    before = (folder / "weights.safetensors").read_bytes()
    assert with_threshold(folder, 0.7, {"aim": "best-f1"}) == folder
    assert load_detector_card(folder).threshold == 0.7
    copy = with_threshold(folder, 0.2, {}, out=tmp_path / "copy")
    assert (load_detector(copy).card.name, load_detector(copy).card.threshold) == ("copy", 0.2)
    assert (copy / "weights.safetensors").read_bytes() == before
    with pytest.raises(SettingsError):
        with_threshold(folder, 1.0, {})


def test_the_method_of_a_folder_finds_particles_in_an_image(model, tmp_path):
    """Labels and probability agree, whatever the least score, and the engine joins tiles."""
    from napari_mpseg import segment
    from napari_mpseg.methods.registry import gives_probability, takes_tta

    folder = model.save(tmp_path / "d")
    assert gives_probability(str(folder))
    assert not takes_tta(str(folder))
    image = np.random.default_rng(0).integers(0, 255, (90, 150), np.uint8)
    result = segment(image, folder, threshold=0.05, min_size=1, tile_size=64, cache=tmp_path / "c", measure=False)
    probability, labels = np.asarray(result.probability), np.asarray(result.labels)
    assert labels.shape == (90, 150)
    assert set(np.unique(labels)) == set(range(labels.max() + 1))
    assert not labels[probability == 0].any()
    assert result.provenance["model"]["network"] == "mask-rcnn"


def test_the_predictor_finds_instances(model):
    import dask.array as da

    from napari_mpseg.images.image import Image
    from napari_mpseg.inference.instance_predictor import finds_instances
    from napari_mpseg.methods.mask_rcnn import MaskRCNNMethod

    method = MaskRCNNMethod(model, "cpu")
    prepared = method.prepare(Image(da.zeros((100, 100), dtype=np.uint8), "a"))
    predictor = prepared.predictor
    assert finds_instances(predictor)
    assert (predictor.halo, predictor.overlap, predictor.stride, predictor.preferred_tile) == (16, 8, 1, 128)
    window = np.random.default_rng(1).integers(0, 255, (70, 60), np.uint8)
    found = predictor.predict_instances(window, (16, 16, 0, 0), 0.3)
    assert found.labels.shape == found.probability.shape == (70, 60)
    assert np.array_equal(found.labels > 0, found.probability > 0)
    assert np.all(found.probability[found.labels > 0] >= np.float32(0.3))
    every = predictor.predict(window, (16, 16, 0, 0))
    assert np.array_equal(every >= np.float32(0.3), (found.labels > 0)[16:-16])
    assert method.describe()["model"]["name"] == "discs"
