"""The columns ``class`` and ``keep``: added, kept, carried over, saved."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles import ParticleTable
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.columns import carry_decisions, with_review_columns


def classes(*values: str | None, names: tuple[str, ...] = ("fibre", "bead", "film")) -> pd.Series:
    return pd.Series(pd.Categorical(values, categories=list(names)))


@pytest.fixture
def table() -> ParticleTable:
    return measure(np.array([[1, 0, 2, 0, 0, 4]])).with_columns(confidence=[0.9, 0.5, 0.7])


def test_columns_come_after_label_and_confidence(table: ParticleTable) -> None:
    frame = with_review_columns(table).frame
    assert frame.columns[:4].tolist() == ["label", "confidence", "class", "keep"]
    assert frame["keep"].tolist() == [True, True, True]
    assert frame["keep"].dtype == bool
    assert frame["class"].isna().all()
    assert isinstance(frame["class"].dtype, pd.CategoricalDtype)
    pd.testing.assert_frame_equal(frame.drop(columns=["class", "keep"])[table.frame.columns], table.frame)
    assert "keep" not in table.frame


def test_units_follow_the_columns(table: ParticleTable) -> None:
    reviewed = with_review_columns(table)
    assert list(reviewed.units) == reviewed.frame.columns.tolist()
    assert reviewed.units["keep"] == reviewed.units["class"] == ""
    assert reviewed.units["area_px"] == "px2"
    assert {"keep", "class", "confidence"} <= set(reviewed.definitions)


def test_given_classes_fill_only_what_nobody_decided(table: ParticleTable) -> None:
    decided = with_review_columns(
        table.with_columns(keep=[True, False, True], **{"class": classes(None, "bead", None)})
    )
    again = with_review_columns(decided, classes("fibre", "fibre", None, names=("fibre", "pellet")))
    assert again.frame["class"].astype(object).where(again.frame["class"].notna(), None).tolist() == [
        "fibre",
        "bead",
        None,
    ]
    assert again.frame["class"].cat.categories.tolist() == ["fibre", "bead", "film", "pellet"]
    assert again.frame["keep"].tolist() == [True, False, True]


def test_another_number_of_classes_is_refused(table: ParticleTable) -> None:
    with pytest.raises(SettingsError, match="2 classes for 3 particles"):
        with_review_columns(table, classes("fibre", "bead"))


def test_kept_leaves_out_what_was_rejected(table: ParticleTable) -> None:
    assert table.kept() is table
    rejected = with_review_columns(table).with_columns(keep=[True, False, True])
    assert rejected.kept().labels.tolist() == [1, 4]
    assert rejected.kept().frame.index.tolist() == [0, 1]
    missing = table.with_columns(keep=pd.array([None, False, True], dtype="boolean"))
    assert missing.kept().labels.tolist() == [1, 4]
    assert rejected.with_columns(keep=False).kept().labels.tolist() == []


def reviewed(table: ParticleTable) -> ParticleTable:
    return with_review_columns(table, classes("film", None, "fibre")).with_columns(keep=[True, False, True])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_keep_decisions(table: ParticleTable, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"particles.{ending}"
    before = reviewed(table)
    (before.to_csv if ending == "csv" else before.to_parquet)(path)
    back = ParticleTable.read(path)
    expected = before.frame
    if ending == "csv":  # text has no categories that do not occur
        expected = expected.assign(**{"class": classes("film", None, "fibre", names=("fibre", "film"))})
    pd.testing.assert_frame_equal(back.frame, expected)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_keep_classes_that_look_like_numbers_or_nothing(
    table: ParticleTable, tmp_path: Path, ending: str
) -> None:
    names = ("1", "02", "None", "NA")
    before = with_review_columns(table, classes("02", "NA", "None", names=names))
    path = tmp_path / f"particles.{ending}"
    (before.to_csv if ending == "csv" else before.to_parquet)(path)
    back = ParticleTable.read(path).frame["class"]
    assert back.tolist() == ["02", "NA", "None"]
    assert set(back.cat.categories) <= set(names)


def test_spreadsheets_write_truth_their_own_way(tmp_path: Path) -> None:
    path = tmp_path / "edited.csv"
    path.write_text("label,keep\n1,TRUE\n2,FALSE\n3,\n4,0\n5,no\n6,1\n")
    table = ParticleTable.read(path)
    assert table.frame["keep"].dtype == bool
    assert table.kept().labels.tolist() == [1, 3, 6]


def test_features_hold_decisions_as_napari_edits_them(table: ParticleTable) -> None:
    features = reviewed(table).to_features()
    assert features["keep"].dtype == pd.BooleanDtype()
    assert features["keep"].isna().tolist() == [True, False, False, True, False]
    assert features["class"].cat.categories.tolist() == ["fibre", "bead", "film", "unclassified"]
    assert features["class"].isna().tolist() == [True, False, False, True, False]
    assert features["class"].iloc[2] == "unclassified"  # napari's table cannot edit an empty cell
    features.iloc[2, features.columns.get_loc("class")] = "bead"
    features.iloc[1, features.columns.get_loc("keep")] = False
    back = ParticleTable.from_features(features).frame
    assert back["class"].tolist() == ["film", "bead", "fibre"]
    assert back["keep"].tolist() == [False, False, True]
    assert back["keep"].dtype == bool
    assert back["class"].cat.categories.tolist() == ["fibre", "bead", "film", "unclassified"]


def test_features_round_trip_is_exact(table: ParticleTable) -> None:
    decided = with_review_columns(reviewed(table), classes("film", "bead", "bead"))
    pd.testing.assert_frame_equal(ParticleTable.from_features(decided.to_features()).frame, decided.frame)


def test_unclassified_is_no_decision(table: ParticleTable) -> None:
    from napari_mpseg.particles.classes import rules
    from napari_mpseg.particles.review.definitions import UNCLASSIFIED

    assert rules.UNCLASSIFIED == UNCLASSIFIED
    back = ParticleTable.from_features(reviewed(table).to_features())
    again = with_review_columns(back, classes("bead", "bead", "bead"))
    assert again.frame["class"].tolist() == ["film", "bead", "fibre"]


def test_no_particles() -> None:
    empty = with_review_columns(measure(np.zeros((3, 3), int)))
    assert len(empty.kept()) == 0
    assert len(ParticleTable.from_features(empty.to_features())) == 0


def test_measuring_again_keeps_decisions_by_label(table: ParticleTable) -> None:
    anew = measure(np.array([[1, 1, 0, 0, 0, 4, 5]]))
    for previous in (reviewed(table).frame, reviewed(table).to_features()):
        frame = carry_decisions(anew, previous.assign(keep=previous["keep"])).frame
        assert frame["label"].tolist() == [1, 4, 5]
        assert frame["keep"].tolist() == [True, True, True]
        assert frame["class"].tolist()[:2] == ["film", "fibre"]
        assert frame["class"].isna().tolist() == [False, False, True]
        assert frame["area_px"].tolist() == [2, 1, 1]
    lost = carry_decisions(measure(np.array([[2, 2]])), reviewed(table).frame).frame
    assert lost["keep"].tolist() == [False]
    assert carry_decisions(anew, table.frame) is anew


def test_what_is_known_of_classes_and_own_columns_are_carried_by_label(table: ParticleTable) -> None:
    decided = reviewed(table).with_columns(
        class_assigned=[True, False, False],
        class_probability=[np.nan, 0.4, 0.8],
        remark=["a", "b", "c"],
        area_um2=[4.0, 4.0, 4.0],
    )
    anew = measure(np.array([[1, 1, 2, 0, 0, 4, 5]])).with_columns(class_assigned=False)
    for previous in (decided.frame, decided.to_features()):
        carried = carry_decisions(anew, previous)
        frame = carried.frame
        assert frame["class_assigned"].tolist() == [True, False, False, False]
        assert frame["class_assigned"].dtype == bool
        # of 2, whose class was not given, the probability says nothing
        np.testing.assert_array_equal(frame["class_probability"], [np.nan, np.nan, 0.8, np.nan])
        assert frame["remark"].tolist()[:3] == ["a", "b", "c"]
        assert frame["remark"].isna().tolist() == [False, False, False, True]
        assert "area_um2" not in frame  # of the pixel size of before
        assert frame.columns[:4].tolist() == ["label", "class", "class_probability", "class_assigned"]
        assert list(carried.units) == frame.columns.tolist()


def test_own_columns_are_carried_without_decisions(table: ParticleTable) -> None:
    anew = measure(np.array([[2, 2]]))
    frame = carry_decisions(anew, table.with_columns(weight=[1.0, 2.0, 3.0]).frame).frame
    assert frame["weight"].tolist() == [2.0]
    assert "keep" not in frame
