"""The front door: what comes back, what lies in the folder, what is never lost."""

import errno
import gc
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import zarr

import napari_mpseg as mp
from napari_mpseg.errors import (
    CalibrationError,
    Cancelled,
    ImageError,
    ModelError,
    MpsegError,
    SettingsError,
    StoreError,
    UnknownNameError,
)
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.progress import CancelToken

PARTS = ["_overlay.png", "_particles.csv", "_particles.parquet", "_run.json", ".ome.zarr"]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Where temporary results go; must be empty again after every test that keeps none."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(folder))
    return folder


@pytest.fixture
def picture():
    """Squares of 16, 100 and 4 pixels and a single pixel, on black."""
    image = np.zeros((130, 250, 3), np.uint8)
    image[20:24, 30:34] = 200
    image[100:110, 200:210] = 220
    image[50:52, 60:62] = 250
    image[5, 5] = 250
    return image


@pytest.fixture
def file(picture, tmp_path):
    from PIL import Image

    path = tmp_path / "filter.png"
    Image.fromarray(picture).save(path)
    return path


class Method:
    """Gives the pixels' brightness as probability, after doing something at each window."""

    name, default_threshold = "by hand", 0.5
    halo, stride, exact, preferred_tile = 0, 1, True, 64

    def __init__(self, at_window=lambda: None):
        self.at_window = at_window

    def prepare(self, image, *, on_progress, cancel):
        return Prepared(image, self)

    def describe(self):
        return {}

    def predict(self, window, margins):
        self.at_window()
        top, bottom, left, right = margins
        return window[top : window.shape[0] - bottom, left : window.shape[1] - right].max(2) / np.float32(255)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_particles_known_by_construction(picture, cache):
    result = mp.segment(picture, "fixed-level", calibration="2um")
    assert result.count == 3
    assert result.table["area_px"].tolist() == [16, 4, 100]
    assert result.table["area_um2"].tolist() == [64, 16, 400]
    assert np.asarray(result.labels[...]).max() == 3
    assert np.count_nonzero(result.labels[...]) == 120
    assert np.array_equal(np.asarray(result.probability[...]) > 127, picture[..., 0] > 106)
    assert len(names(cache)) == 1


def test_the_smallest_size_and_the_connectivity(picture):
    picture[24, 34] = 200  # touches a square at its corner
    assert mp.segment(picture, "fixed-level", min_size=0).count == 4
    assert mp.segment(picture, "fixed-level", min_size=17).table["area_px"].tolist() == [17, 100]
    assert mp.segment(picture, "fixed-level", min_size=0, connectivity=1).count == 5


def test_test_time_augmentation_of_networks(picture, tmp_path):
    plain = mp.segment(picture)
    flipped = mp.segment(picture, tta="flips", tile_size=64, out=tmp_path)
    assert flipped.count == plain.count == 3
    assert not np.array_equal(flipped.probability[...], plain.probability[...])
    settings = json.loads((tmp_path / "image_run.json").read_text())["settings"]["options"]
    assert settings["tta"] == ["flips"]
    assert len(settings["tta_variants"]) == 8
    assert "tta" not in plain.provenance["settings"]["options"]
    # a square picture is turned; the answer is the same for each of its eight looks
    square = np.pad(picture, ((0, 122), (0, 2), (0, 0)))[:128, :128]
    answers = [mp.segment(np.rot90(square, turns).copy(), tta=("flips",)).probability[...] for turns in (0, 1)]
    assert np.abs(np.rot90(answers[0]).astype(int) - answers[1]).max() <= 1


def test_test_time_augmentation_is_for_networks_only(picture, tmp_path):
    for method in ("fixed-level", Method()):
        with pytest.raises(SettingsError, match=r"\(flips\) is for networks, and .* is none"):
            mp.segment(picture, method, tta="flips", out=tmp_path / "out")
        assert mp.segment(picture, method, tta="").count == 3
    with pytest.raises(UnknownNameError, match="Did you mean 'flips'"):
        mp.segment(picture, tta=["flip"])
    assert not (tmp_path / "out").exists()


