"""Correcting a region: taken out of labels on disk or in memory, painted on, written back, taken back."""

import json
import os
import threading
import time

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import tifffile
from npe2 import write

from napari_mpseg.calibration import Calibration
from napari_mpseg.gui import correct_region as regions
from napari_mpseg.gui import correct_work
from napari_mpseg.gui.readers import read
from napari_mpseg.images.image import Image
from napari_mpseg.inference.store import create_store
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.audit import audit_of
from napari_mpseg.particles.review.edits import EditError
from napari_mpseg.particles.reviewable import measure_for_review
from napari_mpseg.results.corrections.place import place_in
from napari_mpseg.results.result_store import write_record

SHAPE = (300, 260)


def filled(shape, **boxes):
    """Return labels with rectangles: ``n5=(y0, x0, y1, x1)`` is particle 5."""
    labels = np.zeros(shape, np.int32)
    for name, (y0, x0, y1, x1) in boxes.items():
        labels[y0:y1, x0:x1] = int(name[1:])
    return labels


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 255, SHAPE, np.uint8)


@pytest.fixture
def pixels():
    return filled(SHAPE, n1=(3, 3, 12, 20), n2=(60, 50, 70, 90), n3=(80, 100, 120, 104), n4=(90, 180, 110, 250))


@pytest.fixture
def viewer(make_napari_viewer):
    """Hidden, as drawing takes longer than all else here, unless a picture of it is wanted."""
    return make_napari_viewer(show="MPSEG_SCREENSHOTS" in os.environ)


@pytest.fixture
def widget(viewer, click_menu, docked):
    from napari_mpseg.gui.correct_widget import CorrectWidget

    click_menu("Layers", "Annotate", "Correct a region")
    return docked(CorrectWidget)


@pytest.fixture
def stored(viewer, tmp_path, pixels, image, monkeypatch):
    """Open a result so that its labels cannot be painted on, as one larger than memory."""
    from napari_mpseg import pyramids

    monkeypatch.setattr(pyramids, "LARGEST_EDITABLE", 1000)
    tifffile.imwrite(tmp_path / "filter.tif", image)
    opened = Image(da.from_array(image), "filter", Calibration((2.0, 2.0), "um"), source=str(tmp_path / "filter.tif"))
    path = tmp_path / "filter.ome.zarr"
    arrays = create_store(path, SHAPE, 64, opened.calibration, "filter")
    arrays.labels[...] = pixels
    arrays.probability[...] = 200 * (pixels > 0)
    inputs = {"name": "filter", "source": opened.source, "shape": list(SHAPE)}
    inputs["calibration"] = {"pixel_size": [2.0, 2.0], "unit": "um"}
    write_record(arrays, {"inputs": inputs, "settings": {"connectivity": 2}})
    table = measure_for_review(arrays.labels, opened, probability=arrays.probability)
    table.to_csv(tmp_path / "filter_particles.csv")
    (tmp_path / "filter_run.json").write_text(json.dumps({"particles": 4}))
    for data, meta, kind in read(str(path)):
        viewer._add_layer_from_data(data, meta, kind)
    return place_in(path)


def pixels_of(place):
    return np.asarray(place.levels()[0][...])


def draw(viewer, layer, box):
    y0, x0, y1, x1 = box
    corners = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)]) - 0.5
    world = [layer.data_to_world(corner) for corner in corners]
    return viewer.add_shapes([world], shape_type="rectangle", units=layer.units)


def take(widget, viewer, layer, box, finished):
    draw(viewer, layer, box)
    widget.labels.choose(layer)
    widget.where.setCurrentIndex(widget.where.findData("shapes"))
    widget.panel.run_button.click()
    finished(widget)


