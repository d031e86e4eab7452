"""The widget *Count in clutter*: one box for each particle, to be gone through, the least sure first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtWidgets import QFormLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui import count_layers
from napari_mpseg.gui.count_form import CountForm
from napari_mpseg.gui.count_layers import boxes_now, itself, pixels_of
from napari_mpseg.gui.count_preview import CountPreview
from napari_mpseg.gui.count_walk import BoxWalk
from napari_mpseg.gui.count_work import Counted, count_layer
from napari_mpseg.gui.instances_fields import NumberEdit
from napari_mpseg.gui.instances_work import cut_out
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.layer_input import frozen
from napari_mpseg.gui.pixel_size import PixelSizeEdit
from napari_mpseg.gui.review_sources import probability_of
from napari_mpseg.gui.review_table import can_be_reviewed
from napari_mpseg.gui.run_panel import RunPanel
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import space_of, unique_name
from napari_mpseg.particles.counting.carried import CarriedOver, carry_over
from napari_mpseg.particles.counting.record import counted_of
from napari_mpseg.particles.counting.settings import CountSettings

if TYPE_CHECKING:
    import napari


class CountWidget(BoxWalk):
    """Counts particles in clutter, and lets the user go through their boxes.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        # napari hands widgets a proxy, which ends with the widget: keys and callbacks need the viewer itself
        super().__init__(getattr(napari_viewer, "__wrapped__", napari_viewer))
        self._target: Any = None
        self._earlier: Any = None  # labels that were made by counting on the target before
        self._versions: dict[Any, int] = {}
        self._build()
        self._restore()
        self.source.layer_changed.connect(self._on_source)
        self.pixel_size.changed.connect(self._on_pixel_size)
        self._on_source()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.source = LayerChoice(self._viewer.layers, count_layers.is_source, preferred=count_layers.is_preferred)
        self.source.setToolTip("Labels, a mask, or a probability: where particles are. Its pixels are not changed.")
        self.threshold = NumberEdit("Probability above which a pixel is particle, 0 to 1", 0.0, 0.99)
        self.settings_form = CountForm()
        self.pixel_size = PixelSizeEdit(self._memory)
        self.hint = note(
            "<b>Nothing to count on yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, "
            "open a mask or a labels file, or paint on a new labels layer. Of stacks, count one plane at a time."
        )
        self.plain = note(
            "<b>This may be any picture.</b> Its brightness is taken as probability. Of a photo, find the particles "
            "first with <i>Layers &gt; Segment &gt; Segment particles</i>, and count the result."
        )
        self.saved = QPushButton()
        self.saved.setToolTip("Boxes that were saved with these labels, with all decisions and those drawn by hand")
        self.saved.clicked.connect(self._show_saved)
        self.preview = CountPreview(self._viewer, self._what_to_preview)
        self.panel = RunPanel("Count", "Count the particles of the whole layer; adds a layer of boxes")
        self.panel.run_requested.connect(self.run)
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self.form = QFormLayout(self.form_box)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.addRow("Particles in", self.source)
        self.form.addRow(self.plain)
        self.form.addRow("Threshold", self.threshold)
        self.form.addRow("Pixel size", self.pixel_size)
        for item in (self.settings_form, self.preview, self.saved):
            self.form.addRow(item)
        self.lay_out(self.hint, self.form_box, self.panel, self.boxes)

    def _restore(self) -> None:
        self.threshold.setValue(self._memory.get("threshold", 0.5))
        try:
            kept = json.loads(self._memory.get("form", ""))
        except ValueError:
            kept = {}
        self.settings_form.restore(kept if isinstance(kept, dict) else {})

    def _remember(self) -> None:
        self._memory.set(threshold=self.threshold.value(), form=json.dumps(self.settings_form.remembered()))
        self.pixel_size.remember()

    def _on_source(self, _: Any = None) -> None:
        from napari_mpseg.images.layers import layer_calibration

        layer = self.source.layer
        self.hint.setVisible(layer is None)
        self.form_box.setVisible(layer is not None)
        self.panel.allow(layer is not None)
        if layer is None:
            self.preview.stop()
            return
        self._watch(layer)
        self.pixel_size.take(layer_calibration(layer))
        self.form.setRowVisible(self.threshold, count_layers.is_graded_source(layer))
        self.form.setRowVisible(self.plain, count_layers.is_plain(layer))
        kept = counted_of(layer.metadata) if isinstance(layer, Labels) else None
        mine = self.review is not None and itself(layer) is itself(self.review.layer)
        if kept is not None:
            self.saved.setText(f"Go on with the saved boxes ({len(kept):,})")
        self.form.setRowVisible(self.saved, kept is not None and not mine and can_be_reviewed(layer))

    def _on_pixel_size(self) -> None:
        try:
            self.settings_form.take(self.pixel_size.calibration)
        except MpsegError:  # half a number; said when it is run
            return

    def _watch(self, layer: Any) -> None:
        """Notice when a layer's pixels change, so that the preview is made anew."""
        if layer not in self._versions:
            self._versions[layer] = 0
            for emitter in count_layers.emitters_of(layer):
                emitter.connect(self._on_pixels)

    def _on_pixels(self, event: Any) -> None:
        if event.source in self._versions:
            self._versions[event.source] += 1

    def settings(self) -> CountSettings:
        """Return what the form says.

        Raises
        ------
        MpsegError
            If that is impossible.
        """
        self.settings_form.check()
        threshold = self.threshold.value() if count_layers.is_graded_source(self.source.layer) else 0.5
        return CountSettings(threshold=threshold, **self.settings_form.values)

    def _what_to_preview(self, in_view: Any) -> Any:
        layer = self.source.layer
        box = None if layer is None or self.panel.busy else in_view(layer)
        if box is None:
            return None
        said = (self.threshold.value(), self.settings_form.values)
        try:
            size = str(self.pixel_size.calibration)
        except MpsegError as error:
            size = str(error)
        key = (id(itself(layer)), self._versions.get(layer, 0), box, str(said), size)
        return layer, (), key, lambda: self._cut(layer, box)

    def _cut(self, layer: Any, box: Any) -> tuple[Any, dict[str, Any]]:
        settings, calibration = self.settings(), self.pixel_size.calibration
        settings.sizes(calibration)  # what is impossible is said before a thread is started
        how = {"settings": settings, "graded": count_layers.is_graded_source(layer), "calibration": calibration}
        return cut_out(pixels_of(layer), None, None, box), how

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start counting what the form says."""
        layer = self.source.layer
        if layer is None or self.panel.busy:
            return
        try:
            settings, calibration = self.settings(), self.pixel_size.calibration
            settings.sizes(calibration)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        self._target = layer
        graded, measured = count_layers.is_graded_source(layer), can_be_reviewed(layer)
        self._earlier = layer if measured else count_layers.earlier_of(self._viewer, layer)
        before = None if measured or self._earlier is None else boxes_now(self._earlier)
        found = None if graded else probability_of(self._viewer, layer)
        job = Job(
            count_layer,
            frozen(pixels_of(layer)),
            settings,
            graded=graded,
            measured=measured,
            probability=None if found is None else frozen(pixels_of(found)),
            earlier=None if before is None else (before, frozen(pixels_of(self._earlier))),
            calibration=calibration,
            title=f"Counting {layer.name}",
        )
        self.panel.start(job, self._add)

    def _add(self, found: Counted) -> None:
        """Show what was counted: only here does the viewer change."""
        self.preview.stop()
        self._settle()
        source, earlier = self._target, self._earlier
        self._target = self._earlier = None
        if source not in self._viewer.layers:
            self.panel.status.say("The layer was removed meanwhile; nothing was added.", "warning")
            return
        before = None if earlier is None else boxes_now(earlier)
        carried = CarriedOver(found.boxes)
        if before is not None:
            carried = carry_over(found.boxes, before, found.same, decisions=found.same is not None)
        labels = source if found.labels is None else self._add_labels(found, source)
        if not self._begin(labels, carried.boxes) or self.review is None:
            return
        self.source.choose(source)  # not the new labels: whoever counts again does so here, with another threshold
        if carried.decisions:
            self.review.take_decisions(carried.decisions, "as in the count before")
        new = "" if found.labels is None else f" and the labels layer {labels.name} with its table"
        count, plain = self.review.boxes.count, count_layers.is_plain(source)
        text = f"{count:,} particle{'' if count == 1 else 's'} in {source.name}; added their boxes{new}."
        text += " Its brightness was taken as probability." if plain else ""
        kept = carried.told("" if found.labels is None or earlier is None else earlier.name)
        self.panel.status.say(f"{text}{kept}", "warning" if carried.lost else "done")

    def _add_labels(self, found: Counted, source: Any) -> Any:
        assert found.labels is not None
        data, levels = found.labels
        made = self._viewer.add_labels(
            data,
            multiscale=levels,
            name=unique_name(self._viewer, f"{source.name} counted"),
            features=found.features,
            metadata={
                "napari-mpseg": {
                    "role": "particles",
                    "source": count_layers.origin_of(source),
                    count_layers.COUNTED_ON: source.name,
                }
            },
            **space_of(source),
        )
        count_layers.note_counted_on(made, source)
        return made

    def _show_saved(self) -> None:
        layer = self.source.layer
        kept = boxes_now(layer) if layer is not None else None
        if kept is not None and self._begin(layer, kept, go_on=True) and self.review is not None:
            number = len(self.review.boxes)
            boxes = f"{number:,} box{' that was' if number == 1 else 'es that were'} saved with {layer.name}"
            self.panel.status.say(f"Going on with {boxes}.", "done")

    def release(self) -> None:
        """Let go of the viewer: keys, mouse and layers; the boxes stay."""
        self.preview.release()
        self._leave()
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.source.disconnect_layers()
        for layer in self._versions:
            for emitter in count_layers.emitters_of(layer):
                emitter.disconnect(self._on_pixels)
        self._versions.clear()
