"""*Classify particles* in a real viewer, on drawn bars and discs."""

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.audit import audit_of

BARS, DISCS = range(1, 11), range(11, 21)


@pytest.fixture
def widget(viewer, click_menu, docked, qtbot):
    from napari_mpseg.gui.classes_widget import ClassesWidget

    click_menu("Layers", "Classify", "Classify particles")
    return docked(ClassesWidget)


@pytest.fixture
def data():
    """Ten bars (labels 1 ... 10) and ten discs (11 ... 20)."""
    y, x = np.mgrid[:400, :120]
    labels = np.zeros((400, 120), np.int32)
    for number in range(10):
        labels[40 * number + 5 : 40 * number + 8, 5 : 35 + number] = number + 1
        labels[(y - 40 * number - 20) ** 2 + (x - 80) ** 2 <= (8 + number / 2) ** 2] = number + 11
    return labels


@pytest.fixture
def layer(viewer, data):
    features = measure(data, calibration=Calibration.parse("2um")).to_features()
    return viewer.add_labels(data, name="drawn", features=features, scale=(2, 2), units=("um", "um"))


def classes(layer, labels=range(1, 21)):
    return layer.features["class"].iloc[list(labels)].tolist()


def assign(widget, layer, labels, name):
    widget.mine.choose(name)
    for label in labels:
        layer.selected_label = label
        widget.mine.assign_button.click()


def own_names(widget, *names):
    widget.tabs.setCurrentIndex(1)
    for name in names:
        widget.mine.new_name.setText(name)
        widget.mine.add_button.click()


def trained(widget, layer, finished):
    own_names(widget, "hair", "spore")
    assign(widget, layer, (1, 4, 8), "hair")
    assign(widget, layer, (11, 14, 18), "spore")
    widget.panel.run_button.click()
    finished(widget)


def test_no_labels_and_not_measured_say_what_to_do(viewer, widget, data, screenshot):
    assert "No labels yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    layer = viewer.add_labels(data, name="plain")
    assert "Not measured yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    layer.features = measure(data).to_features()
    assert widget.hint.text() == ""
    assert widget.panel.run_button.isEnabled()


def test_rules_with_an_edited_threshold_and_undo(viewer, layer, widget, screenshot):
    before = layer.features.copy()
    widget.panel.run_button.click()
    assert classes(layer) == ["fibre"] * 10 + ["particle"] * 10
    assert layer.features["class"].cat.categories.tolist() == ["fibre", "fragment", "particle", "unclassified"]
    assert pd.isna(layer.features["class"].iloc[0])
    assert "50.0 %" in widget.counted.text()
    screenshot("classes_rules")

    widget.rules.thresholds.item(0, 3).setText("0.01")  # the highest circularity of a fibre
    widget.panel.run_button.click()
    assert classes(layer, BARS) == ["unclassified"] * 10
    widget.rules.thresholds.item(0, 3).setText("low")
    widget.panel.run_button.click()
    assert widget.panel.status.kind == "error"
    assert "“low” in the row fibre" in widget.panel.status.text()
    widget.rules.reset_button.click()
    assert widget.rules.rules.name == "mp-vat"

    widget.undo_button.click()
    assert classes(layer) == ["fibre"] * 10 + ["particle"] * 10
    widget.undo_button.click()
    pd.testing.assert_frame_equal(layer.features, before)
    assert not widget.undo_button.isEnabled()


def test_four_shapes_in_the_table_of_thresholds(layer, widget, screenshot):
    from napari_mpseg.particles.classes.rules import RULE_SETS

    widget.rules.choice.setCurrentText("four-shapes")
    assert widget.rules.rules == RULE_SETS["four-shapes"]
    widget.panel.run_button.click()
    assert classes(layer) == ["fibre"] * 10 + ["bead"] * 10
    screenshot("classes_four")


def test_rules_are_saved_and_loaded(layer, widget, tmp_path, monkeypatch):
    from napari_mpseg.gui import classes_rules as module

    widget.rules.thresholds.item(0, 3).setText("0.25")
    path = str(tmp_path / "mine.json")
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *args: (path, ""))
    monkeypatch.setattr(module.QFileDialog, "getOpenFileName", lambda *args: (path, ""))
    widget.rules.save_button.click()
    widget.rules.reset_button.click()
    widget.rules.load_button.click()
    assert widget.rules.rules.rules[0].conditions[0].highest == 0.25
    (tmp_path / "mine.json").write_text("{}")
    widget.rules.load_button.click()
    assert widget.panel.status.kind == "error"


