"""Rows and particles find each other, in napari's own table."""

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt


@pytest.fixture
def labels(viewer, spots, qtbot):
    """Three particles, measured, with the table open."""
    from napari_mpseg.gui.particle_table import show_table
    from napari_mpseg.particles.labelling import label_mask
    from napari_mpseg.particles.measure import measure

    data = label_mask(spots)
    layer = viewer.add_labels(data, scale=(2.5, 2.5), features=measure(data).to_features())
    layer.selected_label = 0
    layer.table = show_table(viewer, layer).table
    qtbot.wait(400)
    return layer


def click_row(qtbot, table, label):
    index = table.model().mapFromSource(table.model().sourceModel().index(label, 1))
    table.scrollTo(index)
    centre = table.visualRect(index).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=centre)


def selected_rows(table):
    to_source = table.model().mapToSource
    return {to_source(index).row() for index in table.selectionModel().selectedIndexes()}


def click_canvas(viewer, qtbot, world):
    """Click at a place of the picture, with the mouse."""
    native = viewer.window._qt_window._qt_viewer.canvas.native
    camera = viewer.scene.camera
    middle = np.array([native.height(), native.width()]) / 2
    y, x = middle + (np.asarray(world) - np.asarray(camera.center)[-2:]) * camera.zoom
    place = QPoint(round(x), round(y))
    qtbot.mouseMove(native, place)
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=place)
    qtbot.wait(50)


def test_a_row_selects_and_centres_its_particle(viewer, labels, qtbot):
    for label, middle in ((3, (80.5, 103.5)), (1, (11.5, 22.5)), (2, (51, 61))):
        click_row(qtbot, labels.table, label)
        assert labels.selected_label == label
        np.testing.assert_allclose(viewer.scene.camera.center[-2:], np.multiply(middle, 2.5))


def test_opening_the_table_hides_nothing_that_was_seen(viewer, spots, qtbot):
    from napari_mpseg.gui.particle_table import show_table

    layer = viewer.add_labels((spots > 0).astype(int))
    seen = np.array(viewer.canvas.size) / viewer.scene.camera.zoom
    show_table(viewer, layer)
    qtbot.wait(400)
    assert (np.array(viewer.canvas.size) / viewer.scene.camera.zoom >= 0.98 * seen).all()


def test_a_row_of_a_tiny_particle_zooms_in(viewer, labels, qtbot):
    viewer.scene.camera.zoom = 0.1
    click_row(qtbot, labels.table, 2)
    assert viewer.scene.camera.zoom * 3 * 2.5 >= 24  # 3 pixels of 2.5
    zoom = viewer.scene.camera.zoom
    click_row(qtbot, labels.table, 1)
    assert viewer.scene.camera.zoom == zoom  # never out


def test_a_click_on_a_particle_selects_its_row_and_leaves_the_view(viewer, labels, qtbot):
    before = viewer.scene.camera.center
    click_canvas(viewer, qtbot, (51 * 2.5, 61 * 2.5))
    assert labels.selected_label == 2
    assert selected_rows(labels.table) == {2}
    assert viewer.scene.camera.center == before
    click_canvas(viewer, qtbot, (0, 0))  # background
    assert labels.selected_label == 2


def test_rows_and_particles_match_in_a_sorted_table(viewer, labels, qtbot):
    column = list(labels.features.columns).index("area_px") + 1
    labels.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    click_canvas(viewer, qtbot, (11 * 2.5, 22 * 2.5))
    assert selected_rows(labels.table) == {1}
    click_row(qtbot, labels.table, 3)
    assert labels.selected_label == 3


def test_the_table_scrolls_to_the_row_of_a_clicked_particle(viewer, qtbot):
    from napari_mpseg.gui.particle_table import show_table
    from napari_mpseg.particles.measure import measure

    data = np.zeros((400, 400), np.int32)
    data[2::8, 2::8] = np.arange(1, 2501).reshape(50, 50)
    data[3::8, 2::8] = data[2::8, 2::8]
    layer = viewer.add_labels(data, features=measure(data).to_features())
    table = show_table(viewer, layer).table
    qtbot.wait(400)
    viewer.scene.camera.zoom = 8
    viewer.scene.camera.center = (330, 330)
    click_canvas(viewer, qtbot, (330, 330))
    label = int(data[330, 330])
    assert layer.selected_label == label
    index = table.model().mapFromSource(table.model().sourceModel().index(label, 0))
    assert table.viewport().rect().contains(table.visualRect(index).center())


