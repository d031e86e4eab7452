"""The tables of samples on the page."""

import re
from html import unescape

import pytest

from napari_mpseg.batch.filters import CountedImage
from napari_mpseg.batch.markup import samples_section
from napari_mpseg.batch.metadata import Metadata
from napari_mpseg.batch.samples import count_samples


def image(name, count, **about):
    return CountedImage(name, Metadata(**about), {"all": count})


def blanks(*counts):
    return [image(f"b{k}", count, sample="blank", replicate=f"{k}") for k, count in enumerate(counts)]


def tables(*images, known=("lake", "blank")):
    """Return the texts of all cells, by table and row."""
    page = unescape(samples_section(count_samples(images).frame, known))
    return {
        re.search(r"<caption>(.*?)</caption>", table)[1]: [
            re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>.*?</tr>", table)
        ]
        for table in re.findall(r"<table>.*?</table>", page)
    }


AREAS = {"filter_area_mm2": 100.0, "imaged_area_mm2": 25.0}


def test_every_step_from_the_count_to_particles_per_litre_can_be_followed():
    # 9 on a quarter of the filter are 36 on it; less the blanks' 5 they are 31; 31 / 2 L = 15.5 per litre
    found = tables(image("l", 9, sample="lake", volume_l=2.0, **AREAS), *blanks(3, 5, 7))
    per_litre, less, counted = (found[f"All sizes: {what}"] for what in ("per litre", "without the blanks", "counted"))
    assert per_litre[0] == ["Sample", "Filters", "Corrected", "Litres", "Per litre", "95 % per litre"]
    assert per_litre[1][:5] == ["lake", "1", "31", "2", "15.5"]
    assert less[0] == ["Sample", "On the filter", "Blanks", "Corrected", "LOD", "LOQ", "Detection"]
    assert less[1:] == [["lake", "36", "5", "31", "11", "25", "above LOQ"]]  # sd 2
    assert counted[0][3:] == ["Count per filter", "95 % of the count", "On the filter", "95 % on the filter"]
    assert counted[1] == ["lake", "1", "1", "9", "4.12 – 17.1", "36", "16.5 – 68.3"]  # Garwood's limits of 9
    assert counted[2][0] == "blank"


def test_no_table_is_wider_than_a_page_and_no_column_is_called_like_another():
    for rows in tables(image("l", 9, sample="lake", volume_l=2.0, **AREAS), *blanks(3, 5, 7)).values():
        assert len(rows[0]) <= 7
        assert len(set(rows[0])) == len(rows[0])


def test_without_blanks_areas_and_volumes_there_are_counts_alone():
    assert tables(image("l", 9, sample="lake")) == {
        "All sizes: counted": [
            ["Sample", "Filters", "Images", "Count per filter", "95 % of the count"],
            ["lake", "1", "1", "9", "4.12 – 17.1"],
        ]
    }


@pytest.mark.parametrize(("known", "shown"), [((), []), (("lake",), ["Sample", "lake", "odd (no sample)"])])
def test_images_without_a_sample_are_told_from_samples(known, shown):
    images = [image("l", 9, sample=known[0] if known else ""), image("odd", 2)]
    assert [row[0] for rows in tables(*images, known=known).values() for row in rows] == shown
