"""Colour, contrast against a ring of background, densities, and confidence."""

import colorsys
from typing import Any

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.particles import blocks, label_mask
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.rings import RING_GAP, RING_REACH

RGB = ("red", "green", "blue")


def rgb(data: Any) -> Image:
    return Image(da.from_array(np.asarray(data)), channels=RGB)


# ---- density and share -------------------------------------------------------------------------------------------


def test_integrated_density_is_in_the_tables_unit() -> None:
    labels, image = np.zeros((6, 6), int), np.full((6, 6), 7.0)
    labels[1:3, 1:4] = 1
    plain = measure(labels, image, properties=["integrated_density", "intensity_sum"])
    assert plain.frame.iloc[0].to_dict() == {"label": 1, "intensity_sum": 42, "integrated_density_px": 42}
    assert plain.units["integrated_density_px"] == "grey value x px2"
    table = measure(labels, image, calibration=Calibration((2.0, 0.5), "um"), properties="integrated_density")
    assert table.frame["integrated_density_um2"].tolist() == [42]  # 6 um2 of 7
    large = measure(labels, image, calibration=Calibration((3.0, 3.0), "um"), properties="integrated_density")
    assert large.frame["integrated_density_um2"].tolist() == [6 * 9 * 7]
    assert large.units["integrated_density_um2"] == "grey value x um2"


def test_integrated_density_of_channels_ends_in_its_unit() -> None:
    labels, image = np.ones((2, 2), int), np.dstack([np.full((2, 2), value) for value in (1, 2, 3)])
    found = measure(labels, rgb(image), calibration=Calibration.parse("1000nm"), properties="integrated_density").frame
    assert found.iloc[0].to_dict() == {
        "label": 1,
        "integrated_density_red_nm2": 4e6,
        "integrated_density_green_nm2": 8e6,
        "integrated_density_blue_nm2": 12e6,
    }


def test_share_of_pixels_that_are_not_zero() -> None:
    image = np.array([[0, 5, 0, 1], [3, 2, 9, -1]])
    assert measure(np.ones((2, 4), int), image, properties="area_fraction").frame["area_fraction"].tolist() == [75]
    two = measure(np.ones((2, 4), int), np.dstack([image, image * 0]), properties="area_fraction").frame
    assert two.iloc[0, 1:].tolist() == [75, 0]


# ---- colour ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)))
def test_hue_and_saturation_as_colorsys(colour: tuple[int, int, int]) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[1:3, 1:3] = colour
    labels = (image.sum(2) >= 0).astype(int)
    labels[0] = labels[:, 0] = labels[3] = labels[:, 3] = 0
    found = measure(labels, rgb(image), properties="colour").frame
    hue, saturation, _ = colorsys.rgb_to_hsv(*(value / 255 for value in colour))
    if len(set(colour)) == 1:
        assert np.isnan(found.loc[0, "hue_deg"])
    else:
        assert found.loc[0, "hue_deg"] == pytest.approx(360 * hue)
    assert found.loc[0, "saturation"] == pytest.approx(saturation)


def test_hue_is_that_of_the_mean_colour() -> None:
    image = np.array([[[250, 0, 10], [250, 0, 0], [1, 1, 1]]])  # 355 and 0 degrees: not 178 in the middle
    found = measure(np.array([[1, 1, 0]]), rgb(image), properties="hue").frame
    assert found["hue_deg"].tolist() == pytest.approx([360 * colorsys.rgb_to_hsv(250, 0, 5)[0]])


def test_colour_needs_channels_named_so() -> None:
    labels, data = np.ones((3, 3), int), np.ones((3, 3, 3))
    assert "hue_deg" in measure(labels, rgb(data), properties="all").frame
    assert "hue_deg" not in measure(labels, data, properties="all").frame
    assert "hue_deg" not in measure(labels, properties="all").frame
    for chosen in ("hue", "colour"):
        with pytest.raises(SettingsError, match="red, green and blue"):
            measure(labels, data, properties=chosen)
        with pytest.raises(SettingsError, match="Give the image too"):
            measure(labels, properties=chosen)


# ---- contrast ----------------------------------------------------------------------------------------------------


