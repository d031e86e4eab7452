"""The kernel answers as scikit-learn does, and takes nothing that is no tree."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from napari_mpseg.errors import ModelError
from napari_mpseg.methods.forest.trees import checked_trees, trees_of


def grown(values, classes, **options):
    return RandomForestClassifier(15, random_state=0, **options).fit(values, classes)


@pytest.mark.parametrize("options", [{}, {"max_depth": 3}, {"min_samples_leaf": 5}, {"max_depth": 1}])
@pytest.mark.parametrize("pixels", [1, 1023, 2500])
def test_probabilities_equal_scikit_learns(rng, options, pixels):
    values = rng.normal(size=(600, 9)).astype(np.float32)
    classes = (values[:, 0] + values[:, 3] ** 2 + rng.normal(size=600) > 1).astype(np.int8)
    forest = grown(values, classes, **options)
    asked = rng.normal(size=(pixels, 9)).astype(np.float32)
    trees = checked_trees(trees_of(forest).to_arrays(), 9)
    np.testing.assert_allclose(trees.probability(asked.T), forest.predict_proba(asked)[:, 1], atol=1e-6)


def test_thresholds_between_neighbouring_floats_are_kept(rng):
    ladder = np.float32(1) + np.arange(40, dtype=np.float32) * np.finfo(np.float32).eps
    values = rng.choice(ladder, (300, 1))
    classes = (np.searchsorted(ladder, values[:, 0]) % 2).astype(np.int8)
    forest = grown(values, classes)
    found = trees_of(forest).probability(ladder[None])
    np.testing.assert_allclose(found, forest.predict_proba(ladder[:, None])[:, 1], atol=1e-6)


def test_a_forest_of_one_class_is_sure():
    values = np.zeros((10, 2), np.float32)
    assert trees_of(grown(values, np.ones(10, np.int8))).probability(values.T).tolist() == [1.0] * 10
    assert trees_of(grown(values, np.zeros(10, np.int8))).probability(values.T).tolist() == [0.0] * 10


def test_the_shape_of_the_planes_is_kept(forest):
    assert forest.trees.probability(np.zeros((24, 5, 7), np.float32)).shape == (5, 7)


def _changed(name, place, value):
    def change(arrays):
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _changed("left", 0, 10**6),
        _changed("left", 1, -5),
        _changed("left", 2, 1),
        _changed("roots", 0, -1),
        _changed("roots", 0, 10**6),
        _changed("feature", 0, 24),
        _changed("feature", 0, -1),
        _changed("share", 0, 2),
        _changed("share", 0, np.nan),
        _changed("threshold", 0, np.nan),
        lambda arrays: arrays.pop("share"),
        lambda arrays: arrays.update(left=arrays["left"].astype(np.int64)),
        lambda arrays: arrays.update(share=arrays["share"][:-1]),
        lambda arrays: arrays.update(roots=arrays["roots"][:0]),
        lambda arrays: arrays.update(roots=arrays["roots"][None]),
    ],
)
def test_arrays_that_lead_nowhere_are_refused(forest, change):
    arrays = forest.trees.to_arrays()
    assert checked_trees(dict(arrays), 24)
    change(arrays)
    with pytest.raises(ModelError):
        checked_trees(arrays, 24)
