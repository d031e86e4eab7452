"""*Separate touching particles* in a real viewer."""

import numpy as np
import pytest

from napari_mpseg.gui.instances_colours import coloured
from napari_mpseg.gui.instances_preview import ROLE
from napari_mpseg.layers import role_of
from napari_mpseg.particles.instances import INSTANCES, InstanceSettings, make_instances


@pytest.fixture
def widget(viewer, qtbot, click_menu, docked):
    from napari_mpseg.gui.instances_widget import InstancesWidget

    click_menu("Layers", "Segment", "Separate touching particles")
    return docked(InstancesWidget)


@pytest.fixture
def discs():
    """Two touching discs of radius 9, with a hole of 1 px, one at the border, and a square of 4 px."""
    y, x = np.mgrid[:80, :100]
    mask = np.minimum(np.hypot(y - 30, x - 30), np.hypot(y - 30, x - 46)) <= 9
    mask |= np.hypot(y - 60, x - 96) <= 9
    mask[60:62, 20:22] = True
    mask[33, 30] = False
    return mask


@pytest.fixture
def painted(viewer, discs):
    return viewer.add_labels(discs.astype(np.int32) * 3, name="painted", scale=(0.5, 0.5), units=("um", "um"))


def previews(viewer):
    return [layer for layer in viewer.layers if role_of(layer) == ROLE]


def see_all(viewer, layer):
    """Zoom out until all of a layer is well inside the canvas."""
    middle = layer.data_to_world((np.asarray(layer.data.shape) - 1) / 2)
    viewer.scene.camera.center = (0, *middle[-2:])
    viewer.scene.camera.zoom = 0.8 * min(viewer.canvas.size) / (max(layer.data.shape) * layer.scale[-1])


def test_nothing_there_says_what_to_do(widget, screenshot):
    assert "Nothing to separate yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()
    assert not widget.form_box.isVisible()
    screenshot("separate_empty")


def test_run_adds_a_measured_layer_and_leaves_the_input(viewer, widget, finished, painted, discs, screenshot):
    before = painted.data.copy()
    widget.way.choice.choose("imagej-watershed")
    widget.panel.run_button.click()
    finished(widget)
    np.testing.assert_array_equal(painted.data, before)
    new = viewer.layers["painted separated"]
    np.testing.assert_array_equal(new.data, make_instances(discs, InstanceSettings(way="imagej-watershed")))
    assert new.data.max() == 4
    assert new.features["index"].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(new.features["area_um2"].iloc[1:], np.bincount(new.data.ravel())[1:] / 4)
    np.testing.assert_array_equal(new.scale, painted.scale)
    assert new.units == painted.units
    record = new.metadata["napari-mpseg"]
    assert (record["role"], record["provenance"]["settings"]["way"]) == ("particles", "imagej-watershed")
    assert "4 particles" in widget.panel.status.text()
    assert "from 3" in widget.panel.status.text()
    assert any(name.startswith("Features table") for name in viewer.window.dock_widgets)
    screenshot("separate_run")

    assert widget.source.layer == painted  # not what was just added
    assert viewer.layers.selection.active == new
    widget.panel.run_button.click()
    finished(widget)
    assert "painted separated [2]" in viewer.layers


def test_every_setting_reaches_the_work(viewer, widget, finished, painted, discs):
    form = widget.cleaning
    form.holes.choose("all")
    form.edges.setChecked(True)
    form.connectivity.choose(1)
    form.unit.choose("um")
    form.least.setValue(1.25)  # 5 px of 0.25 um2
    widget.way.choice.choose("distance-watershed")
    widget.way.fields["line"].setChecked(True)
    expected = InstanceSettings(
        way="distance-watershed",
        options={"line": True},
        fill_holes=None,
        exclude_on_edges=True,
        connectivity=1,
        min_size=1.25,
        unit="um",
    )
    assert widget.settings() == expected
    widget.panel.run_button.click()
    finished(widget)
    assert viewer.layers["painted separated"].data.max() == 2


