"""``napari-mpseg classify``: rules, classifiers, and training them."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.classes.rules import RULE_SETS, Condition, Rule, RuleSet, save_rules
from napari_mpseg.particles.measure import measure


@pytest.fixture
def labels():
    """Ten bars (labels 1 ... 10) and ten discs (11 ... 20)."""
    y, x = np.mgrid[:400, :120]
    labels = np.zeros((400, 120), np.int32)
    for number in range(10):
        labels[40 * number + 5 : 40 * number + 8, 5 : 35 + number] = number + 1
        labels[(y - 40 * number - 20) ** 2 + (x - 80) ** 2 <= (8 + number / 2) ** 2] = number + 11
    return labels


@pytest.fixture
def table(labels, tmp_path):
    measured = measure(labels, calibration=Calibration.parse("2um"))
    measured.to_parquet(tmp_path / "table.parquet")
    return measured.to_csv(tmp_path / "table.csv")


@pytest.fixture
def assigned(table, tmp_path):
    """The table as a user fills it: three bars and three discs have a class."""
    frame = pd.read_csv(table)
    frame["class"] = None
    frame["class"] = frame["class"].astype(object)
    frame.loc[frame["label"].isin([1, 4, 8]), "class"] = "hair"
    frame.loc[frame["label"].isin([11, 14, 18]), "class"] = "spore"
    frame.to_csv(tmp_path / "assigned.csv", index=False)
    return tmp_path / "assigned.csv"


TRUTH = ["hair"] * 10 + ["spore"] * 10


def by_label(path):
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return frame.set_index("label").sort_index()


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_rules(run, table, tmp_path, ending):
    new = tmp_path / f"new{ending}"
    code, said, error = run("classify", table.with_suffix(ending), "--rules", "mp-vat", "--out", new)
    assert (code, error) == (0, "")
    frame = by_label(new)
    assert frame["class"].tolist() == ["fibre"] * 10 + ["particle"] * 10  # a bar of 30 x 3: pi r / (1 + r)^2 = 0.26
    assert not frame["class_assigned"].any()
    assert "Particles 20\n" in said
    assert "     fibre      10\n" in said
    assert "  fragment       0\n" in said
    assert set(frame.columns) > set(by_label(table).columns)


def test_a_folder_with_one_table(run, table, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    table.rename(folder / "scan_particles.csv")
    assert run("classify", folder, "--rules", "mp-vat", "--out", tmp_path / "new.csv")[0] == 0
    assert len(by_label(tmp_path / "new.csv")) == 20
    (folder / "second_particles.csv").write_bytes((folder / "scan_particles.csv").read_bytes())
    code, _, error = run("classify", folder, "--rules", "mp-vat", "--out", tmp_path / "newer.csv")
    assert code == 2
    assert "(scan_particles.csv, second_particles.csv). Give one of them" in error


def test_rules_from_a_file(run, table, tmp_path):
    rules = RuleSet("mine", (Rule("large", (Condition("area", 1000, unit="um2"),)),), default="small")
    path = save_rules(rules, tmp_path / "rules.json")
    assert run("classify", table, "--rules", path, "--out", tmp_path / "new.csv")[0] == 0
    frame = by_label(tmp_path / "new.csv")
    assert (frame["class"] == "large").tolist() == (frame["area_um2"] >= 1000).tolist()


def test_train_save_and_use(run, assigned, table, tmp_path):
    folder = tmp_path / "classifier"
    code, said, error = run("classify", "--train", assigned, "--save-classifier", folder, "--quiet")
    assert (code, error) == (0, "")
    assert "Learnt from 3 hair, 3 spore" in said
    assert "100 %" in said
    assert [path.name for path in folder.iterdir()] == ["classifier.json"]
    code, said, _ = run("classify", table, "--classifier", folder, "--out", tmp_path / "new.csv")
    assert code == 0
    frame = by_label(tmp_path / "new.csv")
    assert frame["class"].tolist() == TRUTH
    assert frame["class_probability"].between(0.5, 1).all()
    assert "   hair      10\n" in said


def test_a_list_of_labels_and_classes_alone_goes_with_the_table(run, assigned, table, tmp_path):
    bare = by_label(assigned)["class"].dropna()
    bare.to_csv(tmp_path / "bare.csv")
    code, _, error = run("classify", "--train", tmp_path / "bare.csv", "--save-classifier", tmp_path / "c")
    assert code == 2
    assert "holds no measurements" in error
    command = ("classify", table, "--train", tmp_path / "bare.csv", "--out", tmp_path / "new.csv", "--quiet")
    options = ("--model", "logistic-regression", "--ignore-size", "--save-classifier", tmp_path / "c")
    assert run(*command, *options)[0] == 0
    columns = json.loads((tmp_path / "c" / "classifier.json").read_text())["columns"]
    assert {"circularity", "solidity"} <= set(columns)
    assert not [column for column in columns if column.endswith(("_um", "_um2", "_px"))]
    assert by_label(tmp_path / "new.csv")["class"].tolist() == TRUTH


def test_your_own_classes_stay_and_those_of_an_earlier_run_do_not(run, table, tmp_path):
    frame = pd.read_csv(table)
    frame["class"] = "hair"
    frame["class_assigned"] = frame["label"].isin([1, 12])
    frame.to_csv(tmp_path / "mine.csv", index=False)
    code, said, _ = run("classify", tmp_path / "mine.csv", "--rules", "mp-vat", "--out", tmp_path / "new.csv")
    assert code == 0
    classes = by_label(tmp_path / "new.csv")["class"]
    assert classes.loc[[1, 2, 11, 12]].tolist() == ["hair", "fibre", "particle", "hair"]
    assert "2 with a class of your own" in said
    # and only they are learnt from
    code, _, error = run("classify", "--train", tmp_path / "new.csv", "--save-classifier", tmp_path / "c")
    assert code == 2
    assert "only to 'hair'" in error


def test_a_table_saved_by_naparis_own_table(run, assigned, labels, tmp_path):
    features = measure(labels).to_features()
    features["class"] = pd.Series(["", *TRUTH[:-1], ""])  # the last one is not decided yet
    features.to_csv(tmp_path / "features.csv")
    assert run("classify", "--train", tmp_path / "features.csv", "--save-classifier", tmp_path / "c", "--quiet")[0] == 0


def test_what_is_there_stays_unless_asked(run, assigned, table, tmp_path):
    (tmp_path / "new.csv").write_text("mine")
    command = ("classify", table, "--rules", "mp-vat", "--out", tmp_path / "new.csv")
    code, _, error = run(*command)
    assert code == 1
    assert "already there" in error
    assert (tmp_path / "new.csv").read_text() == "mine"
    assert run(*command, "--overwrite")[0] == 0
    train = ("classify", "--train", assigned, "--save-classifier", tmp_path / "c", "--quiet")
    assert run(*train)[0] == 0
    assert run(*train)[0] == 1
    assert run(*train, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments"),
        (["t.csv"], "one of the arguments"),
        (["t.csv", "--rules", "mp-vat", "--classifier", "c", "--out", "n.csv"], "not allowed with"),
        (["t.csv", "--rules", "mp-vat"], "give --out NEW"),
        (["--rules", "mp-vat", "--out", "n.csv"], "give the TABLE"),
        (["t.csv", "--rules", "mp-vat", "--out", "n.xlsx"], "must end in .csv or .parquet"),
        (["t.csv", "--rules", "mp-vat", "--out", "n.csv", "--save-classifier", "c"], "goes with --train"),
        (["--train", "a.csv"], "needs --save-classifier"),
        (["--train", "a.csv", "--out", "n.csv"], "--out needs the TABLE"),
        (["t.csv", "--train", "a.csv", "--out", "n.csv", "--seed", "x"], "invalid int"),
    ],
)
def test_arguments_that_do_not_go_together(run, arguments, message):
    code, said, error = run("classify", *arguments)
    assert (code, said) == (2, "")
    assert message in error


def spoil(path):
    path.write_text(json.dumps({"format": "napari-mpseg", "kind": "something"}))
    return path


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (lambda table, tmp: [tmp / "none.csv", "--rules", "mp-vat"], 1, "Cannot read the table"),
        (lambda table, tmp: [table, "--rules", "mpvat"], 2, "Did you mean 'mp-vat'"),
        (lambda table, tmp: [table, "--rules", tmp / "none.json"], 1, "Cannot read"),
        (lambda table, tmp: [table, "--rules", spoil(tmp / "r.json")], 2, "no rule set"),
        (lambda table, tmp: [table, "--classifier", tmp / "none"], 1, "Cannot read"),
        (lambda table, tmp: [table, "--classifier", spoil(tmp / "r.json")], 1, "no particle classifier"),
        (lambda table, tmp: [table, "--train", table], 2, "no column 'class'"),
        (lambda table, tmp: [table, "--train", table, "--model", "deep"], 2, "No classifier is called 'deep'"),
    ],
)
def test_work_that_fails_says_why_and_writes_nothing(run, table, tmp_path, options, code, message):
    new = tmp_path / "new.csv"
    found, said, error = run("classify", *options(table, tmp_path), "--out", new)
    assert (found, said) == (code, "")
    assert message in error
    assert not new.exists()


def test_a_table_that_lacks_what_the_rules_need(run, tmp_path):
    pd.DataFrame({"label": [1], "area_px": [5]}).to_csv(tmp_path / "t.csv", index=False)
    code, _, error = run("classify", tmp_path / "t.csv", "--rules", "mp-vat", "--out", tmp_path / "n.csv")
    assert code == 2
    assert "'circularity' is needed" in error


@pytest.mark.parametrize("name", RULE_SETS)
def test_every_rule_set_is_offered_in_the_help(run, name):
    code, said, _ = run("classify", "--help")
    assert code == 0
    assert name in said
