"""Plots for a report, from the registry of plots."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from napari_mpseg.reports.markup import Markup

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable


def figures(tables: "Mapping[str, ParticleTable]", chosen: Sequence[str] | None, notes: list[str]) -> list[Markup]:
    """Return plots of one image, or of several together; what cannot be drawn is told in `notes`."""
    return []
