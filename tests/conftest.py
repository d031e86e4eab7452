"""What every test may use: the shared real data (skipped where absent), a seeded generator, the command line."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_mpseg import cli

if "PYTEST_XDIST_WORKER" in os.environ and "numba" not in sys.modules:  # it does not change its mind
    # Processes side by side share the cores. numba starts as many threads as there are, and OpenMP then takes that
    # number for torch too: its threads wait for each other ten times as long as they compute.
    os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"

# no test is to measure on a machine busy with other tests which runtime is fastest; those about that take it away
os.environ.setdefault("NAPARI_MPSEG_RUNTIME", "torch-fp32")

ROOT = Path(__file__).resolve().parents[1]


def _folder(variable: str, default: Path) -> Path:
    path = Path(os.environ.get(variable, default))
    if not path.is_dir():
        pytest.skip(f"{path} is not there; set {variable} to the folder with the shared real data to run this test")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real images."""
    return _folder("MPSEG_DATA", ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of the figures from real ImageJ."""
    return _folder("MPSEG_REFERENCE", ROOT.parent / "shared" / "reference") / "imagej"


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator that is the same in every run."""
    return np.random.default_rng(20240817)


@pytest.fixture
def run(capsys):
    """Run a command; give exit code, standard output and standard error."""

    def run(*arguments):
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            code = stopped.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
