"""The particle table: one row per particle, with its units."""

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, MpsegError, StoreError
from napari_mpseg.files import finished_at
from napari_mpseg.particles import features
from napari_mpseg.particles.column_types import BadTableError, Rows, typed
from napari_mpseg.particles.column_types import property_of as property_of
from napari_mpseg.particles.review.definitions import CATEGORIES, REVIEW_COLUMNS, as_keep
from napari_mpseg.settings import from_dict, to_dict

_METADATA = b"napari_mpseg"
_MISSING = ("", "nan", "NaN", "NA", "N/A", "null", "<NA>")  # how programs write that a number is missing
_SEPARATORS = (
    "Columns must be separated by commas, and decimals be written with a point. Save it as such, in a spreadsheet with "
    "the language set to English."
)


@dataclass(frozen=True)
class ParticleTable:
    """Measured particles.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per particle in label order; the first column is ``label``.
    calibration : Calibration
        Pixel size behind the calibrated columns.
    units : mapping of str to str
        Unit of each column: ``"px"``, ``"um2"``, ``"deg"``, ``""`` for plain numbers.
    provenance : mapping
        What was measured, with what (see :class:`~napari_mpseg.provenance.Provenance`).
    """

    frame: pd.DataFrame
    calibration: Calibration = field(default_factory=Calibration)
    units: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def labels(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Labels of the particles, int64, ascending."""
        return self.frame["label"].to_numpy(np.int64)

    @property
    def definitions(self) -> dict[str, str]:
        """What each column is, in one sentence with its source; only properties and review columns are known."""
        found = {}
        for column in self.frame.columns:
            entry = property_of(column)
            if entry is not None:
                found[column] = f"{entry.definition} Source: {entry.source}."
            elif column in REVIEW_COLUMNS:
                found[column] = REVIEW_COLUMNS[column].definition
        return found

    def kept(self) -> "ParticleTable":
        """Return the table without the particles that a reviewer rejected (``keep`` is false).

        Without a ``keep`` column, and where a row has no value in it, nothing was rejected.
        """
        if "keep" not in self.frame:
            return self
        keep = as_keep(self.frame["keep"]).to_numpy()
        return self if keep.all() else replace(self, frame=self.frame[keep].reset_index(drop=True))

    def with_columns(self, units: Mapping[str, str] | None = None, /, **columns: Any) -> "ParticleTable":
        """Return a table with more (or replaced) columns, each of one value per particle.

        Parameters
        ----------
        units : mapping, optional
            Units of the new columns; ``""`` where not given.
        **columns
            Column name and values.
        """
        units = {**self.units, **dict.fromkeys(columns, ""), **(units or {})}
        return replace(self, frame=self.frame.assign(**columns), units=units)

    def to_features(self) -> pd.DataFrame:
        """Return the table as napari's ``Labels.features``: row ``i`` is label ``i``, row 0 the background.

        Raises
        ------
        ImageError
            If the labels are so sparse that the table would be mostly empty rows.
        """
        return features.to_features(self.frame)

    @classmethod
    def from_features(cls, frame: pd.DataFrame, calibration: Calibration | None = None) -> "ParticleTable":
        """Build a table from a Labels layer's ``features`` made by :meth:`to_features` (perhaps edited since).

        Raises
        ------
        ImageError
            If there is no column ``index``, or a cell does not hold what its column must.
        """
        try:
            frame = typed(features.from_features(frame), rows=Rows(""))
        except BadTableError as error:
            raise ImageError(f"The layer's table cannot be used. {error} Mend it, or measure again.") from error
        return cls(frame, calibration or _calibration_of(frame), _units_by_name(frame))

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write comma-separated text, one header row; units are in the column names. Numbers keep every digit.

        Raises
        ------
        StoreError
            If the place cannot be written.
        """
        with finished_at(path) as part:
            self.frame.to_csv(part, index=False, encoding="utf-8")
        return Path(path)

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write Parquet with units, calibration and provenance in the file's metadata under ``napari_mpseg``.

        Raises
        ------
        StoreError
            If the place cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        about = {
            "units": dict(self.units),
            "calibration": to_dict(self.calibration),
            "definitions": self.definitions,
            "categories": _categories(self.frame),
            "provenance": dict(self.provenance),
        }
        table = pa.Table.from_pandas(self.frame, preserve_index=False)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _METADATA: json.dumps(about)})
        with finished_at(path) as part:
            pq.write_table(table, part)
        return Path(path)

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, calibration: Calibration | None = None) -> "ParticleTable":
        """Read a table written by :meth:`to_csv` or :meth:`to_parquet`; the ending tells which.

        Parameters
        ----------
        path : path-like
            A ``.csv`` or ``.parquet`` file.
        calibration : Calibration, optional
            Pixel size, if it is known better than the file tells: Parquet holds it, the columns of a CSV file show it.

        Raises
        ------
        StoreError
            If the file is missing, damaged, or not a particle table: column and row of a cell that does not fit are
            named, and so is a label that occurs twice.
        """
        path = Path(path)
        about: dict[str, Any] = {}
        try:
            if path.suffix.lower() == ".parquet":
                import pyarrow.parquet as pq

                table = pq.read_table(path)
                about = json.loads((table.schema.metadata or {}).get(_METADATA, b"{}"))
                frame = table.to_pandas()
            else:
                frame = _read_csv(path)
        except MpsegError:
            raise
        except (OSError, ValueError) as error:
            raise StoreError(f"Cannot read the table {path}: {error}. Is it a CSV or Parquet file?") from error
        if "label" not in frame.columns:
            raise StoreError(f"{path} has no column 'label', so it is not a particle table.")
        rows = Rows() if path.suffix.lower() == ".parquet" else Rows("line", 2)  # below the line of names
        try:
            frame = typed(frame, about.get("categories"), rows)
        except BadTableError as error:
            raise StoreError(f"{path} cannot be used. {error}") from error
        stored = from_dict(Calibration, about["calibration"]) if "calibration" in about else _calibration_of(frame)
        units = about.get("units") or _units_by_name(frame)
        return cls(frame, calibration or stored, units, about.get("provenance", {}))


