"""Importing the room must not load what it may never use."""

import subprocess
import sys

import pytest

import napari_mpseg.particles as particles


def test_import_loads_no_heavy_library() -> None:
    script = (
        "import sys, napari_mpseg.particles\n"
        "heavy = {'numba', 'pandas', 'skimage', 'scipy', 'dask', 'zarr', 'torch', 'napari'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", particles.__all__)
def test_every_public_name_is_found(name: str) -> None:
    assert getattr(particles, name) is not None


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'weigh'"):
        particles.weigh  # noqa: B018