def test_a_temporary_result_goes_with_the_last_who_holds_it(picture, cache):
    result = mp.segment(picture, "fixed-level")
    labels = result.labels
    del result
    gc.collect()
    assert len(names(cache)) == 1
    assert labels[21, 31] == 1
    del labels
    gc.collect()
    assert names(cache) == []


def test_everything_lies_in_the_folder(file, tmp_path):
    result = mp.segment(file, "fixed-level", out=tmp_path / "out")
    assert names(tmp_path / "out") == sorted(f"filter{part}" for part in PARTS)
    assert result.store == tmp_path / "out" / "filter.ome.zarr"
    table = pd.read_csv(tmp_path / "out" / "filter_particles.csv")
    assert table["area_px"].tolist() == [16, 4, 100]
    assert pd.read_parquet(tmp_path / "out" / "filter_particles.parquet")["label"].tolist() == [1, 2, 3]
    record = json.loads((tmp_path / "out" / "filter_run.json").read_text(encoding="utf-8"))
    assert record["settings"]["method"] == "fixed-level"
    assert record["settings"]["min_size"] == 3
    assert record["inputs"]["source"] == str(file)
    assert record["particles"] == 3
    root = zarr.open_group(tmp_path / "out" / "filter.ome.zarr", mode="r")
    assert root.attrs["napari-mpseg"]["settings"] == record["settings"]
    assert np.count_nonzero(root["labels/particles/0"][...]) == 120
    with pytest.raises(ValueError, match="read"):
        result.labels[0, 0] = 1


def test_the_result_can_be_made_again_from_its_record(file, tmp_path):
    mp.segment(file, "fixed-level", out=tmp_path / "out", min_size=5, connectivity=1)
    settings = json.loads((tmp_path / "out" / "filter_run.json").read_text(encoding="utf-8"))["settings"]
    again = mp.segment(
        file, settings["method"], **{key: settings[key] for key in ("threshold", "min_size", "connectivity")}
    )
    assert again.count == 2


def test_without_measuring_there_is_no_table(file, tmp_path):
    result = mp.segment(file, "fixed-level", out=tmp_path / "out", measure=False)
    assert result.particles is None
    assert result.table.empty
    assert names(tmp_path / "out") == ["filter.ome.zarr", "filter_overlay.png", "filter_run.json"]
    assert "Size classes" not in result.summary()


def test_earlier_results_stay_unless_overwriting_was_asked_for(file, tmp_path):
    out = tmp_path / "out"
    mp.segment(file, "fixed-level", out=out)
    before = (out / "filter_run.json").read_bytes()
    with pytest.raises(StoreError, match=rf"already holds results of {file}: filter\.ome\.zarr, filter_particles"):
        mp.segment(file, "fixed-level", out=out, min_size=50)
    assert (out / "filter_run.json").read_bytes() == before
    assert mp.segment(file, "fixed-level", out=out, min_size=50, overwrite=True).count == 1
    assert len(pd.read_csv(out / "filter_particles.csv")) == 1
    assert len(names(out)) == 5


def test_a_wrong_method_is_told_before_results_in_the_way(file, tmp_path):
    mp.segment(file, "fixed-level", out=tmp_path / "out")
    with pytest.raises(UnknownNameError, match="Did you mean 'fixed-level'"):
        mp.segment(file, "fixd-level", out=tmp_path / "out")


def test_the_results_never_replace_the_image(tmp_path, picture):
    array = zarr.create_array(tmp_path / "scan.ome.zarr", data=picture[..., 0])
    for overwrite in (False, True):
        with pytest.raises(StoreError, match="would replace the image"):
            mp.segment(tmp_path / "scan.ome.zarr", "fixed-level", out=tmp_path, overwrite=overwrite)
    assert np.array_equal(array[...], picture[..., 0])


