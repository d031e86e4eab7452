"""What is drawn apart: images, classes, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.review.definitions import as_category
from napari_mpseg.plots.colours import OTHER, class_colours, group_colours
from napari_mpseg.plots.columns import PlotColumn, Tables

NO_CLASS = "no class"


@dataclass(frozen=True)
class Group:
    """Particles that are drawn together.

    Attributes
    ----------
    name : str
        Of the image or class.
    colour : str
        Hexadecimal.
    values : numpy.ndarray
        float64 ``(N, columns)``; missing values are nan.
    """

    name: str
    colour: str
    values: NDArray[np.float64]


def grouped(tables: Tables, by: str, columns: Sequence[PlotColumn]) -> list[Group]:
    """Return the values of columns by image, by class, or all together.

    Parameters
    ----------
    tables : mapping of str to ParticleTable
        Particles of each image.
    by : str
        ``"image"``, ``"class"`` or ``"none"``.
    columns : sequence of PlotColumn
        Which columns.

    Raises
    ------
    SettingsError
        If particles shall be drawn by class and have none.
    """
    each = {
        name: np.column_stack([column.values(table) for column in columns] or [np.empty((len(table), 0))])
        for name, table in tables.items()
    }
    if by == "image":
        colours = group_colours(len(each))
        return [Group(name, colour, values) for (name, values), colour in zip(each.items(), colours, strict=True)]
    values = np.concatenate(list(each.values()))
    if by == "none":
        name = next(iter(each)) if len(each) == 1 else f"{len(each)} images"
        return [Group(name, group_colours(1)[0], values)]
    classes = classes_of(tables)
    colours_of = class_colours(list(classes.cat.categories))
    codes = classes.cat.codes.to_numpy()
    found = [
        Group(str(name), colours_of[name], values[codes == code])
        for code, name in enumerate(classes.cat.categories)
        if (codes == code).any()
    ]
    without = values[codes < 0]
    return [*found, Group(NO_CLASS, OTHER, without)] if len(without) or not found else found


def classes_of(tables: Tables) -> "pd.Series[str]":
    """Return the class of each particle of all tables, one after the other, as categories in their order.

    Raises
    ------
    SettingsError
        If no table has classes.
    """
    if not any("class" in table.frame for table in tables.values()):
        raise SettingsError(
            "The particles have no classes. Classify them first, or draw them by image or all together."
        )
    each = [
        as_category(table.frame["class"] if "class" in table.frame else pd.Series(None, table.frame.index, "object"))
        for table in tables.values()
    ]
    names = list(dict.fromkeys(str(name) for classes in each for name in classes.cat.categories))
    return as_category(pd.concat([classes.astype("object") for classes in each], ignore_index=True), names)
