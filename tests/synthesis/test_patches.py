"""Synthetic training patches."""

import subprocess
import sys

import numpy as np
import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis import training_pairs


def test_pairs_are_seeded_and_each_has_a_look_of_its_own():
    pairs, again = list(training_pairs(1, 12)), list(training_pairs(1, 12))
    for (image, mask), (image_again, mask_again) in zip(pairs, again, strict=True):
        assert image.shape == (256, 256, 3)
        assert image.dtype == np.uint8
        assert mask.shape == (256, 256)
        assert mask.dtype == bool
        np.testing.assert_array_equal(image, image_again)
        np.testing.assert_array_equal(mask, mask_again)
    levels = [np.median(image[..., 0]) for image, _ in pairs]
    assert max(levels) > 2 * min(levels)
    assert sum(mask.any() for _, mask in pairs) >= 6
    assert all(mask.mean() < 0.2 for _, mask in pairs)


def test_other_sizes_and_seeds():
    (first, mask), (second, _) = next(training_pairs(1, 1, 100)), next(training_pairs(2, 1, 100))
    assert first.shape == (100, 100, 3)
    assert mask.shape == (100, 100)
    assert (first != second).any()
    assert list(training_pairs(1, 0)) == []


def test_impossible_sizes_are_refused():
    with pytest.raises(SettingsError, match="8"):
        next(training_pairs(1, 1, 8))


def test_the_package_imports_nothing_heavy():
    code = (
        "import sys, napari_mpseg.synthesis, napari_mpseg.evaluation; "
        "print([m for m in ('numpy', 'scipy', 'dask', 'torch', 'napari') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
