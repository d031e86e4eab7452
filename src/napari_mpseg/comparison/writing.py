"""Write a comparison into a folder: tables, figures, and one page with all of it."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.comparison.comparison import Comparison
from napari_mpseg.comparison.figures import FIGURES
from napari_mpseg.comparison.page import comparison_page, record_of
from napari_mpseg.comparison.tables import comparison_frame, per_image_frame, size_frame
from napari_mpseg.files import finished_together
from napari_mpseg.plots.saving import write_figure
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {
    "comparison": "comparison.csv",
    "per_image": "per_image.csv",
    "sizes": "size_classes.csv",
    "record": "comparison.json",
    "html": "comparison.html",  # the last: where it is, the rest is there too
}
FIGURE_FOLDER = "figures"


def write_comparison(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> dict[str, Path]:
    """Write all files or none.

    Parameters
    ----------
    comparison : Comparison
    folder : path-like
        Where the files go; made if it is not there.
    overwrite : bool
        Replace an earlier comparison's files.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    dict of str to Path
        ``"html"``: one page that needs no other file; ``"comparison"``, ``"per_image"``, ``"sizes"``: tables as CSV;
        ``"record"``: settings and versions; and each figure as PNG, most as SVG too.

    Raises
    ------
    StoreError
        If files are there already (and `overwrite` is False) or cannot be written.
    Cancelled
        If `cancel` was set.
    """
    cancel = cancel or CancelToken()
    out = Path(folder)
    pictures = {
        f"{name}.{kind}": out / FIGURE_FOLDER / f"{name}.{kind}"
        for name in FIGURES
        for kind in (("png", "svg") if FIGURES[name].lines else ("png",))
    }
    targets = {**pictures, **{name: out / file for name, file in NAMES.items()}}
    record = record_of(comparison)
    with finished_together(targets, overwrite=overwrite, optional=tuple(pictures)) as parts:
        drawn = _drawn(comparison, on_progress, cancel)
        for name in pictures:
            stem, _, kind = name.rpartition(".")
            if stem in drawn:
                write_figure(drawn[stem], parts[name], kind)
        comparison_frame(comparison).to_csv(parts["comparison"], index=False, encoding="utf-8")
        per_image_frame(comparison).to_csv(parts["per_image"], index=False, encoding="utf-8")
        size_frame(comparison).to_csv(parts["sizes"], index=False, encoding="utf-8")
        text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
        parts["record"].write_text(text + "\n", encoding="utf-8")
        parts["html"].write_text(comparison_page(comparison, drawn, record), encoding="utf-8")
        cancel.check()
    return {name: path for name, path in targets.items() if path.exists()}


def _drawn(comparison: Comparison, on_progress: ProgressCallback, cancel: CancelToken) -> "dict[str, Figure]":
    drawn = {}
    for done, (name, entry) in enumerate(FIGURES.items()):
        cancel.check()
        on_progress(Progress("Drawing", done, len(FIGURES), "figures"))
        figure = entry.draw(comparison)
        if figure is not None:
            drawn[name] = figure
    on_progress(Progress("Drawing", len(FIGURES), len(FIGURES), "figures"))
    return drawn
