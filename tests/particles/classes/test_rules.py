"""Shape classes by rules, against ImageJ's own counts."""

import csv
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError, StoreError, UnknownNameError
from napari_mpseg.particles import label_mask
from napari_mpseg.particles.classes.rules import (
    RULE_SETS,
    Condition,
    Rule,
    RuleSet,
    classify_by_rules,
    count_by_class,
    load_rules,
    save_rules,
)
from napari_mpseg.particles.measure import measure
from napari_mpseg.settings import from_dict, to_dict


def one(condition):
    return RuleSet("test", (Rule("yes", (condition,)),), default="no")


def classes_of(values, condition, column="circularity"):
    return classify_by_rules(pd.DataFrame({column: values}), one(condition)).tolist()


# MP-VAT against ImageJ


@pytest.mark.parametrize(("mask", "columns"), [("shapes", 334), ("touching", 45)])
def test_mp_vat_counts_those_that_imagej_counts(reference, mask, columns):
    """The macro runs Analyze Particles three times, of 3 px and more; its three tables are in the reference."""
    imagej = pd.read_csv(reference / f"{mask}_imagej.csv")
    imagej = imagej[imagej["mask"] == f"{mask}.png"]
    table = measure(label_mask(np.asarray(Image.open(reference / "masks" / f"{mask}.png")) > 0))
    assert len(table) == columns
    classes = classify_by_rules(table, "mp-vat")[table.frame["area_px"] >= 3]
    expected = {
        name: int((imagej["variant"] == variant).sum())
        for name, variant in (
            ("fibre", "mpvat_fibers"),
            ("fragment", "mpvat_fragments"),
            ("particle", "mpvat_particles_nowatershed"),
        )
    }
    assert count_by_class(classes).to_dict() == expected


@pytest.mark.parametrize("fold", [2, 3, 4, 5])
def test_mp_vat_on_imagejs_own_tables(reference, fold):
    particles = pd.read_csv(reference / f"particles_fold_{fold}.csv").rename(columns={"Circ.": "circularity"})
    counts = pd.read_csv(reference / "mpvat_counts.csv")
    counts = counts[(counts["pipeline"] == "gt_mask_blackbg_false") & (counts["dataset"] == fold)]
    large = classify_by_rules(particles[particles["Area"] >= 3], "mp-vat")
    assert count_by_class(large)["particle"] == counts["n_particles_nows"].sum()
    assert count_by_class(large)["fibre"] == counts["n_fibers"].sum()
    assert count_by_class(large)["fragment"] == counts["n_fragments"].sum()


def test_mp_vat_on_thresholded_filters(reference, shared_data):
    """The whole of MP-VAT 1.0 at ImageJ's own thresholds, patch by patch, up to the watershed."""
    wrong = Counter()
    rows = [
        row
        for row in csv.DictReader((reference / "mpvat_counts.csv").open())
        if row["pipeline"] == "mpvat1_invert_maxentropy"
    ]
    assert len(rows) > 50
    for row in rows:
        path = shared_data / "mpnet" / f"fold_{row['dataset']}" / row["image"]
        inverted = 255 - np.floor(np.asarray(Image.open(path).convert("RGB"), float).mean(axis=2) + 0.5)
        mask = (inverted >= float(row["lower"])) & (inverted <= float(row["upper"]))
        assert mask.sum() == int(row["mask_px"])
        counts = count_by_class(classify_by_rules(measure(label_mask(mask, min_size=3))))
        expected = [int(row[key]) for key in ("n_fibers", "n_fragments", "n_particles_nows")]
        wrong[counts.reindex(["fibre", "fragment", "particle"]).tolist() == expected] += 1
    assert wrong[False] == 0


def test_a_border_belongs_to_the_class_above_it():
    classes = classify_by_rules(pd.DataFrame({"circularity": [0.0, 0.2999, 0.3, 0.5999, 0.6, 1.0]}), "mp-vat")
    assert classes.tolist() == ["fibre", "fibre", "fragment", "fragment", "particle", "particle"]


def test_a_missing_value_is_unclassified():
    classes = classify_by_rules(pd.DataFrame({"circularity": [0.1, np.nan]}), "mp-vat")
    assert classes.tolist() == ["fibre", "unclassified"]
    assert count_by_class(classes).to_dict() == {"fibre": 1, "fragment": 0, "particle": 0, "unclassified": 1}


# the four shapes, drawn by formula


