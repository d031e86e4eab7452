"""Splitting large particles can be stopped, and says how far it is."""

import numpy as np
import pytest

from napari_mpseg.errors import Cancelled
from napari_mpseg.particles.instances import INSTANCES, InstanceSettings, make_instances
from napari_mpseg.particles.instances.components import each_piece, label_pieces
from napari_mpseg.particles.instances.imagej_watershed import imagej_watershed
from napari_mpseg.progress import CancelToken

SPLITTING = [name for name, entry in INSTANCES.items() if entry.module]


@pytest.fixture(scope="module")
def fibres():
    """Six fibres across 600 x 600 px, whose windows overlap."""
    y, x = np.mgrid[:600, :600]
    return (np.abs((y - x) % 100 - 50) <= 1) & (y > 5) & (y < 595) & (x > 5) & (x < 595)


def test_the_token_is_looked_at_by_pixels_and_not_by_pieces(fibres):
    pieces = label_pieces(fibres)
    token = CancelToken()
    handed_out = each_piece(pieces, cancel=token)
    while not token.cancelled:
        piece = next(handed_out)
        if piece.mask.size > 2**18:
            token.cancel()
    assert piece.number < pieces.max() < 256
    with pytest.raises(Cancelled):
        next(handed_out)


@pytest.mark.parametrize("way", SPLITTING)
def test_every_way_stops_in_its_first_stage(fibres, way):
    token, events = CancelToken(), []

    def stop(event):
        events.append(event)
        if event.unit == "particles":
            token.cancel()

    image = np.random.default_rng(0).random(fibres.shape)
    with pytest.raises(Cancelled):
        make_instances(fibres, InstanceSettings(way=way), image=image, on_progress=stop, cancel=token)
    assert len([event for event in events if event.unit == "particles"]) == 1


@pytest.mark.parametrize("way", ["imagej-watershed", "intensity-watershed"])
def test_looking_at_the_whole_image_first_is_told(fibres, way):
    events = []
    make_instances(fibres, InstanceSettings(way=way), image=np.ones(fibres.shape), on_progress=events.append)
    stages = list(dict.fromkeys(event.stage for event in events))
    assert stages == ["Reading", "Looking", "Separating"]


def test_imagejs_watershed_alone_stops_while_it_looks_for_the_greatest_distance(fibres):
    token, stages = CancelToken(), []
    with pytest.raises(Cancelled):
        imagej_watershed(fibres, on_progress=lambda event: (stages.append(event.stage), token.cancel()), cancel=token)
    assert stages == ["Looking"]
