"""Running cases: what is kept, what is run again, what is refused, what fails."""

import json

import numpy as np
import pytest
from PIL import Image

import napari_mpseg
from napari_mpseg.comparison import LabelsContender, compare
from napari_mpseg.comparison.comparison import Comparison
from napari_mpseg.comparison.memory import PeakMemory, resident
from napari_mpseg.errors import Cancelled, SettingsError, UnknownNameError
from napari_mpseg.progress import CancelToken

METHODS = ["fixed-level:level=100", "Streak too=fixed-level:level=90"]
FEW = {"resamples": 50, "metrics": ["precision", "recall", "f1", "count-bias"]}


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    """Leave tables, figures and page out: tests of their own open them."""
    monkeypatch.setattr(Comparison, "save", lambda self, *arguments, **options: {})


@pytest.fixture
def counted(monkeypatch):
    """Count how often an image is segmented."""
    import napari_mpseg.pipeline as pipeline

    original, calls = pipeline.segment, []

    def segment(image, *arguments, **options):
        calls.append(image.name)
        return original(image, *arguments, **options)

    monkeypatch.setattr(pipeline, "segment", segment)
    return calls


def test_scores_are_those_of_the_drawn_scene(pairs):
    done = compare(pairs, ["fixed-level:level=130", "fixed-level:level=90"], **FEW)
    exact, loose = (done.evidence_of(row.label) for row in done.rows)
    particle = 2 * (25 + 64)
    assert [sum(e.pixels.tp for e in side) for side in (exact, loose)] == [particle, particle]
    assert [sum(e.pixels.fp for e in side) for side in (exact, loose)] == [0, 10 + 15]
    score = done.score("fixed-level:level=90", done.metrics[0])
    assert score.total == pytest.approx(particle / (particle + 25))
    assert score.mean == pytest.approx((89 / 99 + 89 / 104) / 2)
    assert done.best(done.metrics[0]) == {"fixed-level:level=130"}
    assert done.best(done.metrics[1]) == {"fixed-level:level=130", "fixed-level:level=90"}


def test_folder_and_arrays_give_the_same(folder, pairs):
    by_folder, by_arrays = (compare(data, METHODS, **FEW).frame() for data in (folder, pairs))
    for name in ("precision", "recall", "f1", "count-bias_mean", "f1_low"):
        assert by_folder[name].tolist() == pytest.approx(by_arrays[name].tolist())


def test_second_run_runs_nothing_again(folder, tmp_path, counted):
    first = compare(folder, METHODS, tmp_path / "out", **FEW)
    assert len(counted) == 4
    second = compare(folder, METHODS, tmp_path / "out", **FEW)
    assert len(counted) == 4
    assert second.to_markdown() == first.to_markdown()


def test_more_methods_run_only_those(folder, tmp_path, counted):
    compare(folder, METHODS[:1], tmp_path / "out", count=1, **FEW)
    compare(folder, METHODS, tmp_path / "out", **FEW)
    assert len(counted) == 4


def test_run_goes_on_after_it_was_killed(folder, tmp_path, monkeypatch, counted):
    import napari_mpseg.comparison.run as running

    original = running.run_case

    def dies(contender, picture, *arguments, **options):
        if len(counted) == 3:
            raise KeyboardInterrupt  # as a kill does: nothing is tidied by whoever called
        return original(contender, picture, *arguments, **options)

    monkeypatch.setattr(running, "run_case", dies)
    with pytest.raises(KeyboardInterrupt):
        compare(folder, METHODS, tmp_path / "out", **FEW)
    assert len(list((tmp_path / "out" / "cases").rglob("*.json"))) == 3
    monkeypatch.setattr(running, "run_case", original)
    done = compare(folder, METHODS, tmp_path / "out", **FEW)
    assert len(counted) == 4
    assert len(done.cases) == 4


def test_damaged_case_is_run_again(folder, tmp_path, counted):
    compare(folder, METHODS[:1], tmp_path / "out", **FEW)
    case = next((tmp_path / "out" / "cases").rglob("*.json"))
    case.write_text(case.read_text()[:200])
    compare(folder, METHODS[:1], tmp_path / "out", **FEW)
    assert len(counted) == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"min_size": 5}, "min_size was 3 and is 5"),
        ({"particle_value": 255}, "particle_value was None and is 255"),
        ({"methods": ["Streak too=fixed-level:level=91"]}, "level"),
    ],
)
def test_other_settings_are_refused_by_name(folder, tmp_path, change, told):
    compare(folder, METHODS, tmp_path / "out", **FEW)
    change = {"methods": METHODS, **change}
    with pytest.raises(SettingsError, match=told):
        compare(folder, change.pop("methods"), tmp_path / "out", **FEW, **change)


