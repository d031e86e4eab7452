"""What must not change: splitting into blocks, moving, turning and mirroring."""

import tracemalloc
from typing import Any

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.particles import blocks, label_mask
from napari_mpseg.particles.measure import measure

# Small images of few labels: many pieces, touching labels, holes, and particles over every border.
LABELS = arrays(
    np.int32, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.sampled_from([0, 0, 0, 1, 1, 2, 7])
)
QUICK = settings(max_examples=40, deadline=None)


class Chunked:
    """An array that says it is chunked, as dask's do, without dask's cost for thousands of tiny chunks."""

    def __init__(self, array: np.ndarray, chunks: tuple[tuple[int, ...], ...]) -> None:
        self.array, self.chunks = array, chunks
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.array[index]


def chunks_of(size: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Every way to cut `size` pixels into chunks."""
    return st.lists(st.booleans(), min_size=size - 1, max_size=size - 1).map(
        lambda cuts: tuple(np.diff([0, *(k + 1 for k, cut in enumerate(cuts) if cut), size]).tolist())
    )


# Made of sums of floating point numbers, which may be added in another order.
SUMMED = ("intensity", "centre_of", "integrated", "hue", "saturation", "ring_contrast")


def assert_same(one: pd.DataFrame, two: pd.DataFrame) -> None:
    for column in one.columns:
        if column.startswith(SUMMED):
            np.testing.assert_allclose(one[column], two[column], rtol=1e-9, atol=1e-9, err_msg=column)
    shape = [column for column in one.columns if not column.startswith(SUMMED)]
    pd.testing.assert_frame_equal(one[shape], two[shape], check_exact=True)


@pytest.fixture
def _native_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep small chunks apart, which are otherwise read together."""
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 1)


@pytest.mark.usefixtures("_native_blocks")
def test_chunking_any_way_gives_the_same_table() -> None:
    @settings(QUICK, max_examples=60)
    @given(st.data())
    def check(data: Any) -> None:
        labels = data.draw(LABELS)
        random = np.random.default_rng(0)
        image = Image(random.integers(0, 256, (*labels.shape, 3)), channels=("red", "green", "blue"))
        more = {"calibration": data.draw(st.sampled_from([None, Calibration((2.0, 0.7), "um")])), "properties": "all"}
        more["probability"] = random.integers(2, 256, labels.shape).astype(np.uint8)
        chunks = tuple(data.draw(chunks_of(size)) for size in labels.shape)
        whole = measure(labels, image, **more).frame
        chunked = Chunked(labels, chunks)
        assert len(blocks.blocks_of(chunked)) == len(chunks[0]) * len(chunks[1])
        assert_same(measure(chunked, image, **more).frame, whole)

    check()


def test_dense_noise_over_many_chunks(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 16)
    labels = label_mask(rng.random((150, 170)) > 0.55)  # near percolation: particles as large as the image
    image = rng.integers(0, 65535, labels.shape).astype(np.uint16)
    whole = measure(da.from_array(labels, chunks=-1), image).frame
    assert_same(measure(da.from_array(labels, chunks=(16, 23)), image).frame, whole)
    assert_same(measure(labels, image).frame, whole)


def test_zarr_with_and_without_shards(tmp_path: Any, rng: np.random.Generator) -> None:
    labels = label_mask(rng.random((70, 50)) > 0.6)
    expected = measure(labels).frame
    plain = zarr.create_array(tmp_path / "plain", shape=labels.shape, chunks=(16, 16), dtype=labels.dtype)
    sharded = zarr.create_array(
        tmp_path / "sharded", shape=labels.shape, chunks=(8, 8), shards=(32, 32), dtype=labels.dtype
    )
    for store in (plain, sharded):
        store[:] = labels
        assert_same(measure(store).frame, expected)


def test_blocks_keep_native_chunks_and_bound_memory() -> None:
    stripes = da.zeros((10_000, 50_000), chunks=(1, 50_000), dtype=np.uint8)
    found = blocks.blocks_of(stripes)
    assert all(block.width == 50_000 and block.height * block.width <= 2048 * 2048 for block in found)
    assert sum(block.height for block in found) == 10_000
    tiles = blocks.blocks_of(da.zeros((3000, 5000), chunks=(500, 700), dtype=np.uint8))
    assert {block.y % 500 for block in tiles} == {block.x % 700 for block in tiles} == {0}
    assert sum(block.height * block.width for block in tiles) == 3000 * 5000
    assert max(block.height * block.width for block in tiles) <= 2048 * 2048


def test_image_is_read_only_where_labels_are() -> None:
    asked: list[tuple[slice, slice]] = []

    class Watched:
        shape, dtype, ndim = (5000, 3000), np.dtype(np.uint8), 2

        def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
            asked.append(index)
            return np.full([part.stop - part.start for part in index], 9, np.uint8)

    labels = np.zeros((5000, 3000), np.uint8)
    labels[4000:4010, 70:75] = 1
    assert measure(labels, Watched()).frame["intensity_mean"].tolist() == [9]
    assert asked == [(slice(4000, 4010), slice(70, 75))]


