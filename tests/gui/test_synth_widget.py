"""*Make a synthetic image* in a real viewer."""

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox

from napari_mpseg.gui.synth_places import named
from napari_mpseg.gui.synth_widget import SynthWidget
from napari_mpseg.gui.synth_work import Preview, make_layers, outlined
from napari_mpseg.progress import CancelToken
from napari_mpseg.synthesis.microscopes import MICROSCOPES, image_settings, synthetic_image


@pytest.fixture
def widget(viewer, click_menu, docked, qtbot):
    click_menu("Layers", "Data", "Make a synthetic image")
    found = docked(SynthWidget)
    small(found)
    return found


def small(widget, side=300):
    for axis in ("height", "width"):
        widget.form.fields[f"size.{axis}"].value = side


def choose(widget, look):
    widget.look.setCurrentIndex(widget.look.findData(look))


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_an_image_and_its_truth_are_added_with_their_scale(viewer, widget, finished, look, screenshot):
    choose(widget, look)
    small(widget)
    settings = widget.settings
    widget.panel.run_button.click()
    finished(widget)
    made = synthetic_image(settings)
    image, truth = viewer.layers
    np.testing.assert_array_equal(image.data, made.image.data.compute())
    np.testing.assert_array_equal(truth.data, made.labels.compute())
    assert tuple(image.scale[-2:]) == tuple(truth.scale) == made.image.calibration.pixel_size
    assert str(image.units[-1]) == str(truth.units[-1]) == made.image.calibration.unit_name
    assert f"{made.n_particles:,} particles" in widget.panel.status.text()
    assert image.metadata["napari-mpseg"]["synthetic"]["look"] == look
    screenshot(f"synthetic_{look}")


def test_the_preview_follows_the_settings(widget, qtbot, screenshot):
    choose(widget, "bright-field")
    small(widget, 700)
    qtbot.waitUntil(lambda: widget.preview.seen is not None and widget.preview.seen.pixels.shape[0] == 512)
    before = widget.preview.seen
    widget.form.fields["look.stains"].value = 3.0
    qtbot.waitUntil(lambda: widget.preview.seen is not before, timeout=10_000)
    after = widget.preview.seen
    assert after.pixels.mean() < before.pixels.mean()
    np.testing.assert_array_equal(after.labels, before.labels)
    made = synthetic_image(widget.settings)
    np.testing.assert_array_equal(after.pixels, made.image.data[94:606, 94:606].compute())
    assert not widget.preview.picture.pixmap().isNull()
    widget.preview.truth.setChecked(True)
    widget.form.more.setChecked(True)
    screenshot("synthetic_preview")


def test_what_cannot_be_made_is_told_and_nothing_runs(widget):
    widget.form.fields["density_per_mm2"].value = 500.0
    widget.form.fields["median_length_um"].value = 500.0
    widget.form.fields["look.outline"].value = 220.0
    widget.form.fields["look.saturation"].value = 100.0
    assert "outline" in widget.panel.status.text()
    assert widget.panel.status.kind == "error"
    assert not widget.panel.run_button.isEnabled()
    widget.back.click()
    assert widget.panel.run_button.isEnabled()
    assert widget.panel.status.text() == ""
    assert widget.form.values == {}


def test_too_many_particles_are_told_by_the_preview(widget, qtbot):
    widget.form.fields["density_per_mm2"].value = 500.0
    widget.form.fields["median_length_um"].value = 400.0
    qtbot.waitUntil(lambda: "do not fit" in widget.panel.status.text(), timeout=10_000)


def test_a_huge_filter_is_made_where_one_looks(viewer, widget, finished, screenshot):
    small(widget, 20_000)
    widget.panel.run_button.click()
    finished(widget)
    image, truth = viewer.layers
    assert image.multiscale
    assert truth.multiscale
    assert image.data[0].shape == (20_000, 20_000, 3)
    assert "zoom in" in widget.panel.status.text()
    screenshot("synthetic_huge")
    assert np.asarray(truth.data[-1]).max() > 100


def test_a_huge_micrograph_is_refused_with_the_way_out(viewer, widget, finished):
    choose(widget, "sem")
    small(widget, 20_000)
    widget.panel.run_button.click()
    finished(widget)
    assert not viewer.layers
    assert ".ome.zarr" in widget.panel.status.text()


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "made"
    found.mkdir()
    return found


@pytest.fixture
def asked(monkeypatch):
    """Answer the dialogs; return what was asked. Set ``name``, ``filter`` and ``answer``."""

    class Asked:
        name, filter, answer, texts = "", "OME-TIFF", QMessageBox.StandardButton.No, []

        def dialog(self, parent, title, path, filters, options=None):
            return self.name and str(self.name), next(one for one in filters.split(";;") if self.filter in one)

        def question(self, parent, title, text):
            self.texts.append(text)
            return self.answer

    found = Asked()
    found.texts = []
    monkeypatch.setattr("napari_mpseg.gui.synth_places.QFileDialog.getSaveFileName", found.dialog)
    monkeypatch.setattr("napari_mpseg.gui.synth_places.QMessageBox.question", found.question)
    return found


@pytest.mark.parametrize("there", ["one.ome.tif", "one_truth.ome.tif", "one_settings.json"])
def test_every_file_that_would_be_replaced_is_asked_about_by_name(widget, finished, asked, folder, there):
    (folder / there).write_text("mine")
    asked.name = folder / "one"
    widget.save_button.click()
    assert len(asked.texts) == 1
    assert there in asked.texts[0]
    assert not widget.panel.busy
    assert [path.name for path in folder.iterdir()] == [there]
    assert (folder / there).read_text() == "mine"
    asked.answer = QMessageBox.StandardButton.Yes
    widget.save_button.click()
    finished(widget)
    assert widget.panel.status.kind == "done"
    assert len(list(folder.iterdir())) == 3


