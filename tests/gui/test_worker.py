"""Words for progress."""

import pytest

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.run_panel import RunPanel
from napari_mpseg.gui.worker import Job, TimeLeft, duration
from napari_mpseg.progress import Progress


def test_time_left_follows_the_pace_of_each_stage():
    left = TimeLeft()
    assert left.text(Progress("Segmenting", 0, 64), now=10) == "Segmenting: 0 of 64 tiles"
    assert left.text(Progress("Segmenting", 16, 64), now=18) == "Segmenting: 16 of 64 tiles, about 24 s left"
    assert left.text(Progress("Measuring", 0, 4, "blocks"), now=40) == "Measuring: 0 of 4 blocks"
    assert left.text(Progress("Measuring", 4, 4, "blocks"), now=50) == "Measuring: 4 of 4 blocks"
    assert left.text(Progress("Loading", 0, 0), now=51) == "Loading …"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (89, "89 s"), (150, "2 min"), (5400, "1 h 30 min"), (9000, "2 h 30 min")]
)
def test_durations_are_said_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def _refuse(*, on_progress, cancel):
    raise ImageError("Too small.")


@pytest.mark.parametrize("shown", [True, False])
def test_an_error_pops_up_only_where_nobody_sees_the_status_line(qtbot, shown):
    from napari.utils.notifications import notification_manager

    panel = RunPanel("Go", "")
    qtbot.addWidget(panel)
    if shown:
        panel.show()
        qtbot.waitExposed(panel)
    before = len(notification_manager.records)
    panel.start(Job(_refuse, title="", activity=False), lambda result: None)
    qtbot.waitUntil(lambda: not panel.busy, timeout=5000)
    assert panel.status.text() == "Too small."
    assert [one.message for one in notification_manager.records[before:]] == ([] if shown else ["Too small."])