def test_labels_on_disk_are_corrected_and_corrected_back(
    viewer, widget, stored, finished, pixels, image, screenshot, monkeypatch
):
    layer = viewer.layers["filter particles"]
    assert layer.multiscale
    assert "filter.ome.zarr" in widget.about.text()
    assert not widget.undo_button.isEnabled()
    layer.features.loc[2, "keep"] = False  # decided, not saved yet
    take(widget, viewer, layer, (40, 40, 140, 200), finished)
    editor = widget.editor
    assert viewer.layers.selection.active is editor
    assert (editor.mode, editor.selected_label) == ("paint", 5)
    assert not layer.visible
    np.testing.assert_array_equal(editor.data, pixels[40:140, 40:200])
    np.testing.assert_allclose(editor.data_to_world((0, 0)), layer.data_to_world((40, 40)))
    assert widget.labels.layer is layer
    widget.new_button.click()
    editor.paint((10, 100), editor.selected_label)
    widget.new_button.click()
    assert editor.selected_label == 6
    editor.fill((70, 62), 0)  # all of 3
    editor.undo()
    editor.data_setitem((np.repeat([58, 59], 4), np.tile(np.arange(60, 64), 2)), 0)  # 3 in two
    screenshot("correct_painting")
    widget.apply_button.click()
    finished(widget)
    assert widget.editor is None
    assert [one.name for one in viewer.layers if "region" in one.name] == []
    assert layer.visible
    after = pixels_of(stored)
    np.testing.assert_array_equal(np.asarray(layer.data[0]), after)
    np.testing.assert_array_equal(np.asarray(layer.data[1]), after[::4, ::4])  # was made in memory
    assert set(np.unique(after)) == {0, 1, 2, 3, 4, 5, 6}
    whole = measure(after, Image(image, "filter", Calibration((2.0, 2.0), "um"))).frame.set_index("label")
    area = layer.features["area_px"]
    assert {label: area[label] for label in whole.index} == whole["area_px"].to_dict()
    assert layer.features["intensity_mean"][5] == pytest.approx(whole["intensity_mean"][5])
    assert layer.features["keep"].tolist()[1:] == [True, False, True, True, True, True]
    assert "new 5, 6" in widget.panel.status.text()
    assert audit_of(layer.metadata)[-1].action == "correct"
    undo_last = correct_work.undo_last

    def cancelled_too_late(*args, **kwargs):
        done = undo_last(*args, **kwargs)
        widget.panel.job.cancel()
        return done

    monkeypatch.setattr(correct_work, "undo_last", cancelled_too_late)
    widget.undo_button.click()
    finished(widget)
    assert "Taken back" in widget.panel.status.text()
    np.testing.assert_array_equal(pixels_of(stored), pixels)
    assert layer.features["keep"].isna().tolist() == [True, False, False, False, False, True, True]
    assert not layer.features["keep"][2]
    assert layer.features["area_px"][3] == 160
    assert not widget.undo_button.isEnabled()
    write(str(stored.store), [layer.as_layer_data_tuple()], plugin_name="napari-mpseg")
    saved = pd.read_csv(stored.tables[0])
    assert dict(zip(saved["label"], saved["keep"], strict=True)) == {1: True, 2: False, 3: True, 4: True}
    assert [entry["action"] for entry in stored.kept()["audit"]] == ["correct", "undo"]


def test_labels_in_memory_are_corrected_in_one_step_of_their_history(
    viewer, widget, pixels, image, finished, monkeypatch
):
    threads, elsewhere = [], correct_work._elsewhere
    monkeypatch.setattr(
        correct_work, "_elsewhere", lambda *args: threads.append(threading.current_thread()) or elsewhere(*args)
    )
    calibration = Calibration((2.0, 2.0), "um")
    features = measure_for_review(pixels, Image(image, "x", calibration)).to_features()
    space = {"scale": (2, 2), "units": ("um", "um"), "rotate": 30, "translate": (5, 7)}
    layer = viewer.add_labels(pixels.copy(), features=features, name="mine", **space)
    viewer.add_image(image, name="x", **space)
    take_all(widget, viewer, layer, finished)
    y0, x0, _, _ = widget.region.box
    np.testing.assert_allclose(widget.editor.data_to_world((3, 4)), layer.data_to_world((y0 + 3, x0 + 4)))
    widget.editor.data[widget.editor.data == 4] = 0
    widget.editor.data[65 - y0, 60 - x0] = 0
    widget.apply_button.click()
    finished(widget)
    assert layer.features["area_px"].isna().tolist() == [True, False, False, False, True]
    assert layer.features["area_px"][2] == 399
    whole = measure(layer.data, Image(image, "x", calibration)).frame.set_index("label")
    assert layer.features["intensity_mean"][2] == pytest.approx(whole["intensity_mean"][2])
    assert "gone 4" in widget.panel.status.text()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()  # all labels are looked at
    widget.undo_button.click()
    np.testing.assert_array_equal(layer.data, pixels)
    pd.testing.assert_frame_equal(layer.features, features, check_dtype=False)
    layer.undo()  # napari's own
    assert not (layer.data == 4).any()


def take_all(widget, viewer, layer, finished):
    widget.labels.choose(layer)
    viewer.reset_view()
    widget.panel.run_button.click()
    finished(widget)


