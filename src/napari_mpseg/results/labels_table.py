"""The particle table of a labels file or store: inside it or beside it, and the newest of several."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.errors import MpsegError, StoreError

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

INSIDE = "tables/particles"
"""Group of the table in a store of labels."""

_FILE = "table.parquet"
_OURS = b"napari_mpseg"  # key of this package in Parquet's metadata


def table_inside(store: Path, name: str = "particles") -> Path:
    """Return where the table of these labels lies in a store, whether it has one or not."""
    return store / "tables" / name / _FILE


def newest_first(paths: Iterable[Path]) -> list[Path]:
    """Return those that are there, the one written last first; of equally old ones the later in `paths`."""
    there = [(path.stat().st_mtime_ns, place, path) for place, path in enumerate(paths) if path.is_file()]
    return [path for *_, path in sorted(there, reverse=True)]


def read_table(path: str | os.PathLike[str]) -> "ParticleTable":
    """Read a table: CSV, Parquet, or the one inside a store of labels, which is a layer's features.

    Raises
    ------
    StoreError
        If it cannot be read, or is no particle table.
    """
    from napari_mpseg.particles.table import ParticleTable

    path = Path(path)
    try:
        if path.match(f"tables/*/{_FILE}"):
            import pandas as pd

            return ParticleTable.from_features(pd.read_parquet(path))
        return ParticleTable.read(path)
    except StoreError:
        raise
    except (MpsegError, OSError, ValueError, TypeError) as error:  # such as a column 'label' that holds names
        raise StoreError(f"{path} is no particle table: {error}") from error


def is_own_table(path: Path) -> bool:
    """Return whether this package wrote the table: such may be replaced or removed together with its labels."""
    if not path.is_file():
        return False
    try:
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet as pq

            return _OURS in (pq.read_schema(path).metadata or {})
        with path.open(encoding="utf-8") as file:
            columns = file.readline().strip().split(",")
    except (OSError, ValueError):
        return False
    return columns[0] == "label" and bool({"area_px", "keep"} & set(columns))
