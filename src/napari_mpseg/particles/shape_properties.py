"""Position and shape of particles: entries of the property registry."""

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.geometry import Geometry
from napari_mpseg.particles.property import Columns, add

_IJ = "ImageJ (Analyze Particles)"
_SK = "scikit-image (regionprops)"
_PLACE = "default position imagej"
_SHAPE = "default shape imagej"


def _on_border(g: Geometry) -> NDArray[np.bool_]:
    p = g.particles
    return np.asarray((p.y0 == 0) | (p.x0 == 0) | (p.y1 == p.shape[0]) | (p.x1 == p.shape[1]))


def _circularity(g: Geometry, perimeter: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.minimum(1.0, 4.0 * np.pi * g.area / perimeter**2))


def _first_pixel(g: Geometry) -> Columns:
    # The hull starts at the top-most, then left-most corner: that of the first pixel.
    p = g.particles
    corner = p.hull[p.hull_start[:-1]]
    return corner[:, 0], corner[:, 1]


def _bounding_box(g: Geometry) -> Columns:
    p = g.particles
    return p.y0, p.x0, p.y1, p.x1


def _box_area(g: Geometry) -> NDArray[np.int64]:
    p = g.particles
    return np.asarray((p.y1 - p.y0) * (p.x1 - p.x0))


add(
    "centroid",
    "length",
    lambda g: g.centroid,
    "Mean pixel index, the centre of the first pixel being (0, 0); ImageJ's X and Y are 0.5 px more.",
    _SK,
    _PLACE,
    stems=("centroid_y", "centroid_x"),
)
add(
    "bounding_box",
    "pixels",
    _bounding_box,
    "First row and column, and the row and column after the last.",
    _SK,
    _PLACE,
    stems=("bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1"),
    dtype="int64",
)
add(
    "first_pixel",
    "pixels",
    _first_pixel,
    "Row and column of the first pixel from the top, then from the left (ImageJ: YStart, XStart).",
    _IJ,
    "position imagej",
    stems=("first_y", "first_x"),
    dtype="int64",
)
add("area", "area", lambda g: g.area, "Number of pixels, holes left out.", _IJ, _SHAPE)
add(
    "perimeter",
    "length",
    lambda g: g.perimeter,
    "Length of the outline by the chosen estimator. imagej: outer outline along pixel sides, corners cut off by "
    "ImageJ's rule, all pieces added. crofton: as perimeter_crofton.",
    _IJ,
    _SHAPE,
    needs=("perimeter",),
)
add(
    "equivalent_diameter",
    "length",
    lambda g: g.equivalent_diameter,
    "Diameter of the disc of the same area.",
    _SK,
    "default shape",
)
add(
    "feret_max",
    "length",
    lambda g: g.feret_max,
    "Largest distance between two corners of the particle's pixels (ImageJ: Feret).",
    _IJ,
    _SHAPE,
)
add(
    "feret_min",
    "length",
    lambda g: g.feret_min,
    "Smallest distance between two parallel lines with the particle between them (ImageJ: MinFeret).",
    _IJ,
    _SHAPE,
)
add(
    "feret_angle",
    "angle",
    lambda g: g.feret_angle,
    "Direction of the largest Feret diameter, counter-clockwise from the x axis, 0 to 180.",
    _IJ,
    _SHAPE,
)
add(
    "feret_start",
    "length",
    lambda g: g.feret_start,
    "Left end of the largest Feret diameter, from the image's top left corner (ImageJ: FeretY, FeretX).",
    _IJ,
    "imagej",
    stems=("feret_start_y", "feret_start_x"),
)
add(
    "major_axis",
    "length",
    lambda g: g.major_axis,
    "Long axis of the ellipse with the particle's second moments and area.",
    _IJ,
    _SHAPE,
)
add(
    "minor_axis",
    "length",
    lambda g: g.minor_axis,
    "Short axis of the ellipse with the particle's second moments and area.",
    _IJ,
    _SHAPE,
)
add(
    "orientation",
    "angle",
    lambda g: g.orientation,
    "Direction of the long axis, counter-clockwise from the x axis, 0 to 180 (ImageJ: Angle).",
    _IJ,
    _SHAPE,
)
add(
    "circularity",
    "number",
    lambda g: _circularity(g, g.perimeter),
    "4 pi area / perimeter^2, at most 1.",
    _IJ,
    _SHAPE,
    needs=("perimeter",),
)
add(
    "roundness",
    "number",
    lambda g: 1.0 / g.aspect_ratio,
    "4 area / (pi major axis^2), which is minor over major axis (ImageJ: Round).",
    _IJ,
    _SHAPE,
)
add(
    "feret_roundness",
    "number",
    lambda g: 4.0 * g.area / (np.pi * g.feret_max**2),
    "4 area / (pi feret_max^2): the share of the disc around the largest diameter.",
    "Babkauskas 2023, roundness",
    "default shape",
)
add(
    "compactness",
    "number",
    lambda g: g.equivalent_diameter / g.feret_max,
    "sqrt(4 area / pi) / feret_max, the square root of feret_roundness.",
    "Babkauskas 2023",
    "default shape",
)
add("aspect_ratio", "number", lambda g: g.aspect_ratio, "Major over minor axis (ImageJ: AR).", _IJ, _SHAPE)
add("solidity", "number", lambda g: g.area / g.convex_area, "Area over convex area.", _IJ, _SHAPE)
add(
    "convex_area",
    "area",
    lambda g: g.convex_area,
    "Area of the convex hull of the pixels' corners.",
    _IJ,
    "default shape",
)
add(
    "extent",
    "number",
    lambda g: g.particles.area / _box_area(g),
    "Area over the area of the bounding box.",
    _SK,
    "default shape",
)
add(
    "touches_border",
    "flag",
    _on_border,
    "Whether the bounding box reaches the image's border.",
    _IJ,
    "default position",
    dtype="bool",
)
add(
    "perimeter_crofton",
    "length",
    lambda g: g.perimeter_crofton,
    "Length of all borders, those of holes too, from how often lines in four directions enter the particle.",
    "Crofton's formula, as scikit-image's perimeter_crofton",
    "shape crofton",
    needs=("crossings",),
)
add(
    "circularity_crofton",
    "number",
    lambda g: _circularity(g, g.perimeter_crofton),
    "4 pi area / perimeter_crofton^2, at most 1.",
    "scikit-image (perimeter_crofton)",
    "shape crofton",
    needs=("crossings",),
)
add(
    "holes",
    "number",
    lambda g: g.holes.astype(np.int64),
    "Number of enclosed regions that are not this particle (joined by their sides); all pieces added.",
    _SK,
    "shape morphology",
    dtype="int64",
    needs=("crossings",),
)
add(
    "filled_area",
    "area",
    lambda g: g.filled_area,
    "Area inside the outer outline, holes and what lies in them included; all pieces added.",
    "ImageJ (Analyze Particles, include holes)",
    "shape morphology",
)
