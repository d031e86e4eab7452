"""The figures of one image: counts, density, cover, averages, point pattern."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.classes.assigned import ASSIGNED, assigned_in, merged
from napari_mpseg.particles.classes.rules import UNCLASSIFIED, classify_by_rules
from napari_mpseg.particles.sizes import SizeClasses, size_class
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.reports.averages import Average, averages
from napari_mpseg.reports.item import ReportItem, ReportSettings
from napari_mpseg.reports.pattern import patterns

if TYPE_CHECKING:
    import pandas as pd

    from napari_mpseg.particles.pattern.result import PatternResult
    from napari_mpseg.particles.table import ParticleTable

ALL = "all"
"""Name of the row and the column of sums in a cross table, and of the only class where there are none."""

_SMALL = 0.1  # micrometres; a pixel below is an electron microscope's


@dataclass(frozen=True)
class ImageSummary:
    """Everything a report says about one image in numbers.

    Attributes
    ----------
    name : str
    shape : tuple of int or None
        Height and width in pixels.
    calibration : Calibration
    table : ParticleTable
        The particles that were kept, with their classes; all figures are of these.
    count, rejected : int
        Particles that were kept, and those that were not.
    counts : pandas.DataFrame
        int64; a row per class and a column per size class, both with ``"all"`` last.
    sizes : SizeClasses or None
        The size classes; None if the table has no size.
    density : float or None
        Particles per `density_unit` of image; None if the image's size is not known.
    density_unit : str
        ``"mm2"``, ``"um2"`` for pixels smaller than 100 nm, or ``"Mpx"`` (a million pixels) without a pixel size.
    covered : float or None
        Percent of the image's pixels that are particle.
    averages : tuple of Average
    pattern : tuple of PatternResult
        One per test.
    notes : tuple of str
        What the reader should know.
    provenance : mapping
        How the particles were found and measured.
    """

    name: str
    shape: tuple[int, int] | None
    calibration: Calibration
    table: "ParticleTable"
    count: int
    rejected: int
    counts: "pd.DataFrame"
    sizes: SizeClasses | None
    density: float | None
    density_unit: str
    covered: float | None
    averages: tuple[Average, ...]
    pattern: "tuple[PatternResult, ...]" = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


def summarise_item(
    item: ReportItem,
    settings: ReportSettings | None = None,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> ImageSummary:
    """Return the figures of one image.

    Parameters
    ----------
    item : ReportItem
        The image.
    settings : ReportSettings, optional
        Size classes, class rules and tests.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`; for the tests of the point pattern.

    Raises
    ------
    SettingsError, UnknownNameError
        If the size classes are in a unit and the table is not, a class rule needs a property that was not measured,
        or there is no rule set or test of a name.
    """
    settings = settings or ReportSettings()
    notes = list(item.notes)
    table = _classified(item.table.kept(), settings, notes)
    counts, sizes = _counted(table, settings, notes)
    density, unit, covered = _spread(table, item.shape, notes)
    pattern = patterns(table, item.shape, settings, notes, on_progress=on_progress, cancel=cancel)
    return ImageSummary(
        name=item.name,
        shape=item.shape,
        calibration=table.calibration,
        table=table,
        count=len(table),
        rejected=len(item.table) - len(table),
        counts=counts,
        sizes=sizes,
        density=density,
        density_unit=unit,
        covered=covered,
        averages=averages(table),
        pattern=pattern,
        notes=tuple(notes),
        provenance=item.provenance or item.table.provenance,
    )


def _classified(table: "ParticleTable", settings: ReportSettings, notes: list[str]) -> "ParticleTable":
    if settings.rules is None:
        return table
    found = classify_by_rules(table, settings.rules)
    mine = assigned_in(table.frame) if ASSIGNED in table.frame else found.iloc[:0].astype(object)
    if len(mine):
        notes.append(f"Classes given by hand stay, {len(mine)} of {len(table)}; {settings.rules} sorted the rest.")
    elif "class" in table.frame and table.frame["class"].notna().any():
        notes.append(f"Classes are by the rules {settings.rules}, not those in the table.")
    return table.with_columns(**{"class": merged(found, mine)["class"]})


def _counted(
    table: "ParticleTable", settings: ReportSettings, notes: list[str]
) -> tuple["pd.DataFrame", SizeClasses | None]:
    """Return the cross table of classes and size classes with sums, and the size classes."""
    import pandas as pd

    classes = _class_column(table)
    sizes = settings.sizes or SizeClasses.default_for(table.calibration)
    try:
        size = size_class(table, sizes)
    except SettingsError as error:
        if settings.sizes is not None:
            raise
        notes.append(f"Not counted by size. {error}")
        size, found = None, None
    else:
        found = sizes
    columns = list(size.cat.categories) if size is not None else []
    frame = pd.DataFrame(0, index=pd.Index([*classes.cat.categories, ALL], name="class"), columns=[*columns, ALL])
    for name in classes.cat.categories:
        frame.loc[name, ALL] = int((classes == name).sum())
        for column in columns:
            frame.loc[name, column] = int(((classes == name) & (size == column)).sum())
    for column in columns:
        frame.loc[ALL, column] = int((size == column).sum())
    frame.loc[ALL, ALL] = len(table)
    return frame.astype("int64"), found


def _class_column(table: "ParticleTable") -> "pd.Series[Any]":
    """Return each particle's class; no categories where there is no class at all."""
    import pandas as pd

    values = table.frame.get("class")
    if values is None or not values.notna().any():
        return pd.Series(pd.Categorical([None] * len(table), categories=[]), index=table.frame.index)
    values = values.astype("category")
    text = values.astype("object").map(str, na_action="ignore").fillna(UNCLASSIFIED)
    names = [str(name) for name in values.cat.categories if name != UNCLASSIFIED]
    last = [UNCLASSIFIED] if (text == UNCLASSIFIED).any() else []
    return pd.Series(pd.Categorical(text, categories=[*names, *last]), index=table.frame.index)


def _spread(
    table: "ParticleTable", shape: tuple[int, int] | None, notes: list[str]
) -> tuple[float | None, str, float | None]:
    """Return particles per area, the unit of area, and the percentage of the image that is particle."""
    pixel = table.calibration.pixel_size_um
    unit = "Mpx" if pixel is None else "um2" if pixel < _SMALL else "mm2"
    if shape is None:
        notes.append("The size of the image is not known, so there is no density, no share of area, no point pattern.")
        return None, unit, None
    pixels = shape[0] * shape[1]
    if not pixels:
        raise SettingsError(f"{shape[1]} x {shape[0]} pixels is no image. Give height and width, 1 or more.")
    area = pixels / 1e6
    if table.calibration.calibrated:
        height, width = table.calibration.converted(unit.removesuffix("2")).pixel_size
        area = pixels * height * width
    covered = 100 * float(table.frame["area_px"].sum()) / pixels if "area_px" in table.frame else None
    if covered is None:
        notes.append("The table has no column area_px, so the share of area that is particle is not known.")
    return len(table) / area, unit, covered
