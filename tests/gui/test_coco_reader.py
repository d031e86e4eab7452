"""A COCO file dropped on napari."""

import json

import numpy as np
import pytest
from PIL import Image

from napari_mpseg.exchange.coco import CocoSource, write_coco
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
