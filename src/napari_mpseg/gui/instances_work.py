"""Telling the particles of a layer apart in a thread: plane by plane, or only what is in view. No Qt here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.instances_notes import count_labels, notes_of
from napari_mpseg.gui.layer_input import frozen
from napari_mpseg.gui.planes import join_tables, within_plane
from napari_mpseg.gui.visible import Box
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.pyramids import displayed

MARGIN = 64
"""Pixels around what is in view that a preview looks at too, so that fewer particles are cut off."""


@dataclass(frozen=True)
class Separated:
    """What telling particles apart gave.

    Attributes
    ----------
    table : ParticleTable
        One row per particle.
    features : pandas.DataFrame
        The same as ``Labels.features``.
    labels : tuple
        Of :func:`napari_mpseg.pyramids.displayed`: the data of a layer, and whether they are multiscale.
    before : int
        Connected pieces that there were, or labels where they were split one by one.
    notes : tuple of str
        What the user should know.
    """

    table: Any
    features: Any
    labels: tuple[Any, bool]
    before: int
    notes: tuple[str, ...] = ()


def separate_planes(
    data: Any,
    settings: Any,
    images: Sequence[Any] = (),
    seeds: Any = None,
    *,
    graded: bool,
    calibration: Any,
    probability: Any = None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Separated:
    """Tell the particles of one plane or many apart, and measure them.

    Parameters
    ----------
    data : array
        ``(Y, X)`` or ``(planes..., Y, X)``: labels or a mask, or a probability if `graded`. Never changed.
    settings : InstanceSettings
        What to do.
    images : sequence of Image
        None, one, or one per plane.
    seeds : array, optional
        Labels of the shape of `data`, or points ``(N, ndim)`` in its pixels.
    graded : bool
        Take `data` as a probability; whole numbers are shares of their type's largest.
    calibration : Calibration
        Pixel size.
    probability : array, optional
        Of the shape of `data`, uint8 (255 is 1) or floating point: for the confidence.
    on_progress, cancel
        As everywhere.

    Raises
    ------
    MpsegError
        If something does not fit.
    """
    from napari_mpseg.particles.instances.components import label_pieces
    from napari_mpseg.particles.instances.make import make_instances
    from napari_mpseg.particles.instances.regions import regions_of
    from napari_mpseg.particles.reviewable import measure_for_review

    planes = int(np.prod(data.shape[:-2]))
    if len(images) not in (0, planes):
        raise ImageError(
            f"The image has {len(images)} planes, the labels {planes}. Choose the image these labels were made from."
        )
    labels = np.zeros((planes, *data.shape[-2:]), np.int32)
    tables, count, before, given = [], 0, 0, 0
    for plane in range(planes):
        cancel.check()
        index = tuple(int(step) for step in np.unravel_index(plane, data.shape[:-2])) if data.ndim > 2 else ()
        report = within_plane(on_progress, plane, planes)
        source, image = _source(plane_of(data, index), images[plane] if images else None, settings, graded)
        regions = regions_of(source, settings.threshold, settings.within_labels, cancel)
        before += int(label_pieces(regions, settings.connectivity).max(initial=0))
        del regions
        given += 0 if graded else count_labels(source)
        found = make_instances(
            source,
            settings,
            image=image,
            seeds=seeds_of_plane(seeds, index, data.shape),
            calibration=calibration,
            on_progress=report,
            cancel=cancel,
        )
        table = measure_for_review(
            found,
            images[plane] if images else None,
            probability=None if probability is None else plane_of(probability, index),
            calibration=calibration,
            on_progress=report,
            cancel=cancel,
        )
        tables.append(table)
        labels[plane] = np.where(found > 0, found + count, 0)
        count += len(tables[-1])
    table = tables[0] if planes == 1 else join_tables(tables)
    table = dataclasses.replace(table, provenance=_record(table, settings))
    shown = displayed(labels.reshape(data.shape), editable=True)
    return Separated(table, table.to_features(), shown, before, notes_of(given, before, settings))


@dataclass(frozen=True)
class Cut:
    """The rectangle of a plane that a preview looks at, as it was when it was cut out.

    Attributes
    ----------
    data, image, seeds : array or None
        In the rectangle; points in its pixels.
    box : tuple of int
        What is in view, ``(y0, y1, x0, x1)``, in the pixels of the plane.
    origin : tuple of int
        First row and column of the rectangle.
    shape : tuple of int
        Height and width of the plane.
    """

    data: Any
    image: Any
    seeds: Any
    box: Box
    origin: tuple[int, int]
    shape: tuple[int, int]


def cut_out(plane: Any, image: Any, seeds: Any, box: Box) -> Cut:
    """Return what a preview of `box` needs; arrays in memory are copied, lazy ones only sliced.

    Parameters
    ----------
    plane : array
        ``(Y, X)``.
    image : array or None
        ``(Y, X)`` or ``(Y, X, C)``.
    seeds : array or None
        Labels ``(Y, X)``, or points ``(N, 2)``.
    box : tuple of int
        What is in view.
    """
    height, width = int(plane.shape[0]), int(plane.shape[1])
    y0, y1, x0, x1 = box
    top, left = max(0, y0 - MARGIN), max(0, x0 - MARGIN)
    window = slice(top, min(height, y1 + MARGIN)), slice(left, min(width, x1 + MARGIN))
    if image is not None and tuple(image.shape[:2]) != (height, width):
        raise ImageError(
            f"The image has {image.shape[0]} x {image.shape[1]} px, the layer {height} x {width}. Choose the image "
            "these particles were found on."
        )
    return Cut(
        frozen(plane[window]),
        None if image is None else frozen(image[window]),
        _seeds_within(seeds, window, (height, width)),
        box,
        (top, left),
        (height, width),
    )


def preview(
    cut: Cut, settings: Any, *, graded: bool, calibration: Any, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of what is in view, int32, and where particle was before, bool.

    Particles that leave the view are cut off there, or `MARGIN` pixels further on: their sizes are not the true ones.
    """
    from napari_mpseg.particles.instances.cleaning import kept_labels, renumbered
    from napari_mpseg.particles.instances.make import make_instances
    from napari_mpseg.particles.instances.regions import regions_of

    data = np.asarray(cut.data)
    source, image = _source(data, None if cut.image is None else np.asarray(cut.image), settings, graded)
    inside = dataclasses.replace(settings, exclude_on_edges=False)
    labels = make_instances(
        source, inside, image=image, seeds=cut.seeds, calibration=calibration, on_progress=on_progress, cancel=cancel
    )
    if settings.exclude_on_edges:
        labels = renumbered(labels, _not_at_border(labels, cut, kept_labels(labels)))
    top, left = cut.origin
    y0, y1, x0, x1 = cut.box
    view = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    return labels[view], regions_of(source, settings.threshold)[view]


