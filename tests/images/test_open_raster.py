"""PNG, JPEG and BMP pictures, written by Pillow."""

import numpy as np
import PIL.Image
import pytest

from napari_mpseg.errors import ImageError
from napari_mpseg.images import open_image


def test_png_colour_grey_and_16_bit(tmp_path, colour, grey16):
    for name, pixels in {"c": colour, "g": colour[..., 0], "w": grey16}.items():
        PIL.Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        image = open_image(tmp_path / f"{name}.png")
        assert image.dtype == pixels.dtype
        np.testing.assert_array_equal(image.data.compute(), pixels)
    assert open_image(tmp_path / "c.png").channels == ("red", "green", "blue")


def test_alpha_is_left_out(tmp_path, colour):
    PIL.Image.fromarray(np.dstack([colour, colour[..., 0]])).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_image(tmp_path / "a.png").data.compute(), colour)
    PIL.Image.fromarray(colour[..., :2].copy(), mode=None).save(tmp_path / "b.png")
    np.testing.assert_array_equal(open_image(tmp_path / "b.png").data.compute(), colour[..., 0])


@pytest.mark.parametrize("options", [{}, {"transparency": 0}, {"transparency": b"\x00\x80"}])
def test_palette_becomes_colour(tmp_path, options):
    picture = PIL.Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), mode=None).convert("P")
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.save(tmp_path / "a.png", **options)
    expected = [[[10, 20, 30], [200, 100, 50]], [[200, 100, 50], [10, 20, 30]]]
    assert open_image(tmp_path / "a.png").data.compute().tolist() == expected


def test_one_bit_picture_is_boolean(tmp_path):
    PIL.Image.fromarray(np.eye(9, dtype=bool)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_image(tmp_path / "a.png").data.compute(), np.eye(9, dtype=bool))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg(tmp_path, mode):
    picture = PIL.Image.new("RGB", (31, 22), (180, 180, 180)).convert(mode)
    picture.save(tmp_path / "a.jpg", quality=95)
    image = open_image(tmp_path / "a.jpg")
    assert image.data.shape == ((22, 31) if mode == "L" else (22, 31, 3))
    assert np.abs(image.data.compute().astype(int) - 180).max() <= 4


def test_bmp(tmp_path, colour):
    PIL.Image.fromarray(colour).save(tmp_path / "a.bmp")
    np.testing.assert_array_equal(open_image(tmp_path / "a.bmp").data.compute(), colour)


def test_resolution_is_not_a_pixel_size(tmp_path, colour):
    PIL.Image.fromarray(colour).save(tmp_path / "a.png", dpi=(300, 300))
    assert not open_image(tmp_path / "a.png").calibration.calibrated
    assert open_image(tmp_path / "a.png", calibration="2.5um").calibration.unit == "um"


def test_larger_than_pillow_allows(tmp_path, monkeypatch, colour):
    PIL.Image.fromarray(colour).save(tmp_path / "a.png")
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)
    np.testing.assert_array_equal(open_image(tmp_path / "a.png").data.compute(), colour)
    assert PIL.Image.MAX_IMAGE_PIXELS == 1000


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_opening_does_not_decode_and_reading_decodes_once(tmp_path, monkeypatch, colour, suffix):
    from napari_mpseg.images import raster

    PIL.Image.fromarray(colour).save(tmp_path / f"a.{suffix}")
    calls = []
    decode = raster._decode
    monkeypatch.setattr(raster, "_decode", lambda *args: calls.append(1) or decode(*args))
    image = open_image(tmp_path / f"a.{suffix}")
    assert not calls
    image.data[:5, :5].compute()
    image.data[50:, 50:].compute()
    assert len(calls) == 1


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kept", [20, 0.5])
def test_truncated(tmp_path, colour, suffix, kept):
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(colour).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(len(content) * kept)])
    with pytest.raises(ImageError, match=rf"a\.{suffix}.*truncated"):
        open_image(path).data.compute()


def test_picture_that_changes_after_opening(tmp_path, colour):
    PIL.Image.fromarray(colour).save(tmp_path / "a.png")
    image = open_image(tmp_path / "a.png")
    PIL.Image.fromarray(colour[:20]).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="changed"):
        image.data.compute()


def test_file_of_the_wrong_name(tmp_path, colour):
    PIL.Image.fromarray(colour).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").data.compute(), colour)
