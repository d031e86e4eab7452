"""Correcting a region while the same particles are reviewed: decisions stay, and each step is recorded once."""

import os

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_mpseg.calibration import Calibration
from napari_mpseg.gui.readers import read
from napari_mpseg.images.image import Image
from napari_mpseg.inference.store import create_store
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.audit import audit_of
from napari_mpseg.particles.reviewable import measure_for_review
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.results.result_store import write_record

SHAPE = (120, 100)
BOX = (10, 10, 100, 90)


@pytest.fixture
def pixels():
    labels = np.zeros(SHAPE, np.int32)
    labels[3:8, 3:20] = 1
    labels[20:30, 30:60] = 2
    labels[40:80, 50:54] = 3
    labels[60:70, 60:80] = 4
    return labels


@pytest.fixture
def image():
    return Image(np.random.default_rng(1).integers(0, 255, SHAPE, np.uint8), "filter", Calibration((2.0, 2.0), "um"))


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show="MPSEG_SCREENSHOTS" in os.environ)


@pytest.fixture
def correct(viewer, click_menu, docked):
    from napari_mpseg.gui.correct_widget import CorrectWidget

    click_menu("Layers", "Annotate", "Correct a region")
    return docked(CorrectWidget)


@pytest.fixture
def in_memory(viewer, pixels, image):
    features = measure_for_review(pixels, image).to_features()
    viewer.add_image(image.data, name="filter", scale=(2, 2), units=("um", "um"))
    return viewer.add_labels(
        pixels.copy(), features=features, name="filter particles", scale=(2, 2), units=("um", "um")
    )


@pytest.fixture
def on_disk(viewer, pixels, image, tmp_path, monkeypatch):
    """Open a result that is too large to be painted on."""
    from napari_mpseg import pyramids

    monkeypatch.setattr(pyramids, "LARGEST_EDITABLE", 1000)
    tifffile.imwrite(tmp_path / "filter.tif", image.data)
    opened = Image(da.from_array(image.data), "filter", image.calibration, source=str(tmp_path / "filter.tif"))
    path = tmp_path / "filter.ome.zarr"
    arrays = create_store(path, SHAPE, 64, opened.calibration, "filter")
    arrays.labels[...] = pixels
    arrays.probability[...] = 200 * (pixels > 0)
    inputs = {"name": "filter", "source": opened.source, "shape": list(SHAPE)}
    inputs["calibration"] = {"pixel_size": [2.0, 2.0], "unit": "um"}
    write_record(arrays, {"inputs": inputs, "settings": {"connectivity": 2}})
    table = measure_for_review(arrays.labels, opened, probability=arrays.probability)
    table.to_csv(tmp_path / "filter_particles.csv")
    for data, meta, kind in read(str(path)):
        viewer._add_layer_from_data(data, meta, kind)
    return viewer.layers["filter particles"]


@pytest.fixture(params=["in_memory", "on_disk"])
def layer(request):
    return request.getfixturevalue(request.param)


def take(viewer, correct, layer, finished):
    y0, x0, y1, x1 = BOX
    world = [layer.data_to_world(np.array(one) - 0.5) for one in ((y0, x0), (y0, x1), (y1, x1), (y1, x0))]
    viewer.add_shapes([world], shape_type="rectangle", units=layer.units)
    correct.labels.choose(layer)
    correct.where.setCurrentIndex(correct.where.findData("shapes"))
    correct.panel.run_button.click()
    finished(correct)


def finest(layer):
    return np.asarray(layer.data[0] if layer.multiscale else layer.data)


def test_a_decision_outlives_a_correction_that_is_taken_back(
    viewer, correct, layer, click_menu, docked, finished, pixels, image
):
    from napari_mpseg.gui.review_widget import ReviewWidget

    click_menu("Layers", "Annotate", "Review particles")
    review = docked(ReviewWidget)
    assert review.session.layer == layer
    given = layer.features["class"].tolist()
    review.session.decide(4, to_class="film")
    review.session.decide(3, keep=False)
    as_reviewed = layer.features.copy()
    take(viewer, correct, layer, finished)
    correct.editor.data[np.isin(correct.editor.data, (3, 4))] = 0
    correct.apply_button.click()
    finished(correct)
    assert not np.isin(finest(layer), (3, 4)).any()
    table = ParticleTable.from_features(layer.features)
    assert table.frame["label"].tolist() == [1, 2]
    assert layer.features.iloc[[3, 4]].drop(columns="index").isna().all(axis=None)
    assert review.session.counts().particles == 2
    correct.undo_button.click()
    finished(correct)
    assert "Taken back" in correct.panel.status.text()
    np.testing.assert_array_equal(finest(layer), pixels)
    now = layer.features
    assert now["class"].tolist()[1:] == [*given[1:4], "film"]
    assert now["keep"].tolist()[1:] == [True, True, False, True]
    assert now["class_assigned"].tolist()[1:] == as_reviewed["class_assigned"].tolist()[1:]
    assert now["class_assigned"][4]
    whole = measure(pixels, image).frame.set_index("label")
    assert now["area_px"].tolist()[1:] == whole["area_px"].tolist()
    counts = review.session.counts()
    assert (counts.particles, counts.reviewed, counts.rejected) == (4, 2, 1)
    assert [one.action for one in audit_of(layer.metadata)] == ["class", "reject", "correct", "undo"]


def test_a_decision_between_the_correction_and_its_undo_stays(
    viewer, correct, layer, click_menu, docked, finished, pixels
):
    from napari_mpseg.gui.review_widget import ReviewWidget

    click_menu("Layers", "Annotate", "Review particles")
    session = docked(ReviewWidget).session
    session.decide(2, to_class="fragment")
    take(viewer, correct, layer, finished)
    correct.editor.data[10:12, 20:50] = 0  # the upper rows of 2
    correct.apply_button.click()
    finished(correct)
    assert layer.features["area_px"][2] == (finest(layer) == 2).sum() < (pixels == 2).sum()
    assert layer.features["class"][2] == "fragment"
    session.decide(2, to_class="film")
    correct.undo_button.click()
    finished(correct)
    assert layer.features["area_px"][2] == (pixels == 2).sum()
    assert layer.features["class"][2] == "film"