def _not_at_border(labels: np.ndarray, cut: Cut, kept: np.ndarray) -> np.ndarray:
    """Return which labels do not touch the border of the whole plane."""
    top, left = cut.origin
    ends = (
        (top == 0, labels[0]),
        (left == 0, labels[:, 0]),
        (top + labels.shape[0] == cut.shape[0], labels[-1]),
        (left + labels.shape[1] == cut.shape[1], labels[:, -1]),
    )
    for at_border, numbers in ends:
        if at_border:
            kept[numbers] = False
    return kept


def _source(data: Any, image: Any, settings: Any, graded: bool) -> tuple[Any, Any]:
    """Return what is particle, and the image for the valleys, which a probability is itself where none is chosen."""
    from napari_mpseg.particles.instances.regions import mask_above

    if not graded:
        return data, image
    if data.dtype.kind == "u":
        data = np.asarray(data)
        return mask_above(data, settings.threshold), data if image is None else image
    return data, image


def plane_of(data: Any, index: tuple[int, ...]) -> Any:
    """Return a plane of an array; the array itself, unread, where it has no more axes than one."""
    return data[index] if index else data


def seeds_of_plane(seeds: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Return the seeds of one plane: labels ``(Y, X)``, or points ``(N, 2)``.

    Parameters
    ----------
    seeds : array or None
        Labels of `shape`, or points ``(N, ndim)``.
    index : tuple of int
        Of the plane; empty for a plain image.
    shape : tuple of int
        Of the layer.

    Raises
    ------
    ImageError
        If they are neither.
    """
    if seeds is None:
        return None
    if tuple(seeds.shape) == tuple(shape):
        return plane_of(seeds, index)
    if seeds.ndim != 2 or seeds.shape[1] != len(shape):
        raise ImageError(
            f"The seeds have the shape {tuple(seeds.shape)}, the layer {tuple(shape)}. Paint seeds on labels of the "
            "same size, or give points."
        )
    here = (np.floor(seeds[:, :-2] + 0.5) == np.asarray(index)).all(1)
    return seeds[here, -2:]


def _seeds_within(seeds: Any, window: tuple[slice, slice], shape: tuple[int, int]) -> Any:
    if seeds is None:
        return None
    if tuple(seeds.shape) == shape:
        return frozen(seeds[window])
    low = np.array([part.start for part in window])
    high = np.array([part.stop for part in window])
    pixels = np.floor(seeds + 0.5)
    return seeds[((pixels >= low) & (pixels < high)).all(1)] - low


def _record(table: Any, settings: Any) -> dict[str, Any]:
    from napari_mpseg.provenance import Provenance
    from napari_mpseg.settings import to_dict

    inputs = dict(table.provenance.get("inputs", {}))
    return Provenance("separate", to_dict(settings), inputs).to_dict()
