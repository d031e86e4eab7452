"""The particle table: files, units, and napari's features."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.particles import PROPERTIES, ParticleTable
from napari_mpseg.particles.measure import measure


@pytest.fixture
def table(rng: np.random.Generator) -> ParticleTable:
    labels = np.zeros((40, 40), np.int32)
    for number in range(1, 9):
        labels[4 * number : 4 * number + 3, number : 2 * number + 3] = number
    image = rng.normal(size=(40, 40, 2))
    return measure(labels, image, calibration=Calibration((2.5, 2.0), "um", "given"), properties="all")


def test_csv_round_trip_keeps_every_digit(table: ParticleTable, tmp_path: Path) -> None:
    path = table.to_csv(tmp_path / "new folder" / "particles.csv")
    back = ParticleTable.read(path, calibration=table.calibration)
    pd.testing.assert_frame_equal(back.frame, table.frame, check_exact=True)
    assert dict(back.units) == dict(table.units)
    assert back.calibration == table.calibration


def test_parquet_round_trip_keeps_units_calibration_and_provenance(table: ParticleTable, tmp_path: Path) -> None:
    path = table.to_parquet(tmp_path / "particles.parquet")
    back = ParticleTable.read(path)
    pd.testing.assert_frame_equal(back.frame, table.frame, check_exact=True)
    assert back.units == table.units
    assert back.calibration == table.calibration
    assert back.provenance == table.provenance


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_empty_table_round_trip(tmp_path: Path, ending: str) -> None:
    table = measure(np.zeros((5, 5), int), calibration=Calibration.parse("1um"))
    path = tmp_path / f"none.{ending}"
    (table.to_csv if ending == "csv" else table.to_parquet)(path)
    back = ParticleTable.read(path)
    assert len(back) == 0
    pd.testing.assert_series_equal(back.frame.dtypes, table.frame.dtypes)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_full_disk_leaves_the_old_file(
    table: ParticleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    def full(*arguments: object, **options: object) -> None:
        path = next(item for item in arguments if isinstance(item, Path))
        path.write_text("the first half")
        raise OSError(28, "No space left on device")

    (tmp_path / f"particles.{ending}").write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(StoreError, match="No space left"):
        (table.to_csv if ending == "csv" else table.to_parquet)(tmp_path / f"particles.{ending}")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet", "broken.parquet", "other.csv"])
def test_files_that_are_no_table_get_a_reason(tmp_path: Path, name: str) -> None:
    if name == "broken.parquet":
        (tmp_path / name).write_bytes(b"PAR1 and then nothing")
    if name == "other.csv":
        (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(StoreError, match=name):
        ParticleTable.read(tmp_path / name)


def test_every_column_has_a_unit_and_a_definition(table: ParticleTable) -> None:
    assert list(table.units) == table.frame.columns.tolist()
    assert set(table.frame.columns) - set(table.definitions) == {"label"}
    assert table.units["area_um2"] == "um2"
    assert table.units["area_px"] == "px2"
    assert table.units["feret_max_um"] == "um"
    assert table.units["feret_angle_deg"] == "deg"
    assert "convex hull" in table.definitions["convex_area_um2"]
    assert "Number of pixels" in table.definitions["area_px"]


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_is_told_and_measured_alone(name: str) -> None:
    entry = PROPERTIES[name]
    assert entry.definition.endswith(".")
    assert entry.source
    labels, image = np.array([[1, 1, 0], [0, 1, 2]]), np.array([[1.0, 2, 0], [0, 4, 8]])
    if entry.given == "rgb":
        image = Image(np.dstack([image] * 3).astype(np.uint8), channels=("red", "green", "blue"))
    frame = measure(
        labels, image, properties=name, probability=image / 8 if entry.given == "probability" else None
    ).frame
    assert len(frame.columns) == 1 + len(entry.stems)
    assert {str(frame[column].dtype) for column in frame.columns[1:]} == {entry.dtype}


def test_features_have_the_form_napari_needs(table: ParticleTable) -> None:
    features = table.to_features()
    assert len(features) == 9
    assert features["index"].tolist() == list(range(9))
    assert features.columns[0] == "index"
    assert "label" not in features
    assert features.drop(columns="index").iloc[0].isna().all()
    assert features.loc[3, "area_px"] == table.frame.set_index("label").loc[3, "area_px"]
    assert pd.api.types.is_bool_dtype(features["touches_border"])  # a tick box in napari's table


def test_features_round_trip(table: ParticleTable) -> None:
    back = ParticleTable.from_features(table.to_features(), table.calibration)
    pd.testing.assert_frame_equal(back.frame, table.frame)
    assert dict(back.units) == dict(table.units)


def test_features_of_labels_with_gaps_leave_rows_empty() -> None:
    table = measure(np.array([[2, 0, 5]]))
    features = table.to_features()
    assert features["index"].tolist() == [0, 1, 2, 3, 4, 5]
    assert features["area_px"].isna().tolist() == [True, True, False, True, True, False]
    pd.testing.assert_frame_equal(ParticleTable.from_features(features).frame, table.frame)


def test_features_of_very_sparse_labels_are_refused() -> None:
    with pytest.raises(ImageError, match=r"2 particles.*2147483647.*Renumber"):
        measure(np.array([[1, 0, 2**31 - 1]])).to_features()


def test_features_without_particles_are_one_background_row() -> None:
    features = measure(np.zeros((3, 3), int)).to_features()
    assert features["index"].tolist() == [0]
    assert len(ParticleTable.from_features(features)) == 0


def test_features_without_index_are_refused() -> None:
    with pytest.raises(ImageError, match=r"'index'.*area"):
        ParticleTable.from_features(pd.DataFrame({"area": [1]}))


def test_with_columns_adds_and_leaves_the_first_table(table: ParticleTable) -> None:
    more = table.with_columns({"thickness": "um"}, thickness=np.arange(8.0), keep=True)
    assert more.frame["keep"].all()
    assert more.units["thickness"] == "um"
    assert more.units["keep"] == ""
    assert "keep" not in table.frame
    back = ParticleTable.from_features(more.to_features())
    assert back.frame["thickness"].tolist() == list(range(8))


def test_labels_of_the_table(table: ParticleTable) -> None:
    assert table.labels.tolist() == list(range(1, 9))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_napari_shows_the_features(table: ParticleTable, ending: str) -> None:
    layers = pytest.importorskip("napari.layers")
    layer = layers.Labels(np.arange(9).reshape(3, 3), features=table.to_features())
    assert layer.features["index"].tolist() == list(range(9))
    status = layer.get_status((1, 1))
    assert "area_px" in str(status)


DAMAGED = {
    "empty label": ("label,area_px\n1,3\n,4\n", r"'label' is empty in line 3, where a whole number"),
    "label with a fraction": ("label,area_px\n1.5,3\n", r"'label' has 1\.5 in line 2, where a whole number"),
    "label of text": ("label,area_px\n1,3\nfibre,4\n", r"'label' has 'fibre' in line 3"),
    "empty whole number": (
        "label,bbox_y0\n1,0\n7,\n",
        r"'bbox_y0' is empty in line 3 \(label 7\), where a whole",
    ),
    "text for a number": (
        "label,area_px\n1,3\n2,about 5\n",
        r"'area_px' has 'about 5' in line 3 \(label 2\), where a n",
    ),
    "decimal comma": (
        'label,circularity\n1,"0,5"\n',
        r"'circularity' has '0,5' in line 2 .*Write decimals with a point",
    ),
    "text for a confidence": ("label,confidence\n1,high\n", r"'confidence' has 'high' in line 2"),
    "empty flag": ("label,touches_border\n1,True\n2,\n", r"'touches_border' is empty in line 3"),
    "odd flag": ("label,touches_border\n1,left\n", r"'touches_border' has 'left' in line 2 .*true or false"),
    "odd decision": ("label,keep\n1,true\n2,x\n", r"'keep' has 'x' in line 3 \(label 2\)"),
    "a label twice": ("label,area_px\n1,3\n2,3\n1,4\n", r"label 1 stands in lines 2 and 4"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_tables_name_column_and_row(tmp_path: Path, name: str) -> None:
    text, message = DAMAGED[name]
    (tmp_path / "damaged.csv").write_text(text)
    with pytest.raises(StoreError, match=message) as raised:
        ParticleTable.read(tmp_path / "damaged.csv")
    assert "damaged.csv" in str(raised.value)


def test_damaged_parquet_names_the_row_of_the_particle(tmp_path: Path) -> None:
    pd.DataFrame({"label": [4, 4], "area_px": [1.0, 2]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(StoreError, match="label 4 stands in rows 1 and 2"):
        ParticleTable.read(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    "text",
    ["label;area_px;circularity\n1;3,5;0,5\n", "label\tarea_px\n1\t3\n", "label,circularity\n1,0,5\n2,0,6\n"],
)
def test_other_separators_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(StoreError, match=r"Columns must be separated by commas, and decimals be written with a point"):
        ParticleTable.read(tmp_path / "t.csv")


def test_features_with_cells_that_do_not_fit_are_refused(table: ParticleTable) -> None:
    features = table.to_features()
    features["label_note"] = "seen"
    features.loc[3, "bbox_y0"] = np.nan
    with pytest.raises(ImageError, match=r"'bbox_y0' is empty in the row of label 3.*measure again"):
        ParticleTable.from_features(features)
    odd = table.to_features().assign(index=lambda frame: frame["index"].astype("object").replace(2, "two"))
    with pytest.raises(ImageError, match=r"'index'.*two"):
        ParticleTable.from_features(odd)


def test_a_table_read_in_a_fresh_process_has_its_types(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "t.csv").write_text("label,area_px\n1,3\n")
    program = (
        "import sys; from napari_mpseg.particles.table import ParticleTable as T; t = T.read(sys.argv[1]); "
        "print(t.frame['area_px'].dtype, t.units['area_px'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "t.csv"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["float64", "px2"]


KEPT = ["true", "TRUE", "yes", "Y", "t", "1", "1.0", "ja", "WAHR", "vrai", "Oui", "", " "]
REJECTED = ["false", "False", "no", "N", "f", "0", "0.0", "nein", "FALSCH", "faux", "NON", " false "]


@pytest.mark.parametrize(("words", "kept"), [(KEPT, True), (REJECTED, False)])
def test_words_for_kept_and_rejected(tmp_path: Path, words: list[str], kept: bool) -> None:
    for word in words:
        (tmp_path / "t.csv").write_text(f"label,keep\n1,{word}\n2,maybe\n".replace("maybe", "true"))
        assert ParticleTable.read(tmp_path / "t.csv").frame["keep"].tolist() == [kept, True], word


@pytest.mark.parametrize("word", ["x", "-", "perhaps", "2", "0.5"])
def test_other_words_for_keep_are_refused(word: str) -> None:
    from napari_mpseg.errors import SettingsError

    table = ParticleTable(pd.DataFrame({"label": [1, 2], "keep": ["yes", word]}))
    with pytest.raises(SettingsError, match=f"'keep' has '{word}' in row 2"):
        table.kept()


def test_one_function_tells_the_property_of_a_column() -> None:
    from napari_mpseg.particles import table as tables
    from napari_mpseg.particles.classes import columns

    assert tables.property_of is columns.property_of