def test_a_store_that_is_no_result_is_never_replaced(file, tmp_path):
    zarr.create_array(tmp_path / "filter.ome.zarr", data=np.ones(3))
    with pytest.raises(StoreError, match="is no result of napari-mpseg"):
        mp.segment(file, "fixed-level", out=tmp_path, overwrite=True)
    assert zarr.open(tmp_path / "filter.ome.zarr")[...].tolist() == [1, 1, 1]


# saving


def test_a_temporary_result_can_be_saved(picture, tmp_path):
    result = mp.segment(picture, "fixed-level")
    written = result.save(tmp_path / "kept")
    assert sorted(written) == ["csv", "overlay", "parquet", "record", "store"]
    assert all(path.exists() for path in written.values())
    saved = zarr.open_array(written["store"] / "labels/particles/0", mode="r")
    assert np.array_equal(saved[...], result.labels[...])
    with pytest.raises(StoreError, match="already holds results"):
        result.save(tmp_path / "kept")
    result.save(tmp_path / "kept", overwrite=True)
    assert len(names(tmp_path / "kept")) == 5


def test_a_kept_result_can_be_saved_elsewhere_and_where_it_is(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = mp.segment(file, "fixed-level", out="out")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result.save("copy")
    assert names(tmp_path / "elsewhere" / "copy") == names(tmp_path / "out")
    with pytest.raises(StoreError, match="already holds results"):
        result.save(tmp_path / "out")
    (tmp_path / "out" / "filter_overlay.png").write_bytes(b"")
    assert result.save(tmp_path / "out", overwrite=True)["store"].is_dir()
    assert (tmp_path / "out" / "filter_overlay.png").stat().st_size > 0
    assert np.count_nonzero(result.labels[...]) == 120


def test_saving_when_the_store_is_gone(file, tmp_path):
    result = mp.segment(file, "fixed-level", out=tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "moved")
    with pytest.raises(StoreError, match="is not there any more"):
        result.save(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


# cancel and errors at every stage

STAGES = ["Reading the histogram", "Segmenting", "Numbering", "Measuring", "Drawing"]


@pytest.mark.parametrize(
    ("stage", "kept"), [(stage, True) for stage in STAGES] + [(stage, False) for stage in STAGES[:-1]]
)
def test_cancel_at_any_stage_leaves_finished_tiles_and_nothing_else(file, tmp_path, cache, stage, kept):
    token = CancelToken()
    stages = []

    def stop(event):
        stages.append(event.stage)
        if event.stage == stage:
            token.cancel()

    options = {"out": tmp_path / "out"} if kept else {}
    with pytest.raises(Cancelled):
        mp.segment(file, "max-entropy", min_size=5, tile_size=64, on_progress=stop, cancel=token, **options)
    assert stages[-1] == stage
    assert names(cache) == []
    if not kept or stage in ("Reading the histogram", "Segmenting"):  # no tile was finished
        assert names(tmp_path) == ["filter.png"]
        return
    assert names(tmp_path / "out") == ["filter.unfinished"]
    result = mp.segment(file, "max-entropy", min_size=5, tile_size=64, **options)
    assert names(tmp_path / "out") == sorted("filter" + part for part in PARTS)
    assert result.count == mp.segment(file, "max-entropy", min_size=5).count > 0


def test_cancel_while_overwriting_keeps_the_old(file, tmp_path):
    out = tmp_path / "out"
    mp.segment(file, "fixed-level", out=out)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    token = CancelToken()

    def stop(event):
        if event.stage == "Drawing":
            token.cancel()

    with pytest.raises(Cancelled):
        mp.segment(file, "fixed-level", out=out, overwrite=True, min_size=50, on_progress=stop, cancel=token)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert names(out) == sorted(["filter" + part for part in PARTS] + ["filter.unfinished"])
    assert np.count_nonzero(zarr.open_array(out / "filter.ome.zarr/labels/particles/0", mode="r")[...]) == 120


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ImageError("The pixels [0:64, 0:64] of a.tif cannot be read."), ImageError),
        (MpsegError("Not enough memory for a window."), MpsegError),
        (ZeroDivisionError("a defect"), ZeroDivisionError),
        (OSError(errno.ENOSPC, "No space left on device"), StoreError),
    ],
)
def test_what_a_tile_raises_arrives_as_it_is(picture, cache, raised, expected):
    def fail():
        raise raised

    with pytest.raises(expected) as caught:
        mp.segment(picture, Method(fail))
    assert (str(raised) if expected is not StoreError else "The disk is full") in str(caught.value)
    assert names(cache) == []


