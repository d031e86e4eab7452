"""A COCO file dropped on napari."""

import json

import numpy as np
import pytest
from PIL import Image

from napari_mpseg.errors import ImageError
from napari_mpseg.exchange.coco import CocoSource, write_coco
from napari_mpseg.gui.coco_reader import read_coco_file
from napari_mpseg.gui.readers import get_reader


@pytest.fixture
def labels():
    labels = np.zeros((30, 40), np.int32)
    labels[2:9, 2:9] = 3
    labels[20:24, 30:33] = 8
    return labels


def test_labels_are_shown_with_their_table_and_image(labels, tmp_path, make_napari_viewer):
    import pandas as pd

    from napari_mpseg.calibration import Calibration

    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "a.png")
    frame = pd.DataFrame({"label": [3, 8], "class": ["bead", "film"], "confidence": [0.5, 0.75]})
    path = tmp_path / "coco.json"
    write_coco(path, [CocoSource("a.png", labels, frame, Calibration((2.0, 2.0), "um"))])
    viewer = make_napari_viewer()
    viewer.open(str(path), plugin="napari-mpseg")
    assert [layer.name for layer in viewer.layers] == ["a", "a particles"]
    found = viewer.layers["a particles"]
    np.testing.assert_array_equal(found.data, labels)
    assert found.features["class"].tolist()[3] == "bead"
    assert found.features["confidence"].tolist()[8] == 0.75
    assert [tuple(layer.scale) for layer in viewer.layers] == [(2.0, 2.0), (2.0, 2.0)]


def test_only_coco_is_taken(tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"settings": 1}), encoding="utf-8")
    assert get_reader(str(other)) is None
    other.write_text(json.dumps({"images": [], "annotations": []}), encoding="utf-8")
    assert get_reader(str(other)) is not None


def test_without_the_image_labels_are_shown_alone_and_what_is_to_ignore_beside(tmp_path):
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 5}],
        "annotations": [{"id": 1, "image_id": 1, "iscrowd": 1, "segmentation": {"size": [4, 5], "counts": [0, 8, 12]}}],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(coco), encoding="utf-8")
    layers = get_reader(str(path))(str(path))
    assert [meta["name"] for _, meta, _ in layers] == ["a to ignore", "a particles"]
    assert int(np.asarray(layers[0][0]).sum()) == 8


def test_an_image_of_another_size_is_told(labels, tmp_path):
    Image.fromarray(np.zeros((60, 80), np.uint8)).save(tmp_path / "a.png")
    path = tmp_path / "coco.json"
    write_coco(path, [CocoSource("a.png", labels)])
    images, found = read_coco_file(path)
    assert len(images) == 1
    assert "60 x 80 px" in found[0].notes[0]
    assert "30 x 40 px" in found[0].notes[0]
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "a.png")
    assert read_coco_file(path)[1][0].notes == ()


def test_results_are_opened_with_the_sizes_of_their_run_lengths(tmp_path):
    shape = {"size": [4, 5], "counts": [0, 8, 12]}
    results = [{"image_id": 7, "category_id": 1, "score": 0.5, "segmentation": shape}]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results, indent=1), encoding="utf-8")
    ((data, meta, kind),) = get_reader(str(path))(str(path))
    assert (kind, meta["name"]) == ("labels", "results 7 particles")
    expected = np.zeros((4, 5), int)
    expected[:, :2] = 1  # 8 pixels, column by column
    np.testing.assert_array_equal(data, expected)
    assert meta["features"]["confidence"].tolist()[1] == 0.5


def test_what_cannot_be_shown_is_told_with_the_way_out(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"image_id": 7, "category_id": 1, "score": 0.5, "bbox": [0, 0, 2, 2]}]))
    with pytest.raises(ImageError, match=r"size of image 7.*Drop the COCO file of the truth"):
        get_reader(str(path))(str(path))
    path.write_text(json.dumps({"images": [], "annotations": []}))
    with pytest.raises(ImageError, match="without images"):
        get_reader(str(path))(str(path))
