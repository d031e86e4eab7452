"""Save what was decided on the particles of a result into the result itself; its pixels stay."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.errors import StoreError
from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.files import refusal
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.results.corrections.place import LabelsPlace
from napari_mpseg.results.corrections.rows import read_newest, write_tables
from napari_mpseg.results.corrections.turns import in_turn
from napari_mpseg.results.saving import ENDINGS, TABLES

_OF_THE_LAYER = ("provenance", "source", "store", "role")  # the store has these, or they follow from its place
_OF_CORRECTIONS = ("highest_label", "corrected")  # a layer knows them as they were when it was opened


def save_review(place: LabelsPlace, features: Any, about: Mapping[str, Any]) -> list[Path]:
    """Write a layer's table and its record of the review into the result that the layer shows.

    Parameters
    ----------
    place : LabelsPlace
        The result.
    features : pandas.DataFrame or None
        Of the layer: one row per label. Without, the tables stay.
    about : mapping
        What this package keeps with the layer, as plain JSON values.

    Returns
    -------
    list of Path
        The store, and the tables that were written.

    Raises
    ------
    StoreError
        If they cannot be written, or the labels were corrected elsewhere since the layer was opened.
    ImageError
        If the features are no particle table.
    """
    with in_turn(place):
        try:
            written = [] if features is None else _save_table(place, features)
            kept = place.kept()
            new = {name: value for name, value in about.items() if name not in (*_OF_THE_LAYER, *_OF_CORRECTIONS)}
            if "audit" in new or "audit" in kept:
                new["audit"] = _joined(kept.get("audit"), new.get("audit"))
            place.keep({**kept, **new})
        except StoreError:
            raise
        except OSError as error:
            raise refusal(place.store, error) from error
    return [place.store, *written]


def _save_table(place: LabelsPlace, features: Any) -> list[Path]:
    known = read_newest(place.tables)
    table = ParticleTable.from_features(features, known.calibration if known is not None else None)
    if known is not None:
        different = sorted({*map(int, table.labels)} ^ {*map(int, known.labels)})
        if different:
            shown = ", ".join(map(str, different[:6])) + (" …" if len(different) > 6 else "")
            raise StoreError(
                f"The labels in {place.store} were corrected elsewhere since this layer was opened: particles {shown} "
                "are new or gone. Open the result again, and decide there."
            )
        units = {**table.units, **{name: unit for name, unit in known.units.items() if name in table.frame}}
        table = replace(table, units=units, provenance=known.provenance)
    stem = labels_stem(place.store)
    written = place.tables or [place.store.with_name(f"{stem}{ENDINGS[kind]}") for kind in TABLES]
    write_tables(table, written)
    return written


def _joined(stored: Any, new: Any) -> list[Any]:
    """Return two records of the review as one, by time: corrections made elsewhere are known to the store alone."""
    entries = {json.dumps(one, sort_keys=True): one for part in (stored, new) for one in part or ()}
    return sorted(entries.values(), key=lambda one: str(one.get("time", "")) if isinstance(one, dict) else "")
