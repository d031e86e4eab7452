"""From painted labels to a model: what is learnt, said, refused, resumed; and what a user's labels never suffer."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import napari_mpseg as mp
from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.networks.bundled import bundled_model
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.statistics import mean_and_deviation
from napari_mpseg.training.presets import PRESETS
from napari_mpseg.training.session import prepare_session
from napari_mpseg.training.settings import PatchSettings, TrainSettings
from napari_mpseg.training.train import prepare_training

QUICK = PRESETS["painted-from-scratch"].changed(
    network="quarter-multiresunet",
    epochs=3,
    batch=2,
    network_options={},
    **{"patches.size": 32, "patches.per_epoch": 6},
)


@pytest.fixture
def picture(rng):
    """An RGB image of bright squares, 96 x 96, and where they are."""
    truth = np.zeros((96, 96), np.uint8)
    for y in range(8, 80, 24):
        for x in range(8, 80, 24):
            truth[y : y + 9, x : x + 9] = 1
    image = np.where(truth[..., None], 200, 40) + rng.normal(0, 6, (96, 96, 3))
    return image.clip(0, 255).astype(np.uint8), truth


@pytest.fixture
def scribbles(picture):
    """Strokes on two squares (2) and two on the background (1)."""
    painted = np.zeros(picture[1].shape, np.uint8)
    painted[10:15, 10:15] = 2
    painted[34:39, 58:63] = 2
    painted[20:23, 5:90] = 1
    painted[60:90, 46:50] = 1
    return painted


def weights(model):
    return model.network.state_dict()


def same(one, other):
    return all(torch.equal(weights(one)[name], weights(other)[name]) for name in weights(one))


def test_a_dense_mask_gives_a_model_that_segments(picture, tmp_path):
    image, truth = picture
    model = mp.train([(image, truth)], QUICK, painted="dense", name="mine")
    model.save(tmp_path / "mine")
    result = mp.segment(image, tmp_path / "mine")
    assert result.probability.shape == truth.shape
    assert model.card.name == "mine"
    assert model.card.training["patches"]["size"] == 32
    assert model.card.training["epochs_done"] == 3
    assert model.card.training["data"][0]["shape"] == [96, 96, 3]


@pytest.mark.slow
def test_scribbles_teach_the_rest_of_the_image(picture, scribbles):
    image, truth = picture
    preset = QUICK.changed(epochs=12, **{"patches.per_epoch": 20})
    model = mp.train([(image, scribbles)], preset, painted="scribbles")
    found = np.asarray(mp.segment(image, mp.NetworkMethod(model), threshold=0.5).labels[...]) > 0
    assert (found & (truth > 0)).sum() / (found | (truth > 0)).sum() > 0.5  # all particle: 0.08


def test_unpainted_pixels_never_enter_the_loss(picture, scribbles):
    """Whatever the mask says where nothing was painted, the same model comes out."""
    pair = LabelledImage("a", picture[0], scribbles == 2, scribbles > 0)
    models = []
    for flip in (False, True):
        session = prepare_session([pair], replace(QUICK.settings, validation=0.0, epochs=1))
        batches = list(session.training.sampler.epoch())
        assert all(0 < batch.known.mean() < 1 for batch in batches)
        if flip:
            batches = [replace(one, targets=np.where(one.known, one.targets, 1 - one.targets)) for one in batches]
        session.training.sampler.epoch = lambda batches=batches: iter(batches)
        models.append(session.run())
    assert same(*models)


def test_training_starts_from_the_bundled_network_and_leaves_it_alone(picture, scribbles):
    start = bundled_model()
    before = {name: value.clone() for name, value in weights(start).items()}
    preset = PRESETS["painted"].changed(epochs=1, **{"patches.per_epoch": 4, "optimiser.learning_rate": 1e-6})
    model = mp.train([(picture[0], scribbles)], preset, painted="scribbles", start=start)
    assert model.card.network == "half-multiresunet"
    assert model.card.training["started_from"] == "half-multiresunet-nile-red"
    close = [
        torch.allclose(weights(model)[name], before[name], atol=1e-3)
        for name in before
        if "bias" in name or "weight" in name
    ]
    assert all(close), "a tiny learning rate stays near where it started"
    assert all(torch.equal(value, before[name]) for name, value in weights(start).items()), "the start was changed"
    assert not all(torch.equal(value, before[name]) for name, value in weights(model).items())


def test_a_grey_image_trains_a_colour_network(picture, scribbles):
    preset = PRESETS["painted"].changed(epochs=1, **{"patches.per_epoch": 4})
    assert mp.train([(picture[0][..., 0], scribbles)], preset, painted="scribbles").card.in_channels == 3
    assert mp.train([(picture[0][..., 0], scribbles)], QUICK, painted="scribbles").card.in_channels == 1


def test_other_channels_than_the_network_takes_are_refused(picture, scribbles):
    image = mp.Image(np.repeat(picture[0], 2, 2)[..., :5], channels=tuple("abcde"))
    with pytest.raises(SettingsError, match="5 channels, the network takes 3"):
        mp.train([(image, scribbles)], "painted", painted="scribbles")


def test_training_goes_on_from_a_model_without_losing_it(picture, scribbles, tmp_path):
    first = mp.train([(picture[0], scribbles)], QUICK, painted="scribbles")
    first.save(tmp_path / "first")
    slow = QUICK.changed(epochs=1, **{"optimiser.learning_rate": 1e-7})
    again = mp.train([(picture[0], scribbles)], slow, painted="scribbles", start=tmp_path / "first")
    for name, value in weights(first).items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(weights(again)[name], value, atol=1e-4, rtol=0)


def test_a_cancel_returns_what_was_learnt(picture, scribbles):
    cancel = CancelToken()
    model = mp.train(
        [(picture[0], scribbles)],
        QUICK,
        painted="scribbles",
        on_event=lambda event: cancel.cancel() if event.step == 2 else None,
        control=cancel,
    )
    assert model.card.training["steps_done"] == 2


def test_a_killed_run_goes_on_and_ends_the_same(picture, scribbles, tmp_path):
    pairs = [(picture[0], scribbles)]
    whole = mp.train(pairs, QUICK, painted="scribbles")

    class Killed(BaseException):
        pass

    def kill(event):
        if event.epoch == 3 and not event.ended:
            raise Killed

    with pytest.raises(Killed):
        mp.train(pairs, QUICK, painted="scribbles", checkpoint=tmp_path / "run", on_event=kill)
    session = prepare_training(pairs, QUICK, painted="scribbles", checkpoint=tmp_path / "run")
    assert session.resumed == 2
    assert same(session.run(), whole)


def test_painting_on_does_not_continue_another_run(picture, scribbles, tmp_path):
    mp.train([(picture[0], scribbles)], QUICK, painted="scribbles", checkpoint=tmp_path / "run")
    more = scribbles.copy()
    more[80:84, 80:84] = 2
    with pytest.raises(SettingsError, match="labels_sha256"):
        mp.train([(picture[0], more)], QUICK, painted="scribbles", checkpoint=tmp_path / "run")


def test_of_a_large_image_all_is_looked_at_once_and_then_only_what_is_painted(picture, scribbles):
    """Once, some rows at a time, for the digest that tells the image."""
    image = np.full((2000, 4000, 3), 40, np.uint8)
    image[:96, :96] = picture[0]
    seen = []

    class Far:
        shape, ndim = image.shape, 3

        def __getitem__(self, where):
            part = image[where]
            seen.append((where[0].start, where[0].stop, where[1].stop, part.nbytes))
            return part

    painted = np.zeros(image.shape[:2], np.uint8)
    painted[:96, :96] = scribbles
    pair = LabelledImage("large", Far(), painted == 2, painted > 0)
    session = prepare_session([pair], replace(QUICK.settings, validation=0.0))
    assert sum(one[3] for one in seen) == image.nbytes
    assert max(one[3] for one in seen) <= 2**22 * 3
    del seen[:]
    for _ in session.training.sampler.epoch():
        pass
    assert seen
    assert max(max(stop, right) for _, stop, right, _ in seen) <= 160


def test_images_are_scaled_as_the_start_model_has_learnt_to_see_them(picture, scribbles):
    first = mp.train([(picture[0], scribbles)], QUICK.changed(epochs=1), painted="scribbles")
    fixed = Normalisation("fixed", scale=1000.0)
    start = mp.Model(first.network, replace(first.card, normalisation=fixed))
    deep = picture[0].astype(np.uint16) * 4
    again = mp.train([(deep, scribbles)], QUICK.changed(epochs=1), painted="scribbles", start=start)
    assert again.card.normalisation == fixed


@pytest.mark.parametrize("stop", ["error", "cancel", "memory"])
def test_painted_labels_survive_everything(picture, scribbles, stop, monkeypatch):
    image, before = picture[0], scribbles.copy()
    cancel = CancelToken()

    def break_it(event):
        if stop == "cancel":
            cancel.cancel()
        elif stop == "memory":
            raise MemoryError
        else:
            raise RuntimeError("broken")

    try:
        mp.train([(image, scribbles)], QUICK, painted="scribbles", on_event=break_it, control=cancel)
    except (RuntimeError, MemoryError, MpsegError):
        assert stop != "cancel"
    np.testing.assert_array_equal(scribbles, before)
    scribbles[0, 0] = 2  # and can be painted on


def test_pixel_size_goes_into_the_card(picture, scribbles):
    image = mp.open_image(picture[0], calibration=Calibration((2.5, 2.5), "um"))
    preset = QUICK.changed(epochs=1, **{"patches.per_epoch": 2})
    assert mp.train([(image, scribbles)], preset, painted="scribbles").card.pixel_size_um == pytest.approx(2.5)
    assert mp.train([(picture[0], scribbles)], preset, painted="scribbles").card.pixel_size_um is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p * 0, "painted"),
        (lambda p: np.where(p == 1, 0, p), "background"),
        (lambda p: np.where(p == 2, 0, p), "particle"),
        (lambda p: p[:50], "50"),
    ],
)
def test_wrong_pairings_are_said_before_training(picture, scribbles, change, message, monkeypatch):
    monkeypatch.setattr("napari_mpseg.training.run.loop.Training.run", lambda *_, **__: pytest.fail("it trained"))
    with pytest.raises(SettingsError, match=message):
        mp.train([(picture[0], change(scribbles))], QUICK, painted="scribbles")


@pytest.mark.parametrize("pairs", [[], [np.zeros((4, 4))]])
def test_nothing_to_learn_from(pairs):
    with pytest.raises(SettingsError):
        mp.train(pairs, QUICK)


def test_too_little_paint_to_validate_is_said(picture):
    painted = np.zeros((96, 96), np.uint8)
    painted[10:12, 10:12] = 2
    painted[40:42, 40:42] = 1
    session = prepare_training([(picture[0], painted)], QUICK, painted="scribbles")
    assert any("validation" in note for note in session.notes)
    assert not session.training.validation


def test_patches_must_fit_the_network(picture):
    settings = TrainSettings(network="half-multiresunet", patches=PatchSettings(size=30))
    with pytest.raises(SettingsError, match="multiple of 4"):
        prepare_session([LabelledImage("a", picture[0], picture[1] > 0)], settings)


def test_mean_and_deviation_of_all_pixels(rng):
    images = [rng.integers(0, 255, (1500, 6, 2), np.uint8), rng.integers(0, 90, (5, 4, 2), np.uint8)]
    pixels = np.concatenate([image.reshape(-1, 2) for image in images]) / 255
    pairs = [LabelledImage(str(n), image, np.zeros(image.shape[:2], bool)) for n, image in enumerate(images)]
    mean, deviation = mean_and_deviation(pairs)
    np.testing.assert_allclose(mean, pixels.mean(0))
    np.testing.assert_allclose(deviation, pixels.std(0))


def test_standardised_inputs_travel_with_the_weights(picture, tmp_path):
    image, truth = picture
    model = mp.train([(image, truth)], QUICK.changed(standardise=True, epochs=1))
    model.save(tmp_path / "m")
    again = mp.load_model(tmp_path / "m")
    probe = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(model.network(probe), again.network(probe), rtol=1e-4, atol=1e-4)
        mean = torch.tensor(image.reshape(-1, 3).mean(0) / 255, dtype=torch.float32)
    np.testing.assert_allclose(again.network.mean.flatten(), mean, rtol=1e-4)
    assert json.loads((tmp_path / "m" / "card.json").read_text())["options"]["standardise"] is True


def test_what_the_start_decides_is_said(picture, scribbles):
    pairs = [(picture[0], scribbles)]
    assert not prepare_training(pairs, "painted", painted="scribbles").notes
    preset = PRESETS["painted"].changed(network="unet", shrink=2)
    (note,) = prepare_training(pairs, preset, painted="scribbles").notes
    assert "keeps network half-multiresunet, shrink 1" in note
    assert "scratch" in note


def test_another_start_or_image_does_not_continue_a_run(picture, scribbles, tmp_path):
    one = QUICK.changed(epochs=1)
    mp.train([(picture[0], scribbles)], one, painted="scribbles", checkpoint=tmp_path / "run")
    with pytest.raises(SettingsError, match="image_sha256"):
        prepare_training([(255 - picture[0], scribbles)], one, painted="scribbles", checkpoint=tmp_path / "run")
    start = mp.train([(picture[0], scribbles)], one, painted="scribbles")
    with pytest.raises(SettingsError, match=r"data\.start"):
        prepare_training([(picture[0], scribbles)], one, painted="scribbles", start=start, checkpoint=tmp_path / "run")


def test_particles_lost_by_shrinking_are_said(picture):
    painted = np.zeros((96, 96), np.uint8)
    painted[10, 10] = 2
    painted[10, 11:40] = painted[40:60, 20:40] = 1
    with pytest.raises(SettingsError, match="shrink = 4"):
        prepare_training([(picture[0], painted)], "painted-large", painted="scribbles")


def test_options_do_not_outlive_their_network_or_loss():
    changed = PRESETS["painted"].changed(network="smp-unet", loss="dice")
    assert changed.settings.network_options == changed.settings.loss_options == {}
    assert changed.source.endswith("changed")
