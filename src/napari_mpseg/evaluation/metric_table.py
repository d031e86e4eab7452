"""The registries of metrics as a page for people: the tables of docs/metrics.md.

``python -m napari_mpseg.evaluation.metric_table docs/metrics.md`` writes them anew between the page's marks.
"""

import sys
from pathlib import Path

from napari_mpseg.evaluation.aggregate import AGGREGATIONS
from napari_mpseg.evaluation.aims import AIMS
from napari_mpseg.evaluation.errors import ERROR_COLOURS
from napari_mpseg.evaluation.matching import CRITERIA
from napari_mpseg.evaluation.metric import METRICS
from napari_mpseg.marked_page import with_tables


def metric_table(family: str) -> str:
    """Return the metrics of a family as a Markdown table."""
    rows = ["| metric | definition | where it would be undefined | better | source |", "|---|---|---|---|---|"]
    for entry in METRICS.values():
        if entry.family == family:
            cells = (f"`{entry.name}`", entry.definition, entry.undefined, entry.better, entry.source)
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def criterion_table() -> str:
    """Return the criteria of a match as a Markdown table."""
    rows = ["| criterion | two particles match if |", "|---|---|"]
    rows += [f"| `{name}` | {entry.definition.format(value=entry.default)} |" for name, entry in CRITERIA.items()]
    return "\n".join(rows)


def aggregation_table() -> str:
    """Return the ways of putting images together as a Markdown table."""
    rows = ["| `how=` | definition |", "|---|---|"]
    return "\n".join(rows + [f"| `{name}` | {entry.definition} |" for name, entry in AGGREGATIONS.items()])


def aim_table() -> str:
    """Return the aims of a threshold as a Markdown table."""
    rows = ["| aim | value | definition |", "|---|---|---|"]
    for name, aim in AIMS.items():
        value = "" if aim.default is None else f"a share, default {aim.default:g}"
        rows.append(f"| `{name}` | {value} | {aim.definition} |")
    return "\n".join(rows)


def colour_table() -> str:
    """Return the colours of error maps as a Markdown table."""
    rows = ["| colours | true positive | false positive | false negative | source |", "|---|---|---|---|---|"]
    for name, entry in ERROR_COLOURS.items():
        values = " | ".join(f"`{colour}`" for colour in entry.by_value().values())
        rows.append(f"| `{name}` | {values} | {entry.source} |")
    return "\n".join(rows)


FAMILIES = tuple(dict.fromkeys(entry.family for entry in METRICS.values()))
TABLES = {family: (lambda family=family: metric_table(family)) for family in FAMILIES} | {
    "criteria": criterion_table,
    "aggregations": aggregation_table,
    "aims": aim_table,
    "colours": colour_table,
}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.write_text(with_tables(place.read_text(encoding="utf-8"), TABLES), encoding="utf-8")
