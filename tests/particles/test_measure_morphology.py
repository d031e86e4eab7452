"""Perimeter estimators, holes, filled area and inscribed circles, against other libraries and formulas by hand."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from skimage.io import imread
from skimage.measure import euler_number, perimeter_crofton, regionprops_table

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import UnknownNameError
from napari_mpseg.particles import label_mask
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.perimeters import PERIMETERS


def blobs(rng: np.random.Generator, smooth: float, shape: tuple[int, int] = (70, 80)) -> np.ndarray:
    return label_mask(ndimage.gaussian_filter(rng.normal(size=shape), smooth) > 0)


def disc(radius: float) -> np.ndarray:
    y, x = np.mgrid[: int(2 * radius + 7), : int(2 * radius + 7)] - (radius + 3.0)
    return (np.hypot(y, x) <= radius).astype(np.int32)


def ring(outer: float, inner: float) -> np.ndarray:
    y, x = np.mgrid[: int(2 * outer + 7), : int(2 * outer + 7)] - (outer + 3.0)
    return ((np.hypot(y, x) <= outer) & (np.hypot(y, x) > inner)).astype(np.int32)


@pytest.mark.parametrize("smooth", [0.0, 0.6, 1.5, 4.0])
def test_crofton_perimeter_is_that_of_scikit_image(rng: np.random.Generator, smooth: float) -> None:
    labels = blobs(rng, smooth)
    ours = measure(labels, properties=["perimeter_crofton", "circularity_crofton"]).frame
    theirs = regionprops_table(labels, properties=("perimeter_crofton", "area"))
    np.testing.assert_allclose(ours["perimeter_crofton_px"], theirs["perimeter_crofton"], rtol=1e-12)
    circularity = np.minimum(4 * np.pi * theirs["area"] / theirs["perimeter_crofton"] ** 2, 1)
    np.testing.assert_allclose(ours["circularity_crofton"], circularity, rtol=1e-12)


def test_crofton_perimeter_of_a_label_in_pieces_is_that_of_its_mask() -> None:
    mask = np.random.default_rng(4).random((40, 40)) > 0.6
    found = measure(mask.astype(np.int32), properties="crofton").frame
    assert found["perimeter_crofton_px"].tolist() == pytest.approx([perimeter_crofton(np.pad(mask, 1))])


def test_crofton_perimeter_where_pixels_are_not_square() -> None:
    # A disc of 30 um, pixels 0.5 um high and 1 um wide; and the same disc turned by 90 degrees.
    y, x = np.mgrid[:80, :50]
    mask = (np.hypot((y - 39.7) * 0.5, x - 24.6) <= 15).astype(np.int32)
    one = measure(mask, calibration=Calibration((0.5, 1.0), "um"), properties="crofton").frame
    two = measure(np.rot90(mask), calibration=Calibration((1.0, 0.5), "um"), properties="crofton").frame
    assert one.loc[0, "perimeter_crofton_um"] == pytest.approx(math.pi * 30, rel=0.05)
    assert two.loc[0, "perimeter_crofton_um"] == pytest.approx(one.loc[0, "perimeter_crofton_um"], rel=1e-12)


@pytest.mark.parametrize("name", list(PERIMETERS))
def test_the_estimator_chosen_fills_perimeter_and_circularity(rng: np.random.Generator, name: str) -> None:
    labels = blobs(rng, 1.0)
    table = measure(labels, properties=["area", "perimeter", "circularity"], perimeter=name)
    expected = measure(labels, properties=["perimeter", "perimeter_crofton"]).frame
    perimeter = expected["perimeter_px" if name == "imagej" else "perimeter_crofton_px"]
    np.testing.assert_array_equal(table.frame["perimeter_px"], perimeter)
    circularity = np.minimum(4 * np.pi * table.frame["area_px"] / perimeter**2, 1)
    np.testing.assert_allclose(table.frame["circularity"], circularity)
    assert table.provenance["settings"]["perimeter"] == name


def test_an_unknown_estimator_gets_a_reason() -> None:
    with pytest.raises(UnknownNameError, match="imagej, crofton"):
        measure(np.eye(3, dtype=int), perimeter="croftn")


@pytest.mark.parametrize("name", list(PERIMETERS))
def test_estimators_come_near_the_true_length_of_large_discs(name: str) -> None:
    found = measure(disc(400), properties="perimeter", perimeter=name).frame.loc[0, "perimeter_px"]
    # ImageJ's rule counts a staircase in all directions: it stays 5 to 6 % too long, however large the disc.
    limits = {"imagej": (1.045, 1.06), "crofton": (0.998, 1.002)}[name]
    assert limits[0] < found / (2 * math.pi * 400) < limits[1]


def test_holes_after_euler(rng: np.random.Generator) -> None:
    labels = blobs(rng, 0.7)
    found = measure(labels, properties="holes").frame
    assert found["holes"].dtype == np.int64
    expected = 1 - regionprops_table(labels, properties=("euler_number",))["euler_number"]
    np.testing.assert_array_equal(found["holes"], expected)
    one = np.random.default_rng(2).random((60, 60)) > 0.5  # many pieces: components less the Euler number
    holes = ndimage.label(one, np.ones((3, 3)))[1] - euler_number(one, 2)
    assert measure(one.astype(int), properties="holes").frame["holes"].tolist() == [holes]


def test_what_lies_in_a_hole_is_no_particle_pixel() -> None:
    labels = np.ones((7, 7), np.int32)
    labels[2:5, 2:5] = 2  # another particle
    labels[5, 5] = 0  # beside it, touching only with a corner
    assert measure(labels, properties="holes").frame["holes"].tolist() == [2, 0]
    assert measure(labels, properties="filled_area").frame["filled_area_px"].tolist() == [49, 9]


def test_filled_area_as_scikit_image(rng: np.random.Generator) -> None:
    labels = blobs(rng, 0.8)
    # Holes are joined by their sides, as in ImageJ: scipy fills what its 4-connected background cannot reach.
    expected = [
        ndimage.binary_fill_holes(labels[box] == k + 1).sum() for k, box in enumerate(ndimage.find_objects(labels))
    ]
    assert measure(labels, properties="filled_area").frame["filled_area_px"].tolist() == expected


def test_filled_area_as_imagej_with_holes(reference: Path) -> None:
    imagej = pd.read_csv(reference / "shapes_imagej.csv")
    imagej = imagej[(imagej["mask"] == "shapes.png") & (imagej["variant"] == "include")]
    ours = measure(label_mask(imread(reference / "masks" / "shapes.png")), properties=["imagej", "filled_area"])
    places = imagej.set_index(["XStart", "YStart"])["Area"]
    frame = ours.frame.set_index(["first_x", "first_y"])
    # With holes included, ImageJ leaves out what lies in them.
    np.testing.assert_array_equal(frame.loc[places.index, "filled_area_px"], places)


def inscribed_by_distance_transform(mask: np.ndarray, height: float, width: float) -> float:
    """Return the diameter by scipy's distance transform, on points half a pixel apart."""
    mask = np.pad(mask, 1)
    inside = np.ones((2 * mask.shape[0] + 1, 2 * mask.shape[1] + 1), bool)
    for y, x in zip(*np.nonzero(~mask), strict=True):
        inside[2 * y : 2 * y + 3, 2 * x : 2 * x + 3] = False  # the whole pixel, its sides and corners
    return float(2 * ndimage.distance_transform_edt(inside, sampling=(height / 2, width / 2)).max())


