"""Which images, what they are of, and where their results go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QFormLayout, QLineEdit, QWidget

from napari_mpseg.gui.batch_paths import PathEdit, ask_files, ask_folder
from napari_mpseg.gui.memory import Memory

_RESULTS = "mpseg-results"
_PATTERN_HELP = (
    "<p>What the file names say: <b>{sample}_{replicate}_{volume_ml}</b> makes a column of each. "
    "<b>{replicate:digits}</b> takes digits only, <b>*</b> stands for anything, and folders are looked at too: "
    "<b>{sample}/{replicate}.tif</b>.</p>"
)
_SHEET_HELP = (
    "A table with the columns file, sample, replicate, blank (yes or no) and volume_l or volume_ml.\n"
    "Where it and the file names both say something, the sheet holds."
)


class BatchInputs:
    """The fields for images, names, sample sheet and results; the widget lays them out.

    Parameters
    ----------
    memory : Memory
        Keeps what was chosen.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        kinds = "Images (" + " ".join(f"*{suffix}" for suffix in _suffixes()) + ")"
        self.images = PathEdit(
            "or drop them here",
            "A folder, files, or a pattern such as scans/**/*.tif; several with ; between them",
            [
                ("Folder …", "Choose a folder: all images right in it", ask_folder("Folder of images")),
                ("Files …", "Choose single images", ask_files("Images", kinds)),
            ],
            several=True,
        )
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("such as {sample}_{replicate}")
        self.pattern.setToolTip(_PATTERN_HELP)
        self.sheet = PathEdit(
            "none",
            _SHEET_HELP,
            [("…", "Choose the sheet", ask_files("Sample sheet", "Tables (*.csv *.txt *.tsv)", several=False))],
        )
        self.out = PathEdit(
            "choose a folder",
            "Where each image's results, the tables over all and the report go",
            [("…", "Choose the folder", ask_folder("Folder for the results"))],
        )
        self.first, self.names = Rows(), Rows()
        self.first.form.addRow("Images", self.images)
        self.names.form.addRow("Names", self.pattern)
        self.names.form.addRow("Sample sheet", self.sheet)
        self.pattern.setText(memory.get("pattern", ""))
        self.sheet.choose(_known(memory.get("sheet", "")))
        self.images.choose(memory.get("inputs", []))
        self.out.choose(_known(memory.get("out", "")))
        self._suggested = ""
        self._suggest()
        self.images.changed.connect(self._suggest)

    def remember(self) -> None:
        """Keep what was chosen; a folder for results that was only suggested is suggested anew."""
        own = self.out.path if self.out.path != suggested_folder(self.images.paths) else ""
        self._memory.set(inputs=self.images.paths, out=own, pattern=self.pattern.text(), sheet=self.sheet.path)

    def _suggest(self) -> None:
        """Offer a folder for the results, unless there is one of the user's."""
        suggestion = suggested_folder(self.images.paths)
        if self.out.path in ("", self._suggested):
            self.out.choose(_known(suggestion))
        self._suggested = suggestion


class Rows(QWidget):
    """A part of a form."""

    def __init__(self) -> None:
        super().__init__()
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)


def in_line(*forms: QFormLayout) -> None:
    """Give the labels of several forms one width, so that their fields stand in line; once they are in a window."""
    labels = []
    for form in forms:
        for row in range(form.rowCount()):
            item = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
            label = item.widget() if item is not None else None
            if label is not None:
                label.ensurePolished()  # or it would be measured in another font
                labels.append(label)
    width = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(width)


def suggested_folder(inputs: Sequence[str]) -> str:
    """Return a folder for the results beside the images; empty where there are none."""
    if not inputs:
        return ""
    place = Path(inputs[0])
    if not place.is_dir() or place.suffix == ".zarr":
        place = place.parent
    while not place.is_dir() and place != place.parent:  # a pattern of names
        place = place.parent
    return str(place / _RESULTS)


def _known(path: str) -> list[str]:
    return [path] if path else []


def _suffixes() -> list[str]:
    from napari_mpseg.images import open as _readers  # noqa: F401 - registers them
    from napari_mpseg.images.readers import file_readers

    return [suffix for reader in file_readers.values() for suffix in reader.suffixes]
