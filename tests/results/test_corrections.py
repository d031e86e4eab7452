"""Corrections of a region: what numbers particles get, what is written, what a kill leaves behind, taking back."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import zarr

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.inference.store import create_store
from napari_mpseg.particles.review.edits import EditError
from napari_mpseg.particles.reviewable import measure_for_review
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.results.corrections import correct
from napari_mpseg.results.corrections.place import place_in, place_of
from napari_mpseg.results.corrections.settling import settle
from napari_mpseg.results.corrections.turns import in_turn
from napari_mpseg.results.result_store import write_record
from napari_mpseg.results.save_review import save_review

ALL = (slice(None), slice(None))


def filled(shape, **boxes):
    """Return labels with rectangles: ``n5=(y0, x0, y1, x1)`` is particle 5."""
    labels = np.zeros(shape, np.int32)
    for name, (y0, x0, y1, x1) in boxes.items():
        labels[y0:y1, x0:x1] = int(name.rpartition("_")[0][1:] or 0) if "_" in name else int(name[1:])
    return labels


# -- numbers


def test_a_particle_painted_anew_gets_the_next_number():
    before = filled((20, 30), n3=(2, 2, 6, 6))
    painted = before.copy()
    painted[10:13, 10:14] = 99
    settled = settle(before, painted, ALL, highest=7)
    assert settled.created == settled.touched == (8,)
    np.testing.assert_array_equal(settled.labels, np.where(painted == 99, 8, painted))


def test_parts_get_numbers_and_the_largest_keeps_its_own():
    before = filled((20, 40), n3=(5, 2, 8, 30), n4=(15, 2, 17, 5))
    painted = before.copy()
    painted[5:8, 10:12] = 0
    settled = settle(before, painted, ALL, highest=4)
    assert settled.created == (5,)
    assert settled.parents == {5: 3}
    assert (settled.labels[5:8, 2:10] == 5).all()
    assert (settled.labels[5:8, 12:30] == 3).all()
    whole = settle(before, painted, ALL, highest=4, separate=False)
    np.testing.assert_array_equal(whole.labels, painted)
    assert whole.created == ()


def test_what_goes_on_outside_keeps_its_number_and_what_was_cut_off_does_not():
    whole = filled((20, 40), n1=(5, 0, 8, 40))
    inner = (slice(1, 19), slice(10, 30))
    ring = whole[:, 9:31]
    inner = (slice(0, 20), slice(1, 21))
    painted = ring[inner].copy()
    painted[5:8, :3] = 0
    painted[5:8, 17:] = 0
    settled = settle(ring, painted, inner, highest=1)
    assert settled.created == (2,)
    assert (settled.labels[5:8, 3:17] == 2).all()
    assert settled.gone == ()
    painted[...] = 0
    erased = settle(ring, painted, inner, highest=1)
    assert erased.reaching == (1,)
    assert "goes on outside" in erased.notes()[0]


def test_the_number_of_a_particle_elsewhere_is_taken_for_a_new_one():
    before = filled((20, 30), n3=(2, 2, 6, 6))
    painted = before.copy()
    painted[10:13, 10:14] = 1  # napari begins with label 1
    settled = settle(before, painted, ALL, highest=7)
    assert settled.created == (8,)
    assert settled.parents == {}


def test_particles_in_several_pieces_stay_so_unless_they_are_parted():
    before = filled((20, 40), n3_a=(2, 2, 6, 6), n3_b=(12, 2, 16, 6), n3_c=(2, 20, 4, 30))
    painted = before.copy()
    painted[2, 2] = 0
    assert settle(before, painted, ALL, highest=3).created == ()
    painted[2:4, 24] = 0
    parted = settle(before, painted, ALL, highest=3)
    assert parted.created == (4,)
    assert (parted.labels[2:4, 20:24] == 4).all()
    assert (parted.labels[12:16, 2:6] == 3).all()


def test_a_particle_redrawn_beside_itself_keeps_its_number():
    before = filled((20, 30), n3=(2, 2, 6, 6))
    painted = filled((20, 30), n3=(12, 2, 16, 6))
    settled = settle(before, painted, ALL, highest=3)
    np.testing.assert_array_equal(settled.labels, painted)
    assert settled.gone == settled.created == ()


def test_random_scribbles_never_give_a_number_twice(rng):
    from skimage.measure import label

    for _ in range(30):
        whole = label(rng.random((40, 50)) > 0.6, connectivity=2).astype(np.int32)
        inner = (slice(1, 31), slice(1, 41))
        ring = whole[4:36, 3:45]
        painted = ring[inner].copy()
        for _ in range(4):
            y, x = rng.integers(0, 26), rng.integers(0, 36)
            painted[y : y + 4, x : x + 4] = rng.choice([0, 0, int(whole.max()) + 5, int(rng.integers(1, whole.max()))])
        settled = settle(ring, painted, inner, highest=int(whole.max()))
        after = ring.copy()
        after[inner] = settled.labels
        np.testing.assert_array_equal(settled.labels > 0, painted > 0)
        numbers = sorted(settled.created)
        assert numbers == list(range(int(whole.max()) + 1, int(whole.max()) + 1 + len(numbers)))
        pieces = label(after, background=0, connectivity=2)
        for number in settled.created:
            assert len(np.unique(pieces[after == number])) == 1


# -- on disk

SHAPE, CHUNK = (300, 260), 64
SIZE = Calibration((2.0, 2.0), "um")


def make_result(folder, labels, image, *, levels=True, name="filter"):
    """Write a result as segmenting does, with levels of half and quarter size by hand."""
    np.save(folder / f"{name}.npy", image)
    path = folder / f"{name}.ome.zarr"
    arrays = create_store(path, labels.shape, CHUNK, SIZE, name)
    arrays.labels[...] = labels
    probability = np.where(labels > 0, 200, 10).astype(np.uint8)
    arrays.probability[...] = probability
    inputs = {"name": name, "source": str(folder / f"{name}.npy"), "shape": list(labels.shape), "plane": []}
    inputs |= {"calibration": {"pixel_size": [2.0, 2.0], "unit": "um", "source": "given"}, "channels": []}
    record = {"program": "napari-mpseg", "operation": "segment", "inputs": inputs}
    write_record(arrays, record | {"settings": {"method": "default", "threshold": 0.5, "connectivity": 2}})
    if levels:
        for group, pixels in (("", probability), ("labels/particles", labels)):
            add_levels(zarr.open_group(path, path=group, mode="r+"), pixels)
    table = measured(labels, image, probability)
    table.to_csv(folder / f"{name}_particles.csv")
    table.to_parquet(folder / f"{name}_particles.parquet")
    (folder / f"{name}_run.json").write_text(json.dumps({**record, "particles": int(labels.max()), "notes": []}))
    return path


def add_levels(group, pixels):
    ome = dict(group.attrs["ome"])
    first = ome["multiscales"][0]["datasets"][0]
    for level in (1, 2):
        pixels = halved(pixels)
        array = group.create_array(str(level), shape=pixels.shape, chunks=(CHUNK, CHUNK), dtype=pixels.dtype)
        array[...] = pixels
        scale = [size * 2**level for size in first["coordinateTransformations"][0]["scale"]]
        transform = [{"type": "scale", "scale": scale}]
        ome["multiscales"][0]["datasets"].append({"path": str(level), "coordinateTransformations": transform})
    group.attrs["ome"] = ome


def halved(pixels):
    height, width = pixels.shape
    padded = np.zeros((height + height % 2, width + width % 2), pixels.dtype)
    padded[:height, :width] = pixels
    return np.max([padded[y::2, x::2] for y in (0, 1) for x in (0, 1)], axis=0)


def measured(labels, image, probability):
    return measure_for_review(labels, Image(image, "filter", SIZE), probability=probability)


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 255, SHAPE, np.uint8)


@pytest.fixture
def labels():
    return filled(
        SHAPE,
        n1=(3, 3, 12, 20),
        n2=(60, 50, 70, 90),
        n3=(80, 100, 120, 104),
        n4=(90, 180, 110, 250),
        n5=(200, 200, 220, 240),
    )


@pytest.fixture
def place(tmp_path, labels, image):
    return place_in(make_result(tmp_path, labels, image))


def pixels_of(place):
    return [np.asarray(level[...]) for level in place.levels()]


def everything(folder):
    """Return what lies in a folder, the times at which things were written left out."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


