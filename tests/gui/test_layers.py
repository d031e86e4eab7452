"""Results as layers: in the right place, under new names, whole or not at all."""

from types import SimpleNamespace

import numpy as np
import pytest
import zarr

import napari_mpseg as mp
from napari_mpseg import layers, pyramids
from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.particles.labelling import label_mask
from napari_mpseg.particles.measure import measure


@pytest.fixture
def model(qapp):
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def result(spots):
    labels = label_mask(spots)
    return SimpleNamespace(
        image=Image(spots, "filter", Calibration((2.0, 3.0), "um")),
        labels=zarr.array(labels),
        probability=zarr.array(spots),
        particles=measure(labels),
        provenance={"operation": "segment"},
    )


def test_without_a_layer_the_calibration_places_the_result(model, result):
    image, labels = layers.add_result(model, result)
    assert [layer.name for layer in model.layers] == ["filter probability", "filter particles"]
    for layer in (image, labels):
        np.testing.assert_array_equal(layer.scale, (2, 3))
        assert str(layer.units[0]) == "micrometer"
        assert isinstance(layer.data, np.ndarray)
    assert labels.metadata["napari-mpseg"]["provenance"] == {"operation": "segment"}
    assert len(labels.features) == 4


def test_the_image_comes_along_unless_it_is_there(model, spots):
    image = Image(spots, "filter", Calibration((2.0, 3.0), "um"))
    result = mp.segment(image, "fixed-level")
    result.add_to(model)
    assert [layer.name for layer in model.layers] == ["filter", "filter probability", "filter particles"]
    np.testing.assert_array_equal(model.layers["filter"].data, spots)
    np.testing.assert_array_equal(model.layers["filter"].scale, (2, 3))
    result.add_to(model)
    assert [layer.name for layer in model.layers][3:] == ["filter probability [2]", "filter particles [2]"]


@pytest.mark.parametrize(
    ("shape", "dtype", "rgb", "shown"),
    [
        ((9, 7, 3), np.uint8, True, (9, 7, 3)),
        ((9, 7, 3), np.uint16, False, (3, 9, 7)),
        ((9, 7, 1), np.float32, False, (9, 7)),
        ((9, 7), np.uint8, False, (9, 7)),
    ],
)
def test_an_image_is_shown_in_colour_only_if_it_has_colours(model, shape, dtype, rgb, shown):
    layer = layers.add_image(model, mp.open_image(np.zeros(shape, dtype)))
    assert layer.rgb == rgb
    assert layer.data.shape == shown


def test_the_result_lies_where_its_layer_lies(model, result, spots):
    source = model.add_image(
        spots, scale=(2, 3), translate=(5, 6), rotate=20, shear=[0.3], affine=[[1, 0.1, 4], [0, 2, 5], [0, 0, 1]]
    )
    _, labels = layers.add_result(model, result, source)
    for point in ((0, 0), (10, 20), (99, 3)):
        np.testing.assert_allclose(labels.data_to_world(point), source.data_to_world(point))


def test_one_plane_of_a_moved_stack(model, result, spots):
    source = model.add_image(
        np.stack([spots] * 4), scale=(7, 2, 3), translate=(1, 2, 3), rotate=(10, 20, 30), shear=(0.1, 0.2, 0.3)
    )
    _, labels = layers.add_result(model, result, source, plane=(2,))
    np.testing.assert_allclose(labels.data_to_world((0, 11, 12)), source.data_to_world((2, 11, 12)))


def test_names_are_never_taken_twice(model, result):
    layers.add_result(model, result)
    layers.add_result(model, result)
    names = [layer.name for layer in model.layers]
    assert names[2:] == ["filter probability [2]", "filter particles [2]"]


def test_no_half_of_a_result_stays(model, result, monkeypatch):
    def fails(self, *args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(type(model), "add_labels", fails)
    with pytest.raises(MemoryError):
        layers.add_result(model, result)
    assert not model.layers


def test_large_results_are_shown_multiscale(model, monkeypatch):
    monkeypatch.setattr(pyramids, "LARGEST_EDITABLE", 1000)
    monkeypatch.setattr(pyramids, "LARGEST_TEXTURE", 256)
    data = np.random.default_rng(0).integers(0, 9, (300, 500), np.int32)
    levels, multiscale = pyramids.displayed(zarr.array(data, chunks=(64, 64)), editable=True)
    assert multiscale
    assert [level.shape for level in levels] == [(300, 500), (75, 125), (19, 32)]
    np.testing.assert_array_equal(levels[2], data[::16, ::16])
    layer = model.add_labels(levels, multiscale=True)
    start, stop = layers.particle_box(layer, 3)
    assert 0 <= start[0] < stop[0] <= 304


def test_a_box_without_a_table_is_found_in_the_pixels(model, spots):
    layer = model.add_labels(label_mask(spots))
    assert layers.particle_box(layer, 2) == ((50, 60), (53, 63))
    assert layers.particle_box(layer, 9) is None


@pytest.mark.parametrize(
    ("record", "graded"),
    [
        ({"settings": {"method": "default"}}, True),
        ({"settings": {"method": "yen"}}, False),
        ({"settings": {"method": "mine"}, "model": {"name": "mine"}}, True),
        ({"settings": {"method": "my forest", "based_on": "pixel-forest"}}, True),  # a method file
        ({"settings": {"method": "my yen"}}, False),  # nobody says: the pixels tell
    ],
)
def test_a_probability_tells_whether_it_is_yes_or_no(model, result, record, graded):
    yes_or_no = zarr.array((np.asarray(result.labels) > 0).astype(np.uint8) * 255)
    told, _ = layers.add_result(
        model, SimpleNamespace(**{**vars(result), "provenance": record, "probability": yes_or_no})
    )
    assert told.metadata["napari-mpseg"]["graded"] is graded
    assert layers.is_graded(told) is graded
    del told.metadata["napari-mpseg"]["graded"]  # as results before had none
    assert layers.is_graded(told) is graded
    soft = model.add_image(np.full((9, 9), 100, np.uint8), metadata={"napari-mpseg": {"role": "probability"}})
    assert layers.is_graded(soft)
    assert layers.is_graded(model.add_image(yes_or_no[:]))  # nobody knows
