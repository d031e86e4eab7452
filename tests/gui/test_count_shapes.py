"""Boxes drawn, moved, pasted and deleted with napari's own tools, without a window."""

import gc
from types import SimpleNamespace

import numpy as np
import pytest

from napari_mpseg.gui.count_left import LeftBoxes, left_boxes_of
from napari_mpseg.gui.count_outlines import corners_of, rectangles, widths_of
from napari_mpseg.gui.count_review import CountReview
from napari_mpseg.gui.count_shapes import BoxShapes
from napari_mpseg.particles.counting import count_particles
from napari_mpseg.particles.counting.marks import MARKS
from napari_mpseg.particles.counting.record import counted_of
from napari_mpseg.particles.review.audit import audit_of
from napari_mpseg.particles.reviewable import measure_for_review


@pytest.fixture
def counted():
    """Two particles of 40 and 4 px in an image of 80 x 120, and their boxes."""
    from napari.components import ViewerModel

    labels = np.zeros((80, 120), np.int32)
    labels[20:22, 10:30], labels[60:62, 100:102] = 1, 2
    viewer, waiting = ViewerModel(), []
    layer = viewer.add_labels(labels, features=measure_for_review(labels).to_features())
    review = CountReview(viewer, layer, count_particles(labels, numbered=True))
    shapes = BoxShapes(viewer, review, later=waiting.append)
    viewer.add_layer(shapes.layer)
    review.on_change = shapes.show
    return SimpleNamespace(viewer=viewer, layer=layer, review=review, shapes=shapes, waiting=waiting)


def follow(counted):
    while counted.waiting:
        counted.waiting.pop(0)()


def drag(counted, start, stop):
    """Press at one place, move to another, and release there."""
    from napari.utils import interactions
    from napari.utils._proxies import ReadOnlyWrapper

    for name, place in (("press", start), ("move", stop), ("release", stop)):
        event = SimpleNamespace(
            type=f"mouse_{name}",
            position=place,
            pos=place,
            is_dragging=name == "move",
            modifiers=[],
            dims_displayed=[0, 1],
            dims_point=(0, 0),
            view_direction=None,
            button=1,
            handled=False,
            native=None,
        )
        getattr(interactions, f"mouse_{name}_callbacks")(counted.shapes.layer, ReadOnlyWrapper(event))
    follow(counted)


def corners(review, number):
    row = review.row(number)
    return [row[name] for name in ("y0", "x0", "y1", "x1")]


def test_a_box_drawn_with_the_mouse_has_whole_pixels_and_its_colour(counted):
    counted.shapes.layer.mode = "add_rectangle"
    drag(counted, (40.2, 50.1), (47.4, 62.0))
    assert corners(counted.review, 3) == [41, 51, 48, 62]
    assert counted.review.boxes.count == 3
    assert counted.shapes.layer.features["number"].tolist()[-1] == 3
    colour = counted.shapes.layer.edge_color[-1][:3]
    np.testing.assert_allclose(colour, [int(MARKS["drawn by hand"][k : k + 2], 16) / 255 for k in (1, 3, 5)], atol=1e-3)
    drag(counted, (70.0, 100.0), (200.0, 200.0))  # beyond the image
    assert corners(counted.review, 4) == [70, 100, 80, 120]


def test_a_box_moved_with_the_mouse_is_moved_back_by_undo(counted):
    layer = counted.shapes.layer
    layer.mode = "select"
    drag(counted, (61.0, 101.0), (65.0, 101.0))
    assert corners(counted.review, 2) == [61, 97, 69, 105]
    assert [entry.action for entry in audit_of(counted.layer.metadata)] == ["box"]
    assert counted.layer.features["keep"].iloc[1:].all()
    counted.review.undo()
    assert corners(counted.review, 2) == [57, 97, 65, 105]
    assert layer.data[counted.shapes.index_of(2)].min(0).tolist() == [56.5, 96.5]


def test_a_pasted_box_is_a_new_one(counted):
    layer = counted.shapes.layer
    layer.selected_data = {0}
    layer._copy_data()
    layer._paste_data()
    follow(counted)
    assert sorted(layer.features["number"]) == [1, 2, 3]
    assert counted.review.row(3)["origin"] == "drawn"
    counted.review.undo()
    assert layer.nshapes == 2


def test_a_box_at_a_place_is_the_smallest_around_it(counted):
    counted.review.draw([10, 0, 30, 60])
    assert counted.shapes.at((20, 20)) == 1
    assert counted.shapes.at((28, 50)) == 3
    assert counted.shapes.at((70, 10)) is None


def test_boxes_of_labels_that_are_gone_do_not_count(counted):
    frame = counted.layer.features.copy()
    frame.loc[2, [name for name in frame if name != "index"]] = np.nan
    counted.layer.features = frame
    assert counted.review.frame["keep"].tolist() == [True, False]


def test_what_lies_outside_the_image_and_lines_are_no_boxes(counted):
    said = []
    counted.shapes._say = lambda text, kind: said.append((kind, text))
    layer = counted.shapes.layer
    layer.mode = "add_rectangle"
    drag(counted, (90.0, 130.0), (110.0, 150.0))
    layer.mode = "add_line"
    drag(counted, (30.0, 40.0), (50.0, 60.0))
    assert layer.nshapes == 2 == len(counted.review.boxes)
    assert [kind for kind, _ in said] == ["warning", "warning"]
    assert "outside the image" in said[0][1]
    assert "line" in said[1][1]
    assert not counted.review.can_undo
    layer.mode = "select"
    drag(counted, (61.0, 101.0), (161.0, 101.0))  # a found box is put back
    assert corners(counted.review, 2) == [57, 97, 65, 105]
    assert corners_of(layer.data[counted.shapes.index_of(2)]) == [57, 97, 65, 105]


def test_a_box_is_taken_over_once_it_is_finished(counted):
    layer = counted.shapes.layer
    layer._is_creating = True  # as napari has it while the mouse is held down
    layer.add(rectangles(np.array([[40.0, 50, 41, 51]])), shape_type="rectangle", gui=True)
    follow(counted)
    assert len(counted.review.boxes) == 2


def test_small_boxes_have_thin_lines_and_large_images_lines_that_are_seen():
    boxes = np.array([[0.0, 0, 8, 30], [0, 0, 60, 60]])
    assert widths_of(boxes, (80, 120)).tolist() == pytest.approx([0.8, 2.0])
    assert widths_of(boxes, (4000, 4000)).tolist() == [4.0, 4.0]


def test_boxes_are_followed_when_nothing_else_does(counted):
    layer, labels = counted.shapes.layer, counted.layer
    viewer = counted.viewer
    shown = counted.shapes.shown
    counted.shapes.close()
    counted.review.close()
    LeftBoxes(viewer, labels, shown)
    gc.collect()
    layer.add(rectangles(np.array([[30.0, 50, 36, 60]])), shape_type="rectangle")
    assert [row["origin"] for row in counted_of(labels.metadata).frame.to_dict("records")] == ["found"] * 2 + ["drawn"]
    layer.remove([0])  # the least sure, which is the smallest
    assert counted_of(labels.metadata).count == 2
    assert labels.features["keep"].iloc[1:].tolist() == [True, False]
    left = left_boxes_of(viewer, labels)
    assert left.shown.layer is layer
    left.stop()
    assert left_boxes_of(viewer, labels) is None
