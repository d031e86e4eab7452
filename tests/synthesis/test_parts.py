"""The parts that synthetic images are made from."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, spatial, stats
from scipy.spatial import distance

from napari_mpseg.synthesis.blocks import Window
from napari_mpseg.synthesis.fields import smooth_field
from napari_mpseg.synthesis.jpeg import compressed
from napari_mpseg.synthesis.shapes import SHAPES, largest_piece
from napari_mpseg.synthesis.streams import generator, uniform


def test_keyed_numbers_are_uniform_and_unrelated():
    y, x = np.mgrid[-150:150, -150:150]
    numbers = uniform(5, "test", y, x)
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 0.001
    for other in (uniform(6, "test", y, x), uniform(5, "other", y, x), uniform(5, "test", x, y), numbers[::-1]):
        assert abs(np.corrcoef(numbers.ravel(), other.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(numbers[1:].ravel(), numbers[:-1].ravel())[0, 1]) < 0.02


def test_generators_belong_to_their_place():
    assert generator(1, "a", 2, 3).random() == generator(1, "a", 2, 3).random()
    assert generator(1, "a", 2, 3).random() != generator(1, "a", 3, 2).random()


def test_smooth_fields_have_unit_spread_and_do_not_depend_on_the_window():
    whole = smooth_field(3, "field", Window(-1000, 50, 2000, 1500), 12.0)
    assert whole.mean() == pytest.approx(0, abs=0.05)
    assert whole.std() == pytest.approx(1, abs=0.05)
    part = smooth_field(3, "field", Window(-800, 300, 90, 70), 12.0)
    np.testing.assert_allclose(part, whole[200:290, 250:320], atol=1e-4)
    assert abs(np.diff(whole, axis=0)).max() < 0.6


@pytest.mark.parametrize("quality", [50, 85, 95])
def test_compression_leaves_what_a_jpeg_codec_leaves(quality, rng):
    grey = np.clip(ndimage.gaussian_filter(rng.normal(0, 1, (96, 96)), 1.2) * 120 + 110, 0, 255).astype(np.uint8)
    picture = np.repeat(grey[..., None], 3, 2)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=quality, subsampling=2)
    codec = np.asarray(Image.open(file)).astype(float)
    ours = np.clip(np.rint(compressed(picture.astype(np.float32), quality)), 0, 255)
    loss = abs(codec - picture).mean()
    assert abs(ours - picture).mean() == pytest.approx(loss, rel=0.1)
    assert abs(ours - codec).mean() < 0.2 * loss + 0.05


@pytest.mark.parametrize("name", ["bead", "fragment", "film"])
def test_shapes_are_as_long_as_asked(name):
    """The longest distance between corners of pixels: about a pixel more than between the outline's own points."""
    found = []
    for seed in range(60):
        y, x = np.nonzero(SHAPES[name](np.random.default_rng(seed), 30.0))
        corners = np.concatenate([np.stack([y + down, x + right], 1) for down in (0, 1) for right in (0, 1)])
        found.append(distance.pdist(corners[spatial.ConvexHull(corners).vertices]).max())
    assert min(found) > 28.5
    assert max(found) < 32
    assert np.median(found) == pytest.approx(30.5, abs=0.7)


@pytest.mark.parametrize("name", list(SHAPES))
@pytest.mark.parametrize("length", [1.0, 2.5, 9.0, 60.0, 240.0])
def test_shapes_are_one_piece_and_no_longer_than_asked(name, length):
    for seed in range(15):
        mask = SHAPES[name](np.random.default_rng(seed), length)
        assert mask.any(0).all()
        assert mask.any(1).all()
        assert ndimage.label(mask, np.ones((3, 3)))[1] == 1
        assert max(mask.shape) <= length + 4


def test_shapes_differ_as_their_names_say():
    fill = {
        name: np.mean([SHAPES[name](np.random.default_rng(s), 60.0).sum() / 60.0**2 for s in range(20)])
        for name in SHAPES
    }
    assert fill["bead"] == pytest.approx(np.pi / 4 * 0.95, abs=0.04)
    assert fill["fibre"] < 0.1 < fill["fragment"] < fill["bead"]


def test_an_empty_outline_becomes_one_pixel():
    assert largest_piece(np.zeros((4, 4), bool)).tolist() == [[True]]
