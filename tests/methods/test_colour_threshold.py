"""Components against ImageJ, java's formula, colorsys and scikit-image; ranges against pictures made by hand."""

import colorsys

import numpy as np
import pytest

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.methods.colour_ranges import ColourRange, ColourThreshold, colour_threshold
from napari_mpseg.methods.colour_spaces import COLOUR_SPACES, components_of
from napari_mpseg.methods.colour_threshold import mp_act
from napari_mpseg.pipeline import segment
from napari_mpseg.settings import from_dict, to_dict

# red, green, blue: hue, saturation, brightness of ColorProcessor.getHSB; L, a, b of ColorThresholder.getLab;
# ImageJ 1.53t
IMAGEJ = [
    ((0, 0, 0), (0, 0, 0), (0, 128, 128)),
    ((1, 0, 0), (0, 255, 1), (0, 128, 128)),
    ((253, 253, 253), (0, 0, 253), (253, 128, 128)),
    ((255, 255, 255), (0, 0, 255), (254, 128, 128)),
    ((255, 0, 0), (0, 255, 255), (135, 213, 199)),
    ((0, 255, 0), (85, 255, 255), (223, 36, 216)),
    ((0, 0, 255), (170, 255, 255), (82, 212, 13)),
    ((255, 255, 0), (42, 255, 255), (247, 105, 228)),
    ((230, 20, 30), (252, 232, 230), (124, 205, 184)),
    ((230, 20, 80), (242, 232, 230), (125, 207, 154)),
    ((90, 10, 12), (253, 226, 90), (44, 165, 151)),
    ((20, 200, 40), (89, 229, 200), (180, 54, 194)),
    ((30, 40, 220), (167, 220, 220), (80, 191, 34)),
    ((17, 17, 18), (170, 14, 18), (12, 128, 127)),
    ((128, 64, 32), (14, 191, 128), (88, 155, 161)),
    ((200, 199, 198), (21, 2, 200), (204, 128, 129)),
    ((7, 250, 249), (127, 247, 250), (228, 78, 114)),
    ((122, 3, 99), (220, 248, 122), (68, 184, 104)),
]

COLOURS = {
    "black": (0, 0, 0),
    "dark red": (90, 10, 12),
    "red": (230, 20, 30),
    "purplish red": (230, 20, 80),
    "green": (20, 200, 40),
    "blue": (30, 40, 220),
    "white": (255, 255, 255),
}


def java_hsb(red, green, blue):
    """Return java.awt.Color.RGBtoHSB in single precision, then ImageJ's cut, one colour at a time."""
    f = np.float32
    largest, smallest = max(red, green, blue), min(red, green, blue)
    saturation = f(largest - smallest) / f(largest) if largest else f(0)
    hue = f(0)
    if saturation:
        away = [f(largest - value) / f(largest - smallest) for value in (red, green, blue)]
        if red == largest:
            hue = away[2] - away[1]
        elif green == largest:
            hue = f(2) + away[0] - away[2]
        else:
            hue = f(4) + away[1] - away[0]
        hue = hue / f(6)
        hue = hue + f(1) if hue < 0 else hue
    return tuple(int(float(share) * 255.0) for share in (hue, saturation, f(largest) / f(255)))


@pytest.fixture(scope="module")
def many():
    """Corners, edges and the grey axis of the colour cube, and a thousand colours within."""
    steps = np.array([0, 1, 2, 42, 127, 128, 200, 253, 254, 255])
    corners = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    grey = np.repeat(np.arange(256)[:, None], 3, 1)
    within = np.random.default_rng(4).integers(0, 256, (1000, 3))
    return np.concatenate([corners, grey, within]).astype(np.uint8)


@pytest.mark.parametrize(("colour", "hsb", "lab"), IMAGEJ)
def test_components_are_those_of_imagej(colour, hsb, lab):
    pixel = np.array([[colour]], np.uint8)
    assert tuple(int(one[0, 0]) for one in components_of(pixel, "hsb")) == hsb
    assert tuple(int(one[0, 0]) for one in components_of(pixel, "lab")) == lab


def test_hsb_follows_javas_formula_in_single_precision(many):
    found = np.stack(components_of(many, "hsb"), -1)
    assert [tuple(row) for row in found.tolist()] == [java_hsb(*(int(value) for value in row)) for row in many]


def test_hsb_is_within_one_of_colorsys(many):
    found = np.stack(components_of(many, "hsb"), -1).astype(float)
    wanted = np.array([colorsys.rgb_to_hsv(*(row / 255.0)) for row in many.astype(float)]) * 255
    away = wanted - found
    assert away.min() > -0.01  # cut off, never rounded up
    assert away.max() < 1.01


