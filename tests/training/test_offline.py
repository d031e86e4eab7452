"""The offline set of Babkauskas 2023: which eighteen, and masks that stay on their particles."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.training.augment.offline import offline_set, offline_variants
from napari_mpseg.training.data.pairs import LabelledImage


@pytest.fixture
def pair(rng):
    smooth = ndimage.gaussian_filter(rng.random((64, 64)), 3)
    image = np.interp(smooth, (smooth.min(), smooth.max()), (0, 255)).astype(np.uint8)
    mask = image > 140
    known = np.ones((64, 64), bool)
    known[:20] = False
    return LabelledImage("tio2/1.png", np.stack([image, image, 255 - image], -1), mask, known)


def test_22_images_become_396(rng):
    images = [
        LabelledImage(str(i), rng.integers(0, 256, (8, 8, 1), np.uint8), rng.random((8, 8)) < 0.5) for i in range(22)
    ]
    made = offline_set(images)
    assert len(made) == 396
    assert len({one.name for one in made}) == 396
    assert all(one.known is None for one in made)


def test_which_eighteen(pair):
    """Identity, three flips, five rotations of each flip; the identity is both flips turned by 180 degrees."""
    image = pair.image
    exact = [image, image[::-1], image[:, ::-1], image[::-1, ::-1]]
    exact += [np.rot90(flipped, turns) for flipped in exact[1:] for turns in (1, 3)]
    exact += [np.rot90(image[::-1], 2), np.rot90(image[:, ::-1], 2)]
    found = sorted(
        one.image.tobytes() for one in offline_variants(pair) if "120" not in one.name and "225" not in one.name
    )
    assert found == sorted(np.ascontiguousarray(one).tobytes() for one in exact)
    every = [one.image.tobytes() for one in offline_variants(pair)]
    assert len(every) == 18
    assert len(set(every)) == 14


def test_oblique_rotations_are_those_of_scikit_image(pair):
    from skimage.transform import rotate

    by_name = {one.name: one for one in offline_variants(pair)}
    for flip, flipped in (("vertical flip", np.flipud), ("horizontal flip", np.fliplr)):
        for angle in (120, 225):
            made = by_name[f"tio2/1.png, {flip}, {angle} degrees"]
            expected = rotate(flipped(pair.image), angle, order=1, mode="symmetric", preserve_range=True)
            np.testing.assert_allclose(made.image, expected, atol=0.51)
            truth = rotate(flipped(pair.mask), angle, order=0, mode="symmetric")
            assert (made.mask != truth).mean() < 0.002
            assert made.image.dtype == np.uint8
            assert made.mask.dtype == made.known.dtype == bool


def test_masks_stay_on_their_particles(pair):
    for made in offline_variants(pair):
        assert ((made.image[..., 0] > 140) != made.mask).mean() < 0.05
        assert made.mask.mean() == pytest.approx(pair.mask.mean(), abs=0.15)


def test_images_that_are_not_square_and_float_ones(rng):
    image = rng.uniform(0, 255, (10, 16, 1)).astype(np.float32)
    for made in offline_variants(LabelledImage("a", image, image[..., 0] > 128)):
        turned = made.name.endswith(("90 degrees", "270 degrees"))
        assert made.image.shape == ((16, 10, 1) if turned else (10, 16, 1))
        assert made.mask.shape == made.image.shape[:2]
        assert made.image.dtype == np.float32
