"""Synthetic SEM fields."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import SettingsError
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.synthesis import SemSettings, sem, synthetic_sem

SMALL = SemSettings(size=(400, 530), seed=4, coverage=0.3)
EIGHT = np.ones((3, 3))


@pytest.fixture(scope="module")
def small():
    made = synthetic_sem(SMALL)
    return made, made.image.data.compute(scheduler="synchronous"), made.labels.compute(scheduler="synchronous")


def test_a_grey_picture_in_nanometres(small):
    made, image, labels = small
    assert image.shape == labels.shape == (400, 530)
    assert image.dtype == np.uint8
    assert labels.dtype == np.int32
    assert made.image.calibration.unit == "nm"
    assert made.image.calibration.pixel_size == (5.0, 5.0)


@pytest.mark.parametrize("chunks", [(100, 333), 128])
def test_same_bytes_whatever_the_chunking(small, chunks):
    _, image, labels = small
    again = synthetic_sem(SMALL, chunks=chunks)
    np.testing.assert_array_equal(again.image.data.compute(), image)
    np.testing.assert_array_equal(again.labels.compute(), labels)


@pytest.mark.parametrize("change", [{}, {"coverage": 0.5, "clustering": 1.0}, {"median_diameter_nm": 22.0}])
def test_labels_are_dense_and_each_particle_is_one_piece(change):
    made = synthetic_sem(replace(SMALL, **change))
    labels = made.labels.compute()
    np.testing.assert_array_equal(np.unique(labels), np.arange(made.n_particles + 1))
    for label, where in enumerate(ndimage.find_objects(labels), 1):
        assert ndimage.label(labels[where] == label, EIGHT)[1] == 1


def test_the_default_field_holds_as_many_as_a_real_one_and_many_touch():
    made = synthetic_sem()
    labels = made.labels.compute()
    assert 400 <= made.n_particles <= 4000
    pieces = ndimage.label(labels > 0, EIGHT)[1]
    assert 0.3 * made.n_particles < pieces < 0.85 * made.n_particles


def test_particles_are_brighter_than_the_ground_and_brightest_at_the_rim(small):
    _, image, labels = small
    grey = image.astype(float)
    inside = labels > 0
    assert grey[inside].mean() > grey[~inside].mean() + 50
    depth = ndimage.distance_transform_edt(inside)
    large = np.isin(labels, np.flatnonzero(np.bincount(labels.ravel()) > 200)) & inside
    assert grey[large & (depth > 1) & (depth <= 2.5)].mean() > grey[large & (depth > 5)].mean() + 8


def test_coverage_is_about_what_was_asked_for():
    covered = (synthetic_sem(SemSettings(seed=1, coverage=0.2, clustering=0.0)).labels.compute() > 0).mean()
    assert covered == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("blur", [0.8, 4.0])
def test_blur_and_shadows_do_not_see_where_blocks_end(monkeypatch, blur):
    settings = SemSettings(size=(512, 256), seed=3, coverage=0.4, blur=blur, noise=0.0, shadow=1.0)
    usual = synthetic_sem(settings).image.data.compute()
    monkeypatch.setattr(sem, "_margin", lambda settings: 60)
    np.testing.assert_array_equal(synthetic_sem(settings).image.data.compute(), usual)


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (129, 257)])
def test_odd_sizes_work(size):
    made = synthetic_sem(SemSettings(size=size))
    assert made.image.data.compute().shape == size
    assert made.labels.compute().max() == made.n_particles


@pytest.mark.parametrize(
    "change",
    [{"coverage": 0.9}, {"clustering": -0.1}, {"pixel_size_nm": 0.0}, {"noise": -1.0}, {"median_diameter_nm": 0.0}],
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(SettingsError, match=str(next(iter(change.values())))):
        SemSettings(**change)


def test_settings_survive_json():
    assert from_dict(SemSettings, to_dict(SMALL)) == SMALL
