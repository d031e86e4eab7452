"""Large results open as they lie on disk, and with everything in place."""

import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import zarr
from npe2 import read, write
from zarr.storage import LocalStore

from napari_mpseg import layers, pyramids
from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import StoreError
from napari_mpseg.inference.store import create_store, open_store
from napari_mpseg.pyramids import displayed, stored_levels
from napari_mpseg.results.result_store import write_record

SIDE, CHUNK = 30_000, 1024
SPOT = (20_000, 20_010, 9_000, 9_030)


@pytest.fixture
def model(qapp):
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def huge(tmp_path):
    """Write a result of 30,000 x 30,000 px with one particle, in half, quarter ... size as well."""
    return make_huge(tmp_path)


def make_huge(folder, side=SIDE):
    path = folder / "huge.ome.zarr"
    arrays = create_store(path, (side, side), CHUNK, Calibration((0.5, 0.5), "um"), "huge")
    inputs = {"name": "huge", "source": str(folder / "gone.tif"), "shape": [side, side]}
    record = {"program": "napari-mpseg", "inputs": inputs, "settings": {"method": "default", "threshold": 0.4}}
    write_record(arrays, record)
    y0, y1, x0, x1 = (place * side // SIDE for place in SPOT)
    for group, dtype, value in (("", "uint8", 255), ("labels/particles", "int32", 1)):
        node = zarr.open_group(path, path=group, mode="r+")
        ome = dict(node.attrs["ome"])
        datasets = ome["multiscales"][0]["datasets"]
        level, size = 0, side
        while size > 600:
            if level:
                node.create_array(str(level), shape=(size, size), chunks=(CHUNK, CHUNK), dtype=dtype)
                scale = {"type": "scale", "scale": [0.5 * 2**level] * 2}
                datasets.append({"path": str(level), "coordinateTransformations": [scale]})
            step = 2**level
            node[str(level)][y0 // step : -(-y1 // step), x0 // step : -(-x1 // step)] = value
            level, size = level + 1, -(-size // 2)
        node.attrs["ome"] = ome
    box = {"bbox_y0": y0, "bbox_x0": x0, "bbox_y1": y1, "bbox_x1": x1}
    table = pd.DataFrame([{"label": 1, "area_px": (y1 - y0) * (x1 - x0), "area_um2": 75.0, "keep": False, **box}])
    table.to_csv(folder / "huge_particles.csv", index=False)
    (folder / "huge_run.json").write_text(json.dumps({**record, "particles": 1, "notes": []}))
    return path


@pytest.fixture
def chunks_read(monkeypatch):
    """Return the keys of all chunks that are read from disk."""
    keys, get = [], LocalStore.get

    async def counted(self, key, *args, **kwargs):
        if "/c/" in f"/{key}":
            keys.append(key)
        return await get(self, key, *args, **kwargs)

    monkeypatch.setattr(LocalStore, "get", counted)
    return keys


def reopen(model, path):
    return [
        model._add_layer_from_data(data, meta, kind)[0]
        for data, meta, kind in read([str(path)], plugin_name="napari-mpseg", stack=False)
    ]


def test_a_huge_result_opens_without_being_read(model, huge, chunks_read):
    tracemalloc.start()
    probability, labels = reopen(model, huge)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert probability.multiscale
    assert labels.multiscale
    assert [level.shape[0] for level in labels.data] == [30_000, 15_000, 7_500, 3_750, 1_875, 938]
    stored = {key.rsplit("/c/")[0] for key in chunks_read}
    assert not {key for key in stored if key.endswith("0") and not key.endswith("/10")}
    assert len(chunks_read) < 40  # of 900 in the full resolution, of each of two arrays
    assert peak < 50 * 2**20
    for layer in (probability, labels):
        np.testing.assert_array_equal(layer.scale, (0.5, 0.5))
        assert str(layer.units[0]) == "micrometer"
        about = layer.metadata["napari-mpseg"]
        assert about["provenance"]["settings"]["threshold"] == 0.4
        assert about["source"] == "huge"
    assert layers.role_of(probability) == "probability"
    assert labels.features["keep"].tolist()[1:] == [False]
    y0, _, x0, _ = SPOT
    assert labels.get_value((y0 + 1, x0 + 1)) is not None
    assert layers.particle_box(labels, 1) == ((20_000, 9_000), (20_010, 9_030))


def test_a_result_object_opens_the_same_way(model, huge, chunks_read):
    from types import SimpleNamespace

    from napari_mpseg.images.image import Image
    from napari_mpseg.particles.table import ParticleTable

    arrays = open_store(huge)
    table = ParticleTable.read(huge.with_name("huge_particles.csv"))
    image = Image(np.zeros((1, 1), np.uint8), "huge", Calibration((0.5, 0.5), "um"))
    result = SimpleNamespace(
        image=image,
        labels=arrays.labels,
        probability=arrays.probability,
        particles=table,
        provenance={"operation": "segment"},
        store=huge,
    )
    probability, labels = layers.add_result(model, result)
    assert probability.multiscale
    assert len(labels.data) == 6
    assert labels.metadata["napari-mpseg"]["store"] == str(huge)
    assert len(chunks_read) < 40


def test_levels_that_are_not_there_end_the_pyramid(tmp_path):
    array = open_store(make_huge(tmp_path, 3000)).labels
    assert [level.shape[0] for level in stored_levels(array)] == [3000, 1500, 750]
    group = zarr.open_group(tmp_path / "huge.ome.zarr" / "labels" / "particles", mode="r+")
    del group["1"]
    assert [level.shape[0] for level in stored_levels(array)] == [3000]
    group.attrs["ome"] = {"version": "0.5"}
    assert stored_levels(array) == [array]
    assert len(stored_levels(np.zeros((4, 4)))) == 1
    assert len(stored_levels(zarr.array(np.zeros((4, 4))))) == 1


def test_small_labels_with_levels_can_be_painted_on(tmp_path, monkeypatch):
    arrays = open_store(make_huge(tmp_path, 3000))
    assert isinstance(displayed(arrays.labels, editable=True)[0], np.ndarray)
    assert isinstance(displayed(arrays.probability, editable=False)[0], np.ndarray)
    monkeypatch.setattr(pyramids, "READ_AT_ONCE", 10**6)
    assert displayed(arrays.probability, editable=False)[1]


def test_the_image_comes_along_while_it_is_where_the_record_says(model, tmp_path, spots):
    import tifffile

    from napari_mpseg.pipeline import segment

    tifffile.imwrite(tmp_path / "filter.tif", spots)
    paths = segment(tmp_path / "filter.tif", "fixed-level", out=tmp_path / "out", calibration="2um").save(
        tmp_path / "out", overwrite=True
    )
    image, probability, labels = reopen(model, paths["store"])
    assert (image.name, probability.visible, labels.visible) == ("filter", False, True)
    np.testing.assert_array_equal(np.asarray(image.data), spots)
    np.testing.assert_array_equal(image.scale, (2, 2))
    assert hasattr(image.data, "dask")
    (tmp_path / "filter.tif").unlink()
    assert reopen(model, paths["store"])[0].name.startswith("filter probability")
    tifffile.imwrite(tmp_path / "filter.tif", spots[:50])
    assert len(reopen(model, paths["store"])) == 2


def test_decisions_are_saved_into_the_result_itself(model, huge, chunks_read):
    _, labels = reopen(model, huge)
    labels.features.loc[1, "keep"] = True
    labels.features["mine"] = ["", "odd"]
    labels.metadata["napari-mpseg"]["audit"] = [{"action": "accept", "labels": [1]}]
    before = len(chunks_read)
    written = write(str(huge), [labels.as_layer_data_tuple()], plugin_name="napari-mpseg")
    assert len(chunks_read) == before
    assert [path.rsplit("/")[-1] for path in written] == ["huge.ome.zarr", "huge_particles.csv"]
    again = reopen(model, huge)[1]
    assert again.features.loc[1, "keep"]
    assert again.features.loc[1, "mine"] == "odd"
    assert again.metadata["napari-mpseg"]["audit"] == [{"action": "accept", "labels": [1]}]
    assert again.metadata["napari-mpseg"]["provenance"]["settings"]["threshold"] == 0.4
    assert again.multiscale


def test_decisions_on_labels_in_memory_are_saved_while_no_pixel_is_changed(model, tmp_path):
    path = make_huge(tmp_path, 3000)
    labels = reopen(model, path)[1]
    labels.features.loc[1, "keep"] = True
    write(str(path), [labels.as_layer_data_tuple()], plugin_name="napari-mpseg")
    assert reopen(model, path)[1].features.loc[1, "keep"]
    labels.data_setitem((np.array([5]), np.array([5])), 1)
    with pytest.raises(StoreError, match="Choose another name"):
        write(str(path), [labels.as_layer_data_tuple()], plugin_name="napari-mpseg")


def test_large_labels_saved_alone_have_levels_too(model, tmp_path, monkeypatch, rng):
    from napari_mpseg.gui import labels_files
    from napari_mpseg.results.corrections.place import place_in

    pixels = np.zeros((301, 500), np.int32)
    pixels[rng.integers(0, 301, 60), rng.integers(0, 500, 60)] = np.arange(1, 61)
    monkeypatch.setattr(pyramids, "LARGEST_EDITABLE", 1000)
    monkeypatch.setattr(labels_files, "_SMALLEST_LEVEL", 80)
    layer = model.add_labels([pixels, pixels[::2, ::2]], multiscale=True, scale=(2, 3), translate=(4, 5))
    write(str(tmp_path / "mine.ome.zarr"), [layer.as_layer_data_tuple()], plugin_name="napari-mpseg")
    (again,) = reopen(model, tmp_path / "mine.ome.zarr")
    assert [level.shape for level in again.data] == [(301, 500), (151, 250), (76, 125), (38, 63)]
    for level, step in ((1, 2), (2, 4), (3, 8)):
        padded = np.pad(pixels, ((0, -301 % step), (0, -500 % step)))
        blocks = padded.reshape(len(padded) // step, step, -1, step)
        np.testing.assert_array_equal(np.asarray(again.data[level]), blocks.max(axis=(1, 3)))
    np.testing.assert_array_equal(again.scale, (2, 3))
    np.testing.assert_array_equal(again.translate, (4, 5))
    assert place_in(tmp_path / "mine.ome.zarr") is not None


def test_an_interrupted_correction_is_finished_at_opening(model, tmp_path):
    from napari.utils.notifications import notification_manager

    from napari_mpseg.results.corrections import correct, journal
    from napari_mpseg.results.corrections.place import place_in

    path = make_huge(tmp_path, 3000)
    place = place_in(path)
    painted = np.zeros((40, 40), np.int32)
    painted[3:9, 3:9] = 5
    correct.correct_region(place, (0, 0, 40, 40), painted)
    done = place.folder / "0001.npz"
    done.rename(journal.in_state(done, journal.APPLYING))  # as if the last step were missing
    place.levels(write=True)[0][:40, :40] = 0
    labels = reopen(model, path)[1]
    assert labels.data[4, 4] == 2
    assert labels.features.loc[2, "area_px"] == 36
    assert "was finished" in notification_manager.records[-1].message