@pytest.mark.parametrize("way", INSTANCES)
def test_the_form_offers_each_way_with_its_defaults(widget, painted, way):
    widget.way.choice.choose(way)
    assert widget.settings() == InstanceSettings(way=way)
    assert widget.seeds.isVisible() == INSTANCES[way].takes_seeds
    assert all(field.toolTip() for field in widget.way.fields.values())


def test_sizes_keep_their_meaning_when_the_unit_changes(widget, painted):
    form = widget.cleaning
    form.join.setChecked(True)
    form.least.setValue(20)
    form.unit.choose("um")
    assert (form.dilate.value(), form.erode.value(), form.least.value()) == (7.5, 4.5, 5)
    assert form.least.suffix() == " µm²"
    form.unit.choose("px")
    assert (form.dilate.value(), form.erode.value(), form.least.value()) == (15, 9, 20)


def test_the_preview_shows_follows_and_goes(viewer, qtbot, widget, painted, discs, screenshot):
    viewer.layers.selection.active = painted
    see_all(viewer, painted)
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: len(previews(viewer)) == 1, timeout=20_000)
    [layer] = previews(viewer)
    assert viewer.layers.selection.active == painted
    colours = {tuple(colour) for colour in layer.data[discs]}
    assert len(colours) >= 3  # several particles, and the line that divides two of them
    assert not layer.data[~discs].any()
    assert "4 particles in view" in widget.preview.count.text()
    np.testing.assert_array_equal(layer.scale, painted.scale)
    screenshot("separate_preview")

    widget.cleaning.edges.setChecked(True)
    qtbot.waitUntil(lambda: "3 particles in view" in widget.preview.count.text(), timeout=20_000)
    painted.data_setitem((np.array([5, 5]), np.array([5, 6])), 1)  # as painting does
    qtbot.waitUntil(lambda: "4 particles in view" in widget.preview.count.text(), timeout=20_000)
    assert len(previews(viewer)) == 1
    assert "painted separated" not in viewer.layers

    widget.preview.box.setChecked(False)
    assert not previews(viewer)


def test_the_preview_goes_with_a_run_and_with_the_widget(viewer, qtbot, widget, finished, painted):
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: len(previews(viewer)) == 1, timeout=20_000)
    widget.panel.run_button.click()
    finished(widget)
    assert not previews(viewer)
    assert not widget.preview.box.isChecked()
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: len(previews(viewer)) == 1, timeout=20_000)
    widget.close()
    assert not previews(viewer)


def test_a_preview_that_cannot_be_made_says_why(viewer, qtbot, widget, painted):
    from napari.utils.notifications import notification_manager

    before = len(notification_manager.records)
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: len(previews(viewer)) == 1, timeout=20_000)
    widget.way.choice.choose("intensity-watershed")
    qtbot.waitUntil(lambda: "needs an image" in widget.preview.count.text(), timeout=20_000)
    assert not previews(viewer)  # it would show what the form no longer says
    assert widget.preview.box.isChecked()
    assert len(notification_manager.records) == before
    widget.way.choice.choose("components")
    qtbot.waitUntil(lambda: len(previews(viewer)) == 1, timeout=20_000)


def test_touching_particles_have_different_colours(rng):
    labels = make_instances(rng.random((60, 70)), InstanceSettings(way="intensity-watershed", threshold=0.0))
    assert labels.max() > 15
    picture = coloured(labels, labels > 0)
    for one, other, pixels, others in (
        (labels[:-1], labels[1:], picture[:-1], picture[1:]),
        (labels[:, :-1], labels[:, 1:], picture[:, :-1], picture[:, 1:]),
    ):
        same = (pixels == others).all(-1)
        np.testing.assert_array_equal(same, one == other)


def test_a_preview_that_is_taken_away_stays_away(viewer, qtbot, widget, painted):
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: len(previews(viewer)) == 1, timeout=20_000)
    viewer.layers.remove(previews(viewer)[0])
    assert not widget.preview.box.isChecked()


