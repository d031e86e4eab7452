"""What a particle property is, and the registry that holds them all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from napari_mpseg.particles.geometry import Geometry
from napari_mpseg.registry import Registry

Columns = tuple[NDArray[Any], ...]

#: How a property turns into columns. ``length`` and ``area``: one column in pixels and, if calibrated, one in the
#: unit. ``pixels``: pixel indices. ``number``, ``angle``: one column, from true lengths. ``flag``: true or false.
#: ``intensity``: one column per channel.
Kind = Literal["length", "area", "pixels", "number", "angle", "flag", "intensity"]

#: What must be given beside the labels: nothing, any image, one with the channels red, green and blue, or the
#: probability the labels come from.
Given = Literal["", "image", "rgb", "probability"]


@dataclass(frozen=True)
class Property:
    """One thing that can be measured.

    Attributes
    ----------
    name : str
        What the user chooses it by.
    kind : str
        See :data:`Kind`.
    compute : callable
        Takes a :class:`~napari_mpseg.particles.geometry.Geometry` and returns one array per entry of `stems`: ``(N,)``,
        or ``(N, C)`` where `kind` is ``"intensity"``.
    stems : tuple of str
        Column names before unit and channel are added.
    definition : str
        One sentence for the user.
    source : str
        Whose definition it is.
    sets : tuple of str
        The sets it belongs to, besides ``"all"``.
    dtype : str
        Of its columns.
    unit : str
        Of its columns, where `kind` does not say it. ``{area}`` stands for the unit of area.
    given : str
        See :data:`Given`.
    needs : tuple of str
        What is found out about particles only for those who ask: names of
        :data:`~napari_mpseg.particles.piece_measures.PIECE_MEASURES`, ``"ring"``, or ``"perimeter"``: what the chosen
        estimator of the perimeter needs.
    """

    name: str
    kind: Kind
    compute: Callable[[Geometry], Columns]
    stems: tuple[str, ...]
    definition: str
    source: str
    sets: tuple[str, ...]
    dtype: str = "float64"
    unit: str = ""
    given: Given = ""
    needs: tuple[str, ...] = ()


PROPERTIES: Registry[Property] = Registry("particle property")


def add(
    name: str, kind: Kind, compute: Callable[[Geometry], Any], definition: str, source: str, sets: str, **more: Any
) -> None:
    """Register a property; `sets` are separated by spaces, `compute` may return one array or a tuple of them."""
    stems = more.pop("stems", (name,))
    more.setdefault("given", "image" if kind == "intensity" else "")

    def columns(geometry: Geometry) -> Columns:
        values = compute(geometry)
        return values if isinstance(values, tuple) else (values,)

    PROPERTIES.add(name, Property(name, kind, columns, stems, definition, source, tuple(sets.split()), **more))
