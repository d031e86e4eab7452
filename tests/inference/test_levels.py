"""Levels for display: the largest of each 2 x 2 pixels, valid OME-Zarr, the same bytes each time."""

import hashlib
import itertools
import pickle

import numpy as np
import pytest
import zarr
from skimage.measure import block_reduce

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, StoreError
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.levels import HalveTiles, halved, level_shapes, reduced, write_levels
from napari_mpseg.inference.store import create_store, open_store, read_stored
from napari_mpseg.progress import CancelToken

SHAPE, TILE = (150, 205), 32
GROUPS = {"probability": "", "labels": "labels/particles"}


@pytest.fixture
def store(tmp_path, rng):
    arrays = create_store(tmp_path / "r.ome.zarr", SHAPE, TILE, Calibration((2.0, 2.5), "um"), "r")
    labels = np.where(rng.random(SHAPE) > 0.95, rng.integers(1, 99, SHAPE), 0).astype(np.int32)
    labels[64:128, :96] = 0  # whole tiles of nothing, whose level is nothing too
    arrays.labels[...] = labels
    arrays.probability[...] = (labels * 2).astype(np.uint8)
    return tmp_path / "r.ome.zarr"


def group_of(store, which):
    return zarr.open_group(store, path=GROUPS[which], mode="r")


def files_of(store):
    paths = sorted(path for path in store.rglob("*") if path.is_file())
    return {str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.parametrize("which", GROUPS)
def test_every_pixel_is_the_largest_of_those_it_stands_for(store, which):
    assert write_levels(store, smallest=30) == 4
    group = group_of(store, which)
    full = group["0"][...]
    assert full.any()
    for level in range(1, 4):
        np.testing.assert_array_equal(group[str(level)][...], block_reduce(full, (2**level, 2**level), np.max))
        assert group[str(level)].dtype == full.dtype


def test_levels_end_where_a_screen_shows_all():
    assert level_shapes((100_000, 80_000))[-1] == (1563, 1250)
    assert level_shapes((2048, 2048)) == [(2048, 2048)]
    assert level_shapes((5, 2049)) == [(5, 2049), (3, 1025)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (5, 8)])
def test_odd_sizes(rng, shape):
    values = rng.integers(0, 9, shape)
    np.testing.assert_array_equal(halved(values), block_reduce(values, (2, 2), np.max))
    np.testing.assert_array_equal(reduced(values, (4, 3)), block_reduce(values, (4, 3), np.max))