def test_a_plane_of_a_stack(viewer, widget, pixels, finished):
    layer = viewer.add_labels(np.stack([pixels * 0, pixels, pixels * 0]), scale=(5, 2, 2))
    viewer.dims.set_point(0, 5)
    take_all(widget, viewer, layer, finished)
    assert widget.region.plane == (1,)
    np.testing.assert_allclose(widget.editor.data_to_world((0, 0, 0)), layer.data_to_world((1, *widget.region.box[:2])))
    widget.editor.data[widget.editor.data == 2] = 0
    widget.apply_button.click()
    finished(widget)
    assert not (layer.data[1] == 2).any()
    assert layer.data[1].max() == 4


def test_discard_and_removed_layers_leave_the_labels_as_they_were(viewer, widget, pixels, finished):
    layer = viewer.add_labels(pixels.copy())
    take_all(widget, viewer, layer, finished)
    widget.editor.data[...] = 0
    widget.discard_button.click()
    assert layer.visible
    take_all(widget, viewer, layer, finished)
    widget.apply_button.click()
    finished(widget)
    assert "Nothing was changed" in widget.panel.status.text()
    assert widget.editor is not None
    viewer.layers.remove(widget.editor)
    assert widget.editor is None
    assert layer.visible
    np.testing.assert_array_equal(layer.data, pixels)
    assert len(viewer.layers) == 1


def test_closing_in_the_middle_keeps_the_region_for_the_next_time(
    viewer, widget, pixels, finished, click_menu, docked, monkeypatch
):
    from napari_mpseg.gui import correct_widget

    warned = []
    monkeypatch.setattr(correct_widget, "show_warning", warned.append)
    layer = viewer.add_labels(pixels.copy(), name="mine")
    take_all(widget, viewer, layer, finished)
    editor, region = widget.editor, widget.region
    editor.data[editor.data == 2] = 0
    viewer.window.remove_dock_widget(widget)
    assert layer.visible
    (text,) = warned
    assert "mine region is not applied yet" in text
    click_menu("Layers", "Annotate", "Correct a region")
    again = docked(correct_widget.CorrectWidget)
    assert again is not widget
    assert again.editor is editor
    assert again.labels.layer is layer
    assert again.region == region
    assert not layer.visible
    assert not again.panel.run_button.isVisibleTo(again)  # no second region
    again.apply_button.click()
    finished(again)
    assert not (layer.data == 2).any()
    assert len(viewer.layers) == 1
    assert len(warned) == 1
    viewer.window.remove_dock_widget(again)
    click_menu("Layers", "Annotate", "Correct a region")
    assert docked(correct_widget.CorrectWidget).editor is None


def test_what_was_written_while_the_widget_was_closed_is_shown(viewer, widget, stored, finished, monkeypatch):
    layer = viewer.layers["filter particles"]
    take(widget, viewer, layer, (40, 40, 140, 200), finished)
    widget.editor.data[widget.editor.data == 3] = 0
    begun, correct_region = threading.Event(), correct_work.correct_region

    def slow(*args, **kwargs):
        done = correct_region(*args, **kwargs)
        begun.set()
        for _ in range(500):  # until the widget is closed
            if kwargs["cancel"].cancelled:
                break
            time.sleep(0.01)
        return done

    monkeypatch.setattr(correct_work, "correct_region", slow)
    widget.apply_button.click()
    assert begun.wait(20)
    viewer.window.remove_dock_widget(widget)
    assert not (pixels_of(stored) == 3).any()
    assert not (np.asarray(layer.data[0]) == 3).any()
    assert pd.isna(layer.features["area_px"][3])
    assert [one.name for one in viewer.layers if "region" in one.name] == []


def test_what_cannot_be_corrected_says_why(viewer, widget, pixels, monkeypatch):
    lazy = viewer.add_labels(da.from_array(pixels))
    widget.labels.choose(lazy)
    assert "computed on demand" in widget.about.text()
    assert not widget.panel.run_button.isEnabled()
    many = viewer.add_labels([pixels, pixels[::2, ::2]], multiscale=True)
    assert "Save them as OME-Zarr" in regions.why_not(many)
    plain = viewer.add_labels(pixels)
    widget.labels.choose(plain)
    monkeypatch.setattr("napari_mpseg.results.corrections.correct.LARGEST_SIDE", 20)
    viewer.reset_view()
    widget.panel.run_button.click()
    assert "Zoom in" in widget.panel.status.text()
    with pytest.raises(EditError, match="has no shape"):
        regions.region_of_shapes(viewer, plain, viewer.add_shapes())
