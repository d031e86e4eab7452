"""Boxes: decisions, drawn ones, files."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.counting import CountedBoxes, CountSettings, count_and_label, count_particles
from napari_mpseg.particles.counting.boxes import box_frame
from napari_mpseg.particles.counting.carried import carry_over, same_particles
from napari_mpseg.particles.counting.record import counted_of, keep_count


def counted() -> CountedBoxes:
    labels = np.zeros((60, 90), np.int32)
    labels[10, 10:20], labels[10, 25:35], labels[40, 10:14], labels[40, 60:64] = 1, 2, 3, 4
    probability = labels * 0.2 + 0.1
    size = Calibration((2.0, 4.0), "um")
    return count_particles(labels, numbered=True, probability=probability, calibration=size)


def test_a_box_is_kept_while_one_of_its_labels_is():
    boxes = counted()
    assert boxes.frame["labels"].tolist() == [(1, 2), (3,), (4,)]
    assert boxes.decided({1: False}).count == 3
    assert boxes.decided({1: False, 2: False, 4: False}).frame["keep"].tolist() == [False, True, False]
    assert boxes.decided({}, {1, 3}).frame["reviewed"].tolist() == [False, True, False]


def test_boxes_drawn_by_hand_count_and_have_no_pixels():
    boxes = counted().with_drawn([(1, 2, 9.5, 12)])
    assert boxes.count == 4
    last = boxes.frame.iloc[-1]
    assert (last["number"], last["area_px"], last["origin"], last["keep"], last["reviewed"]) == (
        4,
        0,
        "drawn",
        True,
        True,
    )
    assert boxes.decided({1: False, 2: False, 3: False, 4: False}).count == 1
    with pytest.raises(SettingsError):
        boxes.with_drawn([(5, 5, 5, 9)])


def test_the_least_sure_come_first_and_the_drawn_last():
    boxes = counted().with_drawn([(1, 2, 9, 12)])
    assert boxes.least_sure_first().frame["number"].tolist() == [1, 2, 3, 4]  # 0.4, 0.7, 0.9
    fewer = count_particles(np.eye(40) * np.linspace(1, 0.6, 40), CountSettings(dilate=1, erode=1, connectivity=1))
    assert fewer.least_sure_first().frame["number"].tolist() == list(range(40, 0, -1))


def test_boxes_without_confidence_come_after_those_with_one_each_once():
    frame = box_frame(
        [1, 2, 3, 4, 5],
        [(0, 0, 3, 3)] * 5,
        [9, 9, 9, 9, 0],
        confidence=[np.nan, 0.9, np.nan, 0.2, np.nan],
    )
    frame.loc[[1, 4], "origin"] = "drawn"
    boxes = CountedBoxes(frame, (20, 20))
    assert boxes.least_sure_first().frame["number"].tolist() == [4, 1, 3, 2, 5]
    unsure = CountedBoxes(frame.assign(confidence=np.nan, area_px=[7, 0, 2, 5, 0]), (20, 20))
    assert unsure.least_sure_first().frame["number"].tolist() == [3, 4, 1, 2, 5]


def test_files_hold_pixels_and_units(tmp_path):
    written = pd.read_csv(counted().with_drawn([(0, 0, 10, 10)]).to_csv(tmp_path / "boxes.csv"))
    first = written.iloc[0]
    assert [first[f"{name}_px"] for name in ("y0", "x0", "y1", "x1")] == [7, 7, 14, 38]
    assert [first[f"{name}_um"] for name in ("y0", "x0", "y1", "x1")] == [14, 28, 28, 152]
    assert first["area_px"] == 20
    assert first["area_um2"] == 160
    assert first["labels"] == "1 2"
    assert first["confidence"] == pytest.approx(0.4)
    assert written["origin"].tolist() == ["found"] * 3 + ["drawn"]


def test_nothing_is_lost_in_a_layers_record():
    boxes = counted().with_drawn([(0.5, 0, 10, 10.25)]).decided({3: False}, {3})
    metadata: dict = {"napari-mpseg": {"audit": [1], "source": "x"}}
    shared = metadata["napari-mpseg"]
    keep_count(metadata, boxes)
    assert "counting" not in shared
    assert metadata["napari-mpseg"]["audit"] == [1]
    back = counted_of(json.loads(json.dumps(metadata)))
    pd.testing.assert_frame_equal(back.frame, boxes.frame, rtol=1e-5)
    assert (back.shape, back.calibration, back.settings) == (boxes.shape, boxes.calibration, boxes.settings)


@pytest.mark.parametrize(
    "spoilt", [None, {}, {"counting": {}}, {"counting": {"boxes": {"number": [1]}}}, {"counting": 3}]
)
def test_what_is_no_count_is_passed_over(spoilt):
    assert counted_of({"napari-mpseg": spoilt}) is None


def test_changed_corners_and_drawn_boxes_are_carried_over_to_the_same_labels():
    earlier = counted().with_drawn([(1, 2, 9, 12)])
    earlier.frame.loc[[0, 1], ["y0", "moved"]] = [[3, True], [33, True]]
    carried = carry_over(count_again(dilate=5, erode=5), earlier)  # labels 1 and 2 are no longer joined
    frame = carried.boxes.frame
    assert frame["labels"].tolist() == [(1,), (2,), (3,), (4,), ()]
    assert frame["y0"].tolist() == [10, 10, 33, 40, 1]
    assert frame["moved"].tolist() == [False, False, True, False, False]
    assert (carried.drawn, carried.moved, carried.lost) == (1, 1, 1)
    assert "1 drawn box, 1 box with changed corners" in carried.told()
    assert "1 box that was changed" in carried.told()


def count_again(**sizes: float) -> CountedBoxes:
    labels = np.zeros((60, 90), np.int32)
    labels[10, 10:20], labels[10, 25:35], labels[40, 10:14], labels[40, 60:64] = 1, 2, 3, 4
    return count_particles(labels, CountSettings(**sizes), numbered=True)


def test_decisions_are_carried_over_to_other_labels_of_the_same_pixels():
    probability = np.zeros((40, 60))
    probability[5:9, 5:15], probability[20:24, 5:15], probability[30:34, 30:50] = 0.9, 0.7, 0.8
    probability[20:24, 11:15] = 0.55  # 24 of 40 px are left above 0.6
    probability[30:34, 38:50] = 0.55  # 32 of 80 px are left
    earlier, before = count_and_label(probability, CountSettings(0.5, dilate=3, erode=3))
    earlier = earlier.decided({2: False}, {1, 2, 3})
    now, after = count_and_label(probability, CountSettings(0.6, dilate=3, erode=3))
    same = same_particles(earlier, before, now, after)
    assert same == {1: 1, 2: 2}
    carried = carry_over(now, earlier, same, decisions=True)
    assert carried.decisions == {1: True, 2: False}
    assert carried.lost == 1


def test_counts_that_were_kept_before_corners_were_noted_can_be_read():
    stored = counted().to_dict()
    del stored["boxes"]["moved"]
    assert not CountedBoxes.from_dict(stored).frame["moved"].any()
