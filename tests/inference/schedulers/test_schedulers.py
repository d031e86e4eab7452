"""What every scheduler promises, whatever it runs on."""

import os
import threading
import time

import pytest

from napari_mpseg.errors import Cancelled, ImageError
from napari_mpseg.inference.schedulers.processes import ProcessScheduler
from napari_mpseg.inference.schedulers.workplace import cores
from napari_mpseg.progress import CancelToken


def test_every_item_is_done_once_and_handed_on(scheduler, works, run, tmp_path):
    results, events = run(scheduler, works.Squares(tmp_path), range(30))
    assert results == {n: n * n for n in range(30)}
    assert len(works.notes(tmp_path, "did")) == 30
    assert [(event.done, event.total) for event in events if event.stage == "Testing"] == [(n, 30) for n in range(31)]


def test_what_was_done_before_counts(scheduler, works, run, tmp_path):
    _, events = run(scheduler, works.Squares(tmp_path), [5, 6], done=8, unit="parts")
    assert [(event.done, event.total, event.unit) for event in events] == [
        (8, 10, "parts"),
        (9, 10, "parts"),
        (10, 10, "parts"),
    ]


def test_results_come_in_the_calling_thread(scheduler, works, run, tmp_path):
    threads = set()
    run(scheduler, works.Squares(tmp_path), range(5), on_result=lambda *_: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_items_get_what_they_need_and_that_is_done_once(scheduler, works, run, tmp_path):
    results, _ = run(scheduler, works.Sums(tmp_path, 12), [("sum", n) for n in range(12)])
    assert results == {("sum", n): sum(m for m in (n - 1, n, n + 1) if 0 <= m < 12) for n in range(12)}
    assert len(works.notes(tmp_path, "window")) == 12
    assert len(works.notes(tmp_path, "sum")) == 12


def test_an_item_may_be_asked_for_and_needed(scheduler, works, run, tmp_path):
    asked = [("window", 1), ("sum", 1), ("sum", 2), ("window", 3), ("sum", 1)]
    results, _ = run(scheduler, works.Sums(tmp_path, 4), asked)
    assert results == {("window", 1): [1, [1]], ("window", 3): [3, [3]], ("sum", 1): 3, ("sum", 2): 6}
    assert len(works.notes(tmp_path, "window")) == 4


def test_strings_tuples_and_lists_stay_what_they_are(scheduler, works, run, tmp_path):
    class Echo(works.Squares):
        def do(self, item, *given):
            return [item, (len, "item-0"), {"item-1": item}]

    items = ["item-0", "item-1", ("item-0", 1), (len, "abc")]
    results, _ = run(scheduler, Echo(tmp_path), items)
    assert results == {item: [item, (len, "item-0"), {"item-1": item}] for item in items}


@pytest.mark.parametrize("scheduler", ["threads", "processes"], indirect=True)
def test_items_are_begun_in_order(scheduler, works, run, tmp_path):
    run(scheduler, works.Squares(tmp_path, slow=0.01), range(25))
    order = [
        int(note.split("-")[1])
        for note in sorted(works.notes(tmp_path, "did"), key=lambda note: int(note.split("-")[3]))
    ]
    assert all(abs(place - item) <= 6 for place, item in enumerate(order))


def test_an_error_travels_as_it_is_and_nothing_runs_on(scheduler, works, run, tmp_path):
    with pytest.raises(ImageError) as caught:
        run(scheduler, works.Failing(tmp_path, slow=0.05), range(100))
    assert str(caught.value) == "picture 3 is torn"
    assert_quiet(works, tmp_path)
    assert len(works.notes(tmp_path, "did")) < 60


def test_an_error_of_the_caller_stops_all(scheduler, works, run, tmp_path):
    def full(item, result):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(scheduler, works.Squares(tmp_path, slow=0.05), range(100), on_result=full)
    assert_quiet(works, tmp_path)


def test_cancelling_stops_within_an_item(scheduler, works, run, tmp_path):
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        run(scheduler, works.Squares(tmp_path, slow=0.05), range(400), cancel, lambda *_: cancel.cancel())
    assert_quiet(works, tmp_path)
    assert len(works.notes(tmp_path, "did")) < 60


def test_cancelled_before_it_began(scheduler, works, run, tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        run(scheduler, works.Squares(tmp_path), range(5), cancel)
    assert not works.notes(tmp_path, "did")


def test_nothing_to_do(scheduler, works, run, tmp_path):
    results, events = run(scheduler, works.Squares(tmp_path), [], done=3)
    assert results == {}
    assert [(event.done, event.total) for event in events] == [(3, 3)]


@pytest.mark.parametrize("scheduler", ["processes", "distributed"], indirect=True)
def test_work_is_unpacked_once_per_process_and_done_in_both(scheduler, works, run, tmp_path):
    run(scheduler, works.Squares(tmp_path, slow=0.02), range(40))
    unpacked = {note.split("-")[1] for note in works.notes(tmp_path, "unpacked")}
    done = {note.split("-")[2] for note in works.notes(tmp_path, "did")}
    assert len(works.notes(tmp_path, "unpacked")) == len(unpacked) == 2
    assert done == unpacked
    assert str(os.getpid()) not in done


@pytest.mark.parametrize("scheduler", ["processes", "distributed"], indirect=True)
def test_workers_of_a_machine_are_numbered_and_share_its_cores(scheduler, works, run, tmp_path):
    class Surroundings(works.Squares):
        def do(self, item, *given):
            from napari_mpseg.images.reading import reading_scheduler
            from napari_mpseg.inference.schedulers.workplace import worker_number

            time.sleep(0.05)
            return os.getpid(), worker_number(), os.environ["OMP_NUM_THREADS"], reading_scheduler()

    share = (
        str(max(1, cores() // 2)) if isinstance(scheduler, ProcessScheduler) else "1"
    )  # the cluster has a thread each
    results, _ = run(scheduler, Surroundings(tmp_path), range(12))
    assert {(number, threads, reading) for _, number, threads, reading in results.values()} == {
        (0, share, "synchronous"),
        (1, share, "synchronous"),
    }
    assert len({(process, number) for process, number, *_ in results.values()}) == 2


@pytest.mark.parametrize("scheduler", ["processes", "distributed"], indirect=True)
def test_a_process_that_dies_costs_only_its_items(scheduler, works, run, tmp_path):
    results, _ = run(scheduler, works.Deadly(tmp_path, slow=0.01), range(40))
    assert results == {n: n * n for n in range(40)}
    assert len(works.notes(tmp_path, "killed")) == 1
    assert len(works.notes(tmp_path, "did")) < 60


@pytest.mark.parametrize("scheduler", ["processes", "distributed"], indirect=True)
def test_an_item_that_kills_every_process_is_named(scheduler, works, run, tmp_path):
    from napari_mpseg.errors import MpsegError

    with pytest.raises(MpsegError, match=r"that .*\b3\b.* die every time"):
        run(scheduler, works.Deadly(tmp_path, always=True), range(6))


@pytest.mark.parametrize("scheduler", ["processes", "distributed"], indirect=True)
def test_what_cannot_travel_is_said(scheduler, works, run, tmp_path):
    from napari_mpseg.errors import SettingsError

    work = works.Squares(tmp_path)
    work.lock = threading.Lock()
    with pytest.raises(SettingsError, match="cannot be brought to other processes"):
        run(scheduler, work, [1])


@pytest.mark.parametrize("scheduler", ["processes", "distributed"], indirect=True)
def test_a_worker_that_does_not_see_the_results_is_found_out_before_the_work(scheduler, works, run, tmp_path):
    from napari_mpseg.errors import StoreError

    (tmp_path / "home").write_text(str(os.getpid()))
    with pytest.raises(StoreError, match="the folder of the results is not there"):
        run(scheduler, works.Elsewhere(tmp_path), range(20))
    assert not works.notes(tmp_path, "did")


@pytest.mark.parametrize("scheduler", ["processes", "distributed"], indirect=True)
def test_an_error_that_cannot_be_pickled_is_told_all_the_same(scheduler, works, run, tmp_path):
    class Odd(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} and {two}")

    class Work(works.Squares):
        def do(self, item, *given):
            raise Odd(1, 2)

    with pytest.raises(RuntimeError, match="1 and 2"):
        run(scheduler, Work(tmp_path), [1])


def assert_quiet(works, folder):
    """Check that no item ends any more."""
    before = works.notes(folder, "did")
    time.sleep(0.15)
    assert works.notes(folder, "did") == before
