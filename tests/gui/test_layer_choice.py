"""The choice of a layer stays the user's; the plane in view is where the sliders stand in the world."""

import numpy as np
import pytest
from napari.layers import Image

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.layer_choice import LayerChoice, keeping_active
from napari_mpseg.gui.visible import needed_plane, plane_in_view


@pytest.fixture
def model(qapp):
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def two(model):
    return [model.add_image(np.zeros((4, 4)), name=name) for name in "ab"]


@pytest.fixture
def choice(model, two, qtbot):
    choice = LayerChoice(model.layers, lambda layer: isinstance(layer, Image))
    qtbot.addWidget(choice)
    return choice


def test_a_layer_made_active_is_chosen(model, two, choice):
    model.layers.selection.active = two[0]
    assert choice.layer is two[0]
    model.layers.selection.active = two[1]
    assert choice.layer is two[1]


@pytest.mark.parametrize("remove", [False, True])
def test_a_layer_of_the_plugins_own_leaves_choice_and_selection(model, two, choice, remove):
    choice.choose(two[0])
    with keeping_active(model):
        model.add_labels(np.zeros((4, 4), int), name="preview")
    assert model.layers.selection.active is two[1]
    if remove:
        with keeping_active(model):
            model.layers.remove(model.layers["preview"])
    assert model.layers.selection.active is two[1]
    assert choice.layer is two[0]
    model.layers.selection.active = model.layers[0]
    assert model.layers.selection.active is two[0]


def test_several_selected_layers_stay_selected(model, two):
    model.layers.selection = set(two)
    with keeping_active(model):
        model.add_labels(np.zeros((4, 4), int))
    assert set(model.layers.selection) == set(two)
    assert model.layers.selection.active is None


def test_deleting_another_layer_does_not_change_the_choice(model, two, choice, qtbot):
    labels = model.add_labels(np.zeros((4, 4), int))
    choice.choose(two[0])
    model.layers.selection.active = labels
    model.layers.remove_selected()
    assert model.layers.selection.active is two[1]
    assert choice.layer is two[0]
    qtbot.wait(20)
    model.layers.selection.active = None
    model.layers.selection.active = two[1]
    assert choice.layer is two[1]


@pytest.mark.parametrize(
    ("at", "coarse", "fine", "moved"), [(2, 0, 2, None), (3, 1, 3, None), (8, 2, None, 0), (14, 3, None, 1)]
)
def test_the_plane_in_view_is_the_one_at_that_place(model, at, coarse, fine, moved):
    stacks = {
        name: model.add_image(np.zeros((size, 5, 6)), scale=(step, 2, 2), translate=(start, 0, 0))
        for name, size, step, start in (("coarse", 4, 5, 0), ("fine", 4, 1, 0), ("moved", 2, 5, 9))
    }
    model.dims.set_point(0, at)
    expected = {"coarse": coarse, "fine": fine, "moved": moved}
    for name, layer in stacks.items():
        plane = expected[name]
        assert plane_in_view(model, layer) == (None if plane is None else (plane,))
        if plane is None:
            with pytest.raises(ImageError, match="no plane"):
                needed_plane(model, layer)
    flat = model.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    assert plane_in_view(model, flat) == ()