@pytest.mark.parametrize(("height", "width"), [(1.0, 1.0), (0.5, 0.5), (2.0, 0.7)])
@pytest.mark.parametrize("smooth", [0.5, 2.0, 5.0])
def test_inscribed_circle_after_the_distance_transform(smooth: float, height: float, width: float) -> None:
    labels = blobs(np.random.default_rng(7), smooth, (50, 60))
    found = measure(labels, calibration=Calibration((height, width), "um"), properties="inscribed_diameter").frame
    for k, box in enumerate(ndimage.find_objects(labels)):
        mask = labels[box] == k + 1
        assert found.loc[k, "inscribed_diameter_um"] == pytest.approx(
            inscribed_by_distance_transform(mask, height, width)
        )
        assert found.loc[k, "inscribed_diameter_px"] == pytest.approx(inscribed_by_distance_transform(mask, 1, 1))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (2, 2), (5, 5), (6, 20), (20, 7)])
def test_inscribed_circle_of_a_rectangle_is_its_short_side(height: int, width: int) -> None:
    labels = np.ones((height, width), np.int32)  # the image ends where the particle does
    assert measure(labels, properties="inscribed_diameter").frame.loc[0, "inscribed_diameter_px"] == min(height, width)


def test_inscribed_circle_is_the_largest_of_all_pieces() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[1:4, 1:4] = labels[8:14, 8:14] = 5
    assert measure(labels, properties="morphology").frame.loc[0, "inscribed_diameter_px"] == 6


def test_ring_and_disc_after_their_formulas() -> None:
    labels = ring(40.0, 25.0)
    found = measure(labels, properties=["morphology", "crofton"]).frame.iloc[0]
    assert found["holes"] == 1
    assert found["filled_area_px"] == disc(40.0).sum()
    assert found["inscribed_diameter_px"] == pytest.approx(15, abs=1)
    assert found["perimeter_crofton_px"] == pytest.approx(2 * math.pi * 65, rel=0.01)
    assert measure(disc(40.0), properties="inscribed_diameter").frame.iloc[0, 1] == pytest.approx(80, abs=1.5)


def test_thin_lines_across_a_large_image_cost_only_their_pixels() -> None:
    labels = np.zeros((3000, 3000), np.uint8)
    labels[np.arange(3000), np.arange(3000)] = labels[1500] = labels[:, 1500] = 1
    found = measure(labels, properties=["morphology", "fibre"]).frame.iloc[0]
    assert found["holes"] == 0
    assert found["inscribed_diameter_px"] == 2  # four pixels where all three meet
    assert found["fibre_length_px"] == pytest.approx(3000 * math.sqrt(2), rel=0.001)
