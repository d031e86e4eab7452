"""That the benchmark of scale runs: every row at sizes where its figures say nothing."""

import importlib
import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
SMALL = {
    "repeat": 1,
    "tile": 64,
    "size": (160, 200),
    "monai_size": (96, 128),
    "whole_size": (96, 128),
    "sides": (64, 128),
    "memory_sides": (64, 128),
    "chunk": 64,
    "labelling_side": 256,
    "runtime": "torch-fp32",
}
SLOW = ("labelling", "monai", "memory")  # starts processes; many parts; the same parts as time per pixel
ROWS = ("pipeline", "monai", "papers", "per-pixel", "memory", "labelling", "gpu")


@pytest.fixture
def scale(monkeypatch):
    """Make the benchmark's modules importable, as running its script does."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    pytest.importorskip("torch")
    importlib.import_module("scale.rows")  # registers them
    from scale.registry import ROWS as registered

    assert tuple(registered) == ROWS


@pytest.fixture
def settings(scale, tmp_path):
    from scale.settings import Settings

    return replace(Settings(str(tmp_path)), **SMALL)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in ROWS])
def test_every_row_gives_its_figures(settings, name):
    from scale.bench import Bench
    from scale.registry import ROWS as registered

    row = registered[name]
    if reason := row.missing(settings):
        pytest.skip(reason)
    bench = Bench(settings, fresh=False)
    verdicts = row.measure(bench)
    assert verdicts
    assert all(verdict.what and verdict.measured == verdict.measured for verdict in verdicts)
    assert bench.taken
    json.dumps(bench.taken)


def test_tiles_equal_the_whole_image_in_one_piece(settings):
    from scale.registry import PARTS

    assert PARTS["our windows"](settings, runtime="torch-fp32", small=True)["apart"] < 1e-5


@pytest.mark.slow
def test_the_large_network_is_timed_without_a_graphics_card_too(settings):
    from scale.registry import PARTS

    assert PARTS["large network"](settings, device="cpu", encoder="resnet18")["seconds"] > 0


@pytest.mark.parametrize(("least", "held"), [(True, [False, True, True]), (False, [True, True, False])])
def test_a_bar_is_a_least_or_a_most(scale, least, held):
    from scale.verdict import Verdict

    assert [Verdict("x", value, 2.0, least=least).passed for value in (1.9, 2.0, 2.1)] == held


def test_a_part_runs_in_a_process_of_its_own_and_is_told_the_settings(settings):
    from scale.bench import Bench

    bench = Bench(settings)
    figures = bench.known("lazy job", side=128, network=False)
    assert figures["seconds"] > 0
    assert bench.known("lazy job", side=128, network=False) is figures


def test_a_failed_row_is_told_and_others_go_on(scale, settings, monkeypatch, capsys):
    from scale.bench import Bench, PartFailed
    from scale.registry import ROWS as registered

    entry = _script()

    def fails(bench):
        raise PartFailed("bare ended with 1: no room")

    monkeypatch.setitem(registered._entries, "pipeline", replace(registered["pipeline"], measure=fails))
    outcome = entry.measured("pipeline", Bench(settings, fresh=False))
    assert not outcome.passed
    about = {**entry.machine(), "real_patches": False, "tiny": True}
    page = entry.markdown([outcome], about)
    assert "| pipeline | The whole job beside the bare forward pass | | | failed |" in page
    assert "no room" in page


def test_outcomes_are_read_back_as_they_were(scale):
    from scale.verdict import Outcome, Verdict

    verdicts = (Verdict("a", 1.0, 2.0, least=True, unit=" s", note="n"), Verdict("b", 1.0, 2.0))
    outcome = Outcome("pipeline", "The whole job", verdicts, load=(0.1, 2.0), measurements=[{"part": "bare"}])
    assert Outcome.from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome


def _script():
    spec = importlib.util.spec_from_file_location("scale_script", BENCHMARKS / "scale.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