def test_lab_is_that_of_scikit_image_to_its_other_matrix(many):
    skimage = pytest.importorskip("skimage.color")
    found = np.stack(components_of(many, "lab"), -1).astype(float)
    lightness, a, b = np.moveaxis(skimage.rgb2lab(many[None], illuminant="D65")[0], -1, 0)
    wanted = np.clip(np.stack([lightness * 2.55, a * 1.0625 + 128, b * 1.0625 + 128], -1), 0, 255)
    assert np.abs(wanted - found).max() < 1.1  # cut or rounded, and a matrix of four decimals


@pytest.mark.parametrize("space", COLOUR_SPACES)
def test_components_are_bytes_of_the_pictures_shape(space):
    picture = np.zeros((3, 5, 3), np.uint8)
    parts = components_of(picture, space)
    assert len(parts) == len(COLOUR_SPACES[space].components) == 3
    assert all(part.dtype == np.uint8 and part.shape == (3, 5) for part in parts)


def found(text):
    pixels = np.array(list(COLOURS.values()), np.uint8)[None]
    return [name for name, hit in zip(COLOURS, colour_threshold(text).holds(pixels)[0], strict=True) if hit]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("rgb:red=200-255", ["red", "purplish red", "white"]),
        ("rgb:red=200-255,green=0-100", ["red", "purplish red"]),
        ("rgb:red=90", ["dark red"]),
        ("rgb:red=0-90", ["black", "dark red", "green", "blue"]),  # both ends belong to it
        ("rgb:red!=10-254", ["black", "white"]),
        ("rgb:red!=10-254,blue!=0-10", ["white"]),
        ("hsb:hue=240-20,saturation=100-255", ["dark red", "red", "purplish red"]),  # over the end
        ("hsb:hue=0-20,saturation=100-255", []),
        ("hsb:hue=240-255,saturation=100-255", ["dark red", "red", "purplish red"]),
        ("hsb:hue!=21-239,saturation=100-255,brightness=100-255", ["red", "purplish red"]),
        ("hsb:hue!=240-20,saturation=100-255", ["green", "blue"]),
        ("lab:a=160-255", ["dark red", "red", "purplish red", "blue"]),
        ("lab:lightness=250-255", ["white"]),
        ("hsb:", list(COLOURS)),
        ("rgb:red=90 or hsb:hue=80-100", ["dark red", "green"]),
        ("hsb: except rgb:red=0-100 or rgb:green=200-255", ["red", "purplish red"]),
        ("rgb:red=200-255 except rgb:blue=70-90", ["red", "white"]),
    ],
)
def test_ranges_find_what_lies_in_them(text, wanted):
    assert found(text) == wanted


@pytest.mark.parametrize("passed", [(h, s, b) for h in (0, 1) for s in (0, 1) for b in (0, 1)])
def test_pass_and_stop_are_joined_as_in_imagej(passed, many):
    low, high = (10, 60, 90), (180, 200, 240)
    one = ColourRange("hsb", low, high, tuple(map(bool, passed)))
    parts = components_of(many, "hsb")
    wanted = [
        all((low[i] <= part[n] <= high[i]) == bool(passed[i]) for i, part in enumerate(parts)) for n in range(len(many))
    ]
    np.testing.assert_array_equal(ColourThreshold((one,)).holds(many), wanted)


def test_the_text_is_read_back_as_the_same_ranges():
    text = "hsb:hue=240-20,brightness=100-255 or rgb:red!=5-90 except lab:a=0-100 or hsb:"
    threshold = colour_threshold(text)
    assert threshold.text() == text
    assert colour_threshold(threshold.text()) == threshold
    assert from_dict(ColourThreshold, to_dict(threshold)) == threshold


def test_every_form_gives_the_same_ranges():
    text, one = "hsb:hue=240-20", ColourRange("hsb", (240, 0, 0), (20, 255, 255))
    as_mapping = {"space": "hsb", "low": [240, 0, 0], "high": [20, 255, 255]}
    forms = [text, " HSB: hue=240-20 ", one, [one], [text], [as_mapping], {"ranges": [as_mapping]}]
    assert {colour_threshold(form) for form in forms} == {ColourThreshold((one,))}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("hsv:hue=1-2", "no colour space"),
        ("hue=1-2", "no colour space"),
        ("hsb:red=1-2", "has no 'red'"),
        ("hsb:hue=1-2-3", "cannot be read"),
        ("hsb:hue=-1-20", "cannot be read"),
        ("hsb:hue=1-2,", "cannot be read"),
        ("hsb:hue=1-256", "0 to 255"),
        ("hsb:brightness=90-20", "the first is the larger"),
        ("hsb:hue=1-2,hue=5-6", "told twice"),
        ("hsb:hue=1-2 or ", "no colour space"),
        ("", "no colour space"),
        ([], "no range of colours"),
        (3, "no ranges of colour"),
        ([3], "no range of colour"),
        ([{"space": "hsb", "low": [0, 0], "high": [1, 2, 3]}], "3 values"),
        ([{"space": "hsb", "lowest": [0, 0, 0]}], "lowest"),
        ([{"space": "hsb", "low": [0.5, 0, 0]}], "whole number"),
        ({"excluded": []}, "ranges"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, why):
    with pytest.raises(SettingsError, match=why):
        colour_threshold(given)


