"""Forests learn what was painted, read no more than they need, and can be stopped."""

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

from napari_mpseg.errors import Cancelled, SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.methods.forest.sampling import FAR, NEAR, PARTICLE, draw_pixels
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.training import train_forest
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.data.pairs import LabelledImage


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.to_arrays().values(), other.to_arrays().values(), strict=True))


def pair(mask, known=None):
    return LabelledImage("made", np.zeros((*mask.shape, 1), np.uint8), mask, known)


def test_the_same_seed_gives_the_same_forest(picture, small, forest):
    assert same(train_forest([picture], settings=small).trees, forest.trees)
    assert not same(train_forest([picture], settings=replace(small, seed=1)).trees, forest.trees)


def test_however_many_trees_are_grown_at_once_they_are_the_same(picture, small, forest, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    assert same(train_forest([picture], settings=small).trees, forest.trees)


def test_the_card_tells_what_it_has_learnt_from(picture, forest):
    _, mask = picture
    card = forest.card
    assert (card.name, card.in_channels, card.threshold) == ("discs", 3, 0.5)
    assert card.training["pixels"]["particle"] == mask.sum()
    assert sum(card.training["pixels"].values()) == mask.size
    assert card.training["features"] == 3 * 2 * 4
    assert [len(one["image_sha256"]) for one in card.training["data"]] == [64]


def test_strokes_are_learnt_and_the_rest_is_not(picture, strokes, small):
    image, _ = picture
    trained = train_forest([(image, strokes)], painted="scribbles", settings=small)
    learnt = trained.card.training["pixels"]
    assert learnt["particle"] == (strokes == 2).sum()
    assert learnt["background near particles"] == (strokes == 1).sum()
    assert learnt["background far from particles"] == 0
    other = np.where(strokes == 1, 7, strokes)
    assert same(
        train_forest([(image, other)], painted="scribbles", background_label=7, settings=small).trees, trained.trees
    )


def test_of_large_images_only_what_lies_around_strokes_is_read(small):
    read = []

    def block(block_info=None):
        read.append(block_info[None]["chunk-location"])
        rng = np.random.default_rng(len(read))
        return rng.integers(0, 255, (256, 256), np.uint8)

    pixels = da.map_blocks(block, chunks=((256,) * 40, (256,) * 40), dtype=np.uint8, meta=np.empty((0, 0), np.uint8))
    labels = np.zeros(pixels.shape, np.uint8)
    labels[700:720, 1100:1120], labels[750:760, 1100:1120] = 1, 2
    train_forest([(Image(pixels), labels)], painted="scribbles", settings=small, remember=False)
    assert {place for place in read if place is not None} <= {(y, x) for y in (1, 2, 3) for x in (3, 4, 5)}


def test_wider_pixels_are_scaled(picture, small, forest):
    image, mask = picture
    wide = train_forest([(image.astype(np.uint16) * 257, mask)], settings=small)
    assert wide.card.normalisation.kind == "auto"
    # 255 * 257 is the full scale of 16 bit: the same image, but for rounding
    assert abs(len(wide.trees.left) - len(forest.trees.left)) <= 0.05 * len(forest.trees.left)


def test_strata_by_hand():
    mask = np.zeros((1200, 40), bool)
    mask[600, 20] = True  # its neighbourhood reaches over the border of a strip
    samples, weights = draw_pixels([pair(mask)], ForestSettings(max_background=2000), CancelToken())
    counts = np.bincount(samples[0].stratum, minlength=4)
    # the pixels at most 6 steps down, up, left or right of one: 2 * 6 * 7
    assert counts.tolist() == [0, 1, 84, 2000 - 84]
    assert weights == {PARTICLE: 1.0, NEAR: 1.0, FAR: 1.0}
    near = samples[0].stratum == NEAR
    assert (abs(samples[0].rows[near] - 600) + abs(samples[0].columns[near] - 20)).max() == 6
    places = samples[0].rows * 40 + samples[0].columns
    assert len(np.unique(places)) == len(places) == 2001


def test_what_is_thinned_out_counts_for_the_rest(rng):
    mask = np.zeros((600, 300), bool)
    mask[100:400, 100:200] = True
    settings = ForestSettings(max_background=1000, max_particle=3000)
    samples, weights = draw_pixels([pair(mask), pair(np.zeros((40, 40), bool))], settings, CancelToken())
    strata = np.concatenate([sample.stratum for sample in samples])
    assert np.bincount(strata, minlength=4).tolist() == [0, 3000, 500, 500]
    near = 2 * 6 * (300 + 100) + 4 * 15  # four sides, and at each corner the steps of 1 + 2 + 3 + 4 + 5
    assert weights[PARTICLE] == 10
    assert weights[NEAR] == near / 500
    assert weights[FAR] == 10  # not (180000 - 30000 - near + 1600) / 500
    assert mask[samples[0].rows, samples[0].columns].sum() == 3000


def test_nothing_painted_or_only_particles_is_refused(picture, small):
    image, mask = picture
    with pytest.raises(SettingsError, match="No particle"):
        train_forest([(image, np.zeros(mask.shape, np.uint8))], settings=small)
    with pytest.raises(SettingsError, match="background"):
        train_forest([(image, np.where(mask, 2, 0))], painted="scribbles", settings=small)
    with pytest.raises(SettingsError, match="nothing to learn"):
        train_forest([], settings=small)
    with pytest.raises(SettingsError, match="131 x 77"):
        train_forest([(image, mask[:50])], settings=small)
    with pytest.raises(SettingsError, match="pair"):
        train_forest([image], settings=small)


@pytest.mark.parametrize("stage", ["Computing features", "Growing trees"])
def test_it_can_be_stopped_at_any_stage(picture, small, stage):
    cancel = CancelToken()
    seen = []

    def watch(event):
        seen.append(event)
        if event.stage == stage and event.done:
            cancel.cancel()

    with pytest.raises(Cancelled):
        train_forest([picture], settings=small, on_progress=watch, cancel=cancel)
    assert seen[-1].stage == stage
    assert 0 < seen[-1].done <= seen[-1].total
