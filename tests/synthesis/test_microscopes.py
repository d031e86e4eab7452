"""What holds for every look: exact truth, equal bytes however it is read, any size, settings that survive."""

import hashlib
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.particles.measure import measure
from napari_mpseg.synthesis import blocks
from napari_mpseg.synthesis.filter_settings import ShapeShare
from napari_mpseg.synthesis.fluorescence import render_block as fluorescence_block
from napari_mpseg.synthesis.look import FluorescenceLook
from napari_mpseg.synthesis.microscopes import (
    MICROSCOPES,
    from_record,
    image_settings,
    look_of,
    synthetic_image,
    to_record,
)
from napari_mpseg.synthesis.placement import grid
from napari_mpseg.synthesis.setting import changed, settings_of
from napari_mpseg.synthesis.silhouettes import cell_silhouettes
from napari_mpseg.synthesis.writing import read_settings

EIGHT = np.ones((3, 3))
FILTERS = ("fluorescence", "bright-field")
DENSE = {
    "fluorescence": {"density_per_mm2": 60.0},
    "bright-field": {"density_per_mm2": 50.0, "median_length_um": 10.0},
    "sem": {"coverage": 0.3},
}
SIDE = 400


def dense(look, **changes):
    return image_settings(look, size=(SIDE, SIDE + 70), seed=11, **DENSE[look], **changes)


@pytest.fixture(scope="module")
def whole():
    """Image and truth of each look, computed in one chunk."""
    found = {}
    for look in MICROSCOPES:
        made = synthetic_image(dense(look), chunks=4096)
        found[look] = tuple(array.compute(scheduler="synchronous") for array in (made.image.data, made.labels))
    return found


# -- the same bytes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", list(MICROSCOPES))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chunks=st.tuples(st.integers(90, 700), st.integers(90, 700)),
    top=st.integers(0, SIDE - 1),
    left=st.integers(0, SIDE - 1),
    height=st.integers(1, 200),
    width=st.integers(1, 200),
)
def test_any_window_of_any_chunking_is_the_same_bytes(whole, look, chunks, top, left, height, width):
    made = synthetic_image(dense(look), chunks=chunks)
    part = slice(top, top + height), slice(left, left + width)
    for array, expected in zip((made.image.data, made.labels), whole[look], strict=True):
        np.testing.assert_array_equal(array[part].compute(scheduler="synchronous"), expected[part])


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_threads_change_nothing(whole, look):
    made = synthetic_image(dense(look), chunks=256)
    np.testing.assert_array_equal(made.image.data.compute(scheduler="threads"), whole[look][0])
    np.testing.assert_array_equal(made.labels.compute(scheduler="threads"), whole[look][1])


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_pixels_may_be_picked_in_any_way(whole, look):
    data = synthetic_image(dense(look), chunks=300).image.data
    expected = whole[look][0]
    for index in (
        (slice(5, 400, 7), slice(None, None, 50)),
        (17, slice(3, 9)),
        (slice(0, 4), -1),
        ([3, 300, 4], slice(0, 5)),
        (slice(40, 30, -1), slice(0, 3)),
        (slice(7, 7), slice(0, 3)),
    ):
        np.testing.assert_array_equal(data[index].compute(scheduler="synchronous"), expected[index])


def test_earlier_versions_made_the_same_bytes():
    """Digests of blocks, which change only where CHANGELOG.md says so."""
    settings = image_settings("fluorescence", size=(700, 811), seed=7, density_per_mm2=60.0)
    made = synthetic_image(settings)
    block = np.s_[256:512, 256:512]
    digests = [
        hashlib.sha256(array[block].compute().tobytes()).hexdigest()[:16] for array in (made.image.data, made.labels)
    ]
    assert digests[1] == "b9bdd6d2a05f6b68"
    assert digests[0] == "36f6a9c7866f8bd8"


