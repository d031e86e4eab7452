"""Parts of *Train from painted labels* by themselves: what is in view, when to preview, what is plotted and kept."""

import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_mpseg.errors import Cancelled, ImageError
from napari_mpseg.gui.curve import CurvePlot, Curves, nice_ceiling, ticks
from napari_mpseg.gui.train_preview import MOST_PIXELS, PreviewMaker, Region
from napari_mpseg.gui.visible import centred, visible_box
from napari_mpseg.training.run.events import TrainingEvent

# -- what is in view -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [0.5, 1.0, 3.0, 40.0])
def test_what_is_in_view_is_what_napari_draws(viewer, qtbot, zoom):
    layer = viewer.add_image(np.zeros((300, 400), np.uint8), scale=(2.0, 3.0), translate=(50, -20))
    viewer.scene.camera.zoom *= zoom
    viewer.scene.camera.center = (200, 500)
    qtbot.wait(200)
    y0, y1, x0, x1 = visible_box(viewer, layer)
    (low_y, low_x), (high_y, high_x) = layer.corner_pixels  # napari rounds outwards, by up to one pixel
    assert np.abs(np.array([y0, x0, y1 - 1, x1 - 1]) - [low_y, low_x, high_y, high_x]).max() <= 1


def test_of_a_turned_layer_the_box_around_what_is_in_view():
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((200, 200)), rotate=90)
    viewer.canvas.size = (100, 50)
    viewer.scene.camera.zoom = 1
    viewer.scene.camera.center = tuple(layer.data_to_world((100, 100)))
    y0, y1, x0, x1 = visible_box(viewer, layer)
    assert (y0, y1, x0, x1) == pytest.approx((75, 126, 50, 151), abs=1)


def test_nothing_is_in_view_beside_the_image_and_in_3d_all():
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((10, 40, 50)))
    viewer.scene.camera.center = (1000, 1000)
    assert visible_box(viewer, layer) is None
    viewer.dims.ndisplay = 3
    assert visible_box(viewer, layer) == (0, 40, 0, 50)


def test_of_a_pyramid_the_pixels_of_full_resolution():
    viewer = ViewerModel()
    layer = viewer.add_image([np.zeros((4096, 4096)), np.zeros((1024, 1024))], multiscale=True)
    viewer.canvas.size = (512, 512)
    viewer.scene.camera.center, viewer.scene.camera.zoom = (2048, 2048), 0.5
    assert visible_box(viewer, layer) == pytest.approx((1536, 2561, 1536, 2561), abs=1)


@pytest.mark.parametrize(
    ("box", "pixels", "expected"),
    [
        ((0, 10, 0, 10), 100, (0, 10, 0, 10)),
        ((0, 100, 0, 100), 400, (40, 60, 40, 60)),
        ((10, 20, 0, 4000), 1000, (14, 15, 1500, 2500)),
    ],
)
def test_the_middle_of_a_large_view(box, pixels, expected):
    assert centred(box, pixels) == expected


# -- when a preview is made ------------------------------------------------------------------------------------------


def _region(box=(0, 64, 0, 64), image=None):
    return Region(None, image or SimpleNamespace(name="field"), box)


@pytest.fixture
def maker(monkeypatch):
    """A maker whose predictions take two seconds of a clock that only the tests move."""
    from napari_mpseg.gui import train_preview
    from napari_mpseg.inference import region

    made = SimpleNamespace(now=100.0, predictions=[], failures=[], boxes=[], error=None)

    def predict(image, model, box, scaling):
        if made.error:
            raise made.error
        made.now += 2.0
        made.boxes.append(box)
        return np.zeros((box[1] - box[0], box[3] - box[2]), np.float32)

    monkeypatch.setattr(region, "predict_region", predict)
    monkeypatch.setattr(train_preview.time, "monotonic", lambda: made.now)
    monkeypatch.setattr(PreviewMaker, "_scaling_of", lambda *args: None)
    made.maker = PreviewMaker(made.predictions.append, made.failures.append)
    return made


def test_the_first_preview_comes_at_once_and_the_next_leaves_time_to_train(maker):
    preview = maker.maker
    assert not preview.due()
    preview.region = _region()
    image = preview.region.image
    assert preview.due()
    preview.make(lambda: None)
    assert len(maker.predictions) == 1
    maker.now += 4.9  # 2.5 times the 2 s that it took
    assert not preview.due()
    maker.now += 0.2
    assert preview.due()
    preview.make(lambda: None)
    maker.now += 1.9
    preview.region = _region((5, 64, 0, 64), image)  # the view has moved
    assert not preview.due()
    maker.now += 0.2
    assert preview.due()
    preview.restart()
    assert preview.due()


