"""The tile grid: which part of the image each task answers for, and which part it has to look at."""

from collections.abc import Iterator
from dataclasses import dataclass

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Tile:
    """One task of tiled inference.

    Attributes
    ----------
    index : tuple of int
        Row and column in the grid.
    core : tuple of int
        ``(y0, y1, x0, x1)`` in image pixels: what this tile answers for. Cores cover the image without overlap.
    window : tuple of int
        ``(y0, y1, x0, x1)`` in pixels of the padded image: core plus halo, with origin and size multiples of the
        stride, cut at the padded image's border.
    """

    index: tuple[int, int]
    core: Box
    window: Box

    @property
    def margins(self) -> Box:
        """Window pixels outside the core: top, bottom, left, right."""
        (y0, y1, x0, x1), (wy0, wy1, wx0, wx1) = self.core, self.window
        return y0 - wy0, wy1 - y1, x0 - wx0, wx1 - x1

    @property
    def core_shape(self) -> tuple[int, int]:
        """Height and width of the core."""
        y0, y1, x0, x1 = self.core
        return y1 - y0, x1 - x0


@dataclass(frozen=True)
class TileGrid:
    """Tiles over an image.

    Parameters
    ----------
    shape : tuple of int
        Image height and width in pixels.
    tile : int
        Side of a core in pixels, rounded up to a multiple of `stride`.
    halo : int
        Pixels to read around a core.
    stride : int
        What window origins and sizes must be multiples of.

    Notes
    -----
    The image counts as padded at the bottom and right to multiples of the stride (by repeating its edge), exactly
    as it would be for a network that sees it whole; inside, windows overlap. A convolution that pads with zeros
    then meets its zeros at the same places whatever the tiling.
    """

    shape: tuple[int, int]
    tile: int = 512
    halo: int = 0
    stride: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "tile", max(1, round_up(self.tile, self.stride)))
        object.__setattr__(self, "halo", round_up(self.halo, self.stride))

    @property
    def padded_shape(self) -> tuple[int, int]:
        """Height and width after padding to multiples of the stride."""
        return round_up(self.shape[0], self.stride), round_up(self.shape[1], self.stride)

    @property
    def counts(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return -(-self.shape[0] // self.tile), -(-self.shape[1] // self.tile)

    @property
    def chunks(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Core sizes along both axes, as dask writes chunks."""
        rows, cols = (tuple(min(self.tile, size - start) for start in range(0, size, self.tile)) for size in self.shape)
        return rows, cols

    def __len__(self) -> int:
        rows, cols = self.counts
        return rows * cols

    def __iter__(self) -> Iterator[Tile]:
        rows, cols = self.counts
        for row in range(rows):
            for col in range(cols):
                yield self[row, col]

    def __getitem__(self, index: tuple[int, int]) -> Tile:
        spans = [self._span(axis, index[axis]) for axis in (0, 1)]
        (y0, y1, wy0, wy1), (x0, x1, wx0, wx1) = spans
        return Tile(index, (y0, y1, x0, x1), (wy0, wy1, wx0, wx1))

    def _span(self, axis: int, index: int) -> Box:
        start = index * self.tile
        stop = min(start + self.tile, self.shape[axis])
        low = max(0, start - self.halo)
        high = min(self.padded_shape[axis], round_up(stop, self.stride) + self.halo)
        return start, stop, low, high


def round_up(value: int, multiple: int) -> int:
    """Return the smallest multiple of `multiple` that is at least `value`."""
    return -(-value // multiple) * multiple
