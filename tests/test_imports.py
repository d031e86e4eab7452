"""Importing is quick and loads nothing heavy, and imports go one way."""

import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "napari", "qtpy", "numba", "pandas", "magicgui", "skimage", "scipy", "zarr", "dask", "tifffile")
LIGHT = ("napari_mpseg", "napari_mpseg.cli", "napari_mpseg.commands")


def in_fresh_python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", LIGHT)
def test_importing_loads_nothing_heavy(module):
    loaded = in_fresh_python(
        f"import sys, json; before = set(sys.modules); import {module}\n"
        f"print(json.dumps([m for m in {HEAVY} if m in sys.modules and m not in before]))"
    )
    assert loaded == []


def test_importing_takes_less_than_a_fifth_of_a_second():
    """Best of three of the time of the import alone, without the start of Python."""
    program = """
import json, time
start = time.perf_counter()
import napari_mpseg
print(json.dumps(time.perf_counter() - start))
"""
    assert min(in_fresh_python(program) for _ in range(3)) < 0.2


def test_every_public_name_is_there():
    import napari_mpseg

    for name in napari_mpseg.__all__:
        assert getattr(napari_mpseg, name) is not None
    assert set(napari_mpseg.__all__) <= set(dir(napari_mpseg))
    with pytest.raises(AttributeError, match="has no attribute 'segmnet'"):
        napari_mpseg.segmnet  # noqa: B018


def test_imports_go_one_way():
    pytest.importorskip("importlinter")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    "module", ["calibration", "registry", "settings", "progress", "provenance", "files", "leftovers", "pipeline"]
)
def test_examples_in_the_documentation(module):
    found = doctest.testmod(importlib.import_module(f"napari_mpseg.{module}"))
    assert found.failed == 0
