"""Labels as COCO's JSON, read by COCO's own tool and read back."""

import contextlib
import io
import json

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from PIL import Image

from napari_mpseg.calibration import Calibration
from napari_mpseg.coco import labels_from_coco, read_coco
from napari_mpseg.errors import Cancelled, ImageError, SettingsError, StoreError, UnknownNameError
from napari_mpseg.exchange.coco import CocoSettings, CocoSource, labels_to_coco, write_coco
from napari_mpseg.exchange.coco.shapes import SHAPES
from napari_mpseg.exchange.export import export
from napari_mpseg.particles import blocks
from napari_mpseg.progress import CancelToken


def reference(path):
    """Return the file as COCO's own tool reads it."""
    coco = pytest.importorskip("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        return coco.COCO(str(path))


def random_labels(rng, shape, n=9):
    """Return labels with gaps in their numbers, holes and pieces, touching and at all borders."""
    labels = rng.integers(0, n, tuple(-(-size // 3) for size in shape)).repeat(3, 0).repeat(3, 1)
    labels = labels[: shape[0], : shape[1]] * 7
    labels[rng.random(shape) < 0.1] = 0
    return labels.astype(np.int32)


def by_label(annotations):
    return {one["label"]: {key: value for key, value in one.items() if key != "id"} for one in annotations}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_pycocotools_reads_every_particle(shape, labels, table, tmp_path):
    path = tmp_path / "coco.json"
    write_coco(path, [CocoSource("a.png", labels, table.frame)], CocoSettings(shape))
    coco = reference(path)
    assert len(coco.anns) == 5
    for annotation in coco.loadAnns(coco.getAnnIds()):
        mask = labels == annotation["label"]
        np.testing.assert_array_equal(coco.annToMask(annotation), mask)
        assert annotation["area"] == np.count_nonzero(mask)
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert annotation["bbox"] == box
        assert annotation["iscrowd"] == 0


@pytest.mark.parametrize("shape", list(SHAPES))
def test_labels_come_back_pixel_by_pixel(shape, rng):
    for size in ((1, 1), (1, 30), (30, 1), (40, 55)):
        labels = random_labels(rng, size)
        coco = labels_to_coco(labels, settings=CocoSettings(shape))
        np.testing.assert_array_equal(labels_from_coco(coco).labels, labels)


def test_polygons_hold_pieces_and_run_lengths_holes(labels):
    found = by_label(labels_to_coco(labels)["annotations"])
    assert len(found[3]["segmentation"]) == 1
    assert len(found[3]["segmentation"][0]) == 8
    assert isinstance(found[5]["segmentation"]["counts"], list)  # the ring
    assert len(found[8]["segmentation"]) == 2
    assert len(found[12]["segmentation"]) == 1  # two pixels that touch with a corner
    text = by_label(labels_to_coco(labels, settings=CocoSettings("compressed"))["annotations"])
    assert all(isinstance(one["segmentation"]["counts"], str) for one in text.values())


@pytest.mark.parametrize("size", [(7, 5), (16, 16), (64, 3)])
def test_particles_over_the_borders_of_chunks_are_whole(size, rng, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 16)
    labels = random_labels(rng, (61, 67), 30)
    expected = by_label(labels_to_coco(labels)["annotations"])
    stored = zarr.create_array(str(tmp_path / "a.zarr"), shape=labels.shape, chunks=size, dtype="int32")
    stored[:] = labels
    for array in (stored, da.from_array(labels, chunks=size)):
        path = tmp_path / "coco.json"
        write_coco(path, [CocoSource("image.png", array)], overwrite=True)
        found = json.loads(path.read_text(encoding="utf-8"))
        assert by_label(found["annotations"]) == expected
        assert [one["id"] for one in found["annotations"]] == list(range(1, len(expected) + 1))


def test_a_particle_is_forgotten_when_it_is_complete(monkeypatch):
    from napari_mpseg.exchange.coco import collecting
    from napari_mpseg.progress import silent

    monkeypatch.setattr(blocks, "BLOCK_SIZE", 16)
    labels = np.zeros((160, 16), np.int32)
    for number in range(40):
        labels[4 * number + 1 : 4 * number + 3, 3:9] = number + 1
    labels[:, 14] = 41  # as long as the image
    token = CancelToken()
    array = da.from_array(labels, chunks=(16, 16))
    extents = collecting.particle_extents(array, None, silent, token)
    parts = list(collecting.whole_particles(array, extents, silent, token))
    assert len(parts) == 10
    assert all(len(np.unique(part.label)) <= 5 for part in parts)
    assert [41 in part.label for part in parts] == [False] * 9 + [True]


def test_classes_scores_and_decisions_are_written(labels, table, tmp_path):
    table = table.with_columns(confidence=[0.5, 0.25, 1.0, np.nan, 0.75])
    path = tmp_path / "coco.json"
    write_coco(path, [CocoSource("a.png", labels, table.frame, table.calibration)])
    found = json.loads(path.read_text(encoding="utf-8"))
    assert [(one["id"], one["name"]) for one in found["categories"]] == [(1, "bead"), (2, "fibre"), (3, "particle")]
    image = {"id": 1, "file_name": "a.png", "width": 14, "height": 12, "pixel_size": [2.0, 2.0], "unit": "um"}
    assert found["images"] == [image]
    one = by_label(found["annotations"])
    assert {label: each["category_id"] for label, each in one.items()} == {3: 1, 5: 1, 8: 3, 9: 2, 12: 2}
    assert {label: each.get("score") for label, each in one.items()} == {3: 0.5, 5: 0.25, 8: 1.0, 9: None, 12: 0.75}
    assert {label: each["keep"] for label, each in one.items()} == {3: True, 5: True, 8: False, 9: True, 12: True}
    again = labels_from_coco(path)
    assert again.image.calibration.pixel_size == (2.0, 2.0)
    assert again.frame["label"].tolist() == [3, 5, 8, 9, 12]
    assert again.frame["class"].tolist() == ["bead", "bead", "particle", "fibre", "fibre"]
    assert again.frame["keep"].tolist() == [True, True, False, True, True]


def test_without_a_table_all_are_of_one_category(labels):
    found = labels_to_coco(labels, settings=CocoSettings(category="bead"))
    assert [one["name"] for one in found["categories"]] == ["bead"]
    assert {one["category_id"] for one in found["annotations"]} == {1}


def test_results_are_read_by_pycocotools(labels, table, tmp_path):
    truth, found = tmp_path / "truth.json", tmp_path / "found.json"
    source = CocoSource("a.png", labels, table.with_columns(confidence=[0.5, 0.25, 1.0, 0.1, 0.75]).frame)
    write_coco(truth, [source])
    written = write_coco(found, [source], CocoSettings(results=True))
    assert (written.particles, written.notes) == (5, ())
    coco = reference(truth)
    with contextlib.redirect_stdout(io.StringIO()):
        results = coco.loadRes(str(found))
    for one in results.loadAnns(results.getAnnIds()):
        mask = labels == one["label"]
        np.testing.assert_array_equal(results.annToMask(one), mask)
        assert one["area"] == np.count_nonzero(mask)
    again = labels_from_coco(read_coco(found, images_of=read_coco(truth)))
    np.testing.assert_array_equal(again.labels, labels)
    assert again.frame["confidence"].tolist() == [0.5, 0.25, 1.0, 0.1, 0.75]


def test_results_without_confidence_have_the_score_1(labels):
    found = labels_to_coco(labels, settings=CocoSettings(results=True))
    assert {one["score"] for one in found} == {1.0}


def test_several_images_are_numbered_through(labels, tmp_path):
    path = tmp_path / "coco.json"
    written = write_coco(
        path, [CocoSource("a.png", labels), CocoSource("b.png", labels[:5]), CocoSource("c.png", labels[:1])]
    )
    assert (written.images, written.particles) == (3, 8)
    coco = reference(path)
    assert sorted(coco.anns) == list(range(1, 9))
    assert [len(coco.getAnnIds(imgIds=image)) for image in (1, 2, 3)] == [5, 3, 0]
    np.testing.assert_array_equal(labels_from_coco(path, "b").labels, labels[:5])


def test_the_export_format_writes_kept_particles_of_every_plane(labels, table, tmp_path):
    stack = np.stack([labels, np.zeros_like(labels), labels])
    frame = pd.concat([table.frame.assign(plane=plane) for plane in (0, 2)], ignore_index=True)
    from dataclasses import replace

    # a label of a stack occurs once
    stack[2][stack[2] > 0] += 100
    frame.loc[frame["plane"] == 2, "label"] += 100
    path = export(replace(table, frame=frame), tmp_path, "filter 3", "coco", labels=stack)["coco"]
    found = json.loads(path.read_text(encoding="utf-8"))
    assert [(one["file_name"], one["plane"]) for one in found["images"]] == [("filter 3", plane) for plane in range(3)]
    coco = read_coco(path)
    assert [len(coco.annotations[image]) for image in (1, 2, 3)] == [4, 0, 4]


def test_the_export_format_names_the_image_file_on_record(labels, table, tmp_path):
    from dataclasses import replace

    table = replace(table, provenance={"inputs": {"source": "/data/filters/f3.ome.tif"}})
    path = export(table, tmp_path, "f3", "coco", labels=labels)["coco"]
    assert json.loads(path.read_text(encoding="utf-8"))["images"][0]["file_name"] == "f3.ome.tif"


def test_particles_that_are_not_there_are_told_and_nothing_is_left(labels, table, tmp_path):
    labels[labels == 9] = 0
    with pytest.raises(SettingsError, match=r"1 of the table's 5 particles are not in the labels of a\.png"):
        write_coco(tmp_path / "new" / "a.json", [CocoSource("a.png", labels, table.frame)])
    assert not (tmp_path / "new").exists()


def test_a_cancelled_export_leaves_nothing(labels, tmp_path):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        write_coco(tmp_path / "new" / "a.json", [CocoSource("a.png", labels)], cancel=token)
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_written_is_told(labels, tmp_path):
    with pytest.raises(ImageError, match=r"a\.png: .*boolean"):
        labels_to_coco(labels > 0, file_name="a.png")
    with pytest.raises(ImageError, match="must not be negative"):
        labels_to_coco(labels - 1)
    with pytest.raises(UnknownNameError):
        CocoSettings("mask")
    with pytest.raises(SettingsError, match="no image"):
        write_coco(tmp_path / "a.json", [])
    with pytest.raises(SettingsError, match=r"2 images are called a\.png"):
        write_coco(tmp_path / "a.json", [CocoSource("a.png", labels), CocoSource("a.png", labels)])
    with pytest.raises(ImageError, match="label 3 twice"):
        CocoSource("a.png", labels, pd.DataFrame({"label": [3, 3]}))
    (tmp_path / "a.json").touch()
    with pytest.raises(StoreError, match="already there"):
        write_coco(tmp_path / "a.json", [CocoSource("a.png", labels)])


def test_empty_labels_make_a_whole_file(tmp_path):
    path = tmp_path / "coco.json"
    write_coco(path, [CocoSource("a.png", np.zeros((5, 4), np.uint8), calibration=Calibration((1, 2), "nm"))])
    assert reference(path).anns == {}
    assert labels_from_coco(path).labels.shape == (5, 4)
    assert labels_to_coco(np.zeros((5, 4), np.uint8), settings=CocoSettings(results=True)) == []


# -- real labels ---------------------------------------------------------------------------------------------------

_SETS = {
    "mpnet": ("mpnet/fold_*/labels/*.png", 60),
    "mira": ("mira/labels/*.tif", 34),
    "sem-fibres": ("sem-fibres/*/labels/*.tif", 80),
    "nuclei": ("nuclei/labels/*.tif", 12),
    "painted": ("painted/**/*.tif", 8),
}


def read(path):
    """Return labels; masks where 0 is particle become numbered pieces."""
    from skimage.measure import label

    if path.suffix == ".png":
        return label(np.asarray(Image.open(path)) == 0, connectivity=2).astype(np.int32)
    return tifffile.imread(path)


@pytest.mark.data
@pytest.mark.parametrize("name", list(_SETS))
def test_real_labels_come_back_identical(name, shared_data, tmp_path):
    paths = [path for path in sorted(shared_data.glob(_SETS[name][0])) if name != "painted" or is_labels(path)]
    step = max(1, len(paths) // 4)  # all of them in the slow test
    check_round_trip(paths[::step], tmp_path)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", list(_SETS))
def test_all_real_labels_come_back_identical(name, shared_data, tmp_path):
    pattern, least = _SETS[name]
    paths = [path for path in sorted(shared_data.glob(pattern)) if name != "painted" or is_labels(path)]
    assert len(paths) == least
    check_round_trip(paths, tmp_path)


def is_labels(path):
    return "annotation" in f"{path.parent.name}/{path.name}" or "labels" in path.name


def check_round_trip(paths, folder):
    sources = [CocoSource(f"{number}.png", read(path)) for number, path in enumerate(paths)]
    for shape in SHAPES:
        path = folder / f"{shape}.json"
        write_coco(path, sources, CocoSettings(shape))
        document = read_coco(path)
        for source in sources:
            np.testing.assert_array_equal(labels_from_coco(document, source.file_name).labels, source.labels)
    coco = reference(folder / "polygon.json")
    for image, source in zip(coco.loadImgs(coco.getImgIds()), sources, strict=True):
        painted = np.zeros((image["height"], image["width"]), np.int64)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            painted[coco.annToMask(annotation) > 0] = annotation["label"]
        np.testing.assert_array_equal(painted, source.labels)
