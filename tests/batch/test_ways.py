"""How images share the cores."""

from pathlib import Path

import pytest

from napari_mpseg.batch import ways
from napari_mpseg.batch.outcome import DONE, ImageOutcome
from napari_mpseg.batch.run import run_batch
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.batch.together import Together
from napari_mpseg.batch.ways import choose_way
from napari_mpseg.batch.work import ImageEnd, ImageJob, ImageWork
from napari_mpseg.errors import MpsegError, StoreError
from napari_mpseg.progress import CancelToken, Progress

MEGA = 1_000_000


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.setattr("napari_mpseg.batch.ways.cores", lambda: 4)


@pytest.mark.parametrize(
    ("given", "pixels", "way"),
    [
        ({}, [4 * MEGA] * 300, ("images", 4)),
        ({}, [40 * MEGA] * 300, ("chunks", 1)),  # each keeps all cores busy
        ({}, [4 * MEGA] * 5, ("chunks", 1)),  # too few
        ({}, [MEGA // 100] * 300, ("chunks", 1)),  # done before the processes have started
        ({"scheduler": "distributed:2"}, [4 * MEGA] * 300, ("chunks", 1)),
        ({"parallel": "images:3"}, [40 * MEGA] * 2, ("images", 3)),
        ({"parallel": "images"}, [MEGA], ("images", 4)),
        ({"parallel": "chunks"}, [4 * MEGA] * 300, ("chunks", 1)),
    ],
)
def test_many_small_images_are_done_side_by_side(given, pixels, way):
    assert choose_way(BatchSettings("otsu", **given), pixels) == way


@pytest.mark.slow
@pytest.mark.usefixtures("no_plots")
def test_side_by_side_gives_what_one_after_the_other_gives(squares, tmp_path, settings):
    for number in range(3):
        squares(f"a_{number}.png", number)
    (tmp_path / "scans" / "b.png").write_bytes(b"")
    aside = BatchSettings("fixed-level", pixel_size="5um", parallel="images:2")
    one = run_batch(tmp_path / "scans", tmp_path / "one", settings).summary
    other = run_batch(tmp_path / "scans", tmp_path / "other", aside).summary
    assert one.drop(columns="seconds").equals(other.drop(columns="seconds"))
    assert (other["status"] == DONE).sum() == 3


class Processes:
    """A scheduler whose processes die at some jobs; done in order, so many in its hands at a time."""

    def __init__(self, lethal, runs, at_once):
        self.lethal, self.runs, self.at_once = lethal, runs, at_once

    def run(self, work, jobs, *, on_result, **more):
        self.runs.append(([job.name for job in jobs], self.at_once))
        for place, job in enumerate(jobs):
            if any(one.name in self.lethal for one in jobs[place : place + self.at_once]):
                raise MpsegError(f"Processes that work on {job} die every time")
            on_result(job, ImageEnd(ImageOutcome(job.name, job.path, DONE)))


@pytest.fixture
def dying(monkeypatch, settings):
    """Do ten images side by side, two at a time, of which some kill their process."""

    def do(*lethal):
        runs, ended, told = [], {}, []
        monkeypatch.setattr(ways, "find_scheduler", lambda name: Processes(lethal, runs, int(name.rpartition(":")[2])))
        jobs = [ImageJob(f"a_{number}", Path(f"a_{number}.png"), 100) for number in range(10)]

        def end(job, became):
            ended[job.name] = became.outcome.status
            told.append(f"end {job.name}")

        watch = ways.Watch(lambda job: told.append(f"begin {job.name}"), end)
        work = ImageWork(settings, Path())
        ways.WAYS["images"](work, jobs, 2, watch, Together(10, 1000, lambda event: None), CancelToken())
        return runs, ended, told

    return do


@pytest.mark.parametrize("lethal", [("a_3",), ("a_0", "a_1"), ("a_9",), ("a_2", "a_8"), ()])
def test_an_image_that_kills_its_process_fails_and_the_others_go_on_side_by_side(dying, lethal):
    runs, ended, _ = dying(*lethal)
    assert {name for name, status in ended.items() if status == "failed"} == set(lethal)
    assert len(ended) == 10
    alone = [names for names, at_once in runs if at_once == 1]
    assert all(len(names) == 1 for names in alone)
    assert len(alone) <= 3 * len(lethal)  # those at work when it happened, and one waiting


@pytest.mark.parametrize("at", ["a_0", "a_3", "a_4"])  # side by side, the lethal one, and one after it
def test_a_full_disk_is_not_taken_for_a_lethal_image(monkeypatch, settings, at):
    monkeypatch.setattr(ways, "find_scheduler", lambda name: Processes(("a_3",), [], int(name.rpartition(":")[2])))
    jobs = [ImageJob(f"a_{number}", Path(f"a_{number}.png"), 100) for number in range(10)]

    def end(job, became):
        if job.name == at:
            raise StoreError("The disk is full.")

    work, watch = ImageWork(settings, Path()), ways.Watch(lambda job: None, end)
    with pytest.raises(StoreError, match="disk is full"):
        ways.WAYS["images"](work, jobs, 2, watch, Together(10, 1000, lambda event: None), CancelToken())


def test_every_image_is_told_to_begin_before_it_ends_and_few_ahead(dying):
    *_, told = dying("a_3")
    for number in range(10):
        assert told.index(f"begin a_{number}") < told.index(f"end a_{number}")
    ahead = [
        sum(one.startswith("begin") for one in told[:k]) - sum(one.startswith("end") for one in told[:k])
        for k in range(len(told))
    ]
    assert max(ahead) <= 3


def test_progress_is_by_pixels_and_never_goes_back():
    events = []
    told = Together(2, 1000, events.append)
    first = told.image(800)
    first(Progress("Segmenting", 1, 2))
    first(Progress("Segmenting", 2, 2))
    first(Progress("Reading the value range", 0, 5))
    first(Progress("Measuring", 1, 1))
    told.end(800)
    told.end(200)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert (done[0], done[1], done[-2], done[-1]) == (0, 300, 800, 1000)  # half of the three quarters of 800
    assert {event.total for event in events} == {1000}
