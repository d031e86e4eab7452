"""Pixel sizes from every place in a TIFF file, against values computed by hand."""

import struct
import warnings

import numpy as np
import pytest
import tifffile

from napari_mpseg.images import ImageWarning, open_image

PIXELS = np.zeros((20, 30), np.uint8)


def calibration(path, **options):
    tifffile.imwrite(path, PIXELS, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return open_image(path).calibration


@pytest.mark.parametrize(
    ("metadata", "size", "unit"),
    [
        ({"PhysicalSizeX": 0.65, "PhysicalSizeY": 0.7}, (0.7, 0.65), "um"),
        (
            {"PhysicalSizeX": 4.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 5.0, "PhysicalSizeYUnit": "nm"},
            (5, 4),
            "nm",
        ),
        ({"PhysicalSizeX": 4.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.005}, (5, 4), "nm"),
        ({"PhysicalSizeX": 2.5}, (2.5, 2.5), "um"),
        ({"PhysicalSizeY": 2.5, "PhysicalSizeYUnit": "mm"}, (2.5, 2.5), "mm"),
        ({"PhysicalSizeX": 3.0, "PhysicalSizeXUnit": "Å"}, (3.0, 3.0), "angstrom"),
    ],
)
def test_ome(tmp_path, metadata, size, unit):
    found = calibration(tmp_path / "a.ome.tif", metadata=metadata)
    assert found.pixel_size == pytest.approx(size)
    assert (found.unit, found.source) == (unit, "OME")


def test_ome_goes_before_resolution(tmp_path):
    found = calibration(
        tmp_path / "a.ome.tif", metadata={"PhysicalSizeX": 2.5}, resolution=(100, 100), resolutionunit="CENTIMETER"
    )
    assert (found.pixel_size, found.source) == ((2.5, 2.5), "OME")


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej(tmp_path, unit):
    # 4 pixels per unit along x, 2 along y
    found = calibration(tmp_path / "a.tif", imagej=True, metadata={"unit": unit}, resolution=(4, 2))
    assert (found.pixel_size, found.unit, found.source) == ((0.5, 0.25), "um", "ImageJ")


def test_imagej_in_inch(tmp_path):
    found = calibration(tmp_path / "a.tif", imagej=True, metadata={"unit": "inch"}, resolution=(1200, 1200))
    assert found.pixel_size_um == pytest.approx(25400 / 1200)


@pytest.mark.parametrize("metadata", [{}, {"unit": "pixel"}])
def test_imagej_without_a_unit(tmp_path, metadata):
    assert not calibration(tmp_path / "a.tif", imagej=True, metadata=metadata, resolution=(1, 1)).calibrated


@pytest.mark.parametrize(
    ("resolution", "unit", "micrometre"),
    [
        ((4000, 4000), "CENTIMETER", (2.5, 2.5)),
        ((2400, 1200), "INCH", (25400 / 1200, 25400 / 2400)),
        ((300, 300), "INCH", (25400 / 300, 25400 / 300)),
    ],
)
def test_resolution_tags(tmp_path, resolution, unit, micrometre):
    found = calibration(tmp_path / "a.tif", resolution=resolution, resolutionunit=unit)
    assert found.pixel_size == pytest.approx(micrometre)
    assert (found.unit, found.source) == ("um", "TIFF resolution")


@pytest.mark.parametrize(
    ("resolution", "unit"), [((72, 72), "INCH"), ((96, 96), "INCH"), ((28.346, 28.346), "CENTIMETER"), ((7, 7), "NONE")]
)
def test_screen_resolutions_mean_nothing(tmp_path, resolution, unit):
    assert not calibration(tmp_path / "a.tif", resolution=resolution, resolutionunit=unit).calibrated


def sem_tag(text):
    data = text.encode("cp1252")
    return [(34118, 2, len(data) + 1, data, True)]


HEAD = "\r\n".join(["1", "2", "3", "5.582e-009", *["0"] * 60]) + "\r\n"


def test_zeiss_named_pixel_size(tmp_path):
    text = HEAD + "AP_MAG\r\nMag =   20.00 K X\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 5.58 nm\r\n"
    found = calibration(tmp_path / "a.tif", extratags=sem_tag(text), resolution=(300, 300), resolutionunit="INCH")
    assert (found.pixel_size, found.unit, found.source) == ((5.58, 5.58), "nm", "Zeiss SEM")


def test_zeiss_pixel_size_in_micrometre(tmp_path):
    text = HEAD + "AP_PIXEL_SIZE\r\nPixel Size = 1.12 µm\r\n"
    assert str(calibration(tmp_path / "a.tif", extratags=sem_tag(text))) == "1.12 um per pixel"


@pytest.mark.parametrize(("metre", "size", "unit"), [("5.582e-009", 5.582, "nm"), ("1.25e-006", 1.25, "um")])
def test_zeiss_numbers_alone(tmp_path, metre, size, unit):
    found = calibration(tmp_path / "a.tif", extratags=sem_tag(HEAD.replace("5.582e-009", metre)))
    assert found.pixel_size == pytest.approx((size, size))
    assert found.unit == unit


def test_zeiss_without_any(tmp_path):
    assert not calibration(tmp_path / "a.tif", extratags=sem_tag("1\r\n2\r\n")).calibrated


@pytest.mark.parametrize(("tag", "section"), [(34682, "Scan"), (34680, "EScan")])
def test_fei(tmp_path, tag, section):
    data = f"[User]\r\nUser=x\r\n[{section}]\r\nPixelWidth=4e-009\r\nPixelHeight=4.5e-009\r\n".encode()
    found = calibration(tmp_path / "a.tif", extratags=[(tag, 2, len(data) + 1, data, True)])
    assert found.pixel_size == pytest.approx((4.5, 4.0))
    assert (found.unit, found.source) == ("nm", "FEI SEM")


@pytest.mark.parametrize("value", ["0", "-2.5", "NaN", "much", "INF"])
def test_impossible_ome_size_opens_uncalibrated_with_a_warning(tmp_path, value):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PIXELS, metadata={"PhysicalSizeX": 1.2345678})
    text = path.read_bytes()
    assert text.count(b"1.2345678") == 1
    path.write_bytes(text.replace(b"1.2345678", value.encode().ljust(9)))
    with pytest.warns(ImageWarning, match=r"a\.ome\.tif.*OME is left out"):
        image = open_image(path)
    assert not image.calibration.calibrated
    assert image.shape == (20, 30)


