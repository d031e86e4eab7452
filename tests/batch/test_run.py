"""Batches as a whole: what is written, what fails, what is gone on with."""

import errno
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_mpseg.batch import plan as batch_plan
from napari_mpseg.batch.journal import JOURNAL, Journal
from napari_mpseg.batch.plan import plan_batch
from napari_mpseg.batch.run import run_batch, summarise_batch
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.errors import Cancelled, ModelError, SettingsError, StoreError, UnknownNameError
from napari_mpseg.files import refusal
from napari_mpseg.particles.sizes import SizeClasses
from napari_mpseg.progress import CancelToken

NO_MATTER = ["seconds"]

COUNTS = {"lake_1": 5, "lake_2": 3, "blank_1": 1, "blank_2": 2, "blank_3": 3}

pytestmark = pytest.mark.usefixtures("no_plots")


@pytest.fixture
def scans(squares, tmp_path):
    for name, count in COUNTS.items():
        squares(f"{name}.png", count)
    return tmp_path / "scans"


@pytest.fixture
def batch(scans, tmp_path, settings):
    def batch(inputs=scans, settings=settings, **more):
        return run_batch(inputs, tmp_path / "out", settings, pattern="{sample}_{replicate}", **more)

    return batch


@pytest.fixture(scope="module")
def finished(tmp_path_factory, write_squares):
    """A finished batch of the images of `scans`."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_mpseg.batch.tables._PLOTS", ())
        for name, count in COUNTS.items():
            write_squares(folder / "scans" / f"{name}.png", count)
        settings = BatchSettings("fixed-level", pixel_size="5um", parallel="chunks")
        run_batch(folder / "scans", folder / "out", settings, pattern="{sample}_{replicate}")
    return folder


@pytest.fixture
def done(finished, scans, tmp_path):
    """That batch, in a folder of this test."""
    shutil.copytree(finished / "out", tmp_path / "out")
    for image in (finished / "scans").iterdir():
        shutil.copy2(image, scans)
    journal = tmp_path / "out" / JOURNAL
    journal.write_text(journal.read_text().replace(str(finished), str(tmp_path)))
    return summarise_batch(tmp_path / "out")


def table(outcome):
    return outcome.summary.set_index("image")


def states(plan):
    return {item.name: item.state for item in plan.items}


def test_every_image_gets_results_and_a_row(done, tmp_path):
    frame = pd.read_csv(tmp_path / "out" / "batch_summary.csv").set_index("image")
    assert frame["particles"].to_dict() == {"blank_1": 1, "blank_2": 2, "blank_3": 3, "lake_1": 5, "lake_2": 3}
    lake = frame.loc["lake_1"]
    assert (lake["sample"], lake["replicate"], lake["blank"], lake["status"]) == ("lake", 1, "no", "done")
    assert (lake["size_20-50 um"], lake["size_<20 um"], lake["pixel_width"]) == (5, 0, 5.0)  # diagonal 42 um
    assert lake["particles_per_mm2"] == pytest.approx(5 / (64 * 96 * 25e-6))
    assert lake["area_percent"] == pytest.approx(100 * 5 * 36 / (64 * 96))
    assert (lake["particles_low"], lake["particles_high"]) == pytest.approx((1.623, 11.668), abs=1e-3)  # from tables
    assert frame["settings"].nunique() == 1
    assert (tmp_path / "out" / "lake_1_particles.csv").exists()
    assert (tmp_path / "out" / "lake_1.ome.zarr").is_dir()


def test_samples_are_counted_without_their_blanks(done, tmp_path):
    frame = pd.read_csv(tmp_path / "out" / "batch_samples.csv")
    row = frame[(frame["sample"] == "lake") & (frame["size_class"] == "all")].iloc[0]
    assert (row["replicates"], row["count_mean"], row["blank_mean"], row["corrected_mean"]) == (2, 4.0, 2.0, 2.0)
    assert (row["lod"], row["loq"], row["detection"]) == (5.0, 12.0, "below LOD")  # blanks 1, 2, 3: sd 1


def test_the_page_tells_samples_images_and_what_is_missing(batch, done, scans, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_mpseg.batch.tables._PLOTS", ("size-distribution",))
    (scans / "river_1.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    batch()
    page = (tmp_path / "out" / "batch_report.html").read_text(encoding="utf-8")
    for text in ("Samples", "river_1", "Images that are missing", "Poisson", "Size distribution"):
        assert text in page
    assert "(blank)" not in page


def test_a_failing_file_is_told_and_the_others_go_on(batch, scans, tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (600, 600), np.uint8)
    tifffile.imwrite(scans / "cut_1.tif", picture)
    with (scans / "cut_1.tif").open("r+b") as file:
        file.truncate(200_000)  # opens, but cannot be read to its end
    (scans / "empty_1.png").write_bytes(b"")
    ended = []
    outcome = batch(on_image=ended.append)
    assert {one.name for one in outcome.failures} == {"cut_1", "empty_1"}
    frame = table(outcome)
    assert frame.loc["cut_1", "status"] == "failed"
    assert "cut_1.tif" in frame.loc["cut_1", "message"]
    assert (frame["status"] == "done").sum() == 5
    assert {one.name for one in ended} == set(frame.index)
    assert "1 image of sample cut could not be counted." in outcome.notes
    tifffile.imwrite(scans / "cut_1.tif", picture)  # repaired
    assert {one.name for one in batch().failures} == {"empty_1"}


def test_a_defect_on_one_image_does_not_end_the_batch(batch, monkeypatch):
    from napari_mpseg import pipeline

    segment = pipeline.segment

    def odd(source, *given, **more):
        if "lake_1" in str(source):
            raise ZeroDivisionError("odd file")
        return segment(source, *given, **more)

    monkeypatch.setattr(pipeline, "segment", odd)
    (failed,) = batch().failures
    assert (failed.name, failed.message) == ("lake_1", "ZeroDivisionError: odd file")


def test_nothing_is_done_twice(batch, done, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_mpseg.pipeline.segment", None)
    again = batch()
    assert all(one.earlier for one in again.images)
    pd.testing.assert_frame_equal(again.summary, done.summary)
    pd.testing.assert_frame_equal(again.samples, done.samples)


def test_more_images_can_come_later(batch, done, squares):
    squares("lake_3.png", 4)
    outcome = batch()
    assert {one.name for one in outcome.images if not one.earlier} == {"lake_3"}
    assert table(outcome).loc["lake_3", "particles"] == 4


def test_other_settings_are_refused_with_the_difference_and_done_when_asked(batch, done, settings):
    other = BatchSettings("fixed-level", {"level": 215}, min_size=5, pixel_size="5um", parallel="chunks")
    with pytest.raises(
        SettingsError, match=r'5 of these images .*: options was \{\} and is \{"level": 215\}; min_size'
    ):
        batch(settings=other)
    outcome = batch(settings=other, overwrite=True)
    assert not any(one.earlier for one in outcome.images)
    assert table(outcome)["settings"].iloc[0] != table(done)["settings"].iloc[0]
    assert all(one.earlier for one in batch(settings=other, overwrite=True).images)  # and not again and again


def test_how_it_is_computed_makes_no_other_result(batch, done, settings):
    other = BatchSettings("fixed-level", pixel_size="5um", tile_size=64, parallel="images:2")
    assert all(one.earlier for one in batch(settings=other).images)


def test_a_changed_file_is_refused_until_asked(batch, done, squares, scans, tmp_path):
    squares("lake_1.png", 7)
    (failed,) = batch().failures
    assert failed.name == "lake_1"
    assert "has changed since its results were made" in failed.message
    assert (batch().summary["status"] == "failed").sum() == 1  # still, and its results are still there
    outcome = batch(overwrite=True)
    assert [one.name for one in outcome.images if not one.earlier] == ["lake_1"]
    assert table(outcome).loc["lake_1", "particles"] == 7


def test_a_touched_or_moved_file_is_the_same(batch, done, scans, tmp_path, settings):
    (scans / "lake_1.png").touch()
    assert all(one.earlier for one in batch().images)
    shutil.copytree(scans, tmp_path / "moved")
    shutil.rmtree(scans)
    outcome = batch(tmp_path / "moved")
    assert all(one.earlier for one in outcome.images)


def test_images_of_one_name_do_not_write_over_each_other(squares, tmp_path, settings):
    paths = [squares("a.png", 1, tmp_path / "may"), squares("a.png", 2, tmp_path / "june")]
    first = run_batch(paths[0], tmp_path / "out", settings)
    assert [one.name for one in first.images] == ["a"]
    outcome = run_batch(paths, tmp_path / "out", settings)
    assert table(outcome)["particles"].to_dict() == {"june_a": 2, "a": 1}
    assert [one.earlier for one in outcome.images] == [False, True]
    record = json.loads((tmp_path / "out" / "june_a_run.json").read_text())
    assert record["inputs"]["source"] == str(paths[1])


def test_the_spelling_of_a_path_makes_no_other_image(squares, tmp_path, settings, monkeypatch):
    may, june = (squares("a.png", count, tmp_path / folder) for count, folder in ((1, "may"), (2, "june")))
    (tmp_path / "link").symlink_to(tmp_path / "may")
    monkeypatch.chdir(tmp_path)
    first = run_batch([tmp_path / "link" / "a.png", june, "june/../june/a.png"], tmp_path / "out", settings)
    assert table(first)["particles"].to_dict() == {"june_a": 2, "link_a": 1}
    assert any("are one file" in note and "june/../june/a.png" in note for note in first.notes)
    again = run_batch(["link/../may/a.png", "june"], tmp_path / "out", settings)
    assert [one.earlier for one in again.images] == [True, True]
    assert table(again)["file"].to_dict() == {"june_a": str(june), "link_a": str(may)}


def test_results_that_no_batch_made_are_not_replaced(batch, scans, tmp_path, settings):
    from napari_mpseg.pipeline import segment

    segment(scans / "lake_1.png", "fixed-level", out=tmp_path / "out")
    (failed,) = batch().failures
    assert "holds results of this name that no batch made" in failed.message
    assert not batch(overwrite=True).failures


def test_tables_of_that_name_are_not_replaced(batch, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "batch_summary.csv").write_text("mine\n")
    with pytest.raises(StoreError, match=r"already holds batch_summary.csv"):
        batch()
    batch(overwrite=True)


def test_what_was_decided_since_is_in_the_next_summary(done, tmp_path):
    place = tmp_path / "out" / "lake_1_particles.csv"
    particles = pd.read_csv(place)
    particles.loc[0, "keep"] = False
    particles.loc[1, "class"] = "film"
    particles.to_csv(place, index=False)
    outcome = summarise_batch(tmp_path / "out")
    lake = table(outcome).loc["lake_1"]
    assert (lake["particles"], lake["not_kept"], lake["class_film"], lake["size_20-50 um"]) == (4, 1, 1, 4)
    row = outcome.samples[(outcome.samples["sample"] == "lake") & (outcome.samples["size_class"] == "all")].iloc[0]
    assert (row["count_total"], row["corrected_mean"]) == (7, 1.5)
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "out" / "batch_summary.csv")[["image"]], outcome.summary[["image"]]
    )


def test_an_image_without_particles_has_none_of_any_class(done, tmp_path):
    for name in ("lake_1", "lake_2", "blank_1"):
        place = tmp_path / "out" / f"{name}_particles.csv"
        particles = pd.read_csv(place)
        particles["class"] = "film" if name == "lake_1" else "fibre" if name == "lake_2" else None
        particles["keep"] = name != "blank_1"
        particles.to_csv(place, index=False)
    summarise_batch(tmp_path / "out")
    frame = pd.read_csv(tmp_path / "out" / "batch_summary.csv", dtype=str).set_index("image")
    assert list(frame.loc["blank_1", ["particles", "class_film", "class_fibre", "size_20-50 um"]]) == ["0"] * 4
    assert list(frame.loc["lake_2", ["class_film", "class_fibre"]]) == ["0", "3"]
    assert list(frame.loc["blank_2", ["class_film", "class_particle"]]) == ["0", "2"]


def test_the_tables_have_six_digits_and_no_more(done, tmp_path):
    written = [(tmp_path / "out" / f"batch_{name}.csv").read_text() for name in ("summary", "samples")]
    summary, samples = (pd.read_csv(io.StringIO(text), dtype=str) for text in written)
    lake = summary.set_index("image").loc["lake_1"]
    # 5 on 64 x 96 px of 25e-6 mm2 each; 180 px of 6144; Garwood's limits of 5
    assert list(lake[["particles_per_mm2", "area_percent", "particles_low", "particles_high", "pixel_width"]]) == [
        *("32.5521", "2.92969", "1.62349", "11.6683", "5")
    ]
    row = samples[(samples["sample"] == "lake") & (samples["size_class"] == "all")].iloc[0]
    assert list(row[["blanks", "blank_mean", "lod", "count_sd"]]) == ["3", "2", "5", "1.41421"]
    numbers = [one for text in written for one in re.findall(r"(?<![\w.])-?\d+\.\d+(?=[,\n])", text)]
    assert all(len(one.replace(".", "").lstrip("0")) <= 6 and not one.startswith("-0.0") for one in numbers)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_the_batch_and_the_same_goes_on(batch, scans, tmp_path, monkeypatch, number):
    from napari_mpseg import pipeline

    ended, begun, segment = [], [], pipeline.segment

    def full(source, *given, **more):
        begun.append(source)
        if len(begun) > 2:
            reason = OSError(number, "No space left on device", "lake_1_particles.csv")
            raise refusal(tmp_path / "out" / "lake_1_particles.csv", reason) from reason
        return segment(source, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "segment", full)
        with pytest.raises(StoreError, match=r"No space left .* stopped at blank_3.* same command goes on"):
            batch(on_image=lambda outcome: ended.append((outcome.name, outcome.status)))
    assert len(begun) == 3
    assert ended == [("blank_1", "done"), ("blank_2", "done")]
    waiting = summarise_batch(tmp_path / "out").summary.set_index("image")["status"]
    assert list(waiting[["blank_3", "lake_1", "lake_2"]]) == ["not done"] * 3
    again = batch()
    assert [one.name for one in again.images if one.earlier] == ["blank_1", "blank_2"]
    assert not again.failures


def test_a_summary_takes_other_size_classes_and_another_sheet(done, tmp_path):
    (tmp_path / "s.csv").write_text("file,volume_l\nlake_1,2\nlake_2,2\n")
    outcome = summarise_batch(tmp_path / "out", sheet=tmp_path / "s.csv", sizes=SizeClasses.parse("40 um"))
    assert list(outcome.samples["size_class"].unique()) == ["all", "<40 um", ">=40 um"]
    row = outcome.samples.iloc[0]
    assert (row["sample"], row["per_litre_mean"]) == ("lake", 1.0)  # (5 - 2) / 2 and (3 - 2) / 2


def test_a_broken_table_is_told_in_the_summary(done, tmp_path):
    for name in ("lake_1_particles.csv", "lake_1_particles.parquet"):
        (tmp_path / "out" / name).write_text("nothing,of,use\n1,2\n")
    (failed,) = summarise_batch(tmp_path / "out").failures
    assert failed.name == "lake_1"
    assert "cannot be read" in failed.message


def test_there_is_no_summary_without_a_batch(tmp_path):
    with pytest.raises(SettingsError, match="holds no batch"):
        summarise_batch(tmp_path)


def test_a_cancelled_batch_goes_on_where_it_was(batch, done, tmp_path, settings):
    shutil.rmtree(tmp_path / "out")
    token, ended = CancelToken(), []

    def stop(outcome):
        ended.append(outcome.name)
        if len(ended) == 2:
            token.cancel()

    with pytest.raises(Cancelled) as stopped:
        batch(on_image=stop, cancel=token)
    assert stopped.value.kept == str(tmp_path / "out")
    again = batch()
    assert [one.name for one in again.images if one.earlier] == ended
    pd.testing.assert_frame_equal(again.summary.drop(columns=NO_MATTER), done.summary.drop(columns=NO_MATTER))
    pd.testing.assert_frame_equal(again.samples, done.samples)


def test_summing_up_tells_its_progress_and_can_be_stopped(batch, done, tmp_path):
    before = (tmp_path / "out" / "batch_summary.csv").read_bytes()
    for summing in (batch, lambda **steps: summarise_batch(tmp_path / "out", **steps)):
        token, events = CancelToken(), []

        def stop(event, token=token, events=events):
            if event.stage == "Summing up":
                events.append((event.done, event.total))
                if event.done == 2:
                    token.cancel()

        with pytest.raises(Cancelled) as stopped:
            summing(on_progress=stop, cancel=token)
        assert events == [(0, 5), (1, 5), (2, 5)]
        assert stopped.value.kept == (str(tmp_path / "out") if summing is batch else "")
        assert (tmp_path / "out" / "batch_summary.csv").read_bytes() == before
    assert all(one.earlier for one in batch().images)


def test_a_stopped_overwrite_leaves_what_it_has_not_begun_as_it_was(batch, done, settings, tmp_path):
    other = replace(settings, min_size=5)
    token = CancelToken()
    with pytest.raises(Cancelled):
        batch(settings=other, overwrite=True, on_image=lambda outcome: token.cancel(), cancel=token)
    journal = Journal.read(tmp_path / "out")
    used = [journal.settings[entry.settings]["min_size"] for entry in journal.entries.values()]
    assert sorted(used, key=str) == [5, None, None, None, None]
    # a summary does not mix them
    assert (summarise_batch(tmp_path / "out").summary["status"] == "done").sum() == 1
    # and the same goes on with the others
    again = batch(settings=other, overwrite=True)
    assert sum(one.earlier for one in again.images) == 1
    assert again.summary["settings"].nunique() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"skip_empty": "backgroundd"},
        {"threshold": 7},
        {"scheduler": "procesess:4"},
        {"scheduler": "processes:0"},
        {"method": "default", "device": "cpu", "runtime": "torch-fp33"},
        {"runtime": "torch-fp32"},  # of a method that is no network
        {"rescale": True},
        {"background": "rolling-bal"},
        {"rules": "mp-vatt"},
        {"tile_size": 0},
        {"tta": ("flip",)},
    ],
    ids=str,
)
def test_settings_that_no_image_could_be_done_with_are_told_once(batch, settings, tmp_path, wrong):
    ended = []
    with pytest.raises((SettingsError, UnknownNameError)):
        batch(settings=replace(settings, **wrong), on_image=ended.append)
    assert not ended
    assert not (tmp_path / "out").exists()


def test_a_broken_model_is_told_once(batch, settings, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_text("{")
    with pytest.raises(ModelError):
        batch(settings=replace(settings, method=str(tmp_path / "model")))


def test_an_image_that_vanishes_is_told_and_the_others_go_on(batch, done, squares, scans, monkeypatch):
    squares("lake_3.png", 4)
    kept = Path.stat

    def gone(path, **how):
        if path.name in ("lake_1.png", "lake_3.png") and looked:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return kept(path, **how)

    looked = []
    plan = batch_plan.changed

    def changed(path, entry):
        looked.append(path)
        return plan(path, entry)

    monkeypatch.setattr(batch_plan, "changed", changed)
    monkeypatch.setattr(Path, "stat", gone)
    outcome = batch()
    assert {one.name for one in outcome.failures} == {"lake_1", "lake_3"}
    assert all("No such file" in one.message or "is not there" in one.message for one in outcome.failures)


@pytest.fixture
def half_done(batch, scans, squares, tmp_path, settings):
    """Leave one image of 256 x 256 px half done, in tiles of 64 px."""
    for image in scans.iterdir():
        image.unlink()
    picture = np.full((256, 256), 10, np.uint8)
    picture[20:26, 20:26] = picture[200:206, 200:206] = 220
    tifffile.imwrite(scans / "lake_1.tif", picture)
    token = CancelToken()

    def stop(event):
        if event.unit == "px" and event.done > 0.2 * event.total:
            token.cancel()

    with pytest.raises(Cancelled):
        batch(settings=replace(settings, tile_size=64), on_progress=stop, cancel=token)
    assert (tmp_path / "out" / "lake_1.unfinished").is_dir()
    return replace(settings, tile_size=64), replace(settings, tile_size=128)


def test_an_image_that_was_begun_otherwise_is_refused_with_a_way_out(batch, half_done):
    before, other = half_done
    (failed,) = batch(settings=other).failures
    assert "half done, and was begun otherwise: tile_size was 64 and is now 128" in failed.message
    assert "--overwrite" in failed.message
    assert "--restart" not in failed.message
    assert not batch(settings=before).failures  # the other way out


def test_an_image_that_was_begun_otherwise_is_begun_anew_when_asked(batch, half_done):
    outcome = batch(settings=half_done[1], overwrite=True)
    assert not outcome.failures
    assert table(outcome).loc["lake_1", "particles"] == 2


def test_overwriting_goes_on_with_what_was_begun_alike(batch, half_done, monkeypatch):
    from napari_mpseg import pipeline

    restarts, segment = [], pipeline.segment

    def watched(*given, restart=False, **more):
        restarts.append(restart)
        return segment(*given, restart=restart, **more)

    monkeypatch.setattr(pipeline, "segment", watched)
    assert not batch(settings=half_done[0], overwrite=True).failures
    assert restarts == [False]


def test_an_image_whose_end_was_not_noted_any_more_is_done(batch, done, tmp_path):
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_text().splitlines()
    # killed after the results were complete and while its end was being written
    journal.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20])
    outcome = batch()
    assert all(one.earlier for one in outcome.images)
    assert Journal.read(tmp_path / "out").batch["images"]
    pd.testing.assert_frame_equal(outcome.summary.drop(columns=NO_MATTER), done.summary.drop(columns=NO_MATTER))


def test_two_batches_do_not_write_into_one_folder_at_once(batch, scans, tmp_path, settings):
    told = []

    def second(outcome):
        with pytest.raises(StoreError, match="Another process is at work"):
            run_batch(scans, tmp_path / "out", settings)
        told.append(outcome)

    batch(on_image=second)
    assert len(told) == 5


def test_progress_counts_pixels_of_what_is_left(batch, squares, done):
    for name in ("lake_7", "lake_8"):
        squares(f"{name}.png", 1)
    events = []
    batch(on_progress=events.append)
    counted = [event for event in events if event.unit == "px"]
    assert {event.total for event in counted} == {2 * 64 * 96}
    assert [event.done for event in counted] == sorted(event.done for event in counted)
    assert (counted[0].done, counted[-1].done) == (0, 2 * 64 * 96)


def test_a_plan_tells_what_is_to_be_done(batch, done, squares, scans, tmp_path, settings):
    squares("lake_9.png", 1)
    (scans / "bad_1.png").write_bytes(b"")
    plan = plan_batch(scans, tmp_path / "out", settings, pattern="{sample}_{replicate}")
    assert states(plan)["lake_9"] == "to do"
    assert states(plan)["bad_1"] == "refused"
    assert states(plan)["lake_1"] == "done"
    assert [item.pixels for item in plan.to_do] == [64 * 96]
    assert plan.items[0].calibration is None or plan.items[0].calibration.pixel_size == (5.0, 5.0)


def test_a_batch_in_which_all_fail_has_its_table(tmp_path, settings):
    (tmp_path / "a.png").write_bytes(b"")
    outcome = run_batch(tmp_path / "a.png", tmp_path / "out", settings)
    assert list(outcome.summary["status"]) == ["failed"]
    assert "report" not in outcome.paths
    assert (tmp_path / "out" / "batch_summary.csv").exists()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"parallel": "image:2"}, "Give auto, chunks, images or images:N"),
        ({"parallel": "images:2", "scheduler": "distributed:2"}, "exclude each other"),
        ({"options": {"painted": np.zeros(3)}}, "belongs to one image"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, why):
    with pytest.raises(SettingsError, match=why):
        BatchSettings(**given)


def test_the_bundled_network_is_a_method_too(squares, tmp_path):
    squares("a.png", 3)
    outcome = run_batch(tmp_path / "scans", tmp_path / "out", BatchSettings(device="cpu", parallel="chunks"))
    assert not outcome.failures
