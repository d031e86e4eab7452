"""Filters in bright field."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.appearances import APPEARANCES
from napari_mpseg.synthesis.bright_field_settings import AppearanceShare, BrightFieldLook
from napari_mpseg.synthesis.microscopes import synthetic_image

PLAIN = {"size": (500, 500), "membrane": False, "seed": 3}


def pixels(**more):
    return synthetic_image(look="bright-field", **{**PLAIN, **more}).image.data.compute().astype(float)


def test_particles_lie_on_a_light_membrane():
    made = synthetic_image(look="bright-field", size=(800, 800), seed=1, density_per_mm2=20.0, median_length_um=15.0)
    image, labels = made.image.data.compute(), made.labels.compute()
    y, x = np.ogrid[:800, :800]
    distance = np.hypot(y - 400, x - 400)
    on_membrane = (distance < 360) & (labels == 0)
    assert 150 < np.median(image[on_membrane]) < 225
    assert image[distance > 0.49 * 800 + 14].mean() < 45
    assert image.shape == (800, 800, 3)
    assert made.image.channels == ("red", "green", "blue")
    truth = ndimage.binary_erosion(labels > 0)
    assert image[truth].mean() < image[on_membrane].mean() - 20


@pytest.mark.parametrize("name", list(APPEARANCES))
def test_appearances_are_what_their_names_say(name):
    share = {f"look.appearances.{each}.share": float(each == name) for each in APPEARANCES}
    made = synthetic_image(
        look="bright-field", variant="bare", density_per_mm2=12.0, median_length_um=25.0, **PLAIN, **share
    )
    image, truth = made.image.data.compute().astype(float), made.labels.compute() > 0
    spread = np.ptp(image[truth], axis=1).mean()
    inside = image[truth].mean()
    deep = ndimage.distance_transform_edt(truth)
    if name == "white":
        assert inside > 215
    elif name == "coloured":
        assert spread > 50
    elif name == "dark":
        assert inside < 110
        assert spread < 15
    else:
        assert image[truth & (deep < 1.5)].mean() < image[truth & (deep > 4)].mean() - 15


def test_clutter_is_drawn_and_is_no_particle():
    clean = pixels(**{"look.sediment_per_mm2": 0.0, "look.plant_per_mm2": 0.0, "look.stains": 0.0})
    for setting in ("look.sediment_per_mm2", "look.plant_per_mm2"):
        off = {"look.sediment_per_mm2": 0.0, "look.plant_per_mm2": 0.0, "look.stains": 0.0, setting: 15.0}
        assert (clean - pixels(**off) > 40).mean() > 0.002, setting
    stained = pixels(**{"look.sediment_per_mm2": 0.0, "look.plant_per_mm2": 0.0, "look.stains": 3.0})
    assert clean.mean() - stained.mean() > 3
    made = synthetic_image(look="bright-field", **PLAIN)
    dirty = synthetic_image(look="bright-field", **PLAIN, **{"look.sediment_per_mm2": 80.0})
    np.testing.assert_array_equal(made.labels.compute(), dirty.labels.compute())


def test_light_follows_beer_and_lambert():
    """Behind twice the optical density, the square of the share of light is left."""
    shares = {f"look.appearances.{each}.share": float(each == "dark") for each in APPEARANCES}
    weak, strong = (
        pixels(density_per_mm2=12.0, **shares, **{"look.appearances.dark.contrast": contrast}, variant="bare")
        for contrast in (0.3, 0.6)
    )
    inside = (weak < 120).all(2)
    np.testing.assert_allclose(strong[inside] / 200, (weak[inside] / 200) ** 2, atol=0.01)


def test_shadows_fall_where_they_are_told():
    shares = {f"look.appearances.{each}.share": float(each == "dark") for each in APPEARANCES}
    bare = {"variant": "bare", "density_per_mm2": 12.0, "median_length_um": 25.0, **shares}
    for angle, shift in ((0.0, (0, 8)), (90.0, (8, 0)), (180.0, (0, -8))):
        image = pixels(**bare, **{"look.shadow": 0.2, "look.shadow_angle": angle})[..., 0]
        particle = image < 100
        moved, back = (ndimage.shift(particle.astype(float), [sign * by for by in shift]) > 0.5 for sign in (1, -1))
        free = ~ndimage.binary_dilation(particle, iterations=2)
        assert image[moved & free].mean() < image[back & free].mean() - 5


@pytest.mark.parametrize(
    "change",
    [
        {"outline": 0.5},
        {"blur": 0.0},
        {"membrane": (250.0, 250.0, 250.0)},
        {"membrane": (20.0, 20.0, 20.0)},
        {"sediment_um": 0.0},
        {"shadow": -0.1},
        {"compression": 101},
        {"appearances": (AppearanceShare("dark", 0.0, 0.3),)},
    ],
)
def test_impossible_looks_are_refused(change):
    with pytest.raises(SettingsError):
        BrightFieldLook(**change)


def test_an_appearance_needs_a_name_and_a_density():
    with pytest.raises(KeyError, match="transparent"):
        AppearanceShare("invisible", 1.0, 0.1)
    with pytest.raises(SettingsError, match="contrast -1"):
        AppearanceShare("dark", 1.0, -1.0)
