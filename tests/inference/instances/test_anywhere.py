"""Through the front door: the same wherever tiles are done and however often the run is stopped."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from skimage.measure import regionprops

from napari_mpseg.errors import Cancelled, SettingsError, StoreError
from napari_mpseg.inference.schedulers import find_scheduler, opened
from napari_mpseg.pipeline import segment
from napari_mpseg.progress import CancelToken
from napari_mpseg.results.checking import check_result
from napari_mpseg.results.instances import told_apart

TILE = 48


@pytest.fixture(scope="module")
def truth(identity):
    return identity.discs(np.random.default_rng(11), (200, 230), 160)


@pytest.fixture(scope="module")
def picture(truth, tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "discs.tif"
    tifffile.imwrite(path, truth.astype(np.uint16))
    return path


@pytest.fixture
def method(identity):
    return identity.Method(identity.Identity(12, 12, permuted=True))


def test_labels_and_table_are_the_truth(picture, truth, method, tmp_path):
    result = segment(picture, method, out=tmp_path / "out", tile_size=TILE, min_size=0)
    np.testing.assert_array_equal(result.labels, truth)
    table = result.table.set_index("label")
    expected = regionprops(truth)
    assert result.count == len(table) == len(expected) > 100
    assert table["area_px"].tolist() == [one.area for one in expected]
    boxes = table[["bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1"]].to_numpy()
    np.testing.assert_array_equal(boxes, [one.bbox for one in expected])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "discs.ome.zarr",
        "discs_overlay.png",
        "discs_particles.csv",
        "discs_particles.parquet",
        "discs_run.json",
    ]
    assert sorted(zarr.open_group(tmp_path / "out" / "discs.ome.zarr", mode="r").keys()) == ["0", "labels"]


def test_the_shape_of_a_particle_does_not_depend_on_what_touches_it(truth, identity):
    from napari_mpseg.particles.measure import measure

    together = measure(truth).frame.set_index("label")
    for number in (3, 40, 90):
        alone = measure(np.where(truth == number, number, 0)).frame.set_index("label")
        shared = [name for name in alone if not name.startswith(("touches", "neighbour", "nearest"))]
        assert alone.loc[number, shared].equals(together.loc[number, shared])


def test_the_record_says_that_the_method_told_particles_apart(picture, method, tmp_path):
    result = segment(picture, method, out=tmp_path, tile_size=TILE, measure=False)
    assert result.told_apart
    assert "tells touching particles apart" in result.summary()
    record = json.loads((tmp_path / "discs_run.json").read_text())
    assert told_apart(record)
    assert record["settings"]["instances"] == {"overlap": 12, "agreement": 0.5}
    inside = zarr.open_group(tmp_path / "discs.ome.zarr", mode="r").attrs["napari-mpseg"]
    assert told_apart(inside)
    assert set(check_result(tmp_path / "discs_run.json").values()) == {"as written"}
    assert not told_apart(segment(picture, "otsu", measure=False).provenance)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["processes:2", "distributed:2"])
def test_other_processes_give_the_same(picture, truth, method, tmp_path, name):
    if name.startswith("distributed"):
        pytest.importorskip("distributed")
    with opened(find_scheduler(name)) as scheduler:
        result = segment(picture, method, out=tmp_path, tile_size=TILE, min_size=0, measure=False, scheduler=scheduler)
    np.testing.assert_array_equal(result.labels, truth)


@pytest.mark.parametrize("stage", ["Segmenting", "Joining", "Numbering"])
def test_a_cancelled_run_goes_on(picture, truth, method, tmp_path, stage):
    cancel, events = CancelToken(), []

    def stop(event):
        if event.stage == stage and event.done == 7:
            cancel.cancel()

    options = {"out": tmp_path, "tile_size": TILE, "min_size": 0, "measure": False}
    with pytest.raises(Cancelled):
        segment(picture, method, on_progress=stop, cancel=cancel, **options)
    result = segment(picture, method, on_progress=events.append, **options)
    assert next(event.done for event in events if event.stage == "Segmenting") >= 7
    np.testing.assert_array_equal(result.labels, truth)
    assert not list(tmp_path.rglob("*pieces*"))


def test_without_a_folder_nothing_stays_after_a_cancel(picture, method, tmp_path):
    cancel = CancelToken()

    def stop(event):
        if event.stage == "Segmenting" and event.done == 3:
            cancel.cancel()

    with pytest.raises(Cancelled):
        segment(picture, method, tile_size=TILE, cache=tmp_path, on_progress=stop, cancel=cancel)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lost", ["a chunk", "the description"])
def test_damaged_pieces_are_made_again(picture, truth, method, tmp_path, lost):
    cancel = CancelToken()

    def stop(event):
        if event.stage == "Numbering" and event.done == 5:
            cancel.cancel()

    options = {"out": tmp_path, "tile_size": TILE, "min_size": 0, "measure": False}
    with pytest.raises(Cancelled):
        segment(picture, method, on_progress=stop, cancel=cancel, **options)
    (pieces,) = tmp_path.rglob("*.pieces.zarr")
    victim = next((pieces / "0" / "c").rglob("1")) if lost == "a chunk" else pieces / "0" / "zarr.json"
    victim = next(path for path in victim.rglob("*") if path.is_file()) if victim.is_dir() else victim
    victim.write_bytes(victim.read_bytes()[:-7])
    events = []
    result = segment(picture, method, on_progress=events.append, **options)
    redone = [event for event in events if event.stage == "Segmenting"]
    assert redone[0].done == redone[0].total - (1 if lost == "a chunk" else redone[0].total)
    np.testing.assert_array_equal(result.labels, truth)


def test_a_run_that_told_apart_otherwise_is_refused(picture, method, identity, tmp_path):
    cancel = CancelToken()

    def stop(event):
        if event.done == 7:
            cancel.cancel()

    options = {"out": tmp_path, "tile_size": TILE, "measure": False}
    with pytest.raises(Cancelled):
        segment(picture, method, on_progress=stop, cancel=cancel, **options)
    with pytest.raises(StoreError, match=r"instances.overlap was 12 and is now 9"):
        segment(picture, identity.Method(identity.Identity(12, 9)), **options)


def test_what_hides_the_instances_is_refused(picture, identity):
    from napari_mpseg.inference.gaps import GapPredictor
    from napari_mpseg.inference.predictor import Prepared

    class Hidden(identity.Method):
        def prepare(self, image, *, on_progress, cancel):
            predictor = GapPredictor(self.predictor)
            assert not hasattr(predictor, "predict_instances") or pytest.skip("it passes instances on")
            return Prepared(image, predictor)

    with pytest.raises(SettingsError, match="tells touching particles apart"):
        segment(picture, Hidden(identity.Identity()), measure=False)


def test_empty_windows_are_skipped(identity, tmp_path):
    truth = np.zeros((480, 480), np.int32)
    truth[40:140, 40:140] = identity.discs(np.random.default_rng(2), (100, 100), 8)
    noisy = np.random.default_rng(3).normal(100, 2, truth.shape) + np.where(truth, 1000 + 20 * truth, 0)

    class Costly(identity.Identity):
        scaling = None
        windows = 0

        def predict_instances(self, window, margins, threshold):
            Costly.windows += 1
            who = np.where(window > 500, np.round((window - 1100) / 20), 0)
            return super().predict_instances(who, margins, threshold)

        def predict(self, window, margins=(0, 0, 0, 0)):
            return identity.cut((np.asarray(window) > 500).astype(np.float32), margins)

    plain = segment(noisy, identity.Method(Costly(16, 16)), tile_size=96, measure=False)
    everywhere, Costly.windows = Costly.windows, 0
    skipping = segment(noisy, identity.Method(Costly(16, 16)), tile_size=96, measure=False, skip_empty="background")
    assert (everywhere, plain.count) == (25, 8)
    filled = truth.reshape(5, 96, 5, 96).any((1, 3)).sum()
    assert 2 <= filled <= Costly.windows <= 9
    np.testing.assert_array_equal(skipping.labels, plain.labels)
    assert any("Skipped" in note for note in skipping.notes)


KILLED = """
import os, signal, sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("mpseg_identity", sys.argv[1])
identity = sys.modules["mpseg_identity"] = module_from_spec(spec)
spec.loader.exec_module(identity)
import skimage.measure, scipy.sparse.csgraph, dask.array, zarr, PIL.Image
import napari_mpseg.pipeline, napari_mpseg.results.overlay
for line in sys.stdin:
    out, moment = line.split()
    if not os.fork():
        touched, moment = 0, int(moment)
        def hook(event, arguments):
            global touched
            if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.listdir"):
                if any(isinstance(one, (str, bytes)) and out in os.fsdecode(one) for one in arguments[:2]):
                    touched += 1
                    if touched == moment:
                        os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        method = identity.Method(identity.Identity(12, 12, permuted=True))
        napari_mpseg.pipeline.segment(sys.argv[2], method, out=out, tile_size=48, min_size=0, measure=False)
        print(touched, flush=True)
        os._exit(0)
    if os.wait()[1]:
        print("killed", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")
def test_killed_at_any_moment_the_same_command_ends_with_the_same(picture, truth, tmp_path):
    source = Path(__file__).with_name("identity.py")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(source), str(picture)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(out, moment=0):
        process.stdin.write(f"{out} {moment}\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def contents(folder):
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return {name: found for name, found in files.items() if "/c/" in name or name.endswith(".png")}

    try:
        total = int(run(tmp_path / "whole"))
        expected, chance = contents(tmp_path / "whole"), random.Random(os.getpid())
        for number in range(4):
            out, moment = tmp_path / f"out{number}", chance.randint(number * total // 4 + 1, (number + 1) * total // 4)
            assert run(out, moment) == "killed"
            # a kill in the last steps of all leaves complete results, which the next run does not replace
            assert run(out).isdigit() or (out / "discs_run.json").exists()
            assert contents(out) == expected, f"after a kill at {moment} of {total}"
            assert not list(out.glob("*.unfinished"))
    finally:
        process.stdin.close()
        process.wait()
