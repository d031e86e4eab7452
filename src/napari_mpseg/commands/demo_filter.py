"""The made-up filter of the demo: an OME-TIFF like a scanner's, of which the truth is known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.files import finished_at
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback
from napari_mpseg.results.result import Result

_TILE = 1024


def write_filter(
    folder: Path, side: int, seed: int, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[Path, Any]:
    """Write ``demo_filter.tif``, tile by tile, and return its path and the true labels (dask, int32)."""
    import tifffile

    from napari_mpseg.synthesis.filter_settings import FilterSettings
    from napari_mpseg.synthesis.filters import synthetic_filter

    made = synthetic_filter(FilterSettings(size=(side, side), seed=seed))
    image = made.image
    size = image.calibration.pixel_size[0]
    path = folder / "demo_filter.tif"
    with finished_at(path) as part:
        tifffile.imwrite(
            part,
            _tiles(image.data, on_progress, cancel),
            shape=image.data.shape,
            dtype=np.uint8,
            tile=(_TILE, _TILE),
            photometric="rgb",
            compression="zlib",
            ome=True,
            metadata={
                "axes": "YXS",
                "PhysicalSizeX": size,
                "PhysicalSizeY": size,
                "PhysicalSizeXUnit": "µm",
                "PhysicalSizeYUnit": "µm",
            },
        )
    return path, made.labels


def score(result: Result, truth: Any) -> str:
    """Return how many of the true particles were found."""
    from napari_mpseg.evaluation.particle import match_particles

    match = match_particles(result.labels, truth, min_size=3)
    return f"Truth     recall {match.recall:.3f}, precision {match.precision:.3f} of particles of 3 px or more"


def _tiles(data: Any, on_progress: ProgressCallback, cancel: CancelToken) -> Iterator[np.ndarray[Any, Any]]:
    height, width = data.shape[:2]
    corners = [(y, x) for y in range(0, height, _TILE) for x in range(0, width, _TILE)]
    for done, (y, x) in enumerate(corners, 1):
        cancel.check()
        tile = np.asarray(data[y : y + _TILE, x : x + _TILE])
        missing = [(0, _TILE - tile.shape[0]), (0, _TILE - tile.shape[1]), (0, 0)]
        yield np.pad(tile, missing)
        on_progress(Progress("Making a filter", done, len(corners), "tiles"))
