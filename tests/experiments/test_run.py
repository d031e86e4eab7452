"""A protocol trains, selects and tests on different images, keeps everything, and goes on where it was killed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image as Pictures
from sklearn import metrics

import napari_mpseg
from napari_mpseg.errors import Cancelled, MpsegError, SettingsError
from napari_mpseg.experiments.registry import PROTOCOLS
from napari_mpseg.methods.files import save_method
from napari_mpseg.networks.modelfile import load_card
from napari_mpseg.progress import CancelToken

BAEK = PROTOCOLS["baek-2021"]
SETTINGS = BAEK.settings(particle_value=0)
METHODS = ["otsu", "fixed-level"]


@pytest.fixture(scope="module")
def finished(pictures, quick, tmp_path_factory):
    """The whole protocol on ten images, never stopped: folder and table."""
    out = tmp_path_factory.mktemp("run") / "out"
    return out, BAEK.run(pictures, out, settings=SETTINGS, presets=[quick], methods=METHODS)


def read(place):
    return json.loads(place.read_text(encoding="utf-8"))


def masks_and_truth(out, pictures, kind, name):
    """Return what was predicted and what is true, for every round: lists of arrays."""
    found = {}
    for folder in sorted((out / "masks" / kind / name).iterdir()):
        files = sorted(folder.iterdir())
        names = [file.name.removesuffix(".tif").removeprefix("pictures-") for file in files]
        found[folder.name] = [
            (tifffile.imread(file) == 255, np.asarray(Pictures.open(pictures / "labels" / name)) == 0)
            for file, name in zip(files, names, strict=True)
        ]
    return found


def test_every_part_is_kept(finished):
    out, _ = finished
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["split.json", "models", "evidence", "masks", "table.md", "table.csv", "table.json"]
    )
    models = sorted(path.name for path in (out / "models" / "baek-unet-3").iterdir())
    assert models == sorted(["preset.json", *(f"without-fold_1-validated-on-fold_{k}" for k in (2, 3, 4, 5))])
    assert len(list((out / "masks").rglob("*.tif"))) == len(list((out / "evidence").rglob("*.json"))) == 2 * (4 + 2)


def test_no_test_image_is_learnt_from_or_selected_by(finished):
    """By what the models themselves say they have seen: digests of pixels."""
    out, _ = finished
    split = read(out / "split.json")
    prints = {name: values["image_sha256"] for name, values in split["images"].items()}
    assert len(set(prints.values())) == 10
    test = {prints[name] for name in split["datasets"]["fold_1"]}
    for name, one in split["rounds"].items():
        train, validation = ({prints[image] for image in one[part]} for part in ("train", "validation"))
        assert {prints[image] for image in one["test"]} == test
        assert not train & validation
        assert not (train | validation) & test
        assert train | validation | test == set(prints.values())
        card = load_card(out / "models" / "baek-unet-3" / name)
        assert {image["image_sha256"] for image in card.training["data"]} == train


def test_the_epoch_and_the_fold_of_lowest_validation_loss_are_kept(finished):
    out, table = finished
    losses = {}
    for name in read(out / "split.json")["rounds"]:
        card = load_card(out / "models" / "baek-unet-3" / name)
        assert card.training["keep"] == "best-loss"
        losses[name] = card.scores["validation"]["loss"]
    (best,) = [row for row in table.rows if row.block == "best" and row.name == "baek-unet-3"]
    assert best.rounds == (min(losses, key=losses.get),)


@pytest.mark.parametrize(
    ("kind", "name"), [("presets", "baek-unet-3"), ("methods", "otsu"), ("methods", "fixed-level")]
)
def test_the_table_is_what_scikit_learn_says_of_the_masks(finished, pictures, kind, name):
    out, table = finished
    rounds = masks_and_truth(out, pictures, kind, name)
    (row,) = [row for row in table.rows if row.block == "folds" and row.name == name]
    counts = np.mean(
        [
            metrics.confusion_matrix(
                np.concatenate([truth.ravel() for _, truth in pairs]),
                np.concatenate([mask.ravel() for mask, _ in pairs]),
                labels=[False, True],
            )
            for pairs in rounds.values()
        ],
        axis=0,
    )
    assert [row.counts[key] for key in ("tn", "fp", "fn", "tp")] == pytest.approx(counts.ravel().tolist())
    # the metrics of averaged counts are those of labels weighted by them
    truth, mask, weight = [0, 0, 1, 1], [0, 1, 0, 1], counts.ravel()
    expected = {
        "balanced-accuracy": metrics.balanced_accuracy_score(truth, mask, sample_weight=weight),
        "precision": metrics.precision_score(truth, mask, sample_weight=weight, zero_division=0),
        "recall": metrics.recall_score(truth, mask, sample_weight=weight),
        "f1": metrics.f1_score(truth, mask, sample_weight=weight),
        "f0.5": metrics.fbeta_score(truth, mask, beta=0.5, sample_weight=weight),
        "f2": metrics.fbeta_score(truth, mask, beta=2, sample_weight=weight),
        "iou": np.mean(
            [metrics.jaccard_score(truth.ravel(), mask.ravel()) for pairs in rounds.values() for mask, truth in pairs]
        ),
    }
    assert dict(row.values) == pytest.approx(expected)
    if kind == "methods":
        assert row.values["f1"] > 0.1


def test_a_paper_stands_apart(finished):
    _, table = finished
    shown = table.to_markdown()
    above, below = shown.split("**The paper's own figures (Table 1 of Baek et al. 2021).**")
    assert "not to be compared" in below
    assert "| U-Net (2) | 0.906 | 0.587 | 0.812 | 0.557 | 0.622 | 0.682 | 0.755 |" in below
    assert "U-Net (2)" not in above
    head = table.to_csv().splitlines()[0]
    assert head == "block,name,balanced-accuracy,precision,recall,iou,f0.5,f1,f2,tp,fp,fn,tn"


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_and_ends_with_the_same_table(finished, pictures, quick, tmp_path):
    """Killed in the second epoch of the second training, and again while it tests the third model."""
    whole, table = finished
    out = tmp_path / "out"
    arguments = {"settings": SETTINGS, "presets": [quick], "methods": METHODS}
    second, third = (f"baek-unet-3 without-fold_1-validated-on-fold_{fold}" for fold in (3, 4))

    def killing(stage, share):
        def tell(event):
            if stage in event.stage and event.fraction >= share:
                raise Killed

        return tell

    with pytest.raises(Killed):
        BAEK.run(pictures, out, on_progress=killing(f"Training {second}", 0.8), **arguments)
    place = out / "models" / "baek-unet-3"
    assert (place / "without-fold_1-validated-on-fold_2").is_dir()
    assert (place / "without-fold_1-validated-on-fold_3.training").is_dir()
    with pytest.raises(Killed):
        BAEK.run(pictures, out, on_progress=killing(f"Testing {third}", 0.1), **arguments)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.suffix in (".safetensors", ".tif")}
    resumed = BAEK.run(pictures, out, **arguments)
    assert resumed.to_dict() == table.to_dict()
    for name in ("table.md", "table.csv", "table.json", "split.json"):
        assert (out / name).read_text() == (whole / name).read_text()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(out.rglob("*.training"))


def test_a_finished_run_is_not_trained_or_predicted_again(finished, pictures, quick, monkeypatch):
    out, table = finished
    monkeypatch.setattr("napari_mpseg.training.run.loop.Training.run", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr("napari_mpseg.pipeline.segment", lambda *_, **__: pytest.fail("predicted again"))
    assert BAEK.run(pictures, out, settings=SETTINGS, presets=[quick], methods=METHODS).to_dict() == table.to_dict()


def test_another_run_in_the_same_folder_is_refused(finished, pictures, folded, quick):
    out, _ = finished
    given = {"presets": [quick], "methods": METHODS}
    with pytest.raises(SettingsError, match="settings seed: 0 there, 1 here"):
        BAEK.run(pictures, out, settings=replace(SETTINGS, seed=1), **given)
    with pytest.raises(SettingsError, match="only"):
        BAEK.run(folded, out, settings=SETTINGS, **given)
    with pytest.raises(SettingsError, match="different: epochs"):
        BAEK.run(pictures, out, settings=SETTINGS, presets=[quick.changed(epochs=3)], methods=[])
    with pytest.raises(SettingsError, match="baek-2021"):
        PROTOCOLS["lee-2021"].run(pictures, out, settings=PROTOCOLS["lee-2021"].settings(particle_value=0), **given)


def test_masks_of_another_method_file_are_not_taken(pictures, tmp_path):
    """The table follows what a method is, not what it is called."""
    out = tmp_path / "out"
    file = tmp_path / "mine.json"
    rows = []
    for level in (100, 254):
        save_method(file, "fixed-level", {"level": level})
        table = BAEK.run(pictures, out, settings=SETTINGS, presets=[], methods=[str(file)])
        rows.append(next(row for row in table.rows if row.name == "mine").values["recall"])
    assert rows[0] > 0.9
    assert rows[1] == 0


def test_a_model_that_has_seen_the_test_images_is_refused(finished, pictures, quick, tmp_path):
    out, _ = finished
    model = out / "models" / "baek-unet-3" / "without-fold_1-validated-on-fold_2"
    arguments = {"settings": replace(SETTINGS, test="fold_4"), "presets": []}
    with pytest.raises(SettingsError, match=r"trained on \d of the test images"):
        BAEK.run(pictures, tmp_path / "a", methods=[str(model)], **arguments)
    started = replace(quick, start=str(model))
    with pytest.raises(SettingsError, match=r"trained on \d of the test images"):
        BAEK.run(pictures, tmp_path / "b", settings=arguments["settings"], presets=[started], methods=[])
    assert BAEK.run(pictures, tmp_path / "c", settings=SETTINGS, presets=[], methods=[str(model)]).rows


def test_a_model_that_was_selected_on_test_images_is_told(finished, pictures, tmp_path):
    out, _ = finished
    model = out / "models" / "baek-unet-3" / "without-fold_1-validated-on-fold_2"
    said = []
    settings = replace(SETTINGS, test="fold_2")
    table = BAEK.run(pictures, tmp_path / "a", settings=settings, presets=[], methods=[str(model)], say=said.append)
    (told,) = said
    assert "validated on" in told
    assert told in table.to_markdown()


def test_images_that_have_changed_anywhere_are_not_gone_on_with(tmp_path):
    """Earlier versions looked at 16 windows of an image; the change lies between them."""
    data, rng = tmp_path / "data", np.random.default_rng(0)
    (data / "labels").mkdir(parents=True)
    for name in map(str, range(6)):
        image = rng.integers(0, 60, (500, 500)).astype(np.uint8)
        image[110:120, 110:120] = 220
        Pictures.fromarray(image).save(data / f"{name}.png")
        Pictures.fromarray(((image > 200) * 255).astype(np.uint8)).save(data / "labels" / f"{name}.png")
    arguments = {"settings": PROTOCOLS["lee-2021"].settings(), "presets": [], "methods": ["fixed-level"]}
    PROTOCOLS["lee-2021"].run(data, tmp_path / "out", **arguments)
    image = np.asarray(Pictures.open(data / "3.png")).copy()
    image[110:120, 110:120] = 0
    Pictures.fromarray(image).save(data / "3.png")
    with pytest.raises(SettingsError, match=r"images data/3.png image_sha256"):
        PROTOCOLS["lee-2021"].run(data, tmp_path / "out", **arguments)


def test_dark_images_are_not_taken_for_copies_of_each_other(tmp_path):
    data = tmp_path / "data"
    (data / "labels").mkdir(parents=True)
    for number in range(6):
        image = np.zeros((500, 500), np.uint8)
        image[110 + number : 120, 110:120] = 220
        Pictures.fromarray(image).save(data / f"{number}.png")
        Pictures.fromarray(image).save(data / "labels" / f"{number}.png")
    protocol = PROTOCOLS["lee-2021"]
    assert protocol.run(data, tmp_path / "out", settings=protocol.settings(), presets=[], methods=["otsu"]).rows


def test_a_run_that_an_earlier_version_began_is_gone_on_with(pictures, tmp_path):
    """Its digests were of some pixels; now they are of all."""
    from napari_mpseg.experiments.samples import find_samples, read_all
    from napari_mpseg.training.data.fingerprints import older_fingerprints

    arguments = {"settings": SETTINGS, "presets": [], "methods": ["otsu"]}
    BAEK.run(pictures, tmp_path, **arguments)
    whole = read(tmp_path / "split.json")
    older = {one.pop("name"): one for one in older_fingerprints(read_all(find_samples(pictures, 0)))}
    (tmp_path / "split.json").write_text(json.dumps({**whole, "images": older}))
    BAEK.run(pictures, tmp_path, **arguments)
    assert read(tmp_path / "split.json") == whole
    older["pictures/3.png"]["pixels_sha256"] = "0" * 64
    (tmp_path / "split.json").write_text(json.dumps({**whole, "images": older}))
    with pytest.raises(SettingsError, match=r"images pictures/3.png pixels_sha256"):
        BAEK.run(pictures, tmp_path, **arguments)


def test_another_version_of_the_program_predicts_again(pictures, tmp_path, monkeypatch):
    """What was trained stays; masks and evidence are made by the program that is there."""
    arguments = {"settings": SETTINGS, "presets": [], "methods": ["otsu"]}
    BAEK.run(pictures, tmp_path, **arguments)
    assert read(tmp_path / "split.json")["version"] == napari_mpseg.__version__
    masks = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tif")}
    BAEK.run(pictures, tmp_path, **arguments)
    assert all(path.stat().st_mtime_ns == time for path, time in masks.items())
    monkeypatch.setattr("napari_mpseg.experiments.predictions.__version__", "99.0")
    monkeypatch.setattr("napari_mpseg.experiments.run.__version__", "99.0")
    BAEK.run(pictures, tmp_path, **arguments)
    assert all(path.stat().st_mtime_ns > time for path, time in masks.items())
    assert read(tmp_path / "split.json")["version"] == napari_mpseg.__version__  # that it was begun with


def test_a_refused_run_leaves_nothing_behind(finished, pictures, quick, tmp_path):
    """Neither the division nor the preset: the next run in the same folder may be another."""
    out, _ = finished
    model = str(out / "models" / "baek-unet-3" / "without-fold_1-validated-on-fold_2")
    settings = replace(SETTINGS, test="fold_4")
    for given in (
        {"presets": [quick], "methods": [model]},
        {"presets": [quick, replace(quick, name="b", start=model)], "methods": []},
        {"presets": [quick, replace(quick.changed(operating_point="best-f"), name="b")], "methods": []},
    ):
        with pytest.raises(MpsegError):
            BAEK.run(pictures, tmp_path / "out", settings=settings, **given)
        assert not (tmp_path / "out").exists()
    assert BAEK.run(pictures, tmp_path / "out", settings=SETTINGS, presets=[], methods=["otsu"]).rows


@pytest.mark.data
@pytest.mark.parametrize("guise", ["copy", "file.json"])
def test_nor_is_it_in_another_guise(shared_data, tmp_path, guise):
    from napari_mpseg.operating_point import store_threshold

    store_threshold("default", 0.4, {"aim": "by hand"}, out=tmp_path / "copy")
    save_method(tmp_path / "file.json", "default", threshold=0.4)
    with pytest.raises(SettingsError, match=r"trained on \d+ of the test images"):
        BAEK.run(
            shared_data / "mpnet", tmp_path / "out", settings=SETTINGS, presets=[], methods=[str(tmp_path / guise)]
        )


@pytest.mark.data
def test_the_bundled_network_is_not_tested_on_what_it_was_trained_on(shared_data, tmp_path):
    """It has learnt from all patches of MP-Net, though its card does not list them."""
    for given in ({"methods": ["default"], "presets": []}, {"methods": [], "presets": ["painted"]}):
        with pytest.raises(SettingsError, match=r"trained on \d+ of the test images"):
            BAEK.run(shared_data / "mpnet", tmp_path / "out", settings=SETTINGS, **given)


def test_copies_of_an_image_in_training_and_test_are_refused(folded, tmp_path):
    import shutil

    data = shutil.copytree(folded, tmp_path / "data")
    shutil.copy(data / "fold_1" / "0.png", data / "fold_2" / "0.png")
    with pytest.raises(SettingsError, match=r"fold_1/0.png .* are the same picture"):
        BAEK.run(data, tmp_path / "out", settings=SETTINGS, presets=[], methods=["otsu"])


def test_what_needs_more_than_the_image_is_refused(pictures, tmp_path):
    pytest.importorskip("napari_mpseg.methods.forest.method")
    with pytest.raises(SettingsError, match="painted"):
        BAEK.run(pictures, tmp_path / "out", settings=SETTINGS, presets=[], methods=["pixel-forest"])


def test_nothing_to_compare_is_refused(pictures, tmp_path):
    with pytest.raises(SettingsError, match="nothing to compare"):
        BAEK.run(pictures, tmp_path / "out", settings=SETTINGS, presets=[], methods=[])


def test_a_cancelled_run_leaves_nothing_half_made(pictures, tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        BAEK.run(pictures, tmp_path / "out", settings=SETTINGS, presets=[], methods=["otsu"], cancel=cancel)
    assert not list((tmp_path / "out").rglob("*.tif"))


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_every_protocol_gives_its_table_from_methods_alone(name, pictures, tmp_path):
    protocol = PROTOCOLS[name]
    table = protocol.run(
        pictures, tmp_path / "out", settings=protocol.settings(particle_value=0), presets=[], methods=["otsu"]
    )
    for block in protocol.blocks:
        (row,) = [row for row in table.rows if row.block == block.name]
        assert set(row.values) == {column.metric for column in protocol.columns}
        assert np.isfinite(list(row.values.values())).all()
    assert [row.name for row in table.rows if row.block == "published"] == list(protocol.published.rows)


def test_lee_and_jhang_train_five_folds_and_average_them(pictures, quick, tmp_path):
    protocol = PROTOCOLS["lee-2021"]
    preset = quick.changed(epochs=1, keep="last")
    out = tmp_path / "out"
    table = protocol.run(pictures, out, settings=protocol.settings(particle_value=0), presets=[preset], methods=[])
    (row,) = [row for row in table.rows if row.block == "folds"]
    assert len(row.rounds) == 5
    rounds = masks_and_truth(out, pictures, "presets", "baek-unet-3")
    expected = []
    for pairs in rounds.values():
        truth, mask = (np.concatenate([pair[k].ravel() for pair in pairs]) for k in (1, 0))
        recall = metrics.recall_score(truth, mask)
        expected.append((metrics.f1_score(truth, mask) * recall, metrics.jaccard_score(truth, mask) * recall))
    assert (row.values["rw-f1"], row.values["rw-miou"]) == pytest.approx(tuple(np.mean(expected, axis=0)))
