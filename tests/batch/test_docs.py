"""The documentation names every column."""

from pathlib import Path

import pytest

from napari_mpseg.batch.samples import COLUMNS
from napari_mpseg.batch.tables import batch_paths

DOCS = Path(__file__).parents[2] / "docs" / "batch.md"


@pytest.mark.parametrize("name", [*COLUMNS, *(path.name for path in batch_paths(Path()).values())])
def test_every_column_and_file_is_documented(name):
    assert f"`{name}`" in DOCS.read_text(encoding="utf-8")
