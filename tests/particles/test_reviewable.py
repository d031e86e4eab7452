"""What results and widgets measure: confidence, class, keep; decisions of before stay, the rules' own do not."""

import numpy as np
import pandas as pd
import pytest

import napari_mpseg as mp
from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.particles.classes.rules import Condition, Rule, RuleSet, save_rules
from napari_mpseg.particles.reviewable import measure_for_review


@pytest.fixture
def labels():
    """A line of 40 x 1 px (1), a square of 10 px (2), a square of 6 px (3)."""
    array = np.zeros((60, 60), np.int32)
    array[5, 5:45] = 1
    array[20:30, 20:30] = 2
    array[40:46, 40:46] = 3
    return array


def row(table, label):
    return table.frame.set_index("label").loc[label]


def test_class_keep_and_confidence(labels):
    probability = np.zeros(labels.shape, np.uint8)
    probability[labels == 2] = 204
    probability[labels == 3] = np.where(np.arange(36) < 18, 255, 0)
    table = measure_for_review(labels, probability=probability)
    assert list(table.frame.columns[:5]) == ["label", "confidence", "class", "class_assigned", "keep"]
    assert not table.frame["class_assigned"].any(), "nobody has said anything yet"
    # 4 pi 40 / 80.24^2 = 0.078; 4 pi 100 / 37.657^2 = 0.886, both outlines as ImageJ has them
    assert table.frame["class"].tolist() == ["fibre", "particle", "particle"]
    np.testing.assert_allclose(table.frame["confidence"], [0, 0.8, 0.5])
    assert table.frame["keep"].all()


def test_decisions_stay_and_the_rules_look_again(labels):
    features = measure_for_review(labels).to_features()
    features.loc[2, ["class", "class_assigned"]] = "fibre", True  # a person said so
    features["keep"] = features["keep"].where(features["index"] != 3, False)
    changed = labels.copy()
    changed[5, 15:45] = 0
    changed[1:11, 5:15] = 1  # the line has become a square
    table = measure_for_review(changed, previous=features)
    assert row(table, 1)["class"] == "particle", "that it was a fibre was the rules' own answer"
    assert row(table, 2)["class"] == "fibre"
    assert table.frame["keep"].tolist() == [True, True, False]


def test_other_rules_take_the_place_of_rules_only(labels):
    first = measure_for_review(labels, rules="four-shapes", calibration=mp.Calibration.parse("2um"))
    again = measure_for_review(labels, previous=first.to_features())
    assert again.frame["class"].tolist() == ["fibre", "particle", "particle"]
    calibrated = mp.Calibration.parse("2um")
    back = measure_for_review(labels, rules="four-shapes", calibration=calibrated, previous=again.to_features())
    assert back.frame["class"].tolist() == ["fibre", "fragment", "fragment"]


def test_a_class_typed_into_the_table_stays(labels):
    features = measure_for_review(labels).to_features()
    features["class"] = features["class"].cat.add_categories(["film"])
    features.loc[2, "class"] = "film"
    assert measure_for_review(labels, previous=features).frame["class"].tolist() == ["fibre", "film", "particle"]


def test_classes_of_a_table_from_elsewhere_stay_where_the_rules_would_not_have_said_so(labels):
    classes = ["fibre", "film", "particle"]
    previous = pd.DataFrame({"label": [1, 2, 3], "circularity": [0.1, 0.9, 0.9], "class": classes})
    labels[5, 15:45] = 0
    labels[1:11, 5:15] = 1
    assert measure_for_review(labels, previous=previous).frame["class"].tolist() == ["particle", "film", "particle"]


def test_what_the_rules_need_may_be_missing(labels):
    table = measure_for_review(labels, properties=["area"])
    assert table.frame["class"].isna().all()


def test_rules_that_need_a_pixel_size_say_so(labels):
    with pytest.raises(SettingsError, match="pixel size"):
        measure_for_review(labels, rules="four-shapes")
    table = measure_for_review(labels, rules="four-shapes", calibration=mp.Calibration.parse("2um"))
    assert table.frame["class"].tolist() == ["fibre", "fragment", "fragment"]


def test_rules_of_ones_own_for_a_whole_image(labels, tmp_path):
    large = RuleSet("mine", (Rule("large", (Condition("area", 50, unit="px2"),)),), default="small")
    save_rules(large, tmp_path / "mine.json")
    picture = np.where(labels > 0, 200, 10).astype(np.uint8)
    result = mp.segment(picture, "fixed-level", rules=tmp_path / "mine.json")
    assert result.table["class"].tolist() == ["small", "large", "small"]
    assert result.provenance["settings"]["rules"]["name"] == "mine"
    assert "large" in result.summary()


def test_rules_that_are_not_there_are_told_before_any_work(tmp_path):
    with pytest.raises(UnknownNameError, match="four-shapes"):
        mp.segment(np.zeros((9, 9), np.uint8), "fixed-level", rules="mp-vatt")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(SettingsError):
        mp.segment(np.zeros((9, 9), np.uint8), "fixed-level", rules=tmp_path / "bad.json")
