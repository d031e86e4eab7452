"""A review without a window: decisions, edits, undo, what others do meanwhile, and the record of it all."""

import json

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.review_session import ReviewSession
from napari_mpseg.gui.review_step import Sources
from napari_mpseg.images.image import Image
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.audit import audit_of
from napari_mpseg.particles.review.edits import EditError
from napari_mpseg.particles.table import ParticleTable


@pytest.fixture
def labels():
    """Four particles: a bar of 4x12, two squares of 3x3 side by side, one pixel."""
    made = np.zeros((40, 50), np.int32)
    made[5:9, 10:22] = 1
    made[20:23, 30:33] = 2
    made[20:23, 33:36] = 3
    made[39, 49] = 4
    return made


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 200, (40, 50)).astype(np.uint8)


@pytest.fixture
def model():
    return ViewerModel()


@pytest.fixture
def layer(model, labels, pixels):
    table = measure(labels, pixels).with_columns(confidence=[0.9, 0.5, 0.7, 0.2])
    return model.add_labels(labels.copy(), features=table.to_features(), name="mine")


@pytest.fixture
def session(model, layer, pixels):
    return ReviewSession(model, layer, Sources(image=lambda plane: Image(pixels)))


def measured(layer, pixels):
    """What measuring the whole layer gives now, in the columns of its table."""
    return measure(layer.data, pixels).frame


def assert_table_right(layer, pixels):
    now = ParticleTable.from_features(layer.features).frame
    expected = measured(layer, pixels)
    pd.testing.assert_frame_equal(now[expected.columns], expected, rtol=1e-9)


def everything(layer):
    return layer.data.copy(), layer.features.copy()


def assert_same(layer, state):
    np.testing.assert_array_equal(layer.data, state[0])
    features = layer.features.iloc[: len(state[1])]
    if "class_assigned" not in state[1]:  # added with the first class given by hand
        assert not features.get("class_assigned", pd.Series(dtype="boolean")).any()
        features = features.drop(columns="class_assigned", errors="ignore")
    pd.testing.assert_frame_equal(features, state[1], check_categorical=False, check_dtype=False)
    assert layer.features.iloc[len(state[1]) :].drop(columns="index").isna().all(axis=None)


def actions(layer):
    return [entry.action for entry in audit_of(layer.metadata)]


def test_columns_for_decisions_are_added(session, layer):
    assert layer.features["keep"].tolist()[1:] == [True] * 4
    assert layer.features["class"].tolist()[1:] == ["unclassified"] * 4
    assert layer.features.columns[:4].tolist() == ["index", "confidence", "class", "keep"]


def test_a_layer_without_a_table_is_refused(model, labels):
    with pytest.raises(ImageError, match="Measure it first"):
        ReviewSession(model, model.add_labels(labels))


def test_decisions_are_in_the_table_and_in_the_record(session, layer):
    session.decide(2, keep=False)
    session.decide(3, to_class="fibre")
    session.decide(1, keep=True)
    assert layer.features["keep"].tolist()[1:] == [True, False, True, True]
    assert layer.features["class"].iloc[3] == "fibre"
    entries = list(audit_of(layer.metadata))
    assert [(one.action, one.labels) for one in entries] == [("reject", (2,)), ("class", (3,)), ("accept", (1,))]
    assert (entries[0].before["keep"], entries[0].after["keep"]) == (True, False)
    assert (entries[1].before["class"], entries[1].after["class"]) == ("unclassified", "fibre")
    counts = session.counts()
    assert (counts.particles, counts.reviewed, counts.kept, counts.rejected) == (4, 3, 3, 1)
    assert counts.classes == {"fibre": 1, "unclassified": 2}
    assert ParticleTable.from_features(layer.features).kept().labels.tolist() == [1, 3, 4]


def test_a_decision_on_nothing_is_refused(session, layer):
    for label in (0, 5, 77, -1):
        with pytest.raises(EditError, match="no particle"):
            session.decide(label, keep=False)
    assert actions(layer) == []


