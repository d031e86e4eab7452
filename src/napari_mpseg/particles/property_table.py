"""The registries of properties as a page for people: the tables of docs/measuring.md.

``python -m napari_mpseg.particles.property_table docs/measuring.md`` writes them anew between the page's marks.
"""

import sys
from pathlib import Path

from napari_mpseg.calibration import Calibration
from napari_mpseg.marked_page import with_tables
from napari_mpseg.particles.perimeters import PERIMETERS
from napari_mpseg.particles.properties import PROPERTIES, Property, columns_of, property_sets

_GIVEN = {"": "", "image": "image", "rgb": "image with red, green, blue", "probability": "probability"}


def property_table() -> str:
    """Return all properties as a Markdown table: name, columns, units, definition, source, what they need."""
    rows = [
        "| property | columns | unit | definition | source | sets | measured on |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in PROPERTIES.values():
        columns = columns_of(entry, Calibration((1.0, 1.0), "um"), ("",))
        cells = [
            f"`{entry.name}`",
            ", ".join(f"`{name}`" for name in columns),
            _units(entry, columns),
            entry.definition,
            entry.source,
            ", ".join(entry.sets),
            ", ".join(filter(None, ["labels", _GIVEN[entry.given]])),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def set_table() -> str:
    """Return the sets of properties as a Markdown table."""
    rows = ["| set | properties |", "|---|---|"]
    for name, members in property_sets().items():
        inside = ", ".join(f"`{member}`" for member in members) if name != "all" else "every property"
        rows.append(f"| `{name}` | {inside} |")
    return "\n".join(rows)


def estimator_table() -> str:
    """Return the estimators of the perimeter as a Markdown table."""
    rows = ["| `perimeter=` | definition | source |", "|---|---|---|"]
    rows += [f"| `{name}` | {entry.definition} | {entry.source} |" for name, entry in PERIMETERS.items()]
    return "\n".join(rows)


TABLES = {"properties": property_table, "sets": set_table, "estimators": estimator_table}


def _units(entry: Property, columns: dict[str, str]) -> str:
    units = dict.fromkeys(unit for unit in columns.values() if unit)
    return ", ".join(units) or {"flag": "true or false"}.get(entry.kind, "")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.write_text(with_tables(place.read_text(encoding="utf-8"), TABLES), encoding="utf-8")
