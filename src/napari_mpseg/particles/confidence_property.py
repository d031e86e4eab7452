"""How sure the segmentation was of a particle: the first entry of the property registry."""

from napari_mpseg.particles.property import add

add(
    "confidence",
    "number",
    lambda g: g.particles.confidence,
    "Mean probability over the particle's pixels, 0 to 1.",
    "napari-mpseg",
    "",
    given="probability",
)
