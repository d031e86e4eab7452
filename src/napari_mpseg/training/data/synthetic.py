"""Made images with exact masks, to be mixed in with the real ones."""

from napari_mpseg.training.data.compacting import compact
from napari_mpseg.training.data.pairs import LabelledImage

SYNTHETIC_PATCHES = 48


def synthetic_patches(seed: int, count: int = SYNTHETIC_PATCHES) -> list[LabelledImage]:
    """Return synthetic Nile-red patches, ``(256, 256, 3)`` uint8, with their exact masks."""
    from napari_mpseg.synthesis.patches import labelled_patches

    return [
        LabelledImage(f"synthetic/{index}", image, labels > 0, instances=compact(labels))
        for index, (image, labels) in enumerate(labelled_patches(seed, count))
    ]
