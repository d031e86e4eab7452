"""Images are told apart by all of their pixels, as they were given, whatever was painted and however they are seen."""

import hashlib
import json

import dask.array as da
import numpy as np
import pytest
import tifffile
from PIL import Image as Pictures

from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.open import open_image
from napari_mpseg.training.data.fingerprints import Fingerprint, fingerprints, is_older, older_fingerprints
from napari_mpseg.training.data.pairs import LabelledImage, load_folder
from napari_mpseg.training.painted.annotations import painted_image
from napari_mpseg.training.presets import PRESETS
from napari_mpseg.training.session import prepare_session


def digests(images):
    return [one["image_sha256"] for one in fingerprints(images)]


def filters(count):
    """Return dark filters with a few bright particles each, none of them where earlier versions looked."""
    found = []
    for number in range(count):
        image = np.zeros((1000, 1500, 3), np.uint8)
        image[200 + 7 * number : 210 + 7 * number, 300:310] = 200
        found.append(LabelledImage(f"{number}", image, image[..., 0] > 100))
    return found


def test_digest_is_that_of_shape_and_bytes():
    image = np.arange(700 * 13 * 3, dtype=np.uint8).reshape(700, 13, 3)
    expected = hashlib.sha256(b"(700, 13, 3)" + image.tobytes()).hexdigest()
    assert digests([LabelledImage("a", image, image[..., 0] > 5)]) == [expected]


def test_dark_filters_are_told_apart_by_what_lies_between_the_windows():
    images = filters(4)
    assert len(set(digests(images))) == 4
    assert len({one["pixels_sha256"] for one in older_fingerprints(images)}) == 1


def test_one_changed_pixel_is_another_image(rng):
    image = rng.integers(0, 255, (600, 700, 3)).astype(np.uint8)
    changed = image.copy()
    changed[599, 350] ^= 1
    mask = image[..., 0] > 100
    assert len(set(digests([LabelledImage("a", image, mask), LabelledImage("a", changed, mask)]))) == 2


def test_what_was_painted_does_not_matter(rng):
    image = rng.integers(0, 255, (300, 300, 3)).astype(np.uint8)
    known = np.zeros((300, 300), bool)
    known[100:140, 100:140] = True
    whole, part = LabelledImage("a", image, known), LabelledImage("a", image, known, known)
    assert len(set(digests([whole, part]))) == 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_training_and_comparing_take_the_same_digest(tmp_path, rng, dtype, channels):
    """Read whole, read part by part, by another rule, from a rectangle around the paint: the same picture."""
    image = (rng.random((80, 90, channels)) * (1 if dtype == "float32" else 200)).astype(dtype)
    image = image[..., 0] if channels == 1 else image
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb" if channels == 3 else "minisblack")
    strokes = np.zeros((80, 90), np.uint8)
    strokes[20:30, 20:30], strokes[40:50, 20:30] = 1, 2
    tifffile.imwrite(tmp_path / "labels" / "a.tif", strokes)
    painted = [
        painted_image(tmp_path / "a.tif", strokes, "scribbles", normalisation=Normalisation(rule))
        for rule in ("auto", "range", "percentile")
    ]
    found = {*digests([*load_folder(tmp_path), *painted]), Fingerprint.of(open_image(tmp_path / "a.tif")).whole}
    assert len(found) == 1


def test_of_an_enormous_image_the_whole_is_told_though_only_a_rectangle_is_kept():
    image = da.zeros((9000, 9000), dtype="u1", chunks=3000)
    strokes = np.zeros((9000, 9000), "u1")
    strokes[100:110, 200:260], strokes[500, 600] = 1, 2
    pair = painted_image(image, strokes, "scribbles")
    assert pair.mask.size < 9000 * 9000
    plain = Fingerprint(pair.name, pair.image)
    assert plain.shape == (9000, 9000, 1)
    assert plain.whole == hashlib.sha256(b"(9000, 9000, 1)" + bytes(9000 * 9000)).hexdigest()


@pytest.mark.parametrize(("network", "shrink"), [("grey", 1), ("colour", 2)])
def test_the_card_lists_the_images_as_they_were_given(rng, network, shrink):
    from napari_mpseg.networks.bundled import bundled_model

    image = rng.integers(0, 255, (128, 128, 1 if network == "grey" else 3)).astype(np.uint8)
    pair = LabelledImage("a", image, image[..., 0] > 200)
    held = LabelledImage("b", 255 - image, image[..., 0] < 50)
    settings = PRESETS["painted"].changed(
        network="quarter-multiresunet", shrink=shrink, **{"patches.size": 32, "patches.synthetic_share": 0.0}
    )
    start = bundled_model() if network == "grey" else None  # it takes three channels
    session = prepare_session([pair], settings.settings, start=start, validation=[held])
    listed, validated = session.card.training["data"][0], session.card.training["validated_on"][0]
    assert (listed["name"], listed["shape"]) == ("a", list(image.shape))
    assert listed["image_sha256"] == Fingerprint("a", image).whole
    assert validated["image_sha256"] == Fingerprint("b", 255 - image).whole


def test_a_run_that_an_earlier_version_began_is_gone_on_with(tmp_path, rng):
    image = rng.integers(0, 255, (96, 96, 3)).astype(np.uint8)
    pair = LabelledImage("a", image, image[..., 0] > 200)
    patches = {"patches.size": 32, "patches.per_epoch": 4, "patches.synthetic_share": 0.0}
    settings = PRESETS["painted"].changed(network="quarter-multiresunet", epochs=1, **patches).settings
    prepare_session([pair], settings, checkpoint=tmp_path / "run").run()
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    state["data"]["images"] = older_fingerprints([pair])
    (tmp_path / "run" / "state.json").write_text(json.dumps(state))
    assert is_older(state["data"])
    assert prepare_session([pair], settings, checkpoint=tmp_path / "run").resumed == 1


def test_png_and_its_copy_elsewhere_are_the_same(tmp_path, rng):
    image = rng.integers(0, 255, (40, 50, 3)).astype(np.uint8)
    Pictures.fromarray(image).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", image, photometric="rgb")
    assert len({Fingerprint.of(open_image(tmp_path / name)).whole for name in ("a.png", "b.tif")}) == 1
