"""Splitting at necks: a watershed on the distance to background."""

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.instances.components import Piece
from napari_mpseg.particles.instances.edm import distances
from napari_mpseg.particles.instances.seeding import grown, seeds_in
from napari_mpseg.particles.instances.way import Scene
from napari_mpseg.particles.instances.ways import DistanceWatershed
from napari_mpseg.peaks import peak_markers
from napari_mpseg.progress import CancelToken, ProgressCallback, silent


def measure_whole(
    scene: Scene,
    settings: DistanceWatershed,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> float:
    """Return nothing: each piece stands for itself."""
    return 0.0


def split(piece: Piece, scene: Scene, settings: DistanceWatershed, whole: float) -> NDArray[np.int32]:
    """Return the parts of one piece as labels in its window."""
    if scene.seeds is not None:
        markers = seeds_in(piece, scene)
        if markers is None:
            return piece.mask.astype(np.int32)
        return grown(distances(piece.mask, scene.pixel), markers, piece.mask, scene.connectivity, settings.line)
    heights = distances(piece.mask, scene.pixel)
    markers = peak_markers(
        heights,
        piece.mask,
        prominence=settings.prominence,
        min_distance=settings.min_distance,
        connectivity=scene.connectivity,
        pixel=scene.pixel,
    )
    return grown(heights, markers, piece.mask, scene.connectivity, settings.line)
