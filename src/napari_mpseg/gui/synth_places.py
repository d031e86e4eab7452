"""Where a synthetic image is saved: its name, and whether what lies there may be replaced."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_mpseg.synthesis.replacing import already_there, check_replaceable
from napari_mpseg.synthesis.writing import FORMATS, places_of

_TIFF, _ZARR = "OME-TIFF (*.ome.tif *.ome.tiff *.tif *.tiff)", "OME-Zarr (*.ome.zarr *.zarr)"


def ask_name(parent: QWidget, folder: str) -> str:
    """Ask for a file name; an empty text if the user wants none."""
    path, chosen = QFileDialog.getSaveFileName(
        parent,
        "Save synthetic image",
        str(Path(folder) / "synthetic.ome.tif"),
        f"{_TIFF};;{_ZARR}",
        # it would ask about this one name; may_replace() asks about all files at once
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    return named(path, "OME-Zarr" if chosen == _ZARR else "OME-TIFF") if path else ""


def named(path: str, chosen: str) -> str:
    """Return a path with the ending of a format.

    Parameters
    ----------
    path : str
        As it was typed.
    chosen : str
        Name of the format chosen in the dialog. OME-TIFF is chosen at first: an ending that says otherwise then counts.
        Whoever chose OME-Zarr wants it, whatever ending the proposed name has.
    """
    ending = next((end for kind in FORMATS.values() for end in kind.endings if path.lower().endswith(end)), "")
    if chosen == "OME-Zarr":
        if ending in FORMATS["OME-Zarr"].endings:
            return path
        return path[: len(path) - len(ending)] + ".ome.zarr"
    return path if ending else path + ".ome.tif"


def may_replace(parent: QWidget, path: str) -> bool | None:
    """Ask whether all that lies where an image of this name goes may be replaced.

    Returns
    -------
    bool or None
        False if there is nothing, True if the user agreed, None if not.

    Raises
    ------
    MpsegError
        If something is in the way that is never replaced.
    """
    places = places_of(path)
    check_replaceable(places)
    there = already_there(places)
    if not there:
        return False
    names = "\n".join(f"  {one.name}" for one in there)
    text = f"In {there[0].parent} there is already:\n\n{names}\n\nReplace {'it' if len(there) == 1 else 'them'}?"
    answer = QMessageBox.question(parent, "Save synthetic image", text)
    return True if answer == QMessageBox.StandardButton.Yes else None
