"""The widget *Count in clutter*: one box for each particle, to be gone through, the least sure first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QFormLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.count_form import CountForm
from napari_mpseg.gui.count_panel import KEYS, CountPanel
from napari_mpseg.gui.count_preview import CountPreview
from napari_mpseg.gui.count_review import CountReview
from napari_mpseg.gui.count_shapes import BoxShapes
from napari_mpseg.gui.count_work import Counted, count_layer
from napari_mpseg.gui.instances_fields import NumberEdit
from napari_mpseg.gui.instances_preview import ROLE
from napari_mpseg.gui.instances_work import cut_out
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.layer_input import frozen
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.particle_table import camera_of, canvas_size
from napari_mpseg.gui.pixel_size import PixelSizeEdit
from napari_mpseg.gui.review_keys import BoundKeys
from napari_mpseg.gui.review_sources import probability_of
from napari_mpseg.gui.review_table import can_be_reviewed
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import role_of, space_of, unique_name
from napari_mpseg.particles.counting.boxes import CORNERS, CountedBoxes
from napari_mpseg.particles.counting.record import counted_of
from napari_mpseg.particles.counting.settings import CountSettings

if TYPE_CHECKING:
    import napari

_SHARE = 0.25  # of the canvas that a box fills when it is stepped to
_LARGEST_PIXEL = 40.0  # on the screen


class CountWidget(WorkingWidget):
    """Counts particles in clutter, and lets the user go through their boxes.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands widgets a proxy, which ends with the widget: keys and callbacks need the viewer itself
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._memory = Memory("count")
        self._target: Any = None
        self._versions: dict[Any, int] = {}
        self.review: CountReview | None = None
        self.shapes: BoxShapes | None = None
        self.current: int | None = None
        self._order: list[int] = []
        self._seen: set[int] = set()  # boxes that were shown
        self._actions = {
            "next": lambda: self.step(1),
            "previous": lambda: self.step(-1),
            "accept": lambda: self.decide(keep=True),
            "reject": lambda: self.decide(keep=False),
            "undo": lambda: self._again("undo"),
            "redo": lambda: self._again("redo"),
        }
        self._keys = BoundKeys(self._actions, KEYS)
        self._build()
        self._restore()
        self.source.layer_changed.connect(self._on_source)
        self.pixel_size.changed.connect(self._on_pixel_size)
        self._viewer.layers.events.removed.connect(self._on_removed)
        self._on_source()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.source = LayerChoice(self._viewer.layers, _is_source, preferred=_is_preferred)
        self.source.setToolTip("Labels, a mask, or a probability: where particles are. Its pixels are not changed.")
        self.threshold = NumberEdit("Probability above which a pixel is particle, 0 to 1", 0.0, 0.99)
        self.settings_form = CountForm()
        self.pixel_size = PixelSizeEdit(self._memory)
        self.hint = note(
            "<b>Nothing to count on yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, "
            "open a mask or a labels file, or paint on a new labels layer. Of stacks, count one plane at a time."
        )
        self.saved = QPushButton()
        self.saved.setToolTip("Boxes that were saved with these labels, with all decisions and those drawn by hand")
        self.saved.clicked.connect(self._show_saved)
        self.preview = CountPreview(self._viewer, self._what_to_preview)
        self.panel = RunPanel("Count", "Count the particles of the whole layer; adds a layer of boxes")
        self.panel.run_requested.connect(self.run)
        self.boxes = CountPanel(self._actions)
        self.boxes.draw.toggled.connect(self._draw)
        self.boxes.save.clicked.connect(self.ask_and_save)
        self.boxes.hide()
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self.form = QFormLayout(self.form_box)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        fields = (("Particles in", self.source), ("Threshold", self.threshold), ("Pixel size", self.pixel_size))
        for label, item in fields:
            self.form.addRow(label, item)
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
        self.form.setRowVisible(self.threshold, not isinstance(layer, Labels))
        kept = counted_of(layer.metadata) if isinstance(layer, Labels) else None
        mine = self.review is not None and _itself(layer) is _itself(self.review.layer)
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
            for emitter in _emitters(layer):
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
        threshold = 0.5 if isinstance(self.source.layer, Labels) else self.threshold.value()
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
        key = (id(_itself(layer)), self._versions.get(layer, 0), box, str(said), size)
        return layer, (), key, lambda: self._cut(layer, box)

    def _cut(self, layer: Any, box: Any) -> tuple[Any, dict[str, Any]]:
        settings, calibration = self.settings(), self.pixel_size.calibration
        settings.sizes(calibration)  # what is impossible is said before a thread is started
        how = {"settings": settings, "graded": not isinstance(layer, Labels), "calibration": calibration}
        return cut_out(_data(layer), None, None, box), how

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
        graded = not isinstance(layer, Labels)
        found = None if graded else probability_of(self._viewer, layer)
        job = Job(
            count_layer,
            frozen(_data(layer)),
            settings,
            graded=graded,
            measured=not graded and can_be_reviewed(layer),
            probability=None if found is None else frozen(_data(found)),
            calibration=calibration,
            title=f"Counting {layer.name}",
        )
        self.panel.start(job, self._add)

    def _add(self, found: Counted) -> None:
        """Show what was counted: only here does the viewer change."""
        self.preview.stop()
        source, boxes = self._target, found.boxes
        if source not in self._viewer.layers:
            self.panel.status.say("The layer was removed meanwhile; nothing was added.", "warning")
            return
        labels = source if found.labels is None else self._add_labels(found, source)
        earlier = counted_of(labels.metadata)
        if earlier is not None:
            boxes = boxes.with_drawn_of(earlier)
        self._begin(labels, boxes)
        new = "" if found.labels is None else f" and the labels layer {labels.name} with its table"
        count = self.review.boxes.count if self.review is not None else boxes.count
        self.panel.status.say(f"{count:,} particles in {source.name}; added their boxes{new}.", "done")

    def _add_labels(self, found: Counted, source: Any) -> Any:
        assert found.labels is not None
        data, levels = found.labels
        return self._viewer.add_labels(
            data,
            multiscale=levels,
            name=unique_name(self._viewer, f"{source.name} counted"),
            features=found.features,
            metadata={"napari-mpseg": {"role": "particles", "source": _origin(source)}},
            **space_of(source),
        )

    def _show_saved(self) -> None:
        layer = self.source.layer
        kept = counted_of(layer.metadata) if layer is not None else None
        if kept is not None:
            self._begin(layer, kept)
            self.panel.status.say(f"Going on with {len(kept):,} boxes that were saved with {layer.name}.", "done")

    def _begin(self, labels: Any, boxes: CountedBoxes) -> None:
        """Start the review of some boxes, in a layer of their own."""
        self._leave(remove=True)
        labels = _itself(labels)
        try:
            self.review = CountReview(self._viewer, labels, boxes)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self.review.on_change = self._on_boxes
        self.boxes.show()
        self._seen = set()
        self._show_shapes()
        self._on_source()

    def _show_shapes(self) -> None:
        """Show the boxes, or the next ones where there are too many to be shown together."""
        assert self.review is not None
        self._leave_shapes(remove=True)
        self.shapes = BoxShapes(
            self._viewer,
            self.review,
            later=lambda work: QTimer.singleShot(0, work),
            say=self._say,
            skip=self._seen,
        )
        self._viewer.add_layer(self.shapes.layer)
        self.shapes.layer.mouse_drag_callbacks.append(self._on_click)
        self._keys.bind(self._viewer, self.shapes.layer)
        self._order = [number for number in self.review.order() if number in self.shapes.known]
        self._seen |= self.shapes.known
        self.current = None
        self._show()

    def _leave(self, *, remove: bool = False) -> None:
        """Let go of the boxes; they are kept with their labels."""
        self._leave_shapes(remove=remove)
        review, self.review = self.review, None
        self.current = None
        if review is not None:
            review.on_change = lambda numbers: None
            review.close()
        self.boxes.hide()

    def _leave_shapes(self, *, remove: bool) -> None:
        shapes, self.shapes = self.shapes, None
        self._keys.release()
        self.boxes.draw.setChecked(False)
        if shapes is None:
            return
        shapes.close()
        if self._on_click in shapes.layer.mouse_drag_callbacks:
            shapes.layer.mouse_drag_callbacks.remove(self._on_click)
        if remove and shapes.layer in self._viewer.layers:
            self._viewer.layers.remove(shapes.layer)

    def _on_removed(self, event: Any) -> None:
        removed = _itself(event.value)
        if self.shapes is not None and self.review is not None and removed in (self.shapes.layer, self.review.layer):
            self._leave(remove=removed is self.review.layer)
            self._on_source()

    # -- going through -------------------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Go to the next box (1) or the one before (-1), the least sure first."""
        if self.review is None or self.shapes is None:
            return
        there = set(self.review.frame["number"].tolist())
        self._order += sorted(there - set(self._order)) if not self.shapes.left_out else []
        place = self._order.index(self.current) if self.current in self._order else -1 if by > 0 else len(self._order)
        place += by
        while 0 <= place < len(self._order) and self._order[place] not in there:
            place += by
        if 0 <= place < len(self._order):
            self.go_to(self._order[place])
        else:
            self._at_the_end(by)

    def _at_the_end(self, by: int) -> None:
        if by > 0 and self.shapes is not None and self.shapes.left_out:
            self._show_shapes()
            self._say("Those were the least sure boxes; now the next ones are shown.", "done")
        else:
            self._say(f"That was the {'last' if by > 0 else 'first'} box.", "done")

    def go_to(self, number: int) -> None:
        """Make a box the one that is looked at, and bring it into view."""
        row = self.review.row(number) if self.review is not None else None
        if row is None or self.shapes is None:
            return
        self.current = number
        self._viewer.layers.selection.active = self.shapes.layer
        self.shapes.select(number)
        _centre(self._viewer, self.shapes.layer, [float(row[name]) for name in CORNERS])
        self._show()

    def decide(self, *, keep: bool) -> None:
        """Accept or reject the box, and go on."""
        if self.review is None:
            return
        if self.current is None:
            self._say("Choose a box first: press Next, or click one.", "warning")
            return
        try:
            text = self.review.decide(self.current, keep=keep)
        except MpsegError as error:
            self._say(str(error), "error")
            return
        self.step(1)
        self._say(f"{text[:1].upper()}{text[1:]}.", "info")

    def _again(self, name: str) -> None:
        if self.review is None:
            return
        try:
            step = getattr(self.review, name)()
        except MpsegError as error:
            self._say(str(error), "error")
            return
        if step is None:
            self._say(f"Nothing to {name}.", "info")
            return
        self.go_to(step.number)
        self._show()
        self._say(f"{'Taken back' if name == 'undo' else 'Done again'}: {step.text}.", "info")

    def _on_boxes(self, numbers: Sequence[int]) -> None:
        if self.shapes is not None:
            self.shapes.show(numbers)
            self._show()

    def _on_click(self, layer: Any, event: Any) -> Any:
        """Take the box that is clicked, where nothing is drawn or dragged."""
        mode = str(layer.mode)
        yield
        if event.type != "mouse_release" or mode.startswith("add") or self.shapes is None:
            return
        number = self.shapes.at(layer.world_to_data(event.position))
        if number is not None:
            self.current = number
            self.shapes.select(number)
            self._show()

    def _draw(self, on: bool) -> None:
        if self.shapes is None:
            return
        self._viewer.layers.selection.active = self.shapes.layer
        self.shapes.layer.mode = "add_rectangle" if on else "pan_zoom"
        self._say(
            "Drag a box around each particle that was missed. Press the button again to end." if on else "", "info"
        )

    def _show(self) -> None:
        if self.review is None or self.shapes is None:
            return
        self.boxes.show_boxes(self.review.frame, self.shapes.left_out)
        row = None if self.current is None else self.review.row(self.current)
        self.boxes.current.setText(_told(row) if row is not None else "Press Next to begin with the least sure box.")
        for name in ("accept", "reject"):
            self.boxes.buttons[name].setEnabled(row is not None)
        self.boxes.buttons["undo"].setEnabled(self.review.can_undo)
        self.boxes.buttons["redo"].setEnabled(self.review.can_redo)

    def _say(self, text: str, kind: str) -> None:
        self.panel.status.say(text, kind)

    # -- files ---------------------------------------------------------------------------------------------------

    def ask_and_save(self) -> None:
        """Ask where to save the boxes."""
        if self.review is None:
            return
        proposed = Path(self._memory.get("folder", str(Path.home()))) / f"{self.review.layer.name}_boxes.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save boxes", str(proposed), "Table (*.csv)")
        if path:
            self.save(Path(path))

    def save(self, path: Path) -> None:
        """Save all boxes as CSV; what is there is replaced."""
        if self.review is None:
            return
        try:
            written = self.review.boxes.to_csv(path if path.suffix else path.with_suffix(".csv"))
        except MpsegError as error:
            self._say(str(error), "error")
            return
        self._memory.set(folder=str(written.parent))
        self._say(f"{len(self.review.boxes):,} boxes saved in {written}.", "done")

    def release(self) -> None:
        """Let go of the viewer: keys, mouse and layers; the boxes stay."""
        self.preview.release()
        self._leave()
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.source.disconnect_layers()
        for layer in self._versions:
            for emitter in _emitters(layer):
                emitter.disconnect(self._on_pixels)
        self._versions.clear()