BOX = (40, 40, 140, 200)


def painted_in(place):
    """Erase 2 partly, part 3, erase the inside of 4, paint a new one, all in the region."""
    painted = correct.take_region(place, BOX).copy()
    painted[20:25, 10:20] = 0
    painted[58:60, 60:64] = 0
    painted[painted == 4] = 0
    painted[5:9, 100:110] = 77
    return painted


def check_is_right(place, image, labels, expected):
    """Check pixels, levels and tables against the whole image measured anew."""
    found = pixels_of(place)
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], halved(expected))
    np.testing.assert_array_equal(found[2], halved(halved(expected)))
    whole = measured(expected, image, np.where(labels > 0, 200, 10).astype(np.uint8)).frame
    changed = ["keep", "class", "class_assigned"]
    for path in place.tables:
        frame = ParticleTable.read(path).frame
        assert list(frame["label"]) == list(whole["label"])
        pd.testing.assert_frame_equal(
            frame.drop(columns=changed), whole.drop(columns=changed), check_dtype=False, rtol=1e-9
        )


def test_a_correction_is_as_if_the_whole_image_had_been_measured(place, image, labels):
    painted = painted_in(place)
    taken = correct.take_region(place, BOX)
    done = correct.correct_region(place, BOX, painted, taken=taken)
    assert done.touched == (2, 3, 4, 6, 7)
    assert done.created == (6, 7)
    assert done.parents == {7: 3}
    assert done.gone == ()
    assert "Particle 4 goes on outside of the region" in done.notes[0]
    expected = labels.copy()
    expected[40:140, 40:200] = painted
    expected[expected == 77] = 6
    smaller = expected[80:98, 100:104]  # of the two parts of 3 the one above the cut
    assert (smaller == 3).all()
    smaller[...] = 7
    outside = np.ones(SHAPE, bool)
    outside[40:140, 40:200] = False
    np.testing.assert_array_equal(pixels_of(place)[0][outside], labels[outside])
    check_is_right(place, image, labels, expected)
    table = ParticleTable.read(place.tables[0]).frame.set_index("label")
    assert table.loc[[6, 7], "keep"].all()
    entry = place.kept()["audit"][-1]
    assert (entry["action"], entry["labels"]) == ("correct", [2, 3, 4, 6, 7])
    assert entry["after"]["region"] == list(BOX)
    assert entry["time"]


