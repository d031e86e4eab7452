"""Images of one sample, drawn together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_mpseg.reports.summary import ImageSummary

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

MOST_APART = 8  # as many colours can be told apart
ALL_IMAGES = "all images"


def drawn_apart(
    summaries: Sequence[ImageSummary], samples: Sequence[str], *, together: bool = False
) -> "dict[str, ParticleTable]":
    """Return the tables that plots of all images show apart: by sample where samples are known, else by image.

    Parameters
    ----------
    summaries : sequence of ImageSummary
    samples : sequence of str
        Of each image; empty where not known.
    together : bool
        Whether more than eight are drawn as one.
    """
    alone = {summary.name: summary.table for summary in summaries}
    groups: dict[str, list[ParticleTable]] = {}
    for summary, sample in zip(summaries, samples, strict=True):
        groups.setdefault(sample or summary.name, []).append(summary.table)
    if together and len(groups) > MOST_APART:
        groups = {ALL_IMAGES: list(alone.values())}
    if len(groups) == len(alone) or not _alike(list(alone.values())):
        return alone
    return {name: _merged(tables) for name, tables in groups.items()}


def _alike(tables: "Sequence[ParticleTable]") -> bool:
    """Return whether all tables have the same columns in the same units."""
    return all(list(one.frame.columns) == list(tables[0].frame.columns) for one in tables)


def _merged(tables: "Sequence[ParticleTable]") -> "ParticleTable":
    import pandas as pd

    frames = [table.frame.astype({"class": "object"}) if "class" in table.frame else table.frame for table in tables]
    frame = pd.concat([each for each in frames if len(each)] or frames[:1], ignore_index=True)
    if "class" in frame:
        names = dict.fromkeys(name for table in tables for name in _classes(table))
        frame["class"] = pd.Categorical(frame["class"], list(names))
    return replace(tables[0], frame=frame)


def _classes(table: "ParticleTable") -> Sequence[str]:
    values = table.frame["class"].astype("category")
    return list(values.cat.categories)
