"""What one particle measures, against formulas worked out by hand and against scikit-image."""

import math

import dask.array as da
import numpy as np
import pytest
from skimage.measure import label as skimage_label
from skimage.measure import regionprops_table

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, ImageError, MpsegError, SettingsError, UnknownNameError
from napari_mpseg.images.image import Image
from napari_mpseg.particles.measure import measure
from napari_mpseg.progress import CancelToken, Progress

CUT = 2.0 - math.sqrt(2.0)


def row(labels: np.ndarray, **options: object) -> dict[str, float]:
    frame = measure(labels, **options).frame  # type: ignore[arg-type]
    assert len(frame) == 1
    return dict(frame.iloc[0])


def canvas(*pixels: tuple[int, int], shape: tuple[int, int] = (20, 20)) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    for y, x in pixels:
        labels[y, x] = 1
    return labels


def test_single_pixel() -> None:
    found = row(canvas((3, 5)))
    assert found["area_px"] == 1
    assert (found["centroid_y_px"], found["centroid_x_px"]) == (3, 5)
    assert [found[f"bbox_{side}"] for side in ("y0", "x0", "y1", "x1")] == [3, 5, 4, 6]
    assert found["perimeter_px"] == pytest.approx(2 * math.sqrt(2))
    assert found["feret_max_px"] == pytest.approx(math.sqrt(2))
    assert found["feret_min_px"] == pytest.approx(1)
    assert found["feret_angle_deg"] == pytest.approx(135)
    assert found["circularity"] == 1
    assert found["aspect_ratio"] == found["solidity"] == found["extent"] == pytest.approx(1)
    assert found["major_axis_px"] == found["minor_axis_px"] == pytest.approx(2 / math.sqrt(math.pi))


def test_rectangle_in_pixels() -> None:
    labels = np.zeros((30, 40), np.int32)
    labels[5:15, 8:28] = 1  # 10 high, 20 wide
    found = row(labels)
    assert found["area_px"] == found["convex_area_px"] == 200
    assert (found["centroid_y_px"], found["centroid_x_px"]) == (9.5, 17.5)
    assert found["perimeter_px"] == pytest.approx(60 - 4 * CUT)
    assert found["equivalent_diameter_px"] == pytest.approx(math.sqrt(800 / math.pi))
    assert found["feret_max_px"] == pytest.approx(math.hypot(10, 20))
    assert found["feret_min_px"] == pytest.approx(10)
    assert found["aspect_ratio"] == pytest.approx(2)
    assert found["roundness"] == pytest.approx(0.5)
    assert found["orientation_deg"] == 0
    assert found["circularity"] == pytest.approx(4 * math.pi * 200 / (60 - 4 * CUT) ** 2)
    assert found["feret_roundness"] == pytest.approx(800 / (math.pi * 500))
    assert found["compactness"] == pytest.approx(math.sqrt(found["feret_roundness"]))


def test_rectangle_with_pixels_that_are_not_square() -> None:
    # 6 px high and 8 wide; pixels 2 um high, 0.5 um wide: 12 um high and 4 um wide, standing upright.
    labels = np.zeros((20, 20), np.int32)
    labels[4:10, 3:11] = 1
    found = row(labels, calibration=Calibration((2.0, 0.5), "um"))
    assert found["area_um2"] == pytest.approx(48)
    assert found["convex_area_um2"] == pytest.approx(48)
    assert found["feret_max_um"] == pytest.approx(math.hypot(12, 4))
    assert found["feret_min_um"] == pytest.approx(4)
    assert found["perimeter_um"] == pytest.approx(32 - 4 * (2.5 - math.hypot(2, 0.5)))
    assert found["centroid_y_um"] == pytest.approx(6.5 * 2)
    assert found["centroid_x_um"] == pytest.approx(6.5 * 0.5)
    assert found["equivalent_diameter_um"] == pytest.approx(math.sqrt(4 * 48 / math.pi))
    assert found["aspect_ratio"] == pytest.approx(3)
    assert found["orientation_deg"] == pytest.approx(90)
    assert found["feret_angle_deg"] == pytest.approx(180 - math.degrees(math.atan2(12, 4)))
    # Beside them the numbers in pixels, of the 6 x 8 shape.
    assert found["area_px"] == 48
    assert found["feret_max_px"] == pytest.approx(10)
    assert found["feret_min_px"] == pytest.approx(6)
    assert found["perimeter_px"] == pytest.approx(28 - 4 * CUT)


