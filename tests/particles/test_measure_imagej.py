"""The table beside ImageJ's own, row by row, on every reference mask."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import find_objects
from skimage.io import imread

from napari_mpseg.particles import label_mask
from napari_mpseg.particles.measure import measure

# Our column, ImageJ's column, what ImageJ adds to it.
EXACT = [
    ("area_px", "Area", 0.0),
    ("bbox_x0", "BX", 0.0),
    ("bbox_y0", "BY", 0.0),
    ("feret_start_x_px", "FeretX", 0.0),
    ("feret_start_y_px", "FeretY", 0.0),
]
ROUNDED = [
    ("centroid_x_px", "X", 0.5),
    ("centroid_y_px", "Y", 0.5),
    ("perimeter_px", "Perim.", 0.0),
    ("circularity", "Circ.", 0.0),
    ("feret_max_px", "Feret", 0.0),
    ("feret_min_px", "MinFeret", 0.0),
    ("feret_angle_deg", "FeretAngle", 0.0),
    ("solidity", "Solidity", 0.0),
]
ELLIPSE = [("major_axis_px", "Major"), ("minor_axis_px", "Minor"), ("aspect_ratio", "AR"), ("roundness", "Round")]
INTENSITY = [
    ("intensity_mean", "Mean", 0.0),
    ("intensity_min", "Min", 0.0),
    ("intensity_max", "Max", 0.0),
    ("intensity_std", "StdDev", 0.0),
    ("intensity_sum", "RawIntDen", 0.0),
    ("centre_of_mass_x_px", "XM", 0.5),
    ("centre_of_mass_y_px", "YM", 0.5),
    ("intensity_skewness", "Skew", 0.0),
    ("intensity_kurtosis", "Kurt", 0.0),
    ("integrated_density_px", "IntDen", 0.0),
    ("area_fraction", "%Area", 0.0),
]


def assert_shapes_agree(ours: pd.DataFrame, imagej: pd.DataFrame, digits: int) -> None:
    assert len(ours) == len(imagej)
    print_rounding = 0.51 * 10.0**-digits
    for mine, theirs, shift in EXACT:
        np.testing.assert_array_equal(ours[mine] + shift, imagej[theirs], err_msg=theirs)
    np.testing.assert_array_equal(ours["bbox_x1"] - ours["bbox_x0"], imagej["Width"])
    np.testing.assert_array_equal(ours["bbox_y1"] - ours["bbox_y0"], imagej["Height"])
    for mine, theirs, shift in ROUNDED:
        np.testing.assert_allclose(ours[mine] + shift, imagej[theirs], rtol=0, atol=print_rounding, err_msg=theirs)
    # ImageJ guards tan and sin by 1e-6: where both variances are equal, or the covariance is 0, its ellipse is a
    # little off the closed form. Exactly these particles have axes along a side or a diagonal of the grid.
    guarded = np.abs((ours["orientation_deg"] + 1.0) % 45.0 - 1.0) < 1e-9
    for mine, theirs in ELLIPSE:
        np.testing.assert_allclose(ours[mine][~guarded], imagej[theirs][~guarded], rtol=0, atol=1e-6, err_msg=theirs)
        np.testing.assert_allclose(ours[mine], imagej[theirs], rtol=0.2, err_msg=theirs)
    turned = (ours["orientation_deg"] - imagej["Angle"] + 90.0) % 180.0 - 90.0
    assert turned[~guarded].abs().to_numpy().max(initial=0) <= 1e-6
    off_round = imagej["AR"] > 1.001  # the axis of a round particle points anywhere
    assert turned[off_round].abs().to_numpy().max(initial=0) <= 0.12


@pytest.mark.parametrize("mask", ["shapes.png", "touching.png"])
def test_synthetic_shapes(reference: Path, mask: str) -> None:
    imagej = pd.read_csv(reference / mask.replace(".png", "_imagej.csv"))
    imagej = imagej[(imagej["mask"] == mask) & (imagej["variant"] == "default")].reset_index()
    labels = label_mask(imread(reference / "masks" / mask))
    assert_shapes_agree(measure(labels, properties="imagej").frame, imagej, digits=9)


@pytest.mark.parametrize("mask", ["shapes.png", "touching.png"])
def test_synthetic_shapes_one_by_one(reference: Path, mask: str) -> None:
    """Every disc, ellipse, fibre, ring, L, pair and single pixel, alone in an image of its own size."""
    imagej = pd.read_csv(reference / mask.replace(".png", "_imagej.csv"))
    imagej = imagej[(imagej["mask"] == mask) & (imagej["variant"] == "default")].reset_index(drop=True)
    labels = label_mask(imread(reference / "masks" / mask))
    for k, box in enumerate(find_objects(labels)):
        alone = (labels[box] == k + 1).astype(np.uint8)
        expected = imagej.iloc[[k]].reset_index(drop=True)
        for column, start in (("X", "BX"), ("Y", "BY"), ("FeretX", "BX"), ("FeretY", "BY")):
            expected[column] -= expected[start]
        assert_shapes_agree(measure(alone, properties="imagej").frame, expected.assign(BX=0, BY=0), digits=8)


def test_fifteen_thousand_nanoparticles(reference: Path) -> None:
    imagej = pd.read_csv(reference / "dense_1280x960_imagej.csv.gz")
    labels = label_mask(imread(reference / "masks" / "dense_1280x960.png"))
    assert_shapes_agree(measure(labels, properties="imagej").frame, imagej, digits=6)


@pytest.mark.slow
def test_whole_filter(reference: Path) -> None:
    imagej = pd.read_csv(reference / "large_7140x5424_imagej.csv.gz")
    labels = label_mask(imread(reference / "masks" / "large_7140x5424.png"))
    assert_shapes_agree(measure(labels, properties="imagej").frame, imagej, digits=6)


@pytest.mark.parametrize("fold", [2, 3, 4, 5])
def test_real_particles_with_intensities(reference: Path, shared_data: Path, fold: int) -> None:
    imagej = pd.read_csv(reference / f"particles_fold_{fold}.csv")
    folder = shared_data / "mpnet" / f"fold_{fold}"
    for name, rows in imagej.groupby("image"):
        labels = label_mask(imread(folder / "labels" / name) == 0)  # 0 is particle in these masks
        # ImageJ's 8-bit conversion of an RGB image: the mean of the channels, rounded half up.
        grey = np.floor(imread(folder / name)[..., :3].mean(axis=2) + 0.5).astype(np.uint8)
        ours, theirs = measure(labels, grey, properties="imagej").frame, rows.reset_index()
        assert_shapes_agree(ours, theirs, digits=9)
        for mine, column, shift in INTENSITY:
            np.testing.assert_allclose(ours[mine] + shift, theirs[column], rtol=1e-9, atol=1e-8, err_msg=column)
