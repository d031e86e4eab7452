"""The list of images and of what was painted on each."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.painting import new_labels
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_inputs import can_be_learnt_from, pair_problem
from napari_mpseg.layers import role_of

_SETTLED = 300  # milliseconds after the last stroke


class _Choice(LayerChoice):
    """Chooses a new layer by itself, but not one that is merely made active: to paint is not to choose."""

    def _on_active(self, event: Any = None) -> None:
        pass


class PairRow(QWidget):
    """An image layer, the labels layer painted on it, and what is wrong with them.

    Signals
    -------
    changed()
        Another choice, or another stroke.
    removed()
        The user takes the row away.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.following = True  # new layers become the choice, until the user chooses
        self._watched: Any = None
        self.labels = _Choice(layers, _is_labels, preferred=self._may_take_labels, none="nothing painted yet")
        self.labels.setToolTip("The labels painted on it. They are only read.")
        self.image = _Choice(layers, can_be_learnt_from, preferred=self._may_take_image)
        self.image.setToolTip("An image to learn from. It is not changed.")
        self.remove_button = QToolButton()
        self.remove_button.setText("✕")
        self.remove_button.setToolTip("Do not learn from this image. The layers stay.")
        self.remove_button.clicked.connect(self.removed)
        self.problem = note()
        for choice in (self.image, self.labels):
            choice.activated.connect(self._chosen)
            choice.setMinimumContentsLength(8)
        row = QHBoxLayout()
        row.addWidget(self.image, 1)
        row.addWidget(self.labels, 1)
        row.addWidget(self.remove_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.problem)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED)
        self._settled.timeout.connect(self.changed)
        self.image.layer_changed.connect(self._look)
        self.labels.layer_changed.connect(self._look)

    @property
    def pair(self) -> tuple[Any, Any]:
        """The two layers; None for one that is not chosen."""
        return self.image.layer, self.labels.layer

    @property
    def fits(self) -> bool:
        """Whether both are chosen and lie on each other."""
        return all(layer is not None for layer in self.pair) and not self.problem.text()

    def _may_take_image(self, layer: Any) -> bool:
        return self.following and self.labels.layer is None

    def _may_take_labels(self, layer: Any) -> bool:
        image = self.image.layer
        return self.following and not role_of(layer) and image is not None and not pair_problem(image, layer)

    def _chosen(self) -> None:
        self.following = False

    def _look(self, layer: Any = None) -> None:
        image, labels = self.pair
        self._watch(labels)
        problem = pair_problem(image, labels) if image is not None and labels is not None else ""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.changed.emit()

    def _watch(self, labels: Any) -> None:
        """Notice strokes on the chosen labels, and where they are moved to."""
        for connect in (False, True):
            layer = labels if connect else self._watched
            if layer is None:
                continue
            for name, callback in (
                ("paint", self._stroke),
                ("labels_update", self._stroke),
                ("set_data", self._stroke),
            ):
                _connect(getattr(layer.events, name, None), callback, connect)
            for name in ("scale", "translate"):
                _connect(getattr(layer.events, name), self._moved, connect)
        self._watched = labels

    def _stroke(self, event: Any = None) -> None:
        self._settled.start()

    def _moved(self, event: Any = None) -> None:
        self._look()

    def release(self) -> None:
        """Let go of the layers."""
        self._settled.stop()
        self._watch(None)
        for choice in (self.image, self.labels):
            choice.disconnect_layers()


class PairList(QWidget):
    """All pairs, with buttons to add one and to make labels to paint on.

    Signals
    -------
    changed()
        Anything that a training would see.
    labels_made(layer)
        An empty labels layer was added.
    """

    changed = Signal()
    labels_made = Signal(object)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.rows: list[PairRow] = []
        self.new_button = QPushButton("New labels to paint")
        self.new_button.setToolTip("Add an empty labels layer on the image, and choose the brush")
        self.new_button.clicked.connect(self.make_labels)
        self.add_button = QPushButton("Add an image")
        self.add_button.setToolTip("Learn from several images at once: another one with what was painted on it")
        self.add_button.clicked.connect(self.add)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        buttons = QHBoxLayout()
        buttons.addWidget(self.new_button)
        buttons.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._list)
        layout.addLayout(buttons)
        self.add()

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        """The pairs that fit."""
        return [row.pair for row in self.rows if row.fits]

    @property
    def misfits(self) -> list[str]:
        """What is wrong with single pairs, in words."""
        return [row.problem.text() for row in self.rows if row.problem.text()]

    @property
    def problems(self) -> list[str]:
        """What is wrong with the choices, in words."""
        found = self.misfits
        if not any(labels is not None for _, labels in (row.pair for row in self.rows)):
            found.append("Nothing is painted yet. Press 'New labels to paint', or choose a labels layer.")
        taken = [row.pair[1] for row in self.rows if row.pair[1] is not None]
        if any(layer == other for place, layer in enumerate(taken) for other in taken[:place]):
            found.append("The same labels are chosen twice. Take one of the rows away.")
        return found

    @property
    def painted(self) -> Any:
        """The labels layer to paint on: the active one if it is chosen, else that of the last row."""
        chosen = [row.pair[1] for row in self.rows if row.pair[1] is not None]
        active = self._viewer.layers.selection.active
        return next((layer for layer in chosen if layer == active), chosen[-1] if chosen else None)

    def add(self) -> None:
        """Add a row with an image that is not in the list, if there is one."""
        row = PairRow(self._viewer.layers)
        images = [one.pair[0] for one in self.rows]
        labels = [one.pair[1] for one in self.rows]
        for one in self.rows:
            one.following = False
        self.rows.append(row)
        self._list.addWidget(row)
        fresh = [layer for layer in reversed(self._viewer.layers) if can_be_learnt_from(layer) and layer not in images]
        if fresh:
            row.image.choose(fresh[0])
        painted = [layer for layer in reversed(self._viewer.layers) if _is_labels(layer) and layer not in labels]
        image = row.image.layer
        fitting = [one for one in painted if image is not None and not role_of(one) and not pair_problem(image, one)]
        row.labels.choose(fitting[0] if fitting else None)
        row.changed.connect(self.changed)
        row.removed.connect(lambda: self.remove(row))
        self._show_buttons()
        self.changed.emit()

    def remove(self, row: PairRow) -> None:
        """Take a row away, unless it is the last."""
        if len(self.rows) > 1:
            self.rows.remove(row)
            self._list.removeWidget(row)
            row.release()
            row.deleteLater()
            self._show_buttons()
            self.changed.emit()

    def make_labels(self) -> None:
        """Add an empty labels layer for the first row that has none, else for the last."""
        row = next((one for one in self.rows if one.pair[1] is None), self.rows[-1])
        if row.pair[0] is None:
            return
        layer = new_labels(self._viewer, row.pair[0])
        row.labels.choose(layer)
        row.following = False
        self.labels_made.emit(layer)

    def _show_buttons(self) -> None:
        for row in self.rows:
            row.remove_button.setVisible(len(self.rows) > 1)

    def release(self) -> None:
        """Let go of the viewer's layers."""
        for row in self.rows:
            row.release()


def _is_labels(layer: Any) -> bool:
    return isinstance(layer, Labels)


def _connect(emitter: Any, callback: Any, connect: bool) -> None:
    (emitter.connect if connect else emitter.disconnect)(callback)
