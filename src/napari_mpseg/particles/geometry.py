"""Lengths, areas and shape numbers of particles, for one pixel size."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.intensities import Intensities
from napari_mpseg.particles.outlines import feret
from napari_mpseg.particles.perimeters import PERIMETERS
from napari_mpseg.particles.piece_measures import PIECE_MEASURES, PIXELS, Asked
from napari_mpseg.particles.pieces import MeasuredPieces, joined_hulls

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_OUTLINE = ("steps_y", "steps_x", "corners", "enclosed")


@dataclass(frozen=True)
class Particles:
    """What the pixels say about every particle, before any unit; one entry per label, in label order.

    Attributes
    ----------
    label, area : numpy.ndarray
        int64; label and number of pixels.
    y0, x0, y1, x1 : numpy.ndarray
        int64; half-open bounding box.
    sums : dict of str to numpy.ndarray
        int64; ``y, x, yy, xx, xy``: sums of pixel indices relative to ``(y0, x0)`` and of their products.
    outline : dict of str to numpy.ndarray
        int64; ``steps_y, steps_x, corners, enclosed`` of the outer outline, all pieces added.
    hull_start, hull : numpy.ndarray
        Convex hull of pixel corners around all pieces, see :class:`~napari_mpseg.particles.pieces.MeasuredPieces`.
    shape : tuple of int
        Height and width of the image.
    pieces : numpy.ndarray
        int64; number of pieces.
    intensities : Intensities or None
        If an image was given.
    more : dict
        What was found out only because it was asked for: float64 ``(N, columns)`` by measure and ruler.
    ring : numpy.ndarray or None
        float64 ``(N, C)``; mean value of the background beside each particle, if asked for.
    confidence : numpy.ndarray or None
        float64; mean probability, if a probability was given.
    channels : tuple of str
        Names of the image's channels, as they go into columns.
    """

    label: Integers
    area: Integers
    y0: Integers
    x0: Integers
    y1: Integers
    x1: Integers
    sums: dict[str, Integers]
    outline: dict[str, Integers]
    hull_start: Integers
    hull: Integers
    shape: tuple[int, int]
    pieces: Integers
    intensities: Intensities | None = None
    more: dict[Asked, Floats] = field(default_factory=dict)
    ring: Floats | None = None
    confidence: Floats | None = None
    channels: tuple[str, ...] = ()
    _ferets: dict[tuple[float, float], Floats] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.label)

    def with_values(self, **values: Any) -> "Particles":
        """Return the same particles with `intensities`, `channels`, `ring` or `confidence`."""
        return replace(self, **values)

    def found(self, name: str, height: float, width: float) -> Floats:
        """Return what a measure of pieces found, for a pixel size: float64 ``(N, columns)``, all pieces joined."""
        ruler = (height, width) if PIECE_MEASURES[name].by_length else PIXELS
        return self.more[name, ruler]

    def ferets(self, height: float, width: float) -> Floats:
        """Return float64 ``(N, 6)``: Feret max, min, angle, left end (y, x) and hull area, for a pixel size."""
        key = (height, width)
        if key not in self._ferets:
            out = np.empty((len(self), 6))
            if len(self):
                feret(self.hull_start, self.hull, height, width, out)
            self._ferets[key] = out
        return self._ferets[key]


def gather(pieces: MeasuredPieces, shape: tuple[int, int]) -> Particles:
    """Put the pieces of each label together."""
    records = pieces.records
    order = np.argsort(records["label"], kind="stable")
    records = records[order]
    label, first = np.unique(records["label"], return_index=True)
    start = np.append(first, len(records)).astype(np.int64)
    if not len(label):
        empty = np.empty(0, np.int64)
        sums = dict.fromkeys(("y", "x", "yy", "xx", "xy"), empty)
        outline = dict.fromkeys(_OUTLINE, empty)
        return Particles(
            label, empty, empty, empty, empty, empty, sums, outline, start, pieces.hull, shape, empty, more=pieces.more
        )

    y0, x0 = (np.minimum.reduceat(records[name], first) for name in ("y0", "x0"))
    y1, x1 = (np.maximum.reduceat(records[name], first) for name in ("y1", "x1"))
    group = np.repeat(np.arange(len(label)), np.diff(start))
    dy, dx = records["y0"] - y0[group], records["x0"] - x0[group]
    n, y, x = records["area"], records["sum_y"], records["sum_x"]
    moved = {
        "y": y + n * dy,
        "x": x + n * dx,
        "yy": records["sum_yy"] + 2 * dy * y + n * dy * dy,
        "xx": records["sum_xx"] + 2 * dx * x + n * dx * dx,
        "xy": records["sum_xy"] + dy * x + dx * y + n * dy * dx,
    }
    hull_start, hull = joined_hulls(pieces, order, start)
    return Particles(
        label,
        np.add.reduceat(n, first),
        y0,
        x0,
        y1,
        x1,
        {name: np.add.reduceat(values, first) for name, values in moved.items()},
        {name: np.add.reduceat(records[name], first) for name in _OUTLINE},
        hull_start,
        hull,
        shape,
        np.diff(start),
        more={key: PIECE_MEASURES[key[0]].join.reduceat(found[order], first) for key, found in pieces.more.items()},
    )


class Geometry:
    """Particles measured with a ruler: every length in the unit of the pixel size.

    Parameters
    ----------
    particles : Particles
        What the pixels say.
    pixel_size : tuple of float
        Height and width of a pixel. With ``(1, 1)`` all lengths are in pixels.
    estimator : str
        Which of :data:`~napari_mpseg.particles.perimeters.PERIMETERS` the perimeter is.

    Notes
    -----
    Where pixels are not square, distances, angles and moments are computed on true coordinates. Where they are, the
    numbers are those in pixels times the pixel size, so that no rounding breaks a tie differently.
    """

    def __init__(
        self, particles: Particles, pixel_size: tuple[float, float] = (1.0, 1.0), estimator: str = "imagej"
    ) -> None:
        self.particles = particles
        self._estimator = estimator
        height, width = pixel_size
        self.pixel_size = pixel_size
        self._scale = height if height == width else 1.0
        self._height, self._width = (1.0, 1.0) if height == width else (height, width)

    @cached_property
    def area(self) -> Floats:
        """Number of pixels times the area of one."""
        return np.asarray(self.particles.area * (self.pixel_size[0] * self.pixel_size[1]), np.float64)

    @cached_property
    def centroid(self) -> tuple[Floats, Floats]:
        """Mean pixel index (y, x) times the pixel size: the centre of pixel (0, 0) is (0, 0)."""
        p = self.particles
        return (
            np.asarray((p.y0 + p.sums["y"] / p.area) * self.pixel_size[0], np.float64),
            np.asarray((p.x0 + p.sums["x"] / p.area) * self.pixel_size[1], np.float64),
        )

    @cached_property
    def perimeter(self) -> Floats:
        """Perimeter by the chosen estimator."""
        return PERIMETERS[self._estimator].compute(self)

    @cached_property
    def perimeter_imagej(self) -> Floats:
        """ImageJ's outline length: sides, less what is cut off at counted corners."""
        outline, h, w = self.particles.outline, self._height, self._width
        cut = h + w - np.hypot(h, w)
        return np.asarray(self._scale * (outline["steps_y"] * h + outline["steps_x"] * w - outline["corners"] * cut))

    @cached_property
    def perimeter_crofton(self) -> Floats:
        """Perimeter after Cauchy and Crofton: half the border crossings of lines, integrated over place and direction.

        Lines run along rows, columns and both diagonals. Each stands for the directions nearest to it: an eighth of a
        turn, where pixels are square.
        """
        rows, columns, falling, rising = self.found("crossings").T[:4]
        h, w = self._height, self._width
        diagonal = np.arctan2(h, w)  # direction of a diagonal
        along = rows * h * diagonal + columns * w * (np.pi / 2 - diagonal)
        across = (falling + rising) * h * w / np.hypot(h, w) * (np.pi / 4)
        return np.asarray(self._scale * (along + across))

    @property
    def holes(self) -> Floats:
        """Number of enclosed regions: runs and the links between them form a net with one mesh per hole."""
        runs, links = self.found("crossings")[:, 0], self.found("crossings")[:, 4]
        return np.asarray(links - runs + self.particles.pieces)

    @property
    def filled_area(self) -> Floats:
        """Area inside the outer outline, all pieces added."""
        return np.asarray(self.particles.outline["enclosed"] * (self.pixel_size[0] * self.pixel_size[1]), np.float64)

    @property
    def inscribed_diameter(self) -> Floats:
        """Diameter of the largest circle inside one of the pieces."""
        return np.asarray(2.0 * self._scale * self.found("inscribed")[:, 0])

    @property
    def fibre_length(self) -> Floats:
        """Length along the centre line, all pieces added."""
        return np.asarray(self._scale * self.found("centre_line")[:, 0])

    @cached_property
    def arc_length(self) -> Floats:
        """Longer side of the bent strip with the particle's area and Crofton perimeter; at least that of a square."""
        perimeter, side = self.perimeter_crofton, np.sqrt(self.area)
        longer = (perimeter + np.sqrt(np.maximum(perimeter**2 - 16.0 * self.area, 0.0))) / 4.0
        return np.asarray(np.maximum(longer, side))

    def found(self, name: str) -> Floats:
        """Return what a measure of pieces found, without the common scale: float64 ``(N, columns)``."""
        return self.particles.found(name, self._height, self._width)

    @property
    def feret_max(self) -> Floats:
        """Largest distance of two pixel corners."""
        return self._feret(0) * self._scale

    @property
    def feret_min(self) -> Floats:
        """Smallest width of the convex hull."""
        return self._feret(1) * self._scale

    @property
    def feret_angle(self) -> Floats:
        """Direction of the largest diameter, degrees counter-clockwise from the x axis, [0, 180)."""
        return np.asarray(self._feret(2) % 180.0)

    @property
    def feret_start(self) -> tuple[Floats, Floats]:
        """Left end (y, x) of the largest diameter, from the image's corner."""
        return self._feret(3) * self.pixel_size[0], self._feret(4) * self.pixel_size[1]

    @property
    def convex_area(self) -> Floats:
        """Area of the convex hull of pixel corners."""
        return self._feret(5) * self._scale**2

    def _feret(self, column: int) -> Floats:
        return self.particles.ferets(self._height, self._width)[:, column].copy()

    @cached_property
    def equivalent_diameter(self) -> Floats:
        """Diameter of the disc of the same area."""
        return np.asarray(np.sqrt(4.0 * self.area / np.pi))

    @cached_property
    def _covariance(self) -> tuple[Floats, Floats, Floats]:
        """Variance in y and x (each pixel a rectangle, not a point) and covariance, without the common scale."""
        p, s = self.particles, self.particles.sums
        yy = _central(p.area, s["y"], s["y"], s["yy"]) + 1.0 / 12.0
        xx = _central(p.area, s["x"], s["x"], s["xx"]) + 1.0 / 12.0
        xy = _central(p.area, s["y"], s["x"], s["xy"])
        h, w = self._height, self._width
        return yy * h * h, xx * w * w, xy * h * w

    @cached_property
    def aspect_ratio(self) -> Floats:
        """Major over minor axis of the ellipse with the same second moments."""
        yy, xx, xy = self._covariance
        half_sum, half_spread = (yy + xx) / 2.0, np.hypot((yy - xx) / 2.0, xy)
        large = half_sum + half_spread
        # The small eigenvalue from the determinant: a difference of two nearly equal numbers would lose digits.
        return np.asarray(large / np.sqrt(yy * xx - xy * xy))

    @property
    def major_axis(self) -> Floats:
        """Full length of the ellipse's long axis; the ellipse has the particle's area."""
        return np.asarray(self.equivalent_diameter * np.sqrt(self.aspect_ratio))

    @property
    def minor_axis(self) -> Floats:
        """Full length of the ellipse's short axis."""
        return np.asarray(self.equivalent_diameter / np.sqrt(self.aspect_ratio))

    @property
    def orientation(self) -> Floats:
        """Direction of the long axis, degrees counter-clockwise from the x axis, [0, 180)."""
        yy, xx, xy = self._covariance
        return np.asarray(np.degrees(0.5 * np.arctan2(-2.0 * xy, xx - yy)) % 180.0)


def _central(n: Integers, a: Integers, b: Integers, ab: Integers) -> Floats:
    """Return ``ab / n - (a / n) * (b / n)``, in exact integers wherever they do not overflow.

    Exact, a symmetric particle has covariance 0 and not a rounding residue with a random angle.
    """
    rough = n.astype(np.float64)
    mean = ab / rough - (a / rough) * (b / rough)
    fits = (rough * ab < 4e18) & (a.astype(np.float64) * b < 4e18)
    exact = (n * ab - a * b)[fits] / (rough * rough)[fits]
    mean[fits] = exact
    return np.asarray(mean)
