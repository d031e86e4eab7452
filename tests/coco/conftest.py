"""Masks made by hand and at random, and COCO's own tool."""

import numpy as np
import pytest


@pytest.fixture
def reference_mask():
    """Return COCO's own module of masks."""
    return pytest.importorskip("pycocotools.mask")


@pytest.fixture
def masks(rng):
    """Return bool arrays: empty, full, one pixel high or wide, and random ones."""
    found = [np.zeros((4, 5), bool), np.ones((4, 5), bool), np.ones((1, 1), bool), np.zeros((1, 1), bool)]
    for share in (0.02, 0.3, 0.7, 0.98):
        for height, width in ((1, 17), (17, 1), (23, 31), (40, 9)):
            found.append(rng.random((height, width)) < share)
    return found


@pytest.fixture
def document():
    """Return COCO of one image of 8 x 10 px with two particles that overlap, and a crowd."""
    square = [[1, 1, 5, 1, 5, 5, 1, 5]]
    dot = {"size": [8, 10], "counts": [3 * 8 + 2, 2, 52]}
    crowd = {"size": [8, 10], "counts": [56, 24]}
    return {
        "images": [{"id": 4, "file_name": "a.png", "height": 8, "width": 10, "pixel_size": [2.0, 2.5], "unit": "um"}],
        "categories": [{"id": 1, "name": "bead"}, {"id": 3, "name": "fibre"}],
        "annotations": [
            {"id": 11, "image_id": 4, "category_id": 3, "segmentation": dot, "iscrowd": 0},
            {"id": 12, "image_id": 4, "category_id": 1, "segmentation": square, "iscrowd": 0},
            {"id": 13, "image_id": 4, "category_id": 1, "segmentation": crowd, "iscrowd": 1},
        ],
    }
