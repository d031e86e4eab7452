"""What a report is about, and how it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.particles.sizes import SizeClasses

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from napari_mpseg.particles.table import ParticleTable


@dataclass(frozen=True)
class ReportItem:
    """One image of a report.

    Attributes
    ----------
    name : str
        Of the image.
    table : ParticleTable
        Its particles, those that were not kept included.
    shape : tuple of int or None
        Height and width of the image in pixels; None if nobody knows: then there is no density and no point pattern.
    picture : PIL.Image.Image or None
        To be shown, such as the overlay.
    provenance : mapping
        How the particles were found; without, what the table says.
    notes : tuple of str
        What the reader should know about this result.
    sample : str
        What the image is of; plots of many images show those of one sample together. Empty where nobody knows.
    """

    name: str
    table: "ParticleTable"
    shape: tuple[int, int] | None = None
    picture: "Picture | None" = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sample: str = ""


@dataclass(frozen=True)
class ReportSettings:
    """How a report is made.

    Attributes
    ----------
    title : str
        Heading of the report.
    sizes : SizeClasses or None
        Size classes; None takes those that fit the pixel size.
    rules : str or None
        Rule set (:data:`~napari_mpseg.particles.classes.rules.RULE_SETS`) in place of the classes in the table; classes
        marked as given by hand stay. None takes the classes as they are.
    pattern : tuple of str
        Tests of the point pattern, names in :data:`~napari_mpseg.particles.pattern.pattern_tests.PATTERN_TESTS`; empty
        for none.
    pattern_settings : PatternSettings
        Level, simulations and seed of these tests.
    plots : tuple of str
        Names in :data:`napari_mpseg.plots.registry.PLOTS`; empty for none.
    brief : bool
        For hundreds of images: of each only what it is, its counts and a small picture; plots of all images alone.
    """

    title: str = "Particle report"
    sizes: SizeClasses | None = None
    rules: str | None = None
    pattern: tuple[str, ...] = ("clark-evans", "biovoxxel")
    pattern_settings: PatternSettings = PatternSettings(curve=False)  # noqa: RUF009 - it is frozen
    plots: tuple[str, ...] = ("size-distribution", "violin-area", "feret-angle", "correlation")
    brief: bool = False
