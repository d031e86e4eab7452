"""Which classes count as the user's own."""

import pandas as pd
import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.classes.assigned import assigned_in, unmarked
from napari_mpseg.particles.classes.models import ClassifierSettings
from napari_mpseg.particles.classes.trained import train_classifier

QUICK = ClassifierSettings(trees=5, folds=2)


@pytest.fixture
def by_rules(two_kinds):
    """A measured table whose every particle has a class, and the truth."""
    frame, truth = two_kinds
    return frame.assign(**{"class": truth.to_numpy()}).set_index("label", drop=False), truth


def test_classes_that_came_with_measuring_are_not_the_users(by_rules):
    frame, _ = by_rules
    assert unmarked(frame)
    assert assigned_in(frame).empty
    with pytest.raises(SettingsError, match="column class_assigned, or give a table of label and class only"):
        train_classifier(frame, assigned_in(frame), QUICK)


def test_where_nothing_is_marked_nothing_is_learnt(by_rules):
    frame, _ = by_rules
    frame = frame.assign(class_assigned=False)
    assert assigned_in(frame).empty
    with pytest.raises(SettingsError, match=r"to no class yet\. A classifier needs"):
        train_classifier(frame, assigned_in(frame), QUICK)


@pytest.mark.parametrize("yes", [True, 1, 1.0, "True", "true", "TRUE", "1"])
@pytest.mark.parametrize("no", [False, 0, None, "False", ""])
def test_only_the_marked_ones_are_the_users(by_rules, yes, no):
    frame, truth = by_rules
    mine = frame.index.isin([1, 4, 8, 31, 35, 39])
    marks = pd.Series([yes if one else no for one in mine], index=frame.index, dtype=object)
    found = assigned_in(frame.assign(class_assigned=marks))
    assert found.to_dict() == truth[mine].to_dict()
    assert train_classifier(frame, found, QUICK).examples.sum() == 6


def test_a_list_of_labels_and_classes_is_the_users(by_rules):
    frame, truth = by_rules
    bare = frame[["label", "class"]]
    assert not unmarked(bare)
    assert assigned_in(bare).to_dict() == truth.to_dict()


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_where_only_some_particles_have_a_class_the_user_gave_it(by_rules, empty):
    frame, truth = by_rules
    frame["class"] = frame["class"].astype(object).where(frame.index < 20, empty)
    assert assigned_in(frame).to_dict() == truth[truth.index < 20].to_dict()
