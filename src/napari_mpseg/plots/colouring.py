"""Colours of particles by a column: red, green, blue and opacity for each, and what the legend tells."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.review.definitions import as_category, as_keep
from napari_mpseg.plots.colours import OTHER, SEQUENTIAL, class_colours
from napari_mpseg.plots.columns import is_category
from napari_mpseg.plots.groups import NO_CLASS
from napari_mpseg.plots.words import column_words

LEVELS = 250
"""Steps of a colour map; napari shows at most 256 colours where there are very many labels."""

_YES_NO = {"True": "yes", "False": "no"}


@dataclass(frozen=True)
class ColourSettings:
    """How a column becomes colours.

    Attributes
    ----------
    column : str
        Any column of the table.
    colormap : str
        Of numbers; one of :data:`~napari_mpseg.plots.colours.SEQUENTIAL`.
    low, high : float
        Percentiles of the values at which the colour map begins and ends.
    log : bool
        Colours by the logarithm.
    hide_rejected : bool
        Particles that a reviewer rejected are transparent.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """

    column: str
    colormap: str = "viridis"
    low: float = 1.0
    high: float = 99.0
    log: bool = False
    hide_rejected: bool = False

    def __post_init__(self) -> None:
        if self.colormap not in SEQUENTIAL:
            raise SettingsError(f"Colour map {self.colormap!r} is not known. Choose from {', '.join(SEQUENTIAL)}.")
        if not 0 <= self.low < self.high <= 100:
            raise SettingsError(
                f"Percentiles {self.low:g} and {self.high:g} are no limits: the lower must be below the upper, both "
                "from 0 to 100."
            )


@dataclass(frozen=True)
class ColourLegend:
    """What the colours mean.

    Attributes
    ----------
    words : str
        The column with its unit.
    classes : tuple of (str, str, int)
        Name, colour and number of particles; empty for numbers.
    colormap : str
        Of numbers; empty for classes and where no particle has a value.
    limits : tuple of float
        Values at which the colour map begins and ends.
    log : bool
        Colours by the logarithm.
    beyond : tuple of bool
        Whether there are values below and above the limits.
    count : int
        Particles with a value.
    missing : int
        Particles without a value, or not above zero on a logarithmic scale.
    hidden : int
        Rejected particles that are transparent.
    """

    words: str
    classes: tuple[tuple[str, str, int], ...] = ()
    colormap: str = ""
    limits: tuple[float, float] = (0.0, 1.0)
    log: bool = False
    beyond: tuple[bool, bool] = (False, False)
    count: int = 0
    missing: int = 0
    hidden: int = field(default=0)


def colours_by(
    frame: pd.DataFrame, settings: ColourSettings, unit: str = ""
) -> tuple[NDArray[np.float32], ColourLegend]:
    """Return the colour of each row, and the legend.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per particle.
    settings : ColourSettings
        Which column, and how.
    unit : str
        Of the column.

    Returns
    -------
    tuple
        float32 ``(N, 4)``, red, green, blue and opacity from 0 to 1; and the legend, which counts particles that are
        shown.

    Raises
    ------
    SettingsError
        If the column is not there.
    """
    from dataclasses import replace

    if settings.column not in frame:
        raise SettingsError(f"The table has no column {settings.column!r}. Measure it, or choose another.")
    values = frame[settings.column]
    shown = np.ones(len(frame), bool)
    if settings.hide_rejected and "keep" in frame:
        shown = as_keep(frame["keep"]).to_numpy()
    words = column_words(settings.column, {settings.column: unit})
    if is_category(values):
        colours, legend = _by_class(values, shown, words)
    else:
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        colours, legend = _by_number(numbers, shown, settings, words)
    colours[~shown] = 0
    return colours, replace(legend, hidden=int((~shown).sum()))


def _by_class(
    values: "pd.Series[str]", shown: NDArray[np.bool_], words: str
) -> tuple[NDArray[np.float32], ColourLegend]:
    from matplotlib.colors import to_rgba_array

    classes = as_category(values)
    names = [str(name) for name in classes.cat.categories]
    known = class_colours(names)
    palette = [*(known[name] for name in names), OTHER]
    codes = classes.cat.codes.to_numpy().astype(np.int64)
    counts = np.bincount(codes[shown] % len(palette), minlength=len(palette))
    told = tuple(
        (_YES_NO.get(name, name), colour, int(count))
        for name, colour, count in zip([*names, NO_CLASS], palette, counts, strict=True)
        if count
    )
    colours = to_rgba_array(palette).astype(np.float32)[codes]
    return colours, ColourLegend(words, classes=told, count=int(counts.sum()))


def _by_number(
    values: NDArray[np.float64], shown: NDArray[np.bool_], settings: ColourSettings, words: str
) -> tuple[NDArray[np.float32], ColourLegend]:
    from matplotlib import colormaps
    from matplotlib.colors import to_rgba

    known = np.isfinite(values) & ((values > 0) | (not settings.log))
    colours = np.full((len(values), 4), to_rgba(OTHER), np.float32)
    used = values[known & shown]
    missing = int((shown & ~known).sum())
    if not len(used):
        return colours, ColourLegend(words, missing=missing)
    low, high = (float(one) for one in np.percentile(used, (settings.low, settings.high)))
    if low == high:
        low, high = float(used.min()), float(used.max())
    scaled, ends = values[known], (low, high)
    if settings.log:
        scaled, ends = np.log(scaled), (np.log(low), np.log(high))
    share = (scaled - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else np.full(len(scaled), 0.5)
    steps = np.rint(np.clip(share, 0, 1) * (LEVELS - 1)) / (LEVELS - 1)
    colours[known] = colormaps[settings.colormap](steps)
    beyond = bool(used.min() < low), bool(used.max() > high)
    legend = ColourLegend(words, (), settings.colormap, (low, high), settings.log, beyond, len(used), missing)
    return colours, legend