def test_another_version_of_the_program_is_refused(folder, tmp_path, monkeypatch):
    compare(folder, METHODS, tmp_path / "out", **FEW)
    monkeypatch.setattr("napari_mpseg.comparison.run.__version__", "99.0")
    with pytest.raises(SettingsError, match=r"version was .* and is '99.0'"):
        compare(folder, METHODS, tmp_path / "out", **FEW)


def test_another_default_of_a_method_is_refused(folder, tmp_path, monkeypatch):
    """The options given are the same; what they leave to the method is not."""
    from napari_mpseg.methods.registry import METHODS as REGISTERED

    compare(folder, ["fixed-level"], tmp_path / "out", **FEW)
    kind = type(REGISTERED["fixed-level"].build())
    before = kind.describe
    monkeypatch.setattr(kind, "describe", lambda self: {**before(self), "level": 42})
    with pytest.raises(SettingsError, match=r"fixed-level: level was .* and is 42"):
        compare(folder, ["fixed-level"], tmp_path / "out", **FEW)


def test_another_bundled_network_is_refused(folder, tmp_path, monkeypatch):
    from dataclasses import replace

    from napari_mpseg.methods.files import save_method
    from napari_mpseg.networks import bundled

    save_method(tmp_path / "file.json", "default")
    specs = ["default", f"File={tmp_path / 'file.json'}"]
    compare(folder, specs, tmp_path / "out", count=1, **FEW)
    another = replace(bundled.bundled_card(), weights_sha256="0" * 64)
    monkeypatch.setattr(bundled, "bundled_card", lambda: another)
    for spec, heading in zip(specs, ("default", "File"), strict=True):
        with pytest.raises(SettingsError, match=f"{heading}: the model has changed"):
            compare(folder, [spec], tmp_path / "out", count=1, **FEW)


@pytest.mark.parametrize("exact", [True, False])
def test_the_size_of_tiles_matters_to_networks_that_see_further(folder, tmp_path, exact):
    from dataclasses import replace

    from napari_mpseg.networks.bundled import bundled_model

    model = bundled_model()
    card = replace(model.card, receptive_radius=model.card.receptive_radius if exact else None)
    replace(model, card=card).save(tmp_path / "mine")
    compare(folder, [str(tmp_path / "mine")], tmp_path / "out", count=1, tile_size=256, **FEW)
    if exact:
        compare(folder, [str(tmp_path / "mine")], tmp_path / "out", count=1, tile_size=512, **FEW)
        return
    with pytest.raises(SettingsError, match="mine: tile_size was 256 and is 512"):
        compare(folder, [str(tmp_path / "mine")], tmp_path / "out", count=1, tile_size=512, **FEW)


def test_a_comparison_of_an_earlier_version_is_refused_in_words(folder, tmp_path):
    compare(folder, ["fixed-level"], tmp_path / "out", **FEW)
    place = tmp_path / "out" / "settings.json"
    kept = json.loads(place.read_text())
    del kept["methods"]["fixed-level"]["described"], kept["all"]["version"]
    place.write_text(json.dumps(kept))
    with pytest.raises(SettingsError, match="earlier version"):
        compare(folder, ["fixed-level"], tmp_path / "out", **FEW)


def test_labels_of_another_type_are_other_labels():
    """The same bytes, but not the same labels."""
    labels = np.zeros((64, 64), np.uint16)
    labels[3, 4:6] = 1
    one, other = (LabelsContender("hand", {"data/a.png": array}).settings() for array in (labels, labels.view("i2")))
    assert one != other


def test_changed_truth_is_refused(folder, tmp_path):
    compare(folder, METHODS[:1], tmp_path / "out", **FEW)
    (folder / "labels" / "a.png").write_bytes((folder / "labels" / "b.png").read_bytes())
    with pytest.raises(SettingsError, match=r"data/a\.png: the truth has changed"):
        compare(folder, METHODS[:1], tmp_path / "out", **FEW)


