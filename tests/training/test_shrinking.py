"""Training on images seen smaller."""

import numpy as np
import pytest

import napari_mpseg as mp
from napari_mpseg.errors import SettingsError
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.shrinking import shrunk_pair
from napari_mpseg.training.presets import PRESETS


def test_blocks_are_particle_where_most_known_pixels_are():
    image = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6, 1)
    mask = np.zeros((4, 6), bool)
    known = np.zeros((4, 6), bool)
    known[:2, :2] = True
    mask[:2, 0] = mask[0, 1] = True  # three of four
    known[0, 4] = True  # one known pixel, background
    mask[2:, 2:4] = True  # but unknown
    small = shrunk_pair(LabelledImage("a", image, mask, known), 2)
    np.testing.assert_array_equal(small.mask, [[True, False, False], [False, False, False]])
    np.testing.assert_array_equal(small.known, [[True, False, True], [False, False, False]])
    assert small.image.shape == (2, 3, 1)
    assert small.image[0:1, 0:1].item() == pytest.approx((0 + 1 + 6 + 7) / 4)
    np.testing.assert_allclose(small.image[:, :][..., 0], [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])


def test_odd_sizes_repeat_their_edge():
    pair = shrunk_pair(LabelledImage("a", np.full((5, 7, 3), 9, np.uint8), np.ones((5, 7), bool)), 4)
    assert pair.image.shape == (2, 2, 3)
    assert (pair.image[:, :] == 9).all()
    assert pair.known is None


def test_the_model_remembers_how_small_it_sees(rng, tmp_path):
    truth = np.zeros((160, 160), np.uint8)
    truth[40:100, 40:100] = 1
    image = (truth * 150 + rng.integers(0, 40, truth.shape)).astype(np.uint8)
    preset = PRESETS["painted-large"].changed(epochs=2, network="quarter-multiresunet", network_options={})
    model = mp.train([(image, truth)], preset)
    model.save(tmp_path / "m")
    assert mp.load_model(tmp_path / "m").card.shrink == 4
    again = mp.train([(image, truth)], PRESETS["painted"].changed(epochs=1), start=tmp_path / "m")
    assert again.card.shrink == 4
    result = mp.segment(image, tmp_path / "m", measure=False)
    assert result.probability.shape == (160, 160)


def test_an_image_of_another_pixel_size_is_warned_about_and_rescaled(rng, tmp_path):
    from napari_mpseg.calibration import Calibration

    truth = np.zeros((96, 96), np.uint8)
    truth[20:60, 20:60] = 1
    image = (truth * 150 + rng.integers(0, 40, truth.shape)).astype(np.uint8)
    preset = PRESETS["painted-from-scratch"].changed(epochs=1, network="quarter-multiresunet", network_options={})
    preset = preset.changed(**{"patches.size": 32, "patches.per_epoch": 4})
    model = mp.train([(mp.open_image(image, calibration=Calibration((2.0, 2.0), "um")), truth)], preset)
    model.save(tmp_path / "m")
    finer = mp.open_image(image.repeat(2, 0).repeat(2, 1), calibration=Calibration((1.0, 1.0), "um"))
    plain = mp.segment(finer, tmp_path / "m", measure=False)
    assert any("rescale" in note for note in plain.notes)
    rescaled = mp.segment(finer, tmp_path / "m", rescale=True, measure=False)
    assert any("2 times smaller" in note for note in rescaled.notes)
    original = mp.segment(image, tmp_path / "m", measure=False)
    middle = np.asarray(rescaled.probability[...]).astype(float).reshape(96, 2, 96, 2).mean((1, 3))
    np.testing.assert_allclose(middle, np.asarray(original.probability[...]), atol=12)
    assert rescaled.provenance["settings"]["options"]["rescale"] is True
    with pytest.raises(SettingsError, match="for networks"):
        mp.segment(image, "fixed-level", rescale=True)
