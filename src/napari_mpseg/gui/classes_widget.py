"""The widget *Classify particles*: by rules, from the user's own classes, or by size."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QPushButton, QTabWidget, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.classes_layer import LayerClasses
from napari_mpseg.gui.classes_mine import MineEditor
from napari_mpseg.gui.classes_rules import RuleEditor
from napari_mpseg.gui.classes_selection import selected_labels, selection_kept
from napari_mpseg.gui.classes_sizes import SizeEditor
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.particle_table import link_selection, make_table_quick, show_table
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.worker import Job
from napari_mpseg.particles.classes.rules import UNCLASSIFIED

if TYPE_CHECKING:
    import napari

    from napari_mpseg.particles.classes.trained import TrainedClassifier

_RULES, _MINE, _SIZES = range(3)
_RUN = ("Apply rules", "Train and apply", "Apply sizes")
_WIDTH = 360


class ClassesWidget(WorkingWidget):
    """Gives each particle of a measured labels layer a class.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self._viewer = napari_viewer
        self._memory = Memory("classes")
        self._known: list[LayerClasses] = []
        self._now: LayerClasses | None = None
        self.classifier: TrainedClassifier | None = None
        self._build()
        self.labels.layer_changed.connect(self._on_labels)
        self.tabs.currentChanged.connect(self._on_tab)
        self.tabs.setCurrentIndex(min(self._memory.get("tab", 0), _SIZES))
        self._on_tab(self.tabs.currentIndex())
        self._on_labels(self.labels.layer)

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.labels = LayerChoice(self._viewer.layers, lambda layer: isinstance(layer, Labels))
        self.labels.setToolTip("The measured labels whose particles get classes")
        self.hint = note()
        self.panel = RunPanel(_RUN[_RULES], "Write the class of each particle into the layer's table. Yours stay.")
        say = self.panel.status.say
        self.rules = RuleEditor(self._memory, say)
        self.mine = MineEditor(self._memory)
        self.sizes = SizeEditor(self._memory)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.rules, "By rules")
        self.tabs.addTab(self.mine, "From my classes")
        self.tabs.addTab(self.sizes, "By size")
        self.counted = note()
        self.undo_button = QPushButton("Undo")
        self.undo_button.setToolTip("Bring back the classes from before the last change")
        self.undo_button.clicked.connect(lambda: self.undo())
        self.table_button = QPushButton("Show table")
        self.table_button.setToolTip("Open napari's features table, in which classes can be changed too")
        self.table_button.clicked.connect(lambda: show_table(self._viewer, self.labels.layer))
        self.foot = QWidget()
        row = QHBoxLayout(self.foot)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.undo_button)
        row.addWidget(self.table_button)
        self.panel.run_requested.connect(self.run)
        self.panel.busy_changed.connect(self.tabs.setDisabled)
        self.panel.busy_changed.connect(self.foot.setDisabled)
        self.mine.assign_requested.connect(self.assign)
        self.mine.unassign_requested.connect(self.unassign)
        self.mine.take_all_requested.connect(self.take_all)
        self.mine.class_added.connect(self._on_new_class)
        self.mine.save_requested.connect(self.ask_and_save)
        self.mine.load_requested.connect(self.ask_and_load)
        top = QWidget()
        form = QFormLayout(top)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Labels", self.labels)
        self.lay_out(top, self.hint, self.tabs, self.panel, self.counted, self.foot)

    def _on_tab(self, tab: int) -> None:
        self.panel.run_button.setText(_RUN[tab])
        self._show()

    def _on_labels(self, layer: Any) -> None:
        if self._now is not None:
            self._now.layer.events.features.disconnect(self._on_features)
        self._now = None
        if layer is not None:
            # one per layer, so that undo is there again after another layer was looked at
            self._known = [one for one in self._known if one.layer in self._viewer.layers]
            self._now = next((one for one in self._known if one.layer == layer), None) or LayerClasses(layer)
            if self._now not in self._known:
                self._known.append(self._now)
            self._now.layer.events.features.connect(self._on_features)
        self._on_features()

    def _on_features(self, event: Any = None) -> None:
        """Show what there is to classify; also when the layer was measured just now."""
        ready = self._now is not None and self._now.measured
        self.hint.setText("" if ready else _ADVICE[self._now is not None])
        self.hint.setVisible(not ready)
        for part in (self.tabs, self.foot, self.counted):
            part.setVisible(ready)
        self.panel.allow(ready)
        if ready:
            from napari_mpseg.images.layers import layer_calibration

            link_selection(self._viewer, self.labels.layer)  # a click on a particle selects it
            self.sizes.take(layer_calibration(self.labels.layer))
            self._show()

    def _show(self) -> None:
        """Show the counts, and whether there is anything to undo."""
        if self._now is None or not self._now.measured:
            return
        counts = self._now.counts()
        self.mine.show_counts(counts)
        self.undo_button.setEnabled(self._now.can_undo)
        self.counted.setText(_counts_table(counts) if self.tabs.currentIndex() != _SIZES else self._size_counts())

    def _size_counts(self) -> str:
        column = self._now.layer.features.get("size_class") if self._now is not None else None
        if column is None:
            return ""
        return _rows(column.value_counts(sort=False))

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Do what the tab in front says."""
        if self._now is None or self.panel.busy:
            return
        self._memory.set(tab=self.tabs.currentIndex())
        for part in (self.rules, self.mine, self.sizes):
            part.remember()
        (self._apply_rules, self._train, self._apply_sizes)[self.tabs.currentIndex()]()

    def _apply_rules(self) -> None:
        from napari_mpseg.particles.classes.rules import classify_by_rules

        def work(now: LayerClasses) -> str:
            rules = self.rules.rules
            now.apply(classify_by_rules(now.table, rules))
            return f"<b>{_particles(len(now.table))}</b> classified by {escape(rules.name)}{self._kept()}"

        self._change(work)

    def _apply_sizes(self) -> None:
        from napari_mpseg.particles.sizes import size_class

        def work(now: LayerClasses) -> str:
            table = now.table
            now.assigned()  # sees what was edited in the table that is replaced here
            column = size_class(table, self.sizes.classes).set_axis(table.labels)
            features = now.layer.features
            column = column.reindex(features["index"].astype("int64")).set_axis(features.index)
            now.layer.features = features.assign(size_class=column)
            return f"<b>{_particles(len(table))}</b> in size classes"

        self._change(work)

    def _train(self) -> None:
        from napari_mpseg.particles.classes.trained import train_classifier

        now = self._now
        if now is None:
            return
        try:
            table, mine = now.table, now.assigned()
            mine = mine[mine.index.isin(table.labels)]
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        job = Job(train_classifier, table, mine, self.mine.settings, title="Learning your classes")
        self.panel.start(job, lambda classifier: self._on_trained(classifier, now))

    def _on_trained(self, classifier: TrainedClassifier, now: LayerClasses) -> None:
        self.classifier = classifier
        self.mine.save_button.setEnabled(True)
        if now.layer not in self._viewer.layers:
            self.panel.status.say("The layer was removed meanwhile; the classifier can still be saved.", "warning")
            return
        self._predict(classifier, now, _scores(classifier))

    def _predict(self, classifier: TrainedClassifier, now: LayerClasses, scores: str) -> None:
        def work(now: LayerClasses) -> str:
            now.apply(classifier.predict(now.table))
            return f"<b>{_particles(len(now.table))}</b> classified{self._kept()}{scores}"

        self._change(work, now)

    def assign(self, name: str) -> None:
        """Give the selected particles a class of the user's."""
        self._change(lambda now: f"{_particles(now.assign(self._selected(now), name))} assigned to {escape(name)}")

    def unassign(self) -> None:
        """Take back the user's class of the selected particles."""
        self._change(lambda now: f"{_particles(now.unassign(self._selected(now)))} taken back")

    def take_all(self) -> None:
        """Count all classes in the table as the user's own."""
        self._change(lambda now: f"{_particles(now.take_all())} now count as classified by you")

    def undo(self) -> None:
        """Bring back the classes from before the last change."""

        def work(now: LayerClasses) -> str:
            now.undo()
            return "The classes from before are back; what was changed elsewhere since stays"

        if self._now is not None and self._now.can_undo:
            self._change(work)

    def _selected(self, now: LayerClasses) -> list[int]:
        return selected_labels(self._viewer, now.layer)

    def _on_new_class(self, name: str) -> None:
        if self._now is not None:
            with selection_kept(self._viewer, self._now.layer):
                self._now.add_name(name)
        self._show()

    def _kept(self) -> str:
        mine = len(self._now.assigned()) if self._now is not None else 0
        return f"; {mine:,} of them by you, unchanged" if mine else ""

    def _change(self, work: Callable[[LayerClasses], str], now: LayerClasses | None = None) -> None:
        """Change classes and say what came of it, or why not."""
        now = now or self._now
        if now is None:
            return
        make_table_quick(self._viewer)
        try:
            with selection_kept(self._viewer, now.layer):
                told = work(now)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
        else:
            self.panel.status.say(told, "done")
        self._show()

    # -- files ---------------------------------------------------------------------------------------------------

    def ask_and_save(self) -> None:
        """Ask for a folder and save the classifier."""
        if self.classifier is None:
            return
        start = str(Path(self._memory.get("folder", str(Path.home()))) / "particle-classifier.json")
        path, _ = QFileDialog.getSaveFileName(self, "Save classifier", start, "Classifiers (*.json)")
        if path:
            self.save(Path(path if Path(path).suffix else f"{path}.json"))

    def save(self, path: Path) -> None:
        """Save the classifier that was trained last."""
        from napari_mpseg.particles.classes.classifier_files import save_classifier

        if self.classifier is None:
            return
        try:
            file = save_classifier(self.classifier, path, overwrite=True)  # the file dialog has asked
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.panel.status.say(f"Classifier saved in {escape(str(file))}.", "done")

    def ask_and_load(self) -> None:
        """Ask for a classifier, and apply it."""
        start = self._memory.get("folder", str(Path.home()))
        path, _ = QFileDialog.getOpenFileName(self, "Load classifier", start, "Classifiers (*.json)")
        if path:
            self.load(Path(path))

    def load(self, path: Path) -> None:
        """Take a saved classifier and apply it to the layer."""
        from napari_mpseg.particles.classes.classifier_files import load_classifier

        try:
            self.classifier = load_classifier(path)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.mine.save_button.setEnabled(True)
        if self._now is not None:
            self._predict(self.classifier, self._now, _scores(self.classifier))

    def enterEvent(self, event: Any) -> None:
        """Count anew: edits in napari's features table are not announced."""
        super().enterEvent(event)
        if not self.panel.busy:
            self._show()

    def release(self) -> None:
        """Let go of the viewer's layers."""
        if self._now is not None:
            self._now.layer.events.features.disconnect(self._on_features)
            self._now = None
        self.labels.disconnect_layers()