def test_train_and_apply_leaves_the_users_own(viewer, layer, widget, finished, screenshot):
    own_names(widget, "hair", "spore")
    widget.mine.choose("spore")
    layer.selected_label = 2  # a bar, which the user calls a spore
    widget.mine.assign_button.click()
    trained(widget, layer, finished)
    assert layer.metadata["napari-mpseg"]["assigned"] == {
        **dict.fromkeys((1, 4, 8), "hair"),
        **dict.fromkeys((2, 11, 14, 18), "spore"),
    }
    assert classes(layer, [2]) == ["spore"]
    assert classes(layer, DISCS) == ["spore"] * 10
    assert layer.features["class_assigned"].iloc[[1, 2, 3]].tolist() == [True, True, False]
    assert layer.features["class_probability"].iloc[[1, 3]].isna().tolist() == [True, False]
    text = widget.panel.status.text()
    assert "7 of them by you" in text
    assert "Accuracy" in text
    screenshot("classes_mine")

    widget.undo_button.click()  # the training
    assert classes(layer, [3, 4, 12]) == ["unclassified", "hair", "unclassified"]
    widget.undo_button.click()  # the last assignment
    assert classes(layer, [18]) == ["unclassified"]
    assert 18 not in layer.metadata["napari-mpseg"]["assigned"]


def test_edits_in_naparis_table_count_as_the_users(viewer, layer, widget, finished):
    trained(widget, layer, finished)
    assert classes(layer) == ["hair"] * 10 + ["spore"] * 10
    widget.table_button.click()
    table = next(one for name, one in viewer.window.dock_widgets.items() if name.startswith("Features table"))
    table.toggle.setChecked(True)
    model = table.table.model().sourceModel()
    column = model.df.columns.get_loc("class") + 1
    assert model.setData(model.index(5, column), "spore")
    assert layer.features["class"].iloc[5] == "spore"
    widget.panel.run_button.click()
    finished(widget)
    assert layer.metadata["napari-mpseg"]["assigned"][5] == "spore"
    assert classes(layer, [5]) == ["spore"]

    # several rows at once
    from qtpy.QtCore import QItemSelectionModel

    selection = table.table.selectionModel()
    selection.clearSelection()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in (6, 7):
        selection.select(table.table.model().mapFromSource(model.index(row, 0)), flags)
    before = classes(layer, [6])
    own_names(widget, "odd")
    widget.mine.assign_button.click()
    assert classes(layer, [6, 7]) == ["odd", "odd"]
    assert "2 particles assigned" in widget.panel.status.text()
    layer.selected_label = 6
    widget.mine.unassign_button.click()
    assert classes(layer, [6, 7]) == [*before, "odd"]


def test_names_can_be_added_and_removed_while_nobody_has_them(layer, widget):
    own_names(widget, "hair", "hair", "unclassified", "spore")
    shown = [widget.mine.classes.item(row, 0).text() for row in range(widget.mine.classes.rowCount())]
    assert shown == ["fibre", "fragment", "film", "bead", "hair", "spore"]
    widget.mine.choose("film")
    widget.mine.remove_button.click()
    assert widget.mine.classes.rowCount() == 5
    assign(widget, layer, (1,), "spore")
    assert not widget.mine.remove_button.isEnabled()
    assert "spore" in layer.features["class"].cat.categories


def test_too_few_examples_are_told_and_nothing_is_changed(layer, widget, finished):
    own_names(widget, "hair")
    assign(widget, layer, (1, 2, 3), "hair")
    before = layer.features.copy()
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.kind == "error"
    assert "only to 'hair'" in widget.panel.status.text()
    pd.testing.assert_frame_equal(layer.features, before)
    layer.selected_label = 0
    widget.mine.assign_button.click()
    assert "No particle is selected" in widget.panel.status.text()


