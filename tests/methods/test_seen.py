"""Which images a method has seen: of networks, forests, method files, the bundled network and its descendants."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from napari_mpseg.errors import ModelError, UnknownNameError
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.files import save_method
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.methods.seen import seen_by
from napari_mpseg.networks.bundled import bundled_model
from napari_mpseg.operating_point import store_threshold
from napari_mpseg.training.data.fingerprints import Fingerprint, older_fingerprints
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.seen import seen_by_card
from napari_mpseg.training.presets import PRESETS
from napari_mpseg.training.session import prepare_session

QUICK = PRESETS["painted"].changed(
    network="quarter-multiresunet",
    epochs=1,
    **{"patches.size": 32, "patches.per_epoch": 2, "patches.synthetic_share": 0.0},
)


def pair(seed, name="a"):
    image = np.random.default_rng(seed).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    return LabelledImage(name, image, image[..., 0] > 200)


def sight(seen, one, name="elsewhere"):
    return seen.sight_of(Fingerprint(name, one.image))


def without_data(folder):
    """Make of a model's card one that an earlier version wrote."""
    card = json.loads((folder / "card.json").read_text())
    for key in ("data", "validated_on", "started_from_sha256"):
        card["training"].pop(key, None)
    (folder / "card.json").write_text(json.dumps(card))


@pytest.fixture(scope="module")
def descendants(tmp_path_factory):
    """The bundled network in every guise: each has seen the patches of MP-Net."""
    place = tmp_path_factory.mktemp("models")
    store_threshold("default", 0.4, {"aim": "by hand"}, out=place / "copy")
    shutil.copytree(place / "copy", place / "copy-of-an-earlier-version")
    without_data(place / "copy-of-an-earlier-version")
    save_method(place / "file.json", "default", threshold=0.4)
    start = bundled_model()
    tuned = prepare_session([pair(0)], QUICK.settings, start=start, name="tuned").model()
    tuned.save(place / "tuned")
    renamed = replace(tuned, card=replace(tuned.card, name="renamed"))
    prepare_session([pair(1)], QUICK.settings, start=renamed, name="again").model().save(place / "again")
    shutil.copytree(place / "tuned", place / "tuned-by-an-earlier-version")
    without_data(place / "tuned-by-an-earlier-version")
    return place


GUISES = [
    "default",
    "copy",
    "copy-of-an-earlier-version",
    "file.json",
    "tuned",
    "again",
    "tuned-by-an-earlier-version",
]


@pytest.mark.data
@pytest.mark.parametrize("guise", GUISES)
def test_the_bundled_network_is_known_in_every_guise(descendants, shared_data, guise):
    seen = seen_by(guise if guise == "default" else descendants / guise)
    patches = sorted((shared_data / "mpnet").glob("fold_*/*.png"))
    assert len(patches) == 60
    for path in patches[::7]:
        found = seen.sight_of(Fingerprint.of(replace(open_image(path), name="renamed.png")))
        assert (found.learnt, found.by_pixels) == (True, True)
    assert sight(seen, pair(99)) is None


def test_copies_say_themselves_what_they_have_learnt_from(descendants):
    card = json.loads((descendants / "copy" / "card.json").read_text())
    assert len({one["image_sha256"] for one in card["training"]["data"]}) == 60


def test_what_a_start_had_seen_is_carried_on(descendants):
    """Also after the start was renamed, and over two generations."""
    seen = seen_by(descendants / "again")
    assert [sight(seen, pair(seed)) is not None for seed in (0, 1, 2)] == [True, True, False]
    assert {one.get("seen_by") for one in seen.uses["learnt"]} == {None, "renamed", "half-multiresunet-nile-red"}
    assert seen.told


def test_what_a_start_was_validated_on_is_carried_on():
    first = prepare_session([pair(0)], QUICK.settings, validation=[pair(5)]).model()
    second = prepare_session([pair(1)], QUICK.settings, start=first).card
    seen = seen_by_card({"training": second.training})
    assert sight(seen, pair(5)).use == "validated"
    assert not sight(seen, pair(5)).learnt


def test_the_images_a_threshold_was_chosen_on_are_known(descendants, tmp_path):
    record = {"aim": "best-f1", "chosen_on": [Fingerprint("x", pair(7).image).to_dict(), "by its name"]}
    store_threshold(descendants / "tuned", 0.3, record, out=tmp_path / "m")
    seen = seen_by(tmp_path / "m")
    assert sight(seen, pair(7)).use == "threshold"
    assert sight(seen, pair(8), "by its name").use == "threshold"
    assert sight(seen, pair(0)).use == "learnt"


def test_a_model_of_an_earlier_version_is_known_by_the_pixels_it_kept():
    seen = seen_by_card({"training": {"data": older_fingerprints([pair(3)])}})
    assert sight(seen, pair(3)).by_pixels
    assert sight(seen, pair(4)) is None
    assert sight(seen, pair(4), "a").by_pixels is False


def test_dark_images_of_one_size_are_not_taken_for_each_other_but_by_earlier_versions():
    dark = [LabelledImage(f"{k}", np.zeros((1000, 1500, 3), np.uint8), np.zeros((1000, 1500), bool)) for k in range(2)]
    dark[1].image[500, 10] = 9
    now = prepare_session([replace(dark[0], mask=dark[0].mask | True)], QUICK.settings).card.training
    assert sight(seen_by_card({"training": now}), dark[1]) is None
    other = LabelledImage("c", np.zeros((1000, 1400, 3), np.uint8), np.zeros((1000, 1400), bool))
    older = seen_by_card({"training": {"data": older_fingerprints(dark[:1])}})
    assert sight(older, other) is None  # of another size


def test_a_forest_is_known_by_its_images(tmp_path):
    from napari_mpseg.methods.forest.settings import ForestSettings
    from napari_mpseg.methods.forest.training import train_forest

    one = pair(0)
    train_forest([one], settings=ForestSettings(trees=4, sigmas=(1.0,))).save(tmp_path / "forest")
    seen = seen_by(tmp_path / "forest")
    assert sight(seen, one).learnt
    assert sight(seen, pair(1)) is None


def test_models_held_in_memory_are_known_too():
    assert seen_by(METHODS["default"].build(device="cpu")).told
    assert len(seen_by(METHODS["default"].build(device="cpu")).uses["learnt"]) == 60


def test_methods_that_learn_nothing_have_seen_nothing(tmp_path):
    save_method(tmp_path / "mine.json", "fixed-level", {"level": 3})
    for method in ("otsu", tmp_path / "mine.json"):
        assert seen_by(method).told
        assert sight(seen_by(method), pair(0)) is None


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(UnknownNameError):
        seen_by(tmp_path / "nothing.model")
    (tmp_path / "m").mkdir()
    with pytest.raises(ModelError, match="no card"):
        seen_by(tmp_path / "m")
    (tmp_path / "m" / "card.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        seen_by(tmp_path / "m")
