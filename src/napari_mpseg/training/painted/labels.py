"""Reading painted labels: from wherever they are, block by block, into particle and known pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.arrays import to_dask
from napari_mpseg.images.axes import leading_axes
from napari_mpseg.images.image import Image
from napari_mpseg.images.layers import layer_calibration
from napari_mpseg.images.open import open_stack
from napari_mpseg.images.region import read_region
from napari_mpseg.images.stack import Stack, make_stack
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.data.compacting import compact, is_plain
from napari_mpseg.training.painted.kinds import Annotation
from napari_mpseg.training.painted.placement import is_layer, layer_kind

Array = np.ndarray[Any, Any]
_BLOCK = 2048
_LARGE = 1 << 26
_MARGIN = 1024
_MOST_LABELS = 1000


@dataclass(frozen=True)
class Painted:
    """What was painted.

    Attributes
    ----------
    mask : ndarray of bool
        ``(Y, X)``; particle.
    known : ndarray of bool or None
        ``(Y, X)``; painted. None: everywhere.
    corner, stop : tuple of int
        First pixel in the image, and the pixel after the last.
    labels : dict or None
        Pixels of each label but 0; None for more than a thousand labels.
    instances : ndarray of unsigned int or None
        ``(Y, X)``; the labels themselves, where each may be a particle. None of scribbles.
    """

    mask: Array
    known: Array | None
    corner: tuple[int, int]
    stop: tuple[int, int]
    labels: dict[int, int] | None
    instances: Array | None = None


def open_painted(painted: Any, plane: tuple[int, ...] = ()) -> Image:
    """Open painted labels lazily.

    Parameters
    ----------
    painted : path, array or layer
        Integers or booleans ``(Y, X)``: numpy, dask, zarr, an image file, or a napari Labels layer.
    plane : tuple of int
        Which plane of a stack the image is; labels of the whole stack give the same plane.

    Raises
    ------
    SettingsError
        If they cannot be painted labels.
    ImageError
        If they cannot be opened.
    """
    stack = _layer_stack(painted) if is_layer(painted) else open_stack(painted)
    fits = len(stack.plane_axes) == len(plane)
    labels = stack.image(plane if fits and plane else None)
    if np.dtype(labels.dtype).kind not in "uib":
        raise SettingsError(
            f"The painted labels ({labels.source}) hold {labels.dtype} values. They must be whole numbers, one per "
            "pixel: choose the labels, or turn them into integers."
        )
    return labels


def _layer_stack(layer: Any) -> Stack:
    kind = layer_kind(layer)
    if kind not in ("", "Image", "Labels"):
        raise SettingsError(
            f"Layer {layer.name!r} is a {kind} layer. Painted labels come from a Labels layer"
            + ("; turn the shapes into one with the layer menu." if kind == "Shapes" else ".")
        )
    if getattr(layer, "multiscale", isinstance(layer.data, (list, tuple))):
        raise SettingsError(
            f"The labels layer {layer.name!r} is multiscale, and painting on it would change one resolution only. "
            "Make a new Labels layer of the image and paint on that."
        )
    if getattr(layer, "rgb", False):
        raise SettingsError(f"Layer {layer.name!r} is a colour picture. Choose the Labels layer that you painted on.")
    axes = leading_axes(len(layer.data.shape) - 2) + "YX"
    return make_stack(
        [to_dask(layer.data, axes)],
        axes,
        calibration=layer_calibration(layer),
        name=str(layer.name),
        source=f"layer {layer.name}",
    )


def read_painted(
    labels: Image,
    annotation: Annotation,
    background_label: int,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Painted:
    """Read painted labels once, block by block.

    Of scribbles on an image of more than 64 million pixels only the rectangle that holds them is taken, with a margin
    of 1024 px for what a network sees around them. Memory is a few bytes per pixel of it, and one block.

    Raises
    ------
    ImageError
        If labels cannot be read.
    SettingsError
        If they are a colour picture.
    Cancelled
    """
    found: list[tuple[int, int, Array, Array, Array | None]] = []
    counts: dict[int, int] | None = {}
    for y, x, values in _blocks(labels, on_progress, cancel):
        painted = values != 0
        if painted.any():
            own = None if annotation.partial else compact(values) if is_plain(values) else values.copy()
            found.append((y, x, annotation.particle(values, background_label), painted, own))
            counts = _counted(counts, values[painted])
    shape = labels.shape
    (y0, x0), (y1, x1) = _window(found, shape) if annotation.partial else ((0, 0), shape)
    mask = np.zeros((y1 - y0, x1 - x0), bool)
    known = np.zeros_like(mask) if annotation.partial else None
    kinds = [numbers.dtype for *_, numbers in found if numbers is not None]
    instances = None if annotation.partial else np.zeros(mask.shape, max(kinds, default=np.dtype(np.uint8)))
    while found:  # so that a block is let go once it has its place
        y, x, particle, painted, numbers = found.pop()
        top, left = max(y, y0), max(x, x0)
        inside = (slice(top - y, y1 - y), slice(left - x, x1 - x))
        height, width = particle[inside].shape
        part = (slice(top - y0, top - y0 + height), slice(left - x0, left - x0 + width))
        mask[part] = particle[inside]
        if known is not None:
            known[part] = painted[inside]
        if instances is not None and numbers is not None:
            instances[part] = numbers[inside]
    if instances is not None and not is_plain(instances):
        instances = compact(instances)  # as a whole: the same label has the same number everywhere
    return Painted(mask, known, (y0, x0), (y1, x1), counts, instances)


def _blocks(
    labels: Image, on_progress: ProgressCallback, cancel: CancelToken | None
) -> Iterator[tuple[int, int, Array]]:
    """Give y, x and labels ``(Y, X)`` of windows that hold whole chunks."""
    height, width = labels.shape
    down, right = (max(chunks) * max(1, _BLOCK // max(chunks)) for chunks in labels.data.chunks[:2])
    places = [(y, x) for y in range(0, height, down) for x in range(0, width, right)]
    for done, (y, x) in enumerate(places):
        if cancel is not None:
            cancel.check()
        values = read_region(labels, y, min(y + down, height), x, min(x + right, width))
        yield y, x, _one_per_pixel(values, labels)
        on_progress(Progress("Reading painted labels", done + 1, len(places), "blocks"))


def _one_per_pixel(values: Array, labels: Image) -> Array:
    """Return the labels of a grey picture that was saved in colour."""
    if values.ndim == 2:
        return values
    if (values != values[..., :1]).any():
        raise SettingsError(
            f"{labels.source} is a colour picture. Painted labels are whole numbers, one per pixel: save them as a "
            "labels layer, or as a grey TIFF or PNG."
        )
    return values[..., 0]


def _counted(counts: dict[int, int] | None, painted: Array) -> dict[int, int] | None:
    if counts is None:
        return None
    values, numbers = np.unique(painted, return_counts=True)
    for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
        counts[int(value)] = counts.get(int(value), 0) + number
    return counts if len(counts) <= _MOST_LABELS else None


def _window(
    found: list[tuple[int, int, Array, Array, Array | None]], shape: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first pixel and the one after the last of what is taken of an image."""
    if shape[0] * shape[1] <= _LARGE:
        return (0, 0), shape
    rows = [y + np.flatnonzero(painted.any(1))[[0, -1]] for y, _, _, painted, _ in found] or [np.zeros(2, int)]
    columns = [x + np.flatnonzero(painted.any(0))[[0, -1]] for _, x, _, painted, _ in found] or [np.zeros(2, int)]
    (y0, y1), (x0, x1) = ((int(np.min(ends)), int(np.max(ends))) for ends in (rows, columns))
    return (
        (max(0, y0 - _MARGIN), max(0, x0 - _MARGIN)),
        (min(shape[0], y1 + 1 + _MARGIN), min(shape[1], x1 + 1 + _MARGIN)),
    )
