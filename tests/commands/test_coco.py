"""``napari-mpseg coco``: there and back, and numbers."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_mpseg.coco import coco_pairs, labels_from_coco, read_coco
from napari_mpseg.commands import coco_files
from napari_mpseg.images.open import open_image
from napari_mpseg.reports.loading import measured_files
from napari_mpseg.results.labels_tiff import write_labels_tiff


@pytest.fixture
def labels():
    """A ring, a square beside it and a dot."""
    labels = np.zeros((30, 40), np.int32)
    labels[2:9, 2:9] = 3
    labels[4:6, 4:6] = 0
    labels[2:9, 9:14] = 5
    labels[20, 30:33] = 8
    return labels


@pytest.fixture
def folder(labels, tmp_path):
    """Images with labels of the same name in ``labels``."""
    (tmp_path / "set" / "labels").mkdir(parents=True)
    for name, values in (("a", labels), ("b", labels[::-1])):
        Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "set" / f"{name}.png")
        tifffile.imwrite(tmp_path / "set" / "labels" / f"{name}.tif", values.astype(np.uint16))
    return tmp_path / "set"


def test_a_folder_goes_into_one_file_and_comes_back(folder, labels, run, tmp_path):
    code, out, _ = run("coco", "from-labels", folder, "--out", folder / "coco.json")
    assert code == 0
    assert "Particles 6" in out
    assert "2 of 6 particles have holes" in out
    document = read_coco(folder / "coco.json")
    assert [image.file_name for image in document.images] == ["a.png", "b.png"]
    code, out, _ = run("coco", "to-labels", folder / "coco.json", "--out", tmp_path / "back")
    assert code == 0
    assert "Particles 6" in out
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "back" / "a_labels.tif"), labels)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "back" / "b_labels.tif"), labels[::-1])
    found = measured_files(tmp_path / "back" / "a_labels.tif")[0].item().table
    assert found.labels.tolist() == [3, 5, 8]
    assert found.frame["area_px"].tolist() == [45.0, 35.0, 3.0]
    assert found.frame["class"].tolist() == ["particle"] * 3


def test_tables_beside_labels_give_classes_scores_and_decisions(labels, run, tmp_path):
    write_labels_tiff(tmp_path / "a_labels.tif", labels, "a")
    table = "label,area_px,class,confidence,keep\n3,45,bead,0.5,true\n5,35,film,0.9,false\n8,3,film,0.25,true\n"
    (tmp_path / "a_labels.csv").write_text(table, encoding="utf-8")
    assert run("coco", "from-labels", tmp_path / "a_labels.tif", "--out", tmp_path / "kept.json")[0] == 0
    found = labels_from_coco(tmp_path / "kept.json").frame
    assert found["label"].tolist() == [3, 8]
    assert found["class"].tolist() == ["bead", "film"]
    assert found["confidence"].tolist() == [0.5, 0.25]
    arguments = ("coco", "from-labels", tmp_path / "a_labels.tif", "--all", "--shape", "compressed")
    assert run(*arguments, "--out", tmp_path / "all.json")[0] == 0
    assert labels_from_coco(tmp_path / "all.json").frame["label"].tolist() == [3, 5, 8]


def test_folds_with_images_of_one_name_keep_their_folders(labels, run, tmp_path):
    for fold, values in (("fold_1", labels), ("fold_2", labels[::-1])):
        (tmp_path / "set" / fold / "labels").mkdir(parents=True)
        Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "set" / fold / "img0.png")
        tifffile.imwrite(tmp_path / "set" / fold / "labels" / "img0.tif", values.astype(np.uint16))
    for name, asked in (("all.json", ["set"]), ("two.json", ["set/fold_1", "set/fold_2", "set/fold_1"])):
        file = tmp_path / name
        assert run("coco", "from-labels", *(tmp_path / one for one in asked), "--out", file)[0] == 0
        names = [image.file_name for image in read_coco(file).images]
        assert names == ["set/fold_1/img0.png", "set/fold_2/img0.png"]
        pairs = coco_pairs(file)
        assert [path.parent.name for path, _ in pairs] == ["fold_1", "fold_2"]
        np.testing.assert_array_equal(pairs[1][1], labels[::-1])
    code, _, said = run("coco", "to-labels", file, "--out", tmp_path / "out", "--image", "img0.png")
    assert code == 1
    assert "2 images called 'img0.png'" in said
    for name in ("set/fold_2/img0.png", "2"):
        assert run("coco", "to-labels", file, "--out", tmp_path / "out", "--image", name, "--overwrite")[0] == 0
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "img0_labels.tif"), labels[::-1])


def test_want_of_memory_is_told_with_what_helps_here(folder, run, tmp_path, monkeypatch):
    def short(*_, **__):
        raise MemoryError

    run("coco", "from-labels", folder, "--out", tmp_path / "c.json")
    monkeypatch.setattr(coco_files, "write_labels", short)
    code, _, said = run("coco", "to-labels", tmp_path / "c.json", "--out", tmp_path / "out")
    assert code == 1
    assert "not enough memory" in said
    assert "--tile-size" not in said


def test_masks_are_numbered_if_asked_for(run, tmp_path):
    mask = np.full((20, 20), 255, np.uint8)
    mask[2:5, 2:5] = mask[10:14, 3:9] = 0
    Image.fromarray(mask).save(tmp_path / "m.png")
    code, out, _ = run("coco", "from-labels", tmp_path / "m.png", "--out", tmp_path / "one.json")
    assert code == 0
    assert "give --mask" in out
    arguments = ("coco", "from-labels", tmp_path / "m.png", "--mask", "--particle-value", 0, "--pixel-size", "2um")
    assert run(*arguments, "--out", tmp_path / "two.json")[0] == 0
    found = labels_from_coco(tmp_path / "two.json")
    np.testing.assert_array_equal(found.labels > 0, mask == 0)
    assert len(found.frame) == 2
    assert found.image.calibration.pixel_size == (2.0, 2.0)


def test_large_labels_become_a_store_with_its_table(labels, run, tmp_path, monkeypatch):
    monkeypatch.setattr(coco_files, "_LARGE", 100)
    monkeypatch.setattr(coco_files, "_CHUNK", 16)
    tifffile.imwrite(tmp_path / "a.tif", labels)
    assert run("coco", "from-labels", tmp_path / "a.tif", "--out", tmp_path / "c.json", "--pixel-size", "3nm")[0] == 0
    assert run("coco", "to-labels", tmp_path / "c.json", "--out", tmp_path / "out")[0] == 0
    image = open_image(tmp_path / "out" / "a_labels.zarr")
    np.testing.assert_array_equal(np.asarray(image.data), labels)
    assert image.calibration.unit == "nm"
    assert measured_files(tmp_path / "out" / "a_labels.zarr")[0].item().table.labels.tolist() == [3, 5, 8]


def test_crowds_become_what_is_to_be_ignored(run, tmp_path):
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 5}],
        "annotations": [
            {"id": 1, "image_id": 1, "iscrowd": 1, "segmentation": {"size": [4, 5], "counts": [0, 8, 12]}},
            {"id": 2, "image_id": 1, "segmentation": [[1, 0, 4, 0, 4, 2, 1, 2]]},
            {"id": 3, "image_id": 1, "segmentation": [[3, 0, 5, 0, 5, 1, 3, 1]]},
        ],
    }
    (tmp_path / "c.json").write_text(json.dumps(coco), encoding="utf-8")
    code, out, _ = run("coco", "to-labels", tmp_path / "c.json", "--out", tmp_path / "out")
    assert code == 0
    assert "1 px were claimed by more than one particle" in out
    labels = [[0, 1, 1, 2, 2], [0, 1, 1, 1, 0], [0] * 5, [0] * 5]
    assert tifffile.imread(tmp_path / "out" / "a_labels.tif").tolist() == labels
    assert tifffile.imread(tmp_path / "out" / "a_ignored.tif").sum() == 6


def test_average_precision_is_told_and_written(folder, run, tmp_path):
    run("coco", "from-labels", folder, "--out", tmp_path / "truth.json")
    run("coco", "from-labels", folder, "--out", tmp_path / "found.json", "--results")
    arguments = ("coco", "evaluate", tmp_path / "found.json", tmp_path / "truth.json", "--limits", "1,10,500")
    code, out, _ = run(*arguments, "--out", tmp_path / "scores.json")
    assert code == 0
    assert "AP         1.0000" in out
    assert "AP large   -" in out
    found = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert (found["all"]["AP"], found["all"]["VOC AP50"], found["all"]["AR 500"]) == (1.0, 1.0, 1.0)
    assert (found["true_particles"], found["images"]) == (6, 2)


def test_evaluate_ranks_by_the_confidence_in_the_table(labels, run, tmp_path):
    truth = labels.copy()
    truth[truth == 8] = 0
    tifffile.imwrite(tmp_path / "truth.tif", truth)
    write_labels_tiff(tmp_path / "found.tif", labels, "found")
    arguments = ("evaluate", tmp_path / "found.tif", tmp_path / "truth.tif")
    assert "COCO AP" not in run(*arguments)[1]
    for confidence, ap in ((0.1, "1"), (0.99, "0.6667")):
        table = f"label,area_px,confidence\n3,45,0.5\n5,35,0.9\n8,3,{confidence}\n"
        (tmp_path / "found.csv").write_text(table, encoding="utf-8")
        lines = dict(
            line.rsplit(None, 1) for line in run(*arguments)[1].splitlines() if line.startswith(("AP50", "COCO"))
        )
        assert lines == {"AP50": ap, "COCO AP": ap, "COCO AP50": ap}
    (tmp_path / "found.csv").write_text("label,area_px,confidence\n3,45,0.5\n", encoding="utf-8")
    code, out, _ = run(*arguments)
    assert code == 0
    assert "is not used: 2 of the 3 predicted particles" in out
    code, _, said = run(*arguments, "--scores", tmp_path / "found.csv")
    assert code == 1
    assert "have no score" in said


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("coco",), 2, "WAY"),
        (("coco", "to-labels", "no.json", "--out", "x"), 1, "no.json is not there"),
        (("coco", "to-labels", "c.json", "--out", "x", "--on-top", "larger"), 2, "invalid choice"),
        (("coco", "to-labels", "c.json", "--out", "x", "--image", "z"), 1, "no images called 'z'"),
        (("coco", "from-labels", "none", "--out", "x.json"), 1, "none is not there"),
        (("coco", "evaluate", "c.json", "c.json", "--limits", "1,a"), 2, "no numbers of particles"),
        (("coco", "from-labels", "l.tif", "--out", "c.json"), 1, "already there"),
    ],
)
def test_wrong_arguments_are_told(arguments, code, message, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    coco = {"images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 5}], "annotations": []}
    (tmp_path / "c.json").write_text(json.dumps(coco), encoding="utf-8")
    tifffile.imwrite(tmp_path / "l.tif", np.ones((3, 3), np.uint8))
    found, out, said = run(*arguments)
    assert (found, message in said + out) == (code, True)


def test_earlier_files_stay_unless_asked(labels, run, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", labels)
    run("coco", "from-labels", tmp_path / "a.tif", "--out", tmp_path / "c.json")
    run("coco", "to-labels", tmp_path / "c.json", "--out", tmp_path)
    code, _, said = run("coco", "to-labels", tmp_path / "c.json", "--out", tmp_path)
    assert code == 1
    assert "already there" in said
    assert run("coco", "to-labels", tmp_path / "c.json", "--out", tmp_path, "--overwrite")[0] == 0
