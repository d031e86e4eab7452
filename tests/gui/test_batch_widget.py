"""*Segment a folder* in a real viewer, used as a person would."""

import threading
import time

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication


@pytest.fixture
def batch_widget(viewer, click_menu, docked, qtbot):
    from napari_mpseg.gui.batch_widget import BatchWidget

    click_menu("Layers", "Segment", "Segment a folder")
    return docked(BatchWidget)


@pytest.fixture
def looked(qtbot):
    """Wait until a widget knows what its form stands for."""
    return lambda widget: qtbot.waitUntil(lambda: not widget.look.pending, timeout=20_000)


def write_image(path, squares):
    """Write black pixels of 2.5 um with bright squares of 4 x 4 px."""
    image = np.zeros((60, 80), np.uint8)
    for number in range(squares):
        image[5:9, 8 * number + 2 : 8 * number + 6] = 200
    tifffile.imwrite(path, image, resolution=(4000, 4000), resolutionunit="CENTIMETER")


def write_scans(folder):
    folder.mkdir()
    for number, name in enumerate(["lake_1", "lake_2", "river_1"], 1):
        write_image(folder / f"{name}.tif", number)
    (folder / "river_2.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture
def scans(tmp_path):
    """Three images with 1, 2 and 3 particles, a broken one, and a text that is no image."""
    return write_scans(tmp_path / "scans")


@pytest.fixture(scope="module")
def done_scans(tmp_path_factory):
    """The same, done by the core; only to be looked at."""
    from napari_mpseg.batch.run import run_batch
    from napari_mpseg.batch.settings import BatchSettings

    folder = write_scans(tmp_path_factory.mktemp("done") / "scans")
    run_batch(folder, folder / "mpseg-results", BatchSettings("otsu"))
    return folder


@pytest.fixture
def done(batch_widget, done_scans, looked):
    """The widget with a folder that was done before."""
    batch_widget.settings_form.method.choose("otsu")
    batch_widget.inputs.images.choose([str(done_scans)])
    looked(batch_widget)
    return batch_widget


@pytest.fixture
def ready(batch_widget, scans, looked):
    """The widget with the folder and a method that needs no network."""
    batch_widget.settings_form.method.choose("otsu")
    batch_widget.inputs.images.choose([str(scans)])
    looked(batch_widget)
    return batch_widget


@pytest.fixture
def held_batch(monkeypatch):
    """A stand-in for the work, which ends an image whenever `gate` is released, and keeps what it was asked."""
    import napari_mpseg.batch.run as module
    from napari_mpseg.batch.outcome import BatchOutcome, ImageOutcome
    from napari_mpseg.progress import Progress

    gate, asked, stopped = threading.Semaphore(0), [], threading.Event()

    def run_batch(inputs, out, settings, *, on_progress, on_image, cancel, **more):
        from napari_mpseg.batch.plan import plan_batch

        asked.append((inputs, out, settings, more))
        ended = []
        items = plan_batch(inputs, out, settings).items
        total = sum(item.pixels for item in items)
        for number, item in enumerate(items):
            on_progress(Progress("Batch", int((number + 0.5) * 4800), total, "px"))
            while not gate.acquire(timeout=0.01):
                if cancel.cancelled:
                    stopped.set()
                cancel.check()
            status = "failed" if item.message else "done"
            ended.append(ImageOutcome(item.name, item.path, status, item.message, None if item.message else 7, 1.0))
            on_image(ended[-1])
        return BatchOutcome(tuple(ended), {}, ())

    monkeypatch.setattr(module, "run_batch", run_batch)
    return gate, asked, stopped


def column(table, name):
    """Return the texts of a column, from top to bottom."""
    heads = [table.horizontalHeaderItem(number).text() for number in range(table.columnCount())]
    return [table.item(row, heads.index(name)).text() for row in range(table.rowCount())]


def test_without_images_it_says_what_to_do(batch_widget, screenshot):
    assert "folder" in batch_widget.hint.text()
    assert batch_widget.hint.isVisible()
    assert batch_widget.inputs.images.isVisible()
    assert not batch_widget.table.isVisible()
    assert not batch_widget.settings_form.isVisible()
    assert not batch_widget.panel.run_button.isEnabled()
    screenshot("batch_empty")


def test_what_is_in_a_folder_is_listed(ready, scans):
    assert column(ready.table, "image") == ["lake_1", "lake_2", "river_1", "river_2"]
    assert column(ready.table, "state") == ["waiting", "waiting", "waiting", "failed"]
    assert column(ready.table, "pixel size") == ["2.5 µm", "2.5 µm", "2.5 µm", ""]
    assert "4 images" in ready.found_note.text()
    assert "notes.txt" in ready.found_note.text()
    assert ready.inputs.out.path == str(scans / "mpseg-results")
    assert not (scans / "mpseg-results").exists()  # looking writes nothing
    assert ready.panel.run_button.isEnabled()


def test_files_dropped_onto_the_field_are_taken(batch_widget, scans, looked):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(scans / name)) for name in ("lake_2.tif", "lake_1.tif")])
    field, copy = batch_widget.inputs.images.edit, Qt.DropAction.CopyAction
    held = mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(5, 5), copy, *held)
    QApplication.sendEvent(field, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(field, QDropEvent(QPointF(5, 5), copy, *held))
    looked(batch_widget)
    assert column(batch_widget.table, "image") == ["lake_1", "lake_2"]


def test_a_pattern_of_paths_can_be_typed_and_a_folder_that_is_not_there_is_named(batch_widget, scans, looked, qtbot):
    edit = batch_widget.inputs.images.edit
    qtbot.keyClicks(edit, f"{scans}/lake*.tif; {scans}/river_1.tif")
    edit.editingFinished.emit()
    looked(batch_widget)
    assert column(batch_widget.table, "image") == ["lake_1", "lake_2", "river_1"]
    edit.setText(str(scans / "gone"))
    edit.editingFinished.emit()
    looked(batch_widget)
    assert "gone is not there" in batch_widget.panel.status.text()
    assert not batch_widget.panel.run_button.isEnabled()


def test_columns_follow_the_pattern_while_it_is_typed(ready, looked, qtbot):
    assert ready.table.columnCount() == 3
    qtbot.keyClicks(ready.inputs.pattern, "{sample}_{replicate")
    looked(ready)
    assert "lonely" in ready.panel.status.text()
    assert not ready.panel.run_button.isEnabled()
    qtbot.keyClicks(ready.inputs.pattern, "}")
    looked(ready)
    assert not ready.panel.status.text()
    assert column(ready.table, "sample") == ["lake", "lake", "river", "river"]
    assert column(ready.table, "replicate") == ["1", "2", "1", "2"]


def test_columns_come_from_a_sample_sheet(ready, looked, tmp_path):
    sheet = tmp_path / "samples.csv"
    sheet.write_text("file,sample,volume_ml,blank\nlake_1,Lake,500,no\nlake_2.tif,Lake,250,no\nriver_1,B,,yes\n")
    ready.inputs.sheet.choose([str(sheet)])
    looked(ready)
    assert column(ready.table, "sample") == ["Lake", "Lake", "B", ""]
    assert column(ready.table, "volume (L)") == ["0.5", "0.25", "", ""]
    assert column(ready.table, "blank") == ["", "", "yes", ""]
    assert "river_2" in ready.found_note.text() + ready.found_note.toolTip()  # it has no row


def test_a_folder_is_done_and_one_that_fails_does_not_stop_the_rest(ready, finished, looked, scans, screenshot):
    ready.inputs.pattern.setText("{sample}_{replicate}")
    looked(ready)
    ready.panel.run_button.click()
    assert not ready.settings_form.isEnabled()
    finished(ready)
    assert column(ready.table, "state") == ["1 particle", "2 particles", "3 particles", "failed"]
    assert "river_2.png" in ready.table.reason(scans / "river_2.png")
    assert "3 images done, 6 particles." in ready.panel.status.text()
    assert "1 failed" in ready.panel.status.text()
    assert ready.panel.status.kind == "warning"
    out = scans / "mpseg-results"
    assert (out / "lake_1_particles.csv").is_file()
    assert (out / "batch_summary.csv").is_file()
    assert ready.panel.report_button.isVisible()
    assert ready.panel.folder_button.isVisible()
    screenshot("batch")


def test_what_is_done_is_known_again_and_other_settings_are_refused(done, looked, done_scans, screenshot):
    ready = done
    assert column(ready.table, "state") == ["1 particle", "2 particles", "3 particles", "failed"]
    assert ready.panel.run_button.text() == "Go on"
    assert ready.panel.report_button.isVisible()
    ready.settings_form.min_size.setValue(10)
    looked(ready)
    others = ["1 particle, made otherwise", "2 particles, made otherwise", "3 particles, made otherwise", "failed"]
    assert column(ready.table, "state") == others
    assert "minimum size was as usual and is 10 px" in ready.table.reason(done_scans / "lake_1.tif")
    assert "3 images have results that were made otherwise: minimum size was" in ready.panel.status.text()
    assert f"tick “{ready.overwrite.text()}”" in ready.panel.status.text()
    assert "--" not in ready.panel.status.text()
    assert not ready.panel.run_button.isEnabled()
    assert ready.panel.report_button.isVisible()
    assert ready.panel.folder_button.isVisible()
    assert ready.panel.sum_button.isVisible()
    screenshot("batch_otherwise")
    ready.overwrite.setChecked(True)
    looked(ready)
    assert not ready.panel.status.text()
    assert ready.panel.run_button.isEnabled()


def test_a_wrong_pattern_or_a_missing_sheet_leaves_what_is_done(done, looked):
    states = column(done.table, "state")
    done.inputs.sheet.choose(["gone.csv"])
    looked(done)
    assert "gone.csv" in done.panel.status.text()
    assert column(done.table, "state") == states
    done.inputs.pattern.setText("{sample")
    looked(done)
    assert column(done.table, "state") == states
    assert done.panel.report_button.isVisible()


def test_an_error_goes_with_its_cause(ready, looked, scans, tmp_path, monkeypatch, finished):
    from napari_mpseg.batch import run
    from napari_mpseg.errors import StoreError

    (tmp_path / "file").touch()
    ready.inputs.out.choose([str(tmp_path / "file")])
    looked(ready)
    assert "file is no folder" in ready.panel.status.text()  # before the work
    assert not ready.panel.run_button.isEnabled()
    ready.inputs.out.choose([str(tmp_path / "out")])
    looked(ready)
    assert not ready.panel.status.text()

    def full(*args, **more):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(run, "run_batch", full)
    ready.panel.run_button.click()
    finished(ready)
    looked(ready)
    assert ready.panel.status.text() == "The disk is full."  # the form is as it was
    ready.inputs.out.choose([str(tmp_path / "other")])
    looked(ready)
    assert not ready.panel.status.text()


def test_images_without_a_pixel_size_are_counted_under_the_list(ready, looked, scans):
    assert not ready.size_note.isVisible()
    for number in (1, 2):
        tifffile.imwrite(scans / f"pond_{number}.tif", np.zeros((20, 30), np.uint8))
    ready.inputs.pattern.setText("{sample}_{replicate}")
    looked(ready)
    assert ready.table.horizontalHeaderItem(2).text() == "pixel size"
    assert "2 images have no pixel size: sizes are in pixels." in ready.size_note.text()
    assert ready.size_note.isVisible()
    ready.settings_form.pixel_size.setText("2 µm")
    ready.settings_form.pixel_size.editingFinished.emit()
    looked(ready)
    assert not ready.size_note.isVisible()


def test_start_and_status_are_seen_in_a_low_window_too(viewer, ready, qtbot, screenshot):
    ready.panel.status.say("Something that is to be read.", "warning")
    window = viewer.window._qt_window
    window.resize(1000, 520)
    qtbot.wait(50)
    for part in (ready.panel.run_button, ready.panel.cancel_button, ready.panel.status):
        assert part.visibleRegion().boundingRect().height() == part.height()


def test_a_double_click_opens_image_and_result_once(viewer, done, done_scans, qtbot, screenshot):
    ready, scans = done, done_scans
    first, second = scans / "lake_2.tif", scans / "river_1.tif"

    def double_click(image):
        row = column(ready.table, "image").index(image.stem)
        ready.table.cellDoubleClicked.emit(row, 0)
        qtbot.waitUntil(lambda: not ready.results.busy, timeout=20_000)

    double_click(first)
    assert [layer.name for layer in viewer.layers] == ["lake_2", "lake_2 probability", "lake_2 particles"]
    labels = viewer.layers["lake_2 particles"]
    assert labels.data.max() == 2
    assert len(labels.features) == 3
    np.testing.assert_allclose(labels.scale, (2.5, 2.5))
    np.testing.assert_allclose(labels.features["area_um2"].iloc[1:], 16 * 6.25)
    assert viewer.layers.selection.active == labels
    screenshot("batch_opened")
    double_click(second)
    assert len(viewer.layers) == 6
    assert not viewer.layers["lake_2"].visible
    assert not labels.visible
    double_click(first)
    assert len(viewer.layers) == 6
    assert labels.visible
    assert not viewer.layers["river_1"].visible
    double_click(scans / "river_2.png")
    assert "has no result to look at" in ready.panel.status.text()
    assert "river_2.png" in ready.panel.status.text()


def test_without_its_image_a_result_is_shown_on_its_probability(viewer, done, done_scans):
    from napari_mpseg.gui.batch_open import read_done
    from napari_mpseg.progress import CancelToken, silent

    found = read_done(done_scans / "mpseg-results" / "lake_2.ome.zarr", on_progress=silent, cancel=CancelToken())
    done.results.add(done_scans / "lake_2.tif", found[1:])
    assert [layer.name for layer in viewer.layers] == ["lake_2 probability", "lake_2 particles"]
    assert all(layer.visible for layer in viewer.layers)
    assert "lake_2.tif itself is not shown" in done.panel.status.text()


def test_progress_is_of_images_and_of_all(ready, held_batch, finished, scans, qtbot, screenshot):
    gate, asked, _ = held_batch
    ready.panel.run_button.click()
    qtbot.waitUntil(lambda: column(ready.table, "state")[0] == "50 %", timeout=10_000)
    assert column(ready.table, "state")[1] == "waiting"
    assert ready.panel.cancel_button.isEnabled()
    time.sleep(0.1)  # so that the next event is not one of too many
    gate.release()
    qtbot.waitUntil(lambda: column(ready.table, "state")[1] == "50 %", timeout=10_000)
    assert column(ready.table, "state")[0] == "7 particles"
    qtbot.waitUntil(lambda: "2 of 4 images, 50 %" in ready.panel.progress_text.text(), timeout=10_000)
    screenshot("batch_running")
    ready.table.cellDoubleClicked.emit(1, 0)
    assert "not done yet" in ready.panel.status.text()
    gate.release(3)
    finished(ready)
    (inputs, out, settings, _), *more = asked
    assert (inputs, out, settings.method) == ([str(scans)], str(scans / "mpseg-results"), "otsu")
    assert not more


def test_a_cancel_keeps_what_is_done(ready, held_batch, finished, looked, qtbot):
    gate, _, stopped = held_batch
    gate.release()
    ready.panel.run_button.click()
    qtbot.waitUntil(lambda: column(ready.table, "state")[1] in ("50 %", "running"), timeout=10_000)
    ready.panel.cancel_button.click()
    finished(ready)
    assert stopped.is_set()
    assert "Stopped after 2 of 4 images. What is done stays" in ready.panel.status.text()
    looked(ready)
    assert "What is done stays" in ready.panel.status.text()
    assert ready.panel.run_button.isEnabled()


def test_a_stopped_batch_can_be_summed_up(ready, finished, looked, scans, monkeypatch, screenshot):
    from napari_mpseg.batch import ways

    begun = []

    class Stopping(ways.Watch):
        def __init__(self, begin, end):
            def stop(job, became):
                end(job, became)
                begun.append(job)
                ready.panel.job.cancel()

            super().__init__(begin, stop)

    monkeypatch.setattr("napari_mpseg.batch.run.Watch", Stopping)
    assert not ready.panel.sum_button.isVisible()
    ready.panel.run_button.click()
    finished(ready)
    assert len(begun) == 1
    assert "Sum up makes tables and report" in ready.panel.status.text()
    looked(ready)
    assert not (scans / "mpseg-results" / "batch_summary.csv").exists()
    assert ready.panel.sum_button.isVisible()
    ready.panel.sum_button.click()
    finished(ready)
    assert "1 image done, 1 particle." in ready.panel.status.text()
    assert "2 images not done yet" in ready.panel.status.text()
    assert (scans / "mpseg-results" / "batch_summary.csv").is_file()
    assert ready.panel.report_button.isVisible()
    screenshot("batch_stopped")


def test_what_cancel_does_is_said_as_it_is(batch_widget):
    panel = batch_widget.panel
    panel.begin(0, 4)
    assert "within one tile" in panel.cancel_button.toolTip()
    panel.begin(0, 4, 2)
    assert "images at work" in panel.cancel_button.toolTip()
    assert "tile" not in panel.cancel_button.toolTip()


def test_closing_the_widget_stops_the_work(viewer, ready, held_batch, qtbot):
    _, _, stopped = held_batch
    ready.panel.run_button.click()
    qtbot.waitUntil(lambda: column(ready.table, "state")[0] == "50 %", timeout=10_000)
    viewer.window.remove_dock_widget(ready)
    assert stopped.is_set()


def test_choices_are_remembered(viewer, ready, held_batch, finished, looked, scans):
    from napari_mpseg.gui.batch_widget import BatchWidget

    gate, asked, _ = held_batch
    gate.release(4)
    ready.inputs.pattern.setText("{sample}_{replicate}")
    form = ready.settings_form
    form.min_size.setValue(5)
    form.options.fields["particles"].value = "dark"
    form.pixel_size.setText("2 µm")
    form.channels.setText("0")
    looked(ready)
    ready.panel.run_button.click()
    finished(ready)
    settings = asked[0][2]
    assert (settings.min_size, settings.options, settings.pixel_size) == (5, {"particles": "dark"}, "2 µm")
    again = BatchWidget(viewer)
    looked(again)
    assert again.request.settings == settings
    assert again.inputs.images.paths == [str(scans)]
    assert again.inputs.pattern.text() == "{sample}_{replicate}"
    assert again.settings_form.more.text() == "More choices (1 set) …"
    again.close()


def test_what_single_images_were_segmented_with_is_offered_first(viewer):
    from napari_mpseg.gui.batch_widget import BatchWidget
    from napari_mpseg.gui.memory import Memory

    Memory("segment").set(method="triangle", min_size=7)
    widget = BatchWidget(viewer)
    assert widget.settings_form.settings.method == "triangle"
    assert widget.settings_form.settings.min_size == 7
    widget.close()


def test_methods_that_need_something_on_each_image_cannot_be_chosen(viewer, batch_widget):
    from napari_mpseg.methods.registry import METHODS

    choice = batch_widget.settings_form.method
    for name, entry in METHODS.items():
        index = choice.findData(name)
        assert bool(choice.model().item(index).flags() & Qt.ItemFlag.ItemIsEnabled) == (not entry.inputs), name
    choice.choose("region-growing")
    assert choice.method == "default"
    index = choice.findData("mp-act")
    assert "method file" in choice.itemData(index, Qt.ItemDataRole.ToolTipRole)


def test_a_wrong_plane_is_said_at_once(ready, looked):
    ready.settings_form.plane.setText("first")
    ready.settings_form.plane.editingFinished.emit()
    assert "'first' is no number" in ready.panel.status.text()
    assert not ready.panel.run_button.isEnabled()
    ready.settings_form.plane.setText("")
    ready.settings_form.plane.editingFinished.emit()
    looked(ready)
    assert not ready.panel.status.text()
    assert ready.panel.run_button.isEnabled()
