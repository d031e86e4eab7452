"""Forests come back from disk as they were, and what was changed or damaged is refused."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from napari_mpseg.errors import ModelError, StoreError
from napari_mpseg.methods.forest.forest import load_forest

CARD, TREES = "forest.json", "trees.safetensors"


@pytest.fixture
def folder(forest, tmp_path):
    return forest.save(tmp_path / "discs")


def rewrite(folder, **changes):
    values = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**values, **changes}))


def test_a_forest_comes_back_as_it_was(forest, folder, rng):
    found = load_forest(folder)
    assert sorted(path.name for path in folder.iterdir()) == [CARD, TREES]
    assert found.card.settings == forest.card.settings
    assert found.card.training == json.loads(json.dumps(forest.card.training))
    planes = rng.random((24, 500)).astype(np.float32)
    np.testing.assert_array_equal(found.trees.probability(planes), forest.trees.probability(planes))


def test_nothing_is_replaced_unasked(forest, folder):
    before = (folder / TREES).read_bytes()
    with pytest.raises(StoreError, match="already there"):
        forest.save(folder)
    assert (folder / TREES).read_bytes() == before
    forest.save(folder, overwrite=True)
    assert [path.name for path in folder.parent.iterdir()] == ["discs"]


def test_a_changed_file_of_trees_is_refused(folder):
    content = bytearray((folder / TREES).read_bytes())
    content[-1] ^= 1
    (folder / TREES).write_bytes(content)
    with pytest.raises(ModelError, match="changed or damaged"):
        load_forest(folder)


def test_trees_of_other_features_are_refused_though_their_digest_fits(folder):
    content = save({**load_file(folder / TREES), "left": np.zeros(3, np.int32)})
    (folder / TREES).write_bytes(content)
    rewrite(folder, trees_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(ModelError, match="no trees of this forest"):
        load_forest(folder)
    (folder / TREES).write_bytes(b"not trees")
    rewrite(folder, trees_sha256=hashlib.sha256(b"not trees").hexdigest())
    with pytest.raises(ModelError, match="no trees of this forest"):
        load_forest(folder)


def test_fewer_channels_than_the_trees_ask_about_are_refused(folder):
    rewrite(folder, in_channels=1)
    with pytest.raises(ModelError, match="no trees of this forest"):
        load_forest(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "newer version"),
        ({"surprise": 1}, "surprise"),
        ({"settings": {"features": ["colour"]}}, "colour"),
        ({"settings": {"sigmas": [0]}}, "Scales"),
        ({"threshold": 1.5}, "threshold"),
        ({"in_channels": 0}, "channels"),
        ({"name": 3}, "name"),
        ({"format": "1"}, "format"),
        ({"normalisation": {"kind": "none"}}, "none"),
    ],
)
def test_a_card_this_version_does_not_understand_is_refused(folder, changes, said):
    rewrite(folder, **changes)
    with pytest.raises(ModelError, match=said):
        load_forest(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '"forest"'])
def test_a_damaged_card_is_refused(folder, text):
    (folder / CARD).write_text(text)
    with pytest.raises(ModelError, match=CARD):
        load_forest(folder)


def test_what_is_no_forest_is_refused(folder, tmp_path):
    with pytest.raises(ModelError, match="no forest"):
        load_forest(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="no forest"):
        load_forest(folder / CARD)
    (folder / TREES).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_forest(folder)
