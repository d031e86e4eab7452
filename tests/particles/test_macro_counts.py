"""The macro's own counts equal ImageJ's, with its fragments that count twice."""

import csv

import dask.array as da
import numpy as np
import pytest
import zarr
from skimage.io import imread

from napari_mpseg.errors import Cancelled, ImageError, SettingsError
from napari_mpseg.methods.grey import GreyScale
from napari_mpseg.particles.labelling import label_mask
from napari_mpseg.particles.macro_counts import macro_counts
from napari_mpseg.progress import CancelToken

SCALES = {
    "mpvat1_invert_maxentropy": GreyScale(inverted=True),
    "mpvat1_weighted_grey": GreyScale(channel="weighted-grey", inverted=True),
    "mpvat2_rg_renyi": GreyScale(channel="red-green"),
    "mpvat2_rgb_renyi": GreyScale(channel="red-green-blue"),
}


def _mask(row, folder):
    """Return the mask within ImageJ's own limits, or the expert's as ImageJ reads it."""
    if row["pipeline"] in SCALES:
        grey = SCALES[row["pipeline"]].apply(imread(folder / row["image"])[..., :3])
        return (grey >= float(row["lower"])) & (grey <= float(row["upper"]))
    return (imread(folder / "labels" / row["image"]) == 0) == (row["pipeline"] == "gt_mask_blackbg_false")


def _compare(reference, shared_data, pipeline, every=1):
    with (reference / "mpvat_counts.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["pipeline"] == pipeline]
    compared = 0
    for row in rows[::every]:
        folder = shared_data / "mpnet" / f"fold_{row['dataset']}"
        if not (folder / row["image"]).exists():
            continue
        found = macro_counts(_mask(row, folder)).set_index("class")
        counts = [*found["count"][:3], found["count_without_watershed"]["particle"]]
        named = ("n_fibers", "n_fragments", "n_particles_watershed", "n_particles_nows")
        assert counts == [int(row[key]) for key in named], row["image"]
        areas = ("area_fibers", "area_fragments", "area_particles_watershed")
        assert found["area_px"][:3].tolist() == [int(row[key]) for key in areas], row["image"]
        compared += 1
    assert compared >= 60 / every


@pytest.mark.parametrize("pipeline", ["mpvat1_invert_maxentropy", "mpvat2_rgb_renyi"])
def test_counts_and_areas_equal_imagej_on_every_patch(pipeline, reference, shared_data):
    _compare(reference, shared_data, pipeline)


@pytest.mark.slow
@pytest.mark.parametrize(
    "pipeline", ["mpvat1_weighted_grey", "mpvat2_rg_renyi", "gt_mask_blackbg_false", "gt_mask_blackbg_true"]
)
def test_other_counts_and_areas_equal_imagej_on_every_patch(pipeline, reference, shared_data):
    _compare(reference, shared_data, pipeline)


def test_45_touching_shapes_are_reported_as_102(reference):
    mask = imread(reference / "masks" / "touching.png") > 0
    found = macro_counts(mask).set_index("class")
    assert found["count"].to_dict() == {"fiber": 1, "fragment": 9, "particle": 92, "total": 102}
    assert found["count_without_watershed"]["total"] == 45
    assert found["area_px"]["total"] > mask.sum()  # the same pixels twice


@pytest.mark.parametrize("kind", ["numpy", "zarr", "dask", "gaps"])
def test_labels_in_blocks_count_as_the_mask_does(kind, reference, tmp_path):
    mask = imread(reference / "masks" / "touching.png") > 0
    labels = label_mask(mask)
    given = {
        "numpy": lambda: labels,
        "gaps": lambda: labels * 1000,
        "dask": lambda: da.from_array(labels, chunks=(100, 70)),
        "zarr": lambda: _stored(labels, tmp_path),
    }[kind]()
    assert macro_counts(given).equals(macro_counts(mask))


def _stored(labels, folder):
    array = zarr.create_array(folder / "labels.zarr", shape=labels.shape, chunks=(64, 64), dtype=labels.dtype)
    array[:] = labels
    return array


def test_windows_smaller_than_the_image_change_nothing(reference, monkeypatch):
    """Particles that lie in several blocks, and at the image's border, are cut as in one piece."""
    mask = imread(reference / "masks" / "touching.png")[30:] > 0
    whole = macro_counts(mask)
    monkeypatch.setattr("napari_mpseg.particles.blocks.BLOCK_SIZE", 50)
    assert macro_counts(da.from_array(label_mask(mask), chunks=50)).equals(whole)


def test_borders_of_circularity_and_size_count_on_both_sides():
    mask = np.zeros((20, 40), bool)
    mask[2, 2:4] = True  # 2 px
    mask[5:8, 5:8] = True  # 9 px
    assert macro_counts(mask)["count"].tolist() == [0, 0, 1, 1]
    assert macro_counts(mask, min_size=2)["count"].tolist() == [0, 0, 2, 2]
    assert macro_counts(mask, min_size=9, max_size=9)["count"].tolist() == [0, 0, 1, 1]
    assert macro_counts(mask, min_size=10)["count"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("empty", [np.zeros((8, 9), bool), np.zeros((8, 9), np.int32)])
def test_nothing_is_counted_as_nothing(empty):
    found = macro_counts(empty)
    assert found["class"].tolist() == ["fiber", "fragment", "particle", "total"]
    assert not found.drop(columns="class").to_numpy().any()


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(SettingsError, match="10 to 3"):
        macro_counts(np.ones((3, 3), bool), min_size=10, max_size=3)
    with pytest.raises(ImageError, match="two"):
        macro_counts(np.ones((3, 3, 3), np.int32))
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        macro_counts(np.ones((3, 3), np.int32), cancel=token)
