"""Splitting along valleys of brightness or probability."""

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.particles.instances.components import Piece, each_piece
from napari_mpseg.particles.instances.seeding import grown, seeds_in
from napari_mpseg.particles.instances.way import Scene
from napari_mpseg.particles.instances.ways import INSTANCES, IntensityWatershed
from napari_mpseg.peaks import peak_markers
from napari_mpseg.progress import CancelToken, ProgressCallback, silent


def measure_whole(
    scene: Scene,
    settings: IntensityWatershed,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> float:
    """Return the range of grey values inside all particles, after smoothing."""
    if scene.seeds is not None or not settings.prominence:
        return 0.0
    lowest, highest = np.inf, -np.inf
    margin = INSTANCES["intensity-watershed"].margin(settings)
    for piece in each_piece(scene.pieces, margin=margin, stage="Looking", on_progress=on_progress, cancel=cancel):
        values = _heights(piece, scene, settings)[piece.mask]
        lowest, highest = min(lowest, float(values.min())), max(highest, float(values.max()))
    return highest - lowest if highest > lowest else 0.0


def split(piece: Piece, scene: Scene, settings: IntensityWatershed, whole: float) -> NDArray[np.int32]:
    """Return the parts of one piece as labels in its window; `whole` is the range of all pieces."""
    if scene.seeds is not None:
        markers = seeds_in(piece, scene)
        if markers is None:
            return piece.mask.astype(np.int32)
        return grown(_heights(piece, scene, settings), markers, piece.mask, scene.connectivity, settings.line)
    heights = _heights(piece, scene, settings)
    markers = peak_markers(
        heights,
        piece.mask,
        prominence=settings.prominence * whole,
        min_distance=settings.min_distance,
        connectivity=scene.connectivity,
        pixel=scene.pixel,
    )
    return grown(heights, markers, piece.mask, scene.connectivity, settings.line)


def _heights(piece: Piece, scene: Scene, settings: IntensityWatershed) -> NDArray[np.float32]:
    """Return the window of the image, smoothed, with the middles of particles up."""
    from scipy.ndimage import gaussian_filter

    assert scene.image is not None
    values = scene.image[piece.window]
    if not np.isfinite(values).all():
        raise ImageError(
            "The image holds values that are no numbers (NaN or infinite) at the particles. Replace them first."
        )
    if settings.smoothing > 0:
        values = gaussian_filter(values, settings.smoothing, mode="nearest", truncate=4.0)
    return -values if settings.dark else values
