"""The made-up filter of the demo: an OME-TIFF like a scanner's, of which the truth is known."""

from pathlib import Path
from typing import Any

from napari_mpseg.files import finished_at
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.results.result import Result


def write_filter(
    folder: Path, side: int, seed: int, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[Path, Any]:
    """Write ``demo_filter.tif``, tile by tile, and return its path and the true labels (dask, int32)."""
    from napari_mpseg.synthesis.microscopes import synthetic_image, to_record
    from napari_mpseg.synthesis.tiff_file import write_tiff
    from napari_mpseg.synthesis.tiles import SIDE, Watch

    made = synthetic_image(look="fluorescence", size=(side, side), seed=seed, chunks=SIDE)
    image, path = made.image, folder / "demo_filter.tif"
    with finished_at(path) as part:
        watch = Watch("Making a filter", on_progress, cancel)
        write_tiff(part, image.data, image.name, image.calibration, to_record(made.settings), watch)
    return path, made.labels


def score(result: Result, truth: Any) -> str:
    """Return how many of the true particles were found."""
    from napari_mpseg.evaluation.particle import match_particles

    match = match_particles(result.labels, truth, min_size=3)
    return f"Truth     recall {match.recall:.3f}, precision {match.precision:.3f} of particles of 3 px or more"
