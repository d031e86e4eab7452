"""Write particles in any of the formats, with a record of what was written beside them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.exchange.formats import EXPORTS, ExportFormat, ExportSource
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.files import finished_together
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.provenance import Provenance
from napari_mpseg.settings import to_dict

if TYPE_CHECKING:
    from napari_mpseg.particles.review.audit import AuditRecord
    from napari_mpseg.particles.table import ParticleTable

__all__ = ["EXPORTS", "export", "export_paths"]

RECORD = "record"
RECORD_ENDING = "_export.json"
AUDIT = {"audit": "_audit.jsonl", "audit-table": "_audit.csv"}
"""Endings of what a reviewer changed: to be read again, and for people."""


def export_paths(
    folder: str | os.PathLike[str], name: str, formats: Sequence[str], *, audit: bool = False
) -> dict[str, Path]:
    """Return where :func:`export` puts what it writes, by format.

    Raises
    ------
    UnknownNameError
        If a format is unknown.
    """
    endings = {format_name: EXPORTS[format_name].ending for format_name in dict.fromkeys(formats)}
    endings |= (AUDIT if audit else {}) | {RECORD: RECORD_ENDING}
    return {part: Path(folder) / f"{file_stem(name)}{ending}" for part, ending in endings.items()}


def export(
    table: "ParticleTable",
    folder: str | os.PathLike[str],
    name: str,
    formats: str | Sequence[str] = "csv",
    *,
    labels: Any = None,
    audit: "AuditRecord | None" = None,
    everything: bool = False,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> dict[str, Path]:
    """Write particles into a folder, all files or none.

    Parameters
    ----------
    table : ParticleTable
        Measured particles.
    folder : path-like
        Where the files go; made if it is not there.
    name : str
        Of the image; the files' names begin with it.
    formats : str or sequence of str
        Names in :data:`EXPORTS`.
    labels : array, optional
        ``(Y, X)``, or ``(planes..., Y, X)`` for a table of several planes; what the table was measured on. Only
        some formats need it.
    audit : AuditRecord, optional
        What a reviewer changed; written beside unless it is empty.
    everything : bool
        Write particles too that the user did not keep (column ``keep``).
    overwrite : bool
        Replace files of an earlier export.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    dict of str to Path
        What was written, by format; ``"record"`` is ``NAME_export.json`` with settings, provenance and versions;
        ``"audit"`` and ``"audit-table"`` are the record of the review, if there is one.

    Raises
    ------
    SettingsError, UnknownNameError
        If a format is unknown, needs labels, or the labels are others than the table's.
    MpsegError
        If a format's library is not installed.
    StoreError
        If files are there already (and `overwrite` is False) or cannot be written.
    Cancelled
        If `cancel` was set.
    """
    chosen = _chosen([formats] if isinstance(formats, str) else list(formats), labels)
    cancel = cancel or CancelToken()
    written = table if everything else table.kept()
    reviewed = audit is not None and bool(len(audit) or audit.unread)
    paths = export_paths(folder, name, [entry.name for entry in chosen], audit=reviewed)
    source = ExportSource(written, labels, on_progress, cancel, name)
    with finished_together(paths, overwrite=overwrite) as parts:
        notes: list[str] = []
        for entry in chosen:
            cancel.check()
            notes += entry.write(source, parts[entry.name])
        if audit is not None and reviewed:
            audit.to_json_lines(parts["audit"])
            audit.to_csv(parts["audit-table"])
        record = _record(table, written, paths, everything, notes) | {"image": name}
        text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
        parts[RECORD].write_text(text + "\n", encoding="utf-8")
        cancel.check()
    return paths


def _chosen(names: Sequence[str], labels: Any) -> list[ExportFormat]:
    if not names:
        raise SettingsError(f"No format was chosen. There are: {', '.join(EXPORTS)}.")
    chosen = [EXPORTS[name] for name in dict.fromkeys(names)]
    for entry in chosen:
        if entry.needs_labels and labels is None:
            raise SettingsError(f"The format {entry.name} draws the particles, so it needs the labels too. Give them.")
        entry.check()
    return chosen


def _record(
    table: "ParticleTable", written: "ParticleTable", paths: dict[str, Path], everything: bool, notes: list[str]
) -> dict[str, Any]:
    settings = {"formats": [name for name in paths if name in EXPORTS], "everything": everything}
    record = Provenance("export", settings, {"calibration": to_dict(table.calibration)}).to_dict()
    return record | {
        "files": {name: path.name for name, path in paths.items() if name != RECORD},
        "particles": {"written": len(written), "not kept, left out": len(table) - len(written)},
        "units": dict(written.units),
        "definitions": written.definitions,
        "notes": notes,
        "measured": dict(table.provenance),
    }
