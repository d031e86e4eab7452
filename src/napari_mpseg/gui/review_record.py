"""Saving the record of a review: two files, neither of which replaces another that the user did not choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_mpseg.errors import StoreError
from napari_mpseg.particles.review.audit import audit_beside, write_audit_beside


def ask_for_record(parent: QWidget, proposed: Path) -> Path | None:
    """Ask where to save a record, and whether files that are there may be replaced; None if it is not to be saved."""
    path, _ = QFileDialog.getSaveFileName(parent, "Save record", str(proposed), "JSON lines (*.jsonl)")
    if not path:
        return None
    # the dialog asked about the name that was typed in, not about the two that are written
    there = [one for one in record_files(Path(path)) if one.exists() and one != Path(path)]
    if there:
        names = " and ".join(one.name for one in there)
        text = f"{names} in {there[0].parent} {'exist' if there[1:] else 'exists'} already. Replace?"
        if QMessageBox.question(parent, "Save record", text) != QMessageBox.StandardButton.Yes:
            return None
    return Path(path)


def save_record(metadata: Any, path: Path, *, replace: bool = False) -> list[Path]:
    """Save a layer's record as JSON lines and as CSV, named after `path`; return what was written.

    Raises
    ------
    StoreError
        If a file is there and must not be replaced, or the place cannot be written.
    """
    there = [one.name for one in record_files(path) if one.exists()]
    if there and not replace:
        raise StoreError(f"{' and '.join(there)} exist{'' if there[1:] else 's'} already. Choose another name.")
    return write_audit_beside(metadata, path.with_name(f"{_stem(path)}.csv"))


def record_files(path: Path) -> tuple[Path, Path]:
    """Return the files that saving the record as `path` writes."""
    first = audit_beside(path.with_name(f"{_stem(path)}.csv"))
    return first, first.with_suffix(".csv")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".jsonl").removesuffix(".csv").removesuffix("_audit")
