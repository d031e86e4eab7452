"""*Compose training images* in a real viewer."""

import numpy as np
import pytest

from napari_mpseg.gui.compose_preview import is_example
from napari_mpseg.training.data.pairs import load_folder
from napari_mpseg.training.data.semi_writing import StoredImages


@pytest.fixture
def widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.compose_widget import ComposeWidget

    click_menu("Layers", "Segment", "Compose training images")
    widget = docked(ComposeWidget)
    widget.form.height_px.setValue(64)
    widget.form.width_px.setValue(80)
    return widget


@pytest.fixture
def field(viewer, rng):
    """Return an image layer with three discs, and its labels layer."""
    image = rng.normal(60, 4, (120, 140, 3)).clip(0, 255).astype(np.uint8)
    labels = np.zeros((120, 140), np.int32)
    y, x = np.mgrid[:120, :140]
    for number, (row, column, radius) in enumerate([(20, 20, 5), (60, 70, 8), (90, 110, 11)], 1):
        own = (y - row) ** 2 + (x - column) ** 2 <= radius**2
        labels[own] = number
        image[own] = (50 * number, 120, 220)
    space = {"scale": (0.5, 0.5), "units": ("um", "um")}
    return viewer.add_image(image, name="filter", **space), viewer.add_labels(labels, name="particles", **space)


def examples(viewer):
    return [layer for layer in viewer.layers if is_example(layer)]


@pytest.fixture
def shown(viewer, widget, qtbot):
    """Wait until no example is being made."""

    def wait():
        qtbot.waitUntil(lambda: widget._example_job is None and not widget._timer.isActive(), timeout=20_000)
        return examples(viewer)

    return wait


def test_nothing_there_says_what_to_do(widget, screenshot):
    assert "No labelled image yet" in widget.hint.text()
    assert not widget.form_box.isVisible()
    assert not widget.panel.run_button.isEnabled()
    screenshot("compose_empty")


def test_labels_of_another_image_are_told(viewer, widget, field):
    viewer.add_labels(np.zeros((50, 50), np.int32), name="other")
    assert "120 x 140" in widget.hint.text()
    assert not widget.form_box.isVisible()


def test_a_live_example_lies_beside_the_image_and_follows_the_form(viewer, widget, field, shown, screenshot):
    image, labels = field
    before = labels.data.copy()
    widget.live.setChecked(True)
    picture, truth = shown()
    assert picture.data.shape == (64, 80, 3)
    assert truth.data.shape == (64, 80)
    assert picture.translate[-1] > 140 * 0.5
    np.testing.assert_array_equal(picture.scale, image.scale)
    assert "pasted" in widget.told.text()
    first = picture.data.copy()
    screenshot("compose")
    widget.another.click()
    shown()
    assert (picture.data != first).any()
    widget.form.background.setCurrentIndex(widget.form.background.findData("plain"))
    shown()
    outside = picture.data[truth.data == 0]
    np.testing.assert_array_equal(outside, np.broadcast_to(outside[0], outside.shape))
    np.testing.assert_array_equal(labels.data, before)
    viewer.layers.remove(truth)
    assert not widget.live.isChecked()
    assert examples(viewer) == []
    widget.live.setChecked(True)
    assert len(shown()) == 2
    widget.close()
    assert examples(viewer) == []


def test_painting_another_particle_makes_another_cutout(widget, field, shown):
    _, labels = field
    widget.live.setChecked(True)
    shown()
    assert len(widget._materials[1].cutouts) == 3
    labels.data[100:104, 20:26] = 7
    labels.refresh()
    labels.events.data()
    shown()
    assert len(widget._materials[1].cutouts) == 4


def test_labels_that_changed_while_others_were_chosen_are_cut_out_anew(viewer, widget, field, shown):
    _, labels = field
    other = viewer.add_labels((labels.data == 1).astype(np.int32), name="other", scale=(0.5, 0.5), units=("um", "um"))
    widget.labels.choose(labels)
    widget.live.setChecked(True)
    shown()
    assert len(widget._materials[1].cutouts) == 3
    widget.labels.choose(other)
    shown()
    assert len(widget._materials[1].cutouts) == 1
    labels.data_setitem(np.nonzero(np.pad(np.ones((4, 6), bool), ((100, 16), (20, 114)))), 7)
    widget.labels.choose(labels)
    shown()
    assert len(widget._materials[1].cutouts) == 4


@pytest.mark.parametrize("which", ["image", "labels"])
def test_pixels_changed_in_place_are_noticed_at_a_refresh(widget, field, shown, which):
    image, labels = field
    widget.live.setChecked(True)
    shown()
    before = widget._materials
    (image if which == "image" else labels).data[100:104, 20:26] = 7
    (image if which == "image" else labels).refresh()
    shown()
    assert widget._materials[1] is not before[1]
    after = widget._materials
    image.refresh()
    labels.refresh()
    shown()
    assert widget._materials[1] is after[1]  # nothing changed


def test_images_are_written_into_a_new_folder(widget, field, finished, tmp_path):
    widget.panel.run_button.click()
    assert "No folder is chosen" in widget.panel.status.text()
    widget.folder.choose([str(tmp_path)])
    widget.form.least.setValue(11)
    widget.panel.run_button.click()
    assert "particles (11, 10) is impossible" in widget.panel.status.text()
    widget.form.least.setValue(1)
    widget.count.setValue(3)
    for kind, number in (("", ""), ("", " 2"), (".zarr", "")):
        widget.kind.setCurrentIndex(widget.kind.findData(kind))
        widget.panel.run_button.click()
        finished(widget)
        target = tmp_path / f"filter composed{number}{kind}"
        assert target.name in widget.panel.status.text()
        made = StoredImages(target) if kind else load_folder(target)
        assert [pair.mask.shape for pair in made] == [(64, 80)] * 3


def test_choices_are_remembered(viewer, widget, field, finished, tmp_path, qtbot):
    from napari_mpseg.gui.compose_widget import ComposeWidget

    widget.folder.choose([str(tmp_path)])
    widget.count.setValue(2)
    widget.form.blend.setCurrentIndex(widget.form.blend.findData("poisson"))
    widget.form.occlusion.setValue(35)
    widget.panel.run_button.click()
    finished(widget)
    again = ComposeWidget(viewer)
    qtbot.addWidget(again)
    assert again.form.settings.blend == "poisson"
    assert again.form.settings.occlusion == 0.35
    assert again.count.value() == 2
    assert again.folder.path == str(tmp_path)
    again.release()