def drawn(inside, side=101):
    y, x = np.mgrid[:side, :side] - side // 2
    return measure(inside(y, x).astype(np.int32), calibration=Calibration.parse("1um"))


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (lambda y, x: y**2 + x**2 <= 20**2, "bead"),
        (lambda y, x: (np.abs(y) <= 15) & (np.abs(x) <= 15), "fragment"),  # a square's Feret diameters are 1 : sqrt 2
        (lambda y, x: (np.abs(y) <= 2) & (np.abs(x) <= 40), "fibre"),
        (lambda y, x: (np.abs(y - x) <= 2) & (np.abs(x) <= 30), "fibre"),
        (lambda y, x: (np.abs(np.hypot(y, x) - 40) <= 1.5) & (y + 20 > 0), "fibre"),  # bent: by its circularity
        (lambda y, x: (y / 12) ** 2 + (x / 20) ** 2 <= 1, "fragment"),
    ],
)
def test_four_shapes_of_known_forms(inside, expected):
    assert classify_by_rules(drawn(inside), "four-shapes").tolist() == [expected]


def test_a_true_disc_is_a_bead_where_pixels_are_not_square():
    y, x = np.mgrid[-30:31, -60:61]
    labels = ((y * 1.0) ** 2 + (x * 0.5) ** 2 <= 20**2).astype(np.int32)  # 41 x 81 px, but 41 x 40.5 um
    table = measure(labels, calibration=Calibration((1.0, 0.5), "um"))
    assert table.frame["feret_max_px"][0] / table.frame["feret_min_px"][0] > 1.9
    assert classify_by_rules(table, "four-shapes").tolist() == ["bead"]
    nanometres = measure(labels, calibration=Calibration((1000.0, 500.0), "nm"))
    assert classify_by_rules(nanometres, "four-shapes").tolist() == ["bead"]


def test_a_ratio_needs_both_in_the_same_unit_and_no_pixel_size():
    ratio = Condition("feret_max", highest=1.2, includes_highest=True, unit="px", over="feret_min")
    frame = pd.DataFrame({"feret_max_px": [6.0, 8.0], "feret_min_px": [5.0, 4.0]})
    assert ratio.values(frame).tolist() == [1.2, 2.0]
    assert ratio.values(frame.assign(feret_max_um=[60.0, 8.0])).tolist() == [1.2, 2.0]  # only one has a length
    both = frame.assign(feret_max_um=[1.0, 3.0], feret_min_nm=[1000.0, 1000.0])
    assert ratio.values(both).tolist() == pytest.approx([1.0, 3.0])
    assert ratio.values(both[["feret_max_um", "feret_min_nm"]]).tolist() == pytest.approx([1.0, 3.0])
    for pixel in (0.1, 0.3, 0.35, 0.7, 2.3):  # a ratio of exactly 1.2 stays within, whatever the pixel size
        found = frame.assign(feret_max_um=frame["feret_max_px"] * pixel, feret_min_um=frame["feret_min_px"] * pixel)
        assert ratio.values(found).tolist() == [1.2, 2.0]
    areas = Condition("area", 2.0, unit="px2", over="convex_area")
    calibrated = pd.DataFrame({"area_px": [4], "convex_area_px": [8], "area_um2": [2.0], "convex_area_um2": [4.0]})
    assert areas.values(calibrated).tolist() == [0.5]
    with pytest.raises(SettingsError, match="feret_min"):
        ratio.values(frame[["feret_max_px"]])


def test_a_film_is_what_is_large():
    labels = np.ones((60, 120), np.int32)  # equivalent diameter 95.7 px
    for pixel, expected in (("3um", "fragment"), ("4um", "film"), ("0.004mm", "film")):
        table = measure(labels, calibration=Calibration.parse(pixel))
        assert classify_by_rules(table, "four-shapes").tolist() == [expected]


def test_a_unit_of_length_needs_a_pixel_size():
    with pytest.raises(SettingsError, match=r"equivalent_diameter.*no pixel size"):
        classify_by_rules(measure(np.ones((9, 9), int)), "four-shapes")


# rules in general


@pytest.mark.parametrize("name", RULE_SETS)
def test_every_rule_set_classifies_the_default_table(name, rng):
    table = measure(label_mask(rng.random((60, 60)) < 0.2), calibration=Calibration.parse("2um"))
    classes = classify_by_rules(table, name)
    assert classes.name == "class"
    assert classes.cat.categories.tolist() == list(RULE_SETS[name].classes)
    assert classes.notna().all()
    assert classes.index.equals(table.frame.index)
    empty = classify_by_rules(measure(np.zeros((5, 5), int), calibration=table.calibration), name)
    assert empty.empty
    assert empty.cat.categories.equals(classes.cat.categories)
    assert set(RULE_SETS[name].properties) <= {"circularity", "aspect_ratio", "solidity"} | {
        "feret_max",
        "feret_min",
        "area",
        "equivalent_diameter",
    }


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition("circularity", 0.2, 0.4), "nyyn"),
        (Condition("circularity", 0.2, 0.4, includes_lowest=False), "nnyn"),
        (Condition("circularity", 0.2, 0.4, includes_highest=True), "nyyy"),
        (Condition("circularity", 0.2), "nyyy"),
        (Condition("circularity", highest=0.2), "ynnn"),
        (Condition("circularity", 0.3, 0.3, includes_highest=True), "nnyn"),
    ],
)
def test_ends_of_an_interval(condition, expected):
    assert "".join(name[0] for name in classes_of([0.1, 0.2, 0.3, 0.4], condition)) == expected