def test_unit_that_is_no_length(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.ome.tif", PIXELS, metadata={"PhysicalSizeX": 2, "PhysicalSizeXUnit": "reference frame"}
    )
    with pytest.warns(ImageWarning, match="reference frame"):
        assert not open_image(tmp_path / "a.ome.tif").calibration.calibrated


def test_one_unit_is_pixel(tmp_path):
    metadata = {"PhysicalSizeX": 2, "PhysicalSizeXUnit": "pixel", "PhysicalSizeY": 2}
    tifffile.imwrite(tmp_path / "a.ome.tif", PIXELS, metadata=metadata)
    with pytest.warns(ImageWarning, match="One pixel size"):
        assert not open_image(tmp_path / "a.ome.tif").calibration.calibrated


@pytest.mark.parametrize("value", [(0, 1), (1, 0), (0, 0)])
def test_impossible_resolution(tmp_path, value):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, resolution=(77777, 77777), resolutionunit="CENTIMETER", metadata=None)
    content = path.read_bytes()
    assert content.count(struct.pack("<II", 77777, 1)) == 2
    path.write_bytes(content.replace(struct.pack("<II", 77777, 1), struct.pack("<II", *value)))
    with pytest.warns(ImageWarning, match="TIFF resolution is left out"):
        assert not open_image(tmp_path / "a.tif").calibration.calibrated


def test_impossible_place_falls_through_to_the_next(tmp_path):
    text = HEAD + "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 0 nm\r\n"
    tifffile.imwrite(
        tmp_path / "a.tif", PIXELS, extratags=sem_tag(text), resolution=(4000, 4000), resolutionunit="CENTIMETER"
    )
    with pytest.warns(ImageWarning, match="Zeiss SEM"):
        assert open_image(tmp_path / "a.tif").calibration.source == "TIFF resolution"


def test_given_calibration_wins(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", PIXELS, metadata={"PhysicalSizeX": 2.5})
    assert open_image(tmp_path / "a.ome.tif", calibration="7nm").calibration.unit == "nm"


def test_broken_ome_xml_still_opens(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PIXELS, metadata={"PhysicalSizeX": 2.5})
    path.write_bytes(path.read_bytes().replace(b"<Pixels ", b"<Pixels<"))
    with pytest.warns(ImageWarning, match="metadata are damaged"):
        image = open_image(path)
    assert (image.shape, image.calibration.calibrated) == ((20, 30), False)
