"""The widget *Report and export*, as a user uses it."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def report_widget(viewer, click_menu, docked, qtbot, tmp_path):
    from napari_mpseg.gui.report_widget import ReportWidget

    click_menu("Layers", "Measure", "Report and export")
    widget = docked(ReportWidget)
    widget.folder.setText(str(tmp_path / "out"))
    for name in widget.report.pattern.ticked:
        widget.report.pattern.tick(name, False)
    for name in widget.report.plots.ticked:
        widget.report.plots.tick(name, name == "size-distribution")
    return widget


@pytest.fixture
def add_measured(viewer):
    """Add a picture of squares of 16, 4 and 100 pixels of 2 um, and their measured labels."""

    def add(name="filter"):
        from napari_mpseg.calibration import Calibration
        from napari_mpseg.particles.measure import measure

        labels = np.zeros((130, 250), np.int32)
        labels[20:24, 30:34], labels[50:52, 60:62], labels[100:110, 200:210] = 1, 2, 3
        space = {"scale": (2.0, 2.0), "units": ("micrometer", "micrometer")}
        viewer.add_image((labels > 0).astype(np.uint8) * 200, name=name, **space)
        table = measure(labels, calibration=Calibration((2.0, 2.0), "um"))
        record = {"role": "particles", "source": name, "provenance": {"settings": {"method": "by hand"}}}
        return viewer.add_labels(
            labels,
            name=f"{name} particles",
            features=table.to_features(),
            metadata={"napari-mpseg": record},
            **space,
        )

    return add


def test_report_and_every_format(viewer, report_widget, add_measured, finished, tmp_path, screenshot, monkeypatch):
    from napari_mpseg.exchange.export import EXPORTS
    from napari_mpseg.gui import report_widget as module

    layer = add_measured("filter <1>")
    layer.features = layer.features.assign(keep=[None, True, False, True])
    for name in EXPORTS:
        report_widget.outputs.tick(name)
    report_widget.report.sizes.setText("10, 25 µm")
    report_widget.report.title_edit.setText("Lake <A>")
    report_widget.panel.run_button.click()
    finished(report_widget)
    assert report_widget.panel.status.kind == "done", report_widget.panel.status.text()
    assert f"2 particles: {5 + len(EXPORTS)} files written" in report_widget.panel.status.text()
    out = tmp_path / "out"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h1>Lake &lt;A&gt;</h1>" in page
    assert "data:image/jpeg" in page  # the picture with a ring around each particle
    assert "data:image/svg+xml" in page
    counts = pd.read_csv(out / "report_counts.csv").set_index("size_class")["particles"]
    # diagonals of 4 and 10 px squares of 2 um; the one of 2 px was not kept
    assert counts.to_dict() == {"<10 um": 0, "10-25 um": 1, ">=25 um": 1, "all": 2}
    images = pd.read_csv(out / "report_images.csv")
    assert images.loc[0, "particles_per_mm2"] == pytest.approx(2 / 0.13)
    assert pd.read_csv(out / "filter_1_particles_particles.csv")["label"].tolist() == [1, 3]
    with zipfile.ZipFile(out / "filter_1_particles_RoiSet.zip") as archive:
        assert archive.namelist() == ["1.roi", "3.roi"]
    record = json.loads((out / "filter_1_particles_export.json").read_text(encoding="utf-8"))
    assert record["inputs"]["calibration"]["pixel_size"] == [2, 2]

    opened = []
    monkeypatch.setattr(module.QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    link = report_widget.link.text().split('"')[1]
    report_widget.link.linkActivated.emit(link)
    assert opened == [str(out / "report.html")]
    screenshot("report")

    before = (out / "report.html").read_bytes()
    report_widget.panel.run_button.click()
    finished(report_widget)
    assert report_widget.panel.status.kind == "error"
    assert "already there" in report_widget.panel.status.text()
    assert (out / "report.html").read_bytes() == before
    report_widget.replace.setChecked(True)
    report_widget.everything.setChecked(True)
    report_widget.panel.run_button.click()
    finished(report_widget)
    assert report_widget.panel.status.kind == "done"
    assert pd.read_csv(out / "filter_1_particles_particles.csv")["label"].tolist() == [1, 2, 3]


def test_layers_come_when_measured_and_go(viewer, report_widget, add_measured):
    assert report_widget.hint.isVisibleTo(report_widget)
    assert not report_widget.panel.run_button.isEnabled()
    one = add_measured("one")
    two = add_measured("two")
    assert report_widget.layers.ticked == [two, one]
    report_widget.layers.tick(one, False)
    plain = viewer.add_labels(np.eye(9, dtype=int), name="plain")
    assert report_widget.layers.ticked == [two]
    plain.features = one.features.iloc[:2]
    assert report_widget.layers.ticked == [plain, two]
    one.name = "renamed"
    assert [report_widget.layers.item(row).text() for row in range(3)] == ["plain", "two particles", "renamed"]
    viewer.layers.remove(two)
    assert report_widget.layers.ticked == [plain]
    report_widget.layers.tick(plain, False)
    assert not report_widget.panel.run_button.isEnabled()


def test_what_is_wrong_is_said_and_nothing_is_written(viewer, report_widget, add_measured, finished, tmp_path):
    add_measured()
    report_widget.report.sizes.setText("20, 10 um")
    report_widget.panel.run_button.click()
    assert "rising" in report_widget.panel.status.text()
    report_widget.report.sizes.setText("")
    report_widget.folder.setText("")
    assert not report_widget.panel.run_button.isEnabled()
    report_widget.folder.setText(str(tmp_path / "out"))
    report_widget.outputs.tick("report", False)
    assert not report_widget.panel.run_button.isEnabled()
    assert not report_widget.report.isVisibleTo(report_widget)
    assert not (tmp_path / "out").exists()


def test_a_cancelled_report_leaves_nothing(viewer, report_widget, add_measured, finished, tmp_path, monkeypatch):
    import threading

    from napari_mpseg.reports import builder

    add_measured()
    held = threading.Event()
    real = builder.summarise_item

    def slow(*args, **more):
        held.wait(10)
        return real(*args, **more)

    monkeypatch.setattr(builder, "summarise_item", slow)
    report_widget.outputs.tick("csv")
    report_widget.panel.run_button.click()
    report_widget.panel.cancel_button.click()
    held.set()
    finished(report_widget)
    assert "Cancelled" in report_widget.panel.status.text()
    assert not (tmp_path / "out").exists()


def test_planes_of_a_stack_are_images_of_their_own(viewer, report_widget, finished, tmp_path):
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.gui.measuring import measure_labels
    from napari_mpseg.progress import CancelToken

    data = np.zeros((2, 30, 40), np.int32)
    data[0, 2:4, 2:4], data[1, 5:8, 5:8], data[1, 20:22, 20:22] = 1, 2, 3
    measured = measure_labels(
        data, calibration=Calibration(), renumber=False, on_progress=lambda event: None, cancel=CancelToken()
    )
    viewer.add_labels(data, name="stack", features=measured.features)
    report_widget.outputs.tick("imagej-rois")
    report_widget.panel.run_button.click()
    finished(report_widget)
    assert report_widget.panel.status.kind == "done", report_widget.panel.status.text()
    images = pd.read_csv(tmp_path / "out" / "report_images.csv")
    assert images["image"].tolist() == ["stack, plane 0", "stack, plane 1"]
    assert images["particles"].tolist() == [1, 2]
    roifile = pytest.importorskip("roifile")
    found = roifile.roiread(tmp_path / "out" / "stack_RoiSet.zip")
    assert [(roi.name, roi.position) for roi in found] == [("1", 1), ("2", 2), ("3", 2)]


def test_choices_are_remembered(viewer, report_widget, add_measured, finished, click_menu):
    from napari_mpseg.gui.report_widget import ReportWidget

    add_measured()
    report_widget.report.sizes.setText("5 um")
    report_widget.report.plots.tick("size-distribution", False)
    report_widget.outputs.tick("csv")
    report_widget.panel.run_button.click()
    finished(report_widget)
    again = ReportWidget(viewer)
    try:
        assert again.outputs.ticked == ["report", "csv"]
        assert again.report.sizes.text() == "5 um"
        assert again.report.plots.ticked == again.report.pattern.ticked == []
        assert again.folder.text() == report_widget.folder.text()
    finally:
        again.close()