def test_the_preview_is_of_what_is_in_view(viewer, qtbot, widget):
    """A part of a large mask, moved to where it lies, shows what the whole would."""
    y, x = np.mgrid[:900, :900]
    data = ((np.hypot(y % 30 - 15, x % 30 - 15) <= 10) & (y > 30)).astype(np.uint8)
    layer = viewer.add_labels(data, name="large", scale=(2, 2), translate=(100, 50))
    viewer.scene.camera.center = (0, 100 + 2 * 300, 50 + 2 * 400)
    viewer.scene.camera.zoom = 3
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: len(previews(viewer)) == 1, timeout=20_000)
    [shown] = previews(viewer)
    height, width = shown.data.shape[:2]
    assert height < 500
    first = layer.world_to_data(shown.data_to_world((0, 0))).round().astype(int)
    np.testing.assert_array_equal(
        shown.data[..., 3] > 0, data[first[0] : first[0] + height, first[1] : first[1] + width] > 0
    )


def test_seeds_are_points_or_painted(viewer, widget, finished, painted):
    widget.way.choice.choose("distance-watershed")
    widget.way.fields["prominence"].setValue(900)
    points = viewer.add_points(
        np.array([[15, 15], [15, 23]]), name="seeds", units=("um", "um")
    )  # world: half the pixels
    widget.source.choose(painted)
    widget.seeds.choose(points)
    widget.panel.run_button.click()
    finished(widget)
    new = viewer.layers["painted separated"].data
    assert new[30, 30] != new[30, 46]
    assert new.max() == 4

    widget.source.choose(painted)
    widget.seeds.choose(painted)
    widget.panel.run_button.click()
    assert widget.panel.status.kind == "error"
    assert "its own seeds" in widget.panel.status.text()


def test_a_probability_has_a_threshold_and_is_its_own_image(viewer, widget, finished):
    y, x = np.mgrid[:60, :80]
    one, other = np.hypot(y - 30, x - 30), np.hypot(y - 30, x - 46)
    stored = np.floor(255 * np.exp(-(np.minimum(one, other) ** 2) / 60)).astype(np.uint8)
    viewer.add_image(stored, name="p", metadata={"napari-mpseg": {"role": "probability", "source": "filter"}})
    assert widget.source.layer.name == "p"
    assert widget.threshold.isVisible()
    assert not widget.within.isVisible()
    widget.threshold.setValue(0.2)
    widget.way.choice.choose("intensity-watershed")
    widget.panel.run_button.click()
    finished(widget)
    new = viewer.layers["p separated"]
    assert new.data.max() == 2
    np.testing.assert_array_equal(new.data > 0, stored > 51)
    assert new.metadata["napari-mpseg"]["source"] == "filter"
    means = [stored[new.data == number].mean() / 255 for number in (1, 2)]
    np.testing.assert_allclose(new.features["confidence"].iloc[1:], means)


def test_the_image_and_the_probability_of_a_result_are_used(viewer, widget, finished, discs):
    image = viewer.add_image(discs * 50.0, name="origin")
    note = {"source": "origin"}
    viewer.add_image(
        np.where(discs, 204, 0).astype(np.uint8), metadata={"napari-mpseg": {**note, "role": "probability"}}
    )
    found = viewer.add_labels(discs.astype(int), name="f", metadata={"napari-mpseg": {**note, "role": "particles"}})
    assert (widget.source.layer, widget.image.layer) == (found, image)
    widget.panel.run_button.click()
    finished(widget)
    features = viewer.layers["f separated"].features
    assert features["intensity_mean"].iloc[1:].tolist() == [50] * 4
    np.testing.assert_allclose(features["confidence"].iloc[1:], 0.8)
    assert features["keep"].iloc[1:].all()


def test_a_stack_is_separated_plane_by_plane(viewer, qtbot, widget, finished, discs):
    data = np.stack([np.zeros_like(discs), discs, discs]).astype(np.uint8)
    see_all(viewer, viewer.add_labels(data, name="stack"))
    viewer.dims.current_step = (1, 0, 0)
    widget.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: "4 particles" in widget.preview.count.text(), timeout=20_000)
    assert previews(viewer)[0].data.shape[:3] == (1, 80, 100)
    widget.panel.run_button.click()
    finished(widget)
    new = viewer.layers["stack separated"]
    assert new.data.shape == data.shape
    assert np.unique(new.data[1]).tolist() == [0, 1, 2, 3, 4]
    assert np.unique(new.data[2]).tolist() == [0, 5, 6, 7, 8]
    assert new.features["plane"].iloc[1:].tolist() == [1] * 4 + [2] * 4


