"""The figures of one image, worked out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.particles.sizes import SizeClasses
from napari_mpseg.reports.frames import counts_frame, summary_frame
from napari_mpseg.reports.item import ReportSettings
from napari_mpseg.reports.summary import summarise_item

PLAIN = ReportSettings(pattern=())
CLASSES = ["fibre", "bead", "film", "unclassified", "all"]
SIZES = ["<20 um", "20-50 um", "50-100 um", "100-500 um", ">=500 um", "all"]


def uncalibrated(table):
    kept = [name for name in table.frame.columns if not name.endswith(("_um", "_um2"))]
    return replace(table, frame=table.frame[kept], calibration=Calibration())


def test_kept_and_not_kept(item):
    summary = summarise_item(item, PLAIN)
    assert (summary.count, summary.rejected) == (6, 1)
    assert summary.table.labels.tolist() == [1, 2, 3, 4, 5, 6]


def test_classes_by_sizes(item):
    counts = summarise_item(item, PLAIN).counts
    assert counts.index.tolist() == CLASSES
    assert counts.columns.tolist() == SIZES
    # sizes 10, 19.8, 20 (belongs to the class it begins), 60, 200, 600 um
    assert counts.to_numpy().tolist() == [
        [2, 0, 0, 0, 0, 2],
        [0, 0, 0, 0, 0, 0],
        [0, 1, 0, 1, 1, 3],
        [0, 0, 1, 0, 0, 1],
        [2, 1, 1, 1, 1, 6],
    ]


def test_density_and_cover(item):
    summary = summarise_item(item, PLAIN)
    # 2000 x 1000 px of 2 um are 4 mm x 2 mm; 2100 of 2 million pixels are particle
    assert (summary.density, summary.density_unit) == (pytest.approx(6 / 8), "mm2")
    assert summary.covered == pytest.approx(100 * 2100 / 2_000_000)


def test_density_without_a_pixel_size_is_per_million_pixels(item):
    summary = summarise_item(replace(item, table=uncalibrated(item.table)), PLAIN)
    assert (summary.density, summary.density_unit) == (pytest.approx(3), "Mpx")
    assert summary.counts.columns.tolist() == ["<10 px", "10-20 px", "20-50 px", "50-200 px", ">=200 px", "all"]
    assert summary.counts.loc["all"].tolist() == [2, 1, 1, 1, 1, 6]


def test_density_of_nanometre_pixels_is_per_square_micrometre(item):
    frame = item.table.frame.rename(columns=lambda name: name.replace("_um", "_nm"))
    table = replace(item.table, frame=frame, calibration=Calibration((2.0, 2.0), "nm"))
    summary = summarise_item(replace(item, table=table), PLAIN)
    assert (summary.density, summary.density_unit) == (pytest.approx(6 / 8), "um2")


def test_without_the_image_size_density_is_left_out_and_said(item):
    summary = summarise_item(replace(item, shape=None))
    assert (summary.density, summary.covered, summary.pattern) == (None, None, ())
    assert "size of the image is not known" in " ".join(summary.notes)


def test_own_size_classes(item):
    counts = summarise_item(item, replace(PLAIN, sizes=SizeClasses((0.1,), "mm"))).counts
    assert counts.loc["all"].to_dict() == {"<0.1 mm": 4, ">=0.1 mm": 2, "all": 6}


def test_size_classes_in_a_unit_need_a_pixel_size(item):
    with pytest.raises(SettingsError, match="pixel size"):
        summarise_item(replace(item, table=uncalibrated(item.table)), replace(PLAIN, sizes=SizeClasses((10,), "um")))


def test_a_table_without_sizes_is_not_counted_by_size(item):
    frame = item.table.frame.drop(columns=["feret_max_px", "feret_max_um"])
    summary = summarise_item(replace(item, table=replace(item.table, frame=frame)), PLAIN)
    assert summary.counts.columns.tolist() == ["all"]
    assert summary.counts["all"].tolist() == [2, 0, 3, 1, 6]
    assert any("Not counted by size" in note for note in summary.notes)


@pytest.mark.parametrize("values", [None, [None] * 7])
def test_no_classes_is_one_row(item, values):
    frame = item.table.frame.drop(columns="class")
    if values is not None:
        frame["class"] = pd.Categorical(values, ["fibre", "film"])
    counts = summarise_item(replace(item, table=replace(item.table, frame=frame)), PLAIN).counts
    assert counts.index.tolist() == ["all"]
    assert counts.loc["all"].tolist() == [2, 1, 1, 1, 1, 6]


def test_rules_take_the_place_of_classes_in_the_table(item):
    summary = summarise_item(item, replace(PLAIN, rules="mp-vat"))
    # circularities 0.1, 0.2, 0.5, 0.6, 0.9, 1
    assert summary.counts["all"].to_dict() == {"fibre": 2, "fragment": 1, "particle": 3, "all": 6}
    assert any("not those in the table" in note for note in summary.notes)
    frame = item.table.frame.drop(columns="class")
    summary = summarise_item(replace(item, table=replace(item.table, frame=frame)), replace(PLAIN, rules="mp-vat"))
    assert summary.counts["all"].to_dict() == {"fibre": 2, "fragment": 1, "particle": 3, "all": 6}
    assert not any("in the table" in note for note in summary.notes)


def test_classes_given_by_hand_stay(item):
    frame = item.table.frame.assign(class_assigned=[False, False, True, False, False, False, True])
    summary = summarise_item(replace(item, table=replace(item.table, frame=frame)), replace(PLAIN, rules="mp-vat"))
    assert summary.counts["all"].to_dict() == {"fibre": 2, "fragment": 0, "particle": 3, "film": 1, "all": 6}
    assert any("given by hand stay, 1 of 6" in note for note in summary.notes)


def test_unknown_rules_are_said(item):
    with pytest.raises(UnknownNameError, match="mp-vat"):
        summarise_item(item, replace(PLAIN, rules="mp-vet"))


def test_no_particles(item):
    empty = replace(item.table, frame=item.table.frame.iloc[:0])
    summary = summarise_item(replace(item, table=empty), PLAIN)
    assert (summary.count, summary.density, summary.covered) == (0, 0.0, 0.0)
    assert summary.counts.to_numpy().sum() == 0


def test_frames_for_other_programs(item):
    other = replace(item, name="b", shape=None, table=uncalibrated(item.table))
    summaries = [summarise_item(one, PLAIN) for one in (item, other)]
    frame = summary_frame(summaries)
    assert frame["image"].tolist() == ["filter 1", "b"]
    assert frame.loc[0, ["particles", "not_kept", "area_um2_mean", "class_film"]].tolist() == [6, 1, 1400, 3]
    assert frame.loc[0, "particles_per_mm2"] == pytest.approx(0.75)
    assert frame["width_px"].tolist() == [2000, pd.NA]
    assert frame.loc[1, "area_px_mean"] == 350
    assert frame["area_um2_mean"].isna().tolist() == [False, True]
    counts = counts_frame(summaries)
    assert len(counts) == 2 * 5 * 6
    chosen = counts[
        (counts["image"] == "filter 1") & (counts["class"] == "film") & (counts["size_class"] == ">=500 um")
    ]
    assert chosen["particles"].tolist() == [1]
    sums = counts[(counts["class"] == "all") & (counts["size_class"] == "all")]
    assert sums["particles"].tolist() == [6, 6]


def test_point_pattern_by_hand(item):
    settings = PatternSettings(fewest=2, curve=False)
    summary = summarise_item(item, ReportSettings(pattern=("biovoxxel", "donnelly"), pattern_settings=settings))
    first, second = summary.pattern
    y, x = (item.table.frame[name].to_numpy()[:6] for name in ("centroid_y_px", "centroid_x_px"))
    between = np.hypot(y[:, None] - y, x[:, None] - x) + 1e9 * np.eye(6)
    nearest = between.min(axis=1)
    # BioVoxxel: 6 points on 1000 x 2000 pixels, 0.5 sqrt(area / n)
    assert (first.n, first.unit, first.theoretical) == (6, "px", pytest.approx(0.5 * np.sqrt(2e6 / 6)))
    assert (first.median, first.mean) == (pytest.approx(np.median(nearest)), pytest.approx(nearest.mean()))
    # Donnelly 1978 (constants as in spatstat's clarkevans), with area 8e6 um2 and perimeter 12000 um
    expected = 0.5 * np.sqrt(8e6 / 6) + (0.0514 + 0.0412 / np.sqrt(6)) * 12000 / 6
    assert (second.unit, second.theoretical, second.mean) == (
        "um",
        pytest.approx(expected),
        pytest.approx(2 * nearest.mean()),
    )
    row = summary_frame([summary]).iloc[0]
    assert row["biovoxxel_theoretical_nnd_px"] == first.theoretical
    assert row["donnelly_class"] == second.pattern_class


def test_the_tests_of_the_point_pattern_are_told_apart(item):
    with pytest.raises(UnknownNameError, match="clark-evans"):
        summarise_item(item, ReportSettings(pattern=("clark-evens",)))
    frame = item.table.frame.drop(columns=["centroid_y_px"])
    summary = summarise_item(replace(item, table=replace(item.table, frame=frame)))
    assert summary.pattern == ()
    assert any("was not tested (clark-evans)" in note and "centroid_y_px" in note for note in summary.notes)
