"""The widget *Compare methods*: several methods on the open images, beside their truth, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QFormLayout, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.compare_labels import LabelTicks, LabelUse
from napari_mpseg.gui.compare_methods import MethodTicks
from napari_mpseg.gui.compare_owner import Owners, is_image
from napari_mpseg.gui.compare_pairs import TruthList
from napari_mpseg.gui.compare_results import ComparisonResults
from napari_mpseg.gui.compare_truth import inverted_truth
from napari_mpseg.gui.compare_work import Compared, compare_layers, errors_of, save_comparison
from napari_mpseg.gui.evaluate_fields import ParticleValue, min_size_field
from napari_mpseg.gui.evaluate_input import pixels_in_view, with_particle_value
from napari_mpseg.gui.evaluate_layer import ROLE, ErrorLayer
from napari_mpseg.gui.layer_input import snapshot_stack
from napari_mpseg.gui.memory import Memory, preferences
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.tick_list import TickList
from napari_mpseg.gui.train_inputs import of_stack
from napari_mpseg.gui.visible import needed_plane, planes_shape
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import role_of

if TYPE_CHECKING:
    import napari

_Compared = dict[str, tuple[Any, tuple[int, ...]]]  # layer and plane of each image

_NO_IMAGE = (
    "<b>Nothing to compare on yet.</b> Open an image and its truth: labels or a mask of what really is particle on it. "
    "Try <i>File &gt; Open Sample &gt; napari-mpseg</i>, which brings both."
)


class CompareWidget(WorkingWidget):
    """Runs several methods on the open images, and scores them against the truth.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("compare")
        self.result: Compared | None = None
        self._compared: _Compared = {}
        self._kind = ""  # of the truths: labels or masks
        self._build()
        self.pairs.changed.connect(self._explain)
        self.particle_value.changed.connect(self._explain)
        for emitter in self._emitters():
            emitter.connect(self._explain, position="last")  # once the lists know of it
        self._explain()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.hint = note()
        owners = Owners(self._viewer.layers)
        self.pairs = TruthList(self._viewer, owners)
        self.particle_value = ParticleValue(self._memory, "truth")
        self.truth_note = note()
        self.methods = MethodTicks(self._memory)
        self.labels = LabelTicks(self._viewer.layers, owners)
        self.min_size = min_size_field(self._memory)
        self.metrics = TickList()
        self._fill_metrics()
        self.panel = RunPanel("Compare", "Run the ticked methods on the plane in view of every image, and score them")
        self.panel.cancel_button.setToolTip("Stop within one tile. No table is made.")
        self.panel.run_requested.connect(self.run)
        self.results = ComparisonResults(self._memory)
        self.results.hide()
        self.results.errors_wanted.connect(self.show_errors)
        self.results.save_wanted.connect(self.ask_and_save)
        self.errors = ErrorLayer(self._viewer)
        self.results.recoloured.connect(self.errors.recolour)
        self.form_box = QWidget()
        self.form = QFormLayout(self.form_box)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.addRow(note("<b>Images</b> and their truth"))
        self.form.addRow(self.pairs)
        self.form.addRow("In truth particle is", self.particle_value)
        self.form.addRow(self.truth_note)
        self.form.addRow(note("<b>Methods</b> to run"))
        self.form.addRow(self.methods)
        self.labels_heading = note("<b>Labels</b> that are there already")
        self.form.addRow(self.labels_heading)
        self.form.addRow(self.labels)
        self.form.addRow("Minimum size", self.min_size)
        self.form.addRow("Metrics", self.metrics)
        for busy_box in (self.form_box, self.results):
            self.panel.busy_changed.connect(busy_box.setDisabled)
        self.lay_out(self.hint, self.form_box, self.panel, self.results)

    def _fill_metrics(self) -> None:
        from napari_mpseg.comparison.comparison import COLUMNS
        from napari_mpseg.evaluation.metric import METRICS

        names = [*COLUMNS, *(name for name in METRICS if name not in COLUMNS)]  # the order of the table's columns
        entries = [
            (name, f"{entry.title}  ({entry.family})", f"{entry.definition} {entry.undefined}")
            for name, entry in ((name, METRICS[name]) for name in names)
        ]
        known = [name for name in self._memory.get("metrics", list(COLUMNS)) if name in METRICS]
        self.metrics.fill(entries, known or list(COLUMNS))
        self.metrics.setToolTip("Columns of the table; rest the mouse on one for its definition")

    def _explain(self, event: Any = None) -> None:
        """Say what is missing before anything can be compared."""
        problem = self.pairs.problem
        some = any(is_image(layer) for layer in self._viewer.layers)
        self.labels.refresh(self.pairs.pairs)
        for row in (self.labels_heading, self.labels):
            self.form.setRowVisible(row, bool(self.labels.values))
        self._suit([truth for _, truth in self.pairs.pairs])
        self.truth_note.setText(inverted_truth(self._viewer, self.pairs.pairs, self.particle_value.value))
        self.form.setRowVisible(self.truth_note, bool(self.truth_note.text()))
        self.hint.setText(problem if some else _NO_IMAGE)
        self.hint.setVisible(bool(problem))
        self.form_box.setVisible(some)
        self.panel.allow(not problem)
        if self.result is not None:
            self._show_places()

    def _suit(self, truths: list[Any]) -> None:
        """Take the remembered value of particles for masks, and none for labels, once it is known which they are."""
        labels = [truth for truth in truths if isinstance(truth, Labels)]
        kind = "labels" if labels else "masks" if truths else ""
        if kind and kind != self._kind:
            self._kind = kind
            self.particle_value.suit((labels or truths)[0])

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Compare what the form says."""
        if self.panel.busy or self.pairs.problem:
            return
        methods, labels, metrics = self.methods.ticked, self.labels.uses, self.metrics.ticked
        if not methods and not labels:
            self.panel.status.say("Tick at least one method, or labels that are there.", "error")
            return
        if not metrics:
            self.panel.status.say("Tick one metric or more: F1 tells most in one number.", "error")
            return
        if self.labels.problem:
            self.panel.status.say(self.labels.problem, "error")
            return
        try:
            pairs, compared = self._pairs()
            rows = self._label_rows(labels, compared, methods)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        preferred = preferences()
        job = Job(
            compare_layers,
            pairs,
            methods,
            rows,
            metrics=metrics,
            min_size=self.min_size.value(),
            device=preferred.device,
            tile_size=preferred.tile_size,
            cache=preferred.cache_folder or None,
            title="Comparing methods",
        )
        self.panel.start(job, lambda result: self._show(result, compared))

    def _pairs(self) -> tuple[list[tuple[Any, Any, str]], _Compared]:
        """Return image, truth and name of each pair, the planes in view, safe from later changes; and what they are."""
        found = []
        compared: _Compared = {}
        for image, truth in self.pairs.pairs:
            plane = needed_plane(self._viewer, image)
            opened = snapshot_stack(image).image(of_stack(plane, planes_shape(image)))
            mask = with_particle_value(pixels_in_view(self._viewer, truth), self.particle_value.value)
            name = image.name
            while name in compared:
                name += "'"
            compared[name] = (image, plane)
            found.append((opened, mask, name))
        return found, compared

    def _label_rows(self, uses: list[LabelUse], compared: _Compared, methods: list[str]) -> dict[str, dict[str, Any]]:
        """Return the labels that are there, by row and image."""
        names = {id(image): name for name, (image, _) in compared.items()}
        rows: dict[str, dict[str, Any]] = {}
        for use in uses:
            label = use.heading if use.heading not in methods else f"{use.heading} (layer)"
            rows.setdefault(label, {})[names[id(use.image)]] = pixels_in_view(self._viewer, use.layer)
        return rows

    def _remember(self) -> None:
        self._memory.set(metrics=self.metrics.ticked, min_size=self.min_size.value())
        truths = [truth for _, truth in self.pairs.pairs]
        self.particle_value.remember(next((truth for truth in truths if isinstance(truth, Labels)), truths[0]))
        self.methods.remember()

    def _show(self, result: Compared, compared: _Compared) -> None:
        self.result, self._compared = result, compared
        comparison = result.comparison
        self.results.show_comparison(comparison, result.labels)
        self._show_places()
        self.results.show()
        from napari_mpseg.comparison.comparison import inverted_notes

        failed, inverted = len(comparison.failures), bool(inverted_notes(comparison))
        where = self._place_of(next(iter(compared))) if len(compared) == 1 else f"{len(compared)} images"
        text = f"{_counted(len(comparison.rows), 'row')} on {where}."
        if failed:
            text += f" {_counted(failed, 'case')} failed; see the notes."
        if inverted:
            text += " A truth may have particle and background the wrong way round; see the notes."
        self.panel.status.say(text, "warning" if failed or inverted else "done")

    def _show_places(self) -> None:
        """Say what the table is of, and which of it is still open."""
        there = [name for name, (layer, _) in self._compared.items() if layer in self._viewer.layers]
        self.results.show_places({name: self._place_of(name) for name in self._compared}, there)

    def _place_of(self, name: str) -> str:
        """Return an image and its plane in words."""
        layer, plane = self._compared[name]
        index = of_stack(plane, planes_shape(layer))
        return name if index is None else f"{name}, plane {', '.join(map(str, index))}"

    # -- errors and files ----------------------------------------------------------------------------------------

    def show_errors(self, method: str, image: str) -> None:
        """Show what is right and wrong of a method on an image, as a layer."""
        if self.result is None or self.panel.busy:
            return
        if (method, image) not in self.result.labels:
            self.panel.status.say(f"There are no labels of {method} on {image}: see the notes.", "warning")
            return
        layer, plane = self._compared[image]
        if layer not in self._viewer.layers:
            self.panel.status.say(f"The layer {image} is not there any more. Open it and compare again.", "warning")
            return
        job = Job(errors_of, self.result, method, image, title=f"Errors of {method}")
        self.panel.start(job, lambda data: self._show_errors(layer, plane, data, method, image))

    def _show_errors(self, layer: Any, plane: tuple[int, ...], data: Any, method: str, image: str) -> None:
        title = f"{layer.name} errors of {method}"
        shown = self.errors.show(layer, plane, data, self.results.legend.scheme, title)
        self._hide_others(layer, shown)
        self.panel.status.say(
            f"The layer “{shown.name}” shows the errors of {method} on {self._place_of(image)}. Rename it to keep it.",
            "done",
        )

    def _hide_others(self, image: Any, shown: Any) -> None:
        """Hide the errors of other methods on the image: through each other they would be taken for those of one."""
        shown.visible = True
        if self._viewer.canvas.grid.enabled:  # they lie side by side
            return
        for layer in self._viewer.layers:
            other = role_of(layer) == ROLE and layer is not shown
            if other and layer.metadata["napari-mpseg"].get("source") == image.name:
                layer.visible = False

    def ask_and_save(self) -> None:
        """Ask for a folder and save page and tables in it."""
        folder = QFileDialog.getExistingDirectory(
            self, "Folder for the page and the tables", self._memory.get("folder", str(Path.home()))
        )
        if folder:
            self.save(Path(folder) / "comparison", open_page=True)

    def save(self, folder: Path, *, open_page: bool = False) -> None:
        """Save page, tables and figures in a folder of their own."""
        if self.result is None or self.panel.busy:
            return
        place = folder
        number = 1
        while place.exists():  # nothing of the user's is replaced
            number += 1
            place = folder.with_name(f"{folder.name} {number}")
        self._memory.set(folder=str(folder.parent))
        job = Job(save_comparison, self.result.comparison, str(place), title="Saving the comparison")
        self.panel.start(job, lambda paths: self._saved(paths, open_page))

    def _saved(self, paths: dict[str, Path], open_page: bool) -> None:
        self.panel.status.say(f"Saved: {paths['html']}", "done")
        if open_page:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths["html"])))

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self.pairs.release()
        for emitter in self._emitters():
            emitter.disconnect(self._explain)

    def _emitters(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return events.inserted, events.removed, events.renamed


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
