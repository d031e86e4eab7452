"""Decisions of an earlier review, for labels that are measured again."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

_DECIDED = ("class", "keep")


def keep_decisions(
    table: "ParticleTable", labels: str, replaced: Iterable[Path], *, renumbered: bool = False
) -> tuple["ParticleTable", str]:
    """Return a table just measured with what was decided about the same labels before, and a line that says so.

    The newest table counts that holds decisions on these particles. One that was saved with the labels is about them;
    of others, whose name alone is the same, most particles must have kept their area.

    Parameters
    ----------
    table : ParticleTable
        Measured now.
    labels : str
        Path of the labels, with whose tables the search begins.
    replaced : iterable of Path
        Tables that the new one replaces.
    renumbered : bool
        The labels were numbered now, so that no table is sure to be about them, and only what is the same as before
        keeps its decision.

    Returns
    -------
    ParticleTable
        The same one where nothing was decided.
    str
        ``"Decisions of NAME kept"``, or why not; empty where there is nothing to say.
    """
    from napari_mpseg.errors import StoreError
    from napari_mpseg.particles.reviewable import with_decisions
    from napari_mpseg.reports.loading import tables_of
    from napari_mpseg.results.labels_file import store_in
    from napari_mpseg.results.labels_table import newest_first, read_table

    others = ""
    own = tables_of(store_in(Path(labels)))
    for path in newest_first(dict.fromkeys([*(path.absolute() for path in replaced), *own])):
        try:
            previous = read_table(path)
        except StoreError:  # such as a CSV file of the user's
            continue
        if not set(_DECIDED) & set(previous.frame):
            continue
        saved_with_labels = not renumbered and _saved_with(path, Path(labels))
        same = _same(table, previous, by_area=not saved_with_labels)
        if 2 * np.count_nonzero(same) < len(previous):
            if len(previous.kept()) < len(previous):
                others = others or f"Decisions of {_name(path)} not kept: its particles are others"
            continue
        decided = with_decisions(table, previous.frame[same] if renumbered else previous.frame)
        return (table, "") if _equal(table, decided) else (decided, f"Decisions of {_name(path)} kept")
    return table, others


def _saved_with(table: Path, labels: Path) -> bool:
    """Return whether napari saved this table with the labels: inside their store, or under the name of the TIFF."""
    from napari_mpseg.results.labels_table import table_inside
    from napari_mpseg.results.labels_tiff import is_labels_tiff

    labels = labels.absolute()
    return table == table_inside(labels) or (table.with_suffix("") == labels.with_suffix("") and is_labels_tiff(labels))


def _same(table: "ParticleTable", previous: "ParticleTable", *, by_area: bool) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Return which rows of the earlier table are about a particle of the new one."""
    same = np.isin(previous.labels, table.labels)
    if not by_area:
        return same
    if "area_px" not in table.frame or "area_px" not in previous.frame:
        return np.asarray(same & np.array_equal(previous.labels, table.labels))
    now = table.frame.set_index("label")["area_px"].reindex(previous.labels).to_numpy(float)
    return np.asarray(same & (now == previous.frame["area_px"].to_numpy(float)))


def _equal(one: "ParticleTable", other: "ParticleTable") -> bool:
    return all(
        one.frame[name].astype("object").fillna("").tolist() == other.frame[name].astype("object").fillna("").tolist()
        for name in _DECIDED
    )


def _name(table: Path) -> str:
    """Return the table's name; of one inside a store, the store's."""
    return table.parents[2].name if table.parent.parent.name == "tables" else table.name