def test_taking_back_gives_the_bytes_of_before(place, tmp_path, labels):
    before = everything(tmp_path)
    correct.correct_region(place, BOX, painted_in(place))
    assert correct.last_correction(place) == (1, BOX)
    undone = correct.undo_last(place)
    assert undone.gone == (6, 7)
    after = everything(tmp_path)
    told = "filter.ome.zarr/labels/particles/zarr.json"
    assert [entry["action"] for entry in place.kept()["audit"]] == ["correct", "undo"]
    assert set(before) == set(after)
    different = {name for name in before if before[name] != after[name]}
    tables = {"filter_particles.csv", "filter_particles.parquet"}
    assert different <= {told, *tables}
    np.testing.assert_array_equal(pixels_of(place)[0], labels)
    with pytest.raises(EditError, match="no correction"):
        correct.undo_last(place)


def test_decisions_stay_and_parts_inherit_them(place):
    csv = place.store.with_name("filter_particles.csv")
    frame = pd.read_csv(csv)
    frame["keep"] = frame["label"] != 3
    frame["class"] = ["film", "bead", "fibre", "film", "bead"]
    frame["mine"] = ["a", "b", "c", "d", "e"]
    frame.to_csv(csv, index=False)
    os.utime(csv, (2e9, 2e9))
    correct.correct_region(place, BOX, painted_in(place))
    table = ParticleTable.read(csv).frame.set_index("label")
    assert table["keep"].to_dict() == {1: True, 2: True, 3: False, 4: True, 5: True, 6: True, 7: False}
    assert table["class"].astype(str).to_dict() == {
        1: "film", 2: "bead", 3: "fibre", 4: "film", 5: "bead", 6: "unclassified", 7: "fibre",
    }  # fmt: skip
    assert table.loc[3, "mine"] == table.loc[7, "mine"] == "c"
    frame = ParticleTable.read(csv).frame
    frame.loc[frame["label"] == 2, "keep"] = False
    frame.to_csv(csv, index=False)
    os.utime(csv, (2.1e9, 2.1e9))
    correct.undo_last(place)
    table = ParticleTable.read(csv).frame.set_index("label")
    assert table["keep"].to_dict() == {1: True, 2: False, 3: False, 4: True, 5: True}


