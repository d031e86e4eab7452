"""Length and width of fibres, against the lengths they were drawn with."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist
from skimage.io import imread

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles import label_mask
from napari_mpseg.particles.measure import measure


def row(labels: np.ndarray, **options: object) -> dict[str, float]:
    frame = measure(labels.astype(np.int32), properties=["fibre", "area"], **options).frame  # type: ignore[arg-type]
    assert len(frame) == 1
    return dict(frame.iloc[0])


def strip(length: float, width: float, angle: float, round_ends: bool = False, size: int = 260) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size / 2 + 0.3
    turn = math.radians(angle)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    if round_ends:
        beyond = np.maximum(abs(along) - (length - width) / 2, 0)
        return np.hypot(beyond, across) <= width / 2
    return (abs(along) <= length / 2) & (abs(across) <= width / 2)


def arc(radius: float, width: float, degrees: float, turn: float = 0.0) -> np.ndarray:
    size = int(2 * (radius + width) + 8)
    y, x = np.mgrid[:size, :size] - size / 2 + 0.2
    angle = (np.degrees(np.arctan2(y, x)) - turn + 180) % 360 - 180
    return (abs(np.hypot(y, x) - radius) <= width / 2) & (abs(angle) <= degrees / 2)


@pytest.mark.parametrize("angle", [0, 11, 22.5, 38, 45, 63, 90, 135, 161])
@pytest.mark.parametrize(("length", "width"), [(60, 1.5), (60, 4), (150, 3), (150, 9), (150, 15)])
@pytest.mark.parametrize("round_ends", [False, True])
def test_straight_fibre(length: float, width: float, angle: float, round_ends: bool) -> None:
    found = row(strip(length, width, angle, round_ends))
    assert found["fibre_length_px"] == pytest.approx(length, abs=1.5)  # three quarters of a pixel at each end
    assert found["fibre_width_px"] == pytest.approx(found["area_px"] / length, rel=1.5 / length)
    assert found["curl"] == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("turn", [0, 17, 45, 80])
@pytest.mark.parametrize("degrees", [90, 180, 300])
@pytest.mark.parametrize(("radius", "width"), [(30, 2), (30, 5), (80, 3), (80, 9)])
def test_bent_fibre(radius: float, width: float, degrees: float, turn: float) -> None:
    true = math.radians(degrees) * radius
    found = row(arc(radius, width, degrees, turn))
    assert found["fibre_length_px"] == pytest.approx(true, abs=1.5 + 0.3 * width)
    assert found["fibre_width_px"] == pytest.approx(found["area_px"] / true, rel=0.06)
    # The same from area and perimeter alone: four directions know a length to about 5 %.
    assert found["arc_length_px"] == pytest.approx(true, rel=0.06)
    if degrees == 300:
        assert found["curl"] == pytest.approx(true / (2 * radius), rel=0.1)


def test_fibre_like_an_s() -> None:
    # Two half circles of 25 px, one after the other.
    y, x = np.mgrid[:140, :90]
    upper = (abs(np.hypot(y - 40, x - 45) - 25) <= 2) & (x <= 45)
    lower = (abs(np.hypot(y - 90, x - 45) - 25) <= 2) & (x >= 45)
    assert row(upper | lower)["fibre_length_px"] == pytest.approx(2 * math.pi * 25, rel=0.02)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 40])
def test_line_of_single_pixels(length: int) -> None:
    for mask, true in (
        (np.ones((1, length)), length),
        (np.ones((length, 1)), length),
        (np.eye(length), length * math.sqrt(2) if length > 1 else 1),
        (np.eye(length)[::-1], length * math.sqrt(2) if length > 1 else 1),
    ):
        assert row(mask)["fibre_length_px"] == pytest.approx(true)


def test_branches_are_left_out_and_added_by_the_strip() -> None:
    labels = np.zeros((60, 120), np.int32)
    labels[10:14, 10:110] = 1
    labels[10:50, 60:64] = 1
    found = row(labels)
    assert found["fibre_length_px"] == pytest.approx(100, rel=0.03)
    assert found["arc_length_px"] == pytest.approx(138, rel=0.08)


def test_closed_ring() -> None:
    y, x = np.mgrid[:110, :110] - 55
    labels = abs(np.hypot(y, x) - 45) <= 2
    found = row(labels)
    assert found["fibre_length_px"] == pytest.approx(math.pi * 45, rel=0.05)  # half of it, as documented
    assert found["arc_length_px"] == pytest.approx(2 * math.pi * 45, rel=0.03)


def test_broken_strands_of_one_label_are_added() -> None:
    labels = np.zeros((20, 100), np.int32)
    labels[8:11, 5:35] = labels[8:11, 50:90] = 1
    assert row(labels)["fibre_length_px"] == pytest.approx(70, abs=0.5)
    assert row(labels)["fibre_width_px"] == pytest.approx(3, rel=0.01)


def test_pixels_that_are_not_square() -> None:
    # A strip of 80 um x 6 um at 30 degrees, seen with pixels 0.5 um high and 1 um wide.
    y, x = np.mgrid[:200, :100]
    y, x = (y - 100) * 0.5, x - 50.0
    turn = math.radians(30)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    mask = (abs(along) <= 40) & (abs(across) <= 3)
    found = row(mask, calibration=Calibration((0.5, 1.0), "um"))
    assert found["fibre_length_um"] == pytest.approx(80, abs=2.5)
    assert found["fibre_width_um"] == pytest.approx(6, rel=0.04)
    assert found["curl"] == pytest.approx(1, abs=0.03)


def test_compact_particle_is_as_long_as_its_largest_diameter() -> None:
    y, x = np.mgrid[:50, :50] - 25
    disc = row(np.hypot(y, x) <= 20)
    assert disc["fibre_length_px"] == pytest.approx(41, abs=1)
    assert disc["curl"] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("drawn", "least"),
    [
        ("...#/..##/.#.#/##../###.", 5.5),  # a hook of five pixels, 6.4 px long and as far across
        (".####/#####/#####/#....", 5.5),
        ("..##/####/####/##..", 4.2),
    ],
)
def test_small_particle_is_not_shrunk(drawn: str, least: float) -> None:
    mask = np.array([[sign == "#" for sign in line] for line in drawn.split("/")])
    found = row(mask)
    assert least <= found["fibre_length_px"] <= 1.1 * measure(mask.astype(int)).frame.loc[0, "feret_max_px"]
    assert found["fibre_width_px"] == pytest.approx(mask.sum() / found["fibre_length_px"])


def least_length(mask: np.ndarray) -> float:
    """Straight distance of the pixels farthest apart along ways inside, the smallest where several pairs are."""
    pixels = np.argwhere(mask)
    apart = cdist(pixels, pixels)
    steps = np.select([apart == 1, (apart > 1) & (apart < 1.5)], [12, 17], 0)
    ways = dijkstra(steps)
    outermost = farthest(np.hypot(*(pixels - pixels.mean(axis=0)).T).round(9))
    pairs = [(one, two) for start in outermost for one in farthest(ways[start]) for two in farthest(ways[one])]
    return min(apart[pair] for pair in pairs)


def farthest(ways: np.ndarray) -> np.ndarray:
    return np.flatnonzero(ways == ways.max())


def test_no_particle_is_shorter_than_its_ends_are_apart(rng: np.random.Generator) -> None:
    labels = label_mask(rng.random((130, 130)) > 0.68)
    found = measure(labels, properties="fibre").frame
    assert len(found) > 300
    for label, length in zip(found["label"], found["fibre_length_px"], strict=True):
        assert length >= least_length(labels == label) - 1e-9, label


def test_particles_of_a_dense_field_are_not_shorter_than_across(reference: Path) -> None:
    labels = label_mask(imread(reference / "masks" / "dense_1280x960.png") > 0)
    found = measure(labels, properties=["curl", "area"]).frame
    curl = found.loc[found["area_px"] > 1, "curl"]  # one pixel is 1 long, and its diagonal 1.41
    assert len(curl) > 10_000
    assert (curl < 0.85).mean() < 0.001
    assert curl.min() > 0.7
    assert curl.median() == pytest.approx(1, abs=0.01)


def test_an_ellipse_is_as_long_as_its_long_axis(rng: np.random.Generator) -> None:
    y, x = np.mgrid[:60, :60]
    for _ in range(100):
        turn, long = rng.uniform(0, np.pi), rng.uniform(2, 12)
        short = long * rng.uniform(0.5, 1)
        dy, dx = y - rng.uniform(29, 31), x - rng.uniform(29, 31)
        along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        mask = np.hypot(along / long, across / short) <= 1
        found = row(mask)
        assert found["fibre_length_px"] == pytest.approx(2 * long, abs=1.5), (long, short, turn)
        assert found["curl"] >= 0.85, (long, short, turn)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.booleans())
def test_turning_and_mirroring_a_fibre_keep_its_length(seed: int, turns: int, mirror: bool) -> None:
    rng = np.random.default_rng(seed)
    mask = arc(rng.uniform(15, 40), rng.uniform(1.5, 6), rng.uniform(60, 300), rng.uniform(0, 360))
    turned = np.rot90(mask, turns)
    turned = turned[:, ::-1] if mirror else turned
    one, two = row(mask), row(np.ascontiguousarray(turned))
    # Of two ways of equal cost another may be taken.
    assert two["fibre_length_px"] == pytest.approx(one["fibre_length_px"], rel=0.01, abs=1.5)
    assert two["arc_length_px"] == pytest.approx(one["arc_length_px"])
