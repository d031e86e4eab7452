"""Progress on terminals and elsewhere, and being interrupted."""

import os
import re
import signal
import sys

import pytest

from napari_mpseg.commands import console
from napari_mpseg.commands.console import ProgressLine, console_work, say
from napari_mpseg.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass as the test says."""
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def show(line, clock, seconds, stage="Segmenting", total=100):
    for done in range(total + 1):
        line(Progress(stage, done, total, "tiles"))
        clock[0] += seconds / total


def test_without_a_terminal_quick_work_is_one_line(clock, capsys):
    show(ProgressLine(), clock, 2)
    assert capsys.readouterr().err == "Segmenting: 100 of 100 tiles\n"


def test_without_a_terminal_long_work_is_a_line_every_few_seconds(clock, capsys):
    show(ProgressLine(), clock, 50)
    lines = capsys.readouterr().err.splitlines()
    assert 9 <= len(lines) <= 11
    assert lines[0] == "Segmenting: 10 of 100 tiles, about 45 s left"
    assert lines[-1] == "Segmenting: 100 of 100 tiles"


def test_on_a_terminal_one_line_is_written_over(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show(ProgressLine(), clock, 500, total=1000)
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert 150 <= text.count("\r") <= 201
    assert re.search(r"Segmenting: 50\d of 1000 tiles, about 4 min left", text)


def test_quiet_and_stages_of_nothing_show_nothing(clock, capsys):
    show(ProgressLine(quiet=True), clock, 50)
    ProgressLine()(Progress("Numbering", 0, 0))
    assert capsys.readouterr().err == ""


def test_a_terminal_that_goes_away_does_not_stop_the_work(clock, monkeypatch):
    class Gone:
        def isatty(self):
            return False

        def write(self, text):
            raise BrokenPipeError

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stderr", Gone())
    show(ProgressLine(), clock, 50)


def test_saying_to_nobody(monkeypatch, tmp_path):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        say("to nobody")
        say("and on")
        monkeypatch.undo()


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), console_work() as (_, cancel):  # noqa: PT012
        assert not cancel.cancelled
        os.kill(os.getpid(), number)
        assert cancel.cancelled
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
