"""Where layers lie in the world, and copies of layers that no longer change. napari is not imported."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_NEAR = 0.5


@dataclass(frozen=True)
class Placement:
    """How pixels of a layer become places in the world: ``matrix @ (y, x) + origin``, both in Y and X."""

    matrix: Array
    origin: Array

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Height and width of a pixel in the world."""
        height, width = (float(length) for length in np.linalg.norm(self.matrix, axis=0))
        return height, width

    def corners(self, shape: tuple[int, int]) -> Array:
        """Return where the four corners of an image lie, ``(4, 2)``."""
        height, width = shape
        places = np.array([(0, 0), (0, width), (height, 0), (height, width)], float)
        found: Array = places @ self.matrix.T + self.origin
        return found


@dataclass(frozen=True)
class LayerSnapshot:
    """A layer as it was; its pixels are a copy, so that a thread can read them while the user paints on.

    It serves wherever an image layer or a labels layer does.
    """

    data: Any
    name: str
    kind: str
    scale: Any
    units: Any
    rgb: bool | None
    placement: Placement | None
    multiscale: bool = False


def snapshot_layer(layer: Any) -> LayerSnapshot:
    """Return a layer as it is now; to be called in the thread of the viewer.

    Arrays in memory are copied. Lazy ones (dask, zarr) are not: they are read later, and a zarr array that is painted
    on meanwhile shows the new strokes.

    Parameters
    ----------
    layer : napari Image or Labels layer
        Of a multiscale image the full resolution is taken; multiscale labels stay multiscale and are refused by
        :func:`~napari_mpseg.training.painted.annotations.painted_image`.
    """
    multiscale, kind = bool(getattr(layer, "multiscale", False)), layer_kind(layer)
    keep_levels = multiscale and kind == "Labels"
    data = layer.data[0] if multiscale and not keep_levels else layer.data
    return LayerSnapshot(
        data.copy() if isinstance(data, np.ndarray) else data,
        str(layer.name),
        kind,
        tuple(float(value) for value in layer.scale),
        getattr(layer, "units", None),
        getattr(layer, "rgb", None),
        placement_of(layer),
        keep_levels,
    )


def is_layer(source: Any) -> bool:
    """Return whether it has what all layers have."""
    return all(hasattr(source, name) for name in ("data", "scale", "name")) and not hasattr(source, "dask")


def layer_kind(layer: Any) -> str:
    """Return ``"Labels"``, ``"Image"``, ``"Shapes"`` ... for a layer, or ``""`` if its class does not tell."""
    if isinstance(layer, LayerSnapshot):
        return layer.kind
    kinds = ("Labels", "Image", "Points", "Shapes", "Surface", "Tracks", "Vectors")
    names = {base.__name__ for base in type(layer).__mro__}
    return next((kind for kind in kinds if kind in names), "")


def placement_of(source: Any) -> Placement | None:
    """Return where a layer lies in the world; None for what is no layer."""
    if isinstance(source, LayerSnapshot):
        return source.placement
    if not is_layer(source):
        return None
    if hasattr(source, "data_to_world"):
        origin, down, right = (np.array(source.data_to_world(place)[-2:], float) for place in ((0, 0), (1, 0), (0, 1)))
        return Placement(np.stack([down - origin, right - origin], axis=1), origin)
    scale = np.array(source.scale, float)[-2:]
    translate = getattr(source, "translate", None)
    return Placement(np.diag(scale), np.zeros(2) if translate is None else np.array(translate, float)[-2:])


def placement_problem(image: Any, painted: Any, shape: tuple[int, int]) -> str:
    """Say how two layers fail to lie on each other; an empty text if they do, or if one of them is no layer.

    Parameters
    ----------
    image, painted : layers or anything else
    shape : tuple of int
        Height and width in pixels. Corners more than half a pixel apart do not lie on each other.
    """
    first, second = placement_of(image), placement_of(painted)
    if first is None or second is None:
        return ""
    apart = np.linalg.norm(first.corners(shape) - second.corners(shape), axis=1).max()
    if apart <= _NEAR * min(first.pixel_size):
        return ""
    names = f"Layer {image.name!r} and the painted layer {painted.name!r}"
    if not np.allclose(first.pixel_size, second.pixel_size, rtol=1e-3):
        return (
            f"{names} have pixels of different size, {_pair(first.pixel_size)} and {_pair(second.pixel_size)}. "
            "Give the painted layer the scale of the image layer, or choose the layer painted on this image."
        )
    if not np.allclose(first.origin, second.origin, atol=_NEAR * min(first.pixel_size)):
        return (
            f"{names} are shifted against each other: they begin at {_pair(first.origin)} and {_pair(second.origin)}. "
            "Give the painted layer the translate of the image layer, or choose the layer painted on this image."
        )
    return (
        f"{names} are rotated or sheared differently. Give the painted layer the rotate, shear and affine of the other."
    )


def _pair(values: Any) -> str:
    return f"({values[0]:g}, {values[1]:g})"
