"""Correcting labels in memory, without a window."""

import numpy as np
import pytest

from napari_mpseg.errors import Cancelled
from napari_mpseg.gui import correct_region, correct_work
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


def test_the_frame_lies_inside_the_view(region, monkeypatch):
    from types import SimpleNamespace

    viewer = SimpleNamespace(dims=SimpleNamespace(point=(0, 0)))
    monkeypatch.setattr(correct_region, "visible_box", lambda *args: (0, 50, 0, 50))
    assert correct_region.region_in_view(viewer, region.layer).box == (0, 0, 49, 50)  # the labels end at 60, 50
    monkeypatch.setattr(correct_region, "visible_box", lambda *args: (10, 11, 10, 12))
    assert correct_region.region_in_view(viewer, region.layer).box == (10, 10, 11, 12)


def test_a_row_that_only_says_that_no_class_was_given_is_no_particle():
    import pandas as pd

    from napari_mpseg.particles.features import from_features
    from napari_mpseg.results.corrections.rows import rows_back, rows_of

    old = pd.DataFrame(
        {
            "index": [0, 1, 2],
            "class": [None, "fibre", "film"],
            "class_assigned": pd.array([None, True, False], "boolean"),
            "keep": pd.array([None, True, False], "boolean"),
            "area_px": [None, 5.0, 7.0],
        }
    )
    now = old.copy()
    now.loc[2, ["class", "keep", "area_px"]] = None  # gone, all but for one cell
    assert from_features(now)["label"].tolist() == [1]
    back = rows_back(rows_of(now, [1, 2]), rows_of(old, [1, 2]))
    assert back.loc[2].tolist() == ["film", False, False, 7.0]


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
