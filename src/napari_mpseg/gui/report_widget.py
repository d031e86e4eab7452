"""The widget *Report and export*: measured particles as a page to read and as files for other programs."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.report_settings import ReportForm
from napari_mpseg.gui.reporting import Written, is_measured, snapshot, write_all
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.tick_list import TickList
from napari_mpseg.gui.worker import Job

if TYPE_CHECKING:
    import napari

REPORT = "report"
"""Value of the first entry of the list of what is written; the others are export formats."""

_WIDTH = 380


class ReportWidget(WorkingWidget):
    """Writes a report on measured labels layers, and exports their particles.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self._viewer = napari_viewer
        self._memory = Memory("report")
        self._listened: list[Any] = []
        self._left_out: list[Any] = []
        self._listed: list[tuple[Any, str]] = []
        self._build()
        events = napari_viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self._list_layers)
        self._list_layers()
        self._on_outputs()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.hint = note(
            "<b>No measured particles yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, "
            "or measure labels with <i>Layers &gt; Measure &gt; Measure particles</i>."
        )
        self.layers = TickList()
        self.layers.setToolTip("The labels whose particles are written; those you did not keep are left out")
        self.layers.changed.connect(self._on_ticked)
        self.outputs = TickList(most_rows=8)
        self.outputs.fill(_outputs(), self._memory.get("outputs", REPORT).split(","))
        self.outputs.changed.connect(self._on_outputs)
        self.report = ReportForm(self._memory)
        self.folder = QLineEdit(self._memory.get("folder", ""))
        self.folder.setPlaceholderText("choose a folder")
        self.folder.setToolTip("Where the files go")
        self.folder.textChanged.connect(self._allow)
        browse = QPushButton("…")
        browse.setToolTip("Choose the folder")
        browse.setMaximumWidth(36)
        browse.clicked.connect(self.ask_folder)
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.folder)
        line.addWidget(browse)
        self.everything = QCheckBox("Export particles too that were not kept")
        self.everything.setToolTip("The report never counts them")
        self.replace = QCheckBox("Replace earlier files")
        self.replace.setToolTip("Otherwise files that are there already are never touched")
        self.panel = RunPanel("Write", "Write the ticked files into the folder")
        self.panel.run_requested.connect(self.run)
        self.link = note()
        self.link.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.link.linkActivated.connect(lambda target: QDesktopServices.openUrl(QUrl(target)))
        self.link.hide()
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        form = QFormLayout(self.form_box)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Labels", self.layers)
        form.addRow("Write", self.outputs)
        form.addRow(self.report)
        form.addRow("Folder", row)
        form.addRow("", self.everything)
        form.addRow("", self.replace)
        self.lay_out(self.hint, self.form_box, self.panel, self.link)

    def _labels_layers(self) -> list[Any]:
        """Return the labels layers, the top one first."""
        # napari hands widgets proxies, which end with the widget
        layers = [getattr(layer, "__wrapped__", layer) for layer in reversed(self._viewer.layers)]
        return [layer for layer in layers if isinstance(layer, Labels)]

    def _list_layers(self, event: Any = None) -> None:
        """List the measured labels layers; those that come in are ticked."""
        there = self._labels_layers()
        self._listen(there)
        found = [layer for layer in there if is_measured(layer)]
        self._left_out = [layer for layer in self._left_out if layer in found]
        now = [(layer, layer.name) for layer in found]
        if now != self._listed:  # every edit of a table is told
            self._listed = now
            ticked = [layer for layer in found if layer not in self._left_out]
            self.layers.fill(((layer, name, name) for layer, name in now), ticked)
        self.hint.setVisible(not found)
        self.form_box.setVisible(bool(found))
        self._allow()

    def _listen(self, there: list[Any]) -> None:
        """Hear when a labels layer is measured."""
        for layer in self._listened:
            if layer not in there:
                layer.events.features.disconnect(self._list_layers)
        for layer in there:
            if layer not in self._listened:
                layer.events.features.connect(self._list_layers)
        self._listened = there

    def _on_ticked(self) -> None:
        ticked = self.layers.ticked
        self._left_out = [layer for layer in self.layers.values if layer not in ticked]
        self._allow()

    def _on_outputs(self) -> None:
        chosen = self.outputs.ticked
        self.report.setVisible(REPORT in chosen)
        self.everything.setEnabled(bool(set(chosen) - {REPORT}))
        self._allow()

    def _allow(self) -> None:
        if hasattr(self, "panel"):
            self.panel.allow(bool(self.layers.ticked and self.outputs.ticked and self.folder.text().strip()))

    def ask_folder(self) -> None:
        """Ask for the folder."""
        start = self.folder.text().strip() or str(Path.home())
        path = QFileDialog.getExistingDirectory(self, "Folder for report and files", start)
        if path:
            self.folder.setText(path)

    # -- writing -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Write what the form says."""
        if self.panel.busy or not self.panel.run_button.isEnabled():
            return
        chosen = self.outputs.ticked
        self.link.hide()
        try:
            settings = self.report.settings if REPORT in chosen else None
            measured = [snapshot(layer, self._viewer.layers) for layer in self.layers.ticked]
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(outputs=",".join(chosen), folder=self.folder.text().strip())
        self.report.remember()
        job = Job(
            write_all,
            measured,
            Path(self.folder.text().strip()).expanduser(),
            settings=settings,
            formats=[name for name in chosen if name != REPORT],
            everything=self.everything.isChecked(),
            overwrite=self.replace.isChecked(),
            title="Writing the report" if settings is not None else "Writing particles",
        )
        self.panel.start(job, self._show)

    def _show(self, written: Written) -> None:
        number = "1 particle" if written.particles == 1 else f"{written.particles:,} particles"
        files = "1 file" if len(written.files) == 1 else f"{len(written.files)} files"
        self.panel.status.say(f"{number}: {files} written.", "done")
        folder = written.files[0].parent
        links = [(written.report, "Open the report")] if written.report is not None else []
        links.append((folder, "Open the folder"))
        self.link.setText(" &nbsp; ".join(_link(path, text) for path, text in links))
        self.link.show()

    def release(self) -> None:
        """Let go of the viewer's layers."""
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.disconnect(self._list_layers)
        for layer in self._listened:
            layer.events.features.disconnect(self._list_layers)
        self._listened = []


def _outputs() -> list[tuple[str, str, str]]:
    from napari_mpseg.exchange.export import EXPORTS

    report = (REPORT, "Report (HTML) with tables", "A page that needs no other file, and its figures as CSV")
    return [report, *((name, entry.title, entry.summary) for name, entry in EXPORTS.items())]


def _link(path: Path, text: str) -> str:
    colour = get_theme(get_settings().appearance.theme).text.as_hex()  # Qt's own blue cannot be read on dark
    target = escape(QUrl.fromLocalFile(str(path.absolute())).toString())
    return f'<a href="{target}" style="color: {colour}">{text}</a>'
