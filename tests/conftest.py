"""What every test may use: the shared real data (skipped where absent) and a seeded generator."""

import os
from pathlib import Path

import numpy as np
import pytest

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
