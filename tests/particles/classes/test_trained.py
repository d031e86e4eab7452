"""Classifiers learnt from assigned particles: what they look at, how they are tested, saved and loaded."""

import hashlib
import json

import dask.array as da
import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, ModelError, SettingsError, StoreError, UnknownNameError
from napari_mpseg.images.axes import RGB
from napari_mpseg.images.image import Image
from napari_mpseg.particles import label_mask
from napari_mpseg.particles.classes.classifier_files import load_classifier, save_classifier
from napari_mpseg.particles.classes.describing import describing_columns, matrix
from napari_mpseg.particles.classes.models import CLASSIFIERS, ClassifierSettings
from napari_mpseg.particles.classes.trained import train_classifier
from napari_mpseg.particles.measure import measure
from napari_mpseg.progress import CancelToken

QUICK = ClassifierSettings(trees=20)


@pytest.fixture
def classifier(two_kinds):
    return train_classifier(*two_kinds, QUICK)


# what it looks at


def test_place_and_direction_are_not_looked_at(two_kinds):
    assert describing_columns([two_kinds[0]]) == ("feret_max_um", "circularity", "intensity_mean_red")


def test_size_can_be_left_out(two_kinds):
    frame, truth = two_kinds
    frame["intensity_sum_red"] = frame["feret_max_px"] * 50
    assert describing_columns([frame], size=False) == ("circularity", "intensity_mean_red")
    classifier = train_classifier(frame, truth, ClassifierSettings(trees=20, size=False))
    assert classifier.columns == ("circularity", "intensity_mean_red")


@pytest.mark.parametrize("size", [True, False])
def test_what_the_segmentation_and_the_unit_say_is_not_looked_at(rng, size):
    """Every property there is, in two units: what is learnt from says the same in both, and nothing of confidence."""
    labels = label_mask(rng.random((50, 50)) < 0.3, connectivity=1, min_size=4)
    image = Image(da.from_array(rng.random((50, 50, 3))), channels=RGB)
    probability = rng.random((50, 50))
    um, nm = (
        measure(
            labels,
            image,
            probability=probability,
            calibration=Calibration.parse(pixel),
            properties="all",
        ).frame
        for pixel in ("1.5um", "1500nm")
    )
    assert {"confidence", "hue_deg"} <= set(um.columns)
    assert um.columns.str.startswith("integrated_density_red").any()
    columns = describing_columns([um], size=size)
    assert "saturation" in columns
    for column in columns:
        assert not column.startswith(("confidence", "integrated_density", "hue"))
    np.testing.assert_allclose(matrix(nm, columns), matrix(um, columns), rtol=1e-9)
    assert any(column.endswith(("_um", "_um2")) or column.startswith("intensity_sum") for column in columns) is size


def test_moving_the_particles_changes_no_column_that_is_looked_at(rng):
    labels = np.pad(label_mask(rng.random((50, 50)) < 0.3, connectivity=1, min_size=4), 30)
    image = rng.random(labels.shape) * (labels > 0)
    before = measure(labels, image, properties="all").frame
    far = np.pad(labels, ((40, 0), (70, 0)))
    after = measure(far, np.pad(image, ((40, 0), (70, 0))), properties="all").frame
    columns = list(describing_columns([before]))
    assert len(columns) > 15
    np.testing.assert_allclose(after[columns], before[columns], rtol=1e-9, atol=1e-9)


def test_columns_in_pixels_where_one_table_has_no_pixel_size():
    labels = np.ones((9, 9), int)
    calibrated, plain = measure(labels, calibration=Calibration.parse("2um")).frame, measure(labels).frame
    assert "area_um2" in describing_columns([calibrated])
    assert "area_px" not in describing_columns([calibrated])
    assert "area_px" in describing_columns([calibrated, plain])
    assert "area_um2" not in describing_columns([calibrated, plain])
    nanometres = measure(labels, calibration=Calibration.parse("5nm")).frame
    assert "area_um2" in describing_columns([calibrated, nanometres])


