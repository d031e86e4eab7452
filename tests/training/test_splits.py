"""Groups are balanced, complete and repeatable, and what belongs together stays together."""

import itertools

import numpy as np
import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.patches.splits import balanced_groups, fold_splits, imbalance, share_split


def sums(totals, groups):
    return [sum(totals[index] for index in group) for group in groups]


def test_groups_of_known_totals_are_balanced_perfectly():
    groups = balanced_groups([8, 7, 6, 5, 4, 3, 2, 1], 2)
    assert sums([8, 7, 6, 5, 4, 3, 2, 1], groups) == [18, 18]
    assert imbalance([8, 7, 6, 5, 4, 3, 2, 1], groups) == 0


def test_imbalance_is_the_largest_distance_from_the_mean():
    assert imbalance([1, 3, 2], [[0], [1], [2]]) == pytest.approx(0.5)
    assert imbalance([0, 0], [[0], [1]]) == 0


@pytest.mark.parametrize("count", [2, 4, 5])
def test_groups_hold_every_image_once_and_differ_by_one_image_at_most(rng, count):
    totals = rng.integers(1, 5000, 99).tolist()
    groups = balanced_groups(totals, count, seed=3)
    assert sorted(index for group in groups for index in group) == list(range(99))
    parts = sums(totals, groups)
    # the bound of giving each image to the smallest group
    assert max(parts) - min(parts) <= max(totals)
    assert imbalance(totals, groups) < 0.01
    assert imbalance(totals, groups) == pytest.approx(np.abs(np.array(parts) / np.mean(parts) - 1).max())


def test_images_without_particles_are_dealt_out_too():
    totals = [100, 90, 80, 70] + [0] * 40
    groups = balanced_groups(totals, 4)
    assert sorted(len(group) for group in groups) == [11, 11, 11, 11]


def test_groups_repeat_by_seed():
    totals = [5] * 20
    assert balanced_groups(totals, 4, 1) == balanced_groups(totals, 4, 1)
    assert balanced_groups(totals, 4, 1) != balanced_groups(totals, 4, 2)


def test_what_belongs_together_stays_together(rng):
    keys = [f"sample {k}" for k in rng.integers(0, 12, 60)]
    totals = rng.integers(0, 100, 60).tolist()
    for parts in (balanced_groups(totals, 4, 0, keys), share_split(totals, seed=0, keys=keys)):
        seen = [{keys[index] for index in part} for part in parts]
        assert sum(len(one) for one in seen) == len(set(keys))
        assert sorted(index for part in parts for index in part) == list(range(60))


def test_too_few_images_are_refused():
    with pytest.raises(SettingsError, match="3 images cannot be divided into 4"):
        balanced_groups([1, 2, 3], 4)
    with pytest.raises(SettingsError, match="belong together"):
        balanced_groups([1, 2, 3], 2, keys=["a", "a", "a"])
    with pytest.raises(SettingsError, match="too few for 3"):
        share_split(2)
    with pytest.raises(SettingsError, match="as many keys"):
        balanced_groups([1, 2], 1, keys=["a"])
    for shares in ((0.5, 0.2, 0.2), (1.2, -0.2, 0.0)):
        with pytest.raises(SettingsError, match="add up to 1"):
            share_split(10, shares)


def test_shares_of_a_hundred_images_are_the_published_ones():
    parts = share_split(100)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (72, 8, 20)
    assert sorted(parts.train + parts.validation + parts.test) == list(range(100))
    assert share_split(100, seed=1) != parts
    assert share_split(100) == parts


def test_shares_of_particle_pixels(rng):
    totals = rng.gamma(1, 1000, 200)
    parts = share_split(totals)
    shares = np.array(sums(totals, parts)) / totals.sum()
    np.testing.assert_allclose(shares, [0.72, 0.08, 0.20], atol=totals.max() / totals.sum())


def test_every_part_gets_an_image_and_a_part_of_no_share_none():
    parts = share_split(5)
    assert min(len(part) for part in parts) == 1
    parts = share_split([5, 5, 5, 0, 0], (0.8, 0.2, 0.0))
    assert parts.test == []
    assert sorted(parts.train + parts.validation) == [0, 1, 2, 3, 4]


def test_images_without_particles_are_shared_out_by_number():
    parts = share_split([10] * 50 + [0] * 100)
    bare = [sum(index >= 50 for index in part) for part in parts]
    assert bare == [72, 8, 20]
    assert [len(part) for part in share_split([0] * 100)] == [72, 8, 20]


def test_folds_of_the_published_cross_validation():
    folds = fold_splits([7] * 100, folds=5, validation=0.1)
    assert [tuple(map(len, fold)) for fold in folds] == [(72, 8, 20)] * 5
    assert sorted(index for fold in folds for index in fold.test) == list(range(100))
    for fold in folds:
        assert sorted(fold.train + fold.validation + fold.test) == list(range(100))
    keys = [k // 4 for k in range(100)]
    for fold in fold_splits([7] * 100, 5, 0.1, keys=keys):
        parts = [{keys[index] for index in part} for part in fold]
        assert not parts[0] & parts[1]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]


def least_imbalance(totals, count):
    """Return the best that any division gives, by trying all of them."""
    divisions = itertools.product(range(count), repeat=len(totals))
    return min(
        imbalance(totals, [[k for k, own in enumerate(division) if own == group] for group in range(count)])
        for division in divisions
    )


@pytest.mark.parametrize("count", [2, 3])
def test_balance_is_close_to_the_best_there_is(rng, count):
    """Beside every division of seven images; totals as uneven as particle pixels are."""
    worse = []
    for seed in range(10):
        totals = rng.gamma(1, 1000, 7).round().tolist()
        ours = imbalance(totals, balanced_groups(totals, count, seed))
        worse.append(ours - least_imbalance(totals, count))
    assert min(worse) >= -1e-12
    assert np.mean(worse) < 0.005
    assert max(worse) < 0.05


def test_groups_of_the_published_size_are_balanced():
    """99 images in five datasets, as in Baek et al. 2021, whose datasets had 19 or 20 each."""
    totals = np.random.default_rng(0).gamma(0.5, 20_000, 99).round().tolist()
    groups = balanced_groups(totals, 5)
    assert imbalance(totals, groups) < 0.001
    assert min(len(group) for group in groups) >= 15
