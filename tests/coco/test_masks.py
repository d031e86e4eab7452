"""Run lengths and polygons, compared with COCO's own tool."""

import tracemalloc

import numpy as np
import pytest

from napari_mpseg.coco.masks import annotation_mask
from napari_mpseg.coco.polygons import filled, filled_together
from napari_mpseg.coco.rle import from_lengths, from_text, run_lengths, to_text
from napari_mpseg.coco.run_mask import common_pixels, mask_of, united
from napari_mpseg.errors import ImageError


def encoded(reference_mask, mask):
    return reference_mask.encode(np.asfortranarray(mask.astype(np.uint8)))


def test_text_is_that_of_pycocotools(masks, reference_mask):
    for mask in masks:
        assert to_text(mask_of(mask)) == encoded(reference_mask, mask)["counts"].decode()


def test_run_lengths_are_understood_by_pycocotools(masks, reference_mask):
    for mask in masks:
        height, width = mask.shape
        rle = {"size": [height, width], "counts": run_lengths(mask_of(mask))}
        decoded = reference_mask.decode(reference_mask.frPyObjects(rle, height, width))
        np.testing.assert_array_equal(decoded, mask)


def test_area_and_box_are_those_of_pycocotools(masks, reference_mask):
    for mask in masks:
        rle = encoded(reference_mask, mask)
        assert mask_of(mask).area == reference_mask.area(rle)
        if mask.any():
            assert mask_of(mask).bbox == tuple(reference_mask.toBbox(rle))


def test_masks_come_back_from_text_and_numbers(masks):
    for mask in masks:
        run_mask = mask_of(mask)
        np.testing.assert_array_equal(from_text(to_text(run_mask), *mask.shape).to_array(), mask)
        np.testing.assert_array_equal(from_lengths(run_lengths(run_mask), *mask.shape).to_array(), mask)


def test_numbers_of_many_characters_come_back():
    height, width = 40_000, 50_000  # nearly as large as pycocotools counts
    run_mask = from_lengths([1_999_999_990, 3, 7], height, width)
    text = to_text(run_mask)
    again = from_text(text, height, width)
    assert (again.start.tolist(), again.end.tolist()) == ([1_999_999_990], [1_999_999_993])


def test_numbers_beyond_32_bits_come_back():
    side = 200_000
    run_mask = from_lengths([2**35, 5, side * side - 2**35 - 5], side, side)
    assert from_text(to_text(run_mask), side, side).start.tolist() == [2**35]


def test_empty_runs_between_others_are_closed():
    assert from_lengths([2, 2, 0, 3, 1], 4, 2).start.tolist() == [2]
    assert from_lengths([2, 2, 0, 3, 1], 4, 2).end.tolist() == [7]
    assert from_lengths([0, 0, 8], 4, 2).area == 0


def test_masks_are_joined_and_their_common_pixels_counted(rng):
    for share in (0.1, 0.5, 0.9):
        one, other = rng.random((13, 19)) < share, rng.random((13, 19)) < 0.4
        assert common_pixels(mask_of(one), mask_of(other)) == np.count_nonzero(one & other)
        np.testing.assert_array_equal(united([mask_of(one), mask_of(other)], 13, 19).to_array(), one | other)


@pytest.mark.parametrize("grid", [0, 1, 2, 10], ids=["any place", "whole", "half", "tenth"])
def test_polygons_are_filled_as_pycocotools_does(grid, rng, reference_mask):
    for _ in range(60):
        height, width = (int(size) for size in rng.integers(1, 50, 2))
        corners = rng.uniform(-0.3, 1.3, (rng.integers(3, 12), 2)) * (width, height)
        if grid:
            corners = np.round(corners * grid) / grid
        polygon = corners.ravel().tolist()
        polygon += polygon[:2] if rng.random() < 0.3 else []  # closed once more
        expected = reference_mask.decode(reference_mask.frPyObjects([polygon], height, width))[..., 0]
        np.testing.assert_array_equal(filled(polygon, height, width).to_array(), expected)


def test_sides_far_outside_are_cut_as_pycocotools_does(rng, reference_mask):
    for _ in range(60):
        height, width = (int(size) for size in rng.integers(1, 50, 2))
        corners = rng.uniform(-0.3, 1.3, (rng.integers(3, 9), 2)) * (width, height)
        far = rng.random(len(corners)) < 0.5
        corners[far] *= rng.choice([-1, 1], (far.sum(), 2)) * 10 ** rng.uniform(0, 3, (far.sum(), 1))
        polygon = corners.ravel().tolist()
        expected = reference_mask.decode(reference_mask.frPyObjects([polygon], height, width))[..., 0]
        np.testing.assert_array_equal(filled(polygon, height, width).to_array(), expected)


def test_a_side_far_outside_takes_no_memory():
    annotation = {"segmentation": [[0, 0, 1e9, 0, 1e9, 1e9]]}
    near = {"segmentation": [[0, 0, 100, 0, 100, 100]]}
    tracemalloc.start()
    try:
        mask = annotation_mask(annotation, 20, 30, clip=True)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(mask.to_array(), annotation_mask(near, 20, 30, clip=True).to_array())


