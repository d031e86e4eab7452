"""The particle table as it is: entries of the registry of export formats."""

from pathlib import Path

from napari_mpseg.exchange.source import ExportSource, add


def _write_csv(source: ExportSource, path: Path) -> list[str]:
    source.table.to_csv(path)
    return []


def _write_parquet(source: ExportSource, path: Path) -> list[str]:
    source.table.to_parquet(path)
    return []


add(
    "csv",
    "Table (CSV)",
    "The table as text: every digit, units in the column names",
    "_particles.csv",
    _write_csv,
)
add(
    "parquet",
    "Table (Parquet)",
    "The table with units, pixel size, definitions and provenance inside",
    "_particles.parquet",
    _write_parquet,
)
