"""Correcting labels in memory, without a window."""

import numpy as np
import pytest

from napari_mpseg.errors import Cancelled
from napari_mpseg.gui import correct_work
from napari_mpseg.gui.correct_region import Region
from napari_mpseg.particles.review.edits import EditError
from napari_mpseg.progress import CancelToken


@pytest.fixture
def region():
    """A region of labels that a particle reaches into and out of, and another particle that lies in two places."""
    from napari.layers import Labels

    pixels = np.zeros((60, 50), np.int32)
    pixels[5:8, 3:30] = 1
    pixels[12:15, 12:15] = pixels[50:53, 12:15] = 2
    pixels[17:19, 17:19] = 3
    return Region(Labels(pixels), None, (), (10, 10, 30, 40))


def plan(region, painted, cancel=None):
    seen = []
    planned = correct_work.plan_in_memory(
        region, painted, separate=True, on_progress=seen.append, cancel=cancel or CancelToken()
    )
    return planned.settled, seen


def painted_on(region):
    y0, x0, y1, x1 = region.box
    return region.layer.data[y0:y1, x0:x1].copy()


def test_what_lies_elsewhere_is_found_band_by_band(region, monkeypatch):
    monkeypatch.setattr(correct_work, "_BAND", 50 * 4)
    painted = painted_on(region)
    painted[...] = 0
    settled, seen = plan(region, painted)
    assert settled.touched == (2, 3)
    assert settled.reaching == (2,)
    assert settled.gone == (3,)
    assert [event.total for event in seen] == [15] * 15
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        plan(region, painted, cancel)


def test_pixels_touch_as_they_did_in_the_run(region):
    painted = painted_on(region)
    painted[3, 3] = painted[4, 4] = 9
    assert plan(region, painted)[0].created == (4,)
    region.layer.metadata["napari-mpseg"] = {"provenance": {"settings": {"connectivity": 1}}}
    assert plan(region, painted)[0].created == (4, 5)


def test_labels_that_were_changed_since_it_was_planned_are_left(region):
    painted = painted_on(region)
    painted[3, 3] = 9
    planned = correct_work.plan_in_memory(
        region, painted, separate=True, on_progress=lambda event: None, cancel=CancelToken()
    )
    region.layer.data[10, 10] = 1
    before = region.layer.data.copy()
    with pytest.raises(EditError, match="changed meanwhile"):
        correct_work.correct_in_memory(None, region, planned)
    np.testing.assert_array_equal(region.layer.data, before)
