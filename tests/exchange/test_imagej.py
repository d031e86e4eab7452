"""The Results table beside ImageJ's own."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.exchange.export import export
from napari_mpseg.exchange.imagej import imagej_frame


@pytest.fixture
def ours(reference):
    """The mask of shapes, measured on itself."""
    from skimage.io import imread

    from napari_mpseg.particles import label_mask
    from napari_mpseg.particles.measure import measure

    mask = imread(reference / "masks" / "shapes.png")
    return measure(label_mask(mask), mask, properties="all")


@pytest.fixture
def theirs(reference):
    table = pd.read_csv(reference / "shapes_imagej.csv")
    return table[(table["mask"] == "shapes.png") & (table["variant"] == "default")].reset_index(drop=True)


def test_columns_and_numbers_are_imagejs(ours, theirs, tmp_path):
    path = export(ours, tmp_path, "shapes", "imagej-results")["imagej-results"]
    frame = pd.read_csv(path)
    assert frame.columns[0] == " "
    assert frame[" "].tolist() == list(range(1, len(theirs) + 1))
    order = [name for name in theirs.columns if name not in ("mask", "variant", "particle")]
    known = [name for name in frame.columns if name in order]
    assert known == [name for name in order if name in known]
    assert set(order) - set(known) <= {"Mode", "Median"}
    for name in ("Area", "X", "Y", "Perim.", "BX", "BY", "Width", "Height", "Circ.", "Feret", "MinFeret", "Solidity"):
        np.testing.assert_allclose(frame[name], theirs[name], rtol=0, atol=1e-6, err_msg=name)
    for name in ("Mean", "StdDev", "Min", "Max", "XM", "YM", "IntDen", "RawIntDen"):
        np.testing.assert_allclose(frame[name], theirs[name], rtol=1e-9, atol=1e-6, err_msg=name)


def test_particle_and_class_come_after_imagejs_columns(table):
    frame = imagej_frame(table)
    assert frame.columns[-2:].tolist() == ["Particle", "Class"]
    assert frame["Particle"].tolist() == [3, 5, 8, 9, 12]
    assert frame.index.tolist() == [1, 2, 3, 4, 5]
    assert frame["Area"].tolist() == (table.frame["area_px"] * 4).tolist()
    assert frame["Circ."].tolist() == table.frame["circularity"].tolist()


def test_without_a_pixel_size_areas_are_pixels(table):
    from dataclasses import replace

    plain = replace(table, frame=table.frame.drop(columns="area_um2"), calibration=Calibration())
    assert imagej_frame(plain)["Area"].tolist() == table.frame["area_px"].tolist()


def test_of_several_channels_the_first_is_written_and_said(table, tmp_path):
    table = table.with_columns(intensity_mean_red=[5.0] * 5, intensity_mean_green=[7.0] * 5)
    paths = export(table, tmp_path, "x", "imagej-results")
    assert pd.read_csv(paths["imagej-results"])["Mean"].tolist() == [5.0] * 4
    assert "the first of 2, red" in json.loads(paths["record"].read_text(encoding="utf-8"))["notes"][0]
