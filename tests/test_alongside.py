"""A step of a run beside another: both are done, errors and cancelling reach each other, one progress is seen."""

import threading

import pytest

from napari_mpseg.errors import Cancelled
from napari_mpseg.pipeline.alongside import alongside
from napari_mpseg.progress import CancelToken, Progress, silent


def test_both_run_at_the_same_time():
    meeting = threading.Barrier(2, timeout=10)
    done = []

    def step(*, on_progress, cancel):
        meeting.wait()
        done.append("step")

    with alongside(step, silent, CancelToken()):
        meeting.wait()  # would break if one waited for the other to end
        done.append("block")
    assert sorted(done) == ["block", "step"]


def test_the_error_of_the_step_is_raised_after_the_block():
    done = []

    def step(*, on_progress, cancel):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"), alongside(step, silent, CancelToken()):
        done.append("block")
    assert done == ["block"]


def test_an_error_of_the_block_stops_the_step_and_is_the_one_that_is_raised():
    stopped = []

    def step(*, on_progress, cancel):
        while not cancel.cancelled:
            pass
        stopped.append(True)
        cancel.check()

    with pytest.raises(ValueError, match="of the block"), alongside(step, silent, CancelToken()):
        raise ValueError("of the block")
    assert stopped == [True]


def test_cancelling_reaches_the_step():
    token = CancelToken()

    def step(*, on_progress, cancel):
        while True:
            cancel.check()

    with pytest.raises(Cancelled), alongside(step, silent, token):
        token.cancel()


def test_progress_of_the_step_is_seen_once_the_block_is_done():
    seen, early = [], threading.Event()

    def step(*, on_progress, cancel):
        on_progress(Progress("Step", 1, 2))
        early.set()
        while ("Step", 2) not in seen:
            on_progress(Progress("Step", 2, 2))

    def told(event):
        seen.append((event.stage, event.done))

    with alongside(step, told, CancelToken()):
        early.wait(10)
        told(Progress("Block", 1, 1))
        assert seen == [("Block", 1)]
    assert seen == [("Block", 1), ("Step", 2)]