# the disk


def _full_zarr(monkeypatch):
    from zarr.storage import LocalStore

    store_chunk = LocalStore.set

    async def full(self, key, value, *rest):
        if "/c/" in key:
            raise OSError(errno.ENOSPC, "No space left on device")
        await store_chunk(self, key, value, *rest)

    monkeypatch.setattr(LocalStore, "set", full)


def _full(name, part):
    def patch(monkeypatch):
        def full(*arguments, **_):
            place = next(value for value in arguments if isinstance(value, (str, Path)) and part in str(value))
            Path(place).write_bytes(b"the first half")
            raise OSError(errno.ENOSPC, "No space left on device", str(place))

        monkeypatch.setattr(name, full)

    return patch


FULL = {
    "zarr": _full_zarr,
    "csv": _full("pandas.DataFrame.to_csv", "csv"),
    "parquet": _full("pyarrow.parquet.write_table", "parquet"),
    "png": _full("PIL.Image.Image.save", "png"),
}


@pytest.mark.parametrize("where", FULL)
@pytest.mark.parametrize("earlier", [True, False])
def test_a_full_disk_loses_nothing_and_can_be_gone_on_from(file, tmp_path, monkeypatch, where, earlier):
    out = tmp_path / "out"
    if earlier:
        mp.segment(file, "fixed-level", out=out)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} if earlier else None
    with monkeypatch.context() as patches:
        FULL[where](patches)
        with pytest.raises(StoreError, match="The disk is full: free some space") as caught:
            mp.segment(file, "fixed-level", out=out, overwrite=earlier, min_size=50)
    assert ".part" not in str(caught.value)
    if earlier:
        assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
        assert np.count_nonzero(zarr.open_array(out / "filter.ome.zarr/labels/particles/0", mode="r")[...]) == 120
    left = {path.name for path in tmp_path.rglob("*") if path.parent.name in ("out", tmp_path.name)}
    assert left - {"filter.png", "out"} <= {"filter.unfinished", *("filter" + part for part in PARTS if earlier)}
    assert mp.segment(file, "fixed-level", out=out, overwrite=earlier, min_size=50).count == 1
    assert names(out) == sorted("filter" + part for part in PARTS)


def test_a_full_temporary_disk(picture, cache, monkeypatch):
    _full_zarr(monkeypatch)
    with pytest.raises(StoreError, match="The disk is full"):
        mp.segment(picture, "fixed-level")
    assert names(cache) == []


def test_a_full_disk_while_saving(picture, tmp_path, monkeypatch):
    result = mp.segment(picture, "fixed-level")

    def full(source, target):
        (target / "half").mkdir(parents=True)
        raise shutil.Error([(str(source), str(target), "[Errno 28] No space left on device")])

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(StoreError, match="The disk is full"):
        result.save(tmp_path / "kept")
    assert names(tmp_path) == []


def test_a_folder_that_can_only_be_read_is_told_before_the_work(file, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="no right to write there"):
        mp.segment(file, Method(lambda: pytest.fail("it began")), out=tmp_path / "out")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(file, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(StoreError, match="no right to write there"):
        mp.segment(file, "fixed-level", out=tmp_path / "locked")


def test_a_cache_folder_that_cannot_be(picture, file):
    with pytest.raises(StoreError, match="Choose another cache folder"):
        mp.segment(picture, "fixed-level", cache=file / "cache")


def test_results_left_by_a_killed_process_are_swept(picture, cache):
    from napari_mpseg import leftovers

    mark = leftovers.new_mark().split("-")
    left = cache / f"napari-mpseg-{mark[0]}-{2**22 + 1}-{mark[2]}-x"  # no such process can be
    left.mkdir()
    result = mp.segment(picture, "fixed-level")
    assert not left.exists()
    assert result.count == 3


# bad input


@pytest.mark.parametrize("method", ["fixed-level", "max-entropy"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 1, 3), (40, 30)])
def test_black_images_have_no_particles_but_all_columns(method, shape, picture):
    result = mp.segment(np.zeros(shape, np.uint8), method)
    usual = mp.segment(picture if len(shape) == 3 else picture[..., 0], method)
    assert result.count == len(result.table) == 0
    assert result.table.columns.tolist() == usual.table.columns.tolist()
    assert "Particles 0" in result.summary()


