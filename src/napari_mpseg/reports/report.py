"""Write a report on the particles of one image or many."""

import os
from collections.abc import Sequence
from pathlib import Path

from napari_mpseg.errors import SettingsError
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.files import finished_together
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.reports.builder import ENDINGS, ReportBuilder
from napari_mpseg.reports.item import ReportItem, ReportSettings

__all__ = ["ENDINGS", "ReportItem", "ReportSettings", "write_report"]


def write_report(
    items: Sequence[ReportItem],
    folder: str | os.PathLike[str],
    settings: ReportSettings | None = None,
    *,
    name: str = "report",
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> dict[str, Path]:
    """Write a report, all its files or none.

    Parameters
    ----------
    items : sequence of ReportItem
        One per image; where two have one name, the second is called ``"name [2]"``.
    folder : path-like
        Where the files go; made if it is not there.
    settings : ReportSettings, optional
        Size classes, class rules, tests, plots, title.
    name : str
        What the files' names begin with.
    overwrite : bool
        Replace an earlier report.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    dict of str to Path
        ``"html"``: the report, one file that needs no other; ``"images"``: a CSV table with a row per image;
        ``"counts"``: particles per class and size class; ``"record"``: settings and versions.

    Raises
    ------
    SettingsError, UnknownNameError
        If there is no image, or a setting does not fit the tables.
    StoreError
        If files are there already (and `overwrite` is False) or cannot be written.
    Cancelled
        If `cancel` was set.
    """
    cancel = cancel or CancelToken()
    if not items:
        raise SettingsError("A report needs at least one image with measured particles.")
    stem = file_stem(name)
    paths = {part: Path(folder) / f"{stem}{ending}" for part, ending in ENDINGS.items()}
    builder = ReportBuilder(settings)
    with finished_together(paths, overwrite=overwrite) as parts:
        for done, item in enumerate(items):
            cancel.check()
            on_progress(Progress("Summing up", done, len(items), "images"))
            builder.add(item, on_progress=on_progress, cancel=cancel)
        on_progress(Progress("Summing up", len(items), len(items), "images"))
        builder.write(parts, cancel=cancel)
        cancel.check()
    return paths
