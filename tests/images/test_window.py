"""Windows of dask arrays: the same pixels as dask computes, from as much of the graph as they need."""

import dask.array as da
import numpy as np
import pytest

from napari_mpseg.images import open_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.lazy import FilePixels, as_dask
from napari_mpseg.images.reading import reading_alone, reading_scheduler
from napari_mpseg.images.region import read_region
from napari_mpseg.images.window import compute_part


def grey():
    return da.from_array(np.arange(90 * 70, dtype=np.int32).reshape(90, 70), chunks=(20, 16))


def delayed():
    import dask

    block = dask.delayed(lambda n: np.full((30, 30), n))
    blocks = [[da.from_delayed(block(3 * y + x), (30, 30), dtype=int) for x in range(3)] for y in range(3)]
    return da.block(blocks)


ARRAYS = {
    "plain": grey,
    "sliced": lambda: grey()[3:, ::2],
    "turned": lambda: grey().T[::-1],
    "computed": lambda: (grey() + 1) * grey().mean() - grey()[::-1],
    "stacked": lambda: da.stack([grey(), grey() * 2, grey().rechunk(13)], -1)[..., [2, 0]],
    "chosen": lambda: grey()[:, [40, 3, 3, 60, 1, 2, 5, 8]],
    "mapped": lambda: grey().map_blocks(lambda block, block_id: block + block_id[0], dtype=np.int32),
    "overlapping": lambda: grey().map_overlap(lambda block: block[::-1], depth=4, boundary="reflect", dtype=np.int32),
    "delayed": delayed,
    "random": lambda: da.random.default_rng(1).random((60, 60), chunks=17),
    "made": lambda: da.ones((60, 60), chunks=17).cumsum(1),
    "masked": lambda: da.where(grey() % 3 == 0, grey(), 0),
    "numpy": lambda: grey().compute(),
    "one chunk": lambda: da.zeros((60, 60), chunks=60),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("window", [(0, 9, 0, 8), (13, 55, 5, 8), (0, None, 0, None), (20, 20, 3, 9)])
def test_a_window_is_what_dask_computes(name, window):
    array = ARRAYS[name]()
    place = (slice(*window[:2]), slice(*window[2:]))
    np.testing.assert_array_equal(compute_part(array, place), np.asarray(array)[place])


def test_layers_are_read_as_before(tmp_path):
    np.save(tmp_path / "a.npy", grey().compute())
    image = open_image(tmp_path / "a.npy")
    np.testing.assert_array_equal(read_region(image, 3, 50, 9, 33), grey()[3:50, 9:33])


@pytest.mark.parametrize("chosen", [lambda data: data, lambda data: data[..., 1], lambda data: data[..., [2, 0]]])
def test_a_window_asks_for_no_chunk_of_the_rest(monkeypatch, chosen):
    """Count the tasks that reach dask: as many for a hundred thousand pixels a side as for two thousand."""
    from dask.array import optimization

    counts = []
    optimize = optimization.optimize
    for side in (2048, 32768):
        shape = (side, side, 3)
        pixels = FilePixels(
            lambda key, shape=shape: np.array(np.broadcast_to(np.uint8(7), shape)[key]), shape, "u1", "it"
        )
        image = Image(chosen(as_dask(pixels, "YXS", (512, 512, 3))))

        def counted(graph, keys, **options):
            counts.append(sum(map(len, graph.layers.values())))
            return optimize(graph, keys, **options)

        monkeypatch.setattr("dask.array.Array.__dask_optimize__", staticmethod(counted))
        assert (read_region(image, 700, 1340, 700, 1340) == 7).all()
    assert counts
    assert len(set(counts)) == 1


def test_reading_says_where():
    assert reading_scheduler() == "threads"
    with reading_alone():
        assert reading_scheduler() == "synchronous"
    assert reading_scheduler() == "threads"


def test_windows_do_not_go_to_a_cluster_of_the_session():
    distributed = pytest.importorskip("distributed")

    class Unpicklable:
        shape, dtype, ndim = (40, 40), np.dtype("u1"), 2

        def __getitem__(self, key):
            return np.zeros((40, 40), np.uint8)[key]

        def __reduce__(self):
            raise AssertionError("it was sent to the cluster")

    with distributed.Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None):
        image = Image(as_dask(Unpicklable(), "YX"))
        assert read_region(image, 3, 9, 3, 9).shape == (6, 6)
