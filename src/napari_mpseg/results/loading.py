"""A finished result, read from its folder."""

import json
from collections.abc import Mapping
from pathlib import Path

from napari_mpseg.errors import StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.inference.store import open_store
from napari_mpseg.results.result import Result


def load_result(paths: Mapping[str, Path], image: Image, method: str) -> Result:
    """Return the result of an image as it was when the run had finished.

    Parameters
    ----------
    paths : mapping
        Of :func:`~napari_mpseg.results.saving.result_paths`.
    image : Image
        What was segmented.
    method : str
        Its method's name.

    Raises
    ------
    StoreError
        If a part is missing or damaged.
    """
    arrays = open_store(paths["store"])
    try:
        record = json.loads(paths["record"].read_text(encoding="utf-8"))
        count, notes = int(record.pop("particles")), tuple(map(str, record.pop("notes")))
        threshold = float(record["settings"]["threshold"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{paths['record']} is no record of a run: {error}. Segment again.") from error
    particles = counts = None
    if paths["parquet"].exists():
        from napari_mpseg.particles.table import ParticleTable

        particles = ParticleTable.read(paths["parquet"])
    if paths["macro"].exists():
        import pandas as pd

        counts = pd.read_csv(paths["macro"])
    return Result(
        image,
        arrays.labels,
        arrays.probability,
        count,
        particles,
        method,
        threshold,
        record,
        notes,
        paths["store"],
        counts,
    )
