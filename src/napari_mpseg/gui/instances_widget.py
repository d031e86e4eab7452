"""The widget *Separate touching particles*: clean a mask, split what touches, and measure what comes out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Points
from qtpy.QtWidgets import QCheckBox, QFormLayout, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.instances_cleaning import CleaningForm
from napari_mpseg.gui.instances_fields import NumberEdit, WayForm
from napari_mpseg.gui.instances_layers import (
    data_of,
    identity,
    is_mask,
    is_source,
    knows_instances,
    mapping,
    record_of,
    summary,
)
from napari_mpseg.gui.instances_preview import ROLE, SeparationPreview
from napari_mpseg.gui.instances_work import Separated, cut_out, plane_of, seeds_of_plane, separate_planes
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.layer_input import frozen, snapshot_stack
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.particle_table import make_table_quick, show_table
from napari_mpseg.gui.pixel_size import PixelSizeEdit
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.visible import plane_in_view
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import role_of, space_of, unique_name
from napari_mpseg.particles.instances.settings import InstanceSettings
from napari_mpseg.particles.instances.ways import INSTANCES

if TYPE_CHECKING:
    import napari


class InstancesWidget(WorkingWidget):
    """Tells touching particles apart.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("separate")
        self._target: Any = None
        self._versions: dict[Any, int] = {}
        self._ticked: dict[int, bool] = {}  # by the user, for one layer
        self._build()
        self._restore()
        self.source.layer_changed.connect(self._on_source)
        self.image.layer_changed.connect(self._on_image)
        self.pixel_size.changed.connect(self._on_pixel_size)
        self.way.changed.connect(self._show_rows)
        self.within.clicked.connect(self._on_tick)
        self._on_source()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        layers = self._viewer.layers
        self.source = LayerChoice(layers, is_source, preferred=is_mask)
        self.source.setToolTip(
            "Labels, a mask, or a probability: where particles are. It is not changed; what comes out is a new layer."
        )
        self.threshold = NumberEdit("Probability above which a pixel is particle, 0 to 1", 0.0, 0.99)
        self.within = QCheckBox("Split each label by itself")
        self.within.setToolTip(
            "Keep the borders between labels that touch. Otherwise labels are taken as a mask, and those that touch "
            "are one piece, which is then split. Ticked for labels of a method that told touching particles apart."
        )
        self.image = LayerChoice(
            layers,
            lambda layer: isinstance(layer, Image) and role_of(layer) != ROLE,
            preferred=lambda layer: False,
            none="none: shapes only",
        )
        self.image.setToolTip("The image under the particles: for their brightness, and for the intensity watershed")
        self.way = WayForm()
        self.seeds = LayerChoice(
            layers,
            lambda layer: isinstance(layer, (Points, Labels)),
            preferred=lambda layer: False,
            none="none: found by themselves",
        )
        self.seeds.setToolTip("Points, or painted labels: where each part starts. A piece without any stays whole.")
        self.cleaning = CleaningForm()
        self.pixel_size = PixelSizeEdit(self._memory)
        self.hint = note(
            "<b>Nothing to separate yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, "
            "open a mask or a labels file, or paint on a new labels layer."
        )
        self.preview = SeparationPreview(self._viewer, self._what_to_preview)
        self.panel = RunPanel("Run", "Separate and measure the particles; adds a labels layer with its table")
        self.panel.run_requested.connect(self.run)
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self.form = QFormLayout(self.form_box)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, field in (
            ("Particles in", self.source),
            ("Threshold", self.threshold),
            ("", self.within),
            ("Image", self.image),
            ("Pixel size", self.pixel_size),
            ("Split by", self.way),
            ("Seeds", self.seeds),
        ):
            self.form.addRow(label, field)
        self.form.addRow(self.cleaning)
        self.form.addRow(self.preview)
        self.lay_out(self.hint, self.form_box, self.panel)

    def _restore(self) -> None:
        self.threshold.setValue(self._memory.get("threshold", 0.5))
        self.way.restore(self._memory.get("way", "imagej-watershed"), mapping(self._memory.get("options", "")))
        self.cleaning.restore(mapping(self._memory.get("cleaning", "")))

    def _remember(self) -> None:
        self._memory.set(
            threshold=self.threshold.value(),
            way=self.way.way,
            options=json.dumps(self.way.all_options),
            cleaning=json.dumps(self.cleaning.remembered()),
        )
        self.pixel_size.remember()

    def _on_source(self, _: Any = None) -> None:
        layer = self.source.layer
        ready = layer is not None
        self.hint.setVisible(not ready)
        self.form_box.setVisible(ready)
        self.panel.allow(ready)
        if not ready:
            self.preview.stop()
            return
        self._watch(layer)
        self._propose_within(layer)
        self._show_pixel_size(layer)
        self._propose_image(layer)
        self._show_rows()

    def _propose_within(self, layer: Any) -> None:
        """Keep labels apart that a method told apart; otherwise as the user last had it."""
        usual = knows_instances(layer) or self._memory.get("within", False)
        self.within.setChecked(self._ticked.get(identity(layer), usual))

    def _on_tick(self, ticked: bool) -> None:
        layer = self.source.layer
        self._ticked[identity(layer)] = ticked
        if not knows_instances(layer):
            self._memory.set(within=ticked)

    def _on_image(self, _: Any) -> None:
        if self.source.layer is not None:
            self._show_pixel_size(self.source.layer)

    def _propose_image(self, source: Any) -> None:
        """Choose the image that the particles were found on, where it is there."""
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and layer.name == record_of(source).get("source") and not role_of(layer):
                self.image.choose(layer)

    def _probability(self, source: Any) -> Any:
        """Return the probability that the particles were found by, where it is there: for the confidence."""
        if isinstance(source, Image):
            graded = role_of(source) == "probability" or data_of(source).dtype.kind == "f"
            return frozen(data_of(source)) if graded else None
        origin, shape = record_of(source).get("source"), data_of(source).shape
        for layer in self._viewer.layers:
            of_it = role_of(layer) == "probability" and origin is not None and record_of(layer).get("source") == origin
            if of_it and isinstance(layer, Image) and data_of(layer).shape == shape:
                return frozen(data_of(layer))
        return None

    def _show_pixel_size(self, layer: Any) -> None:
        from napari_mpseg.images.layers import layer_calibration

        calibration = layer_calibration(layer)
        if not calibration.calibrated and self.image.layer is not None:
            calibration = layer_calibration(self.image.layer)
        self.pixel_size.take(calibration)

    def _on_pixel_size(self) -> None:
        try:
            self.cleaning.take(self.pixel_size.calibration)
        except MpsegError:  # half a number; said when it is run
            return

    def _show_rows(self) -> None:
        labels = isinstance(self.source.layer, Labels)
        self.form.setRowVisible(self.threshold, not labels)
        self.form.setRowVisible(self.within, labels)
        self.form.setRowVisible(self.seeds, INSTANCES[self.way.way].takes_seeds)

    def _watch(self, layer: Any) -> None:
        """Notice when a layer's pixels change, so that the preview is made anew."""
        if layer is None or layer in self._versions:
            return
        self._versions[layer] = 0
        for name in ("data", "paint", "labels_update"):
            emitter = getattr(layer.events, name, None)
            if emitter is not None:
                emitter.connect(self._on_pixels)

    def _on_pixels(self, event: Any) -> None:
        if event.source in self._versions:
            self._versions[event.source] += 1

    # -- what the form says --------------------------------------------------------------------------------------

    def settings(self) -> InstanceSettings:
        """Return what the form says.

        Raises
        ------
        MpsegError
            If that is impossible.
        """
        labels = isinstance(self.source.layer, Labels)
        return InstanceSettings(
            threshold=self.threshold.value(),
            within_labels=labels and self.within.isChecked(),
            way=self.way.way,
            options=self.way.options,
            **self.cleaning.values,
        )

    def _seeds(self, target: Any) -> Any:
        """Return the chosen seeds in the pixels of the layer that is separated, or None."""
        layer = self.seeds.layer
        if layer is None or not INSTANCES[self.way.way].takes_seeds:
            return None
        if isinstance(layer, Labels):
            if layer == target:
                raise MpsegError(
                    "A layer cannot be its own seeds. Paint seeds on another labels layer, or set points on a points "
                    "layer."
                )
            return data_of(layer)
        world = [layer.data_to_world(point) for point in layer.data]
        found = [target.world_to_data(np.asarray(point)[-target.ndim :]) for point in world]
        return np.asarray(found, float).reshape(-1, target.ndim)

    def _what_to_preview(self, in_view: Any) -> Any:
        """Tell the preview what to show; see :class:`SeparationPreview`."""
        layer, image, seeds = self.source.layer, self.image.layer, self.seeds.layer
        if layer is None or self.panel.busy:
            return None
        box, plane = in_view(layer), plane_in_view(self._viewer, layer)
        if box is None or plane is None:
            return None
        for one in (image, seeds):
            self._watch(one)
        said = (self.threshold.value(), self.within.isChecked(), self.way.way, self.way.options, self.cleaning.values)
        versions = tuple(self._versions.get(one, 0) for one in (layer, image, seeds))
        which = tuple(identity(one) for one in (layer, image, seeds))
        key = (which, versions, box, plane, str(said), self._size_text())
        return layer, plane, key, lambda: self._cut(layer, plane, box)

    def _size_text(self) -> str:
        try:
            return str(self.pixel_size.calibration)
        except MpsegError as error:
            return str(error)

    def _cut(self, layer: Any, plane: tuple[int, ...], box: Any) -> tuple[Any, dict[str, Any]]:
        settings, calibration = self.settings(), self.pixel_size.calibration
        image = self.image.layer
        pixels = None
        if image is not None:
            pixels = plane_of(data_of(image), plane if image.ndim == layer.ndim else ())
        seeds = seeds_of_plane(self._seeds(layer), plane, data_of(layer).shape)
        cut = cut_out(plane_of(data_of(layer), plane), pixels, seeds, box)
        return cut, {"settings": settings, "graded": not isinstance(layer, Labels), "calibration": calibration}

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start separating what the form says."""
        layer = self.source.layer
        if layer is None or self.panel.busy:
            return
        try:
            settings, calibration = self.settings(), self.pixel_size.calibration
            images: list[Any] = []
            if self.image.layer is not None:
                stack = snapshot_stack(self.image.layer)
                images = [stack.image(index) for index in stack.plane_indices()]
            seeds = self._seeds(layer)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        self._target = layer
        job = Job(
            separate_planes,
            frozen(data_of(layer)),
            settings,
            images,
            frozen(seeds) if seeds is not None else None,
            graded=not isinstance(layer, Labels),
            calibration=calibration,
            probability=self._probability(layer),
            title=f"Separating {layer.name}",
        )
        self.panel.start(job, self._add)

    def _add(self, found: Separated) -> None:
        """Show what was found: only here does the viewer change."""
        source = self._target
        self.preview.stop()
        make_table_quick(self._viewer)
        data, levels = found.labels
        labels = self._viewer.add_labels(
            data,
            multiscale=levels,
            name=unique_name(self._viewer, f"{source.name} separated"),
            features=found.features,
            metadata={
                "napari-mpseg": {
                    "role": "particles",
                    "source": self._origin(source),
                    "provenance": dict(found.table.provenance),
                }
            },
            **space_of(source),
        )
        show_table(self._viewer, labels)
        if source in self._viewer.layers:
            self.source.choose(source)  # so that Run with other settings starts from the same
        self.panel.status.say(summary(found, source.name), "done")

    def _origin(self, source: Any) -> str:
        """Return the name of the image that the particles were found on, as far as it is known."""
        if self.image.layer is not None:
            return str(self.image.layer.name)
        return str(record_of(source).get("source", source.name))

    def release(self) -> None:
        """Let go of the viewer's layers, and take the preview away."""
        self.preview.release()
        for choice in (self.source, self.image, self.seeds):
            choice.disconnect_layers()
        for layer in self._versions:
            for name in ("data", "paint", "labels_update"):
                emitter = getattr(layer.events, name, None)
                if emitter is not None:
                    emitter.disconnect(self._on_pixels)
        self._versions.clear()