@pytest.mark.parametrize("size", [0.65, 2.5, 10.0])
def test_square_pixels_scale_every_length(rng: np.random.Generator, size: float) -> None:
    labels = skimage_label(rng.random((60, 60)) > 0.65)
    plain = measure(labels, properties="all").frame
    table = measure(labels, calibration=Calibration((size, size), "nm"), properties="all")
    for column in plain.columns:
        np.testing.assert_array_equal(table.frame[column], plain[column])
        if column.endswith("_px"):
            stem = column.removesuffix("_px")
            square = table.units[column] == "px2"
            calibrated = table.frame[f"{stem}_nm{'2' if square else ''}"]
            np.testing.assert_allclose(calibrated, plain[column] * size ** (2 if square else 1), rtol=1e-12)


def test_hole_counts_for_area_but_not_for_the_outline() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[1:8, 1:8] = 1
    labels[3:6, 3:6] = 0
    found = row(labels)
    assert found["area_px"] == 40
    assert found["perimeter_px"] == pytest.approx(28 - 4 * CUT)
    assert found["solidity"] == pytest.approx(40 / 49)
    assert found["extent"] == pytest.approx(40 / 49)


def test_pieces_of_one_label_are_one_particle() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[2:6, 2:6] = 9
    labels[30:34, 22:26] = 9
    found = row(labels)
    assert found["label"] == 9
    assert found["area_px"] == 32
    assert found["perimeter_px"] == pytest.approx(2 * (16 - 4 * CUT))  # outlines added
    assert found["feret_max_px"] == pytest.approx(math.hypot(32, 24))  # across both
    # Hull of both squares: they slide along (28, 20); swept area = side * (28 + 20) + 16.
    assert found["convex_area_px"] == pytest.approx(4 * 48 + 16)
    assert (found["centroid_y_px"], found["centroid_x_px"]) == (17.5, 13.5)
    assert [found[f"bbox_{side}"] for side in ("y0", "x0", "y1", "x1")] == [2, 2, 34, 26]


def test_a_piece_inside_the_hole_of_another_adds_its_outline() -> None:
    labels = np.zeros((11, 11), np.int32)
    labels[1:10, 1:10] = 1
    labels[2:9, 2:9] = 0
    labels[5, 5] = 1
    assert row(labels)["perimeter_px"] == pytest.approx(36 - 4 * CUT + 2 * math.sqrt(2))


def test_labels_that_touch_stay_apart() -> None:
    labels = np.array([[1, 1, 2], [1, 2, 2], [3, 3, 1]])
    frame = measure(labels).frame
    assert frame["label"].tolist() == [1, 2, 3]
    assert frame["area_px"].tolist() == [4, 3, 2]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, ">i4"])
def test_every_integer_dtype(dtype: str) -> None:
    labels = np.zeros((4, 6), dtype)
    labels[1:3, 2:5] = 100
    assert row(labels)["label"] == 100
    assert row(labels)["area_px"] == 6


def test_gaps_and_largest_labels() -> None:
    labels = np.zeros((8, 8), np.int64)
    for x, value in enumerate((2**31, 5, 2**31 - 1, 1)):
        labels[1:4, 2 * x] = value
    frame = measure(labels).frame
    assert frame["label"].tolist() == [1, 5, 2**31 - 1, 2**31]
    assert frame["label"].dtype == np.int64
    assert frame["centroid_x_px"].tolist() == [6, 2, 4, 0]
    assert frame["area_px"].tolist() == [3] * 4


def test_whole_float_labels_are_taken() -> None:
    assert row(canvas((1, 1), (1, 2)).astype(np.float32))["area_px"] == 2


@pytest.mark.parametrize(
    ("place", "touches"), [((0, 5), True), ((9, 5), True), ((5, 0), True), ((5, 9), True), ((5, 5), False)]
)
def test_touching_the_border(place: tuple[int, int], touches: bool) -> None:
    assert row(canvas(place, shape=(10, 10)))["touches_border"] == touches


