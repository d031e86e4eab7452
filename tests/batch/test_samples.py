"""Counts per sample, worked out by hand."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import chi2, gamma

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


def test_the_interval_of_two_volumes_is_that_of_the_documented_example():
    # one particle stands for 1 / (2 x 2 L) and for 1 / (2 x 0.5 L); 5 of the 10.5 per litre are the blanks'
    y, v, w = 0.25 * 10 + 1 * 8, 0.25**2 * 10 + 1 * 8, 1.0
    low = v / (2 * y) * chi2.ppf(0.025, 2 * y**2 / v)
    high = (v + w**2) / (2 * (y + w)) * chi2.ppf(0.975, 2 * (y + w) ** 2 / (v + w**2))
    lake = [
        image("l1", 10, 0, sample="lake", replicate="1", volume_l=2.0),
        image("l2", 3, 5, sample="lake", replicate="2", volume_l=0.5),
    ]
    found = row(count_samples([*lake, *BLANKS]), "lake")
    assert (found["per_litre_low"], found["per_litre_high"]) == pytest.approx((max(0.0, low - 5), high - 5))
    told = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
    assert f"from {low:.3g} to {high:.3g}" in told
    assert f"**{found['per_litre_low']:.2g} to {found['per_litre_high']:.3g} per litre**" in told


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
    assert found["formula"] == "4 x 1500 mm2 / 300 mm2 = 20; 20 / 2 L = 10 per L"
    counted = count_samples([image("l", 4, 0, **about)])
    assert row(counted, "lake")["per_litre_mean"] == 2.0
    assert "The filter area of sample lake is given without the imaged area; it is not used." in counted.notes


def fields(*areas, **about):
    """Images of one filter of 100 mm2, with 9 particles each; 1 litre."""
    known = {"sample": "lake", "replicate": "1", "volume_l": 1.0, "filter_area_mm2": 100.0, **about}
    return [image(f"lake_{n}", 9, 0, **known, imaged_area_mm2=area) for n, area in enumerate(areas, 1)]


@pytest.mark.parametrize(
    ("areas", "per_litre", "formula"),
    [
        # two fields of 25 mm2 are half of the filter: 18 seen are 36 on it
        ((25.0, 25.0), 36.0, "18 x 100 mm2 / 50 mm2 = 36; 36 / 1 L = 36 per L"),
        ((25.0, 30.0), 18 * 100 / 55, "18 x 100 mm2 / 55 mm2 = 32.73; 32.73 / 1 L = 32.73 per L"),
    ],
)
def test_the_imaged_areas_of_the_images_of_a_filter_are_added_up(areas, per_litre, formula):
    counted = count_samples(fields(*areas))
    found = row(counted, "lake")
    assert (found["filter_mean"], found["per_litre_mean"]) == pytest.approx((per_litre, per_litre))
    assert found["formula"] == formula
    assert counted.notes == ()


def contradicting(**second):
    first, other = fields(25.0, 25.0)
    return [first, replace(other, metadata=replace(other.metadata, **second))]


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (contradicting(filter_area_mm2=200.0), "filter_area_mm2 of sample lake, replicate 1, is 100 and 200 in its "),
        (contradicting(imaged_area_mm2=None), "not given for lake_2, an image of sample lake, replicate 1"),
        (fields(60.0, 50.0), "images of sample lake, replicate 1, show 110 mm2 together, and its filter has 100 mm2"),
    ],
    ids=["filter areas", "an imaged area is missing", "more than the filter"],
)
def test_areas_that_contradict_each_other_give_no_particles_per_litre(images, told):
    counted = count_samples(images)
    found = row(counted, "lake")
    assert found["count_total"] == 18
    assert all(math.isnan(found[name]) for name in ("filter_mean", "corrected_mean", "per_litre_mean"))
    assert (found["detection"], found["formula"]) == ("", "")
    (note,) = counted.notes
    assert told in note


def test_a_blank_whose_areas_contradict_each_other_is_no_blank_to_go_by():
    odd = fields(60.0, 50.0, sample="blank", replicate="9", volume_l=None)
    counted = count_samples([*fields(50.0, 50.0), *BLANKS, *odd])
    assert row(counted, "lake")["blanks"] == 3
    assert any("this filter is left out of the blanks" in note for note in counted.notes)


def test_areas_that_are_given_for_some_filters_of_a_sample_only_are_told():
    counted = count_samples([*fields(25.0), image("lake_9", 4, 0, sample="lake", replicate="9", volume_l=1.0)])
    assert any("not given for sample lake, replicate 9: such a filter is taken as" in note for note in counted.notes)


AREAS = {"filter_area_mm2": 1000.0, "imaged_area_mm2": 100.0}


def blanks_imaged_whole(**about):
    return [image(f"b{n}", 40, 0, sample="blank", replicate=f"{n}", **about) for n in range(3)]


@pytest.mark.parametrize("about", [{}, {"filter_area_mm2": 1000.0, "imaged_area_mm2": 1000.0}])
def test_blanks_are_subtracted_from_what_is_on_the_whole_filter(about):
    # a tenth of the lake's filter was imaged: 30 seen are 300 on it, of which the laboratory brought 40
    lake = image("l", 30, 0, sample="lake", volume_l=2.0, **AREAS)
    found = row(count_samples([lake, *blanks_imaged_whole(**about)]), "lake")
    assert (found["count_mean"], found["filter_mean"], found["blank_mean"]) == (30.0, 300.0, 40.0)
    assert (found["corrected_mean"], found["per_litre_mean"]) == (260.0, 130.0)
    assert found["formula"] == ("30 x 1000 mm2 / 100 mm2 = 300; max(0, 300 - 40) = 260; 260 / 2 L = 130 per L")
    assert (found["lod"], found["detection"]) == (40.0, "above LOQ")  # not 30 against 40
    # 30 are 20.24 to 42.83 by the tables of exact Poisson limits
    assert (found["filter_low"], found["filter_high"]) == pytest.approx((202.4, 428.3), rel=1e-3)
    assert (found["per_litre_low"], found["per_litre_high"]) == pytest.approx((81.2, 194.1), rel=1e-3)


def test_blanks_of_which_a_part_was_imaged_are_scaled_too():
    blanks = [image(f"b{n}", n, 0, sample="blank", replicate=f"{n}", **AREAS) for n in (1, 2, 3)]
    lake = image("l", 10, 0, sample="lake", volume_l=1.0, **AREAS)
    found = row(count_samples([lake, *blanks]), "lake")
    assert (found["blank_mean"], found["blank_sd"]) == (20.0, 10.0)
    assert (found["lod"], found["loq"]) == (50.0, 120.0)
    assert (found["detection"], found["per_litre_mean"]) == ("above LOD", 80.0)


def test_an_area_that_is_given_for_some_only_is_told():
    lake = image("l", 30, 0, sample="lake", volume_l=2.0, **AREAS)
    notes = count_samples([lake, *blanks_imaged_whole()]).notes
    assert any("not given for sample blank: such a filter is taken as imaged whole" in note for note in notes)
    whole = blanks_imaged_whole(filter_area_mm2=1000.0, imaged_area_mm2=1000.0)
    assert not any("imaged whole" in note for note in count_samples([lake, *whole]).notes)


def test_without_areas_other_numbers_of_images_per_filter_are_told():
    pieces = [image(f"l{n}", 5, 0, sample="lake", replicate="1") for n in range(4)]
    notes = count_samples([*pieces, *blanks_imaged_whole()]).notes
    assert any("Blanks have 1 image per filter and samples 4" in note for note in notes)
    assert not any("per filter" in note for note in count_samples([pieces[0], *blanks_imaged_whole()]).notes)


def test_filters_of_which_unequal_shares_were_imaged_have_a_weighted_interval():
    # Fay and Feuer 1997 by hand: weights 5 and 1 (halved by two filters), counts 2 and 6
    pieces = [
        image("l1", 2, 0, sample="lake", replicate="1", filter_area_mm2=500.0, imaged_area_mm2=100.0),
        image("l2", 6, 0, sample="lake", replicate="2", filter_area_mm2=100.0, imaged_area_mm2=100.0),
    ]
    found = row(count_samples(pieces), "lake")
    assert found["filter_mean"] == 8.0  # (10 + 6) / 2
    total, variance = 8.0, 2 * 2.5**2 + 6 * 0.5**2
    low = gamma.ppf(0.025, total**2 / variance, scale=variance / total)
    total, variance = total + 2.5, variance + 2.5**2
    high = gamma.ppf(0.975, total**2 / variance, scale=variance / total)
    assert (found["filter_low"], found["filter_high"]) == pytest.approx((low, high))


def test_a_filter_of_which_an_image_failed_has_no_particles_per_litre():
    def pieces(replicate, **more):
        return [
            image(f"l{replicate}{n}", 5, 0, sample="lake", replicate=replicate, volume_l=2.0, **more) for n in range(4)
        ]

    cut = [*pieces("1")[:3], CountedImage("l13", Metadata("lake", "1", 2.0), None)]
    counted = count_samples(cut)
    found = row(counted, "lake")
    assert (found["images"], found["count_total"]) == (3, 15)
    assert math.isnan(found["per_litre_mean"])
    assert math.isnan(found["corrected_mean"])
    assert any("1 of 4 images of sample lake, replicate 1, could not be counted" in note for note in counted.notes)
    # another filter that is complete tells of the sample
    found = row(count_samples([*cut, *pieces("2")]), "lake")
    assert (found["replicates"], found["count_total"], found["per_litre_mean"]) == (2, 35, 10.0)


def test_a_blank_of_which_an_image_failed_is_no_blank_to_go_by():
    blanks = [*BLANKS, CountedImage("b4", Metadata("blank", "3"), None)]
    counted = count_samples([image("l", 9, 1, sample="lake"), *blanks])
    assert (row(counted, "lake")["blanks"], row(counted, "lake")["blank_mean"]) == (2, 4.0)  # 3 and 5
    assert any("is left out of the blanks" in note for note in counted.notes)


def test_volumes_that_contradict_each_other_are_told_and_not_used():
    pieces = [image(f"l{v}", 5, 0, sample="lake", replicate="1", volume_l=v) for v in (1.0, 2.0)]
    counted = count_samples(pieces)
    assert math.isnan(row(counted, "lake")["per_litre_mean"])
    assert any("volume_l of sample lake, replicate 1, is 1 and 2 " in note for note in counted.notes)


def test_an_image_that_failed_counts_nowhere_and_is_told():
    images = [image("l1", 2, 0, sample="lake"), CountedImage("l2", Metadata("lake"), None)]
    counted = count_samples(images)
    assert row(counted, "lake")["replicates"] == 1
    assert "1 image of sample lake could not be counted." in counted.notes


def test_a_failed_image_without_a_sample_is_not_told_again_as_a_sample():
    assert count_samples([CountedImage("odd", Metadata(), None), image("l", 1, 0)]).notes == ()


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