def test_classes_given_by_hand_are_marked_as_such(model, labels):
    table = measure(labels).with_columns(class_assigned=False, class_probability=0.5)
    layer = model.add_labels(labels, features=table.to_features())
    session = ReviewSession(model, layer)
    session.decide(2, to_class="bead")
    assert layer.features["class_assigned"].tolist()[1:] == [False, True, False, False]
    session.undo()
    assert layer.features["class_assigned"].tolist()[1:] == [False, False, False, False]


def test_a_class_given_in_the_review_is_known_as_the_users(session, layer):
    from napari_mpseg.gui.classes_layer import LayerClasses

    session.decide(3, to_class="film")
    assert layer.features["class_assigned"].tolist()[1:] == [False, False, True, False]
    assert layer.metadata["napari-mpseg"]["assigned"] == {3: "film"}
    edit_cell(layer, 2, "class", "bead")
    session.notice()
    assert LayerClasses(layer).assigned().to_dict() == {2: "bead", 3: "film"}
    session.undo()
    assert LayerClasses(layer).assigned().to_dict() == {2: "bead"}
    edit_cell(layer, 2, "class", "unclassified")
    session.notice()
    assert not layer.features["class_assigned"].any()
    assert LayerClasses(layer).assigned().to_dict() == {}


def test_a_class_of_the_rules_that_was_confirmed_by_hand_is_the_users(model, labels):
    from napari_mpseg.gui.classes_layer import LayerClasses
    from napari_mpseg.particles.reviewable import measure_for_review

    layer = model.add_labels(labels, features=measure_for_review(labels).to_features())
    session = ReviewSession(model, layer)
    mine = LayerClasses(layer)
    assert mine.assigned().empty
    given = layer.features["class"].iloc[1]
    session.decide(1, to_class=given)
    assert mine.assigned().to_dict() == {1: given}
    session.undo()
    assert mine.assigned().empty


def test_marks_survive_a_table_that_was_made_anew(session, layer, pixels):
    session.decide(3, to_class="film")
    layer.features = measure(layer.data, pixels).to_features()
    assert layer.features["class"].iloc[3] == "film"
    assert layer.features["class_assigned"].tolist()[1:] == [False, False, True, False]


def test_a_duplicated_layer_has_a_record_of_its_own(model, session, layer):
    session.decide(2, keep=False)
    data, about, _ = layer.as_layer_data_tuple()
    twin = model.add_labels(data.copy(), **{**about, "name": "twin"})
    again = ReviewSession(model, twin)
    again.decide(3, to_class="film")
    session.decide(4, keep=False)
    assert [one.labels for one in audit_of(layer.metadata)] == [(2,), (4,)]
    assert [one.labels for one in audit_of(twin.metadata)] == [(2,), (3,)]
    assert "assigned" not in layer.metadata["napari-mpseg"]


def test_a_table_that_is_gone_and_comes_back(session, layer, pixels):
    session.decide(2, keep=False)
    gone = []
    session.on_gone = lambda: gone.append(True)
    layer.features = pd.DataFrame()
    assert gone == [True]
    assert (session.counts().particles, session.is_there(2), len(session.rejected())) == (0, False, 0)
    with pytest.raises(EditError, match="no particle table"):
        session.undo()
    layer.fill((0, 0), 9)
    layer.undo()
    session.close()
    layer.features = measure(layer.data, pixels).to_features()
    session.connect()
    assert layer.features["keep"].tolist()[1:] == [True, False, True, True]
    session.undo()
    assert layer.features["keep"].all()


def test_a_stroke_on_a_label_that_was_changed_before_the_review(model, layer, pixels):
    layer.data[35, 5] = 2  # far away from the rest of particle 2
    session = ReviewSession(model, layer, Sources(image=lambda plane: Image(pixels)))
    layer.data_setitem((np.array([23]), np.array([31])), 2)
    assert layer.features["area_px"].iloc[2] == 11
    assert_table_right(layer, pixels)
    layer.data_setitem((np.array([23]), np.array([30])), 2)
    session.undo()
    session.undo()
    assert_table_right(layer, pixels)


