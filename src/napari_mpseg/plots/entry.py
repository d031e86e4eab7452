"""What a plot is, and the registry that holds them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.plots.figure import ink, prepared
from napari_mpseg.plots.options import PlotOptions
from napari_mpseg.registry import Registry
from napari_mpseg.settings import from_dict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Paint = Callable[["Figure", Mapping[str, ParticleTable], Any], None]


@dataclass(frozen=True)
class PlotEntry:
    """One plot.

    Attributes
    ----------
    name : str
        What the user chooses it by.
    title : str
        In plain words.
    summary : str
        What it shows, in one sentence.
    options : type
        Its options, a subclass of :class:`~napari_mpseg.plots.options.PlotOptions`.
    paint : callable
        Draws on an empty figure, from tables of which only the kept particles are left.
    """

    name: str
    title: str
    summary: str
    options: type[PlotOptions]
    paint: Paint

    def draw(self, tables: Mapping[str, ParticleTable], *, figure: "Figure | None" = None, **options: Any) -> "Figure":
        """Draw the plot.

        Parameters
        ----------
        tables : mapping of str to ParticleTable
            Particles of one image or of several, by the image's name. Those that a reviewer rejected are left out.
        figure : matplotlib.figure.Figure, optional
            To be drawn on; what it held is removed. Text takes a colour that can be read on its background. Without,
            a new white one.
        **options
            Of :attr:`options`.

        Returns
        -------
        matplotlib.figure.Figure
            Of one with too few particles, a figure that says so.

        Raises
        ------
        SettingsError
            If an option is unknown or impossible, or a column is not there.
        """
        chosen = from_dict(self.options, options)
        if not tables:
            raise SettingsError("There is no table to plot. Give the particles of an image.")
        drawn = prepared(figure)
        self.paint(drawn, {name: table.kept() for name, table in tables.items()}, chosen)
        ink(drawn)
        return drawn


PLOTS: Registry[PlotEntry] = Registry("plot")


def plot(name: str, title: str, summary: str, options: type[PlotOptions]) -> Callable[[Paint], Paint]:
    """Return a decorator that registers a function as a plot."""

    def register(paint: Paint) -> Paint:
        PLOTS.add(name, PlotEntry(name, title, summary, options, paint))
        return paint

    return register