@pytest.fixture
def picture():
    """A red, a green and a darker red square on black, with one pixel too small to be kept."""
    image = np.zeros((70, 90, 3), np.uint8)
    image[5:10, 5:10] = COLOURS["red"]
    image[20:24, 30:34] = COLOURS["green"]
    image[60:65, 80:83] = COLOURS["dark red"]
    image[40, 40] = COLOURS["red"]
    return image


def test_segment_finds_the_particles_whatever_the_tiles(picture):
    options = {"ranges": "hsb:hue=240-20,saturation=100-255"}
    whole = segment(picture, "mp-act", options=options)
    assert whole.count == 2
    assert sorted(np.bincount(np.ravel(whole.labels))[1:]) == [15, 25]
    tiled = segment(picture, "mp-act", options=options, tile_size=32)
    np.testing.assert_array_equal(whole.labels, tiled.labels)
    assert segment(picture, "mp-act", options={"ranges": ["rgb:green=150-255"]}).count == 1
    assert "hue=240-20" in whole.provenance["settings"]["options"]["text"]


def test_wider_dtypes_are_scaled_by_the_range_of_the_whole_image(picture):
    options = {"ranges": "rgb:red=200-255"}
    wide = picture.astype(np.uint16) * 100 + 1000  # 1000 to 24000: 230 of 230 is 255
    assert segment(wide, "mp-act", options=options).count == 1
    stretched = np.where(picture == 230, 255, picture)  # what 230 becomes
    assert segment(stretched, "mp-act", options=options).count == 1
    noisy = wide.astype(np.float32)
    noisy[0, 0] = np.nan
    noisy[0, 1] = np.inf
    np.testing.assert_array_equal(
        segment(noisy, "mp-act", options=options, tile_size=32).labels,
        segment(wide, "mp-act", options=options).labels,
    )


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 2), (20, 20, 5)])
def test_images_without_red_green_and_blue_are_refused(shape):
    from napari_mpseg.images.image import Image
    from napari_mpseg.images.open import open_image

    image = open_image(np.zeros((20, 20), np.uint8))
    image = Image(np.broadcast_to(np.zeros((), np.uint8), shape), name=image.name)
    with pytest.raises(ImageError, match="grey" if len(shape) == 2 else f"{shape[-1]} channels"):
        mp_act("rgb:red=1-2").prepare(image)


def test_without_ranges_the_way_to_them_is_told(picture):
    with pytest.raises(SettingsError, match=r"Colour threshold by hand.*hsb:hue="):
        segment(picture, "mp-act")
    with pytest.raises(SettingsError, match=r"Colour threshold by hand.*hsb:hue="):
        mp_act()


def test_ranges_are_typed_on_the_command_line(picture, tmp_path, run):
    from PIL import Image

    Image.fromarray(picture).save(tmp_path / "a.png")
    where = ("segment", tmp_path / "a.png", "--out", tmp_path / "out", "--method", "mp-act", "--quiet")
    code, out, err = run(*where, "--set", "ranges=hsb:hue=240-20,saturation=100-255")
    assert code == 0, err
    assert "Particles 2 " in out
    code, _, err = run(*where, "--overwrite", "--set", "ranges=hsb:hue=20")
    assert code == 0, err
    for wrong in (("--set", "ranges=hue"), ("--input", "ranges=hue"), ()):
        code, _, err = run(*where, "--overwrite", *wrong)
        assert code == 2, wrong
        assert "ranges" in err or "colour space" in err


def test_a_range_set_by_hand_finds_what_the_experts_painted(shared_data):
    from PIL import Image

    # particles are bright and turn orange to white; what shines on the filter itself stays red
    threshold = colour_threshold("rgb:red=180-255,green=40-255")
    hits = made = painted = 0
    for path in sorted((shared_data / "mpnet").glob("fold_*/*.png")):
        truth = np.asarray(Image.open(path.parent / "labels" / path.name)) == 0
        mask = threshold.holds(np.asarray(Image.open(path).convert("RGB")))
        hits, made, painted = hits + int((mask & truth).sum()), made + int(mask.sum()), painted + int(truth.sum())
    assert 2 * hits / (made + painted) > 0.75
