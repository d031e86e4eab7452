"""*Point pattern* in a real viewer, on particles that lie on a grid."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.pattern_region import layer_region
from napari_mpseg.gui.pattern_widget import PatternWidget


@pytest.fixture
def widget(viewer, click_menu, docked):
    click_menu("Layers", "Measure", "Point pattern")
    found = docked(PatternWidget)
    found.simulations.setValue(199)
    return found


@pytest.fixture
def grid(viewer):
    """100 squares of 3 x 3 px, 10 px apart, pixels of 2 um."""
    data = np.zeros((100, 100), np.int32)
    for number in range(100):
        y, x = 10 * (number // 10) + 3, 10 * (number % 10) + 3
        data[y : y + 3, x : x + 3] = number + 1
    return viewer.add_labels(data, name="grid", scale=(2, 2), units=("um", "um"))


@pytest.fixture
def scattered(viewer, rng):
    """200 squares of 5 x 5 px in 20 heaps."""
    data = np.zeros((800, 1000), np.int32)
    heaps = rng.uniform(60, [740, 940], (20, 2))
    for number in range(1, 201):
        y, x = np.clip(heaps[number % 20] + rng.normal(0, 20, 2), 0, [790, 990]).astype(int)
        data[y : y + 5, x : x + 5] = number
    return viewer.add_labels(data, name="particles", scale=(0.5, 0.5), units=("um", "um"))


def test_no_labels_says_what_to_do(widget):
    assert "No labels yet" in widget.hint.text()
    assert not widget.panel.run_button.isEnabled()


def test_clusters_are_told_in_words_and_drawn(viewer, widget, scattered, finished, screenshot):
    widget.panel.run_button.click()
    finished(widget)
    text = widget.panel.status.text()
    assert "<b>Clustered</b>: mean nearest-neighbour distance" in text
    assert f"{widget.result.mean:.4g} µm, expected" in text
    assert "p = 0.01" in text
    assert widget.figure.isVisible()
    picture = widget.figure.grab().toImage()
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 2) for y in range(0, picture.height(), 2)}
    assert len(colours) > 10
    screenshot("pattern_clustered")


def test_choosing_the_plugins_test_warns_and_hides_what_it_does_not_use(viewer, widget, grid, finished, screenshot):
    widget.test.setCurrentIndex(widget.test.findData("biovoxxel"))
    assert "Not sound" in widget.about.text()
    assert widget.statistic.isVisible()
    assert not widget.simulations.isVisible()
    widget.panel.run_button.click()
    finished(widget)
    assert widget.panel.status.kind == "warning"
    assert "<b>Self-avoiding</b>: median nearest-neighbour distance 10 px" in widget.panel.status.text()
    screenshot("pattern_biovoxxel")


def test_particles_that_are_not_kept_are_left_out(viewer, widget, grid, finished):
    grid.features = pd.DataFrame(
        {"index": np.arange(101), "keep": pd.array([pd.NA, *[True] * 40, *[False] * 60], "boolean")}
    )
    widget.panel.run_button.click()
    finished(widget)
    assert widget.result.n == 40
    assert widget.result.mean == pytest.approx(20)  # um


@pytest.mark.slow  # napari compiles its triangulation of shapes first
def test_shapes_and_masks_are_regions(viewer, widget, grid, finished, screenshot):
    widget.region.setCurrentIndex(widget.region.findData("layer"))
    rectangle = np.array([[-0.5, -0.5], [-0.5, 99.5], [49.5, 99.5], [49.5, -0.5]]) * 2  # the upper half, in um
    viewer.add_shapes([rectangle], shape_type="rectangle", units=("um", "um"), name="half", face_color="#ffffff40")
    widget.labels.choose(grid)
    assert widget.region_layer.layer.name == "half"
    widget.panel.run_button.click()
    finished(widget)
    assert widget.result.n == 50
    assert widget.result.area == pytest.approx(100 * 200)
    assert "shapes of half" in widget.panel.status.text()
    screenshot("pattern_region")

    mask = np.zeros((100, 100), np.uint8)
    mask[:, :30] = 1
    strip = viewer.add_labels(mask, name="strip", scale=(2, 2), units=("um", "um"))
    widget.region_layer.choose(strip)
    widget.labels.choose(grid)
    widget.panel.run_button.click()
    finished(widget)
    assert (widget.result.n, widget.result.area) == (30, 100 * 30 * 4)


def test_outlines_of_every_closed_shape(grid):
    """A circle of 80 um and a square of 20 um in the world, both in the pixels of 2 um of the labels."""
    box = np.array([[10.0, 10], [10, 90], [90, 90], [90, 10]])
    square = np.array([[0.0, 0], [0, 10], [10, 10], [10, 0]])
    layer = SimpleNamespace(
        name="drawn",
        shape_type=["ellipse", "path", "rectangle"],
        data=[box, square * 20, square],
        data_to_world=lambda at: 2 * at,
    )
    region = layer_region(layer, grid, (100, 100), ())
    assert region.area_px == pytest.approx(np.pi * 40**2 + 11 * 11, rel=0.02)
    assert region.holds(np.array([[5.0, 5], [50, 50], [95, 95]])).tolist() == [True, True, False]


def test_a_region_that_cannot_be_is_said(viewer, widget, grid):
    widget.region.setCurrentIndex(widget.region.findData("layer"))
    widget.region_layer.choose(grid)
    widget.panel.run_button.click()
    assert widget.panel.status.kind == "error"
    assert "particles themselves" in widget.panel.status.text()
    empty = SimpleNamespace(name="empty", shape_type=[], data=[])
    for layer, message in ((empty, "no closed shape"), (None, "Choose a Shapes or Labels layer")):
        with pytest.raises(ImageError, match=message):
            layer_region(layer, grid, (100, 100), ())
    small = viewer.add_labels(np.ones((9, 9), int), name="small")
    with pytest.raises(ImageError, match="9 x 9 pixels, the particles 100 x 100"):
        layer_region(small, grid, (100, 100), ())


def test_copy_and_save(viewer, widget, grid, finished, tmp_path, monkeypatch, qapp):
    from napari_mpseg.gui import pattern_widget as module

    assert not widget.save_button.isEnabled()
    widget.panel.run_button.click()
    finished(widget)
    widget.copy_button.click()
    heading, row = qapp.clipboard().text().splitlines()
    assert dict(zip(heading.split("\t"), row.split("\t"), strict=True))["class"] == "self-avoiding"
    for ending in (".csv", ".json"):
        path = tmp_path / f"pattern{ending}"
        monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *args, path=path: (str(path), ""))
        widget.save_button.click()
    assert pd.read_csv(tmp_path / "pattern.csv")["mean_nnd_um"].tolist() == [20]
    assert json.loads((tmp_path / "pattern.json").read_text(encoding="utf-8"))["layer"] == "grid"
    widget.save(tmp_path / "pattern.xlsx")
    assert "xlsx" in widget.panel.status.text()


def test_cancelling_a_long_test(viewer, widget, grid, qtbot, finished):
    widget.simulations.setValue(99_999)
    widget.panel.run_button.click()
    qtbot.waitUntil(lambda: "random patterns" in widget.panel.progress_text.text(), timeout=20_000)
    widget.panel.cancel_button.click()
    finished(widget)
    assert "Cancelled" in widget.panel.status.text()
    assert widget.result is None


def test_the_plane_in_view_of_a_stack(viewer, widget, finished, rng):
    data = np.zeros((2, 60, 60), np.int32)
    for number in range(12):
        data[1, 5 * number : 5 * number + 2, (17 * number) % 50] = number + 1
    viewer.add_labels(data, name="stack")
    viewer.dims.set_current_step(0, 1)
    widget.panel.run_button.click()
    finished(widget)
    assert widget.result.n == 12
