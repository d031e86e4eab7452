"""Synthetic filters: exact truth, equal bytes whatever the chunking, any size."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.synthesis.filters import FilterSettings, ShapeShare, synthetic_filter
from napari_mpseg.synthesis.look import LOOKS, FluorescenceLook

SMALL = FilterSettings(size=(700, 811), seed=7, density_per_mm2=60.0)
EIGHT = np.ones((3, 3))


@pytest.fixture(scope="module")
def small():
    made = synthetic_filter(SMALL)
    return made, made.image.data.compute(scheduler="synchronous"), made.labels.compute(scheduler="synchronous")


def test_arrays_are_lazy_calibrated_and_typed(small):
    made, image, labels = small
    assert image.shape == (700, 811, 3)
    assert image.dtype == np.uint8
    assert labels.shape == (700, 811)
    assert labels.dtype == np.int32
    assert made.image.calibration.pixel_size_um == pytest.approx(2.5)
    assert made.image.channels == ("red", "green", "blue")
    assert made.settings is SMALL


@pytest.mark.parametrize("chunks", [(100, 333), 256, (700, 64)])
def test_same_bytes_whatever_the_chunking(small, chunks):
    _, image, labels = small
    again = synthetic_filter(SMALL, chunks=chunks)
    np.testing.assert_array_equal(again.image.data.compute(), image)
    np.testing.assert_array_equal(again.labels.compute(), labels)


def test_a_window_alone_equals_the_same_part_of_the_whole(small):
    _, image, labels = small
    made = synthetic_filter(SMALL, chunks=(90, 90))
    np.testing.assert_array_equal(made.image.data[200:333, 411:600].compute(), image[200:333, 411:600])
    np.testing.assert_array_equal(made.labels[200:333, 411:600].compute(), labels[200:333, 411:600])


def test_another_seed_gives_another_filter(small):
    _, image, labels = small
    other = synthetic_filter(replace(SMALL, seed=8))
    assert (other.image.data.compute() != image).mean() > 0.3
    assert (other.labels.compute() != labels).any()


def test_labels_are_dense_and_each_particle_is_one_separate_piece(small):
    made, _, labels = small
    present = np.unique(labels)
    np.testing.assert_array_equal(present, np.arange(made.n_particles + 1))
    assert made.n_particles > 20
    assert ndimage.label(labels > 0, EIGHT)[1] == made.n_particles


@pytest.mark.parametrize("shape", ["bead", "fragment", "fibre", "film"])
def test_noise_free_particles_measure_exactly_as_drawn(shape):
    look = LOOKS["bare"]
    settings = FilterSettings(
        size=(600, 600),
        seed=3,
        membrane=False,
        density_per_mm2=40,
        median_length_um=25,
        shapes=(ShapeShare(shape, 1.0),),
        look=look,
    )
    made = synthetic_filter(settings)
    red, labels = made.image.data[..., 0].compute(), made.labels.compute()
    np.testing.assert_array_equal(red >= look.outline, labels > 0)
    measured, count = ndimage.label(red >= look.outline, EIGHT)
    assert count == made.n_particles > 30
    drawn = np.bincount(labels.ravel())[1:]
    np.testing.assert_array_equal(np.sort(np.bincount(measured.ravel())[1:]), np.sort(drawn))


def test_particles_stand_out_from_what_lies_around_them(small):
    _, image, labels = small
    truth = labels > 0
    ring = ndimage.binary_dilation(truth, EIGHT, 4) & ~ndimage.binary_dilation(truth, EIGHT, 3)
    red = image[..., 0].astype(float)
    assert red[truth].mean() > 170
    assert red[ring].mean() < 120
    assert np.median(red[~truth & (red > 15)]) < 70


def test_density_is_what_was_asked_for():
    settings = FilterSettings(size=(6000, 6000), seed=1, membrane=False, density_per_mm2=20)
    expected = 20 * (6000 * 2.5e-3) ** 2
    # Slots that the image's border cuts stay empty: a few per cent at this size.
    assert synthetic_filter(settings).n_particles == pytest.approx(expected, rel=0.08)


def test_bead_diameters_follow_the_log_normal_distribution():
    settings = FilterSettings(
        size=(2000, 2000),
        seed=2,
        membrane=False,
        density_per_mm2=30,
        median_length_um=30,
        length_sigma=0.3,
        shapes=(ShapeShare("bead", 1.0),),
    )
    area = np.bincount(synthetic_filter(settings).labels.compute().ravel())[1:]
    diameter = np.log(np.sqrt(4 * area / np.pi))
    # Beads are flattened by 0 to 10 per cent on one axis: about 2.5 per cent off the mean diameter.
    assert np.median(diameter) == pytest.approx(np.log(12 * 0.975), abs=0.05)
    assert diameter.std() == pytest.approx(0.3, abs=0.04)


def test_the_membrane_is_round_and_nothing_lies_beside_it():
    settings = FilterSettings(size=(1000, 1400), seed=5, density_per_mm2=80)
    made = synthetic_filter(settings)
    image, labels = made.image.data.compute(), made.labels.compute()
    y, x = np.ogrid[:1000, :1400]
    distance = np.hypot(y - 500, x - 700)
    assert image[distance > 0.49 * 1000 + 12].mean() < 8
    assert image[..., 0][distance < 0.48 * 1000].mean() > 25
    assert labels[distance > 0.49 * 1000].max() == 0
    assert labels.max() > 50


@pytest.mark.slow
def test_a_hundred_thousand_pixels_square_cost_no_memory():
    tracemalloc.start()
    made = synthetic_filter(FilterSettings(size=(100_000, 100_000), seed=1), chunks=2048)
    window = np.asarray(made.image.data[60_000:60_300, 50_100:50_300])
    labels = np.asarray(made.labels[60_000:60_300, 50_100:50_300])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert window.shape == (300, 200, 3)
    assert labels.shape == (300, 200)
    assert made.n_particles > 100_000
    assert peak < 300 * 2**20


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (33, 40), (257, 255)])
def test_odd_sizes_work(size):
    made = synthetic_filter(FilterSettings(size=size, density_per_mm2=50, membrane=False))
    assert made.image.data.compute().shape == (*size, 3)
    assert made.labels.compute().max() == made.n_particles


def test_settings_survive_json():
    settings = replace(SMALL, look=LOOKS["red"])
    again = from_dict(FilterSettings, json.loads(json.dumps(to_dict(settings))))
    assert again == settings


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"size": (0, 10)}, "size.height 0"),
        ({"size": (10,)}, "(10,)"),
        ({"seed": -1}, "-1"),
        ({"pixel_size_um": 0.0}, "0.0"),
        ({"length_sigma": 0.0}, "length_sigma"),
        ({"density_per_mm2": -2.0}, "-2.0"),
        ({"shapes": (ShapeShare("bead", 0.0),)}, "share"),
    ],
)
def test_impossible_settings_are_refused_with_their_value(change, told):
    with pytest.raises(SettingsError) as error:
        FilterSettings(**change)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "change",
    [{"outline": 400.0}, {"blur": 0.0}, {"compression": 101}, {"field": (10, 10)}, {"halo": -1.0}],
)
def test_impossible_looks_are_refused(change):
    with pytest.raises(SettingsError):
        FluorescenceLook(**change)


def test_too_many_particles_are_refused():
    with pytest.raises(SettingsError, match="do not fit"):
        synthetic_filter(FilterSettings(size=(256, 256), density_per_mm2=1e5))
    with pytest.raises(SettingsError, match="median length"):
        synthetic_filter(FilterSettings(size=(256, 256), median_length_um=1e-3))


def test_an_unknown_shape_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="fibre"):
        ShapeShare("fiber", 1.0)


@pytest.mark.parametrize("name", list(LOOKS))
def test_every_look_renders(name):
    made = synthetic_filter(FilterSettings(size=(300, 300), look=LOOKS[name], membrane=False))
    assert made.image.data.compute().shape == (300, 300, 3)
