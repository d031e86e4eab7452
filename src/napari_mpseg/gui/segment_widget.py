"""The widget *Segment particles*: choose an image and a method, press Segment, get labels and their table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.background_choice import BackgroundChoice
from napari_mpseg.gui.empty_choice import EmptyChoice
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.layer_input import has_channel_axis, snapshot_stack
from napari_mpseg.gui.memory import Memory, preferences
from napari_mpseg.gui.method_choice import MethodChoice
from napari_mpseg.gui.method_inputs import MethodInputs
from napari_mpseg.gui.method_options import MethodOptions
from napari_mpseg.gui.particle_table import make_table_quick, show_table
from napari_mpseg.gui.pixel_size import PixelSizeEdit
from napari_mpseg.gui.planes import segment_and_prepare
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.summary import summary
from napari_mpseg.gui.train_inputs import of_stack
from napari_mpseg.gui.tta_choice import TtaChoice
from napari_mpseg.gui.visible import needed_plane, planes_shape
from napari_mpseg.gui.worker import Job
from napari_mpseg.inference.screening import tells_of_loss
from napari_mpseg.layers import add_result, role_of
from napari_mpseg.methods.registry import defaults_of, gives_probability, takes_tta
from napari_mpseg.pyramids import LARGEST_TEXTURE

if TYPE_CHECKING:
    import napari

CURRENT, ALL, CHANNELS = "current", "all", "channels"


class SegmentWidget(WorkingWidget):
    """Finds the particles of an image layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("segment")
        self._target: Any = None
        self._plane: tuple[int, ...] = ()
        self._shown_method = ""
        self._build()
        self._restore()
        self.image.layer_changed.connect(self._on_layer)
        self._viewer.layers.selection.events.active.connect(self._explain)
        self._on_layer(self.image.layer)

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.image = LayerChoice(
            self._viewer.layers, lambda layer: isinstance(layer, Image), preferred=lambda layer: not role_of(layer)
        )
        self.image.setToolTip("The image to look for particles in. It is not changed.")
        self.method = MethodChoice(self._memory)
        self.background = BackgroundChoice(self._memory)
        self.empty = EmptyChoice(self._memory)
        self.method.changed.connect(self._show_rows)
        self.stack, self.channel = QComboBox(), QComboBox()
        self.stack.setToolTip("What to do with an image of several planes")
        self.channel.setToolTip("Which channel to look at; all of them only for a method trained on that many")
        self.stack.currentIndexChanged.connect(self._show_rows)
        self.automatic = QCheckBox("automatic")
        self.automatic.setToolTip("Take the threshold the network was made for")
        self.threshold = QDoubleSpinBox()
        self.threshold.setRange(0.01, 0.99)
        self.threshold.setSingleStep(0.05)
        self.threshold.setToolTip("Probability from which a pixel counts as particle, 0 to 1. Lower finds more.")
        self.automatic.toggled.connect(self.threshold.setDisabled)
        self.threshold_row = _row(self.automatic, self.threshold)
        self.tta = TtaChoice()
        self.rescale = QCheckBox("to the network's pixel size")
        self.rescale.setToolTip(
            "Show the image to the network at the pixel size it was trained at, by the nearest whole factor.\n"
            "For images much finer or coarser than the training's; labels keep the image's own pixels."
        )
        self.min_size = QSpinBox()
        self.min_size.setRange(1, 1_000_000)
        self.min_size.setSuffix(" px")
        self.min_size.setToolTip("Smaller particles are left out. 3 px is what the MP-VAT macro uses.")
        self.min_area = QLabel()
        self.pixel_size = PixelSizeEdit(self._memory)
        self.min_size.valueChanged.connect(self._show_area)
        self.pixel_size.changed.connect(self._show_area)
        self.hint = note()
        self.panel = RunPanel("Segment", "Find the particles; adds a labels layer, their probability and their table")
        self.panel.run_requested.connect(self.run)
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self.form = QFormLayout(self.form_box)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, field in (
            ("Image", self.image),
            ("Stack", self.stack),
            ("Channel", self.channel),
            ("Method", self.method),
        ):
            self.form.addRow(label, field)
        self.form.addRow(self.method.summary)
        self.inputs = MethodInputs(self.form, self._viewer, lambda: self.image.layer)
        self.options = MethodOptions(self.form, self._memory)
        for label, field in (
            ("Subtract\nbackground", self.background),
            ("Threshold", self.threshold_row),
            ("Test-time\naugmentation", self.tta),
            ("Rescale", self.rescale),
            ("Empty parts", self.empty),
            ("Minimum size", _row(self.min_size, self.min_area)),
            ("Pixel size", self.pixel_size),
        ):
            self.form.addRow(label, field)
        self.lay_out(self.hint, self.form_box, self.panel)

    def _restore(self) -> None:
        self.automatic.setChecked(self._memory.get("automatic", True))
        self.threshold.setValue(self._memory.get("threshold", 0.5))
        self.threshold.setDisabled(self.automatic.isChecked())
        self.min_size.setValue(self._memory.get("min_size", 3))
        self.rescale.setChecked(self._memory.get("rescale", False))
        self.tta.setCurrentIndex(max(0, self.tta.findData(self._memory.get("tta", ""))))

    def _remember(self) -> None:
        self._memory.set(
            method=self.method.method,
            automatic=self.automatic.isChecked(),
            threshold=self.threshold.value(),
            min_size=self.min_size.value(),
            tta=self.tta.currentData(),
            rescale=self.rescale.isChecked(),
        )
        self.pixel_size.remember()
        self.background.remember()
        self.empty.remember()
        self.options.remember()

    def _on_layer(self, layer: Any) -> None:
        if layer is not None:
            from napari_mpseg.images.layers import layer_calibration

            self.pixel_size.take(layer_calibration(layer))
            self._fill_stack(layer)
        self._show_rows()
        self._explain()

    def _fill_stack(self, layer: Any) -> None:
        count = _plane_count(layer)
        self.stack.clear()
        self.channel.clear()
        if count > 1:
            self.stack.addItem("The plane in view", CURRENT)
            self.stack.addItem(f"All {count} planes, one after the other", ALL)
        if count > 1 and layer.ndim == 3:
            self.stack.addItem(f"{count} channels of one image", CHANNELS)
            self.channel.addItem("All together", None)
            for number in range(count):
                self.channel.addItem(f"Channel {number}", number)
        if has_channel_axis(layer):
            self.stack.setCurrentIndex(self.stack.findData(CHANNELS))
            self.channel.setCurrentIndex(1)

    def _show_rows(self) -> None:
        self.form.setRowVisible(self.stack, self.stack.count() > 0)
        self.form.setRowVisible(self.channel, self.stack.currentData() == CHANNELS)
        if self._shown_method != self.method.method:
            self._shown_method = self.method.method
            self.inputs.show_for(self._shown_method)
            self.options.show_for(self._shown_method)
            self.form.setRowVisible(self.threshold_row, self._graded)
            self.form.setRowVisible(self.tta, takes_tta(self._shown_method))
            self.form.setRowVisible(self.rescale, takes_tta(self._shown_method))
            self.form.setRowVisible(self.empty, takes_tta(self._shown_method))
            self._take_defaults(defaults_of(self._shown_method))

    def _take_defaults(self, defaults: Mapping[str, Any]) -> None:
        """Show what a method file was saved with."""
        if "background" in defaults:
            self.background.choose(defaults["background"])
        if "min_size" in defaults:
            self.min_size.setValue(defaults["min_size"])
        if "threshold" in defaults:
            self.automatic.setChecked(False)
            self.threshold.setValue(defaults["threshold"])

    @property
    def _graded(self) -> bool:
        """Whether the chosen method gives probabilities, on which a threshold means something."""
        return gives_probability(self.method.method)

    def _show_area(self) -> None:
        try:
            calibration = self.pixel_size.calibration
        except MpsegError:
            self.min_area.setText("")
            return
        height, width = calibration.pixel_size
        area = self.min_size.value() * height * width
        unit = calibration.unit.replace("um", "µm")
        self.min_area.setText(f"= {area:.4g} {unit}²" if calibration.calibrated else "")

    def _explain(self, event: Any = None) -> None:
        """Say what is missing before anything can be segmented."""
        ready = self.image.layer is not None
        large = ready and max(_shape(self.image.layer)[-2:]) > LARGEST_TEXTURE
        labels = isinstance(self._viewer.layers.selection.active, Labels)
        if large:
            text = (
                "This image is large. What is found here lies in a temporary folder until you save it, and a stopped "
                "run begins anew. With <i>Layers &gt; Segment &gt; Segment a folder</i> it goes into a folder of "
                "yours, and a stopped run goes on."
            )
        elif ready:
            text = ""
        elif labels:
            text = (
                f"<b>{self._viewer.layers.selection.active.name}</b> is a labels layer, and this needs an image. "
                "To measure labels that are there already, use <i>Layers &gt; Measure &gt; Measure particles</i>."
            )
        else:
            text = (
                "<b>No image yet.</b> Open one with <i>File &gt; Open File(s) …</i>, drag it into the window, or try "
                "<i>File &gt; Open Sample &gt; napari-mpseg</i>."
            )
        self.hint.setText(text)
        self.hint.setVisible(bool(text))
        self.form_box.setVisible(ready)
        self.panel.allow(ready)

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start segmenting what the form says."""
        layer = self.image.layer
        if layer is None or self.panel.busy:
            return
        try:
            images, shape, planes = self._images(layer)
            options = self._options() | {"inputs": [self.inputs.values(plane) for plane in planes]}
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        self._target = layer
        job = Job(segment_and_prepare, images, shape, name=layer.name, title=f"Segmenting {layer.name}", **options)
        self.panel.start(job, self._add)

    def _images(self, layer: Any) -> tuple[list[Any], tuple[int, ...], list[tuple[int, ...]]]:
        """Return the images to segment, for a whole stack the lengths of its axes of planes, and each one's plane."""
        kind = self.stack.currentData()
        self._plane = ()
        stack = snapshot_stack(layer, channels_first=kind == CHANNELS)
        if kind == CHANNELS:
            from napari_mpseg.images.channels import pick_channels

            return [pick_channels(stack.image(), self.channel.currentData())], (), [()]
        if kind == ALL:
            planes = list(np.ndindex(*planes_shape(layer)))
            return [stack.image(index) for index in stack.plane_indices()], stack.plane_shape, planes
        self._plane = needed_plane(self._viewer, layer)
        return [stack.image(of_stack(self._plane, planes_shape(layer)))], (), [self._plane]

    def _options(self) -> dict[str, Any]:
        preferred = preferences()
        return {
            "method": self.method.method,
            "method_options": self.options.values,
            "background": self.background.settings,
            "threshold": self.threshold.value() if self._graded and not self.automatic.isChecked() else None,
            "min_size": self.min_size.value(),
            "tta": self.tta.currentData() if takes_tta(self.method.method) else "",
            "rescale": self.rescale.isChecked() and takes_tta(self.method.method),
            "skip_empty": self.empty.way if takes_tta(self.method.method) else None,
            "runtime": (preferred.runtime_asked or "auto") if takes_tta(self.method.method) else "auto",
            "calibration": self.pixel_size.calibration,
            "device": preferred.device,
            "tile_size": preferred.tile_size,
            "cache": preferred.cache_folder or None,
        }

    def _add(self, outcome: tuple[Any, Any]) -> None:
        """Show a result: only here, at the very end, does the viewer change."""
        result, prepared = outcome
        layer = self._target if self._target in self._viewer.layers else None
        make_table_quick(self._viewer)
        _, labels = add_result(self._viewer, result, layer, plane=self._plane, prepared=prepared)
        show_table(self._viewer, labels)
        lost = any(tells_of_loss(note) for note in result.notes)
        self.panel.status.say(summary(result), "warning" if lost else "done")

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self.image.disconnect_layers()
        self.inputs.release()
        self._viewer.layers.selection.events.active.disconnect(self._explain)


def _plane_count(layer: Any) -> int:
    count = 1
    for size in _shape(layer)[: layer.ndim - 2]:
        count *= size
    return count


def _shape(layer: Any) -> tuple[int, ...]:
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(int(size) for size in data.shape)


def _row(left: QWidget, right: QWidget) -> QWidget:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(left)
    layout.addWidget(right, 1)
    return box
