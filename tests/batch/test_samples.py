"""Counts per sample, worked out by hand."""

import math

import pytest

from napari_mpseg.batch.metadata import Metadata
from napari_mpseg.batch.samples import CountedImage, count_samples


def image(name, small, large, **about):
    return CountedImage(name, Metadata(**about), {"<20 um": small, ">=20 um": large, "all": small + large})


BLANKS = [
    image("b1", 2, 1, sample="blank", replicate="1"),
    image("b2", 4, 1, sample="blank", replicate="2"),
    image("b3", 6, 1, sample="blank", replicate="3"),
]  # small: mean 4, sd 2; large: mean 1, sd 0


def row(counted, sample, size="all"):
    frame = counted.frame
    (found,) = frame[(frame["sample"] == sample) & (frame["size_class"] == size)].to_dict("records")
    return found


def test_blanks_are_subtracted_by_size_class_and_never_below_zero():
    lake = [
        image("l1", 10, 0, sample="lake", replicate="1", volume_l=2.0),  # 6 + 0 left, 3 per litre
        image("l2", 3, 5, sample="lake", replicate="2", volume_l=0.5),  # 0 + 4 left, 8 per litre
    ]
    counted = count_samples([*lake, *BLANKS])
    small, large, whole = (row(counted, "lake", size) for size in ("<20 um", ">=20 um", "all"))
    assert (small["count_mean"], small["corrected_mean"]) == (6.5, 3.0)
    assert (large["count_mean"], large["corrected_mean"]) == (2.5, 2.0)
    assert (whole["count_total"], whole["count_mean"], whole["blank_mean"]) == (18, 9.0, 5.0)
    assert whole["corrected_mean"] == 5.0  # (6 + 4) / 2, the sum of the size classes
    assert whole["corrected_sd"] == pytest.approx(math.sqrt(2))
    assert (whole["per_litre_mean"], whole["volume_l"]) == (5.5, 2.5)  # (6 / 2 + 4 / 0.5) / 2
    assert whole["per_litre_sd"] == pytest.approx(math.sqrt(12.5))
    assert whole["formula"] == (
        "max(0, 10 - 5) by size class = 6; 6 / 2 L = 3 per L"
        " | max(0, 8 - 5) by size class = 4; 4 / 0.5 L = 8 per L"
        " | mean of 2 = 5.5 per L"
    )


def test_limits_come_from_the_blanks_of_each_size_class():
    counted = count_samples([image("l", 11, 2, sample="lake"), *BLANKS])
    small, large, whole = (row(counted, "lake", size) for size in ("<20 um", ">=20 um", "all"))
    assert (small["lod"], small["loq"], small["detection"]) == (10.0, 24.0, "above LOD")
    assert (large["lod"], large["loq"], large["detection"]) == (1.0, 1.0, "above LOQ")
    assert (whole["lod"], whole["loq"], whole["detection"]) == (11.0, 25.0, "above LOD")
    assert row(counted, "blank")["blank"] == "yes"
    assert row(counted, "blank")["count_mean"] == 5.0


def test_nothing_is_detected_where_nothing_was_counted():
    blanks = [image(f"b{n}", 0, 0, blank=True, sample="b") for n in range(3)]
    counted = count_samples([image("l", 0, 1, sample="lake"), *blanks])
    assert row(counted, "lake", "<20 um")["detection"] == "below LOD"
    assert row(counted, "lake", ">=20 um")["detection"] == "above LOQ"


def test_without_blanks_the_counts_stay_and_no_limit_is_told():
    found = row(count_samples([image("l", 3, 1, sample="lake", volume_l=2.0)]), "lake")
    assert (found["corrected_mean"], found["per_litre_mean"]) == (4.0, 2.0)
    assert math.isnan(found["lod"])
    assert (found["detection"], found["formula"]) == ("", "4 / 2 L = 2 per L")