# -- exact truth --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", FILTERS)
def test_the_measured_area_of_every_particle_is_the_drawn_one(look):
    made = synthetic_image(dense(look, pixel_size_um=2.0), chunks=200)
    _, _, rows, columns = grid(made.settings)
    drawn = [
        int(particle.mask.sum())
        for row in range(rows)
        for column in range(columns)
        for particle in cell_silhouettes(made.settings, row, column)
    ]
    table = measure(made.labels, made.image).frame
    assert made.n_particles == len(drawn) > 10
    np.testing.assert_array_equal(table["area_px"], drawn)
    np.testing.assert_allclose(table["area_um2"], 4.0 * np.array(drawn))


@pytest.mark.parametrize("look", FILTERS)
@pytest.mark.parametrize("shape", ["bead", "fragment", "fibre", "film"])
def test_a_noise_free_picture_shows_exactly_the_truth(look, shape):
    shares = {f"shapes.{name}.share": float(name == shape) for name in ("bead", "fragment", "fibre", "film")}
    lengths = {f"shapes.{shape}.elongation": 1.0, "median_length_um": 30.0, "density_per_mm2": 40.0}
    made = synthetic_image(look=look, variant="bare", size=(500, 500), seed=5, membrane=False, **shares, **lengths)
    image, labels = made.image.data.compute().astype(float), made.labels.compute()
    outline = made.settings.look.outline
    if look == "fluorescence":
        seen = image[..., 0] >= outline
    else:
        seen = (abs(np.log10(200 / np.maximum(image, 0.5))) >= outline).any(2)
    np.testing.assert_array_equal(seen, labels > 0)
    pieces, count = ndimage.label(seen, EIGHT)
    assert count == made.n_particles > 20
    np.testing.assert_array_equal(
        np.sort(measure(pieces.astype(np.int32)).frame["area_px"]), np.sort(measure(labels).frame["area_px"])
    )