def _calibration_of(frame: pd.DataFrame) -> Calibration:
    from napari_mpseg.particles.pixel_size import pixel_size_in

    return pixel_size_in(frame) or Calibration()


def _read_csv(path: Path) -> pd.DataFrame:
    """Read text in which a class may be called "1" or "None", and stays that."""
    columns = pd.read_csv(path, nrows=0).columns
    with path.open(newline="", encoding="utf-8-sig") as file:
        first = next(islice(csv.reader(file), 1, None), [])
    if "label" not in columns and any(mark in str(name) for name in columns for mark in ";\t"):
        raise StoreError(f"{path} has no column 'label'. {_SEPARATORS}")
    if len(first) > len(columns):  # pandas would take what is too much for names of rows
        raise StoreError(f"{path} has {len(first)} cells in a row and {len(columns)} column names. {_SEPARATORS}")
    missing = {column: [""] if column in CATEGORIES else list(_MISSING) for column in columns}
    types = {column: "string" for column in columns if column in CATEGORIES}
    return pd.read_csv(path, dtype=types, na_values=missing, keep_default_na=False)


def _categories(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the categories of each such column; Parquet keeps only those that occur."""
    return {
        column: [str(one) for one in frame[column].cat.categories]
        for column in frame.columns
        if isinstance(frame[column].dtype, pd.CategoricalDtype)
    }


def _units_by_name(frame: pd.DataFrame) -> dict[str, str]:
    endings = [column.rpartition("_")[2] for column in frame.columns if column.startswith("area_")]
    area = next((ending for ending in endings if ending.endswith("2")), "px2")
    units = {}
    for column in frame.columns:
        entry = property_of(column)
        ending = column.rpartition("_")[2]
        if entry is None:
            units[column] = ""  # the review's columns and the user's own
        elif entry.kind in ("length", "area"):
            units[column] = "px2" if (entry.kind, ending) == ("area", "px") else ending
        elif entry.kind == "angle":
            units[column] = "deg"
        elif entry.kind == "pixels":
            units[column] = "px"
        else:
            own = "px2" if ending == "px" else ending if ending in endings else area
            units[column] = entry.unit.format(area=own)
    return units