def test_linking_twice_changes_nothing(viewer, labels):
    from napari_mpseg.gui.particle_table import link_selection, show_table

    callbacks = len(labels.mouse_drag_callbacks)
    assert link_selection(viewer, labels) is link_selection(viewer, labels)
    show_table(viewer, labels)
    assert len(labels.mouse_drag_callbacks) == callbacks


def test_a_particle_on_another_plane_is_brought_up(viewer):
    from napari_mpseg.gui.particle_table import centre_on

    data = np.zeros((5, 40, 50), np.int32)
    data[3, 10:12, 20:24] = 1
    layer = viewer.add_labels(data, scale=(4, 2, 2))
    centre_on(viewer, layer, 1)
    assert viewer.dims.current_step[0] == 3
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], (21, 43))


def test_rows_and_particles_of_a_segmented_image(viewer, segment_widget, fake_segment, finished, spots, qtbot):
    viewer.add_image(spots, name="spots", scale=(2.5, 2.5))
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    qtbot.wait(400)
    segment_widget.parent().destroyOnClose()  # the link outlives the widget
    qtbot.wait(400)
    layer = viewer.layers["spots particles"]
    table = next(widget for name, widget in viewer.window.dock_widgets.items() if name.startswith("Features")).table
    click_row(qtbot, table, 3)
    assert layer.selected_label == 3
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], np.multiply((80.5, 103.5), 2.5))
    click_canvas(viewer, qtbot, (51 * 2.5, 61 * 2.5))
    assert selected_rows(table) == {2}


@pytest.mark.parametrize("order", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
def test_sorting_equals_pandas_and_missing_values_come_last(viewer, labels, qtbot, order):
    features = labels.features.assign(
        keep=pd.array([None, True, False, True], dtype="boolean"),
        **{"class": pd.Categorical([None, "film", "Bead", "film"]), "remark": [None, "b", None, "a"]},
    )
    labels.features = features
    rising = order == Qt.SortOrder.AscendingOrder
    model = labels.table.model()
    for column in features.columns:
        labels.table.sortByColumn(list(features.columns).index(column) + 1, order)
        shown = [model.mapToSource(model.index(row, 0)).row() for row in range(model.rowCount())]
        key = (lambda one: one.astype(str).str.lower().where(one.notna())) if column in ("class", "remark") else None
        expected = features[column].astype(object if key else features[column].dtype)
        expected = expected.sort_values(ascending=rising, kind="stable", key=key, na_position="last")
        values = [str(features[column].iloc[row]) for row in shown]
        assert values == [str(value) for value in expected], column
        for row in range(4):
            assert model.mapFromSource(model.sourceModel().index(row, 2)).row() == shown.index(row)


def test_a_sorted_table_stays_sorted_when_it_is_made_anew(viewer, labels, qtbot):
    column = list(labels.features.columns).index("area_px") + 1
    labels.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    click_row(qtbot, labels.table, 2)
    labels.features = labels.features.assign(area_px=[np.nan, 1, 2, 3], more=1.0)
    model = labels.table.model()
    assert [model.mapToSource(model.index(row, 0)).row() for row in range(4)] == [3, 2, 1, 0]
    assert selected_rows(labels.table) == {2}
    assert model.headerData(model.columnCount() - 1, Qt.Orientation.Horizontal) == "more"
    labels.features = labels.features.iloc[:3]
    assert model.rowCount() == 3


def test_cells_are_edited_in_a_sorted_table(viewer, labels, qtbot):
    labels.features = labels.features.assign(keep=pd.array([None, True, True, True], dtype="boolean"))
    column = list(labels.features.columns).index("keep") + 1
    model = labels.table.model()
    model.sourceModel().editable = True
    labels.table.sortByColumn(list(labels.features.columns).index("area_px") + 1, Qt.SortOrder.DescendingOrder)
    index = model.mapFromSource(model.sourceModel().index(2, column))
    changed = []
    model.dataChanged.connect(lambda first, last, roles=None: changed.append((first.row(), last.row())))
    model.setData(index, Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole)
    assert not labels.features["keep"].iloc[2]
    assert changed == [(index.row(), index.row())]