def test_the_interval_of_a_single_filter_is_that_of_its_count_per_litre():
    found = row(count_samples([image("l", 10, 0, sample="lake", volume_l=2.0)]), "lake")
    assert (found["count_low"], found["count_high"]) == pytest.approx((4.795, 18.390), rel=1e-3)  # of 10, from tables
    assert (found["per_litre_low"], found["per_litre_high"]) == pytest.approx((2.398, 9.195), rel=1e-3)


def test_two_blanks_are_subtracted_but_give_no_limit():
    counted = count_samples([image("l", 9, 1, sample="lake"), *BLANKS[:2]])
    found = row(counted, "lake")
    assert (found["blank_mean"], found["corrected_mean"]) == (4.0, 6.0)  # 9 - 3 and 1 - 1
    assert math.isnan(found["lod"])
    assert "2 blanks: a limit of detection needs three." in counted.notes


def test_images_of_one_replicate_are_pieces_of_one_filter():
    pieces = [image(f"l{n}", 5, 0, sample="lake", replicate="1", volume_l=2.0) for n in range(3)]
    found = row(count_samples(pieces), "lake")
    assert (found["replicates"], found["images"], found["count_mean"], found["volume_l"]) == (1, 3, 15.0, 2.0)
    assert found["per_litre_mean"] == 7.5
    assert math.isnan(found["count_sd"])


def test_images_without_a_replicate_are_filters_of_their_own():
    found = row(count_samples([image(f"l{n}", n, 0, sample="lake") for n in (2, 4)]), "lake")
    assert (found["replicates"], found["count_mean"]) == (2, 3.0)
    assert found["count_sd"] == pytest.approx(math.sqrt(2))


def test_what_was_imaged_stands_for_the_whole_filter_where_both_areas_are_given():
    about = {"sample": "lake", "volume_l": 2.0, "filter_area_mm2": 1500.0}
    found = row(count_samples([image("l", 4, 0, **about, imaged_area_mm2=300.0)]), "lake")
    assert found["per_litre_mean"] == 10.0  # 4 x 5 / 2
    assert found["formula"] == "4 x 1500 mm2 / 300 mm2 / 2 L = 10 per L"
    counted = count_samples([image("l", 4, 0, **about)])
    assert row(counted, "lake")["per_litre_mean"] == 2.0
    assert "The filter area of sample lake is given without the imaged area; it is not used." in counted.notes


def test_volumes_that_contradict_each_other_are_told_and_not_used():
    pieces = [image(f"l{v}", 5, 0, sample="lake", replicate="1", volume_l=v) for v in (1.0, 2.0)]
    counted = count_samples(pieces)
    assert math.isnan(row(counted, "lake")["per_litre_mean"])
    assert any("volume_l of sample lake, replicate 1, is 1.0 and 2.0" in note for note in counted.notes)


def test_an_image_that_failed_counts_nowhere_and_is_told():
    images = [image("l1", 2, 0, sample="lake"), CountedImage("l2", Metadata("lake"), None)]
    counted = count_samples(images)
    assert row(counted, "lake")["replicates"] == 1
    assert "1 image of sample lake could not be counted." in counted.notes


def test_images_with_other_size_classes_are_counted_over_all_sizes():
    odd = CountedImage("odd", Metadata("lake"), {"<10 px": 1, "all": 1})
    counted = count_samples([image("l", 2, 2, sample="lake"), odd])
    assert list(counted.frame["size_class"]) == ["all"]
    assert row(counted, "lake")["count_total"] == 5
    assert any("different size classes" in note for note in counted.notes)


def test_an_image_without_a_sample_is_a_sample_of_its_own():
    assert list(count_samples([image("one", 1, 0), image("two", 2, 0)]).frame["sample"].unique()) == ["one", "two"]


def test_nothing_counted_is_an_empty_table():
    assert len(count_samples([CountedImage("l", Metadata(), None)]).frame) == 0
