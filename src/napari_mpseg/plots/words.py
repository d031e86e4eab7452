"""Names of columns and units as people read them."""

from collections.abc import Mapping

from napari_mpseg.particles.classes.columns import property_of

_WORDS = {
    "area_fraction": "Share of pixels above 0",
    "aspect_ratio": "Aspect ratio",
    "bbox_x0": "Bounding box, left",
    "bbox_x1": "Bounding box, right",
    "bbox_y0": "Bounding box, top",
    "bbox_y1": "Bounding box, bottom",
    "centroid_x": "Centroid x",
    "centroid_y": "Centroid y",
    "circularity_crofton": "Circularity (Crofton)",
    "feret_angle": "Feret angle",
    "feret_max": "Maximum Feret diameter",
    "feret_min": "Minimum Feret diameter",
    "feret_roundness": "Roundness (Feret)",
    "feret_start_x": "Start of Feret diameter, x",
    "feret_start_y": "Start of Feret diameter, y",
    "first_x": "First pixel, x",
    "first_y": "First pixel, y",
    "intensity_max": "Largest intensity",
    "intensity_mean": "Mean intensity",
    "intensity_min": "Smallest intensity",
    "intensity_std": "Standard deviation of intensity",
    "intensity_sum": "Sum of intensities",
    "major_axis": "Major axis",
    "minor_axis": "Minor axis",
    "perimeter_crofton": "Perimeter (Crofton)",
}

_UNITS = {"um": "µm", "px": "px", "deg": "°", "angstrom": "Å"}


def unit_words(unit: str) -> str:
    """Return a unit as people write it: ``"µm²"`` for ``"um2"``."""
    return " ".join(
        _UNITS.get(part.removesuffix("2"), part.removesuffix("2")) + "²" * part.endswith("2") for part in unit.split()
    )


def column_name_words(column: str) -> str:
    """Return what a column is, without its unit: ``"Maximum Feret diameter"`` for ``"feret_max_um"``."""
    entry = property_of(column)
    if entry is None:
        return column[:1].upper() + column[1:].replace("_", " ")
    stem = max((one for one in entry.stems if column == one or column.startswith(f"{one}_")), key=len)
    words = _WORDS.get(stem, stem[:1].upper() + stem[1:].replace("_", " "))
    ending = column[len(stem) + 1 :]
    return f"{words}, {ending}" if ending and entry.kind == "intensity" else words


def column_words(column: str, units: Mapping[str, str]) -> str:
    """Return what a column is, with its unit: ``"Area (µm²)"`` for ``"area_um2"``.

    Parameters
    ----------
    column : str
        Name of the column.
    units : mapping
        Unit of each column, as :attr:`~napari_mpseg.particles.table.ParticleTable.units`.
    """
    unit = unit_words(units.get(column, ""))
    return f"{column_name_words(column)} ({unit})" if unit else column_name_words(column)
