"""Every method made ready for an image is the same in another process, and brings no pixels of a file along."""

import numpy as np
import pytest
import tifffile

from napari_mpseg.images import open_image
from napari_mpseg.inference.background import BackgroundSettings, subtracted
from napari_mpseg.inference.schedulers.packing import packed, to_bytes, unpacked
from napari_mpseg.inference.tiled import predict_core, tile_grid
from napari_mpseg.inference.windows import read_window
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.progress import CancelToken, silent

SIDE = 640
PIXELS = SIDE * SIDE * 3


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Return a file of an uneven ground with squares of several sizes."""
    rng = np.random.default_rng(7)
    values = 50 + 20 * rng.random((SIDE, SIDE)) + np.linspace(0, 30, SIDE)
    for y, x in rng.integers(10, SIDE - 20, (60, 2)):
        values[y : y + 9, x : x + 7] += 120
    colour = np.stack([values, values * 0.7, values * 0.6], -1).astype(np.uint8)
    path = tmp_path_factory.mktemp("picture") / "a.tif"
    tifffile.imwrite(path, colour, tile=(256, 256), compression="zlib")
    return path


def prepared(name, path):
    options = {
        "region-growing": {"seeds": [[100, 100], [200, 300]]},
        "pixel-forest": {
            "painted": np.pad([[1, 2]], ((200, SIDE - 201), (300, SIDE - 302))),
            "trees": 5,
            "coarsest": 2.0,
        },
        "mp-act": {"ranges": "hsb:brightness=90-255"},
    }.get(name, {})
    return METHODS[name].build(**options).prepare(open_image(path), on_progress=silent, cancel=CancelToken())


def first_tile(one):
    grid = tile_grid(one.image, one.predictor, 256)
    return predict_core(one.image, one.predictor, grid[1, 1])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_travels_before_and_after_it_was_used(picture, name):
    one = prepared(name, picture)
    unused = to_bytes(one)
    expected = first_tile(one)
    for content in (unused, to_bytes(one)):
        other = unpacked(content)
        np.testing.assert_array_equal(first_tile(other), expected)
        for attribute in ("halo", "stride", "exact"):
            assert getattr(other.predictor, attribute) == getattr(one.predictor, attribute)
        image = to_bytes(one.image) if METHODS[name].network else content
        assert len(image) < PIXELS / 2


class Tiles:
    """The first tile of several methods."""

    def __init__(self, prepared):
        self.prepared = prepared

    def needs(self, item):
        return ()

    def do(self, item, *given):
        from napari_mpseg.inference.tiled import predict_core, tile_grid

        one = self.prepared[item]
        return predict_core(one.image, one.predictor, tile_grid(one.image, one.predictor, 256)[1, 1])


REPRESENTATIVE = ["otsu", "blob-log", "pixel-forest", "watershed-gradient", "local-threshold", "region-growing"]


@pytest.mark.slow
def test_methods_give_the_same_in_a_fresh_process(picture, pool, run):
    import sys

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ready = {name: prepared(name, picture) for name in REPRESENTATIVE}
    results, _ = run(pool, Tiles(ready), REPRESENTATIVE)
    for name, found in results.items():
        np.testing.assert_array_equal(found, first_tile(ready[name]), err_msg=name)


@pytest.mark.slow
def test_a_network_gives_the_same_in_a_fresh_process(picture, pool, run):
    import sys

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ready = {"default": prepared("default", picture)}
    results, _ = run(pool, Tiles(ready), ["default"])
    np.testing.assert_allclose(results["default"], first_tile(ready["default"]), atol=1e-4)


def test_an_image_without_background_travels_by_its_folder(picture, tmp_path):
    settings = BackgroundSettings("rolling-ball", 20)
    with subtracted(
        open_image(picture), settings, cache=tmp_path, on_progress=silent, cancel=CancelToken(), tile_size=256
    ) as image:
        content = packed(image)
        assert len(content) < 20_000
        window = (100, 500, 50, 400)
        np.testing.assert_array_equal(read_window(unpacked(content), window), read_window(image, window))
