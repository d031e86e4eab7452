"""How images share the cores."""

import pytest

from napari_mpseg.batch.outcome import DONE
from napari_mpseg.batch.run import run_batch
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.batch.together import Together
from napari_mpseg.batch.ways import choose_way
from napari_mpseg.progress import Progress

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