def test_a_particle_that_fills_the_image() -> None:
    found = row(np.ones((3, 4), np.uint8))
    assert found["touches_border"]
    assert found["area_px"] == 12
    assert found["perimeter_px"] == pytest.approx(14 - 4 * CUT)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (7, 9)])
def test_no_particles_is_an_empty_table_with_all_columns(shape: tuple[int, int]) -> None:
    full = measure(np.ones((4, 4), int), np.ones((4, 4, 3)), calibration=Calibration.parse("2um"), properties="all")
    empty = measure(np.zeros(shape, int), np.zeros((*shape, 3)), calibration=Calibration.parse("2um"), properties="all")
    assert len(empty) == 0
    assert empty.frame.columns.tolist() == full.frame.columns.tolist()
    assert empty.frame.dtypes.tolist() == full.frame.dtypes.tolist()
    assert empty.units == full.units


def test_intensities_and_extents_as_scikit_image(rng: np.random.Generator) -> None:
    labels = skimage_label(rng.random((80, 90)) > 0.6)
    image = rng.normal(1000, 50, (80, 90, 2)).astype(np.float32)
    ours = measure(labels, image, properties=["intensity", "extent", "bounding_box", "centroid"]).frame
    names = ("intensity_mean", "intensity_min", "intensity_max", "intensity_std", "extent", "bbox", "centroid", "area")
    theirs = regionprops_table(labels, image.astype(np.float64), properties=names)
    for name in ("mean", "min", "max"):
        for channel in (0, 1):
            np.testing.assert_allclose(
                ours[f"intensity_{name}_{channel}"], theirs[f"intensity_{name}-{channel}"], rtol=1e-9
            )
    n = theirs["area"]
    sample = theirs["intensity_std-1"] * np.sqrt(n / np.maximum(n - 1, 1))  # scikit-image divides by n
    np.testing.assert_allclose(ours["intensity_std_1"], sample, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours["extent"], theirs["extent"])
    for axis, name in enumerate(("y", "x")):
        np.testing.assert_array_equal(ours[f"bbox_{name}0"], theirs[f"bbox-{axis}"])
        np.testing.assert_array_equal(ours[f"bbox_{name}1"], theirs[f"bbox-{axis + 2}"])
        np.testing.assert_allclose(ours[f"centroid_{name}_px"], theirs[f"centroid-{axis}"])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float16, np.float64, ">u2"])
def test_every_image_dtype(dtype: str) -> None:
    image = np.arange(12).reshape(3, 4).astype(dtype)
    found = row(np.array([[0, 0, 0, 0], [0, 4, 4, 0], [0, 4, 4, 0]]), image=image)
    assert found["intensity_mean"] == 7.5
    assert (found["intensity_min"], found["intensity_max"]) == (5, 10)
    assert found["intensity_std"] == pytest.approx(np.std([5, 6, 9, 10], ddof=1))


def test_channel_names_and_calibration_come_from_the_image() -> None:
    data = da.from_array(np.dstack([np.full((4, 4), value) for value in (1, 2, 3)]))
    image = Image(data, calibration=Calibration.parse("2.5um"), channels=("Red", "green ", "DAPI 405"))
    table = measure(np.eye(4, dtype=int), image)
    frame = table.frame
    assert frame.loc[0, ["intensity_mean_red", "intensity_mean_green", "intensity_mean_dapi_405"]].tolist() == [1, 2, 3]
    assert frame.loc[0, "area_um2"] == pytest.approx(4 * 6.25)
    assert table.calibration == image.calibration
    given = measure(np.eye(4, dtype=int), image, calibration=Calibration.parse("1nm"))
    assert given.frame.loc[0, "area_nm2"] == 4


def test_not_finite_pixels_leave_their_particle_without_intensities() -> None:
    labels = np.array([[1, 1, 0, 2, 2]])
    frame = measure(labels, np.array([[1.0, np.nan, 0.0, 3.0, 5.0]])).frame
    for column in ("intensity_mean", "intensity_min", "intensity_max", "intensity_std"):
        assert np.isnan(frame.loc[0, column])
    assert frame.loc[1, "intensity_mean"] == 4
    assert frame["area_px"].tolist() == [2, 2]


