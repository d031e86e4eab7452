"""What is no number is no particle by any method, and makes none beside it."""

import numpy as np
import pytest

from napari_mpseg.methods.local_threshold import LOCAL_RULES
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.pipeline import segment

GAP = np.s_[60:80, 60:80]
ODD = [np.nan, np.inf, -np.inf]


def picture(bright, value=np.nan, colour=False, slope=0.0):
    """Return an even ground with four squares of 6 px, a gap, and the mask of the squares."""
    rng = np.random.default_rng(7)
    truth = np.zeros((120, 120), bool)
    for y, x in ((20, 20), (20, 90), (95, 30), (67, 50)):  # the last one 4 px from the gap
        truth[y : y + 6, x : x + 6] = True
    ground = 60 + 4 * rng.random(truth.shape) + slope * np.arange(120)
    values = np.where(truth, ground + 130, ground)
    values = values if bright else 255 - values
    values[GAP] = value
    values = values.astype(np.float32)
    return (np.stack([values, values / 4, values / 8], 2) if colour else values), truth


def given(name, truth, particles="bright"):
    """Return the options that a method needs, for these particles."""
    options = {
        "region-growing": {"seeds": [[22, 22], [22, 92], [97, 32], [69, 52], [70, 70]]},
        "pixel-forest": {"painted": np.where(truth, 2, np.eye(120, dtype=int)), "trees": 5, "coarsest": 2.0},
        "mp-act": {"ranges": "hsb:brightness=0-255"},  # every colour
    }.get(name, {})
    return options | ({"particles": particles} if "particles" in {one.name for one in options_of(name)} else {})


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("particles", ["bright", "dark"])
@pytest.mark.parametrize("name", METHODS)
def test_no_method_takes_what_is_no_number_for_a_particle(name, particles, colour):
    if not colour and name in ("mp-vat-2", "mp-act"):
        pytest.skip("it needs colours")
    values, truth = picture(particles == "bright", colour=colour)
    result = segment(values, name, options=given(name, truth, particles), measure=False, min_size=0)
    assert not np.asarray(result.labels)[GAP].any()
    assert "400 pixels are not numbers (NaN or infinite); taken as background." in result.notes


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("particles", ["bright", "dark"])
@pytest.mark.parametrize("name", ["mp-vat", "otsu", "fixed-level", "local-threshold", "blob-log", "watershed-gradient"])
def test_infinite_values_are_no_particles_either(name, particles, value):
    values, truth = picture(particles == "bright", value)
    labels = np.asarray(segment(values, name, options=given(name, truth, particles), measure=False).labels)
    assert not labels[GAP].any()


FOUND = {
    "otsu": {},
    "local-threshold": {"window": 31},
    "watershed-gradient": {},
    "region-growing": {},
    "blob-log": {"sigma_max": 6.0},
}


@pytest.mark.parametrize("particles", ["bright", "dark"])
@pytest.mark.parametrize("name", FOUND)
def test_the_particles_are_found_as_if_there_were_no_gap(name, particles):
    values, truth = picture(particles == "bright")
    labels = np.asarray(segment(values, name, options=given(name, truth, particles) | FOUND[name]).labels)
    if name == "blob-log":  # discs instead of squares
        assert labels.max() == 4
        assert all(labels[y, x] for y, x in ((23, 23), (23, 93), (98, 33), (70, 53)))
    else:
        np.testing.assert_array_equal(labels > 0, truth)


@pytest.mark.parametrize("tile", [4096, 32])
@pytest.mark.parametrize("particles", ["bright", "dark"])
@pytest.mark.parametrize("rule", LOCAL_RULES)
def test_local_levels_leave_out_what_is_no_number(rule, particles, tile):
    """On ground that rises, a gap filled with any one value would make particles of the ground beside it."""
    values, truth = picture(particles == "bright", slope=0.5)
    options = {"rule": rule, "particles": particles, "window": 31}
    labels = np.asarray(segment(values, "local-threshold", options=options, tile_size=tile, measure=False).labels)
    np.testing.assert_array_equal(labels > 0, truth)


def test_points_where_the_image_is_no_number_are_told():
    values, truth = picture(True)
    result = segment(values, "region-growing", options=given("region-growing", truth), measure=False)
    assert result.count == 4
    assert any("1 point (y = 70, x = 70) lies where the image has no number" in note for note in result.notes)
