"""*Make a synthetic image* in a real viewer."""

import numpy as np
import pytest

from napari_mpseg.gui.synth_widget import SynthWidget
from napari_mpseg.gui.synth_work import Preview, outlined
from napari_mpseg.synthesis.microscopes import MICROSCOPES, synthetic_image


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