def test_properties_by_name_and_set() -> None:
    labels, image = np.ones((3, 3), int), np.ones((3, 3))
    assert measure(labels, properties=["area", "feret_max"]).frame.columns.tolist() == [
        "label",
        "area_px",
        "feret_max_px",
    ]
    assert "intensity_mean" not in measure(labels, image, properties="shape").frame
    both = measure(labels, image, properties=["shape", "intensity"]).frame
    assert {"circularity", "intensity_mean"} <= set(both.columns)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((2, 3, 4), int), r"two axes.*\(2, 3, 4\)"),
        (np.zeros(5, int), "two axes"),
        (np.zeros((3, 3), bool), "label_mask"),
        (np.full((3, 3), 0.5), "whole numbers"),
        (np.full((3, 3), np.nan), "whole numbers"),
        (np.zeros((3, 3), complex), "complex128"),
        (np.array([["a"]]), "whole numbers"),
        (np.array([[0, -4]]), "negative, but -4"),
        (np.array([[0, 2**63]], np.uint64), f"between 0 and {2**63 - 1} .*but {2**63} was found"),
        (np.array([[0, 2**64 - 1]], np.uint64), f"but {2**64 - 1} was found"),
        (np.array([[0.0, 2.0**63]]), f"but {2**63} was found"),
        (np.array([[0, 1e300]]), r"but 1e\+300 was found"),
        (np.array([[0, -1e19]]), "but -1"),
    ],
)
def test_labels_that_are_none_get_a_reason(labels: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        measure(labels)


@pytest.mark.parametrize("largest", [np.uint64(2**63 - 1), np.int64(2**63 - 1), np.float64(2**63 - 1024)])
def test_the_largest_label_that_fits(largest: np.generic) -> None:
    assert measure(np.array([[0, largest]], largest.dtype), properties="area").frame["label"].tolist() == [int(largest)]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 3)), r"\(4, 3\).*\(3, 3\)"),
        (np.zeros((3, 3, 1, 1)), "same height and width"),
        (np.zeros((3, 3), complex), "complex128"),
        (np.zeros((3, 3), bool), "bool"),
    ],
)
def test_images_that_do_not_fit_get_a_reason(image: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        measure(np.ones((3, 3), int), image)


def test_properties_that_cannot_be_measured_get_a_reason() -> None:
    with pytest.raises(UnknownNameError, match=r"'perimeter'.*Sets: .*shape"):
        measure(np.ones((3, 3), int), properties="perimetre")
    with pytest.raises(SettingsError, match="Give the image too"):
        measure(np.ones((3, 3), int), properties="intensity")
    with pytest.raises(MpsegError):
        measure(np.ones((3, 3), int), properties=["area", "intensity_mean"])


def test_progress_reaches_its_end_and_cancel_stops() -> None:
    labels = da.ones((4096, 4096), chunks=2048, dtype=np.int32)
    events: list[Progress] = []
    token = CancelToken()

    def stop_after_two(event: Progress) -> None:
        events.append(event)
        if event.done == 2:
            token.cancel()

    with pytest.raises(Cancelled):
        measure(labels, on_progress=stop_after_two, cancel=token)
    assert [event.done for event in events] == [0, 1, 2]
    events.clear()
    measure(np.ones((5, 5), int), on_progress=events.append)
    assert events[-1].fraction == 1


def test_provenance_tells_what_was_measured() -> None:
    image = Image(da.zeros((3, 3)), name="filter 7", source="filter7.tif")
    record = measure(np.ones((3, 3), int), image, properties="area").provenance
    assert record["operation"] == "measure"
    assert record["settings"] == {"properties": ["area"], "perimeter": "imagej"}
    assert record["inputs"]["image"] == "filter 7"


def test_lists_are_taken_as_arrays() -> None:
    assert measure([[0, 3], [3, 0]], [[1, 2], [4, 1]]).frame["intensity_mean"].tolist() == [3]