def test_what_does_not_fit_is_said(viewer, widget, finished, painted):
    widget.way.choice.choose("intensity-watershed")
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.kind == "error"
    assert "needs an image" in widget.panel.status.text()
    widget.cleaning.least.setValue(50)
    widget.cleaning.most.setValue(10)
    widget.panel.run_button.click()
    assert "nothing would be left" in widget.panel.status.text()
    widget.cleaning.most.setValue(0)
    widget.image.choose(viewer.add_image(np.zeros((5, 5)), name="small"))
    widget.panel.run_button.click()
    finished(widget)
    assert "same height and width" in widget.panel.status.text()
    assert [layer.name for layer in viewer.layers] == ["painted", "small"]


def test_cancel_adds_nothing(viewer, widget, finished, painted, monkeypatch):
    from napari_mpseg.particles.instances import make

    def slow(*arguments, on_progress, cancel, **more):
        widget.panel.job.cancel()
        cancel.check()

    monkeypatch.setattr(make, "make_instances", slow)
    widget.panel.run_button.click()
    finished(widget)
    assert "Cancelled" in widget.panel.status.text()
    assert [layer.name for layer in viewer.layers] == ["painted"]


def test_choices_are_remembered(viewer, widget, finished, painted, qtbot):
    from napari_mpseg.gui.instances_widget import InstancesWidget

    widget.way.choice.choose("imagej-watershed")
    widget.way.fields["tolerance"].setValue(1.25)
    widget.way.choice.choose("distance-watershed")
    widget.way.fields["prominence"].setValue(2.5)
    widget.cleaning.unit.choose("um")
    widget.cleaning.least.setValue(1.0)
    widget.cleaning.holes.choose("all")
    widget.panel.run_button.click()
    finished(widget)
    again = InstancesWidget(viewer)
    qtbot.addWidget(again)
    again.source.choose(painted)
    assert again.settings() == InstanceSettings(
        way="distance-watershed", options={"prominence": 2.5}, fill_holes=None, min_size=4.0
    )
    again.way.choice.choose("imagej-watershed")
    assert again.way.options == {"tolerance": 1.25}
    again.close()


@pytest.fixture
def apart(viewer):
    """Three squares that touch, as a method that tells particles apart makes them."""
    labels = np.zeros((40, 60), np.int32)
    for number in (1, 2, 3):
        labels[10:25, 15 * number - 10 : 15 * number + 5] = number
    provenance = {"settings": {"instances": {"min_distance": 3}}}
    return viewer.add_labels(labels, name="told apart", metadata={"napari-mpseg": {"provenance": provenance}})


def test_labels_that_a_method_told_apart_stay_apart(viewer, widget, finished, apart):
    widget.way.choice.choose("imagej-watershed")
    assert widget.within.isChecked()
    widget.panel.run_button.click()
    finished(widget)
    assert viewer.layers["told apart separated"].data.max() == 3
    assert "from 3 in" in widget.panel.status.text()
    assert "Note" not in widget.panel.status.text()


def test_taking_labels_that_touch_as_one_piece_is_the_users_choice_and_told(viewer, widget, finished, apart, painted):
    assert not widget.within.isChecked()  # painted: a mask
    widget.source.choose(apart)
    assert widget.within.isChecked()
    widget.within.click()
    widget.panel.run_button.click()
    finished(widget)
    assert "3 labels" in widget.panel.status.text()
    assert widget.source.layer == apart
    assert not widget.within.isChecked()  # as the user left it
    widget.source.choose(painted)
    assert not widget.within.isChecked()
    widget.source.choose(apart)
    assert not widget.within.isChecked()
