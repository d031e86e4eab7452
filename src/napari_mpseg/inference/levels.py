"""Levels for display of a result store: the same picture at half the size, a quarter ..., written tile by tile.

One pixel of a level stands for 2 x 2 of the level before it and has the largest value among them: the highest
probability, the highest label. A mean, or every second pixel, would let the smallest particles, which are most of them,
fade or vanish; the largest value keeps each visible at every level, at the price that particles look larger than they
are by up to one pixel of the level. Nothing is measured on levels.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import StoreError
from napari_mpseg.files import refusal
from napari_mpseg.inference.schedulers import Scheduler, find_scheduler
from napari_mpseg.inference.store import LABELS_GROUP, create_level, read_stored
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

Array = np.ndarray[Any, Any]
Shape = tuple[int, int]

SMALLEST_LEVEL = 2048
"""Longer side in pixels up to which a level is shown at once and needs no smaller one."""

GROUPS: Mapping[str, str] = {"probability": "", "labels": LABELS_GROUP}
"""Where in a store the levels of its arrays lie."""


def write_levels(
    store: Path,
    which: Sequence[str] = ("probability", "labels"),
    *,
    smallest: int = SMALLEST_LEVEL,
    scheduler: "str | Scheduler | None" = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> int:
    """Write the levels for display of a filled result store.

    They are named in the store's metadata when all are complete, so a reader never meets half of one. Stopped anywhere
    and begun again, the same bytes are written. Memory is that of four tiles per worker.

    Parameters
    ----------
    store : Path
        A result store.
    which : sequence of str
        ``"probability"``, ``"labels"``. OME-Zarr wants as many levels of labels as of their image.
    smallest : int
        Levels are made until the longer side is at most that many pixels.
    scheduler : str or Scheduler, optional
        Where the tiles are made; default threads of this process.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    int
        Number of levels, the full resolution included.

    Raises
    ------
    StoreError
        If the store cannot be read or written.
    Cancelled
        Within one tile of the token being set.
    """
    import zarr
    from zarr.storage import LocalStore

    try:
        groups: dict[str, Any] = {
            name: zarr.open_group(LocalStore(store), path=GROUPS[name], mode="r+") for name in which
        }
        sizes = level_shapes(groups[which[0]]["0"].shape, smallest)
        for group in groups.values():
            _name_levels(group, sizes[:1])
            for level, shape in enumerate(sizes[1:], 1):
                _make_ready(group, level, shape)
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise StoreError(f"{store} is not a result store of napari-mpseg: {error}.") from error
    except OSError as error:
        raise refusal(store, error) from error
    tiles = {name: group["0"].chunks for name, group in groups.items()}
    work = HalveTiles(store, sizes, tiles)
    find_scheduler(scheduler).run(
        work,
        list(work.items()),
        stage="Making levels",
        on_result=lambda item, filled: None,
        on_progress=on_progress,
        cancel=cancel or CancelToken(),
    )
    try:
        for group in groups.values():
            _name_levels(group, sizes)
    except OSError as error:
        raise refusal(store, error) from error
    return len(sizes)


def level_shapes(shape: Shape, smallest: int = SMALLEST_LEVEL) -> list[Shape]:
    """Return height and width of every level, the full resolution first."""
    shapes = [(int(shape[0]), int(shape[1]))]
    while max(shapes[-1]) > max(1, smallest):
        height, width = shapes[-1]
        shapes.append((-(-height // 2), -(-width // 2)))
    return shapes


def halved(values: Array) -> Array:
    """Return the largest of each 2 x 2 values of ``(Y, X)``; what is left over at the end stands for itself."""
    return reduced(values, (2, 2))


def reduced(values: Array, steps: Shape) -> Array:
    """Return the largest of each ``steps`` values of ``(Y, X)``; what is left over at the end stands for itself."""
    for axis, step in enumerate(steps):
        parts = [values[start::step] if axis == 0 else values[:, start::step] for start in range(step)]
        larger = parts[0].copy()
        for other in parts[1:]:
            part = larger[: len(other)] if axis == 0 else larger[:, : other.shape[1]]
            np.maximum(part, other, out=part)
        values = larger
    return values


class HalveTiles:
    """Work of one item ``(array, level, row, column)`` per tile of every level but the first.

    Parameters
    ----------
    store : Path
        The result store; the arrays of all levels are there.
    shapes : list of tuple of int
        Of every level.
    tiles : mapping
        Height and width of a tile, by array.
    """

    def __init__(self, store: Path, shapes: Sequence[Shape], tiles: Mapping[str, Shape]) -> None:
        self.store, self.shapes, self.tiles = store, list(shapes), dict(tiles)
        self._groups: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_groups": {}}

    def items(self) -> Iterator[tuple[str, int, int, int]]:
        """Return all items, small levels last."""
        for name in self.tiles:
            for level in range(1, len(self.shapes)):
                rows, columns = self._counts(name, level)
                yield from ((name, level, row, column) for row in range(rows) for column in range(columns))

    def needs(self, item: Any) -> Sequence[tuple[str, int, int, int]]:
        """Return the tiles of the level before that a tile is made of."""
        name, level, row, column = item
        if level == 1:
            return ()
        rows, columns = self._counts(name, level - 1)
        return [
            (name, level - 1, y, x)
            for y in range(2 * row, min(2 * row + 2, rows))
            for x in range(2 * column, min(2 * column + 2, columns))
        ]

    def do(self, item: Any, *given: bool) -> bool:
        """Write one tile, and return whether it holds anything."""
        name, level, row, column = item
        (height, width), (tall, wide) = self.shapes[level], self.tiles[name]
        y0, x0 = row * tall, column * wide
        y1, x1 = min(y0 + tall, height), min(x0 + wide, width)
        try:
            group = self._group(name)
            if given and not any(given):
                values: Any = np.zeros((y1 - y0, x1 - x0), group["0"].dtype)
            else:
                before = self.shapes[level - 1]
                seen = slice(2 * y0, min(2 * y1, before[0])), slice(2 * x0, min(2 * x1, before[1]))
                values = halved(read_stored(group[str(level - 1)], seen))
            # where there is nothing, a chunk of an earlier run goes
            group[str(level)][y0:y1, x0:x1] = values
        except StoreError:
            raise
        except OSError as error:
            raise refusal(self.store, error) from error
        return bool(values.any())

    def _counts(self, name: str, level: int) -> Shape:
        (height, width), (tall, wide) = self.shapes[level], self.tiles[name]
        return -(-height // tall), -(-width // wide)

    def _group(self, name: str) -> Any:
        import zarr
        from zarr.storage import LocalStore

        if name not in self._groups:
            group = zarr.open_group(LocalStore(self.store), path=GROUPS[name], mode="r+")
            self._groups[name] = {str(level): group[str(level)] for level in range(len(self.shapes))}
        return self._groups[name]


def _make_ready(group: Any, level: int, shape: Shape) -> None:
    """Create the array of a level, unless an earlier run has: its chunks are then written over one by one."""
    first = group["0"]
    there = group.get(str(level))
    fits = there is not None and there.shape == shape and there.dtype == first.dtype
    if not fits or there.chunks != tuple(min(pair) for pair in zip(first.chunks, shape, strict=True)):
        create_level(group, level, shape, first.chunks, first.dtype)


def _name_levels(group: Any, shapes: Sequence[Shape]) -> None:
    """Write the levels into the metadata.

    A pixel of a level covers 2 x 2 of the level before, so its centre lies half a pixel further down and right:
    OME-Zarr places pixels by their centres, and the translation says so.
    """
    ome = dict(group.attrs["ome"])
    multiscale = dict(ome["multiscales"][0])
    size = next(t["scale"] for t in multiscale["datasets"][0]["coordinateTransformations"] if t["type"] == "scale")
    datasets = []
    for level in range(len(shapes)):
        transforms = [{"type": "scale", "scale": [2**level * length for length in size]}]
        if level:
            shift = [(2**level - 1) / 2 * length for length in size]
            transforms.append({"type": "translation", "translation": shift})
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    multiscale["datasets"] = datasets
    for told in ("type", "metadata"):
        multiscale.pop(told, None)
    if len(shapes) > 1:
        multiscale["type"] = "maximum"
        multiscale["metadata"] = {"description": "The largest value of each 2 x 2 pixels of the level before."}
    group.attrs["ome"] = {**ome, "multiscales": [multiscale, *ome["multiscales"][1:]]}
