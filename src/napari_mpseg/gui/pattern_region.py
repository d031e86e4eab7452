"""Where particles could have lain, from what the user chose in the viewer. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError

_CORNERS_OF_ELLIPSE = 90


def layer_region(layer: Any, labels: Any, shape: tuple[int, int], plane: tuple[int, ...]) -> Any:
    """Return a Region from a Shapes or a Labels layer, in the pixels of the labels that are analysed.

    Parameters
    ----------
    layer : napari.layers.Shapes or napari.layers.Labels
        Closed shapes, all together the region; or labels, of which everything but 0 is.
    labels : napari.layers.Labels
        The analysed layer.
    shape : tuple of int
        Height and width of its planes.
    plane : tuple of int
        Which plane of it.

    Raises
    ------
    ImageError
        If there is no closed shape, the labels have another size, or nothing is in the region.
    """
    from napari_mpseg.particles.pattern.region import Region

    if layer is None:
        raise ImageError("Choose a Shapes or Labels layer as the region, or take the whole image.")
    if layer is labels:
        raise ImageError(
            f"{layer.name} holds the particles themselves. Choose another layer, in which the region is drawn."
        )
    if hasattr(layer, "shape_type"):
        polygons = [_in_pixels(layer, corners, labels) for corners in _outlines(layer)]
        if not polygons:
            raise ImageError(f"{layer.name} has no closed shape. Draw a rectangle, ellipse or polygon.")
        return Region.polygons(polygons, shape, f"shapes of {layer.name}")
    data = layer.data[0] if layer.multiscale else layer.data
    ahead = data.ndim - 2
    if data.shape[-2:] != shape:
        raise ImageError(
            f"{layer.name} has {data.shape[-2]} x {data.shape[-1]} pixels, the particles {shape[0]} x {shape[1]}. "
            "Make the region on the same image."
        )
    where = (
        tuple(min(index, size - 1) for index, size in zip(plane[-ahead:], data.shape, strict=False)) if ahead else ()
    )
    return Region.of_mask(np.asarray(data[where]), layer.name)


def _outlines(layer: Any) -> list[np.ndarray]:
    """Return the corners of each closed shape in the layer's data coordinates."""
    found = []
    for kind, corners in zip(layer.shape_type, layer.data, strict=True):
        corners = np.asarray(corners, float)
        if kind in ("rectangle", "polygon"):
            found.append(corners)
        elif kind == "ellipse":
            middle = corners.mean(axis=0)
            one, other = (corners[1] - corners[0]) / 2, (corners[2] - corners[1]) / 2
            turn = np.linspace(0, 2 * np.pi, _CORNERS_OF_ELLIPSE, endpoint=False)[:, None]
            found.append(middle + np.cos(turn) * one + np.sin(turn) * other)
    return found


def _in_pixels(layer: Any, corners: np.ndarray, labels: Any) -> np.ndarray:
    places = []
    for corner in corners:
        world = np.asarray(layer.data_to_world(corner), float)
        ahead = np.zeros(max(0, labels.ndim - len(world)))
        places.append(np.asarray(labels.world_to_data(np.concatenate([ahead, world])[-labels.ndim :]))[-2:])
    return np.array(places)


def dropped_labels(features: Any) -> np.ndarray:
    """Return the labels that a layer's table says are not kept, int64; none without a column ``keep``."""
    if features is None or "keep" not in getattr(features, "columns", ()) or "index" not in features.columns:
        return np.empty(0, np.int64)
    out = ~features["keep"].astype("boolean").fillna(True).to_numpy(bool)
    return features.loc[out, "index"].to_numpy(np.int64)


def analyse_layer(labels: Any, dropped: np.ndarray, **more: Any) -> Any:
    """Analyse the pattern of labels without those that are not kept.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background.
    dropped : numpy.ndarray
        Labels to leave out.
    **more
        For :func:`~napari_mpseg.particles.pattern.analyse.analyse_pattern`.
    """
    from napari_mpseg.particles.pattern.analyse import analyse_pattern

    pixels = np.asarray(labels)
    if len(dropped):
        pixels = np.where(np.isin(pixels, dropped), 0, pixels)
    return analyse_pattern(labels=pixels, **more)