def test_a_black_image_is_saved_with_all_columns(tmp_path, picture):
    mp.segment(np.zeros((40, 30, 3), np.uint8), "fixed-level", out=tmp_path)
    table = pd.read_csv(tmp_path / "image_particles.csv")
    assert table.columns.tolist() == mp.segment(picture, "fixed-level").table.columns.tolist()
    assert table.empty


def test_not_finite_values_are_no_particles(picture):
    values = picture[..., 0].astype(np.float32)
    values[0:5, 100:105] = np.nan
    values[60:65, 100:105] = -np.inf
    result = mp.segment(values, "fixed-level")
    assert result.table["area_px"].tolist() == [16, 4, 100]


def test_an_image_of_nothing_but_nan(tmp_path):
    assert mp.segment(np.full((20, 20), np.nan), "max-entropy", out=tmp_path).count == 0


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 5)), "is empty: its shape is"),
        (np.zeros((5, 0, 3)), "is empty"),
        (np.zeros((5, 5), complex), "Take their magnitude"),
        (np.zeros((5, 5), bool), "looks like a mask"),
        (np.zeros(5), r"shape"),
        (np.array([["a", "b"]]), "not numbers"),
        ("no-such-file.tif", r"no-such-file\.tif is not there\. Check the name"),
        (None, "NoneType is no image"),
    ],
)
def test_what_is_no_image(image, message, tmp_path, cache):
    with pytest.raises(ImageError, match=message):
        mp.segment(image, "fixed-level", out=tmp_path / "out")
    assert names(tmp_path) == names(cache) == []


def test_a_labels_layer_is_no_image():
    class Labels:
        data, scale, name = np.zeros((5, 5), int), (1, 1), "my particles"

    with pytest.raises(ImageError, match=r"'my particles' is a Labels layer; an Image layer is needed"):
        mp.segment(Labels(), "fixed-level")


def test_results_are_no_image(file, tmp_path):
    store = mp.segment(file, "fixed-level", out=tmp_path / "out").store
    with pytest.raises(ImageError, match=rf"Give the image they were made from \({file}\)"):
        mp.segment(store, "fixed-level")
    with pytest.raises(ImageError, match="holds labels and is not an image"):
        mp.segment(store / "labels" / "particles", "fixed-level")


@pytest.mark.parametrize("ending", ["tif", "png", "jpg"])
def test_a_truncated_file(tmp_path, ending, rng):
    from PIL import Image

    path = tmp_path / f"cut.{ending}"
    Image.fromarray(rng.integers(0, 255, (300, 300, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match=r"truncated|damaged"):
        mp.segment(path, "fixed-level", out=tmp_path / "out")
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 1}, SettingsError, "Threshold 1 is impossible"),
        ({"threshold": float("nan")}, SettingsError, "Threshold nan"),
        ({"min_size": -1}, SettingsError, "Minimum size -1 is negative"),
        ({"connectivity": 8}, SettingsError, "Connectivity 8 is unknown"),
        ({"tile_size": 0}, SettingsError, "Tile size 0 is impossible"),
        ({"calibration": "0um"}, CalibrationError, "must be above zero"),
        ({"calibration": 2.5}, CalibrationError, "is not a number and a unit"),
        ({"channels": "purple"}, ImageError, "purple"),
        ({"channels": 3}, ImageError, "3"),
        ({"plane": (2,)}, ImageError, "single plane"),
    ],
)
def test_settings_that_cannot_be(picture, options, error, message, cache):
    with pytest.raises(error, match=message):
        mp.segment(picture, "fixed-level", **options)
    assert names(cache) == []


