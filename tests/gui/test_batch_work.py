"""What the batch widget makes of the core's answers; no window is needed."""

from pathlib import Path

import pytest


def rows(*pixels):
    from napari_mpseg.gui.batch_work import BatchRow

    return [BatchRow(Path(f"/{number}.tif"), str(number), pixels=many) for number, many in enumerate(pixels)]


def event(share):
    from napari_mpseg.progress import Progress

    return Progress("Batch", int(share * 1000), 1000, "share")


def test_the_share_of_the_image_at_work_follows_from_that_of_all():
    from napari_mpseg.gui.batch_work import Running

    running = Running(rows(100, 300, 600), "chunks")
    assert running.states(event(0.05)) == {Path("/0.tif"): "50 %"}
    running.end(Path("/0.tif"))
    assert running.states(event(0.25)) == {Path("/1.tif"): "50 %"}
    running.end(Path("/1.tif"))
    running.end(Path("/1.tif"))  # told twice
    assert running.states(event(0.7)) == {Path("/2.tif"): "50 %"}
    assert (running.ended, running.total) == (2, 3)


def test_of_several_at_once_it_is_only_said_that_they_run():
    from napari_mpseg.gui.batch_work import Running

    running = Running(rows(100, 100, 100), "images:2")
    assert running.states(event(0.1)) == {Path("/0.tif"): "running", Path("/1.tif"): "running"}


def test_pixels_of_a_large_folder_are_told_as_shares(monkeypatch):
    """A progress bar counts to 2147483647; 300 filters of 100,000 x 100,000 px are 3e12 pixels."""
    from napari_mpseg.batch import run
    from napari_mpseg.batch.settings import BatchSettings
    from napari_mpseg.gui.batch_work import SHARE, Request, do_batch
    from napari_mpseg.progress import CancelToken, Progress

    def run_batch(on_progress, **more):
        on_progress(Progress("Looking at the images", 1, 300, "images"))
        on_progress(Progress("Batch", 10**12, 3 * 10**12, "px"))

    monkeypatch.setattr(run, "run_batch", run_batch)
    told = []
    request = Request(("/scans",), "/out", BatchSettings())
    do_batch(request, lambda one: None, on_progress=told.append, cancel=CancelToken())
    assert told[0].total == 300
    assert told[1].unit == SHARE
    assert told[1].total < 2**31
    assert told[1].fraction == pytest.approx(1 / 3, abs=1e-5)


def test_messages_name_no_flags():
    from napari_mpseg.batch.outcome import ImageOutcome
    from napari_mpseg.gui.batch_work import state_of

    message = "2 planes. Choose one with plane=(0,) or --plane, counted from 0. Ask to overwrite (--overwrite) it."
    outcome = ImageOutcome("a", Path("/a.tif"), "failed", message)
    assert state_of(outcome)[1] == (
        "2 planes. Choose one with plane=(0,), counted from 0. Tick “Overwrite what was made otherwise” it."
    )


def test_a_failure_is_told_with_the_name_of_its_image_once():
    from napari_mpseg.batch.outcome import BatchOutcome, ImageOutcome
    from napari_mpseg.gui.batch_work import in_words, state_of

    path = Path("/a/b/river_3.png")
    failed = ImageOutcome("river_3", path, "failed", f"{path} is no picture ([Errno 5] Input: '{path}').")
    assert state_of(failed) == ("failed", "river_3.png is no picture ([Errno 5] Input: 'river_3.png').")
    told = in_words(BatchOutcome((failed,)))[-1]
    assert told == "1 failed: river_3.png is no picture ([Errno 5] Input: 'river_3.png')."
    other = ImageOutcome("river_4", Path("/a/b/river_4.png"), "failed", "The disk is full.")
    assert in_words(BatchOutcome((other,)))[-1] == "1 failed: river_4.png: The disk is full."
    assert in_words(BatchOutcome((failed, other)))[-1].startswith("2 failed, the first: river_3.png is no picture")


def test_settings_that_differ_are_told_in_the_words_of_the_form():
    from napari_mpseg.batch.differences import Difference
    from napari_mpseg.gui.batch_words import in_settings

    assert in_settings([Difference("threshold", None, 0.4)]) == "threshold was automatic and is 0.4"
    options = Difference("options", {"radius": 5, "dark": True}, {"radius": 5, "dark": False})
    assert (
        in_settings([options, Difference("rescale", False, True)])
        == "dark was on and is off; rescale was off and is on"
    )
    method = [Difference("method", "default", "otsu"), options, Difference("model", "ab12", None)]
    assert in_settings(method) == "method was default and is otsu"
    assert in_settings([]) == "it is not known how"


def test_of_a_runtime_that_cannot_be_used_it_is_said_where_it_is_set():
    from napari_mpseg.gui.batch_words import with_place

    message = "Runtime 'onnx' cannot be used: onnxruntime is missing."
    assert with_place(message, "onnx") == f"{message} It is set under File > Preferences > napari-mpseg."
    assert with_place("The sheet is missing.", "onnx") == "The sheet is missing."


def test_a_folder_for_results_is_suggested_beside_the_images(tmp_path):
    from napari_mpseg.gui.batch_inputs import suggested_folder

    (tmp_path / "scan.tif").touch()
    (tmp_path / "big.ome.zarr").mkdir()
    expected = str(tmp_path / "mpseg-results")
    for chosen in (tmp_path, tmp_path / "scan.tif", tmp_path / "**" / "*.tif", tmp_path / "big.ome.zarr"):
        assert suggested_folder([str(chosen)]) == expected
    assert suggested_folder([]) == ""