def contrast_by_distance(labels: np.ndarray, image: np.ndarray) -> list[float]:
    found = []
    for label in np.unique(labels[labels > 0]):
        distance = ndimage.distance_transform_cdt(labels != label, metric="chessboard")
        ring = (distance > RING_GAP) & (distance <= RING_REACH) & (labels == 0)
        outside = image[ring].mean() if ring.any() else np.nan
        found.append(image[labels == label].mean() - outside)
    return found


def crowded(seed: int, shape: tuple[int, int] = (40, 45)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = label_mask(ndimage.gaussian_filter(rng.normal(size=shape), 1.2) > 0.18)
    labels[labels == 3] = 1  # a label in two pieces
    return labels, rng.integers(0, 1000, shape)


@pytest.mark.parametrize("seed", range(4))
def test_contrast_after_the_distance_from_each_particle(seed: int) -> None:
    labels, image = crowded(seed)
    found = measure(labels, image, properties="ring_contrast").frame["ring_contrast"]
    np.testing.assert_allclose(found, contrast_by_distance(labels, image), rtol=1e-12)


@pytest.mark.parametrize("chunks", [(7, 9), (3, 45), (40, 2), (1, 1)])
def test_contrast_is_exact_across_blocks(chunks: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 1)
    labels, image = crowded(9)
    image = np.dstack([image, image[::-1]])

    class Chunked:  # says that it is chunked, without dask's cost for tiny chunks
        ndim, shape, dtype = 2, labels.shape, labels.dtype

        def __init__(self) -> None:
            self.chunks = chunks

        def __getitem__(self, index: Any) -> np.ndarray:
            return labels[index]

    wanted = ["ring_contrast", "intensity", "area", "perimeter_crofton"]
    whole, blocked = measure(labels, image, properties=wanted).frame, measure(Chunked(), image, properties=wanted).frame
    for column in whole.columns:
        np.testing.assert_allclose(blocked[column], whole[column], rtol=1e-9, err_msg=column)


def test_contrast_of_a_lone_square_by_hand() -> None:
    labels, image = np.zeros((20, 20), int), np.zeros((20, 20))
    labels[8:10, 8:10] = 4
    image[8:10, 8:10] = 50
    image[7:11, 7:11] += 1000 * (labels[7:11, 7:11] == 0)  # the gap: left out
    image[4:14, 4:14] += 10 * (image[4:14, 4:14] == 0)  # the ring: 3 px wide
    image[:4], image[14:] = 777, 777  # beyond
    assert measure(labels, image, properties="contrast").frame["ring_contrast"].tolist() == [40]


def test_no_background_no_contrast() -> None:
    found = measure(np.ones((5, 5), int), np.ones((5, 5)), properties="contrast").frame
    assert np.isnan(found.loc[0, "ring_contrast"])


# ---- confidence --------------------------------------------------------------------------------------------------


def test_confidence_stands_after_the_label() -> None:
    labels = np.array([[1, 1, 0, 5]])
    table = measure(labels, probability=np.array([[255, 0, 7, 51]], np.uint8), properties="area")
    assert table.frame.columns.tolist() == ["label", "confidence", "area_px"]
    assert table.frame["confidence"].tolist() == [0.5, 0.2]
    assert table.frame["confidence"].dtype == np.float64
    assert "confidence" in table.definitions
    assert "confidence" not in measure(labels, properties="all").frame


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_confidence_is_the_mean_over_the_particle(dtype: Any, rng: np.random.Generator) -> None:
    labels = label_mask(rng.random((60, 50)) > 0.6)
    labels[labels == 2] = 7  # in pieces
    stored = rng.integers(0, 256, labels.shape).astype(np.uint8)
    probability = stored if dtype == np.uint8 else (stored / 255).astype(dtype)
    used = np.unique(labels[labels > 0])
    expected = ndimage.mean(probability.astype(np.float64) / (255 if dtype == np.uint8 else 1), labels, used)
    for array in (probability, da.from_array(probability, chunks=13)):
        whole = measure(labels, probability=array).frame["confidence"]
        chunked = measure(da.from_array(labels, chunks=17), probability=array).frame["confidence"]
        np.testing.assert_allclose(whole, expected, rtol=1e-12)
        np.testing.assert_allclose(chunked, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("value", "confidence"), [(1.0000001, 1), (np.float32(1 + 5e-7), 1), (-1e-9, 0), (1, 1), (0, 0)]
)
def test_a_probability_may_be_off_by_rounding(value: float, confidence: float) -> None:
    found = measure(np.array([[1, 1, 0]]), probability=np.array([[value, value, 5.0]]))
    assert found.frame["confidence"].tolist() == [confidence]


def test_a_missing_probability_is_a_missing_confidence() -> None:
    labels = np.array([[1, 1, 0, 2, 2, 3, 0]])
    probability = np.array([[np.nan, 0.5, np.nan, 0.5, 0.75, np.nan, 0.1]])
    np.testing.assert_array_equal(measure(labels, probability=probability).frame["confidence"], [np.nan, 0.625, np.nan])
    with pytest.raises(ImageError, match=r"from 0\.5 to 7"):
        measure(np.ones((1, 3), int), probability=np.array([[0.5, np.nan, 7.0]]))


def test_a_stored_probability_of_nothing_or_little() -> None:
    labels = np.array([[1, 1, 0, 2]])
    assert measure(labels, probability=np.zeros((1, 4), np.uint8)).frame["confidence"].tolist() == [0, 0]
    low = measure(labels, probability=np.array([[0, 1, 0, 2]], np.uint8)).frame["confidence"]
    assert low.tolist() == pytest.approx([0.5 / 255, 2 / 255])
    # One block of 0 and 1 does not make a mask.
    mixed = da.from_array(np.array([[1, 0, 0, 255]], np.uint8), chunks=2)
    assert measure(da.from_array(labels, chunks=2), probability=mixed).frame["confidence"].tolist() == pytest.approx(
        [0.5 / 255, 1]
    )


def test_confidence_without_particles() -> None:
    found = measure(np.zeros((4, 4), int), probability=np.zeros((4, 4))).frame
    assert len(found) == 0
    assert found["confidence"].dtype == np.float64


@pytest.mark.parametrize(
    ("probability", "message"),
    [
        (np.zeros((3, 4)), r"\(3, 4\).*\(3, 3\)"),
        (np.zeros((3, 3, 2)), "one plane"),
        (np.zeros((3, 3), np.int32), "int32"),
        (np.zeros((3, 3), bool), "bool"),
        (np.full((3, 3), 5.0), "from 5 to 5"),
        (np.full((3, 3), -0.5), "from -0.5 to -0.5"),
        (np.full((3, 3), 1.00001), "from 1.00001 to 1.00001"),
        (np.full((3, 3), 1, np.uint8), "largest value under the particles is 1.*multiply it by 255"),
        (np.eye(3, dtype=np.uint8), "largest value under the particles is 1"),
    ],
)
def test_a_probability_that_is_none_gets_a_reason(probability: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        measure(np.ones((3, 3), int), probability=probability)


def test_confidence_by_name_needs_a_probability() -> None:
    with pytest.raises(SettingsError, match="Give the probability too"):
        measure(np.ones((3, 3), int), np.ones((3, 3)), properties="confidence")
    with pytest.raises(SettingsError, match="Give the probability too"):
        measure(np.ones((3, 3), int), properties="confidence")


def test_every_property_of_huge_labels_at_every_border() -> None:
    labels = np.zeros((5, 7), np.int64)
    labels[0, :3] = 2**31
    labels[2:, 0] = 2**40
    labels[4, 3:] = 9
    labels[0:3, 6] = 2**31 - 1
    table = measure(labels, rgb(np.ones((5, 7, 3))), probability=np.ones((5, 7)), properties="all")
    frame = table.frame.set_index("label")
    assert frame.index.tolist() == [9, 2**31 - 1, 2**31, 2**40]
    assert frame["touches_border"].all()
    assert frame["fibre_length_px"].tolist() == pytest.approx([4, 3, 3, 3])
    assert frame["confidence"].tolist() == [1] * 4
    assert frame["inscribed_diameter_px"].tolist() == [1] * 4
    assert (frame["ring_contrast_red"] == 0).all()
