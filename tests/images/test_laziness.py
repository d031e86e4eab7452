"""Opening reads no pixels, takes no time, and loads no heavy library before it is needed."""

import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile
import zarr

from napari_mpseg.images import open_image
from napari_mpseg.images.lazy import FilePixels, RecentBlocks, block_shape


def test_huge_sparse_zarr_opens_at_once(tmp_path):
    zarr.create_array(
        str(tmp_path / "huge.zarr"), shape=(100_000, 100_000), dtype="u2", chunks=(512, 512), fill_value=7
    )
    open_image(np.zeros((2, 2)))  # the imports are not what is timed
    start = time.perf_counter()
    image = open_image(tmp_path / "huge.zarr")
    assert time.perf_counter() - start < 1.0
    assert image.shape == (100_000, 100_000)
    assert (image.data[77_777:77_780, 99_990:].compute() == 7).all()


def test_huge_sparse_tiff_opens_and_reads_a_window(tmp_path):
    # A sparse file: 2.5 GB of zeros that take no place on the disk.
    tifffile.memmap(tmp_path / "huge.tif", shape=(50_000, 50_000), dtype="u1", bigtiff=True)
    image = open_image(tmp_path / "huge.tif")
    assert image.shape == (50_000, 50_000)
    assert image.data[40_000:40_003, 49_000:49_004].compute().tolist() == [[0] * 4] * 3


@pytest.mark.parametrize("options", [{}, {"tile": (32, 32), "compression": "zlib"}, {"compression": "lzw"}])
def test_opening_reads_no_pixels(tmp_path, monkeypatch, grey16, options):
    tifffile.imwrite(tmp_path / "a.tif", grey16, **options)
    zarr.save_array(str(tmp_path / "a.zarr"), grey16)
    np.save(tmp_path / "a.npy", grey16)

    def fail(*args):
        raise AssertionError("pixels were read")

    monkeypatch.setattr(FilePixels, "__getitem__", fail)
    for name in ("a.tif", "a.zarr", "a.npy"):
        assert open_image(tmp_path / name).shape == (97, 131)


def test_window_reads_only_its_blocks(tmp_path, monkeypatch):
    zarr.create_array(str(tmp_path / "a.zarr"), shape=(8192, 8192), dtype="u1", chunks=(1024, 1024))
    seen = []
    read = FilePixels.__getitem__
    monkeypatch.setattr(FilePixels, "__getitem__", lambda self, key: seen.append(key) or read(self, key))
    open_image(tmp_path / "a.zarr").data[100:200, 2500:2600].compute()
    ((rows, columns),) = seen
    assert 0 <= rows.start <= 100 < 200 <= rows.stop <= 1024
    assert 2048 <= columns.start <= 2500 < 2600 <= columns.stop <= 3072


@pytest.mark.parametrize(
    ("shape", "axes", "stored", "block"),
    [
        ((9000, 9000), "YX", (64, 64), (512, 512)),
        ((9000, 9000), "YX", (1, 9000), (32, 9000)),
        ((9000, 9000, 3), "YXS", (512, 512, 3), (512, 512, 3)),
        ((3, 9000, 9000), "SYX", (1, 2048, 2048), (3, 2048, 2048)),
        ((40, 400, 900), "ZYX", (1, 256, 256), (1, 400, 900)),
        ((40, 900, 400), "ZYX", (1, 100, 400), (1, 800, 400)),
        ((9000, 9000), "YX", None, (2048, 2048)),
        ((0, 5), "YX", None, (1, 5)),
    ],
)
def test_small_chunks_are_read_together(shape, axes, stored, block):
    assert block_shape(shape, axes, stored) == block


def test_overlapping_windows_decode_a_tile_once(tmp_path, monkeypatch, rng):
    pixels = rng.integers(0, 99, (1024, 2048), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(512, 512), compression="zlib")
    image = open_image(tmp_path / "a.tif")
    decoded = []
    put = RecentBlocks.put
    monkeypatch.setattr(RecentBlocks, "put", lambda self, key, block: decoded.append(key) or put(self, key, block))
    for x in range(0, 1536, 256):
        window = image.data[200:712, x : x + 512].compute()
        np.testing.assert_array_equal(window, pixels[200:712, x : x + 512])
        window[:] = 7  # what a caller does with its window must not reach the next one
    assert len(decoded) == len(set(map(str, decoded))) <= 8


def test_kept_blocks_stay_within_their_limit():
    blocks = RecentBlocks(100)
    for number in range(5):
        blocks.put(number, np.full(40, number, np.uint8))
    assert blocks.get(2) is None
    assert [int(blocks.get(number)[0]) for number in (3, 4)] == [3, 4]
    blocks.put("large", np.zeros(101, np.uint8))
    assert blocks.get("large") is None


def test_no_file_stays_open(tmp_path, grey16):
    import gc
    import warnings

    tifffile.imwrite(tmp_path / "a.tif", grey16, tile=(32, 32), compression="zlib")
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        image = open_image(tmp_path / "a.tif")
        image.data.compute()
        del image
        gc.collect()


def test_importing_loads_no_heavy_library():
    program = (
        "import sys, napari_mpseg.images, napari_mpseg.images.open, napari_mpseg.images.normalisation;"
        "heavy = {'torch', 'napari', 'qtpy', 'tifffile', 'zarr', 'dask', 'PIL', 'numba', 'pandas', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_public_names():
    from napari_mpseg import images

    assert set(images.__all__) <= set(dir(images))
    for name in images.__all__:
        assert getattr(images, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = images.nothing_like_it