# learning


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_classes_that_can_be_told_apart_are_told_apart(two_kinds, model):
    frame, truth = two_kinds
    mine = truth.iloc[[0, 4, 8, 12, 31, 35, 39, 43]]
    classifier = train_classifier(frame, mine, ClassifierSettings(model, trees=20))
    found = classifier.predict(frame)
    assert found["class"].tolist() == truth.tolist()
    assert found["class"].cat.categories.tolist() == ["bead", "fibre", "unclassified"]
    assert found["class_probability"].between(0.5, 1).all()
    assert classifier.validation.accuracy == 1
    assert classifier.validation.folds == 4
    assert classifier.examples.to_dict() == {"bead": 4, "fibre": 4}


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_missing_and_infinite_values_are_taken(two_kinds, model, rng):
    frame, truth = two_kinds
    for column in ("feret_max_um", "circularity"):
        frame.loc[rng.random(60) < 0.3, column] = np.nan
    frame.loc[5, "circularity"] = np.inf
    frame.loc[7, ["feret_max_um", "circularity", "intensity_mean_red"]] = np.nan
    classifier = train_classifier(frame, truth.iloc[::3], ClassifierSettings(model, trees=20))
    found = classifier.predict(frame)
    known = np.arange(60) != 7
    assert (found["class"] == truth.to_numpy())[known].mean() > 0.9
    assert found["class"].iloc[7] == "unclassified"
    assert np.isnan(found["class_probability"].iloc[7])


def test_validation_counts_each_example_once_and_is_honest(two_kinds, rng):
    frame, truth = two_kinds
    noise = train_classifier(frame, pd.Series(rng.permutation(truth.to_numpy()), truth.index), QUICK)
    assert noise.validation.accuracy < 0.75  # there is nothing to learn; the forest has learnt its examples by heart
    assert (noise.predict(frame)["class"] == truth.to_numpy()).mean() < 0.8
    counts = np.asarray(noise.validation.confusion)
    assert counts.sum() == 60
    assert counts.sum(axis=1).tolist() == [30, 30]
    assert noise.validation.accuracy == np.trace(counts) / 60
    assert noise.validation.balanced_accuracy == pytest.approx((counts[0, 0] / 30 + counts[1, 1] / 30) / 2)
    assert noise.validation.table.loc["bead", "fibre"] == counts[0, 1]


def test_the_same_examples_give_the_same_classifier(two_kinds, classifier):
    again = train_classifier(*two_kinds, QUICK)
    pd.testing.assert_frame_equal(again.predict(two_kinds[0]), classifier.predict(two_kinds[0]))


def test_tables_of_several_images_in_other_units(two_kinds):
    frame, truth = two_kinds
    other = frame.rename(columns={"feret_max_um": "feret_max_nm"}).assign(feret_max_nm=frame["feret_max_um"] * 1000)
    classifier = train_classifier([frame, other], [truth[:10], truth[40:]], QUICK)
    assert classifier.columns == ("feret_max_um", "circularity", "intensity_mean_red")
    assert classifier.predict(other)["class"].tolist() == truth.tolist()


def test_empty_and_unclassified_assignments_are_passed_over(two_kinds):
    frame, truth = two_kinds
    mine = truth.astype("category").cat.add_categories(["unclassified", ""])
    mine.iloc[0], mine.iloc[1], mine.iloc[2] = None, "unclassified", ""
    assert train_classifier(frame, mine, QUICK).examples.sum() == 57


@pytest.mark.parametrize(
    ("mine", "message"),
    [
        ({}, "to no class yet"),
        ({1: "fibre", 2: "fibre", 3: "fibre"}, "only to 'fibre'"),
        ({1: "fibre", 2: "fibre", 3: "fibre", 40: "bead"}, "Too few examples: 'bead' has 1"),
        ({1: "fibre", 2: "fibre", 3: "fibre", 97: "bead", 98: "bead", 99: "bead"}, "not in the table: 97, 98, 99"),
    ],
)
def test_too_little_to_learn_from_is_told(two_kinds, mine, message):
    with pytest.raises(SettingsError, match=message):
        train_classifier(two_kinds[0], pd.Series(mine, dtype=object), QUICK)


def test_tables_that_cannot_be_learnt_from_are_told(two_kinds):
    frame, truth = two_kinds
    with pytest.raises(SettingsError, match="no columns that describe particles"):
        train_classifier(frame[["label", "centroid_y_px", "touches_border"]], truth, QUICK)
    with pytest.raises(SettingsError, match="no column 'label'"):
        train_classifier(frame.drop(columns="label"), truth, QUICK)
    with pytest.raises(SettingsError, match="2 tables and 1 lists"):
        train_classifier([frame, frame], truth, QUICK)
    with pytest.raises(SettingsError, match="Label 1 is assigned twice"):
        train_classifier(frame, pd.concat([truth, truth[:1]]), QUICK)
    with pytest.raises(SettingsError, match="solidity"):
        train_classifier(frame, truth, ClassifierSettings(columns=("solidity",)))


def test_a_classifier_can_be_stopped(two_kinds):
    token = CancelToken()
    seen = []
    with pytest.raises(Cancelled):
        train_classifier(
            *two_kinds, QUICK, on_progress=lambda event: (seen.append(event), token.cancel()), cancel=token
        )
    assert len(seen) == 1


