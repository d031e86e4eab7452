"""The front door: a mask, a probability or labels in, instances out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.instances.cleaning import fill_holes, join_strands, kept_labels, renumbered
from napari_mpseg.particles.instances.components import each_piece, label_pieces
from napari_mpseg.particles.instances.regions import grey_image, regions_of
from napari_mpseg.particles.instances.seeding import seed_labels
from napari_mpseg.particles.instances.settings import InstanceSettings
from napari_mpseg.particles.instances.way import Scene
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent


def make_instances(
    mask_or_probability: Any,
    settings: InstanceSettings | None = None,
    *,
    image: Any = None,
    seeds: Any = None,
    calibration: Calibration | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> NDArray[np.int32]:
    """Tell particles apart: clean a mask, split what touches, drop what is not wanted, and number the rest.

    Parameters
    ----------
    mask_or_probability : array
        ``(Y, X)``; numpy, dask or zarr. Boolean: a mask. Integer: labels (or a mask of any value), of which only the
        shape counts unless ``settings.within_labels``. Real numbers: a probability from 0 to 1.
    settings : InstanceSettings, optional
        Without, connected pixels are one particle and nothing else is done.
    image : array or Image, optional
        ``(Y, X)`` or ``(Y, X, C)``, for the intensity watershed. Without, a probability is its own image.
    seeds : array, optional
        Labels ``(Y, X)``, or points ``(N, 2)`` as row and column in pixels: where parts start, for the distance and
        the intensity watershed. Without, they look for peaks. A piece with no seed, or with one, stays whole. Real
        numbers and lists ``(N, 2)`` are points also where the image has N x 2 pixels.
    calibration : Calibration, optional
        Pixel size; needed where ``settings.unit`` is a length. Distances of pixels that are not square are those of
        the true shape (except ImageJ's watershed, which counts pixels).
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    numpy.ndarray
        int32 ``(Y, X)``; labels 1 ... N without gaps, in raster order of each particle's first pixel.

    Raises
    ------
    ImageError
        If an array is of the wrong shape or kind.
    SettingsError
        If the settings do not fit what was given.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    Order of the steps: threshold; join broken strands; fill holes; split each connected piece; give joined particles
    their own pixels back (``join_keeps="own"``); drop those on the edges, the small and the large; number.

    Each connected piece is split in a window of its own, so what comes out does not depend on how the image was
    stored, and the work needs memory for the largest piece. Mask, pieces and labels are held in memory: up to 12 bytes
    per pixel, and 4 more each for an image or seeds.

    Examples
    --------
    >>> mask = np.zeros((5, 9), bool)
    >>> mask[1:4, 1:4] = mask[2, 4:8] = True
    >>> int(make_instances(mask).max())
    1
    """
    settings, calibration = settings or InstanceSettings(), calibration or Calibration()
    token = cancel or CancelToken()
    sizes = _sizes(settings, calibration)
    image = mask_or_probability if image is None and _is_probability(mask_or_probability) else image
    _check_fits(settings, image, seeds)
    on_progress(Progress("Reading", 0, 1, "images"))
    regions = regions_of(mask_or_probability, settings.threshold, settings.within_labels, token)
    scene_image = grey_image(image, _shape(regions), token) if settings.entry.needs_image else None
    scene_seeds = seed_labels(seeds, _shape(regions)) if seeds is not None else None
    own = regions if settings.joins and settings.join_keeps == "own" else None
    regions = _cleaned(regions, settings, calibration, sizes["holes"], token)
    pieces = label_pieces(regions, 2 if settings.entry.corners else settings.connectivity)
    del regions
    token.check()
    scene = Scene(pieces, settings.connectivity, scene_image, scene_seeds, _relative(calibration))
    labels = _split(scene, settings, on_progress, token)
    if own is not None:
        labels = np.where(own, labels, np.int32(0))
    token.check()
    kept = kept_labels(labels, least=sizes["least"], most=sizes.get("most"), exclude_on_edges=settings.exclude_on_edges)
    return renumbered(labels, kept)


def _split(
    scene: Scene, settings: InstanceSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> NDArray[np.int32]:
    entry, options = settings.entry, settings.way_settings
    if not entry.module:
        return scene.pieces
    way = entry.load()
    whole = way.measure_whole(scene, options, on_progress=on_progress, cancel=cancel)
    labels = np.zeros(scene.pieces.shape, np.int32)
    count = 0
    margin = entry.margin(options)
    for piece in each_piece(scene.pieces, margin=margin, on_progress=on_progress, cancel=cancel):
        parts = way.split(piece, scene, options, whole)
        labels[piece.window] += np.where(parts > 0, parts + count, 0)  # windows overlap, pieces do not
        count += int(parts.max())
    return labels


def _cleaned(
    regions: NDArray[Any],
    settings: InstanceSettings,
    calibration: Calibration,
    largest_hole: float | None,
    cancel: CancelToken,
) -> NDArray[Any]:
    if settings.joins:
        dilate = settings.sides_px(settings.join_dilate, calibration)
        erode = settings.sides_px(settings.join_erode, calibration) if settings.join_erode else (1, 1)
        regions = join_strands(regions, dilate, erode)
        cancel.check()
    if largest_hole is None or largest_hole > 0:
        regions = fill_holes(regions, largest_hole, settings.connectivity)
        cancel.check()
    return regions


def _sizes(settings: InstanceSettings, calibration: Calibration) -> dict[str, Any]:
    """Return the limits in pixels, before any work is done; None is no limit."""
    if settings.joins:
        settings.sides_px(settings.join_dilate, calibration)

    def area(value: float | None) -> float | None:
        return settings.area_px(value, calibration) if value else value

    return {
        "holes": area(settings.fill_holes),
        "least": area(settings.min_size),
        "most": area(settings.max_size),
    }


def _check_fits(settings: InstanceSettings, image: Any, seeds: Any) -> None:
    if settings.entry.needs_image and image is None:
        raise SettingsError(
            f"The {settings.entry.title.lower()} needs an image (or a probability) to look at, and none was given. "
            "Give one, or choose another way of splitting."
        )
    if seeds is not None and not settings.entry.takes_seeds:
        raise SettingsError(
            f"{settings.entry.title} takes no seeds. Leave them out, or choose the distance or intensity watershed."
        )


def _is_probability(source: Any) -> bool:
    return getattr(getattr(source, "dtype", None), "kind", "") == "f"


def _shape(array: NDArray[Any]) -> tuple[int, int]:
    height, width = array.shape
    return int(height), int(width)


def _relative(calibration: Calibration) -> tuple[float, float]:
    height, width = calibration.pixel_size
    if calibration.isotropic:
        return 1.0, 1.0
    side = float(np.sqrt(height * width))
    return height / side, width / side