def test_numbers_of_particles_that_are_gone_are_not_given_again(place):
    box = (190, 190, 230, 250)
    done = correct.correct_region(place, box, np.zeros((40, 60), np.int32))
    assert done.gone == (5,)
    assert 5 not in set(ParticleTable.read(place.tables[0]).labels)
    painted = np.zeros((40, 60), np.int32)
    painted[3:6, 3:6] = 5
    assert correct.correct_region(place, box, painted).created == (6,)


def test_labels_without_table_or_record_are_corrected_too(tmp_path, labels):
    from napari_mpseg.results.corrections.place import LabelsPlace

    root = zarr.open_group(tmp_path / "own.ome.zarr", mode="w")
    root.create_array("0", data=labels, chunks=(50, 70))
    root.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"axes": [], "datasets": [{"path": "0"}]}],
        "image-label": {},
    }
    place = place_of(zarr.open_group(tmp_path / "own.ome.zarr", mode="r")["0"])
    assert place == LabelsPlace((tmp_path / "own.ome.zarr").absolute())
    painted = correct.take_region(place, (0, 0, 30, 30)).copy()
    painted[20:23, 20:23] = 2
    done = correct.correct_region(place, (0, 0, 30, 30), painted)
    assert done.created == (6,)
    assert done.measured is None
    assert place_of(labels) is None


def test_what_cannot_be_corrected_is_refused_and_nothing_changes(place, tmp_path):
    before = everything(tmp_path)
    taken = correct.take_region(place, BOX)
    with pytest.raises(EditError, match="Nothing was changed"):
        correct.correct_region(place, BOX, taken)
    with pytest.raises(EditError, match="outside of the labels"):
        correct.take_region(place, (0, 0, 400, 20))
    with pytest.raises(EditError, match="does not fit the region"):
        correct.correct_region(place, BOX, taken[1:])
    with pytest.raises(EditError, match="Zoom in"):
        correct.check_box((9000, 9000), (0, 0, 5000, 10))
    with pytest.raises(StoreError, match="changed by somebody else"):
        correct.correct_region(place, BOX, taken, taken=taken + 1)
    assert everything(tmp_path) == before


def test_a_later_change_is_not_overwritten_by_taking_back(place):
    correct.correct_region(place, BOX, painted_in(place))
    place.levels(write=True)[0][45, 45] = 1
    with pytest.raises(EditError, match="changed since in another way"):
        correct.undo_last(place)


# -- killed


class Killed(BaseException):
    pass


def dying(monkeypatch, count):
    """Let the process die, as far as this package can see it, before the n-th file is put in place."""
    left = [count]
    real = {name: getattr(os, name) for name in ("replace", "rename", "unlink")}

    def call(name):
        def dies(*args, **kwargs):
            if left[0] <= 0:
                raise Killed
            left[0] -= 1
            return real[name](*args, **kwargs)

        return dies

    for name in real:
        monkeypatch.setattr(os, name, call(name))
    return left


