"""Small versions of a filter of any size, for a viewer that shows all of it at once.

Rendering a large filter takes hours, so what is seen from afar is not reduced from the picture: membrane, seams and
round edge are evaluated at every n-th pixel, and particles are painted on it, near by as they were drawn, from afar as
points of about their place. Texture, clutter, halo and noise are left out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import BLOCK, Window, lazy_image
from napari_mpseg.synthesis.bright_field_settings import BrightFieldSettings
from napari_mpseg.synthesis.camera import stitched_light
from napari_mpseg.synthesis.filter_settings import FilterPlan, FilterSettings
from napari_mpseg.synthesis.membrane import inwards
from napari_mpseg.synthesis.placement import cells_under, marks
from napari_mpseg.synthesis.scan import scanned
from napari_mpseg.synthesis.silhouettes import paint_labels

STEP = 2
"""Pixels of a level that one pixel of the next stands for, along each axis."""

_SMALLEST = 1024  # px, longer side up to which a level needs no smaller one
_DRAWN = 4  # largest step at which particles are drawn


@dataclass(frozen=True)
class _Far:
    """A filter, seen so that one pixel stands for step x step."""

    settings: Any
    step: int


def levels(settings: FilterPlan) -> tuple[list[Any], list[Any]]:
    """Return smaller versions of picture and truth, lazily: each level half as high and wide as that before.

    Parameters
    ----------
    settings : FilterSettings or BrightFieldSettings
        Of the filter.

    Returns
    -------
    tuple of list of dask.array.Array
        Pictures ``(Y, X, 3)`` uint8, and labels ``(Y, X)`` int32, without the full resolution. A label from afar is the
        largest of those it stands for.
    """
    pictures, labels = [], []
    step = STEP
    while True:
        far = _Far(settings, step)
        size = -(-settings.size[0] // step), -(-settings.size[1] // step)
        pictures.append(lazy_image(_picture_block, far, size, "uint8", (3,), BLOCK))
        labels.append(lazy_image(_label_block, far, size, "int32", (), BLOCK))
        if max(size) <= _SMALLEST:
            return pictures, labels
        step *= STEP


def _label_block(far: _Far, row: int, column: int) -> NDArray[np.int32]:
    wide = BLOCK * far.step
    window = Window(row * wide, column * wide, wide, wide)
    if far.step <= _DRAWN:
        near = paint_labels(far.settings, window)
        return np.asarray(near.reshape(BLOCK, far.step, BLOCK, far.step).max((1, 3)), np.int32)
    found = np.zeros((BLOCK, BLOCK), np.int32)
    cells = cells_under(far.settings, window)
    for row_of_cells in sorted({cell[0] for cell in cells}):
        columns = [cell[1] for cell in cells if cell[0] == row_of_cells]
        y, x, label = marks(far.settings, row_of_cells, columns[0], len(columns)).T
        y, x = (y - window.y) // far.step, (x - window.x) // far.step
        inside = (y >= 0) & (x >= 0) & (y < BLOCK) & (x < BLOCK)
        np.maximum.at(found, (y[inside], x[inside]), label[inside].astype(np.int32))
    return found


def _picture_block(far: _Far, row: int, column: int) -> NDArray[np.uint8]:
    settings, look = far.settings, far.settings.look
    rows, columns = ((first * BLOCK + np.arange(BLOCK)) * far.step + far.step // 2 for first in (row, column))
    taken = scanned(settings, look, (rows, columns))
    if not taken.any():
        return np.zeros((BLOCK, BLOCK, 3), np.uint8)
    ground, particle = _COLOURS[type(settings)](look)
    picture = np.broadcast_to(ground, (BLOCK, BLOCK, 3)).copy()
    picture[_label_block(far, row, column) > 0] = particle
    picture *= stitched_light(settings.seed, look, (rows, columns))[..., None]
    if settings.membrane:
        on_membrane = np.clip(inwards(settings, rows, columns) / far.step + 0.5, 0, 1)[..., None]
        picture = picture * on_membrane + (1 - on_membrane) * np.array(look.surround)
    return np.asarray(np.clip(np.rint(picture), 0, 255) * taken[..., None], np.uint8)


def _fluorescence(look: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array(look.background), 1.3 * look.outline * np.array([1.0, *look.tint])


def _bright_field(look: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array(look.membrane), 0.5 * np.array(look.membrane)


_COLOURS = {FilterSettings: _fluorescence, BrightFieldSettings: _bright_field}
