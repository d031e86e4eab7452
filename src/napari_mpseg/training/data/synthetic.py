"""Made images with exact masks, to be mixed in with the real ones."""

from napari_mpseg.training.data.pairs import LabelledImage

SYNTHETIC_PATCHES = 48


def synthetic_patches(seed: int, count: int = SYNTHETIC_PATCHES) -> list[LabelledImage]:
    """Return synthetic Nile-red patches, ``(256, 256, 3)`` uint8, with their exact masks."""
    from napari_mpseg.synthesis.patches import training_pairs

    return [
        LabelledImage(f"synthetic/{index}", image, mask)
        for index, (image, mask) in enumerate(training_pairs(seed, count))
    ]