def test_a_folder_with_other_files_is_never_replaced(widget, asked, folder):
    asked.name, asked.answer = folder / "mine.ome.zarr", QMessageBox.StandardButton.Yes
    asked.name.mkdir()
    (asked.name / "thesis.txt").write_text("mine")
    widget.save_button.click()
    assert "mine.ome.zarr is a folder" in widget.panel.status.text()
    assert not widget.panel.busy
    assert (asked.name / "thesis.txt").read_text() == "mine"


def test_nothing_is_asked_where_nothing_is(widget, finished, asked, folder):
    asked.name, asked.filter = folder / "synthetic.ome.tif", "OME-Zarr"
    widget.save_button.click()
    finished(widget)
    assert asked.texts == []
    assert sorted(path.name for path in folder.iterdir()) == ["synthetic.ome.zarr", "synthetic_settings.json"]


@pytest.mark.parametrize(
    ("typed", "chosen", "name"),
    [
        ("synthetic.ome.tif", "OME-TIFF", "synthetic.ome.tif"),
        ("synthetic.ome.tif", "OME-Zarr", "synthetic.ome.zarr"),
        ("filter.v2", "OME-TIFF", "filter.v2.ome.tif"),
        ("filter.v2", "OME-Zarr", "filter.v2.ome.zarr"),
        ("filter.zarr", "OME-Zarr", "filter.zarr"),
        ("filter.zarr", "OME-TIFF", "filter.zarr"),
        ("Filter.TIF", "OME-TIFF", "Filter.TIF"),
    ],
)
def test_names_get_the_ending_that_was_chosen(typed, chosen, name):
    assert named(typed, chosen) == name


def test_each_look_keeps_its_settings(viewer, widget, finished):
    widget.form.fields["seed"].value = 7
    widget.variant.setCurrentText("dim")
    before = widget.settings
    widget.panel.run_button.click()
    finished(widget)
    assert "particles" in widget.panel.status.text()
    choose(widget, "sem")
    assert widget.panel.status.text() == ""  # it told of the other look
    widget.form.fields["coverage"].value = 0.3
    choose(widget, "fluorescence")
    assert widget.settings == before
    assert widget.variant.currentText() == "dim"
    choose(widget, "sem")
    assert widget.settings.coverage == 0.3


def test_every_beginning_has_a_tooltip(widget):
    for look, microscope in MICROSCOPES.items():
        choose(widget, look)
        for index in range(len(microscope.variants)):
            assert len(widget.variant.itemData(index, 3)) > 15


def test_making_a_huge_filter_tells_how_far_it_is():
    told = []
    settings = image_settings("fluorescence", size=(6000, 6000))
    make_layers(settings, on_progress=told.append, cancel=CancelToken())
    assert {one.stage for one in told} == {"Making the picture from afar", "Making the truth from afar"}
    assert len(told) > 20


def test_files_are_written(widget, finished, tmp_path):
    widget.save(str(tmp_path / "made" / "one.ome.tif"))
    finished(widget)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [
        "one.ome.tif",
        "one_settings.json",
        "one_truth.ome.tif",
    ]
    assert "one_truth" in widget.panel.status.text()


def test_variants_change_the_look_and_leave_the_rest(widget):
    widget.form.fields["seed"].value = 5
    widget.form.fields["look.blur"].value = 2.0
    widget.variant.setCurrentText("bare")
    assert widget.settings.seed == 5
    assert widget.settings.look == MICROSCOPES["fluorescence"].variants["bare"].look


def test_choices_are_there_again(viewer, widget, finished, click_menu, docked):
    choose(widget, "bright-field")
    small(widget)
    widget.variant.setCurrentText("camouflage")
    widget.form.fields["seed"].value = 42
    widget.panel.run_button.click()
    finished(widget)
    again = SynthWidget(viewer)
    try:
        assert again.settings == widget.settings
        assert again.variant.currentText() == "camouflage"
    finally:
        again.release()


def test_every_field_has_a_tooltip(widget):
    for look in MICROSCOPES:
        choose(widget, look)
        for field in widget.form.fields.values():
            assert len(field.toolTip()) > 15


def test_the_truth_is_outlined_outside_and_between_particles():
    labels = np.zeros((7, 9), np.int32)
    labels[2:5, 2:4] = 1
    labels[2:5, 4:6] = 2
    seen = outlined(Preview(np.zeros((7, 9, 3), np.uint8), labels, 2))
    line = seen.any(2)
    assert line[1, 2:6].all()
    assert line[2:5, 1].all()
    assert line[2:5, 6].all()
    assert line[2:5, 3].all()  # between the two
    assert not line[2:5, 2].any()
    assert not line[0].any()


@pytest.mark.slow
def test_a_filter_in_bright_field_is_among_the_samples(viewer, click_menu):
    click_menu("File", "Open Sample", "napari-mpseg", "Filter in bright field")
    image, truth = viewer.layers
    assert image.data.shape == (2048, 2048, 3)
    assert np.median(image.data[900:1100, 900:1100]) > 150
    assert truth.data.max() > 20
    assert str(image.units[0]) == str(truth.units[0]) == "micrometer"