def test_overlapping_nanoparticles_share_pixels_by_depth_alone(whole):
    """Every particle drawn by itself over the whole picture; each pixel belongs to that in which it lies deepest."""
    from napari_mpseg.synthesis.sem_particles import CELL, _packed, _profile

    settings = dense("sem")
    deepest, owner = np.zeros((SIDE, SIDE + 70), np.float32), np.zeros((SIDE, SIDE + 70), int)
    number = 0
    for row in range(-(-SIDE // CELL)):
        for column in range(-(-(SIDE + 70) // CELL)):
            for y, x, radius in _packed(settings, row, column):
                number += 1
                depth, _ = _profile(settings, int(y), int(x), float(radius))
                half = depth.shape[0] // 2
                alone = np.full((SIDE + 100, SIDE + 170), -1, np.float32)
                alone[int(y) - half + 50 : int(y) + half + 51, int(x) - half + 50 : int(x) + half + 51] = depth
                alone = alone[50:-50, 50:-50]
                owner[alone > deepest] = number
                deepest = np.maximum(deepest, alone)
    np.testing.assert_array_equal(whole["sem"][1], owner)
    np.testing.assert_array_equal(measure(whole["sem"][1]).frame["area_px"], np.bincount(owner.ravel())[1:])


def test_a_noise_free_electron_picture_shows_exactly_the_truth():
    made = synthetic_image(look="sem", variant="bare", size=(400, 400), seed=2)
    np.testing.assert_array_equal(
        made.image.data.compute() != round(made.settings.substrate), made.labels.compute() > 0
    )


def test_the_same_particles_lie_under_either_microscope():
    plan = {"size": (400, 400), "seed": 3, "density_per_mm2": 30.0, "median_length_um": 20.0, "length_sigma": 0.5}
    shares = {f"shapes.{name}.elongation": 1.0 for name in ("bead", "fragment", "fibre", "film")}
    shares |= {f"shapes.{name}.share": 0.25 for name in ("bead", "fragment", "fibre", "film")}
    one, other = (synthetic_image(look=look, **plan, **shares) for look in FILTERS)
    assert one.n_particles > 5
    np.testing.assert_array_equal(one.labels.compute(), other.labels.compute())


# -- any size -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_a_hundred_thousand_pixels_square_are_there_at_once(look, monkeypatch):
    rendered = []
    render = blocks.render_window

    def counted(render_block, settings, window, trailing, dtype):
        rendered.append(window.height * window.width)
        return render(render_block, settings, window, trailing, dtype)

    monkeypatch.setattr(blocks, "render_window", counted)
    synthetic_image(look=look, size=(300, 300)).image.data[:10].compute()  # what is loaded once
    tracemalloc.start()
    made = synthetic_image(look=look, size=(100_000, 100_000), seed=1)
    opened = tracemalloc.get_traced_memory()[1]
    del rendered[:]
    window = made.image.data[60_000:60_300, 50_100:50_300].compute(scheduler="synchronous")
    seen = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.image.shape == made.labels.shape == (100_000, 100_000)
    assert window.shape[:2] == (300, 200)
    assert sum(rendered) == 300 * 200  # pixels asked for, no whole chunk
    assert opened < 2 * 2**20
    assert seen < 40 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_numbering_a_hundred_thousand_pixels_square_costs_little(look):
    tracemalloc.start()
    made = synthetic_image(look=look, size=(100_000, 100_000), seed=1)
    labels = made.labels[60_000:60_300, 50_100:50_300].compute(scheduler="synchronous")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert labels.max() <= made.n_particles
    assert made.n_particles > 30_000
    assert peak < 100 * 2**20


# -- settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_every_variant_renders_and_survives_json(look):
    for name in MICROSCOPES[look].variants:
        settings = image_settings(look, name, size=(130, 140))
        again = from_record(json.loads(json.dumps(to_record(settings))))
        assert again == settings
        assert look_of(again) == look
        made = synthetic_image(again)
        assert made.image.data.compute().shape[:2] == made.labels.compute().shape == (130, 140)


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_every_setting_is_explained_within_sensible_bounds_and_can_be_set(look):
    usual = MICROSCOPES[look].settings
    found = settings_of(usual)
    assert len({setting.path for setting in found}) == len(found) > 10
    assert any(setting.range.basic for setting in found)
    for setting in found:
        assert setting.title, setting.path
        assert len(setting.help) > 15, setting.path
        assert changed(usual, {setting.path: setting.value}) == usual
        if not isinstance(setting.value, bool):
            low, high = setting.range.low, setting.range.high
            assert low <= setting.value <= high, setting.path
            assert setting.range.step > 0, setting.path


@pytest.mark.slow
@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_the_bounds_of_a_form_can_be_rendered(look):
    for setting in settings_of(image_settings(look, "bare", size=(64, 64))):
        if isinstance(setting.value, bool) or setting.path.startswith(("size", "seed", "pixel_size")):
            continue
        for value in (setting.range.low, setting.range.high):
            try:
                settings = image_settings(look, "bare", size=(64, 64), **{setting.path: type(setting.value)(value)})
                made = synthetic_image(settings, chunks=64)
            except SettingsError:
                continue  # two settings at their bounds may contradict each other, and that is told
            assert made.image.data.compute().shape[:2] == (64, 64), setting.path


def test_settings_are_set_by_dotted_names():
    settings = image_settings(
        "bright-field",
        **{
            "look.blur": 1.5,
            "look.membrane.green": 190.0,
            "shapes.fibre.share": 0.9,
            "look.appearances.white.contrast": 0.1,
            "size.width": 300,
        },
    )
    assert settings.look.blur == 1.5
    assert settings.look.membrane == (205.0, 190.0, 192.0)
    assert [item.share for item in settings.shapes if item.shape == "fibre"] == [0.9]
    assert settings.look.appearances[-1].contrast == 0.1
    assert settings.size == (4096, 300)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("look.blurr", 1.0, "look.blurr"),
        ("shapes.sphere.share", 1.0, "bead"),
        ("look.background.violet", 1.0, "red"),
        ("seed.first", 1, "single value"),
        ("look.blur", "strong", "strong"),
        ("look.saturation", 100.0, "outline"),
        ("look.uneven", -1.0, "-1.0"),
        ("look.noise.red", -1.0, "-1.0"),
        ("fibre_bend", -0.5, "-0.5"),
    ],
)
def test_what_cannot_be_set_is_told(path, value, told):
    with pytest.raises(SettingsError, match=told):
        image_settings("fluorescence", **{path: value})


@pytest.mark.parametrize("look", list(MICROSCOPES))
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_no_setting_takes_what_is_no_finite_number(look, value):
    usual = MICROSCOPES[look].settings
    for setting in settings_of(usual):
        if not isinstance(setting.value, bool):
            with pytest.raises(SettingsError):
                changed(usual, {setting.path: value})


def test_numbers_that_are_not_finite_are_refused_in_a_file_and_from_python(tmp_path):
    record = json.dumps(to_record(MICROSCOPES["bright-field"].settings))
    (tmp_path / "s.json").write_text(record.replace("34.0", "Infinity"))
    with pytest.raises(SettingsError, match=r"s\.json.*surround\.red inf"):
        read_settings(tmp_path / "s.json")
    with pytest.raises(SettingsError, match="share inf"):
        ShapeShare("bead", float("inf"))
    with pytest.raises(SettingsError, match=r"tint\.green nan"):
        FluorescenceLook(tint=(float("nan"), 0.1))


@pytest.mark.parametrize(
    ("look", "path", "value", "told"),
    [
        ("fluorescence", "look.background.red", 400.0, "0 to 255 grey"),
        ("bright-field", "look.surround.blue", -1.0, "0 to 255 grey"),
        ("sem", "substrate", 256.0, "0 to 255 grey"),
        ("sem", "blur", 40.0, "0 to 4 px"),
        ("fluorescence", "look.clutter_per_mm2", 1e5, "too dense"),
        ("fluorescence", "look.specks_per_mm2", 1e6, "too dense"),
        ("bright-field", "look.sediment_per_mm2", 1e6, "too dense"),
        ("bright-field", "look.plant_per_mm2", 1e5, "too dense"),
    ],
)
def test_settings_beyond_what_can_be_are_refused(look, path, value, told):
    with pytest.raises(SettingsError, match=told):
        image_settings(look, **{path: value})


def test_unknown_looks_and_variants_name_the_known_ones():
    with pytest.raises(UnknownNameError, match="bright-field"):
        synthetic_image(look="brightfield")
    with pytest.raises(SettingsError, match="dim"):
        synthetic_image(look="fluorescence", variant="gloomy")
    with pytest.raises(SettingsError, match="str"):
        look_of("sem")
    with pytest.raises(SettingsError, match="look"):
        from_record({"settings": {}})


def test_light_drifts_and_sensors_saturate():
    plain = {"size": (600, 600), "membrane": False, "seed": 4}
    even, uneven, full = (
        synthetic_image(look="fluorescence", **plain, **more).image.data.compute().astype(float)
        for more in ({}, {"look.uneven": 0.4}, {"look.saturation": 170.0, "look.compression": 0})
    )
    assert abs(np.median(uneven[..., 0]) / np.median(even[..., 0]) - 1) > 0.05
    assert full.max() == 170
    assert even.max() == 255


def test_fibres_bend_and_widen_as_asked():
    def fibres(**more):
        shares = {f"shapes.{name}.share": float(name == "fibre") for name in ("bead", "fragment", "fibre", "film")}
        plain = {"size": (600, 600), "membrane": False, "seed": 4, "density_per_mm2": 15.0, "length_sigma": 0.2}
        made = synthetic_image(look="fluorescence", **plain, **shares, **more, median_length_um=20.0)
        return measure(made.labels.compute()).frame

    straight, bent = fibres(fibre_bend=0.0), fibres(fibre_bend=3.5)
    assert straight["solidity"].median() > bent["solidity"].median() + 0.1
    assert fibres(fibre_width=0.03)["area_px"].median() < 0.8 * straight["area_px"].median()


def test_a_block_knows_nothing_of_the_size_around_it():
    """What lies in the middle of a huge filter is rendered from its own place alone."""
    settings = image_settings("fluorescence", size=(100_000, 100_000), seed=9)
    again = image_settings("fluorescence", size=(100_000, 100_000), seed=9)
    np.testing.assert_array_equal(fluorescence_block(settings, 190, 200), fluorescence_block(again, 190, 200))
