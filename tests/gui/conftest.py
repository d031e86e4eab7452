"""A display, a viewer, menus as a user uses them, and a stand-in for the segmentation that the tests can hold up."""

import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

os.environ.setdefault("NAPARI_ENSURE_PLUGIN_MAIN_THREAD", "1")

pytest.importorskip("napari", reason="napari is not installed; pip install napari-mpseg[gui]")


def pytest_collection_modifyitems(config, items):
    shown = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not shown:
        skip = pytest.mark.skip(reason="needs a display: run `xvfb-run -a pytest tests/gui`")
        for item in items:
            if "/gui/" in str(item.path).replace(os.sep, "/"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_settings(plugin_settings, npe2pm, tmp_path):
    """Keep choices and preferences of whoever runs the tests out of them; only napari and this plugin are there."""
    from npe2 import PluginManifest
    from qtpy.QtCore import QSettings

    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    for name in ("napari", "napari-mpseg"):
        npe2pm.register(PluginManifest.from_distribution(name))


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=True)


@pytest.fixture
def click_menu(viewer):
    """Trigger an entry of the menu bar by the texts that a user reads, or their beginnings."""
    return lambda *path: _click_menu(viewer, *path)


def _click_menu(viewer, *path):
    menu = viewer.window._qt_window.menuBar()
    for depth, text in enumerate(path):
        last = depth == len(path) - 1
        if depth:
            menu.aboutToShow.emit()
        found = [action for action in menu.actions() if action.text().replace("&", "").startswith(text)]
        assert found, f"{text!r} is not in {[action.text() for action in menu.actions()]}"
        if last:
            assert found[0].isEnabled()
            found[0].trigger()
        else:
            menu = found[0].menu()


@pytest.fixture
def docked(viewer):
    """Return the one docked widget of a class."""
    return lambda kind: _docked(viewer, kind)


def _docked(viewer, kind):
    found = [widget for widget in viewer.window.dock_widgets.values() if isinstance(widget, kind)]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def segment_widget(viewer, qtbot):
    from napari_mpseg.gui.segment_widget import SegmentWidget

    _click_menu(viewer, "Layers", "Segment", "Segment particles")
    return _docked(viewer, SegmentWidget)


@pytest.fixture
def measure_widget(viewer, qtbot):
    from napari_mpseg.gui.measure_widget import MeasureWidget

    _click_menu(viewer, "Layers", "Measure", "Measure particles")
    return _docked(viewer, MeasureWidget)


@pytest.fixture
def finished(qtbot):
    """Wait until a widget's job has ended."""

    def wait(widget, timeout=60_000):
        qtbot.waitUntil(lambda: not widget.panel.busy, timeout=timeout)
        qtbot.wait(50)

    return wait


class FakeSegment:
    """Thresholds at the mean of the range; reports ten tiles, each held until `gate` is set."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.calls = []
        self.threads = []
        self.tiles = 0
        self.stopped = False
        self.error = None

    def __call__(self, image, method="default", *, on_progress, cancel, **options):
        from napari_mpseg.errors import Cancelled
        from napari_mpseg.particles.labelling import label_mask
        from napari_mpseg.particles.measure import measure
        from napari_mpseg.progress import Progress

        self.calls.append((image, {"method": method, **options}))
        self.threads.append(threading.current_thread())
        try:
            for tile in range(10):
                on_progress(Progress("Segmenting", tile, 10))
                while not self.gate.wait(0.01):
                    cancel.check()
                cancel.check()
                self.tiles += 1
            if self.error:
                raise self.error
        except Cancelled:
            self.stopped = True
            raise
        pixels = np.asarray(image.data).astype(float)
        grey = pixels.max(axis=-1) if pixels.ndim == 3 else pixels
        mask = grey > (grey.min() + grey.max()) / 2 if np.ptp(grey) else np.zeros(grey.shape, bool)
        labels = label_mask(mask, min_size=options["min_size"])
        calibrated = image.with_calibration(options["calibration"] or image.calibration)
        particles = measure(labels, calibrated)
        return SimpleNamespace(
            image=calibrated,
            labels=labels,
            probability=(mask * 255).astype(np.uint8),
            particles=particles,
            table=particles.frame,
            count=len(particles),
            method=method,
            threshold=0.5,
            provenance={"operation": "segment"},
            notes=(),
        )


@pytest.fixture
def fake_segment(monkeypatch):
    import napari_mpseg.pipeline

    fake = FakeSegment()
    monkeypatch.setattr(napari_mpseg.pipeline, "segment", fake)
    return fake


@pytest.fixture
def spots():
    """Three bright rectangles of 4x6, 3x3 and 2x8 px on black."""
    image = np.zeros((100, 120), np.uint8)
    image[10:14, 20:26] = 200
    image[50:53, 60:63] = 220
    image[80:82, 100:108] = 250
    return image


@pytest.fixture
def screenshot(viewer, qtbot):
    """Save a picture of the whole window where MPSEG_SCREENSHOTS names a folder."""

    def save(name):
        deadline = time.monotonic() + 0.5
        folder = os.environ.get("MPSEG_SCREENSHOTS")
        if folder:
            viewer.window._qt_window.resize(1400, 900)
            qtbot.waitUntil(lambda: time.monotonic() > deadline)
            viewer.window.screenshot(str(Path(folder) / f"{name}.png"), canvas_only=False, flash=False)

    return save
