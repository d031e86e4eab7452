"""No image is scored by a model that learnt from it without a word."""

import json

import pytest
import torch

from napari_mpseg.comparison import compare
from napari_mpseg.comparison.methods import HeldOutContender, MethodContender
from napari_mpseg.comparison.pictures import pictures_of
from napari_mpseg.comparison.seen import fold_of, read_folds
from napari_mpseg.errors import ModelError
from napari_mpseg.training.data.fingerprints import fingerprints, older_fingerprints
from napari_mpseg.training.data.folders import folds_of


@pytest.fixture
def crossval(folds, tmp_path, request):
    """A stored cross-validation of both folds; its models are the bundled one, which is quick."""
    from napari_mpseg.networks.bundled import bundled_model

    out = tmp_path / "crossval"
    out.mkdir()
    cut = folds_of(folds)
    digests = request.param if hasattr(request, "param") else fingerprints
    (out / "folds.json").write_text(json.dumps({fold.name: digests(fold.patches) for fold in cut}))
    model = bundled_model()
    for fold in cut:
        model.save(out / f"without-{fold.name}")
    return out


@pytest.mark.parametrize("crossval", [fingerprints, older_fingerprints], indirect=True, ids=["now", "older"])
def test_model_without_the_images_fold_is_taken(folds, crossval):
    listed = read_folds(crossval)
    assert [fold_of(picture, listed, "crossval") for picture in pictures_of(folds)] == [
        ("fold_1", None),
        ("fold_2", None),
    ]


def test_image_in_another_folder_is_known_by_its_pixels(folds, crossval):
    # the folds' folders are swapped: their names would lead to the models that saw the images
    first, second = folds / "fold_1", folds / "fold_2"
    first.rename(folds / "other")
    second.rename(folds / "fold_1")
    (folds / "other").rename(folds / "fold_2")
    found = [fold_of(picture, read_folds(crossval), "crossval")[0] for picture in pictures_of(folds)]
    assert found == ["fold_2", "fold_1"]


def test_image_of_no_fold_is_refused_and_told(folder, crossval):
    (folder / "a.png").write_bytes((folder / "b.png").read_bytes())
    (folder / "b.png").unlink()
    from PIL import Image

    picture = Image.open(folder / "a.png").rotate(90)
    picture.save(folder / "a.png")
    with pytest.raises(ModelError, match="none of the folds"):
        fold_of(pictures_of(folder)[0], read_folds(crossval), "crossval")
    done = compare(folder, [str(crossval), "fixed-level"], resamples=0)
    assert [one.method for one in done.failures] == ["crossval"]
    assert len(done.cases) == 1


def test_fold_by_name_is_a_doubt(folder, crossval):
    from PIL import Image

    Image.open(folder / "a.png").rotate(90).save(folder / "a.png")
    picture = pictures_of(folder, group="fold_2")[0]
    chosen, doubt = fold_of(picture, read_folds(crossval), "crossval")
    assert chosen == "fold_2"
    assert "taken by the fold's name" in doubt.text
    assert not doubt.seen


def test_held_out_row_says_what_it_promises(folds, crossval):
    done = compare(folds, [f"Held out={crossval}", "fixed-level"], resamples=0)
    assert not done.failures
    assert any(
        note.startswith("Held out: every image was segmented by the model trained without") for note in done.notes
    )
    assert done.graded("Held out")
    assert not done.graded("fixed-level")


def test_model_that_learnt_from_an_image_is_marked(folds, tmp_path):
    from dataclasses import replace

    from napari_mpseg.networks.bundled import bundled_model

    model = bundled_model()
    seen = fingerprints(folds_of(folds)[0].patches)
    seen[0]["name"] = "elsewhere.png"
    model = replace(model, card=replace(model.card, training={"data": seen}))
    model.save(tmp_path / "model")
    contender = MethodContender("model", str(tmp_path / "model"))
    first, second = pictures_of(folds)
    assert [doubt.seen for doubt in contender.doubts(first)] == [True]
    assert contender.doubts(second) == ()
    done = compare(folds, [str(tmp_path / "model"), "fixed-level:level=90", "fixed-level"], resamples=0)
    assert done.name_of("model") == "model*"
    assert "model" not in done.best(done.metrics[0])
    assert any(note.startswith("model on fold_1/0.png: part of what") for note in done.notes)


def test_held_out_model_that_started_from_one_that_saw_the_image_is_marked(folds, crossval):
    card = crossval / "without-fold_1" / "card.json"
    seen = fingerprints(folds_of(folds)[0].patches)
    card.write_text(json.dumps({**json.loads(card.read_text()), "training": {"data": seen}}))
    contender = HeldOutContender("held", crossval)
    first, second = pictures_of(folds)
    assert [doubt.seen for doubt in contender.doubts(first)] == [True]
    assert contender.doubts(second) == ()


def test_model_that_was_selected_on_an_image_is_told_without_a_star(folds, tmp_path):
    from dataclasses import replace

    from napari_mpseg.networks.bundled import bundled_model

    model, (first, second) = bundled_model(), folds_of(folds)
    card = replace(
        model.card,
        weights_sha256="",
        training={"validated_on": fingerprints(first.patches)},
        scores={"operating_point": {"chosen_on": fingerprints(second.patches)}},
    )
    with torch.no_grad():
        next(iter(model.network.parameters())).mul_(1.001)  # another one than the bundled network
    replace(model, card=card).save(tmp_path / "model")
    done = compare(folds, [str(tmp_path / "model")], resamples=0)
    assert done.name_of("model") == "model"
    assert any("fold_1/0.png" in note and "validated on" in note for note in done.notes)
    assert any("fold_2/1.png" in note and "threshold was chosen on" in note for note in done.notes)


def test_changed_model_is_not_gone_on_with(folds, crossval, tmp_path):
    before = HeldOutContender("held", crossval).settings()
    card = crossval / "without-fold_1" / "card.json"
    card.write_text(card.read_text().replace('"dropout": 0.3', '"dropout": 0.4'))
    assert HeldOutContender("held", crossval).settings() != before
