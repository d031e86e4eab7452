"""From COCO files to labels."""

import json

import numpy as np
import pytest
from PIL import Image

from napari_mpseg.coco import coco_pairs, labels_from_coco, read_coco
from napari_mpseg.coco.painting import ON_TOP
from napari_mpseg.errors import ImageError, UnknownNameError


def test_the_smaller_one_lies_on_top_without_scores(document):
    found = labels_from_coco(document)
    assert found.labels[2:4, 3].tolist() == [1, 1]  # the dot, inside the square
    assert np.count_nonzero(found.labels == 2) == 14
    assert (found.overlapping, found.hidden) == (2, ())
    assert found.labels.dtype == np.int32


@pytest.mark.parametrize(("on_top", "dot"), [("smaller", 2), ("later", 0), ("score", 0)])
def test_who_lies_on_top_can_be_chosen(on_top, dot, document):
    document["annotations"][0]["score"], document["annotations"][1]["score"] = 0.2, 0.9
    found = labels_from_coco(document, on_top=on_top)
    assert np.count_nonzero(found.labels == 1) == dot
    assert found.hidden == (() if dot else (1,))


def test_the_higher_score_lies_on_top_where_all_have_one(document):
    document["annotations"][0]["score"], document["annotations"][1]["score"] = 0.2, 0.9
    assert labels_from_coco(document).frame["label"].tolist() == [2]


def test_every_order_is_explained():
    assert all(order.definition for order in ON_TOP.values())


def test_the_table_tells_classes_ids_areas_and_scores(document):
    document["annotations"][1]["score"] = 0.5
    frame = labels_from_coco(document).frame
    assert frame["label"].tolist() == [1, 2]
    assert frame["class"].tolist() == ["fibre", "bead"]
    assert frame["class"].cat.categories.tolist() == ["bead", "fibre"]
    assert frame["annotation"].tolist() == ["11", "12"]
    assert frame["area_px"].tolist() == [2, 14]
    assert frame["confidence"].tolist()[1] == 0.5
    assert np.isnan(frame["confidence"].tolist()[0])


def test_crowds_are_ignored_and_no_particles(document):
    found = labels_from_coco(document)
    expected = np.zeros((8, 10), bool)
    expected[:, 7:] = True
    np.testing.assert_array_equal(found.ignored, expected)
    assert set(np.unique(found.labels)) == {0, 1, 2}
    del document["annotations"][2]
    assert labels_from_coco(document).ignored is None


def test_own_labels_come_back_and_others_are_counted(document):
    document["annotations"][0]["label"], document["annotations"][1]["label"] = 70, 7
    assert set(np.unique(labels_from_coco(document).labels)) == {0, 7, 70}
    document["annotations"][1]["label"] = 70  # twice
    assert set(np.unique(labels_from_coco(document).labels)) == {0, 1, 2}


def test_parts_are_the_whole(document, rng):
    found = labels_from_coco(document)
    for _ in range(20):
        (y0, y1), (x0, x1) = np.sort(rng.choice(9, 2, replace=False)), np.sort(rng.choice(11, 2, replace=False))
        part = found.painting.between(slice(x0, x1)).part(slice(y0, y1), slice(x0, x1), np.int32)
        np.testing.assert_array_equal(part, found.labels[y0:y1, x0:x1])


def test_the_pixel_size_is_read(document):
    calibration = read_coco(document).image().calibration
    assert (calibration.pixel_size, calibration.unit) == ((2.0, 2.5), "um")


def test_a_pixel_size_that_is_none_is_left_out(document):
    for size in ([2.0, 10**400], "large", [-1, 1]):
        document["images"][0]["pixel_size"] = size
        assert not read_coco(document).image().calibration.calibrated


def test_a_file_name_that_no_system_takes_is_not_there(document, tmp_path):
    document["images"][0]["file_name"] = "a" * 5000
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ImageError, match="Not found"):
        coco_pairs(path)


def test_the_size_comes_from_run_lengths_or_the_image(document, tmp_path):
    for side in ("height", "width"):
        del document["images"][0][side]
    assert labels_from_coco(document).shape == (8, 10)
    del document["annotations"][0], document["annotations"][1]
    with pytest.raises(ImageError, match=r"does not tell height and width of a\.png"):
        labels_from_coco(document)
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((8, 10), np.uint8)).save(tmp_path / "images" / "a.png")
    assert labels_from_coco(path).shape == (8, 10)


def test_images_are_found_by_id_and_name(document):
    document["images"].append({"id": 9, "file_name": "more/b.tif", "height": 3, "width": 3})
    coco = read_coco(document)
    for name in (9, "more/b.tif", "b.tif", "b"):
        assert labels_from_coco(coco, name).labels.tolist() == [[0, 0, 0]] * 3
    with pytest.raises(ImageError, match=r"holds 2 images\. Name one"):
        labels_from_coco(coco)
    assert coco.image("9").id == 9
    with pytest.raises(ImageError, match=r"no images called 'c'\. It has: a\.png, more/b\.tif"):
        labels_from_coco(coco, "c")


def test_an_unknown_order_is_told(document):
    with pytest.raises(UnknownNameError, match="smaller"):
        labels_from_coco(document, on_top="small")