def test_a_long_outline_is_filled_part_by_part(monkeypatch, reference_mask):
    from napari_mpseg.coco import polygons

    monkeypatch.setattr(polygons, "_BATCH", 100)
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = 20 + 8 * np.sin(7 * angle)
    polygon = np.stack([30 + radius * np.cos(angle), 28 + radius * np.sin(angle)], 1).ravel().tolist()
    expected = reference_mask.decode(reference_mask.frPyObjects([polygon], 60, 60))[..., 0]
    np.testing.assert_array_equal(filled(polygon, 60, 60).to_array(), expected)


def test_pieces_of_one_annotation_are_taken_together(reference_mask):
    pieces = [[1.0, 1.0, 6.0, 1.0, 6.0, 6.0, 1.0, 6.0], [4.0, 4.0, 9.5, 4.0, 9.5, 9.0]]
    expected = reference_mask.decode(reference_mask.merge(reference_mask.frPyObjects(pieces, 10, 12)))
    np.testing.assert_array_equal(filled_together(pieces, 10, 12).to_array(), expected)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({}, "neither a segmentation nor a box"),
        ({"segmentation": []}, "neither a segmentation nor a box"),
        ({"segmentation": [[1, 2, 3, 4]]}, "three corners"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "three corners"),
        ({"segmentation": [[1, 2, 3, 4, 5, "x"]]}, "no number"),
        ({"segmentation": [[1, 2, 3, 4, 5, float("nan")]]}, "not finite"),
        ({"segmentation": [[0, 0, 30, 0, 30, 4]]}, "out of its image"),
        ({"segmentation": [[-5, 0, 3, 0, 3, 4]]}, "out of its image"),
        ({"segmentation": {"size": [10, 8], "counts": [80]}}, "of 8 x 10 px, but its image has 10 x 8"),
        ({"segmentation": {"size": [8, 10]}}, "no counts"),
        ({"segmentation": {"size": [8, 10], "counts": [70]}}, "make 70 pixels"),
        ({"segmentation": {"size": [8, 10], "counts": [90, -10]}}, "negative"),
        ({"segmentation": {"size": [8, 10], "counts": [1.5, 78.5]}}, "no list of whole numbers"),
        ({"segmentation": {"size": [8, 10], "counts": "~~"}}, "damaged"),
        ({"segmentation": {"size": [8, 10], "counts": ""}}, "damaged"),
        ({"segmentation": {"size": [8, 10], "counts": [[1], [2, 3]]}}, "no list of whole numbers"),
        ({"segmentation": {"size": [8, 10], "counts": [2**64 - 1, 2**63]}}, "one of its run lengths"),
        ({"segmentation": {"size": [8, 10], "counts": [2**62, 2**62, 2**62, 2**62, 80]}}, "one of its run lengths"),
        ({"segmentation": {"size": [8, 10], "counts": "PPPPPPPPPPPP4"}}, "damaged"),  # 2^62
        ({"segmentation": {"size": 5, "counts": [80]}}, "the size of its run lengths is 5"),
        ({"segmentation": {"size": [], "counts": [80]}}, "the size of its run lengths"),
        ({"segmentation": {"size": [8, "10"], "counts": [80]}}, "the size of its run lengths"),
        ({"bbox": [1, 2]}, "its box is"),
        ({"bbox": "1234"}, "its box is"),
        ({"segmentation": [], "bbox": [1, 1, float("nan"), 4]}, "its box is"),
    ],
)
def test_damaged_annotations_are_told(annotation, message):
    with pytest.raises(ImageError, match=message):
        annotation_mask(annotation, 8, 10)


@pytest.mark.parametrize(
    "annotation",
    [
        {"segmentation": [], "bbox": [1, 1, float("nan"), 4]},
        {"segmentation": [], "bbox": [1, 1, float("inf"), 4]},
        {"bbox": [1e300, 1, 1e308, 4]},
        {"segmentation": [[0, 0, 1e300, 0, 3, 4]]},
        {"segmentation": [[0, 0, 10**400, 0, 3, 4]]},
    ],
)
def test_corners_that_no_image_reaches_are_refused_even_where_they_are_cut_off(annotation):
    with pytest.raises(ImageError, match=r"its box is|farther out|not finite"):
        annotation_mask(annotation, 8, 10, clip=True)


def test_what_is_outside_is_cut_off_if_asked_for():
    assert annotation_mask({"segmentation": [[-5, 0, 3, 0, 3, 4, -5, 4]]}, 8, 10, clip=True).area == 12
    assert annotation_mask({"segmentation": [[20, 0, 23, 0, 23, 4]]}, 8, 10, clip=True).area == 0


def test_a_box_stands_for_a_missing_segmentation():
    assert annotation_mask({"bbox": [1, 2, 3, 4]}, 8, 10).bbox == (1, 2, 3, 4)