def test_a_classifier_is_saved_and_used_on_another_layer(viewer, layer, widget, finished, data, tmp_path, monkeypatch):
    from napari_mpseg.gui import classes_widget as module

    trained(widget, layer, finished)
    path = str(tmp_path / "c.json")
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *args: (path, ""))
    monkeypatch.setattr(module.QFileDialog, "getOpenFileName", lambda *args: (path, ""))
    widget.mine.save_button.click()
    features = measure(data, calibration=Calibration.parse("2000nm")).to_features()
    other = viewer.add_labels(data, name="other", features=features)
    assert widget.labels.layer == other
    assert not widget.undo_button.isEnabled()
    widget.mine.load_button.click()
    assert classes(other) == ["hair"] * 10 + ["spore"] * 10
    widget.labels.choose(layer)
    assert widget.undo_button.isEnabled()
    plain = viewer.add_labels(data, name="plain", features=measure(data).to_features())
    widget.mine.load_button.click()
    assert "without a pixel size" in widget.panel.status.text()
    assert "class" not in plain.features


def test_classes_that_came_with_the_table(viewer, widget, data):
    features = measure(data).to_features()
    full = features.assign(**{"class": pd.Categorical([None, *["hair"] * 20])})
    layer = viewer.add_labels(data, name="by something", features=full)
    assert layer.metadata["napari-mpseg"]["assigned"] == {}
    widget.tabs.setCurrentIndex(1)
    widget.mine.all_button.click()
    assert len(layer.metadata["napari-mpseg"]["assigned"]) == 20
    some = features.assign(**{"class": pd.Categorical([None, "hair", *[None] * 19])})
    assert viewer.add_labels(data, name="by hand", features=some).metadata["napari-mpseg"]["assigned"] == {1: "hair"}


def test_the_users_classes_outlive_measuring_again(viewer, layer, widget, finished, data):
    trained(widget, layer, finished)
    mine = dict(layer.metadata["napari-mpseg"]["assigned"])
    layer.features = measure(data, calibration=Calibration.parse("2um")).to_features()
    assert layer.metadata["napari-mpseg"]["assigned"] == mine
    given = pd.Categorical([None, *["other"] * 20])  # as measuring may do by rules
    layer.features = layer.features.assign(**{"class": given})
    assert set(layer.metadata["napari-mpseg"]["assigned"]) <= {*mine}
    widget.panel.run_button.click()
    finished(widget)
    assert layer.features["class_assigned"].iloc[1:].sum() == 6
    assert classes(layer) == ["hair"] * 10 + ["spore"] * 10


def test_size_classes(layer, widget, screenshot):
    widget.tabs.setCurrentIndex(2)
    assert widget.sizes.borders.text() == "20, 50, 100, 500 um"
    widget.sizes.borders.setText("40, 64 um")
    widget.panel.run_button.click()
    # Feret diameters: bars 2 sqrt(3^2 + n^2), n = 30 ... 39; discs 34 to 50
    expected = ["40-64 um" if 2 * np.hypot(3, n) < 64 else ">=64 um" for n in range(30, 40)]
    assert layer.features["size_class"].iloc[1:11].tolist() == expected
    assert "40-64 um" in widget.counted.text()
    screenshot("classes_sizes")
    widget.sizes.borders.setText("64, 40 um")
    widget.panel.run_button.click()
    assert "positive and rising" in widget.panel.status.text()


# -- together with the review, without a window


@pytest.fixture
def reviewed(data):
    """A layer, its classes, and a review of it that is open."""
    from napari.components import ViewerModel

    from napari_mpseg.gui.classes_layer import LayerClasses
    from napari_mpseg.gui.review_session import ReviewSession
    from napari_mpseg.particles.reviewable import measure_for_review

    model = ViewerModel()
    features = measure_for_review(data, calibration=Calibration.parse("2um")).to_features()
    layer = model.add_labels(data.copy(), name="drawn", features=features)
    return layer, LayerClasses(layer), ReviewSession(model, layer)


def by_rules(layer_classes, name):
    from napari_mpseg.particles.classes.rules import classify_by_rules, find_rules

    layer_classes.apply(classify_by_rules(layer_classes.table, find_rules(name)))


def test_undo_leaves_what_the_review_decided_since(reviewed):
    layer, own, session = reviewed
    before = classes(layer)
    by_rules(own, "four-shapes")
    session.decide(1, to_class="film")
    new = session.split(3, [(80, 20), (92, 20)])[-1]
    parts = classes(layer, [3, new])
    own.undo()
    assert classes(layer, [1]) == ["film"]
    assert classes(layer, [3, new]) == parts
    assert classes(layer, [2, *range(4, 21)]) == [before[label - 1] for label in (2, *range(4, 21))]
    assert own.assigned().to_dict() == {1: "film"}
    assert layer.features["class_assigned"].iloc[[1, 2]].tolist() == [True, False]


