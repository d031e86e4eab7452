"""The small picture made as tiles pass is the one made by reading the image."""

import dask.array as da
import numpy as np
import pytest

import napari_mpseg as mp
from napari_mpseg.errors import Cancelled
from napari_mpseg.images.image import Image
from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.inference.thumbnail import Thumbnail, block_sums
from napari_mpseg.progress import CancelToken


def means(pixels, step):
    """The mean of each block, one after the other."""
    height, width = pixels.shape[:2]
    rows = [pixels[y : y + step] for y in range(0, height, step)]
    return np.array([[row[:, x : x + step, :3].mean((0, 1)) for x in range(0, width, step)] for row in rows])


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("tile", [16, 33, 500])
def test_any_tiling_gives_the_means_of_the_whole(rng, step, tile):
    pixels = rng.integers(0, 256, (70, 101, 4), np.uint8)
    image = Image(da.from_array(pixels))
    thumbnail = Thumbnail(image, step)
    tiles = list(TileGrid(image.shape, tile))
    for part in rng.permutation(len(tiles))[: len(tiles) // 2]:
        y0, y1, x0, x1 = core = tiles[part].core
        thumbnail.add(core, block_sums(pixels[y0:y1, x0:x1], core, step))
    thumbnail.complete(TileGrid(image.shape, tile))
    np.testing.assert_allclose(thumbnail.mean(), means(pixels, step), rtol=1e-6)


@pytest.mark.parametrize("stopped", [False, True])
def test_the_overlay_is_the_one_drawn_from_the_image(rng, tmp_path, stopped):
    from PIL import Image as Pictures

    from napari_mpseg.results.overlay import overlay_picture

    pixels = rng.integers(0, 90, (60, 2500, 3)).astype(np.uint8)
    pixels[20:30, 1000:1010] = 250
    image = Image(da.from_array(pixels), "filter")
    token = CancelToken()

    def stop(event):
        if stopped and event.stage == "Segmenting" and event.done == 3:
            token.cancel()

    options = {"out": tmp_path / "out", "tile_size": 64}
    if stopped:
        with pytest.raises(Cancelled):
            mp.segment(image, "max-entropy", on_progress=stop, cancel=token, **options)
    result = mp.segment(image, "max-entropy", **options)
    drawn = np.asarray(Pictures.open(tmp_path / "out" / "filter_overlay.png")).astype(int)
    expected = np.asarray(overlay_picture(result)).astype(int)
    assert drawn.shape == expected.shape
    assert np.abs(drawn - expected).max() <= 1
