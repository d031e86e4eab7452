"""That the benchmark of touching particles is fair: nothing held out is learnt from, and counts are right."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from napari_mpseg.training.run.objects import object_counts

FILE = Path(__file__).resolve().parents[1] / "benchmarks" / "instances.py"


@pytest.fixture
def instances(monkeypatch):
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):  # which the script sets for itself, and would stay set
        monkeypatch.setenv(name, "1")
    spec = importlib.util.spec_from_file_location("instances_benchmark", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def samples(instances, rng):
    """Twenty images of nine samples, each with some particles."""
    made = []
    for number in range(20):
        labels = np.zeros((8, 12), np.int32)
        labels[::2, ::3] = rng.permutation(16).reshape(4, 4) * (rng.random((4, 4)) < 0.5)
        made.append(instances.Sample(f"image {number}", f"sample {number % 9}", np.zeros((8, 12, 1)), labels))
    return made


@pytest.mark.parametrize("parts", [1, 3])
def test_no_sample_is_on_two_sides(instances, samples, parts, tmp_path):
    held_out = []
    for fold in range(instances.FOLDS):
        known, held = instances.held_out(samples, fold)
        held_out += [one.name for one in held]
        rounds = instances.rounds_of(samples, fold, parts, tmp_path)
        assert len({one.place for one in rounds}) == len(rounds) == (1 if parts == 1 else parts + 1)
        for one in rounds:
            groups = [{sample.group for sample in side} for side in (one.learning, one.choosing, held)]
            assert not groups[0] & groups[1]
            assert not (groups[0] | groups[1]) & groups[2]
        chose = [sample.name for one in rounds for sample in one.choosing]
        if parts == 1:
            assert len(chose) + len(rounds[0].learning) == len(known)
        else:
            assert sorted(chose) == sorted(one.name for one in known)
            assert {one.name for one in rounds[-1].learning} == {one.name for one in known}
    assert sorted(held_out) == sorted(sample.name for sample in samples)


def test_particles_left_out_by_size_or_confidence_change_no_other(instances, rng):
    from scipy import ndimage

    def blobs(level):
        return ndimage.label(ndimage.gaussian_filter(rng.random((50, 60)), 2) > level)[0]

    for _ in range(20):
        truth, probability = blobs(0.5), ndimage.gaussian_filter(rng.random((50, 60)), 1)
        found = np.where(rng.random() < 0.5, np.roll(truth, rng.integers(0, 3), 0), blobs(0.5)) * 3
        known = instances.compared([(found, probability)], [instances.Sample("a", "a", truth, truth)])
        areas, sums = np.bincount(found.ravel()), np.bincount(found.ravel(), probability.ravel())
        for least, sure in ((0, 0.0), (12, 0.0), (0, 0.5), (6, 0.495)):
            left = np.where(((areas >= least) & (sums >= sure * areas))[found], found, 0)
            assert known.counts(least, sure) == object_counts(truth, left)


def test_a_least_size_leaves_out_a_fifth_of_the_learnt_particles_at_most(instances):
    labels = np.repeat(np.arange(101), np.arange(101))[None].astype(np.int32)  # particles of 1 to 100 pixels
    sizes = instances.sizes_of([instances.Sample("a", "a", labels, labels)])
    assert [int((np.arange(1, 101) < size).sum()) for size in sizes] == [0, 1, 5, 10, 20]


def test_all_networks_with_and_without_heads_learn_the_same_way(instances):
    for data_set in instances.SETS:
        recipes = [instances.recipe(way, data_set).changed(head="mask").settings for way in (*instances.HEADS, "mask")]
        assert all(recipe == recipes[0] for recipe in recipes)
        steps = {instances.steps_of(way, data_set, None) for way in (*instances.SHARED, *instances.HEADS)}
        assert steps == {instances.STEPS[data_set]}


def test_tables_add_up_over_folds(instances):
    row = {"set": "mira", "way": "components", "steps": 5, "training_seconds": 2.0, "seconds_per_megapixel": 1.0}
    rows = [
        {**row, "fold": 0, "matched": 3, "true": 10, "found": 5, "f1": 0.4, "chosen": {"f1": 0.5}, "networks": [0.4]},
        {
            **row,
            "fold": 1,
            "matched": 9,
            "true": 10,
            "found": 11,
            "f1": 0.8571,
            "chosen": {"f1": 0.9},
            "networks": [0.9, 0.8],
        },
    ]
    table = instances.table(rows)
    assert "| 2 | 3 | 0.667 | 0.750 | 0.600 |" in table  # 2 * 12 / (20 + 16), 12 / 16, 12 / 20
    assert "| 0.400 | 0.857 (0.80 to 0.90) |" in table
    assert "| 0.500 | 0.900 |" in table
