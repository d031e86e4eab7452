"""The forest as a method: from strokes on the image, or from a folder; the same by tiles as at once."""

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods.forest.method import ForestMethod, StrokesMethod, from_folder, from_strokes, octaves
from napari_mpseg.methods.forest.predictor import ForestPredictor
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.registry import METHODS, resolve_method
from napari_mpseg.methods.seen import seen_by
from napari_mpseg.pipeline import segment
from napari_mpseg.training.data.fingerprints import Fingerprint

QUICK = {"finest": 1.0, "coarsest": 2.0, "trees": 12}


@pytest.mark.parametrize(("shape", "tile"), [((131, 77), 40), ((300, 33), 64), ((1, 1), 8)])
def test_tiles_equal_the_whole_image(rng, forest, shape, tile):
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    predictor = ForestPredictor(forest, Scaling("dtype", 0, 255))
    found = tiled_probability(Image(da.from_array(pixels, chunks=50)), predictor, tile).compute()
    whole = predictor.predict(pixels)
    assert found.dtype == whole.dtype == np.float32
    np.testing.assert_allclose(found, whole, atol=1e-4)


def test_strokes_on_one_half_find_the_particles_of_the_other(picture, strokes):
    image, mask = picture
    result = segment(image, "pixel-forest", options={"painted": strokes, **QUICK}, measure=False)
    found = np.asarray(result.labels[...]) > 0
    hits = (found & mask)[66:].sum()
    assert 2 * hits / (found[66:].sum() + mask[66:].sum()) > 0.85
    levels = np.unique(np.asarray(result.probability[...]))
    assert len(levels) > 5  # graded
    assert result.provenance["settings"]["options"]["forest"]["trees"] == 12


def test_a_stretched_copy_of_the_image_gives_the_same(picture, strokes):
    image, _ = picture
    wide = np.clip(image, 1, 254).astype(np.float32) * 16  # below 4095, the full scale of a 12-bit camera
    one, other = (
        StrokesMethod(strokes, settings=replace(from_strokes(strokes, **QUICK)._settings)).prepare(open_image(pixels))
        for pixels in (np.clip(image, 1, 254), wide)
    )
    a = one.predictor.predict(np.clip(image, 1, 254))
    b = other.predictor.predict(wide)
    assert np.abs(a - b).mean() < 0.02


def test_what_was_learnt_from_strokes_can_be_kept(picture, strokes, tmp_path):
    image, _ = picture
    method = METHODS["pixel-forest"].build(painted=strokes, **QUICK)
    first = segment(image, method, measure=False)
    method.forest.save(tmp_path / "kept")
    again = segment(image, tmp_path / "kept", measure=False)
    np.testing.assert_array_equal(np.asarray(first.labels[...]), np.asarray(again.labels[...]))
    assert again.provenance["model"]["name"] == "pixel-forest"
    assert seen_by(tmp_path / "kept").sight_of(Fingerprint.of(open_image(image))).by_pixels


def test_strokes_are_needed_and_must_fit(picture, strokes):
    image, _ = picture
    with pytest.raises(SettingsError, match="painted"):
        segment(image, "pixel-forest")
    with pytest.raises(SettingsError, match="strokes"):
        from_strokes()
    with pytest.raises(SettingsError, match="131 x 77"):
        segment(image, "pixel-forest", options={"painted": strokes[:40], **QUICK})
    with pytest.raises(SettingsError, match="background"):
        segment(image, "pixel-forest", options={"painted": strokes, "background_label": 5, **QUICK})


def test_a_forests_own_threshold_is_its_operating_point(forest, picture, tmp_path):
    image, _ = picture
    careful = replace(forest, card=replace(forest.card, threshold=0.9))
    method = from_folder(careful.save(tmp_path / "careful"))
    assert method.default_threshold == 0.9
    found = segment(image, tmp_path / "careful", min_size=0, measure=False)
    assert found.threshold == 0.9
    assert (np.asarray(found.labels[...]) > 0).sum() < (
        np.asarray(segment(image, tmp_path / "careful", threshold=0.1, min_size=0, measure=False).labels[...]) > 0
    ).sum()


def test_a_folder_is_recognised_and_described(forest, tmp_path):
    folder = forest.save(tmp_path / "discs")
    entry = resolve_method(folder)
    assert (entry.graded, entry.network) == (True, False)
    assert entry.build().describe()["model"]["settings"]["trees"] == 12


def test_grey_images_and_other_pixel_sizes_are_said(forest):
    grey = open_image(np.zeros((20, 20), np.uint8), calibration=Calibration.parse("10um"))
    method = ForestMethod(replace(forest, card=replace(forest.card, pixel_size_um=2.5)))
    prepared = method.prepare(grey)
    assert prepared.predictor.predict(np.asarray(prepared.image.data)).shape == (20, 20)
    said = " ".join(prepared.notes)
    assert "grey" in said
    assert "10 um" in said


def test_its_options_are_told():
    options = {option.name: option for option in options_of("pixel-forest")}
    assert set(options) == {"background_label", "finest", "coarsest", "trees"}
    assert all(option.help for option in options.values())


def test_scales_double():
    assert octaves(1, 16) == (1, 2, 4, 8, 16)
    assert octaves(0.7, 3) == (0.7, 1.4, 2.8)
    with pytest.raises(SettingsError, match="no scale"):
        octaves(4, 2)


@pytest.mark.data
def test_real_strokes_find_what_scikit_learns_forest_finds(shared_data):
    """63 objects by ImageJ; scikit-image's features and scikit-learn's forest reach an object F1 of 0.967."""
    from skimage.measure import label

    folder = shared_data / "painted"
    image, painted, truth = (
        tifffile.imread(folder / name) for name in ("blobs.tif", "blobs_annotations.tif", "blobs_labels_imagej.tif")
    )
    result = segment(image, "pixel-forest", options={"painted": painted}, min_size=20, measure=False)
    found = label(np.asarray(result.labels[...]) > 0, connectivity=2)
    hits = 0
    for number in range(1, found.max() + 1):
        own = found == number
        beneath = np.bincount(truth[own])
        best = int(beneath[1:].argmax()) + 1 if len(beneath) > 1 else 0
        hits += best > 0 and (own & (truth == best)).sum() / (own | (truth == best)).sum() > 0.5
    assert 2 * hits / (found.max() + len(np.unique(truth)) - 1) >= 0.95
