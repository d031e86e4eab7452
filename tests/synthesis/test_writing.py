"""Synthetic images as files."""

import json

import numpy as np
import pytest
import tifffile

from napari_mpseg.errors import Cancelled, SettingsError, StoreError
from napari_mpseg.images.open import open_image
from napari_mpseg.progress import CancelToken
from napari_mpseg.results.labels_file import open_labels
from napari_mpseg.synthesis import tiles, zarr_file
from napari_mpseg.synthesis.microscopes import MICROSCOPES, image_settings, synthetic_image
from napari_mpseg.synthesis.writing import places_of, read_settings, write_synthetic

ENDINGS = (".ome.tif", ".ome.zarr")


def small(look, **changes):
    return image_settings(look, **{"size": (300, 340), "seed": 2, **changes})


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    for module in (tiles, zarr_file):
        monkeypatch.setattr(module, "SIDE", 128)
    monkeypatch.setattr("napari_mpseg.synthesis.tiff_file.SIDE", 128)
    monkeypatch.setattr(zarr_file, "_SMALLEST", 100)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_files_hold_image_truth_and_what_makes_them_again(tmp_path, look, ending):
    settings = small(look)
    places = write_synthetic(settings, tmp_path / f"one{ending}")
    made = synthetic_image(settings)
    image = open_image(places["image"])
    np.testing.assert_array_equal(np.asarray(image.data), made.image.data.compute())
    assert image.calibration.same_size(made.image.calibration)
    truth = open_labels(places.get("truth", places["image"]))
    np.testing.assert_array_equal(np.asarray(truth.data), made.labels.compute())
    assert truth.data.dtype == np.int32
    assert read_settings(places["settings"]) == settings
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in places.values())


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_settings_make_the_same_bytes(tmp_path, ending):
    first = write_synthetic(small("bright-field"), tmp_path / f"one{ending}")
    again = write_synthetic(read_settings(first["settings"]), tmp_path / "elsewhere" / f"two{ending}")
    assert list(first) == list(again)
    for name in first:
        assert contents(first[name]) == contents(again[name])


def contents(path):
    if path.is_file():
        return path.read_bytes()
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_levels_are_means_of_pixels_and_largest_labels(tmp_path):
    import zarr

    places = write_synthetic(small("fluorescence"), tmp_path / "one.ome.zarr")
    group = zarr.open_group(places["image"], mode="r")
    assert [group[level].shape for level in ("0", "1", "2")] == [(3, 300, 340), (3, 150, 170), (3, 75, 85)]
    full = group["0"][...].astype(float)
    means = full.reshape(3, 150, 2, 170, 2).mean((2, 4))
    assert abs(group["1"][...] - means).max() <= 0.5
    labels = group["labels/particles/0"][...]
    np.testing.assert_array_equal(group["labels/particles/1"][...], labels.reshape(150, 2, 170, 2).max((1, 3)))
    ome = group.attrs["ome"]["multiscales"][0]
    assert [axis["name"] for axis in ome["axes"]] == ["c", "y", "x"]
    assert ome["datasets"][1]["coordinateTransformations"][0]["scale"] == [1.0, 5.0, 5.0]


def test_tiff_is_tiled_and_calibrated(tmp_path):
    places = write_synthetic(small("sem"), tmp_path / "one.tif")
    assert places["truth"].name == "one_truth.tif"
    with tifffile.TiffFile(places["image"]) as file:
        assert file.is_ome
        assert file.pages[0].tile == (128, 128)
        assert 'PhysicalSizeXUnit="nm"' in file.ome_metadata


@pytest.mark.parametrize("ending", ENDINGS)
def test_stopped_half_way_nothing_is_left_and_nothing_is_lost(tmp_path, ending):
    out = tmp_path / f"one{ending}"
    places = write_synthetic(small("sem"), out)
    before = {path: contents(path) for path in places.values()}
    for stop_at in ("picture", "truth"):
        cancel, seen = CancelToken(), []

        def watch(event, stop_at=stop_at, cancel=cancel, seen=seen):
            seen.append(event)
            if stop_at in event.stage and event.done == 2:
                cancel.cancel()

        with pytest.raises(Cancelled):
            write_synthetic(small("sem", seed=3), out, overwrite=True, on_progress=watch, cancel=cancel)
        assert len(seen) >= 3
        assert {path: contents(path) for path in places.values()} == before
        assert len(list(tmp_path.iterdir())) == len(places)


def test_what_is_there_is_replaced_only_when_asked(tmp_path):
    write_synthetic(small("sem"), tmp_path / "one.tif")
    with pytest.raises(StoreError, match="already there"):
        write_synthetic(small("sem"), tmp_path / "one.tif")
    write_synthetic(small("sem", seed=5), tmp_path / "one.tif", overwrite=True)
    assert read_settings(tmp_path / "one_settings.json").seed == 5


def test_progress_counts_all_tiles(tmp_path):
    events = []
    write_synthetic(small("sem"), tmp_path / "one.tif", on_progress=events.append)
    for stage in {event.stage for event in events}:
        done = [event.done for event in events if event.stage == stage]
        assert done == list(range(10)), stage


@pytest.mark.parametrize("name", ["picture.png", "picture", ".tif"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(SettingsError, match=r"ome\.tif"):
        places_of(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot be read"),
        ("[1]", "look"),
        ('{"look": "sem", "settings": {"colour": 1}}', "colour"),
        ('{"look": "xray", "settings": {}}', "xray"),
        (None, "cannot be read"),
    ],
)
def test_damaged_settings_are_told(tmp_path, text, told):
    path = tmp_path / "settings.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises((SettingsError, KeyError), match=told):
        read_settings(path)


def test_settings_are_plain_json(tmp_path):
    places = write_synthetic(small("bright-field"), tmp_path / "one.tif")
    record = json.loads(places["settings"].read_text())
    assert record["look"] == "bright-field"
    assert record["settings"]["look"]["appearances"][0]["appearance"] == "dark"


def test_a_synthetic_zarr_is_replaced_and_another_folder_is_not(tmp_path):
    place = tmp_path / "one.ome.zarr"
    write_synthetic(small("sem"), place)
    write_synthetic(small("sem", seed=3), place, overwrite=True)
    for inside in ("notes.txt", "labels/mine", "labels/particles/0/notes.txt"):
        other = place / inside
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text("mine")
        with pytest.raises(StoreError, match="not replaced"):
            write_synthetic(small("sem"), place, overwrite=True)
        assert other.read_text() == "mine"
        other.unlink()
    (tmp_path / "two.ome.tif").mkdir()
    with pytest.raises(StoreError, match=r"two\.ome\.tif is a folder"):
        write_synthetic(small("sem"), tmp_path / "two.ome.tif", overwrite=True)
    (tmp_path / "three.ome.zarr").write_text("mine")
    with pytest.raises(StoreError, match="is a file"):
        write_synthetic(small("sem"), tmp_path / "three.ome.zarr", overwrite=True)
