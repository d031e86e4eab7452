"""What the widget *Make a synthetic image* does outside the GUI thread. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.layers import unique_name
from napari_mpseg.progress import CancelToken, ProgressCallback

PREVIEW = 512  # px, side of the preview
_IN_MEMORY = 2**24  # pixels up to which all is computed at once, so that the truth can be painted on

_AT_FIRST = 2048  # px, longer side of what a viewer may draw when all of an image is in view


@dataclass(frozen=True)
class Preview:
    """The middle of a synthetic image.

    Attributes
    ----------
    pixels : ndarray of uint8
        ``(Y, X, 3)`` or ``(Y, X)``, 512 px or less a side.
    labels : ndarray of int32
        ``(Y, X)``, the truth under it.
    n_particles : int
        In the whole image.
    """

    pixels: np.ndarray
    labels: np.ndarray
    n_particles: int


@dataclass(frozen=True)
class MadeLayers:
    """A synthetic image ready to be shown.

    Attributes
    ----------
    made : SyntheticImage
        Where it comes from.
    pixels, labels : ndarray, or list of dask arrays
        In memory, or levels that are rendered when they are looked at.
    lazy : bool
        Which of the two.
    """

    made: Any
    pixels: Any
    labels: Any
    lazy: bool


def preview(settings: Any, *, on_progress: ProgressCallback, cancel: CancelToken) -> Preview:
    """Render the middle of the image that some settings make: the same pixels that it will have."""
    from napari_mpseg.synthesis.microscopes import synthetic_image

    made = synthetic_image(settings)
    height, width = made.image.shape
    y, x = max(0, (height - PREVIEW) // 2), max(0, (width - PREVIEW) // 2)
    part = slice(y, y + PREVIEW), slice(x, x + PREVIEW)
    pixels = np.asarray(made.image.data[part].compute(scheduler="synchronous"))
    cancel.check()
    return Preview(pixels, np.asarray(made.labels[part].compute(scheduler="synchronous")), made.n_particles)


def make_layers(settings: Any, *, on_progress: ProgressCallback, cancel: CancelToken) -> MadeLayers:
    """Render an image, or prepare it to be rendered where it is looked at.

    Raises
    ------
    SettingsError
        If it is too large for either.
    """
    from napari_mpseg.synthesis.blocks import BLOCK
    from napari_mpseg.synthesis.filter_settings import FilterPlan
    from napari_mpseg.synthesis.microscopes import synthetic_image
    from napari_mpseg.synthesis.overview import levels
    from napari_mpseg.synthesis.tiles import Watch

    made = synthetic_image(settings)
    height, width = made.image.shape
    if height * width <= _IN_MEMORY:
        pixels = _computed(made.image.data, Watch("Making the picture", on_progress, cancel))
        return MadeLayers(made, pixels, _computed(made.labels, Watch("Drawing the truth", on_progress, cancel)), False)
    if not isinstance(settings, FilterPlan):
        raise SettingsError(
            f"An electron micrograph of {width} x {height} px cannot be shown from afar before it is made. Save it to "
            "a file ending in .ome.zarr and open that, or make it smaller: up to 4096 x 4096 px."
        )
    pictures, labels = levels(settings)
    for smaller, what in ((pictures, "picture"), (labels, "truth")):
        for level, array in enumerate(smaller):
            if max(array.shape) <= _AT_FIRST:  # what the viewer draws first is made here, and not while it draws
                smaller[level] = _computed(array, Watch(f"Making the {what} from afar", on_progress, cancel), BLOCK)
    return MadeLayers(made, [made.image.data, *pictures], [made.labels, *labels], True)


def _computed(data: Any, watch: Any, side: int | None = None) -> np.ndarray:
    from napari_mpseg.synthesis.tiles import rendered_tiles

    whole = np.empty(data.shape, data.dtype)
    for y, x, tile in rendered_tiles(data, watch, side=side):
        whole[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return whole


def save(settings: Any, path: str, overwrite: bool, *, on_progress: ProgressCallback, cancel: CancelToken) -> Any:
    """Write image, truth and settings; `overwrite` if the user has agreed to replace what is there."""
    from napari_mpseg.synthesis.writing import write_synthetic

    return write_synthetic(settings, path, overwrite=overwrite, on_progress=on_progress, cancel=cancel)


def add_layers(viewer: Any, shown: MadeLayers) -> tuple[Any, Any]:
    """Add picture and truth to a viewer as new layers, and return them."""
    from napari_mpseg.synthesis.microscopes import to_record

    made = shown.made
    calibration = made.image.calibration
    space = {"scale": calibration.pixel_size, "units": (calibration.unit_name,) * 2}
    name = unique_name(viewer, made.image.name)
    record = {"source": name, "synthetic": to_record(made.settings)}
    colour = made.image.n_channels == 3
    limits = {} if colour else {"contrast_limits": (0, 255)}
    image = viewer.add_image(
        shown.pixels,
        name=name,
        rgb=colour,
        multiscale=shown.lazy,
        metadata={"napari-mpseg": dict(record)},
        **limits,
        **space,
    )
    truth = viewer.add_labels(
        shown.labels,
        name=unique_name(viewer, f"{name} truth"),
        multiscale=shown.lazy,
        metadata={"napari-mpseg": dict(record)},
        **space,
    )
    return image, truth


def outlined(seen: Preview) -> np.ndarray:
    """Return the preview in colour with a line around every particle of the truth."""
    rgb = seen.pixels if seen.pixels.ndim == 3 else np.repeat(seen.pixels[..., None], 3, 2)
    labels = seen.labels
    inside = labels > 0
    # a pixel of background beside a particle, or a particle's beside another one
    line = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        here, there = (tuple(part if each == axis else slice(None) for each in (0, 1)) for part in _NEXT)
        differs = labels[here] != labels[there]
        line[here] |= differs & (~inside[here] | inside[there])
        line[there] |= differs & ~inside[there]
    found = rgb.copy()
    found[line] = _LINE
    return found


_NEXT = (slice(None, -1), slice(1, None))
_LINE = (86, 180, 233)  # sky blue
