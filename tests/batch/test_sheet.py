"""Sample sheets as spreadsheets of several countries write them."""

from pathlib import Path

import pytest

from napari_mpseg.batch.describe import describe
from napari_mpseg.batch.sheet import read_sheet
from napari_mpseg.errors import SettingsError

IMAGES = [Path("/s/may/lake_1.tif"), Path("/s/may/lake_2.tif"), Path("/s/june/lake_1.tif")]
ENGLISH = 'file,sample,replicate,volume filtered (L),blank,site\nlake_2.tif,Lac Léman,2,"1.5",no,north\n'
GERMAN = "Datei;file;sample;replicate;volume_l;blank;site\nx;lake_2.tif;Lac Léman;2;1,5;nein;north\n"
TABS = "filename\tsample\treplicate\tvolume_ml\tblank\tsite\nlake_2.tif\tLac Léman\t2\t1500\t\tnorth\n"
EXCEL = (
    'sep=;\r\nfile;sample;replicate;"volume, filtered (mL)";blank;site\r\n'
    'lake_2;"Lac Léman";2;1500;No;north\r\n;;;;;\r\n'
)
QUOTED = 'Image,Sample,Replicate,Volume (L),Blank,site\n"lake_2.tif","Lac Léman",2,"1,5",0,north\n'


@pytest.mark.parametrize(
    "text", [ENGLISH, GERMAN, TABS, EXCEL, QUOTED], ids=["comma", "semicolon", "tab", "sep", "quoted"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_same_is_read_whatever_program_wrote_it(tmp_path, text, encoding):
    sheet = tmp_path / "samples.csv"
    sheet.write_bytes(text.encode(encoding))
    (row,) = read_sheet(sheet).rows
    about = row.metadata
    assert (about.sample, about.replicate, about.volume_l, about.is_blank) == ("Lac Léman", "2", 1.5, False)
    assert about.more["site"] == "north"


@pytest.fixture
def match(tmp_path):
    def match(text):
        sheet = tmp_path / "samples.csv"
        sheet.write_text(text, encoding="utf-8")
        rows, notes = read_sheet(sheet).match(IMAGES)
        return {path: row.metadata.sample for path, row in rows.items()}, notes

    return match


@pytest.mark.parametrize(
    "file", ["may/lake_1.tif", r"MAY\Lake_1.TIF", "/s/may/lake_1.tif", "./may/lake_1", r"may\lake_1"]
)
def test_files_are_found_with_or_without_folder_ending_and_case(match, file):
    rows, _ = match(f"file,sample\n{file},A\n")
    assert rows == {IMAGES[0]: "A"}


def test_rows_without_a_file_and_files_without_a_row_are_told(match):
    rows, notes = match("file,sample\nlake_2.tif,A\nriver.tif,B\nlake_1.tif,C\n")
    assert rows == {IMAGES[1]: "A"}
    assert notes == (
        "Line 3 of samples.csv (river.tif) is of no image here.",
        "Line 4 of samples.csv (lake_1.tif) fits 2 images, in /s/june, /s/may: write the folder or the ending too. "
        "It is not used.",
        "Without a row in samples.csv: lake_1.tif, lake_1.tif.",
    )


def test_two_rows_that_differ_on_one_file_are_refused(match):
    with pytest.raises(SettingsError, match=r"lines 2 and 4 say different things of lake_2.tif"):
        match("file,sample\nlake_2.tif,A\n\nlake_2,B\n")
    assert match("file,sample\nlake_2.tif,A\nlake_2,A\n")[0] == {IMAGES[1]: "A"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("name,sample\na,b\n", "has no column 'file'"),
        ("file,volume\na,1\n", "tells no unit"),
        ("file,volume_l,volume_ml\na,1,1000\n", "say the same"),
        ("file,volume_l\na,one\n", "line 2: volume_l 'one' is no number"),
        ("file,volume_l\na,1,5\n", "line 2 has 3 cells"),
        ("file,blank\n\na,perhaps\n", "line 3: blank is yes or no"),
        ("file,sample\n,A\n", "line 2 names no file"),
        (
            "file,filter_area_mm2,imaged_area_cm2\nb,100,1\na,100,1.5\n",
            r"line 3: The imaged area \(150 mm2\) is larger than the filter area \(100 mm2\)",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(match, text, why):
    with pytest.raises(SettingsError, match=why):
        match(text)


def test_a_workbook_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "samples.csv").write_bytes(b"PK\x03\x04rest")
    with pytest.raises(SettingsError, match="Save it as CSV"):
        read_sheet(tmp_path / "samples.csv")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_sheet(tmp_path / "none.csv")


def test_the_sheet_holds_where_name_and_sheet_differ(tmp_path):
    (tmp_path / "samples.csv").write_text("file,sample,volume_l\nlake_2,Lake,2\n")
    told = describe(IMAGES, "{sample}_{replicate:digits}.tif", tmp_path / "samples.csv")
    about = told.metadata[IMAGES[1]]
    assert (about.sample, about.replicate, about.volume_l) == ("Lake", "2", 2.0)
    assert told.metadata[IMAGES[0]].sample == "lake"
    assert any(
        "Name and sheet differ in the sample" in note and "lake_2.tif (lake, Lake)" in note for note in told.notes
    )


def test_an_empty_cell_leaves_a_blank_that_the_name_tells(tmp_path):
    (tmp_path / "samples.csv").write_text("file,blank,volume_l\nblank_1,,1\nlake_1,,1\n")
    images = [Path("/s/blank_1.tif"), Path("/s/lake_1.tif")]
    told = describe(images, "{sample}_{replicate}", tmp_path / "samples.csv")
    assert [told.metadata[path].is_blank for path in images] == [True, False]
    assert any("Taken for blanks" in note and "blank_1.tif" in note for note in told.notes)


def test_names_that_do_not_fit_are_notes():
    told = describe([*IMAGES, Path("/s/odd.tif")], "{sample}_{replicate}.tif")
    assert told.metadata[Path("/s/odd.tif")].sample == ""
    assert [note for note in told.notes if "odd.tif does not fit" in note]


def test_an_area_of_the_name_and_one_of_the_sheet_must_be_possible_together(tmp_path):
    (tmp_path / "samples.csv").write_text("file,filter_area_mm2\n\nlake_200,100\n")
    with pytest.raises(SettingsError, match=r"samples.csv: line 3: The imaged area \(200 mm2\) is larger"):
        describe([Path("/s/lake_200.tif")], "{sample}_{imaged_area_mm2}", tmp_path / "samples.csv")
