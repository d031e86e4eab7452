"""The MP-VAT macros give ImageJ's thresholds and masks on every patch."""

import csv

import numpy as np
import pytest
from skimage.io import imread
from skimage.measure import label

from napari_mpseg.errors import ImageError
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.pipeline import segment

PIPELINES = {
    "mpvat1_invert_maxentropy": ("mp-vat", {}),
    "mpvat1_weighted_grey": ("mp-vat", {"weighted": True}),
    "mpvat2_rg_renyi": ("mp-vat-2", {}),
    "mpvat2_rgb_renyi": ("mp-vat-2", {"channels": "red-green-blue"}),
}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_limits_and_pixels_equal_imagej_on_every_patch(pipeline, reference, shared_data):
    name, options = PIPELINES[pipeline]
    method, compared = METHODS[name].build(**options), 0
    with (reference / "mpvat_counts.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["pipeline"] == pipeline]
    for row in rows:
        folder = shared_data / "mpnet" / f"fold_{row['dataset']}"
        if not (folder / row["image"]).exists():
            continue
        image = open_image(folder / row["image"])
        prepared = method.prepare(image)
        limits = (prepared.predictor.lowest, prepared.predictor.highest)
        assert limits == (float(row["lower"]), float(row["upper"])), row["image"]
        found = prepared.predictor.predict(np.asarray(image.data)) > 0
        truth = imread(folder / "labels" / row["image"]) == 0
        pixels = [int(both.sum()) for both in (found & truth, found & ~truth, ~found & truth, found)]
        assert pixels == [int(float(row[key])) for key in ("px_tp", "px_fp", "px_fn", "mask_px")], row["image"]
        compared += 1
    assert compared >= 60


def _picture(dtype=np.uint8):
    picture = np.random.default_rng(5).integers(10, 30, (50, 60, 3)).astype(np.uint8)
    picture[5:9, 5:9] = 220, 30, 20
    for x in (20, 26):  # two discs with a neck: one fragment for the macro, and two particles
        y, xs = np.mgrid[:50, :60]
        picture[(y - 30) ** 2 + (xs - x) ** 2 <= 3.3**2] = 230, 40, 10
    return picture.astype(dtype)


def test_the_macro_counts_come_with_the_result_if_asked_for():
    for name in ("mp-vat", "mp-vat-2"):
        assert not METHODS[name].build().macro_counting
        plain = segment(_picture(), name)
        assert plain.macro_counts is None
        counted = segment(_picture(), name, options={"double_count": True})
        assert np.array_equal(np.asarray(plain.labels), np.asarray(counted.labels))
        assert counted.macro_counts["class"].tolist() == ["fiber", "fragment", "particle", "total"]
        assert counted.provenance["settings"]["options"]["double_count"] is True


@pytest.mark.parametrize("connectivity", [1, 2])
def test_the_macro_counts_particles_that_touch_at_corners_whatever_the_table_does(connectivity, reference):
    """ImageJ reports 1 + 9 + 92 for the touching shapes; a staircase falls apart into single pixels."""
    touching = imread(reference / "masks" / "touching.png") > 0
    for steps in (0, 5):
        mask = np.pad(touching, ((0, 20), (0, 0)))
        for step in range(steps):  # pixels that touch at corners only are one more
            mask[-15 + step, 5 + step] = True
        pixels = np.where(mask, 200, 20).astype(np.uint8)
        options = {"double_count": True}
        result = segment(pixels, "mp-vat", options=options, connectivity=connectivity, measure=False)
        pieces = label(mask, connectivity=connectivity)
        assert result.count == (np.bincount(pieces.ravel())[1:] >= 3).sum()
        found = result.macro_counts.set_index("class")["count"].to_dict()
        assert found == {"fiber": 1, "fragment": 9 + (steps > 0), "particle": 92, "total": 102 + (steps > 0)}


def test_options_are_explained_and_recorded():
    help_of = {option.name: option.help for option in options_of("mp-vat")}
    assert "counts once as a fragment and again as its pieces" in help_of["double_count"]
    described = METHODS["mp-vat"].build(weighted=True).describe()
    assert described == {
        "rule": "max-entropy",
        "channel": "weighted-grey",
        "particles": "dark",
        "inverted": True,
        "weighted": True,
        "double_count": False,
    }
    assert METHODS["mp-vat-2"].build(channels="red-green-blue").describe()["channels"] == "red-green-blue"


def test_notes_say_which_image_and_which_level():
    prepared = METHODS["mp-vat"].build().prepare(open_image(_picture()))
    assert prepared.notes[0].startswith("max-entropy chose grey level")
    assert "the grey image, inverted; pixels up to it" in prepared.notes[0]
    prepared = METHODS["mp-vat-2"].build().prepare(open_image(_picture()))
    assert "on red less green; pixels above it" in prepared.notes[0]


def test_a_grey_image_has_no_green_to_take_away():
    with pytest.raises(ImageError, match="is grey, but red less green"):
        METHODS["mp-vat-2"].build().prepare(open_image(_picture()[..., 0]))
    METHODS["mp-vat"].build().prepare(open_image(_picture()[..., 0]))


def test_wider_images_become_8_bit_after_they_are_inverted():
    """As in the macro: from 1000 to 1500, a bin is 501/256 wide; what was 1500 becomes 0."""
    image = open_image(np.array([[1000] * 90 + [1010] * 6 + [1400, 1450, 1450, 1500]], np.uint16))
    prepared = METHODS["mp-vat"].build().prepare(image)
    grey = prepared.predictor.scale.apply(np.array([[1500, 1400, 1010, 1000]], np.uint16))
    assert grey.tolist() == [[0, 51, 250, 255]]  # 0, 51.1, 250.4, 255.5
    found = prepared.predictor.predict(np.asarray(image.data))
    assert found[0, -4:].all()
    assert not found[0, :90].any()