_ADVICE = {
    False: "<b>No labels yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, or open or "
    "paint labels.",
    True: "<b>Not measured yet.</b> Measure these labels with <i>Layers &gt; Measure &gt; Measure particles</i>.",
}


def _particles(count: int) -> str:
    return f"{count:,} particle{'' if count == 1 else 's'}"


def _scores(classifier: TrainedClassifier) -> str:
    """Return accuracy and confusion matrix as HTML."""
    validation = classifier.validation
    heads = "".join(f"<td align='right' style='padding-left: 10px'>{escape(name)}</td>" for name in validation.classes)
    rows = "".join(
        f"<tr><td>{escape(name)}</td>" + "".join(f"<td align='right'>{number:,}</td>" for number in row) + "</tr>"
        for name, row in zip(validation.classes, validation.confusion, strict=True)
    )
    return (
        f"<div>Accuracy {100 * validation.accuracy:.0f} % ({100 * validation.balanced_accuracy:.0f} % as a mean over "
        f"classes), on your particles held back in {validation.folds} parts. Yours in rows, as classified in columns:"
        f"</div><table cellspacing='1'><tr><td></td>{heads}</tr>{rows}</table>"
    )


def _counts_table(counts: pd.DataFrame) -> str:
    return _rows(counts["all"]) if counts["all"].sum() > counts["all"].get(UNCLASSIFIED, 0) else ""


def _rows(counts: pd.Series) -> str:
    total = max(int(counts.sum()), 1)
    space = "style='padding-left: 14px'"
    rows = "".join(
        f"<tr><td>{escape(str(name))}</td><td align='right' {space}>{int(count):,}</td>"
        f"<td align='right' {space}>{100 * count / total:.1f} %</td></tr>"
        for name, count in counts.items()
    )
    return f"<table cellspacing='1'>{rows}</table>"
