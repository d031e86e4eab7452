"""What napari opens and saves through this plugin keeps its pixel size, units, channels, pyramid and table."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from napari.utils.notifications import notification_manager
from npe2 import read, write
from qtpy.QtWidgets import QApplication

from napari_mpseg.errors import StoreError
from napari_mpseg.gui.readers import get_reader
from napari_mpseg.gui.writers import write_labels_tiff, write_labels_zarr
from napari_mpseg.particles.table import ParticleTable


@pytest.fixture
def model(qapp: QApplication):
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def labels(model):
    """Two particles with a table in which the user has already worked."""
    data = np.zeros((30, 40), np.int32)
    data[2:5, 3:9], data[20:22, 30:33] = 1, 2
    features = pd.DataFrame(
        {
            "index": [0, 1, 2],
            "area_px": [np.nan, 18.0, 6.0],
            "keep": pd.array([pd.NA, True, False], dtype="boolean"),
            "class": pd.Categorical([None, "fibre", "film"], categories=["fibre", "film", "bead"]),
        }
    )
    return model.add_labels(
        data, name="mine", features=features, scale=(2.5, 2.5), translate=(7, 9), units=("um", "um")
    )


def save(layer, path):
    return write(str(path), [layer.as_layer_data_tuple()], plugin_name="napari-mpseg")


def reopen(model, path):
    return [
        model._add_layer_from_data(data, meta, kind)[0]
        for data, meta, kind in read([str(path)], plugin_name="napari-mpseg", stack=False)
    ]


@pytest.mark.parametrize("name", ["mine.ome.zarr", "mine.tif"])
def test_the_record_of_a_review_comes_back(model, labels, tmp_path, name):
    record = {"role": "particles", "audit": [{"action": "reject", "labels": [2]}], "assigned": {"1": "fibre"}}
    labels.metadata["napari-mpseg"] = record
    written = save(labels, tmp_path / name)
    (again,) = reopen(model, written[0])
    assert again.metadata["napari-mpseg"] == record


def test_a_file_of_the_users_is_not_replaced_by_the_record(labels, tmp_path):
    (tmp_path / "mine_review.json").write_text('{"mine": 1}')
    labels.metadata["napari-mpseg"] = {"audit": [{"action": "reject"}]}
    with pytest.raises(StoreError, match="another file is there"):
        write_labels_tiff(str(tmp_path / "mine.tif"), labels.data, labels.as_layer_data_tuple()[1])
    assert (tmp_path / "mine_review.json").read_text() == '{"mine": 1}'
    assert not (tmp_path / "mine.tif").exists()


def test_labels_come_back_from_ome_zarr_with_everything(model, labels, tmp_path):
    (written,) = save(labels, tmp_path / "mine.ome.zarr")
    assert written.endswith("mine.ome.zarr")
    (again,) = reopen(model, written)
    assert type(again).__name__ == "Labels"
    np.testing.assert_array_equal(again.data, labels.data)
    np.testing.assert_array_equal(again.scale, labels.scale)
    np.testing.assert_array_equal(again.translate, labels.translate)
    assert again.units == labels.units
    pd.testing.assert_frame_equal(again.features, labels.features)
    again.data_setitem((np.array([0]), np.array([0])), 9)  # editable, and the file stays as it was
    assert reopen(model, written)[0].data[0, 0] == 0


def test_the_store_is_valid_ome_zarr(labels, tmp_path):
    import zarr
    from ome_zarr_models.v05.image_label import ImageLabel

    (written,) = save(labels, tmp_path / "mine.zarr")
    assert written.endswith("mine.ome.zarr")
    ImageLabel.from_zarr(zarr.open_group(written, mode="r"))
    table = zarr.open_group(written, mode="r")["tables/particles"]
    assert table.attrs["backend"] == "parquet"


def test_labels_come_back_from_tiff_and_csv(model, labels, tmp_path):
    written = save(labels, tmp_path / "mine.tif")
    assert [path.rsplit(".", 1)[1] for path in written] == ["tif", "csv"]
    with tifffile.TiffFile(written[0]) as tif:
        assert 'PhysicalSizeX="2.5"' in tif.ome_metadata
    assert pd.read_csv(written[1])["area_px"].tolist() == [18, 6]
    (again,) = reopen(model, written[0])
    assert type(again).__name__ == "Labels"
    np.testing.assert_array_equal(again.data, labels.data)
    np.testing.assert_array_equal(again.scale, (2.5, 2.5))
    assert again.features["area_px"].iloc[1:].tolist() == [18, 6]
    assert again.features["class"].iloc[1:].tolist() == ["fibre", "film"]


def test_stacks_of_labels_come_back(model, tmp_path):
    data = np.arange(2 * 5 * 6).reshape(2, 5, 6)
    layer = model.add_labels(data, scale=(10, 2, 2), units=("um", "um", "um"))
    for name in ("stack.ome.zarr", "stack.tif"):
        (again,) = reopen(model, save(layer, tmp_path / name)[0])
        np.testing.assert_array_equal(again.data, data)
        np.testing.assert_array_equal(again.scale[-2:], (2, 2))


def test_nothing_of_the_users_is_overwritten(labels, tmp_path):
    own = tmp_path / "mine.csv"
    own.write_text("sample,volume\n1,2\n")
    with pytest.raises(StoreError, match="no particle table"):
        save(labels, tmp_path / "mine.tif")
    assert own.read_text().startswith("sample")
    assert not (tmp_path / "mine.tif").exists()
    folder = tmp_path / "photos.ome.zarr"
    folder.mkdir()
    (folder / "holiday.jpg").touch()
    data, meta, _ = labels.as_layer_data_tuple()
    with pytest.raises(StoreError, match="no zarr store"):
        write_labels_zarr(str(folder), data, meta)
    assert (folder / "holiday.jpg").exists()
    write_labels_zarr(str(tmp_path / "a.zarr"), data, meta)
    with pytest.raises(StoreError, match="already there"):
        write_labels_zarr(str(tmp_path / "a.zarr"), data, meta)
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_images_and_whole_results_are_not_replaced_by_labels(labels, spots, tmp_path):
    import zarr

    from napari_mpseg.pipeline import segment

    data, meta, _ = labels.as_layer_data_tuple()
    photo = zarr.open_group(tmp_path / "photo.ome.zarr", mode="w")
    photo.create_array("0", data=np.full((5, 5), 7, np.uint8))
    photo.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": [], "datasets": [{"path": "0"}]}]}
    result = segment(spots, "fixed-level", out=tmp_path).save(tmp_path, overwrite=True)["store"]
    for store in (tmp_path / "photo.ome.zarr", result):
        with pytest.raises(StoreError, match="Choose another name"):
            write_labels_zarr(str(store), data, meta)
        assert zarr.open_group(store, mode="r")["0"].shape != data.shape
    assert (result / "labels" / "particles").is_dir()
    write_labels_zarr(str(tmp_path / "own.ome.zarr"), data, meta)
    write_labels_zarr(str(tmp_path / "own.ome.zarr"), data * 2, meta)
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "own.ome.zarr" / "0", mode="r")[:], data * 2)


def test_names_with_dots_have_records_of_their_own(model, labels, tmp_path):
    for version in ("v1", "v2"):
        labels.metadata["napari-mpseg"] = {"role": "particles", "note": version}
        save(labels, tmp_path / f"a.{version}.ome.tif")
    assert {path.name for path in tmp_path.glob("*.json")} == {"a.v1_review.json", "a.v2_review.json"}
    for version in ("v1", "v2"):
        (again,) = reopen(model, tmp_path / f"a.{version}.ome.tif")
        assert (again.name, again.metadata["napari-mpseg"]["note"]) == (f"a.{version}", version)


def test_table_and_record_of_earlier_labels_go_with_them(model, labels, tmp_path):
    labels.metadata["napari-mpseg"] = {"role": "particles", "audit": [{"action": "reject"}]}
    save(labels, tmp_path / "mine.tif")
    plain = model.add_labels(labels.data)
    assert save(plain, tmp_path / "mine.tif") == [str(tmp_path / "mine.tif")]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.tif"]
    assert reopen(model, tmp_path / "mine.tif")[0].features.empty


def test_files_of_the_users_stay_where_labels_have_no_table(model, labels, tmp_path):
    (tmp_path / "mine.csv").write_text("label,area\n1,2\n")
    (tmp_path / "mine_review.json").write_text('{"mine": 1}')
    plain = model.add_labels(labels.data)
    for _ in range(2):
        save(plain, tmp_path / "mine.tif")
    assert (tmp_path / "mine.csv").read_text() == "label,area\n1,2\n"
    assert (tmp_path / "mine_review.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample,volume\n1,2\n", "no column 'label'"),
        ("label,area_px\nfirst,2\n", "The table mine.csv was left out"),
        ("label,area_px\n7,2\n8,3\n2,6\n", "2 of its 3 labels are not in the image"),
        ("label,area_px\n1,2\n1,3\n", "left out"),
    ],
)
def test_a_table_of_something_else_is_left_out_with_a_warning(model, labels, tmp_path, text, message):
    save(model.add_labels(labels.data), tmp_path / "mine.tif")
    (tmp_path / "mine.csv").write_text(text)
    notification_manager.records.clear()
    (again,) = reopen(model, tmp_path / "mine.tif")
    assert message in notification_manager.records[-1].message
    np.testing.assert_array_equal(again.data, labels.data)
    assert again.features.empty


def test_rows_of_particles_that_are_gone_are_left_out(model, labels, tmp_path):
    save(labels, tmp_path / "mine.tif")
    with (tmp_path / "mine.csv").open("a") as file:
        file.write("9,5.0,True,bead\n")
    notification_manager.records.clear()
    (again,) = reopen(model, tmp_path / "mine.tif")
    assert "mine.csv: 1 of 3 rows" in notification_manager.records[-1].message
    assert again.features["area_px"].iloc[1:].tolist() == [18, 6]


def test_a_parquet_table_is_written_anew_with_the_csv(model, labels, tmp_path):
    save(labels, tmp_path / "mine.tif")
    ParticleTable.read(tmp_path / "mine.csv").to_parquet(tmp_path / "mine.parquet")
    features = labels.features.copy()
    features["keep"] = pd.array([pd.NA, False, True], dtype="boolean")
    labels.features = features
    written = save(labels, tmp_path / "mine.tif")
    assert [path.rsplit(".", 1)[1] for path in written] == ["tif", "csv", "parquet"]
    assert pd.read_parquet(tmp_path / "mine.parquet")["keep"].tolist() == [False, True]
    assert reopen(model, tmp_path / "mine.tif")[0].features["keep"].iloc[1:].tolist() == [False, True]


def test_a_table_edited_by_hand_is_the_one_that_is_shown(model, spots, tmp_path):
    from napari_mpseg.pipeline import segment

    paths = segment(spots, "fixed-level", out=tmp_path).save(tmp_path, overwrite=True)
    frame = pd.read_csv(paths["csv"]).assign(keep=[False, True, True])
    frame.to_csv(paths["csv"], index=False)
    assert reopen(model, paths["store"])[1].features["keep"].iloc[1:].tolist() == [False, True, True]


def test_too_large_labels_for_tiff_are_refused(labels, tmp_path):
    data = labels.data.astype(np.int64)
    data[0, 0] = 2**31
    with pytest.raises(StoreError, match="2147483648"):
        write_labels_tiff(str(tmp_path / "x.tif"), data, {"scale": (1, 1)})
    assert list(tmp_path.iterdir()) == []


def test_an_image_keeps_pixel_size_and_stays_lazy(model, tmp_path):
    path = tmp_path / "grey.ome.tif"
    pixels = np.arange(64 * 80, dtype=np.uint16).reshape(64, 80)
    tifffile.imwrite(path, pixels, metadata={"axes": "YX", "PhysicalSizeX": 0.4, "PhysicalSizeY": 0.5})
    (layer,) = reopen(model, path)
    np.testing.assert_array_equal(layer.scale, (0.5, 0.4))
    assert str(layer.units[0]) == "micrometer"
    assert hasattr(layer.data, "dask")
    np.testing.assert_array_equal(np.asarray(layer.data), pixels)


def test_a_pyramid_is_multiscale_and_channels_are_layers(model, tmp_path):
    path = tmp_path / "pyramid.ome.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (2, 256, 256), np.uint8)
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(
            pixels, subifds=1, tile=(64, 64), metadata={"axes": "CYX", "Channel": {"Name": ["red light", "halo"]}}
        )
        tif.write(pixels[:, ::2, ::2], subfiletype=1, tile=(64, 64))
    layers = read([str(path)], plugin_name="napari-mpseg", stack=False)
    (data, meta, kind), *_ = layers
    model._add_layer_from_data(data, meta, kind)
    assert [layer.name for layer in model.layers[-2:]] == ["pyramid red light", "pyramid halo"]
    assert all(layer.multiscale for layer in model.layers[-2:])
    np.testing.assert_array_equal(np.asarray(model.layers[-1].data[0]), pixels[1])


def test_colour_pictures_stay_one_layer(model, tmp_path):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "colour.png")
    (layer,) = reopen(model, tmp_path / "colour.png")
    assert layer.rgb
    np.testing.assert_array_equal(np.asarray(layer.data), pixels)


def test_a_result_folder_opens_with_probability_labels_and_table(model, spots, tmp_path):
    from napari_mpseg.pipeline import segment

    paths = segment(spots, "fixed-level", out=tmp_path, calibration="2um").save(tmp_path, overwrite=True)
    image, found = reopen(model, paths["store"])
    assert "probability" in image.name
    assert found.data.max() == 3
    assert sorted(found.features["area_px"].iloc[1:]) == [9, 16, 24]
    np.testing.assert_array_equal(found.scale, (2, 2))


def test_what_cannot_be_read_is_declined(tmp_path):
    (tmp_path / "fake.tif").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.zarr").mkdir()
    for name in ("fake.tif", "empty.png", "folder.zarr", "missing.tif"):
        assert get_reader(str(tmp_path / name)) is None
    assert get_reader([]) is None
