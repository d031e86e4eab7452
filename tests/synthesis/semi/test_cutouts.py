"""Particles are cut out whole, with their own pixels, and a library gives the same ones back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_mpseg.errors import ImageError, SettingsError, StoreError
from napari_mpseg.synthesis.semi import Cutout, CutoutSettings, cut_out, load_cutouts, save_cutouts
from napari_mpseg.training.data.pairs import LabelledImage


def test_each_instance_is_a_cutout_with_its_own_pixels(field):
    found = cut_out([field])
    assert [one.area for one in found] == [int((field.instances == number).sum()) for number in (1, 2, 3)]
    assert [one.source for one in found] == ["field 1", "field 2", "field 3"]
    for number, one in enumerate(found, 1):
        np.testing.assert_array_equal(one.pixels[one.mask], field.image[field.instances == number])


def test_a_mask_is_cut_into_connected_pieces(field):
    by_mask = cut_out([replace(field, instances=None)])
    one_number = cut_out([replace(field, instances=field.mask * np.int32(255))])
    for found in (by_mask, one_number):
        assert sorted(one.area for one in found) == sorted(one.area for one in cut_out([field]))


def test_touching_particles_are_two_cutouts_and_neither_shows_the_other():
    labels = np.zeros((30, 30), np.int32)
    labels[10:20, 5:15], labels[10:20, 15:25] = 1, 2
    image = np.full((30, 30, 1), 10, np.uint8)
    image[labels == 1], image[labels == 2] = 100, 200
    left, right = cut_out([LabelledImage("two", image, labels > 0, None, labels)])
    assert left.area == right.area == 100
    assert set(np.unique(left.pixels)) == {10, 100}
    assert set(np.unique(right.pixels)) == {10, 200}


def test_only_whole_and_large_enough_particles_are_taken():
    labels = np.zeros((40, 40), np.int32)
    labels[0:6, 10:16], labels[20:26, 20:26], labels[30, 30] = 1, 2, 3  # at the border, inside, a single pixel
    pair = LabelledImage("a", np.zeros((40, 40, 1), np.uint8), labels > 0, None, labels)
    assert [one.source for one in cut_out([pair])] == ["a 2"]
    every = cut_out([pair], CutoutSettings(whole=False, least_pixels=1))
    assert [(one.source, one.area) for one in every] == [("a 1", 36), ("a 2", 36), ("a 3", 1)]


def test_what_was_not_painted_is_no_particle(field):
    known = np.zeros(field.mask.shape, bool)
    known[:, :90] = True
    assert len(cut_out([replace(field, known=known)])) == 2


def test_a_soft_cutout_has_the_same_truth(field):
    hard, soft = cut_out([field]), cut_out([field], CutoutSettings(soft=1.5))
    assert [one.area for one in hard] == [one.area for one in soft]
    assert all(((one.alpha > 0) & (one.alpha < 1)).any() for one in soft)


def test_a_straight_soft_edge_is_the_normal_distribution():
    from scipy.special import erf

    labels = np.zeros((60, 60), np.int32)
    labels[15:45, 15:45] = 1
    pair = LabelledImage("a", np.zeros((60, 60, 1), np.uint8), labels > 0, None, labels)
    (one,) = cut_out([pair], CutoutSettings(soft=2.0))
    middle = one.alpha[one.alpha.shape[0] // 2]
    edge = np.flatnonzero(middle >= 0.5)[0]
    at = np.arange(edge - 5, edge + 5)
    expected = 0.5 * (1 + erf((at - (edge - 0.5)) / (2.0 * np.sqrt(2))))
    np.testing.assert_allclose(middle[at], expected, atol=0.01)


def test_nothing_to_cut_out_says_what_to_do():
    empty = LabelledImage("a", np.zeros((20, 20, 1), np.uint8), np.zeros((20, 20), bool))
    with pytest.raises(
        ImageError, match="The labelled image holds no particle of 3 px or more that the border does not cut"
    ):
        cut_out([empty])
    with pytest.raises(SettingsError, match="1 or more"):
        CutoutSettings(least_pixels=0)


@pytest.mark.parametrize("kind", ["rgb", "grey", "float", "five channels", "soft"])
def test_a_library_gives_the_same_cutouts_back(tmp_path, field, rng, kind):
    if kind != "rgb" and kind != "soft":
        channels = {"grey": 1, "float": 3, "five channels": 5}[kind]
        pixels = rng.uniform(0, 255, (*field.mask.shape, channels))
        field = replace(field, image=pixels.astype(np.float32 if kind == "float" else np.uint8))
    cutouts = cut_out([field], CutoutSettings(soft=1.0 if kind == "soft" else 0.0))
    folder = save_cutouts(cutouts, tmp_path / "library")
    again = load_cutouts(folder)
    assert len(again) == 3
    for old, new in zip(cutouts, again, strict=True):
        assert new.pixels.dtype == old.pixels.dtype
        np.testing.assert_array_equal(new.pixels, old.pixels)
        np.testing.assert_array_equal(new.alpha, old.alpha)
        assert new.source == old.source


def test_a_deleted_picture_is_no_cutout_any_more(tmp_path, field):
    folder = save_cutouts(cut_out([field]), tmp_path / "library")
    (folder / "00002.png").unlink()
    assert [one.source for one in load_cutouts(folder)] == ["field 1", "field 3"]


def test_a_library_is_neither_replaced_nor_read_damaged(tmp_path, field):
    cutouts = cut_out([field])
    folder = save_cutouts(cutouts, tmp_path / "library")
    with pytest.raises(StoreError, match="already there"):
        save_cutouts(cutouts, folder)
    (folder / "00001.png").write_bytes(b"not a picture")
    with pytest.raises(ImageError, match=r"00001\.png is not a readable cutout"):
        load_cutouts(folder)
    with pytest.raises(ImageError, match="holds no cutouts"):
        load_cutouts(tmp_path)


def test_a_library_never_runs_code_of_its_files(tmp_path, field):
    folder = save_cutouts(cut_out([field]), tmp_path / "library")
    np.savez(folder / "00004.npz", pixels=np.array([{"a": 1}], object), alpha=np.ones((1, 1)))
    with pytest.raises(ImageError, match="not a readable cutout"):
        load_cutouts(folder)
    record = json.loads((folder / "cutouts.json").read_text())
    assert record["cutouts"][0] == {"file": "00001.png", "source": "field 1", "area": 81}


def test_cutouts_of_real_filters_keep_the_experts_pixels(shared_data):
    from napari_mpseg.training.data.pairs import load_folder

    pairs = load_folder(shared_data / "mpnet" / "fold_2", 0)
    every = cut_out(pairs, CutoutSettings(whole=False, least_pixels=1))
    assert sum(one.area for one in every) == sum(int(pair.mask.sum()) for pair in pairs)
    assert isinstance(every[0], Cutout)