def test_the_first_rule_that_fits_wins_and_what_it_cannot_decide_is_left_open():
    rules = RuleSet(
        "test",
        (Rule("a", (Condition("p", 1), Condition("q", 1))), Rule("b", (Condition("q", 0),))),
        default="c",
    )
    frame = pd.DataFrame({"p": [1, 1, 0, np.nan, 0, np.nan], "q": [1, 0, -1, 1, np.nan, 0]})
    # p missing, q fits: might be a. p refused: not a, and b is open. q refuses a: then b fits.
    assert classify_by_rules(frame, rules).tolist() == ["a", "b", "c", "unclassified", "unclassified", "b"]


def test_lengths_in_other_units_and_areas_are_converted():
    assert classes_of([900.0, 1100.0], Condition("feret_max", 1.0, unit="um"), "feret_max_nm") == ["no", "yes"]
    assert classes_of([0.5, 2.0], Condition("area", 1e6, unit="um2"), "area_mm2") == ["no", "yes"]
    assert classes_of([5, 50], Condition("area", 10, unit="px2"), "area_px") == ["no", "yes"]


def test_features_of_a_layer_can_be_classified(two_kinds):
    frame, truth = two_kinds
    classes = classify_by_rules(frame.convert_dtypes(), one(Condition("feret_max", 20, unit="px")))
    assert (classes == "yes").tolist() == (truth == "fibre").tolist()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Condition("circularity"), "needs a lowest or a highest"),
        (lambda: Condition("circularity", 0.5, 0.4), "holds nothing"),
        (lambda: Condition("circularity", 0.5, 0.5), "holds nothing"),
        (lambda: Condition("circularity", float("nan")), "not a number"),
        (lambda: Condition("area", "1"), "has the end '1'. Give a number"),
        (lambda: Condition("area", 1, "2"), "has the end '2'"),
        (lambda: Condition("area", True), "has the end True"),
        (lambda: Condition(3, 1), "quantity must be a text, not 3"),
        (lambda: Condition("feret_max", 1, unit="parsec"), "parsec"),
        (lambda: Rule("a", ()), "needs a condition"),
        (lambda: RuleSet("a", ()), "no rules"),
        (lambda: classes_of([1.0], Condition("feret_max", 1), "feret_max_um"), "Give a unit too"),
        (lambda: classes_of([1.0], Condition("solidity", 1)), r"properties=\[..., 'solidity'\]"),
        (lambda: classes_of(["x"], Condition("circularity", 1)), "does not hold numbers"),
    ],
)
def test_impossible_rules_and_tables_are_told(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


def test_an_unknown_rule_set_is_told():
    with pytest.raises(UnknownNameError, match="mp-vat"):
        classify_by_rules(pd.DataFrame({"circularity": [1.0]}), "mpvat")


# files


@pytest.mark.parametrize("name", RULE_SETS)
def test_rule_sets_survive_json(name, tmp_path):
    rules = RULE_SETS[name]
    assert from_dict(RuleSet, json.loads(json.dumps(to_dict(rules)))) == rules
    assert load_rules(save_rules(rules, tmp_path / "rules.json")) == rules


def spoilt(change):
    def spoil(path):
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoilt(lambda v: v["rule set"].update(extra=1)), "extra"),
        (spoilt(lambda v: v["rule set"]["rules"][0]["conditions"][0].update(colour="red")), "colour"),
        (spoilt(lambda v: v["rule set"]["rules"][0]["conditions"][0].update(lowest="low")), "low"),
        (spoilt(lambda v: v["rule set"]["rules"][0]["conditions"][0].update(lowest=9)), "holds nothing"),
        (spoilt(lambda v: v.pop("rule set")), "has no rule set"),
        (spoilt(lambda v: v.update(kind="size classes")), "it says it is 'size classes'"),
        (lambda path: path.write_text("[1, 2]"), "does not say what it is"),
        (lambda path: path.write_text(path.read_text()[:50]), "not JSON"),
        (lambda path: path.write_text(path.read_text().replace("0.3", "NaN")), "not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00\x80"), "not a text file"),
    ],
)
def test_a_file_that_is_no_rule_set_is_refused(tmp_path, spoil, message):
    path = save_rules(RULE_SETS["mp-vat"], tmp_path / "rules.json")
    spoil(path)
    with pytest.raises(SettingsError, match=message):
        load_rules(path)


def test_a_missing_or_taken_place_is_told(tmp_path):
    with pytest.raises(StoreError, match="Cannot read"):
        load_rules(tmp_path / "none.json")
    path = save_rules(RULE_SETS["mp-vat"], tmp_path / "rules.json")
    with pytest.raises(StoreError, match="already there"):
        save_rules(RULE_SETS["mp-vat"], path, overwrite=False)
