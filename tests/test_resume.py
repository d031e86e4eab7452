"""A run that is killed goes on where it was, and ends with what it would have ended with."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import napari_mpseg as mp
from napari_mpseg.errors import Cancelled, StoreError
from napari_mpseg.progress import CancelToken

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")

# Imports everything once, then runs each command in a fork of itself, which kills itself at the n-th time that it
# touches a file of the results: opened, made, renamed, removed.
ZYGOTE = """
import json, os, signal, sys
import dask.array, dask.threaded, numba, numpy, pandas, pyarrow.parquet, skimage.measure, zarr, PIL.Image
import scipy.sparse.csgraph
import napari_mpseg.pipeline, napari_mpseg.particles.reviewable, napari_mpseg.results.overlay

def child(order):
    place, left = order["out"], order["kill"]
    touched = 0
    def hook(event, arguments):
        nonlocal touched
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.listdir"):
            if any(isinstance(value, (str, bytes)) and place in os.fsdecode(value) for value in arguments[:2]):
                touched += 1
                if touched == left:
                    os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    try:
        napari_mpseg.pipeline.segment(order["image"], "max-entropy", out=place, tile_size=48, **order["options"])
    except Exception as error:
        return {"error": str(error), "touched": touched}
    return {"touched": touched}

for line in sys.stdin:
    order = json.loads(line)
    end, start = os.pipe()
    process = os.fork()
    if not process:
        os.close(end)
        os.write(start, json.dumps(child(order)).encode())
        os._exit(0)
    os.close(start)
    with os.fdopen(end) as answer:
        told = answer.read()
    os.waitpid(process, 0)
    print(told or json.dumps({"killed": True}), flush=True)
"""


@pytest.fixture(scope="module")
def run():
    process = subprocess.Popen([sys.executable, "-c", ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def order(image, out, kill=0, **options):
        text = json.dumps({"image": str(image), "out": str(out), "kill": kill, "options": options})
        process.stdin.write(text + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield order
    process.stdin.close()
    process.wait()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Blobs, many of them over the borders of tiles."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(5).random((210, 260)), 3)
    blobs = np.interp(noise, (np.quantile(noise, 0.85), noise.max()), (0, 255)).astype(np.uint8)
    path = tmp_path_factory.mktemp("image") / "blobs.png"
    Image.fromarray(blobs).save(path)
    return path


@pytest.fixture(scope="module")
def whole(run, image, tmp_path_factory):
    """What an undisturbed run leaves, and how often it touched its files."""
    out = tmp_path_factory.mktemp("whole") / "out"
    told = run(image, out)
    assert "error" not in told
    found = contents(out)
    assert found["blobs_particles.csv"].count(b"\n") > 20
    assert sum("labels/particles/0/c/" in name for name in found) > 10
    return found, told["touched"]


def contents(folder):
    """Return the bytes of all pixels and of the table; records tell the time and are left out."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: found for name, found in files.items() if "/c/" in name or name.endswith((".csv", ".png"))}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


COMPLETE = ["blobs.ome.zarr", "blobs_overlay.png", "blobs_particles.csv", "blobs_particles.parquet", "blobs_run.json"]


@pytest.mark.parametrize("attempt", range(20))
def test_killed_at_a_random_moment_the_same_command_ends_with_the_same(run, image, whole, tmp_path, attempt):
    expected, touched = whole
    choice = random.Random(f"{os.getpid()} {attempt}")
    out, moment = killed_once(run, image, tmp_path, choice, touched)
    if names(out) != COMPLETE:  # else nothing was left to be done but to look at what is there
        assert "error" not in run(image, out), f"after a kill at {moment} of {touched}"
    assert names(out) == COMPLETE, f"after a kill at {moment} of {touched}"
    assert contents(out) == expected, f"after a kill at {moment} of {touched}"


def killed_once(run, image, tmp_path, choice, touched):
    """Return the folder of a killed run, and when it was killed.

    Threads share their files differently each time, so that a run touches them some times less than another, and may
    end before its moment comes: then there is another run.
    """
    for part in range(10):
        out, moment = tmp_path / f"out-{part}", choice.randint(1, touched)
        told = run(image, out, kill=moment)
        if told == {"killed": True}:
            return out, moment
        assert "error" not in told, told
        assert told["touched"] < moment
        touched = told["touched"]
    raise AssertionError("no run was killed")


def test_killed_again_and_again_while_results_are_put_in_their_places(run, image, whole, tmp_path):
    expected, touched = whole
    out = tmp_path / "out"
    run(image, out, kill=touched - 40)
    for moment in range(2, 60, 3):
        if run(image, out, kill=moment) != {"killed": True}:
            break
    assert "error" not in run(image, out) or names(out) == COMPLETE
    assert names(out) == COMPLETE
    assert contents(out) == expected