@pytest.mark.parametrize("undo", [False, True])
def test_killed_at_any_moment_leaves_the_old_or_what_is_finished_at_opening(undo, tmp_path, labels, image, monkeypatch):
    reference, template = tmp_path / "reference", tmp_path / "template"
    template.mkdir()
    place = place_in(make_result(template, labels, image))
    painted = painted_in(place)
    shutil.copytree(template, reference)
    correct.correct_region(place_in(reference / "filter.ome.zarr"), BOX, painted)
    if undo:
        correct.correct_region(place, BOX, painted)
        correct.undo_last(place_in(reference / "filter.ome.zarr"))
    finished = pixels_of(place_in(reference / "filter.ome.zarr"))
    before = pixels_of(place)
    table = pd.read_csv(reference / "filter_particles.csv")
    count, alive = 0, True
    while alive:
        folder = tmp_path / f"{count}"
        shutil.copytree(template, folder)
        place = place_in(folder / "filter.ome.zarr")
        with monkeypatch.context() as patch:
            dying(patch, count)
            try:
                correct.undo_last(place) if undo else correct.correct_region(place, BOX, painted)
                alive = False
            except Killed:
                pass
        left_over = bool(correct.finish_left_over(place))
        after = pixels_of(place)
        same_as_before = all(np.array_equal(*pair) for pair in zip(before, after, strict=True))
        assert not left_over or not same_as_before
        if left_over or not alive:
            for one, other in zip(after, finished, strict=True):
                np.testing.assert_array_equal(one, other)
            pd.testing.assert_frame_equal(pd.read_csv(folder / "filter_particles.csv"), table)
        else:
            assert same_as_before or all(np.array_equal(*pair) for pair in zip(after, finished, strict=True))
        actions = [entry["action"] for entry in place.kept().get("audit", [])]
        assert actions in (["correct", "undo"][: 1 + undo], ["correct"][:undo])
        assert correct.finish_left_over(place) == []
        count += 1
    assert count > 8


# -- two at once


def erased(place, box, label):
    painted = correct.take_region(place, box).copy()
    painted[painted == label] = 0
    return painted


def meanwhile(monkeypatch, act):
    """Do something once while the next correction is about to write its journal, which it has read all for."""
    real = correct.journal.write

    def write(path, stored):
        monkeypatch.setattr(correct.journal, "write", real)
        act()
        real(path, stored)

    monkeypatch.setattr(correct.journal, "write", write)


def test_a_second_correction_at_the_same_time_is_refused_and_loses_nothing(tmp_path, image, monkeypatch):
    both = filled(SHAPE, n1=(3, 3, 12, 20), n2=(30, 30, 40, 40))  # in one chunk
    place = place_in(make_result(tmp_path, both, image))
    here, there = (0, 0, 20, 25), (25, 25, 50, 50)
    first, second = erased(place, here, 1), erased(place, there, 2)
    refused = []

    def other():
        for act in (lambda: correct.correct_region(place, there, second), lambda: correct.undo_last(place)):
            with pytest.raises(StoreError, match="being changed in another window") as error:
                act()
            refused.append(str(error.value))

    meanwhile(monkeypatch, other)
    correct.correct_region(place, here, first)
    assert len(refused) == 2
    assert set(np.unique(pixels_of(place)[0])) == {0, 2}
    assert list(ParticleTable.read(place.tables[0]).labels) == [2]
    assert correct.correct_region(place, there, second).number == 2
    assert not pixels_of(place)[0].any()
    assert [entry["labels"] for entry in place.kept()["audit"]] == [[1], [2]]
    assert sorted(path.name for path in place.folder.iterdir()) == ["0001.npz", "0002.npz"]