def _is_source(layer: Any) -> bool:
    if layer.ndim != 2:
        return False
    return isinstance(layer, Labels) or (isinstance(layer, Image) and not layer.rgb and role_of(layer) != ROLE)


def _is_preferred(layer: Any) -> bool:
    return isinstance(layer, Labels) or role_of(layer) == "probability"


def _emitters(layer: Any) -> list[Any]:
    names = ("data", "paint", "labels_update")
    return [emitter for name in names if (emitter := getattr(layer.events, name, None)) is not None]


def _data(layer: Any) -> Any:
    return layer.data[0] if layer.multiscale else layer.data


def _origin(layer: Any) -> str:
    """Return the name of the image that the particles were found on, as far as it is known."""
    record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, dict) else None
    return str(record.get("source", layer.name)) if isinstance(record, dict) else str(layer.name)


def _itself(layer: Any) -> Any:
    return getattr(layer, "__wrapped__", layer)  # napari hands plugins proxies


def _centre(viewer: Any, layer: Any, corners: Sequence[float]) -> None:
    """Bring a box to the middle of the view, close enough to be seen and with what is around it."""
    low, high = np.array(corners[:2]) - 0.5, np.array(corners[2:]) - 0.5
    start, stop = (np.asarray(layer.data_to_world(point), float)[-2:] for point in (low, high))
    camera, extent = camera_of(viewer), np.maximum(np.abs(stop - start), 1e-12)
    camera.center = (*camera.center[:-2], *((start + stop) / 2))
    pixel = float((extent / np.maximum(high - low, 1)).min())
    camera.zoom = min(_SHARE * float((np.asarray(canvas_size(viewer)) / extent).min()), _LARGEST_PIXEL / pixel)


def _told(row: Any) -> str:
    state = "kept" if row["keep"] else "rejected"
    parts = [f"<b>Box {row['number']}</b>", state if row["reviewed"] else "not reviewed yet"]
    if row["confidence"] == row["confidence"]:
        parts.append(f"confidence {row['confidence']:.2f}, at most {row['confidence_max']:.2f}")
    parts.append("drawn by hand" if row["origin"] == "drawn" else f"{row['area_px']:,} px of its own")
    if len(row["labels"]) > 1:
        parts.append(f"{len(row['labels'])} particles joined")
    return " · ".join(parts)