def test_overwriting_that_is_killed_loses_neither_the_old_nor_the_new(run, image, whole, tmp_path):
    expected, touched = whole
    out = tmp_path / "out"
    run(image, out, min_size=100)
    old = contents(out)
    for moment in (touched // 3, touched - 25, touched - 15, touched - 8):
        told = run(image, out, kill=moment, overwrite=True)
        assert told == {"killed": True} or told["touched"] < moment
        if names(out) == sorted([*COMPLETE, "blobs.unfinished"]):
            here = {name: found for name, found in contents(out).items() if ".unfinished" not in name}
            assert here in (old, expected)
        assert "error" not in run(image, out, overwrite=True)
        assert names(out) == COMPLETE
        assert contents(out) == expected
        run(image, out, min_size=100, overwrite=True)


def test_other_settings_are_refused_and_what_differs_is_named(image, tmp_path):
    out = tmp_path / "out"
    cancelled(image, out, min_size=5)
    with pytest.raises(
        StoreError, match=rf"^{out}/blobs.*min_size was 5 and is now 6.*--restart.*had done\.$"
    ) as caught:
        mp.segment(image, "max-entropy", out=out, min_size=6)
    assert str(out / "blobs.unfinished") in str(caught.value)
    with pytest.raises(StoreError, match=r"method was max-entropy and is now fixed-level"):
        mp.segment(image, "fixed-level", out=out, min_size=5)
    kept = sorted((out / "blobs.unfinished").rglob("*"))
    assert kept
    assert mp.segment(image, "max-entropy", out=out, min_size=6, restart=True).table["area_px"].min() >= 6
    assert names(out) == COMPLETE


def test_another_image_under_the_same_name_is_refused(image, tmp_path):
    from PIL import Image

    mine = tmp_path / "blobs.png"
    mine.write_bytes(image.read_bytes())
    cancelled(mine, tmp_path / "out")
    other = np.asarray(Image.open(image)).copy()
    other[100:103, 100:103] = 255  # so little that samples of the pixels may miss it
    Image.fromarray(other).save(mine)
    with pytest.raises(StoreError, match="file"):
        mp.segment(mine, "max-entropy", out=tmp_path / "out")


def test_another_array_is_refused(tmp_path):
    pixels = np.zeros((300, 300), np.uint8)
    pixels[100:120, 90:110] = 255
    token = CancelToken()

    def stop(event):
        if event.stage == "Numbering":
            token.cancel()

    with pytest.raises(Cancelled):
        mp.segment(pixels, "fixed-level", out=tmp_path, on_progress=stop, cancel=token)
    pixels[110, 100] = 0
    with pytest.raises(StoreError, match="pixels_crc32 was"):
        mp.segment(pixels, "fixed-level", out=tmp_path)


@pytest.mark.parametrize("kind", ["array", "file"])
def test_other_strokes_are_refused(image, tmp_path, kind):
    """A forest learns from strokes: half of one and half of another would be in one result."""
    from PIL import Image

    painted = np.zeros((210, 260), np.uint8)
    painted[:4], painted[100:104, 50:60] = 1, 2
    token = CancelToken()

    def given():
        if kind == "array":
            return {"painted": painted, "trees": 3}
        Image.fromarray(painted).save(tmp_path / "strokes.png")
        return {"painted": str(tmp_path / "strokes.png"), "trees": 3}

    def stop(event):
        if event.stage == "Numbering":
            token.cancel()

    with pytest.raises(Cancelled):
        mp.segment(image, "pixel-forest", options=given(), out=tmp_path / "out", on_progress=stop, cancel=token)
    painted[painted > 0] = 3 - painted[painted > 0]
    with pytest.raises(StoreError, match="painted"):
        mp.segment(image, "pixel-forest", options=given(), out=tmp_path / "out")


def test_another_method_is_named_even_if_it_has_other_options(tmp_path):
    pixels = np.zeros((100, 120, 3), np.uint8)
    pixels[40:50, 60:70] = 255
    token = CancelToken()

    def stop(event):
        if event.stage == "Numbering":
            token.cancel()

    with pytest.raises(Cancelled):
        mp.segment(pixels, out=tmp_path, on_progress=stop, cancel=token)
    with pytest.raises(StoreError, match="method was default and is now otsu"):
        mp.segment(pixels, "otsu", out=tmp_path)


def test_how_much_was_skipped_is_told_of_the_whole_image(tmp_path):
    pixels = np.random.default_rng(2).integers(10, 14, (200, 260, 3)).astype(np.uint8)
    pixels[40:50, 60:70] = 255
    token = CancelToken()

    def stop(event):
        if event.stage == "Segmenting" and event.done >= 5:
            token.cancel()

    options = {"tile_size": 64, "skip_empty": "background"}
    whole = mp.segment(pixels, **options)
    assert any("Skipped" in note for note in whole.notes)
    with pytest.raises(Cancelled):
        mp.segment(pixels, out=tmp_path, on_progress=stop, cancel=token, **options)
    assert mp.segment(pixels, out=tmp_path, **options).notes == whole.notes


def test_an_empty_plan_or_store_after_a_power_cut_begins_anew(image, whole, tmp_path):
    for name in ("plan.json", "store-*.ome.zarr/zarr.json", "store-*.ome.zarr/0/zarr.json"):
        out = tmp_path / name.replace("/", "_").replace("*", "")
        cancelled(image, out, tile_size=48)
        (path,) = (out / "blobs.unfinished").glob(name)
        path.write_bytes(b"")
        mp.segment(image, "max-entropy", out=out, tile_size=48)
        assert contents(out) == whole[0]
        assert names(out) == COMPLETE


def test_finished_tiles_are_not_done_again(image, tmp_path):
    cancelled(image, tmp_path / "out", tile_size=48)
    first = []
    mp.segment(
        image,
        "max-entropy",
        out=tmp_path / "out",
        on_progress=lambda event: first.append(event) if event.stage == "Segmenting" else None,
    )  # the tile size is taken from the run that is gone on with
    assert first[0].total == 30
    assert first[0].done >= 5


def test_what_was_chosen_automatically_is_taken_from_the_run_that_is_gone_on_with(tmp_path, monkeypatch):
    from napari_mpseg.inference.runtimes.registry import RUNTIMES

    others = [name for name, entry in RUNTIMES.items() if name != "torch-fp32" and entry.available("cpu") is None]
    if not others:
        pytest.skip("there is no second runtime on this machine")
    pixels = np.zeros((100, 120, 3), np.uint8)
    pixels[40:50, 60:70] = 255
    token = CancelToken()

    def stop(event):
        if event.stage == "Numbering":
            token.cancel()

    with pytest.raises(Cancelled):
        mp.segment(pixels, out=tmp_path, on_progress=stop, cancel=token)
    monkeypatch.setenv("NAPARI_MPSEG_RUNTIME", others[0])
    result = mp.segment(pixels, out=tmp_path)
    assert result.provenance["settings"]["runtime"] == "torch-fp32"
    assert result.count == 1
    with pytest.raises(StoreError, match="already holds results"):
        mp.segment(pixels, out=tmp_path)


def test_tiles_whose_pixels_were_lost_are_done_again(image, whole, tmp_path):
    """A power cut can take away what a journal already tells."""
    out = tmp_path / "out"
    cancelled(image, out, tile_size=48)
    chunks = sorted((out / "blobs.unfinished").glob("store-*.ome.zarr/0/c/*/*"))
    chunks[0].unlink()
    chunks[1].write_bytes(b"")
    chunks[2].write_bytes(chunks[3].read_bytes())
    result = mp.segment(image, "max-entropy", out=out, tile_size=48)
    assert contents(out) == whole[0]
    assert result.count == len(pd.read_csv(out / "blobs_particles.csv"))


def test_a_journal_cut_short_counts_up_to_there(image, whole, tmp_path):
    out = tmp_path / "out"
    cancelled(image, out, tile_size=48)
    (journal,) = (out / "blobs.unfinished").glob("journal-*/*")
    journal.write_bytes(journal.read_bytes()[:-7])
    mp.segment(image, "max-entropy", out=out, tile_size=48)
    assert contents(out) == whole[0]


def test_two_at_once_do_not_meet(image, tmp_path):
    tried = []

    def try_too(event):
        if event.stage == "Numbering" and not tried:
            with pytest.raises(StoreError, match="Another process is at work"):
                mp.segment(image, "max-entropy", out=tmp_path / "out")
            tried.append(True)

    mp.segment(image, "max-entropy", out=tmp_path / "out", on_progress=try_too)
    assert tried


def cancelled(image: Path, out: Path, tile_size=48, **options):
    """Stop a run after five tiles."""
    token = CancelToken()

    def stop(event):
        if event.stage == "Segmenting" and event.done >= 5:
            token.cancel()

    with pytest.raises(Cancelled) as caught:
        mp.segment(image, "max-entropy", out=out, tile_size=tile_size, on_progress=stop, cancel=token, **options)
    assert caught.value.kept == str(out / "blobs.unfinished")
    assert names(out) == ["blobs.unfinished"]
