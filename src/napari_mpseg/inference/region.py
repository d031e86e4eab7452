"""The probability of one region of an image, quickly: what a preview shows while a network is still learning."""

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.images.channels import match_channels
from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.grid import Box, Tile, round_up
from napari_mpseg.inference.memory import reused_memory
from napari_mpseg.inference.tiled import predict_core, tiled_probability

if TYPE_CHECKING:
    import torch

    from napari_mpseg.inference.predictor import TilePredictor
    from napari_mpseg.networks.modelfile import Model

Array = np.ndarray[Any, Any]


def predict_region(
    image: Image,
    model: "Model",
    box: Box,
    scaling: Scaling | None = None,
    *,
    device: "torch.device | None" = None,
) -> Array:
    """Return the probability of particle in a box of an image.

    Only the box is read, and around it as much as the network looks at. For networks of known receptive radius the
    result is that of the whole image, to rounding; for those that see further the box is seen with 128 px around it.

    Parameters
    ----------
    image : Image
        ``(Y, X)`` or ``(Y, X, C)``; channels are matched to the network's.
    model : Model
        It is not changed, and may be in the middle of a training as long as that does not go on meanwhile.
    box : tuple of int
        ``(y0, y1, x0, x1)`` in image pixels, ends not included.
    scaling : Scaling, optional
        How pixels become input. Without it the whole image is looked at, if the model's normalisation asks for it;
        who predicts several times on one image measures once: ``model.card.normalisation.measure(image)``.
    device : torch.device, optional
        Where to run; default where the network's weights are.

    Returns
    -------
    ndarray of float32
        ``(y1 - y0, x1 - x0)``, 0 to 1.

    Raises
    ------
    ImageError
        If the box does not lie in the image, or the image does not fit the network.
    """
    from napari_mpseg.inference.resampled import resampled
    from napari_mpseg.inference.runtime import NetworkPredictor

    y0, y1, x0, x1 = box
    height, width = image.shape
    if not (0 <= y0 < y1 <= height and 0 <= x0 < x1 <= width):
        raise ImageError(f"The box [{y0}:{y1}, {x0}:{x1}] does not lie in {image.name} of {height} x {width} pixels.")
    matched = match_channels(image, model.card.in_channels)
    scaling = scaling or model.card.normalisation.measure(matched)
    place = device or next(model.network.parameters()).device
    if hasattr(model, "tile_predictor"):  # a detector
        predictor: TilePredictor = model.tile_predictor(scaling, place)
    else:
        network = NetworkPredictor(model.network, scaling, model.card.receptive_radius, place)
        predictor = resampled(network, model.card.shrink)
    with reused_memory():
        return _exact(matched, predictor, box) if predictor.exact else _blended(matched, predictor, box)


def _exact(image: Image, predictor: "TilePredictor", box: Box) -> Array:
    """Cut the box into tiles of its own; every window holds all that can reach its core."""
    y0, y1, x0, x1 = box
    result = np.empty((y1 - y0, x1 - x0), np.float32)
    largest: int = getattr(predictor, "preferred_tile", 512)
    for top, bottom in _parts(y0, y1, largest):
        for left, right in _parts(x0, x1, largest):
            core = (top, bottom, left, right)
            tile = Tile((0, 0), core, _window(image, predictor, core))
            result[top - y0 : bottom - y0, left - x0 : right - x0] = predict_core(image, predictor, tile)
    return result


def _blended(image: Image, predictor: "TilePredictor", box: Box) -> Array:
    """Take the box with what lies around it as an image of its own, whose windows are cross-faded."""
    y0, y1, x0, x1 = box
    top, bottom, left, right = _window(image, predictor, box)
    around = replace(image, data=image.data[top:bottom, left:right])
    probability = tiled_probability(around, predictor)[y0 - top : y1 - top, x0 - left : x1 - left]
    return np.asarray(probability.compute(scheduler="synchronous"), np.float32)


def _window(image: Image, predictor: "TilePredictor", core: Box) -> Box:
    """Return the core with its halo, origin and size multiples of the stride, cut at the padded image's border."""
    stride = predictor.stride
    spans = []
    for low, high, size in ((core[0], core[1], image.shape[0]), (core[2], core[3], image.shape[1])):
        start = max(0, low - predictor.halo) // stride * stride
        stop = min(round_up(size, stride), round_up(high + predictor.halo, stride))
        spans += [start, stop]
    return spans[0], spans[1], spans[2], spans[3]


def _parts(start: int, stop: int, largest: int) -> list[tuple[int, int]]:
    """Return about equal parts, none larger than `largest`."""
    count = -(-(stop - start) // largest)
    edges = [start + (stop - start) * index // count for index in range(count + 1)]
    return list(pairwise(edges))
