"""Training learns, repeats from its seed, can be stopped, and never sees the fold held out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as Pictures

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.bundled import Fold, load_folds, train_on
from napari_mpseg.training.crossval import cross_validate, predict_patches
from napari_mpseg.training.loop import fit
from napari_mpseg.training.pairs import LabelledImage, load_folder
from napari_mpseg.training.sampling import CropSampler
from napari_mpseg.training.settings import TrainSettings

TINY = TrainSettings(
    network="quarter-multiresunet", steps=4, batch=2, crop=32, synthetic_share=0.0, bf16=False, dropout=0.0, seed=1
)


def squares(rng, count=4, side=64):
    """Return images of bright squares on a dim ground, with their masks."""
    found = []
    for index in range(count):
        mask = np.zeros((side, side), bool)
        for _ in range(3):
            y, x = rng.integers(2, side - 10, 2)
            mask[y : y + 6, x : x + 6] = True
        image = np.where(mask[..., None], 180, 30) + rng.normal(0, 5, (side, side, 3))
        found.append(LabelledImage(f"{index}", image.clip(0, 255).astype(np.uint8), mask))
    return found


def sampler(images, settings=TINY, seed=0):
    return CropSampler(images, [], settings, np.random.default_rng(seed))


def test_batches_have_the_form_networks_take(rng):
    images, masks = sampler(squares(rng)).batch()
    assert images.shape == (2, 3, 32, 32)
    assert masks.shape == (2, 1, 32, 32)
    assert images.dtype == masks.dtype == np.float32
    assert 0 <= images.min() <= images.max() <= 1
    assert set(np.unique(masks)) <= {0, 1}


def test_crops_lie_around_particles_as_often_as_asked(rng):
    pair = squares(rng, 1, 256)[0]
    for share in (0.0, 1.0):
        draw = sampler([pair], replace(TINY, particle_share=share))
        hits = np.mean([draw.crop()[1].any() for _ in range(60)])
        assert hits == 1 if share else hits < 0.5


def test_augmentation_moves_image_and_mask_together(rng):
    mask = rng.random((32, 32)) < 0.2
    image = np.where(mask, 255, 0).astype(np.uint8)[..., None].repeat(3, 2)
    still = replace(TINY, gain=0.0, offset=0.0, noise=0.0, grey_share=0.0)
    draw = sampler([LabelledImage("a", image, mask)], still)
    seen = set()
    for _ in range(60):
        crop, truth = draw.crop()
        np.testing.assert_array_equal(crop[..., 0] > 0.5, truth)
        seen.add(truth.tobytes())
    assert len(seen) == 8


def test_images_smaller_than_the_crop_are_filled(rng):
    image, mask = sampler(squares(rng, 1, 20), replace(TINY, crop=48)).crop()
    assert image.shape == (48, 48, 3)
    assert mask.shape == (48, 48)


def test_an_image_without_particles_is_fine():
    blank = LabelledImage("blank", np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), bool))
    assert not sampler([blank]).batch()[1].any()


@pytest.mark.slow
def test_training_learns_bright_squares(rng):
    torch.manual_seed(0)
    network = NETWORKS["quarter-multiresunet"].build(3)
    outcome = fit(network, sampler(squares(rng)), replace(TINY, steps=120, batch=4))
    (probability,) = predict_patches(network, squares(np.random.default_rng(99), 1))
    truth = squares(np.random.default_rng(99), 1)[0].mask
    found = probability > 0.5
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.9
    assert outcome["steps"] == 120


def test_same_seed_same_weights_other_seed_others(rng):
    images = squares(rng)

    def weights(seed):
        return train_on(images, replace(TINY, seed=seed)).network.state_dict()

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_cancel_keeps_what_was_learnt(rng):
    cancel, steps = CancelToken(), []

    def stop(step, loss):
        steps.append(step)
        if step == 2:
            cancel.cancel()

    network = NETWORKS["quarter-multiresunet"].build(3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    outcome = fit(network, sampler(squares(rng)), TINY, on_loss=stop, cancel=cancel)
    assert outcome["steps"] == 2 == steps[-1]
    assert any(not torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not network.training


def test_cross_validation_trains_without_the_fold_it_predicts(rng, monkeypatch):
    images = squares(rng, 6, 32)
    folds = [Fold(f"fold_{k}", tuple(images[2 * k : 2 * k + 2])) for k in range(3)]
    seen = []

    def spy(patches, settings, **_):
        seen.append({patch.name for patch in patches})
        return train_on(patches, replace(settings, steps=1))

    monkeypatch.setattr("napari_mpseg.training.crossval.train_on", spy)
    held = list(cross_validate(folds, TINY))
    for outcome, names in zip(held, seen, strict=True):
        own = {patch.name for patch in outcome.fold.patches}
        assert not own & names
        assert len(names) == 4
        assert [probability.shape for probability in outcome.probabilities] == [(32, 32)] * 2


def test_card_tells_how_the_model_was_made(rng):
    card = train_on(squares(rng), TINY).card
    assert card.training["seed"] == 1
    assert card.training["steps"] == 4
    assert card.receptive_radius == 14
    assert "torch" in card.versions


def _write(folder, name, image, mask):
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    Pictures.fromarray(image).save(folder / name)
    if mask is not None:
        Pictures.fromarray(mask).save(folder / "labels" / name)


def test_folders_of_images_with_masks_are_read(tmp_path):
    image = np.full((8, 9, 3), 50, np.uint8)
    mask = np.full((8, 9), 255, np.uint8)
    mask[2, 3] = 0
    _write(tmp_path / "fold_1", "a.png", image, mask)
    (fold,) = load_folds(tmp_path)
    assert fold.name == "fold_1"
    assert np.argwhere(fold.patches[0].mask).tolist() == [[2, 3]]
    assert load_folder(tmp_path / "fold_1")[0].mask.sum() == 8 * 9 - 1


def test_folders_that_cannot_serve_say_why(tmp_path):
    with pytest.raises(ImageError, match="no folder fold_1"):
        load_folds(tmp_path)
    with pytest.raises(ImageError, match="No image found"):
        load_folder(tmp_path)
    _write(tmp_path / "f", "a.png", np.zeros((8, 9, 3), np.uint8), None)
    with pytest.raises(ImageError, match="has no mask"):
        load_folder(tmp_path / "f")
    _write(tmp_path / "f", "a.png", np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8), np.uint8))
    with pytest.raises(ImageError, match="same size"):
        load_folder(tmp_path / "f")


@pytest.mark.parametrize("values", [{"steps": 0}, {"learning_rate": 0}, {"dropout": 1.5}])
def test_impossible_settings_are_refused(values):
    with pytest.raises(SettingsError, match=next(iter(values))):
        TrainSettings(**values)