def test_a_table_without_the_columns_is_told_what_to_measure(two_kinds, classifier):
    frame, _ = two_kinds
    with pytest.raises(SettingsError, match=r"lacks: circularity.*properties=\['default', 'circularity'\]"):
        classifier.predict(frame.drop(columns="circularity"))
    with pytest.raises(SettingsError, match=r"intensity_mean_red.*'intensity_mean'.*and the image"):
        classifier.predict(frame.drop(columns="intensity_mean_red"))
    with pytest.raises(SettingsError, match=r"feret_max_um.*without a pixel size"):
        classifier.predict(frame.drop(columns="feret_max_um"))


@pytest.mark.parametrize(
    "options", [{"trees": 0}, {"folds": 1}, {"seed": -1}, {"model": "deep"}], ids=lambda options: next(iter(options))
)
def test_impossible_settings(options):
    with pytest.raises((SettingsError, UnknownNameError)):
        ClassifierSettings(**options)


# files


@pytest.mark.parametrize("model", CLASSIFIERS)
@pytest.mark.parametrize("place", ["alone", "alone.json"])
def test_a_loaded_classifier_answers_the_same(two_kinds, tmp_path, model, place):
    frame, truth = two_kinds
    frame.loc[3, "circularity"] = np.nan
    before = train_classifier(frame, truth.iloc[::4], ClassifierSettings(model, trees=20, seed=3))
    assert save_classifier(before, tmp_path / place).suffix == ".json"
    after = load_classifier(tmp_path / place)
    pd.testing.assert_frame_equal(after.predict(frame), before.predict(frame), check_exact=True)
    assert after.settings == before.settings
    assert after.validation == before.validation


def test_it_lies_beside_a_model_and_replaces_nothing(classifier, tmp_path):
    (tmp_path / "card.json").write_text("{}")
    save_classifier(classifier, tmp_path)
    assert (tmp_path / "card.json").read_text() == "{}"
    with pytest.raises(StoreError, match="already there"):
        save_classifier(classifier, tmp_path)
    save_classifier(classifier, tmp_path, overwrite=True)
    assert load_classifier(tmp_path).classes == ("bead", "fibre")


def test_the_file_is_text_that_holds_only_numbers_and_names(classifier, tmp_path):
    values = json.loads(save_classifier(classifier, tmp_path / "c").read_text())
    assert len(values["rows"]) == 60
    assert {"numpy", "scikit-learn", "napari-mpseg"} <= set(values["versions"])


def test_a_missing_classifier_is_told(tmp_path):
    with pytest.raises(StoreError, match="Cannot read"):
        load_classifier(tmp_path / "none")


def rewritten(change):
    """Change a file as an attacker or another program would: with a digest that fits."""

    def rewrite(path):
        values = json.loads(path.read_text())
        change(values)
        values.pop("sha256")
        values["sha256"] = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        path.write_text(json.dumps(values))

    return rewrite


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_text(path.read_text().replace("0.9", "0.8", 1)), "changed or damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:400]), "not JSON"),
        (lambda path: path.write_bytes(b"\x80\x04\x95"), "not a text file"),
        (lambda path: path.write_text("{}"), "no particle classifier"),
        (rewritten(lambda v: v.update(version=2)), "version 2"),
        (rewritten(lambda v: v["settings"].update(n_jobs=3)), "n_jobs"),
        (rewritten(lambda v: v["settings"].update(model="os.system")), "os.system"),
        (rewritten(lambda v: v["settings"].update(trees=10**9)), "trees"),
        (rewritten(lambda v: v["rows"].pop()), "do not fit"),
        (rewritten(lambda v: v["rows"][0].pop()), "cannot be used"),
        (rewritten(lambda v: v["codes"].__setitem__(0, 7)), "do not fit"),
        (rewritten(lambda v: v.pop("columns")), "columns"),
        (rewritten(lambda v: v["answers"].pop()), "cannot be used"),
    ],
)
def test_an_unknown_or_damaged_classifier_is_refused(classifier, tmp_path, spoil, message):
    path = save_classifier(classifier, tmp_path / "c.json")
    spoil(path)
    with pytest.raises(ModelError, match=message):
        load_classifier(path)


def test_other_answers_than_before_are_said(classifier, tmp_path):
    path = save_classifier(classifier, tmp_path / "c.json")
    rewritten(lambda values: values["answers"].__setitem__(0, [0.5, 0.5]))(path)
    with pytest.warns(UserWarning, match=r"was trained with .*scikit-learn"):
        load_classifier(path)
