"""*Segment particles* in a real viewer, used as a person would."""

import numpy as np
import pytest


def add_spots(viewer, spots, **more):
    return viewer.add_image(spots, name="spots", scale=(2.5, 2.5), units=("um", "um"), **more)


def test_no_image_says_what_to_do(segment_widget, screenshot):
    assert segment_widget.hint.isVisible()
    assert "Open Sample" in segment_widget.hint.text()
    assert not segment_widget.panel.run_button.isEnabled()
    screenshot("empty")


def test_labels_alone_are_refused_with_a_reason(viewer, segment_widget, spots):
    viewer.add_labels((spots > 0).astype(int), name="painted")
    assert "painted" in segment_widget.hint.text()
    assert "labels layer" in segment_widget.hint.text()
    assert not segment_widget.panel.run_button.isEnabled()


def test_segment_adds_probability_labels_and_table(
    viewer, segment_widget, fake_segment, finished, spots, qtbot, screenshot
):
    image = add_spots(viewer, spots, translate=(100, 200))
    segment_widget.panel.run_button.click()
    assert segment_widget.panel.busy
    finished(segment_widget)
    assert [layer.name for layer in viewer.layers] == ["spots", "spots probability", "spots particles"]
    labels = viewer.layers["spots particles"]
    for layer in list(viewer.layers)[1:]:
        np.testing.assert_array_equal(layer.scale, image.scale)
        np.testing.assert_array_equal(layer.translate, image.translate)
        assert layer.units == image.units
    assert viewer.layers.selection.active == labels
    assert len(labels.features) == 4  # background and three particles
    np.testing.assert_allclose(sorted(labels.features["area_um2"].iloc[1:]), np.array([9, 16, 24]) * 6.25)
    tables = [name for name in viewer.window.dock_widgets if name.startswith("Features table")]
    assert len(tables) == 1
    assert "3 particles" in segment_widget.panel.status.text()
    screenshot("spots")
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    assert [name for name in viewer.window.dock_widgets if name.startswith("Features table")] == tables
    assert viewer.layers[-1].name == "spots particles [2]"
    np.testing.assert_array_equal(viewer.layers["spots particles"].data, labels.data)
