"""Save what was decided on the particles of a result into the result itself; its pixels stay."""

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
from napari_mpseg.results.saving import ENDINGS, TABLES

_OF_THE_LAYER = ("provenance", "source", "store", "role")  # the store has these, or they follow from its place


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
        If they cannot be written.
    ImageError
        If the features are no particle table.
    """
    written = []
    try:
        if features is not None:
            known = read_newest(place.tables)
            table = ParticleTable.from_features(features, known.calibration if known is not None else None)
            if known is not None:
                units = {**table.units, **{name: unit for name, unit in known.units.items() if name in table.frame}}
                table = replace(table, units=units, provenance=known.provenance)
            stem = labels_stem(place.store)
            written = place.tables or [place.store.with_name(f"{stem}{ENDINGS[kind]}") for kind in TABLES]
            write_tables(table, written)
        kept = {name: value for name, value in about.items() if name not in _OF_THE_LAYER}
        place.keep({**place.kept(), **kept})
    except StoreError:
        raise
    except OSError as error:
        raise refusal(place.store, error) from error
    return [place.store, *written]
