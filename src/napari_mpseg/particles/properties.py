"""Choosing particle properties, and the columns and units they turn into.

A new property is one more :func:`~napari_mpseg.particles.property.add`; the table's columns and units, the sets and the
documentation follow from the registry.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.particles import (  # noqa: F401 - they fill the registry, in this order
    confidence_property,
    shape_properties,
    thickness_properties,
    value_properties,
)
from napari_mpseg.particles.geometry import Geometry
from napari_mpseg.particles.property import PROPERTIES, Property

_MISSING = {
    "image": "an image, but only labels were given. Give the image too",
    "rgb": "an image with the channels red, green and blue. Give such an image, or leave it out",
    "probability": "the probability the labels come from. Give the probability too, or leave it out",
}

__all__ = ["PROPERTIES", "Property", "columns_of", "properties_in", "property_sets", "values_of"]


def properties_in(
    chosen: str | Sequence[str] | None, given: Collection[str] = ("image", "rgb", "probability")
) -> list[Property]:
    """Return the properties named, in the registry's order.

    Parameters
    ----------
    chosen : str, sequence of str or None
        Names of properties and of sets (:func:`property_sets`). None is the set ``"default"``.
    given : collection of str
        What there is beside the labels (:data:`~napari_mpseg.particles.property.Given`). Sets are taken without what
        cannot be measured; ``confidence`` is always there with a probability.

    Raises
    ------
    UnknownNameError
        If a name is neither a property nor a set.
    SettingsError
        If a property is asked for by its own name, or a whole set, that needs what is not given.
    """
    names = ["default"] if chosen is None else [chosen] if isinstance(chosen, str) else list(chosen)
    sets = property_sets()
    wanted: set[str] = set()
    for name in names:
        members = sets.get(name) or (_known(name, sets).name,)
        usable = [member for member in members if PROPERTIES[member].given in ("", *given)]
        if not usable:
            lacking = PROPERTIES[members[0]].given
            lacking = "image" if lacking == "rgb" and "image" not in given else lacking
            raise SettingsError(f"{name!r} is measured on {_MISSING[lacking]}.")
        wanted.update(usable)
    if "probability" in given:
        wanted.add("confidence")
    return [entry for name, entry in PROPERTIES.items() if name in wanted]


def property_sets() -> dict[str, tuple[str, ...]]:
    """Return the names of all sets with their properties; ``"all"`` holds every one."""
    sets: dict[str, list[str]] = {}
    for name, entry in PROPERTIES.items():
        for each in (*entry.sets, "all"):
            sets.setdefault(each, []).append(name)
    return {name: tuple(members) for name, members in sets.items()}


def _known(name: str, sets: Iterable[str]) -> Property:
    try:
        return PROPERTIES[name]
    except UnknownNameError as error:
        raise UnknownNameError(f"{error} Sets: {', '.join(sets)}.") from None


def columns_of(entry: Property, calibration: Calibration, channels: Sequence[str]) -> dict[str, str]:
    """Return the columns of a property with their units.

    Parameters
    ----------
    entry : Property
        The property.
    calibration : Calibration
        Adds calibrated columns if it has a unit.
    channels : sequence of str
        Channel names; a single one is not named in the column.
    """
    units: dict[str, str] = {}
    if entry.kind in ("length", "area"):
        square = "2" if entry.kind == "area" else ""
        units |= {f"{stem}_px": f"px{square}" for stem in entry.stems}
        if calibration.calibrated:
            unit = f"{calibration.unit}{square}"
            units |= {f"{stem}_{unit}": unit for stem in entry.stems}
    elif entry.kind == "pixels":
        units |= dict.fromkeys(entry.stems, "px")
    elif entry.kind == "angle":
        units |= {f"{stem}_deg": "deg" for stem in entry.stems}
    elif entry.kind == "intensity":
        endings = [f"_{channel}" for channel in channels] if len(channels) > 1 else [""]
        unit = entry.unit.format(area=calibration.area_suffix)
        units |= {f"{stem}{ending}": unit for stem in entry.stems for ending in endings}
    else:
        units |= dict.fromkeys(entry.stems, entry.unit)
    return units


def values_of(entry: Property, in_pixels: Geometry, in_units: Geometry, *, calibrated: bool) -> list[NDArray[Any]]:
    """Return the columns' values, in the order of :func:`columns_of`."""
    if entry.kind == "intensity":
        return [column for values in entry.compute(in_units) for column in values.T]
    if entry.kind in ("length", "area"):
        values = list(entry.compute(in_pixels))
        return values + list(entry.compute(in_units)) if calibrated else values
    # Numbers and angles need true coordinates only where pixels are not square; else those in pixels are exact.
    height, width = in_units.pixel_size
    return list(entry.compute(in_pixels if height == width else in_units))
