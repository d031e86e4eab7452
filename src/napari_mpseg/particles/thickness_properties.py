"""Inner size of particles and their size as fibres: entries of the property registry."""

from napari_mpseg.particles.property import add

_OWN = "napari-mpseg"
_STRIP = "strip of equal area and perimeter"

add(
    "inscribed_diameter",
    "length",
    lambda g: g.inscribed_diameter,
    "Diameter of the largest circle that lies wholly on the particle's pixels, its centre on a pixel's centre, side or "
    "corner; the largest of all pieces.",
    "Euclidean distance transform, Felzenszwalb and Huttenlocher 2012",
    "morphology",
    needs=("inscribed",),
)
add(
    "fibre_length",
    "length",
    lambda g: g.fibre_length,
    "Length of the centre line between the two places farthest apart inside the particle, to the outside at both ends; "
    "branches left out, half of a closed ring, all pieces added.",
    "minimal path through the middle, Deschamps and Cohen 2001",
    "fibre",
    needs=("centre_line",),
)
add(
    "fibre_width",
    "length",
    lambda g: g.area / g.fibre_length,
    "Area over fibre_length: the mean width of a fibre without branches.",
    _OWN,
    "fibre",
    needs=("centre_line",),
)
add(
    "curl",
    "number",
    lambda g: g.fibre_length / g.feret_max,
    "fibre_length over feret_max: about 1 for a straight fibre, more for a bent one. Less 1, it is the curl index of "
    "paper physics.",
    "Page et al. 1985, curl index",
    "fibre",
    needs=("centre_line",),
)
add(
    "arc_length",
    "length",
    lambda g: g.arc_length,
    "Length of the strip, straight or bent, with the particle's area and Crofton perimeter; closed rings count in "
    "full, branches are added; what is rounder than a square counts as one.",
    _STRIP,
    "fibre",
    needs=("crossings",),
)
add(
    "arc_width",
    "length",
    lambda g: g.area / g.arc_length,
    "Width of the strip with the particle's area and Crofton perimeter.",
    _STRIP,
    "fibre",
    needs=("crossings",),
)
