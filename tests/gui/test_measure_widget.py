"""*Measure particles* in a real viewer, on painted labels."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def painted(viewer, spots):
    """Three painted particles with the labels 1, 2, 3."""
    data = np.zeros(spots.shape, np.int32)
    data[10:14, 20:26], data[50:53, 60:63], data[80:82, 100:108] = 1, 2, 3
    return viewer.add_labels(data, name="painted", scale=(0.5, 0.5), units=("nm", "nm"))


def test_no_labels_says_what_to_do(measure_widget, screenshot):
    assert "No labels yet" in measure_widget.hint.text()
    assert not measure_widget.panel.run_button.isEnabled()
    screenshot("measure_empty")


def test_measure_attaches_the_table(viewer, measure_widget, finished, painted, spots, screenshot):
    image = viewer.add_image(spots, name="picture", scale=(0.5, 0.5), units=("nm", "nm"))
    measure_widget.image.choose(image)
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    features = painted.features
    assert features["index"].tolist() == [0, 1, 2, 3]
    assert features["area_px"].iloc[1:].tolist() == [24, 9, 16]
    np.testing.assert_allclose(features["area_nm2"].iloc[1:], np.array([24, 9, 16]) / 4)
    assert features["intensity_mean"].iloc[1:].tolist() == [200, 220, 250]
    assert [layer.name for layer in viewer.layers] == ["painted", "picture"]
    assert viewer.layers.selection.active == painted
    assert any(name.startswith("Features table") for name in viewer.window.dock_widgets)
    assert "3 particles" in measure_widget.panel.status.text()
    screenshot("measure")


def test_gaps_and_pieces_are_said_and_painting_is_not_changed(viewer, measure_widget, finished, painted, screenshot):
    painted.data[painted.data == 2] = 7
    painted.data[90:93, 10:13] = 1  # a second piece of label 1
    before = painted.data.copy()
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    np.testing.assert_array_equal(painted.data, before)
    text = measure_widget.panel.status.text()
    assert "4 label numbers are not used" in text
    assert "several pieces" in text
    assert painted.features["area_px"].iloc[[1, 3, 7]].tolist() == [24 + 9, 16, 9]
    screenshot("measure_gaps")

    measure_widget.renumber.setChecked(True)
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    np.testing.assert_array_equal(painted.data, before)
    new = viewer.layers["painted renumbered"]
    assert new.features["area_px"].iloc[1:].tolist() == [24, 9, 16, 9]
    np.testing.assert_array_equal(new.data > 0, before > 0)
    np.testing.assert_array_equal(new.scale, painted.scale)
    assert new.units == painted.units
    assert "in the new layer" in measure_widget.panel.status.text()


def test_labels_that_are_far_apart_get_a_renumbered_copy(viewer, measure_widget, finished, painted):
    painted.data[painted.data == 3] = 2_000_000
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    assert painted.data.max() == 2_000_000
    assert viewer.layers["painted renumbered"].data.max() == 3
    assert "too far apart" in measure_widget.panel.status.text()


def test_an_image_of_another_size_is_refused(viewer, measure_widget, finished, painted):
    measure_widget.image.choose(viewer.add_image(np.zeros((7, 9)), name="small"))
    measure_widget.labels.choose(painted)
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    assert measure_widget.panel.status.kind == "error"
    assert "same height and width" in measure_widget.panel.status.text()
    assert not len(painted.features.columns) or "area_px" not in painted.features


def test_the_table_is_saved_by_its_ending(viewer, measure_widget, finished, painted, tmp_path, monkeypatch):
    from napari_mpseg.gui import measure_widget as module

    assert not measure_widget.save_button.isEnabled()
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    for ending, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        path = tmp_path / f"table{ending}"
        monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *args, path=path: (str(path), ""))
        measure_widget.save_button.click()
        assert read(path)["area_px"].tolist() == [24, 9, 16]
        assert str(path) in measure_widget.panel.status.text()
    measure_widget.save(tmp_path / "table.xlsx")
    assert "xlsx" in measure_widget.panel.status.text()


def decide(layer):
    """Reject particle 1 and call 2 a film, as the review does."""
    features = layer.features.copy()
    features["class"] = features["class"].cat.add_categories(["film"])
    features.loc[1, "keep"], features.loc[2, "class"] = False, "film"
    layer.features = features


def test_the_table_is_saved_with_what_was_decided_since(viewer, measure_widget, finished, painted, tmp_path):
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    decide(painted)
    measure_widget.save(tmp_path / "table.csv")
    saved = pd.read_csv(tmp_path / "table.csv")
    assert saved["keep"].tolist() == [False, True, True]
    assert saved["class"].tolist()[1] == "film"
    viewer.layers.remove(painted)
    measure_widget.save(tmp_path / "gone.csv")
    assert pd.read_csv(tmp_path / "gone.csv")["keep"].tolist() == [False, True, True]


def test_what_is_decided_while_it_measures_stays(viewer, measure_widget, finished, painted):
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    painted.data[painted.data == 3] = 0
    measure_widget.panel.run_button.click()
    decide(painted)  # the thread has begun with the table of before
    finished(measure_widget)
    assert painted.features["keep"].iloc[1:3].tolist() == [False, True]
    assert painted.features["class"].iloc[2] == "film"
    assert len(painted.features) == 3


def test_sets_and_the_perimeter_are_chosen_and_remembered(viewer, measure_widget, finished, painted, screenshot):
    measure_widget.sets.tick("fibre")
    measure_widget.perimeter.setCurrentText("crofton")
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    assert "fibre_length_nm" in painted.features
    # a Crofton perimeter of a 4 x 6 rectangle is no ImageJ perimeter: 2 (4 + 6) - 4 (2 - sqrt 2) there
    assert abs(painted.features["perimeter_px"][1] - 17.66) > 0.05
    settings = painted.metadata["napari-mpseg"]["provenance"]["settings"]
    assert settings["perimeter"] == "crofton"
    screenshot("measure_sets")
    again = type(measure_widget)(viewer)
    assert again.sets.ticked == ["default", "fibre"]
    assert again.perimeter.currentText() == "crofton"
    again.release()
    for name in ("default", "fibre"):
        measure_widget.sets.tick(name, False)
    measure_widget.panel.run_button.click()
    assert "Tick what to measure" in measure_widget.panel.status.text()


def test_a_table_that_cannot_be_written_is_said(viewer, measure_widget, finished, painted, tmp_path, monkeypatch):
    from napari_mpseg.errors import StoreError
    from napari_mpseg.particles.table import ParticleTable

    measure_widget.panel.run_button.click()
    finished(measure_widget)

    def full(table, path):
        raise StoreError("The disk is full. Free some space.")

    monkeypatch.setattr(ParticleTable, "to_csv", full)
    measure_widget.save(tmp_path / "table.csv")
    assert measure_widget.panel.status.kind == "error"
    assert "disk is full" in measure_widget.panel.status.text()


def test_empty_labels_give_an_empty_table(viewer, measure_widget, finished):
    layer = viewer.add_labels(np.zeros((20, 30), np.uint8), name="nothing")
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    assert "0 particles" in measure_widget.panel.status.text()
    assert len(layer.features) == 1
    assert "area_px" in layer.features


def test_a_stack_is_measured_plane_by_plane(viewer, measure_widget, finished, painted):
    data = np.zeros((3, 30, 30), np.int32)
    data[0, 2:4, 2:4], data[2, 5:8, 5:8] = 1, 2
    stack = viewer.add_labels(data, name="stack")
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    assert stack.features["area_px"].iloc[1:].tolist() == [4, 9]
    assert stack.features["plane"].iloc[1:].tolist() == [0, 2]

    data[1, 20:22, 20:22] = 1  # the same label on a second plane: two particles
    measure_widget.panel.run_button.click()
    finished(measure_widget)
    assert viewer.layers["stack renumbered"].features["area_px"].iloc[1:].tolist() == [4, 4, 9]
    assert "several planes" in measure_widget.panel.status.text()


def test_the_image_a_result_came_from_is_proposed(viewer, measure_widget, spots):
    image = viewer.add_image(spots, name="origin")
    viewer.add_image(spots, name="another")
    viewer.add_labels((spots > 0).astype(int), metadata={"napari-mpseg": {"role": "particles", "source": "origin"}})
    assert measure_widget.image.layer == image