def test_what_somebody_is_still_applying_is_not_finished_by_opening(place, monkeypatch):
    from napari_mpseg.results.labels_file import open_labels

    real, begun = correct.apply_journal, []

    def apply(place, path, on_progress):
        begun.append(path.exists())
        assert correct.finish_left_over(place) == []
        open_labels(place.store)
        assert path.exists()
        return real(place, path, on_progress)

    monkeypatch.setattr(correct, "apply_journal", apply)
    assert correct.correct_region(place, BOX, painted_in(place)).number == 1
    assert begun == [True]


def test_another_process_is_kept_out(place):
    import subprocess
    import sys

    code = f"""if True:
        from napari_mpseg.results.corrections.place import place_in
        from napari_mpseg.results.corrections.turns import in_turn
        with in_turn(place_in({str(place.store)!r})):
            print("held", flush=True)
            input()
    """
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="being changed in another window"):
            correct.correct_region(place, BOX, painted_in(place))
        other.kill()
        other.wait()
    assert correct.correct_region(place, BOX, painted_in(place)).number == 1


# -- numbers after taking back


def test_numbers_of_corrections_and_particles_are_not_given_again_after_taking_back(place):
    box, free = BOX, (150, 10, 180, 60)
    correct.correct_region(place, (190, 190, 230, 250), np.zeros((40, 60), np.int32))
    second = correct.correct_region(place, box, painted_in(place))
    assert (second.number, second.created) == (2, (6, 7))
    correct.undo_last(place)
    painted = np.zeros((30, 50), np.int32)
    painted[5:9, 5:9] = 1
    third = correct.correct_region(place, free, painted)
    assert (third.number, third.created) == (3, (8,))
    correct.undo_last(place)
    fourth = correct.correct_region(place, free, painted)
    assert (fourth.number, fourth.created) == (4, (9,))
    told = [(entry["action"], entry["after"]["correction"]) for entry in place.kept()["audit"]]
    assert told == [("correct", 1), ("correct", 2), ("undo", 2), ("correct", 3), ("undo", 3), ("correct", 4)]


def test_asking_for_the_last_correction_unpacks_no_pixels(place, monkeypatch):
    correct.correct_region(place, BOX, painted_in(place))
    names, get = [], np.lib.npyio.NpzFile.__getitem__
    monkeypatch.setattr(
        np.lib.npyio.NpzFile, "__getitem__", lambda stored, name: names.append(name) or get(stored, name)
    )
    assert correct.last_correction(place) == (1, BOX)
    assert names == ["about"]


# -- decisions saved meanwhile


def test_saving_decisions_keeps_what_was_corrected_since_the_layer_was_opened(place):
    opened, features = place.kept(), ParticleTable.read(place.tables[0]).to_features()
    correct.correct_region(place, BOX, painted_in(place))
    correct.undo_last(place)
    decided = {"time": "2999-01-01T00:00:00.000+00:00", "action": "reject", "labels": [1]}
    save_review(place, features, {**opened, "highest_label": 5, "corrected": 0, "audit": [decided]})
    assert [entry["action"] for entry in place.kept()["audit"]] == ["correct", "undo", "reject"]
    save_review(place, features, {"audit": [decided]})
    assert len(place.kept()["audit"]) == 3
    painted = np.zeros((30, 50), np.int32)
    painted[5:9, 5:9] = 1
    done = correct.correct_region(place, (150, 10, 180, 60), painted)
    assert (done.number, done.created) == (2, (8,))


def test_a_table_from_before_a_correction_does_not_take_the_place_of_the_one_after(place, tmp_path):
    features = ParticleTable.read(place.tables[0]).to_features()
    correct.correct_region(place, BOX, painted_in(place))
    before = everything(tmp_path)
    with pytest.raises(StoreError, match=r"6, 7.*Open the result again"):
        save_review(place, features, {})
    assert everything(tmp_path) == before
    with in_turn(place), pytest.raises(StoreError, match="being changed in another window"):
        save_review(place, None, {})