def test_the_part_in_view_is_as_large_as_time_allows(maker):
    preview = maker.maker
    preview.region = _region((0, 4000, 0, 4000))
    preview.make(lambda: None)
    assert maker.boxes[-1] == (1744, 2256, 1744, 2256)
    preview.make(lambda: None)
    height = maker.boxes[-1][1] - maker.boxes[-1][0]
    assert height**2 == pytest.approx(512 * 512 / 2.0 * 1.5, rel=0.01)  # 1.5 s at the speed that was measured
    preview.hurry = False
    preview.make(lambda: None)
    top, bottom, left, right = maker.boxes[-1]
    assert (bottom - top) * (right - left) == MOST_PIXELS


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory for a preview"),
        (ImageError("field has 2 channels"), "No preview of field: field has 2 channels"),
        (RuntimeError("odd"), "RuntimeError: odd"),
    ],
)
def test_what_cannot_be_previewed_is_said_once_and_tried_again_elsewhere(maker, error, said):
    preview = maker.maker
    preview.region = _region()
    maker.error = error
    preview.make(lambda: None)
    assert said in maker.failures[0]
    assert not preview.due()
    preview.region = _region((0, 10, 0, 10), preview.region.image)
    assert preview.due()


def test_a_cancel_while_the_image_is_measured_reaches_the_training(maker):
    maker.error = Cancelled("by the user")
    maker.maker.region = _region()
    with pytest.raises(Cancelled):
        maker.maker.make(lambda: None)


# -- the curves ------------------------------------------------------------------------------------------------------


def _event(step, loss, *, ended=False, seen=None, best=False):
    return TrainingEvent(step, 20, -(-step // 2), 10, loss, 1e-3, ended, seen, best)


def test_steps_lie_between_the_epochs():
    curves = Curves(keeps_best=True)
    assert curves.empty
    curves.take(_event(1, 0.9))
    curves.take(_event(2, 0.7))
    curves.take(_event(2, 0.8, ended=True, seen=SimpleNamespace(loss=1.1, iou=0.4), best=True))
    assert curves.steps == [(0.5, 0.9), (1.0, 0.7)]
    assert curves.epochs == [(1, 0.8)]
    assert (curves.validation, curves.iou, curves.best) == ([(1, 1.1)], [(1, 0.4)], 1)
    assert curves.top() == 2


def test_a_single_wild_step_and_numbers_that_are_none_do_not_set_the_scale():
    curves = Curves(steps=[(index / 10, 0.3) for index in range(100)] + [(10, 900.0)], epochs=[(1, float("nan"))])
    assert curves.top() == 0.5
    assert Curves(epochs=[(1, float("nan"))]).top() == 1


def test_very_many_steps_stay_few_points():
    curves = Curves()
    for step in range(1, 5000):
        curves.take(_event(step, 1.0))
    assert len(curves.steps) <= 400
    assert curves.steps[-1][0] == pytest.approx(4999 / 2)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.3, 0.5), (0.5, 0.5), (1.01, 2), (7, 10), (0, 1), (-1, 1), (0.011, 0.02)]
)
def test_the_axis_ends_at_a_round_number(value, expected):
    assert nice_ceiling(value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("total", "expected"), [(1, [0, 1]), (6, [0, 1, 2, 3, 4, 5, 6]), (20, [0, 5, 10, 15, 20]), (150, [0, 50, 100, 150])]
)
def test_epoch_numbers_are_round_and_few(total, expected):
    assert ticks(total) == expected


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_plot_is_drawn_in_colours_of_the_theme(qtbot, theme):
    from napari.settings import get_settings
    from napari.utils.theme import get_theme
    from qtpy.QtGui import QColor, QImage

    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(340, 170)
    get_settings().appearance.theme = theme
    plot.grab()  # nothing to plot yet
    for step in range(1, 21):
        plot.take(_event(step, 1 / step))
        if step % 2 == 0:
            seen = SimpleNamespace(loss=float("nan") if step == 4 else 2 / step, iou=step / 20)
            plot.take(_event(step, 1 / step, ended=True, seen=seen))
    picture = QImage(plot.size(), QImage.Format.Format_RGB32)  # displays of tests may have fewer colours
    plot.render(picture)
    ground = QColor(get_theme(theme).foreground.as_hex())
    assert picture.pixelColor(2, 2).rgb() == ground.rgb()
    colours = {picture.pixelColor(x, y).rgb() for x in range(40, 330) for y in range(20, 130)}
    for name in {"dark": ("#5aa9f0", "#f2a33c", "#6ccf8a"), "light": ("#1667b0", "#b35c00", "#1d7a3d")}[theme]:
        assert QColor(name).rgb() in colours


# -- what is kept ----------------------------------------------------------------------------------------------------


def test_folders_that_nobody_came_back_for_are_removed(tmp_path):
    from napari_mpseg.gui.train_store import FOLDER, last_unsaved

    root = tmp_path / FOLDER / "unsaved"
    now = time.time()
    for name, days in (("old", 40), ("last week", 7), ("yesterday", 1)):
        (root / name).mkdir(parents=True)
        (root / name / "card.json").write_text("{}")
        os.utime(root / name, (now - days * 86400,) * 2)
    assert last_unsaved(str(tmp_path)).name == "yesterday"
    assert sorted(entry.name for entry in root.iterdir()) == ["last week", "yesterday"]
    assert last_unsaved(str(tmp_path / "elsewhere")) is None