def test_a_merge_takes_all_of_a_label_that_was_changed_before_the_review(model, layer, pixels):
    layer.data[35, 5] = 3
    session = ReviewSession(model, layer, Sources(image=lambda plane: Image(pixels)))
    session.merge([2, 3])
    assert not (layer.data == 3).any()
    assert_table_right(layer, pixels)


EDITS = {
    "merge": lambda session: session.merge([3, 2]),
    "split": lambda session: session.split(1, [(3, 15), (11, 15)]),
    "delete": lambda session: session.delete(1),
    "redraw": lambda session: session.redraw(4, [(30, 30), (30, 35), (36, 35)]),
    "reject": lambda session: session.decide(2, keep=False),
    "class": lambda session: session.decide(2, to_class="film"),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_change_is_measured_undone_and_redone(session, layer, pixels, name):
    before = everything(layer)
    EDITS[name](session)
    after = everything(layer)
    assert_table_right(layer, pixels)
    assert session.counts().reviewed == (name in ("reject", "class"))
    session.undo()
    assert_same(layer, before)
    assert session.counts().reviewed == 0
    session.redo()
    assert_same(layer, after)
    assert_table_right(layer, pixels)
    session.undo()
    assert_same(layer, before)
    assert actions(layer) == [name, "undo", "redo", "undo"]
    assert session.undo() is None
    assert not session.can_undo
    assert session.can_redo


def test_all_changes_one_after_the_other_come_back_step_by_step(session, layer, pixels):
    states = [everything(layer)]
    for change in EDITS.values():
        change(session)
        states.append(everything(layer))
        assert_table_right(layer, pixels)
    for state in reversed(states[:-1]):
        assert session.undo() is not None
        assert_same(layer, state)
    for state in states[1:]:
        assert session.redo() is not None
        assert_same(layer, state)


def test_what_the_edits_do(session, layer):
    layer.features.iloc[1:4, layer.features.columns.get_loc("keep")] = [False, True, False]
    session.decide(3, to_class="film")
    assert session.merge([2, 3]) == 2
    assert (layer.data == 2).sum() == 18
    assert not session.is_there(3)
    assert layer.features["class"].iloc[2] == "film"
    assert layer.features["keep"].iloc[2]
    assert layer.features["confidence"].iloc[2] == pytest.approx(0.6)  # both of 9 px
    assert session.split(1, [(3, 15), (11, 15)]) == (5,)
    assert len(layer.features) == 6
    assert layer.features["index"].tolist() == list(range(6))
    assert (layer.data == 1).sum() + (layer.data == 5).sum() == 48
    assert not layer.features["keep"].iloc[5]  # as the one it was split from
    session.delete(4)
    assert not (layer.data == 4).any()
    assert ParticleTable.from_features(layer.features).labels.tolist() == [1, 2, 5]
    sizes = [entry.after.get("pixels") for entry in session.audit if entry.action in ("merge", "split", "delete")]
    assert sizes[0] == {"2": 18, "3": 0}
    assert sum(sizes[1].values()) == 48
    assert sizes[2] == {"4": 0}


def test_new_numbers_lie_above_all_in_use(session, layer):
    layer.data[0, 0] = 40  # painted, not in the table
    assert session.split(1, [(3, 15), (11, 15)]) == (41,)


def test_a_number_far_above_does_not_blow_up_the_table(session, layer):
    layer.fill((0, 0), 2_000_000_000)
    assert len(layer.features) == 5
    assert "far above" in session.audit[-1].note
    assert session.unused() == 5


def test_an_edit_that_fails_changes_nothing(session, layer, monkeypatch):
    before = everything(layer)
    with pytest.raises(EditError, match="does not part"):
        session.split(1, [(0, 0), (1, 1)])
    monkeypatch.setattr("napari_mpseg.gui.review_measure.measure_labels_again", lambda *a, **k: 1 / 0)
    for name in ("merge", "split", "delete", "redraw"):
        with pytest.raises(ZeroDivisionError):
            EDITS[name](session)
        assert_same(layer, before)
    assert actions(layer) == []
    assert not session.can_undo


def test_confidence_follows_the_probability(model, layer, rng):
    probability = rng.integers(0, 256, (40, 50)).astype(np.uint8)
    session = ReviewSession(model, layer, Sources(probability=lambda plane: probability))
    (new,) = session.split(1, [(3, 15), (11, 15)])
    for label in (1, new):
        expected = probability[layer.data == label].mean() / 255
        assert layer.features["confidence"].iloc[label] == pytest.approx(expected)


def test_columns_computed_elsewhere_do_not_go_stale(model, labels):
    table = measure(labels).with_columns(nearest_px=[3.0, 4.0, 5.0, 6.0], remark=["a", "b", "c", "d"])
    layer = model.add_labels(labels, features=table.to_features())
    ReviewSession(model, layer).merge([2, 3])
    assert layer.features["nearest_px"].isna().tolist() == [True, False, True, True, False]
    assert layer.features["remark"].tolist()[1:3] == ["a", "b"]


def test_painting_is_measured_recorded_and_undone(session, layer, pixels):
    before = everything(layer)
    layer.selected_label, layer.brush_size, layer.mode = 2, 3, "paint"
    layer.paint((21, 33), 2)
    assert_table_right(layer, pixels)
    assert session.audit[-1].action == "paint"
    assert session.audit[-1].labels == (2, 3)
    layer.selected_label = 9
    layer.fill((0, 0), 9)
    assert session.is_there(9)
    assert layer.features["keep"].iloc[9]
    assert_table_right(layer, pixels)
    session.undo()
    session.undo()
    assert_same(layer, before)


def test_erasing_a_particle_empties_its_row(session, layer, pixels):
    layer.fill((5, 10), 0)
    assert not session.is_there(1)
    assert_table_right(layer, pixels)
    session.undo()
    assert_table_right(layer, pixels)
    assert (layer.data == 1).sum() == 48


def test_a_later_undo_of_naparis_does_no_damage(session, layer, labels):
    session.merge([2, 3])
    session.delete(1)
    session.undo()
    layer.undo()  # of the undo: the particle is gone once more
    assert not (layer.data == 1).any()
    layer.undo()
    layer.undo()
    np.testing.assert_array_equal(layer.data, labels)


def edit_cell(layer, label, column, value):
    """Edit a cell as napari's table does it, which tells nobody."""
    if column == "class" and value not in layer.features["class"].cat.categories:
        layer.features["class"] = layer.features["class"].cat.add_categories([value])
    layer.features.iloc[label, layer.features.columns.get_loc(column)] = value


def test_undo_leaves_a_class_that_was_given_since(session, layer):
    session.decide(1, keep=False)
    edit_cell(layer, 1, "class", "film")
    session.undo()
    assert layer.features["keep"].iloc[1]
    assert layer.features["class"].iloc[1] == "film"
    session.decide(2, to_class="bead")
    edit_cell(layer, 2, "class", "film")
    session.undo()
    assert layer.features["class"].iloc[2] == "film"
    assert layer.features["class_assigned"].iloc[2]
    assert "left: class of 2" in session.audit[-1].note
    session.redo()
    assert layer.features["class"].iloc[2] == "film"


def test_undo_of_a_split_leaves_a_rejection_since(session, layer, pixels):
    session.split(3, [(19, 34), (24, 34)])
    edit_cell(layer, 3, "keep", False)
    session.undo()
    assert not layer.features["keep"].iloc[3]
    assert_table_right(layer, pixels)
    session.redo()
    assert not layer.features["keep"].iloc[3]
    assert_table_right(layer, pixels)


@pytest.mark.parametrize("edit", ["split", "merge", "delete", "redraw"])
def test_undo_after_measuring_with_another_pixel_size(model, labels, pixels, edit):
    from napari_mpseg.calibration import Calibration

    coarse, fine = Calibration((2.0, 2.0), "um", "user"), Calibration((1.0, 1.0), "um", "user")
    layer = model.add_labels(labels.copy(), features=measure(labels, pixels, calibration=coarse).to_features())
    session = ReviewSession(model, layer, Sources(image=lambda plane: Image(pixels)))
    EDITS[edit](session)
    kept = layer.features[["class", "keep"]]
    layer.features = measure(layer.data, pixels, calibration=fine).to_features().assign(**kept)
    session.undo()
    now = ParticleTable.from_features(layer.features).frame
    expected = measure(labels, pixels, calibration=fine).frame
    pd.testing.assert_frame_equal(now[expected.columns], expected, rtol=1e-9)
    session.redo()
    expected = measure(layer.data, pixels, calibration=fine).frame
    now = ParticleTable.from_features(layer.features).frame
    pd.testing.assert_frame_equal(now[expected.columns], expected, rtol=1e-9)


def test_undo_after_the_labels_became_smaller_is_refused_and_kept(session, layer, labels):
    session.decide(2, keep=False)
    session.delete(4)  # in the last row and column
    whole = layer.data
    layer.data = whole[:30, :40].copy()
    with pytest.raises(EditError, match="changed since"):
        session.undo()
    assert actions(layer) == ["reject", "delete"]
    layer.data = whole
    session.undo()
    np.testing.assert_array_equal(layer.data, labels)


def test_an_undo_that_would_overwrite_others_is_refused(session, layer):
    session.delete(1)
    layer.data[6, 12] = 77
    state = everything(layer)
    with pytest.raises(EditError, match="changed since"):
        session.undo()
    assert_same(layer, state)
    assert session.undo() is None


def test_cells_edited_in_naparis_table_are_in_the_record(session, layer):
    layer.features.iloc[3, layer.features.columns.get_loc("keep")] = False  # as napari's table does it
    session.add_class("bead")
    layer.features.iloc[2, layer.features.columns.get_loc("class")] = "bead"
    session.notice()
    found = [(one.action, one.labels, dict(one.after)) for one in audit_of(layer.metadata)]
    assert found == [("table", (3,), {"keep": False}), ("table", (2,), {"class": "bead"})]
    assert session.decided == {2, 3}
    assert session.notice() == 0


def test_a_table_edit_before_a_decision_is_recorded_first(session, layer):
    layer.features.iloc[3, layer.features.columns.get_loc("keep")] = False
    session.decide(2, keep=False)
    assert actions(layer) == ["table", "reject"]
    session.close()
    layer.features.iloc[4, layer.features.columns.get_loc("keep")] = False
    session.connect()
    session.notice()
    assert actions(layer) == ["table", "reject", "table"]


def test_many_changes_at_once_are_one_entry(model):
    labels = np.arange(1, 201).reshape(10, 20)
    layer = model.add_labels(labels, features=measure(labels).to_features())
    session = ReviewSession(model, layer)
    classes = pd.Categorical([None] + ["fibre"] * 150 + ["bead"] * 50)
    layer.features = layer.features.assign(**{"class": classes})
    (entry,) = audit_of(layer.metadata)
    assert (entry.action, entry.labels) == ("table", tuple(range(1, 201)))
    assert entry.after == {"class": {"fibre": 150, "bead": 50}}
    assert session.counts().reviewed == 200
    session.close()
    assert ReviewSession(model, layer).counts().reviewed == 200


def test_classes_that_a_rule_gave_are_no_decisions(model):
    from napari_mpseg.gui.classes_layer import LayerClasses

    labels = np.arange(1, 201).reshape(10, 20)
    layer = model.add_labels(labels, features=measure(labels).to_features())
    session = ReviewSession(model, layer)
    session.decide(7, to_class="bead")
    table = ParticleTable.from_features(layer.features)
    LayerClasses(layer).apply(pd.Series(pd.Categorical(["fibre"] * 200), index=table.frame.index))
    assert session.notice() == 0  # it was noticed at once
    assert session.decided == {7}
    assert actions(layer) == ["class", "found"]
    assert len(session.audit[-1].labels) == 199
    assert np.flatnonzero(layer.features["class_assigned"].fillna(False)).tolist() == [7]


def test_measuring_again_keeps_decisions(session, layer, pixels):
    session.decide(2, keep=False)
    session.decide(3, to_class="film")
    layer.data[5:9, 10:12] = 0  # particle 1 is another one now
    session.decide(1, keep=False)
    layer.features = measure(layer.data, pixels).to_features()
    assert layer.features["keep"].tolist()[1:] == [True, False, True, True]
    assert layer.features["class"].iloc[3] == "film"
    assert actions(layer)[-1] == "found"


def test_decisions_of_other_types_are_understood(session, layer):
    layer.features = layer.features.assign(keep=[False, True, False, True, True], **{"class": ["", "a", "b", "", "a"]})
    assert layer.features["keep"].dtype == "boolean"
    assert layer.features["class"].tolist()[1:] == ["a", "b", "unclassified", "a"]
    assert session.counts().rejected == 1
    session.decide(3, to_class="c")
    assert actions(layer) == ["table", "table", "table", "class"]


def test_a_table_of_something_else_is_left_alone(session, layer):
    layer.features = pd.DataFrame({"mine": [1, 2, 3]})
    assert layer.features.columns.tolist() == ["mine"]
    assert session.notice() == 0


def test_the_record_survives_json_and_a_new_session(model, session, layer):
    session.decide(2, keep=False)
    session.close()
    layer.metadata = json.loads(json.dumps(layer.metadata))
    again = ReviewSession(model, layer)
    assert again.decided == {2}
    again.decide(3, keep=False)
    assert actions(layer) == ["reject", "reject"]


def test_planes_of_a_stack(model, labels):
    from napari_mpseg.gui.measuring import measure_labels
    from napari_mpseg.progress import CancelToken

    stack = np.stack([labels, np.where(labels > 0, labels + 4, 0)])
    done = measure_labels(stack, calibration=None, renumber=False, on_progress=lambda event: None, cancel=CancelToken())
    layer = model.add_labels(stack.copy(), features=done.features)
    session = ReviewSession(model, layer)
    with pytest.raises(EditError, match="different planes"):
        session.merge([2, 6])
    (new,) = session.split(5, [(3, 15), (11, 15)])
    assert new == 9
    assert (layer.data[1] == 9).sum() > 0
    assert not (layer.data[0] == 9).any()
    assert layer.features["plane"].iloc[9] == 1
    session.undo()
    np.testing.assert_array_equal(layer.data, stack)
    layer.data_setitem((np.array([1, 1]), np.array([0, 0]), np.array([0, 1])), 8)
    assert layer.features["area_px"].iloc[8] == 3


@pytest.mark.parametrize("kind", ["dask", "multiscale", "locked"])
def test_labels_that_cannot_be_edited_can_still_be_decided_on(model, labels, kind):
    import dask.array as da

    data = {"dask": da.from_array(labels), "multiscale": [labels, labels[::2, ::2]], "locked": labels}[kind]
    layer = model.add_labels(data, features=measure(labels).to_features())
    layer.editable = kind != "locked"
    session = ReviewSession(model, layer)
    session.decide(2, keep=False)
    for change in (lambda: session.delete(1), lambda: session.merge([2, 3])):
        with pytest.raises(EditError):
            change()
    assert actions(layer) == ["reject"]


def test_zarr_labels_are_edited_where_they_lie(model, labels, tmp_path):
    import zarr

    stored = zarr.create_array(str(tmp_path / "a.zarr"), data=labels, chunks=(16, 16))
    layer = model.add_labels(stored, features=measure(labels).to_features())
    session = ReviewSession(model, layer)
    (new,) = session.split(1, [(3, 15), (11, 15)])
    assert (stored[...] == new).sum() == layer.features["area_px"].iloc[new]
    session.undo()
    np.testing.assert_array_equal(stored[...], labels)


def test_the_docs_tell_every_key():
    from pathlib import Path

    from napari_mpseg.gui.review_keys import KEYS

    told = (Path(__file__).parents[2] / "docs" / "review.md").read_text(encoding="utf-8")
    for key in KEYS:
        if not key.action.startswith("class"):
            for combination in key.keys:
                assert f"`{combination.replace('-', '+').replace('Control', 'Ctrl')}`" in told
            assert key.does in told