def test_a_particle_of_one_pixel_stays_visible(tmp_path):
    arrays = create_store(tmp_path / "r.ome.zarr", (300, 300), 64, Calibration(), "r")
    arrays.labels[101, 203], arrays.probability[101, 203] = 5, 200
    write_levels(tmp_path / "r.ome.zarr", smallest=20)
    smallest = group_of(tmp_path / "r.ome.zarr", "labels")["4"]
    assert smallest.shape == (19, 19)
    assert smallest[101 // 16, 203 // 16] == 5


@pytest.mark.parametrize("which", GROUPS)
def test_the_store_is_valid_ome_zarr(store, which):
    from ome_zarr_models.v05.image import Image as OmeImage
    from ome_zarr_models.v05.image_label import ImageLabel

    write_levels(store, smallest=60)
    (OmeImage if which == "probability" else ImageLabel).from_zarr(group_of(store, which))
    datasets = group_of(store, which).attrs["ome"]["multiscales"][0]["datasets"]
    assert [dataset["path"] for dataset in datasets] == ["0", "1", "2"]
    assert datasets[2]["coordinateTransformations"] == [
        {"type": "scale", "scale": [8.0, 10.0]},
        {"type": "translation", "translation": [3.0, 3.75]},
    ]


def test_ome_zarrs_own_reader_finds_all_levels_and_the_labels(store):
    io, reader = pytest.importorskip("ome_zarr.io"), pytest.importorskip("ome_zarr.reader")
    write_levels(store, smallest=60)
    nodes = list(reader.Reader(io.parse_url(str(store)))())
    image, labels = nodes[0], next(node for node in nodes if "labels/particles" in str(node.zarr))
    for node, which in ((image, "probability"), (labels, "labels")):
        assert [tuple(level.shape) for level in node.data] == [SHAPE, (75, 103), (38, 52)]
        np.testing.assert_array_equal(node.data[1].compute(), group_of(store, which)["1"][...])


def test_our_own_reader_takes_the_scale_of_each_level(store):
    write_levels(store, smallest=60)
    image = open_image(store)
    assert image.calibration.pixel_size == (2.0, 2.5)
    assert tuple(image.shape) == SHAPE


def test_nothing_is_stored_where_nothing_is(store):
    write_levels(store, smallest=60)
    group = group_of(store, "labels")
    assert not group["1"][32:64, :48].any()
    assert not (store / "labels/particles/1/c/1/0").exists()
    assert (store / "labels/particles/1/c/0/0").exists()


def test_written_again_the_bytes_are_the_same(store):
    write_levels(store, smallest=30)
    first = files_of(store)
    write_levels(store, smallest=30)
    assert files_of(store) == first


def test_stopped_levels_are_not_named_and_are_gone_on_with(store, tmp_path):
    write_levels(store, smallest=30)
    complete = files_of(store)
    assert write_levels(store, smallest=1000) == 1  # as before
    for path in itertools.chain(store.glob("[1-9]"), (store / "labels/particles").glob("[1-9]")):
        path.rename(tmp_path / f"gone-{path.parent.name}-{path.name}")
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        write_levels(store, smallest=30, on_progress=lambda event: event.done == 7 and cancel.cancel(), cancel=cancel)
    for which in GROUPS:
        assert len(group_of(store, which).attrs["ome"]["multiscales"][0]["datasets"]) == 1
    write_levels(store, smallest=30)
    assert files_of(store) == complete


def test_what_an_earlier_run_left_is_written_over(store):
    write_levels(store, smallest=30)
    arrays = zarr.open_array(store / "labels/particles/0", mode="r+")
    arrays[:64, :64] = 0
    write_levels(store, smallest=30)
    group = group_of(store, "labels")
    for level in (1, 2, 3):
        expected = block_reduce(arrays[...], (2**level, 2**level), np.max)
        np.testing.assert_array_equal(group[str(level)][...], expected)
    assert not (store / "labels/particles/1/c/0/0").exists()


def test_work_travels_to_other_processes(store):
    write_levels(store, smallest=30)
    work = HalveTiles(store, level_shapes(SHAPE, 30), {"labels": (TILE, TILE)})
    work.do(("labels", 1, 0, 0))
    again = pickle.loads(pickle.dumps(work))
    assert again.do(("labels", 1, 0, 0)) is True
    assert all(set(again.needs(item)) <= set(again.items()) for item in again.items())


# -- damage


@pytest.mark.parametrize("kind", ["bit", "cut"])
def test_damage_is_noticed_by_any_reader_and_told(store, kind):
    path = store / "labels/particles/0/c/0/0"
    content = bytearray(path.read_bytes())
    if kind == "bit":
        content[len(content) // 2] ^= 4
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)
    labels = open_store(store).labels
    with pytest.raises(Exception, match="checksum"):
        labels[:32, :32]
    with pytest.raises(StoreError, match=r"Rows 0 to 32, columns 0 to 32 of .*labels/particles/0 cannot be read"):
        read_stored(labels, (slice(0, 32), slice(0, 32)))
    with pytest.raises(StoreError, match="segment the image again"):
        write_levels(store, smallest=60)


def test_any_zarr_reader_knows_the_checksum_codec(store):
    codecs = [codec["name"] for codec in group_of(store, "labels")["0"].metadata.to_dict()["codecs"]]
    assert codecs[-1] == "crc32c"


def test_not_a_store(tmp_path):
    with pytest.raises(StoreError):
        write_levels(tmp_path / "nothing.ome.zarr")
    zarr.open_group(tmp_path / "other.zarr", mode="w")
    with pytest.raises(StoreError, match="not a result store"):
        write_levels(tmp_path / "other.zarr")
