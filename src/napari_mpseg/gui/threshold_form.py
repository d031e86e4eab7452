"""The form of *Choose a threshold*: a probability, the truth if there is one, and what counts as a particle."""

from __future__ import annotations

from typing import Any

from napari.layers import Image, Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QWidget

from napari_mpseg.gui.evaluate_fields import ParticleValue, min_size_field
from napari_mpseg.gui.evaluate_input import (
    check_same_shape,
    may_be_mask,
    may_be_probability,
    pixels_in_view,
    stored_probability,
    with_particle_value,
)
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.visible import plane_in_view
from napari_mpseg.layers import is_graded, role_of

_NOTHING = (
    "<b>No probability yet.</b> Segment an image with a network: <i>Layers &gt; Segment &gt; Segment particles</i> "
    "adds one. Any image layer with values from 0 to 1, or 0 to 255 in bytes, will do too."
)
_NONE_CHOSEN = (
    "<b>Choose a probability.</b> The results that are here say yes or no only, so every threshold gives the same "
    "particles. Segment with a network or a random forest for a probability."
)


class ThresholdForm(QWidget):
    """Fields for what is looked at.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    memory : Memory

    Signals
    -------
    listed()
        The layers that may be chosen are others.
    changed()
        Another truth, or another way of counting.
    """

    listed = Signal()
    changed = Signal()

    def __init__(self, viewer: Any, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._memory = viewer, memory
        layers = viewer.layers
        self.probability = LayerChoice(layers, _offered, preferred=_likely, none="choose a probability …")
        self.probability.setToolTip("The probability of a result. It is not changed.")
        self.truth = LayerChoice(layers, _may_be_truth, preferred=lambda layer: False, none="none: counts only")
        self.truth.setToolTip("Labels or a mask of what really is particle, for precision, recall and the aims below")
        self.particle = ParticleValue(memory, "truth")
        self.min_size = min_size_field(memory)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, field in (
            ("Probability", self.probability),
            ("Truth", self.truth),
            ("Particle is", self.particle),
            ("Minimum size", self.min_size),
        ):
            self._form.addRow(text, field)
        self.truth.layer_changed.connect(self._on_truth)
        self.particle.changed.connect(self.changed)
        self.min_size.valueChanged.connect(lambda size: self.changed.emit())
        for emitter in self._emitters():
            emitter.connect(self._on_layers, position="last")  # once the lists know of it
        self._on_truth(self.truth.layer)
        self.propose()

    def propose(self) -> None:
        """Choose a layer that is likely to be meant, where none is chosen; never one that says yes or no only."""
        if self.probability.layer is not None:
            return
        offered = [layer for layer in reversed(self._viewer.layers) if _offered(layer)]
        likely = [layer for layer in offered if _likely(layer)] or [one for one in offered if not role_of(one)]
        if likely:
            self.probability.choose(likely[0])

    @property
    def missing(self) -> str:
        """What is to be done before anything can be looked at, as rich text; empty where a probability is chosen."""
        if self.probability.layer is not None:
            return ""
        return _NONE_CHOSEN if self.some else _NOTHING

    @property
    def some(self) -> bool:
        """Whether there is a layer to choose."""
        return self.probability.count() > 1

    @property
    def key(self) -> Any:
        """What counts depend on; another key means that they are old. None without a probability."""
        layer, truth = self.probability.layer, self.truth.layer
        if layer is None:
            return None
        planes = [
            None if one is None else (one, plane_in_view(self._viewer, one), id(one.data)) for one in (layer, truth)
        ]
        return (*planes, None if truth is None else self.particle.value, self.min_size.value())

    def planes(self) -> tuple[Any, Any]:
        """Return the plane in view of the probability, uint8 ``(Y, X)``, and of the truth, None without one.

        Raises
        ------
        ImageError
            If a layer has no plane in view, the first is no probability, or they differ in size.
        """
        layer, truth = self.probability.layer, self.truth.layer
        probability = stored_probability(pixels_in_view(self._viewer, layer), layer.name)
        if truth is None:
            return probability, None
        plane = pixels_in_view(self._viewer, truth)
        check_same_shape(probability, plane, (layer.name, truth.name))
        return probability, with_particle_value(plane, self.particle.value)

    def remember(self) -> None:
        """Remember the choices."""
        self._memory.set(min_size=self.min_size.value())
        if self.truth.layer is not None:
            self.particle.remember(self.truth.layer)

    def _on_truth(self, truth: Any) -> None:
        self.particle.suit(truth)
        self._form.setRowVisible(self.particle, truth is not None)
        self.changed.emit()

    def _on_layers(self, event: Any = None) -> None:
        self.propose()
        self.listed.emit()

    def release(self) -> None:
        """Let go of the viewer's layers."""
        for emitter in self._emitters():
            emitter.disconnect(self._on_layers)
        self.probability.disconnect_layers()
        self.truth.disconnect_layers()

    def _emitters(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return events.inserted, events.removed


def _offered(layer: Any) -> bool:
    """Whether a layer can hold a probability: of a result, or a picture of the user's own."""
    return isinstance(layer, Image) and role_of(layer) in ("", "probability") and may_be_probability(layer)


def _likely(layer: Any) -> bool:
    """Whether a layer is the probability of a result, on which a threshold means something."""
    return role_of(layer) == "probability" and is_graded(layer)


def _may_be_truth(layer: Any) -> bool:
    return isinstance(layer, (Labels, Image)) and role_of(layer) in ("", "particles") and may_be_mask(layer)