def test_an_image_that_was_repaired_is_gone_on_with(folder, tmp_path):
    sound = (folder / "labels" / "a.png").read_bytes()
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "labels" / "a.png")
    failed = compare(folder, METHODS[:1], tmp_path / "out", **FEW)
    assert [one.image for one in failed.failures] == ["data/a.png"]
    (folder / "labels" / "a.png").write_bytes(sound)
    assert not compare(folder, METHODS[:1], tmp_path / "out", **FEW).failures


def test_rows_of_the_folder_that_are_not_shown_are_named(folder, tmp_path):
    first = compare(folder, METHODS, tmp_path / "out", **FEW)
    assert not any("not shown" in note for note in first.notes)
    second = compare(folder, ["otsu"], tmp_path / "out", **FEW)
    (note,) = [note for note in second.notes if "not shown" in note]
    assert note.startswith("2 methods in this folder are not shown: fixed-level:level=100, Streak too.")


def test_truth_without_an_image_is_told(folder):
    (folder / "labels" / "c.png").write_bytes((folder / "labels" / "b.png").read_bytes())
    done = compare(folder, METHODS[:1], **FEW)
    assert [note for note in done.notes if "data/c.png" in note] == [
        "Truth without an image of the same name was left out: data/c.png."
    ]


def test_metrics_and_samples_may_change(folder, tmp_path, counted):
    compare(folder, METHODS, tmp_path / "out", **FEW)
    done = compare(folder, METHODS, tmp_path / "out", metrics=["pixel"], resamples=0)
    assert len(counted) == 4
    assert {metric.family for metric in done.metrics} == {"pixel"}


def test_failing_case_does_not_stop_the_others(folder, tmp_path, monkeypatch):
    import napari_mpseg.pipeline as pipeline

    original = pipeline.segment

    def segment(image, *arguments, **options):
        if image.name == "data/a.png":
            raise RuntimeError("no luck")
        return original(image, *arguments, **options)

    monkeypatch.setattr(pipeline, "segment", segment)
    done = compare(folder, METHODS, tmp_path / "out", **FEW)
    assert [(one.method, one.image) for one in done.failures] == [
        ("fixed-level:level=100", "data/a.png"),
        ("Streak too", "data/a.png"),
    ]
    assert "no luck" in done.notes[0]
    assert "(1 of 2 images)" in done.to_markdown()
    assert done.best(done.metrics[0]) == set()
    monkeypatch.setattr(pipeline, "segment", original)
    assert not compare(folder, METHODS, tmp_path / "out", **FEW).failures


def test_cancelling_keeps_what_is_finished(folder, tmp_path):
    cancel = CancelToken()

    def stop(event):
        if event.stage == "Comparing" and event.done == 2:
            cancel.cancel()

    with pytest.raises(Cancelled):
        compare(folder, METHODS, tmp_path / "out", on_progress=stop, cancel=cancel, **FEW)
    assert len(list((tmp_path / "out" / "cases").rglob("*.json"))) == 2


def test_labels_that_are_there_are_a_row(pairs):
    found = {name: (truth != 0).astype(np.int32) for _, truth, name in pairs}
    done = compare(pairs, [LabelsContender("by hand", found), METHODS[1]], **FEW)
    assert done.score("by hand", done.metrics[2]).total == 1
    assert done.frame()["seconds"].isna().tolist() == [True, False]


def test_kept_labels_are_results(folder, tmp_path):
    from napari_mpseg.inference.store import open_store

    compare(folder, METHODS[:1], tmp_path / "out", keep=True, **FEW)
    stores = sorted((tmp_path / "out" / "results").rglob("*.ome.zarr"))
    assert len(stores) == 2
    assert int((open_store(stores[0]).labels[...] > 0).sum()) >= 89


def test_wrong_metric_is_told_before_any_work(pairs, counted):
    with pytest.raises(UnknownNameError, match="f1"):
        compare(pairs, METHODS, metrics=["f11"])
    assert not counted


def test_settings_file_says_what_was_run(folder, tmp_path):
    compare(folder, METHODS, tmp_path / "out", **FEW)
    kept = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert kept["all"] == {"min_size": 3, "particle_value": None, "version": napari_mpseg.__version__}
    assert set(kept["images"]) == {"data/a.png", "data/b.png"}
    assert kept["methods"]["Streak too"]["options"] == {"level": 90}


@pytest.mark.skipif(resident() is None, reason="this system does not tell the memory of a process")
def test_peak_memory_sees_an_array():
    with PeakMemory() as memory:
        array = np.ones(40 * 2**20, np.uint8)
        array[::4096] = 2
    assert 30 * 2**20 < memory.peak < 200 * 2**20
    del array
