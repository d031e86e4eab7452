"""Checksums of stored arrays, put together from those of their tiles."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_mpseg.inference.grid import TileGrid

Array = np.ndarray[Any, Any]


def checksum(values: Array) -> int:
    """Return the CRC-32 of the values of one tile."""
    return zlib.crc32(np.ascontiguousarray(values).data)


def array_checksum(tiles: Mapping[tuple[int, int], int]) -> str:
    """Return the checksum of an array from the CRC-32 of each of its tiles.

    Parameters
    ----------
    tiles : mapping
        Per row and column of a tile; tiles of nothing but zeros are left out.
    """
    entries = [[*index, tiles[index]] for index in sorted(tiles)]
    return f"{zlib.crc32(json.dumps(entries).encode()):08x}"


def stored_checksum(array: Any, tile: int) -> str:
    """Return the checksum of an array as it is stored now, read tile by tile; zeros are left out.

    Parameters
    ----------
    array : zarr.Array
        ``(Y, X)``.
    tile : int
        Side of a tile in pixels, as the array was written.
    """
    tiles = {}
    for part in TileGrid((int(array.shape[0]), int(array.shape[1])), tile):
        y0, y1, x0, x1 = part.core
        values = np.asarray(array[y0:y1, x0:x1])
        if values.any():
            tiles[part.index] = checksum(values)
    return array_checksum(tiles)