def test_a_particle_that_was_deleted_does_not_stand_in_the_way(reviewed):
    layer, own, session = reviewed
    own.assign([5, 6], "hair")
    session.delete(5)
    own.assign([7], "hair")
    own.unassign([7])
    assert own.assigned().to_dict() == {6: "hair"}
    session.undo()
    assert classes(layer, [5]) == ["hair"]
    assert own.assigned().to_dict() == {5: "hair", 6: "hair"}


@pytest.mark.parametrize("looked_at", [True, False])
def test_rules_leave_classes_that_the_review_gave(reviewed, looked_at):
    layer, own, session = reviewed
    if looked_at:
        by_rules(own, "mp-vat")
    given = classes(layer, [1])[0]
    session.decide(1, to_class=given)  # as the rules say, but now a person says so
    session.decide(11, to_class="hair")
    assert own.assigned().to_dict() == {1: given, 11: "hair"}
    by_rules(own, "four-shapes")
    assert classes(layer, [11, 12]) == ["hair", "bead"]
    assert layer.features["class_assigned"].iloc[[1, 2, 11, 12]].tolist() == [True, False, True, False]
    session.undo()  # the class of 11
    assert 11 not in own.assigned()


def test_a_table_measured_anew_gives_the_user_no_classes(data):
    from napari.layers import Labels

    from napari_mpseg.gui.classes_layer import LayerClasses
    from napari_mpseg.particles.reviewable import measure_for_review

    um = Calibration.parse("2um")
    layer = Labels(data, features=measure_for_review(data, calibration=um).to_features())
    own = LayerClasses(layer)
    by_rules(own, "four-shapes")
    own.assign([2], "hair")
    layer.features = measure_for_review(data, calibration=um, previous=layer.features).to_features()
    assert classes(layer, [11]) == ["particle"]
    assert own.assigned().to_dict() == {2: "hair"}


def test_classes_are_in_the_record_with_what_was_before(layer):
    from napari_mpseg.gui.classes_layer import LayerClasses

    own = LayerClasses(layer)
    own.assign([2, 3], "hair")
    entry = audit_of(layer.metadata)[-1]
    assert (entry.action, entry.labels) == ("class", (2, 3))
    assert (dict(entry.before), dict(entry.after)) == ({}, {"class": "hair"})
    assert audit_of(layer.metadata).reviewed() == {2, 3}
    by_rules(own, "mp-vat")
    entry = audit_of(layer.metadata)[-1]
    assert entry.action == "found"
    assert entry.labels == tuple(label for label in range(1, 21) if label not in (2, 3))
    assert entry.before == {"class": "unclassified"}
    assert entry.after["class"] == {
        **{str(n): "fibre" for n in (1, *range(4, 11))},
        **{str(n): "particle" for n in DISCS},
    }
    own.undo()
    entry = audit_of(layer.metadata)[-1]
    assert (entry.action, entry.before["action"], entry.after) == ("undo", "found", {"class": "unclassified"})
    own.undo()
    assert audit_of(layer.metadata)[-1].before == {"class": "hair", "action": "class"}
    assert audit_of(layer.metadata).reviewed() == set()
    assert len(audit_of(layer.metadata)) == 4


def test_a_class_is_recorded_once_while_the_review_is_open(reviewed):
    layer, own, _ = reviewed
    own.assign([2], "hair")
    (entry,) = audit_of(layer.metadata)
    assert (entry.labels, entry.after["class"]) == ((2,), "hair")


def test_a_row_that_is_gone_and_marks_that_others_set(data):
    """No review was open that could have noted it in the metadata."""
    from napari.layers import Labels

    from napari_mpseg.gui.classes_layer import LayerClasses
    from napari_mpseg.particles.reviewable import measure_for_review

    layer = Labels(data, features=measure_for_review(data, calibration=Calibration.parse("2um")).to_features())
    own = LayerClasses(layer)
    own.assign([5, 6], "hair")
    layer.features = layer.features.drop(index=5)
    own.assign([7], "hair")
    own.unassign([7])
    assert own.assigned().to_dict() == {6: "hair"}
    layer.features.loc[1, "class_assigned"] = True  # a fibre by the rules, which a person calls so too
    by_rules(own, "four-shapes")
    layer.features.loc[layer.features["index"] == 6, "class_assigned"] = False
    assert own.assigned().to_dict() == {1: "fibre"}
