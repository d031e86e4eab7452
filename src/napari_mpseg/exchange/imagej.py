"""The particle table as ImageJ's Results table."""

from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.exchange.source import ExportSource, add

if TYPE_CHECKING:
    import pandas as pd

    from napari_mpseg.particles.table import ParticleTable

_BESIDE = {"label": "Particle", "class": "Class", "confidence": "Confidence"}

_MEAN = "intensity_mean"


def imagej_frame(table: "ParticleTable") -> "pd.DataFrame":
    """Return the table under ImageJ's column names, in ImageJ's order, as far as it was measured.

    Rows are counted from 1, as ImageJ does. After ImageJ's own columns come ``Particle`` (the label, which is also the
    name of the particle's ROI), ``Class`` and ``Confidence``, the last two where the table has them. Lengths and areas
    are in the table's unit, or in pixels without one, and places are ImageJ's, half a pixel more than here.

    Parameters
    ----------
    table : ParticleTable
        Measured particles, best with the set ``"imagej"``.

    Returns
    -------
    pandas.DataFrame
        One row per particle; the index, without a name, is the row number.
    """
    import pandas as pd

    from napari_mpseg.particles.imagej_names import imagej_columns

    named = imagej_columns(table.frame, table.calibration)
    beside = {new: table.frame[old].to_numpy() for old, new in _BESIDE.items() if old in table.frame}
    return named.set_axis(pd.RangeIndex(1, len(named) + 1), axis=0).assign(**beside)


def _write_results(source: ExportSource, path: Path) -> list[str]:
    frame = imagej_frame(source.table)
    frame.index = frame.index.rename(" ")  # ImageJ's heading of the column of row numbers
    frame.to_csv(path, encoding="utf-8", na_rep="NaN")
    channels = [name for name in source.table.frame.columns if str(name).startswith(f"{_MEAN}_")]
    if len(channels) < 2:
        return []
    first = channels[0].removeprefix(f"{_MEAN}_")
    return [f"ImageJ measures one channel at a time: intensities are those of the first of {len(channels)}, {first}."]


add(
    "imagej-results",
    "ImageJ Results table (CSV)",
    "The table under ImageJ's column names and in ImageJ's coordinates, to be opened in ImageJ",
    "_Results.csv",
    _write_results,
)
