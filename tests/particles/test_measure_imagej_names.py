"""The table under ImageJ's names, beside ImageJ's own files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage.io import imread

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.particles import label_mask
from napari_mpseg.particles.imagej_names import COLUMNS, imagej_columns
from napari_mpseg.particles.measure import measure

# Where both variances are equal or the covariance is 0, ImageJ's guards move the ellipse a little (see the other test).
_GUARDED = {"Major", "Minor", "Angle", "AR", "Round"}

_NOT_MEASURED = ["Mode", "Median"]


@pytest.mark.parametrize("fold", [2, 3, 4, 5])
def test_every_column_of_a_results_table(reference: Path, shared_data: Path, fold: int) -> None:
    folder = shared_data / "mpnet" / f"fold_{fold}"
    for name, rows in pd.read_csv(reference / f"particles_fold_{fold}.csv").groupby("image"):
        labels = label_mask(imread(folder / "labels" / name) == 0)
        grey = np.floor(imread(folder / name)[..., :3].mean(axis=2) + 0.5).astype(np.uint8)
        ours = imagej_columns(measure(labels, grey, properties="imagej").frame)
        theirs = rows.drop(columns=["dataset", "image", "particle", *_NOT_MEASURED]).reset_index(drop=True)
        assert ours.columns.tolist() == theirs.columns.tolist()  # ImageJ's names in ImageJ's order
        for column in theirs.columns:
            if column not in _GUARDED:
                np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-9, atol=1e-8, err_msg=column)
            else:
                np.testing.assert_allclose(ours[column], theirs[column], rtol=0.01, atol=0.12, err_msg=column)


@pytest.mark.parametrize("mask", ["shapes.png", "touching.png"])
def test_a_mask_measured_on_itself(reference: Path, mask: str) -> None:
    imagej = pd.read_csv(reference / mask.replace(".png", "_imagej.csv"))
    imagej = imagej[(imagej["mask"] == mask) & (imagej["variant"] == "default")].reset_index(drop=True)
    image = imread(reference / "masks" / mask)
    ours = imagej_columns(measure(label_mask(image), image, properties="imagej").frame)
    for column in ("Mean", "StdDev", "Min", "Max", "XM", "YM", "IntDen", "RawIntDen", "%Area", "XStart", "YStart"):
        np.testing.assert_allclose(ours[column], imagej[column], rtol=1e-9, atol=1e-8, err_msg=column)


def test_lengths_are_calibrated_as_imagej_does() -> None:
    # Pixels 2 um high and 0.5 um wide; the particle covers rows 4 to 9 and columns 3 to 10.
    labels, image = np.zeros((20, 20), np.int32), np.full((20, 20), 3.0)
    labels[4:10, 3:11] = 1
    calibration = Calibration((2.0, 0.5), "um")
    table = measure(labels, image, calibration=calibration, properties="imagej")
    row = imagej_columns(table.frame, calibration).iloc[0]
    assert (row["Area"], row["IntDen"], row["RawIntDen"]) == (48.0, 144.0, 144.0)
    assert (row["BX"], row["BY"], row["Width"], row["Height"]) == (1.5, 8.0, 4.0, 12.0)
    assert (row["X"], row["Y"]) == (7.0 * 0.5, 7.0 * 2.0)
    assert (row["XM"], row["YM"]) == pytest.approx((3.5, 14.0))
    assert row["Feret"] == pytest.approx(np.hypot(12, 4))
    assert (row["FeretX"], row["FeretY"]) == (3, 4)  # ImageJ leaves these in pixels
    assert (row["XStart"], row["YStart"]) == (3, 4)


def test_one_channel_at_a_time() -> None:
    image = np.dstack([np.full((4, 4), value) for value in (5.0, 7.0)])
    frame = measure(np.eye(4, dtype=int), image, properties="imagej").frame
    assert imagej_columns(frame)["Mean"].tolist() == [5.0]
    assert imagej_columns(frame, channel="1")["Mean"].tolist() == [7.0]
    assert imagej_columns(frame, channel="1")["IntDen"].tolist() == [28.0]
    calibration = Calibration.parse("2um")
    frame_in_um = measure(np.eye(4, dtype=int), image, calibration=calibration, properties="imagej").frame
    assert imagej_columns(frame_in_um, calibration, "1")["IntDen"].tolist() == [4 * 4 * 7.0]
    with pytest.raises(SettingsError, match=r"'2'.*0, 1"):
        imagej_columns(frame, channel="2")


def test_only_what_was_measured() -> None:
    labels = np.eye(4, dtype=int)
    assert imagej_columns(measure(labels, properties=["area", "circularity"]).frame).columns.tolist() == [
        "Area",
        "Circ.",
    ]
    assert "Mean" not in imagej_columns(measure(labels, properties="imagej").frame)
    everything = measure(labels, labels, properties="imagej").frame
    assert len(imagej_columns(everything).columns) == len(COLUMNS)