def test_messages_tell_the_annotation_and_the_image(document):
    document["annotations"][1]["segmentation"] = [[0, 0, 40, 0, 40, 40]]
    with pytest.raises(ImageError, match=r"Annotation 12 of a.png .* out of its image of 10 x 8 px"):
        labels_from_coco(document)
    assert labels_from_coco(document, clip=True).frame["area_px"].tolist()[1] > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no JSON"),
        ('{"images": [', "is no JSON"),
        ("3", "is no COCO file"),
        ('{"images": []}', "no list 'annotations'"),
        ('{"annotations": []}', "no list 'images'"),
        ("[]", "is a list of results"),
        ('{"images": [{"file_name": "a"}], "annotations": []}', "without an id"),
        ('{"images": [{"id": 1, "height": -4, "width": 4}], "annotations": []}', "the height of image 1"),
        ('{"images": [{"id": 1}, {"id": 1}], "annotations": []}', "same id"),
        ('{"images": [{"id": 1}], "annotations": [7]}', "annotation 1 is 7"),
        ('{"images": [{"id": 1}], "annotations": [{"id": 5, "image_id": 2}]}', "annotation 5 is of image 2"),
        (
            '{"images": [{"id": 1}], "categories": [{"id": 1, "name": "a"}], "annotations": '
            '[{"id": 5, "image_id": 1, "category_id": 8}]}',
            "annotation 5 of image_1 is of category 8",
        ),
        ('{"images": [], "categories": [3], "annotations": []}', "a category without an id"),
        ('{"images": [], "categories": [{"id": 1}, {"id": 1}], "annotations": []}', "several categories of the id 1"),
        ('{"images": [{"id": 1e999}], "annotations": []}', "without an id"),
        ('{"images": [{"id": 1, "height": Infinity, "width": 4}], "annotations": []}', "the height of image 1"),
        ('{"images": [{"id": 1}], "annotations": [{"id": 5, "image_id": Infinity}]}', "annotation 5 is of image inf"),
        ('{"images": [{"id": ' + "1" * 5000 + '}], "annotations": []}', "is no COCO file"),
    ],
)
def test_what_is_no_coco_is_told(text, message, tmp_path):
    path = tmp_path / "coco.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ImageError, match=message):
        read_coco(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"category_id": "abc"}, "category 'abc'"),
        ({"category_id": float("inf")}, "category inf"),
        ({"iscrowd": "0"}, "iscrowd '0'"),
        ({"iscrowd": 2}, "iscrowd 2"),
        ({"score": "x"}, "score 'x'"),
        ({"score": float("nan")}, "score nan"),
        ({"score": 10**400}, "score 1000"),
    ],
)
@pytest.mark.parametrize("categories", [True, False])
def test_values_that_are_none_of_coco_are_told_with_annotation_and_image(values, message, categories, document):
    document["annotations"][1] |= values
    if not categories:
        del document["categories"]
    with pytest.raises(ImageError, match=rf"annotation 12 of a\.png .*{message}"):
        read_coco(document)


@pytest.mark.parametrize("categories", [True, False])
def test_null_is_what_is_not_told(categories, document):
    document["annotations"][1] |= {"category_id": None, "iscrowd": None, "score": None, "keep": "by hand"}
    if not categories:
        del document["categories"]
    frame = labels_from_coco(document).frame
    assert frame["class"].isna().tolist() == [not categories, True]
    assert not {"confidence", "keep"} & set(frame)


def test_an_image_larger_than_memory_is_told_and_painted_in_parts():
    square = [[10.0, 10.0, 14.0, 10.0, 14.0, 13.0, 10.0, 13.0]]
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "height": 10**6, "width": 10**6}],
        "annotations": [{"id": 1, "image_id": 1, "segmentation": square}],
    }
    found = labels_from_coco(coco)
    assert found.frame["area_px"].tolist() == [12]
    assert found.painting.part(slice(0, 20), slice(0, 20), np.int32).sum() == 12
    with pytest.raises(ImageError, match=r"not enough memory for labels of a\.png, 1000000 x 1000000 px"):
        found.labels  # noqa: B018


def test_a_missing_or_binary_file_is_told(tmp_path):
    with pytest.raises(ImageError, match="is not there"):
        read_coco(tmp_path / "no.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ImageError, match="UTF-8"):
        read_coco(tmp_path / "b.json")


def test_pairs_give_image_files_with_labels(document, tmp_path):
    document["images"].append({"id": 9, "file_name": "b.png", "height": 8, "width": 10})
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((8, 10), np.uint8)).save(tmp_path / "images" / name)
    pairs = coco_pairs(path)
    assert [file.name for file, _ in pairs] == ["a.png", "b.png"]
    assert [int(labels.max()) for _, labels in pairs] == [2, 0]
    assert len(pairs[:1]) == 1
    assert pairs.particles(0).ignored is not None
    with pytest.raises(IndexError):
        pairs[2]
    (tmp_path / "images" / "b.png").unlink()
    with pytest.raises(ImageError, match=r"Not found .* b.png"):
        coco_pairs(path)


def test_two_images_of_one_name_are_kept_apart(document, tmp_path):
    document["images"] = [
        {"id": number, "file_name": f"fold_{number}/a.png", "height": 8, "width": 10} for number in (4, 5)
    ]
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    Image.fromarray(np.zeros((8, 10), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"fold_4/a\.png and fold_5/a\.png .* would both be .*a\.png"):
        coco_pairs(path)
    with pytest.raises(ImageError, match=r"2 images called 'a\.png'.* 4 \(fold_4/a\.png\), 5 \("):
        read_coco(path).image("a.png")
    for number in (4, 5):
        (tmp_path / f"fold_{number}").mkdir()
        Image.fromarray(np.zeros((8, 10), np.uint8)).save(tmp_path / f"fold_{number}" / "a.png")
    assert [file.parent.name for file, _ in coco_pairs(path)] == ["fold_4", "fold_5"]