@QUICK
@given(LABELS, st.integers(0, 9), st.integers(0, 9))
def test_moving_changes_only_the_position(labels: np.ndarray, down: int, right: int) -> None:
    base = measure(labels, properties="all").frame
    moved = measure(np.pad(labels, ((down, 0), (right, 0))), properties="all").frame
    for column in base.columns:
        shift = 0
        if column.startswith(("centroid", "bbox", "feret_start", "first")):
            shift = down if "_y" in column else right
        if column != "touches_border":
            np.testing.assert_allclose(moved[column], base[column] + shift, rtol=1e-14, atol=1e-12, err_msg=column)


@QUICK
@given(LABELS, st.integers(1, 3), st.booleans())
def test_turning_and_mirroring_keep_sizes_and_ratios(labels: np.ndarray, turns: int, mirror: bool) -> None:
    wanted = ["default", "crofton", "morphology", "fibre"]
    base = measure(labels, properties=wanted).frame
    turned = np.rot90(labels, turns)
    other = measure(turned[:, ::-1] if mirror else turned, properties=wanted).frame
    # ImageJ's perimeter is not among them: it depends on where the outline starts. Nor is the length of a centre line:
    # of two ways of equal cost another may be taken.
    kept = [
        "label",
        "area_px",
        "convex_area_px",
        "equivalent_diameter_px",
        "feret_max_px",
        "feret_min_px",
        "major_axis_px",
        "minor_axis_px",
    ]
    kept += ["perimeter_crofton_px", "circularity_crofton", "holes", "filled_area_px", "inscribed_diameter_px"]
    kept += ["arc_length_px", "arc_width_px"]
    kept += ["roundness", "feret_roundness", "compactness", "aspect_ratio", "solidity", "extent", "touches_border"]
    for column in kept:
        np.testing.assert_allclose(other[column], base[column], rtol=1e-9, err_msg=column)
    elongated = base["aspect_ratio"] > 1.01
    expected = base["orientation_deg"] + 90 * turns
    expected = 180 - expected if mirror else expected
    difference = (other["orientation_deg"] - expected + 90) % 180 - 90
    assert np.abs(difference[elongated]).max() < 1e-6 if elongated.any() else True


@QUICK
@given(LABELS)
def test_bounds_that_geometry_demands(labels: np.ndarray) -> None:
    frame = measure(labels, properties="all").frame
    assert len(frame) == len(np.unique(labels[labels > 0]))
    assert frame["area_px"].sum() == np.count_nonzero(labels)
    assert (frame["feret_min_px"] <= frame["feret_max_px"] * (1 + 1e-12)).all()
    assert (frame["minor_axis_px"] <= frame["major_axis_px"] * (1 + 1e-12)).all()
    assert (frame["inscribed_diameter_px"] <= frame["feret_min_px"] * (1 + 1e-12)).all()
    assert (frame["inscribed_diameter_px"] >= 1).all()
    assert (frame["filled_area_px"] >= frame["area_px"]).all()
    assert (frame["holes"] >= 0).all()
    assert (frame["fibre_length_px"] > 0).all()
    assert (frame["arc_length_px"] >= frame["arc_width_px"] * (1 - 1e-12)).all()
    for column in ("circularity", "circularity_crofton", "solidity", "extent", "compactness", "roundness"):
        assert frame[column].between(0, 1 + 1e-12, inclusive="right").all(), column


@pytest.mark.parametrize("factor", [2, 5])
def test_enlarging_scales_as_the_unit_says(factor: int) -> None:
    labels = label_mask(np.random.default_rng(3).random((40, 40)) > 0.6)
    wanted = ["default", "morphology"]
    base = measure(labels, properties=wanted).frame
    large = measure(np.kron(labels, np.ones((factor, factor), labels.dtype)), properties=wanted).frame
    for column, power in (
        ("area_px", 2),
        ("filled_area_px", 2),
        ("holes", 0),
        ("convex_area_px", 2),
        ("feret_max_px", 1),
        ("feret_min_px", 1),
        ("extent", 0),
    ):
        np.testing.assert_allclose(large[column], base[column] * factor**power, rtol=1e-12)
    np.testing.assert_array_equal(large["feret_angle_deg"], base["feret_angle_deg"])


def test_memory_is_that_of_a_block_not_of_the_image() -> None:
    side, chunk, pitch = 8192, 512, 300

    def make(block_info: Any = None) -> np.ndarray:
        (y0, y1), (x0, x1) = block_info[None]["array-location"]
        y, x = np.arange(y0, y1)[:, None], np.arange(x0, x1)
        inside = (y % pitch - 150) ** 2 + (x % pitch - 150) ** 2 < 90**2
        return np.where(inside, y // pitch * 100 + x // pitch + 1, 0).astype(np.int32)

    meta = np.empty((0, 0), np.int32)
    labels = da.map_blocks(make, chunks=((chunk,) * 16, (chunk,) * 16), dtype=np.int32, meta=meta)
    wanted = ["default", "crofton", "morphology", "contrast"]
    measure(labels[:600, :600], labels[:600, :600], properties=wanted)
    tracemalloc.start()
    try:
        with dask.config.set(scheduler="synchronous"):
            table = measure(labels, labels.astype(np.uint8), properties=wanted)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(table) == 28**2  # the last row and column are cut by the image's border
    assert peak < 200 * 2**20 < side**2 * 4  # labels alone would be 256 MiB, the image 64