def test_what_is_no_method(picture):
    with pytest.raises(SettingsError, match="is no method"):
        mp.segment(picture, SimpleNamespace())


def test_a_stack_needs_a_plane(picture):
    stack = np.stack([picture[..., 0], np.zeros_like(picture[..., 0])])
    with pytest.raises(ImageError, match="holds 2 planes"):
        mp.segment(stack, "fixed-level")
    assert mp.segment(stack, "fixed-level", plane=(0,)).count == 3
    assert mp.segment(stack, "fixed-level", plane=(1,)).count == 0


# model folders


@pytest.fixture
def model(tmp_path):
    from napari_mpseg.networks.modelfile import Model, ModelCard, save_model
    from napari_mpseg.networks.registry import NETWORKS

    network = NETWORKS["half-multiresunet"].build(3)
    return save_model(Model(network, ModelCard("mine", "half-multiresunet", receptive_radius=34)), tmp_path / "mine")


def _edit_card(folder, **values):
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (folder / "card.json").write_text(json.dumps({**card, **values}), encoding="utf-8")


def _replace_weights(folder, change):
    import hashlib

    from safetensors.torch import load_file, save

    weights = save(change(load_file(folder / "weights.safetensors")))
    (folder / "weights.safetensors").write_bytes(weights)
    _edit_card(folder, weights_sha256=hashlib.sha256(weights).hexdigest())


def _other_shape(state):
    name = next(name for name, value in state.items() if value.ndim == 4)
    return {**state, name: state[name][:1].clone()}


DAMAGE = {
    "another shape": (lambda folder: _replace_weights(folder, _other_shape), "of another shape"),
    "missing keys": (lambda folder: _replace_weights(folder, lambda s: dict(list(s.items())[3:])), "weights missing"),
    "tampered": (lambda folder: (folder / "weights.safetensors").open("ab").write(b"x"), "changed or damaged"),
    "no weights": (lambda folder: (folder / "weights.safetensors").unlink(), "cannot be read"),
    "no card": (lambda folder: (folder / "card.json").unlink(), "holds no card.json"),
    "no JSON": (lambda folder: (folder / "card.json").write_text("{"), "cannot be read"),
    "foreign network": (lambda folder: _edit_card(folder, network="resnet-9000"), "resnet-9000"),
    "unknown key": (lambda folder: _edit_card(folder, colour="red"), "no setting 'colour'"),
    "wrong type": (lambda folder: _edit_card(folder, in_channels="three"), "must be a whole number"),
    "newer": (lambda folder: _edit_card(folder, format=99), "newer version"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_model_is_refused_and_nothing_written(model, damage, picture, tmp_path):
    spoil, message = DAMAGE[damage]
    spoil(model)
    with pytest.raises(ModelError, match=message):
        mp.segment(picture, model, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_folder_is_a_method(model, picture, tmp_path):
    result = mp.segment(picture[:64, :64], model, out=tmp_path / "out")
    assert result.method == "mine"
    assert result.provenance["model"]["network"] == "half-multiresunet"
    assert "probability above 0.5" in result.summary()


def test_a_model_that_is_not_there(picture):
    with pytest.raises(UnknownNameError, match="There is no model at"):
        mp.segment(picture, "models/none")


def test_a_device_that_is_not_there(picture):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(SettingsError, match="'cuda' is not on this machine"):
        mp.segment(picture, "default", device="cuda")


def test_wrong_channel_count_for_the_network(rng):
    with pytest.raises(ImageError, match="channels"):
        mp.segment(rng.integers(0, 255, (20, 20, 5), np.uint8), "default")


def test_the_default_method_on_a_tiny_image():
    result = mp.segment(np.zeros((1, 1, 3), np.uint8))
    assert result.method == "default"
    assert result.labels.shape == (1, 1)
