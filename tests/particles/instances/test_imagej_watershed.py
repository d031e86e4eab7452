"""ImageJ's binary watershed, pixel by pixel beside ImageJ's own pictures."""

import numpy as np
import pandas as pd
import pytest
from skimage.io import imread

from napari_mpseg.errors import Cancelled
from napari_mpseg.particles.instances import InstanceSettings, make_instances
from napari_mpseg.particles.instances.imagej_watershed import imagej_watershed
from napari_mpseg.particles.measure import measure
from napari_mpseg.progress import CancelToken

MASKS = ["touching", "shapes_misc", "shapes_ellipses"]


@pytest.mark.parametrize("name", MASKS)
def test_every_pixel_is_cut_as_in_imagej(reference, name):
    theirs = imread(reference / "masks" / f"{name}_imagej_watershed.png") > 0
    np.testing.assert_array_equal(imagej_watershed(imread(reference / "masks" / f"{name}.png")), theirs)


@pytest.mark.parametrize(("name", "count"), [("touching", 92), ("shapes_misc", 318)])
def test_parts_are_numbered_as_in_imagejs_picture(reference, name, count):
    theirs = imread(reference / "masks" / f"{name}_imagej_watershed_labels.png")
    labels = make_instances(
        imread(reference / "masks" / f"{name}.png"), InstanceSettings(way="imagej-watershed", connectivity=2)
    )
    np.testing.assert_array_equal(labels, theirs)
    assert labels.max() == count
    assert labels.dtype == np.int32


def test_parts_of_each_group_of_touching_discs(reference):
    groups = pd.read_csv(reference / "touching_groups.csv").set_index("group")
    discs = pd.read_csv(reference / "masks" / "touching_truth.csv")
    labels = make_instances(imread(reference / "masks" / "touching.png"), InstanceSettings(way="imagej-watershed"))
    # Every part has its middle next to a disc: count each part for the group of the nearest one.
    parts = np.array([np.argwhere(labels == number).mean(0) for number in range(1, labels.max() + 1)])
    away = np.hypot(parts[:, :1] - discs["cy"].to_numpy(), parts[:, 1:] - discs["cx"].to_numpy())
    counted = discs["group"].iloc[away.argmin(1)].value_counts()
    for group, row in groups.iterrows():
        assert counted.get(group, 0) == row["imagej_watershed_parts"], row["name"]


def test_the_parts_measured_are_imagejs_table(reference):
    theirs = pd.read_csv(reference / "touching_imagej.csv").query("mask == 'touching.png' and variant == 'watershed'")
    labels = make_instances(imread(reference / "masks" / "touching.png"), InstanceSettings(way="imagej-watershed"))
    ours = measure(labels).frame
    np.testing.assert_array_equal(ours["area_px"], theirs["Area"])
    np.testing.assert_allclose(ours["perimeter_px"], theirs["Perim."], rtol=0, atol=1e-8)


def test_a_greater_tolerance_cuts_less(reference):
    mask = imread(reference / "masks" / "touching.png")
    counts = [
        make_instances(mask, InstanceSettings(way="imagej-watershed", options={"tolerance": value})).max()
        for value in (0.5, 1.0, 3.0, 100.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == make_instances(mask).max()


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (3, 4)])
def test_a_full_or_empty_image_is_not_cut(shape):
    assert imagej_watershed(np.ones(shape, bool)).all()
    assert not imagej_watershed(np.zeros(shape, bool)).any()


def test_it_stops_when_asked():
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        imagej_watershed(np.ones((5, 5)), cancel=cancel)
