"""The layer of errors: what was found, what is false, what was missed, in the paper's colours or in safe ones."""

from __future__ import annotations

from typing import Any

from napari.settings import get_settings
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.theme import get_theme
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_mpseg.gui.layer_choice import keeping_active
from napari_mpseg.gui.memory import Memory
from napari_mpseg.layers import plane_offset, role_of, space_of, unique_name

ROLE = "errors"
_MEANINGS = ("found", "false", "missed")


def colours_of(scheme: str) -> DirectLabelColormap:
    """Return the colours of 1 (found), 2 (false) and 3 (missed); all else is transparent."""
    from napari_mpseg.evaluation.errors import ERROR_COLOURS

    colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    return DirectLabelColormap(color_dict=colours | ERROR_COLOURS[scheme].by_value())


class ErrorLayer:
    """Makes the layer at the first evaluation of a prediction, and shows later ones in it.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._shown: tuple[Any, Any] | None = None

    @property
    def layer(self) -> Any:
        """The layer; None if there is none, or the user took it away."""
        if self._shown is None or self._shown[1] not in self._viewer.layers:
            return None
        return self._shown[1]

    def show(self, prediction: Any, plane: tuple[int, ...], data: tuple[Any, bool], scheme: str) -> Any:
        """Show errors over a prediction layer.

        Parameters
        ----------
        prediction : layer
        plane : tuple of int
            Which plane of it, one index per leading axis.
        data : tuple
            Of :func:`napari_mpseg.layers.displayed`: the errors of the plane, and whether they are multiscale.
        scheme : str
            Name in :data:`~napari_mpseg.evaluation.errors.ERROR_COLOURS`.

        Returns
        -------
        napari.layers.Labels
        """
        errors, levels = data
        ahead = (None,) * len(plane)
        errors = [level[ahead] for level in errors] if levels else errors[ahead]
        space = space_of(prediction, 2 + len(plane))
        space["translate"] = space["translate"] + plane_offset(space, plane) if plane else space["translate"]
        layer = self._ours(prediction, errors, levels)
        if layer is not None:
            layer.data = errors
            for name in ("scale", "translate", "rotate", "shear", "affine"):
                setattr(layer, name, space[name])
            layer.colormap = colours_of(scheme)
            return layer
        with keeping_active(self._viewer):  # the user may be correcting labels
            layer = self._viewer.add_labels(
                errors,
                multiscale=levels,
                name=unique_name(self._viewer, f"{prediction.name} errors"),
                opacity=1.0,
                colormap=colours_of(scheme),
                metadata={"napari-mpseg": {"role": ROLE, "source": prediction.name}},
                **space,
            )
        self._shown = (prediction, layer)
        return layer

    def recolour(self, scheme: str) -> None:
        """Show the errors in other colours."""
        if self.layer is not None:
            self.layer.colormap = colours_of(scheme)

    def _ours(self, prediction: Any, errors: Any, levels: bool) -> Any:
        layer = self.layer
        if layer is None or self._shown is None or self._shown[0] is not prediction or role_of(layer) != ROLE:
            return None
        shape = (errors[0] if levels else errors).shape
        before = (layer.data[0] if layer.multiscale else layer.data).shape
        return layer if layer.multiscale == levels and tuple(before) == tuple(shape) else None


class ErrorLegend(QWidget):
    """Which colour means what, and the choice of colours.

    Signals
    -------
    changed(str)
        Other colours were chosen.
    """

    changed = Signal(str)

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from napari_mpseg.evaluation.errors import ERROR_COLOURS

        self._memory = memory
        self.choice = QComboBox()
        for name, colours in ERROR_COLOURS.items():
            self.choice.addItem(f"{name}: {colours.title}", name)
            self.choice.setItemData(self.choice.count() - 1, colours.source, 3)  # 3 = tool tip
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(12)
        self.choice.setCurrentIndex(max(0, self.choice.findData(memory.get("colours", "paper"))))
        self.choice.setToolTip("Colours of the layer of errors")
        self.labels = [QLabel() for _ in _MEANINGS]
        column, row = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        for label in self.labels:
            row.addWidget(label)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.choice)
        self.choice.currentIndexChanged.connect(self._on_choice)
        get_settings().appearance.events.theme.connect(self._paint)
        self._paint()

    @property
    def scheme(self) -> str:
        """Name of the chosen colours."""
        return str(self.choice.currentData())

    def _on_choice(self) -> None:
        self._memory.set(colours=self.scheme)
        self._paint()
        self.changed.emit(self.scheme)

    def _paint(self, event: Any = None) -> None:
        from napari_mpseg.evaluation.errors import ERROR_COLOURS

        edge = get_theme(get_settings().appearance.theme).text.as_hex()
        for label, text, colour in zip(
            self.labels, _MEANINGS, ERROR_COLOURS[self.scheme].by_value().values(), strict=True
        ):
            # a square with an edge in the colour of text, or black would not be seen on a dark window
            label.setText(
                f"<table cellspacing='0'><tr><td style='background-color:{edge}; padding:1px'>"
                f"<table cellspacing='0'><tr><td style='background-color:{colour}'>&nbsp;&nbsp;&nbsp;</td></tr></table>"
                f"</td><td>&nbsp;{text}</td></tr></table>"
            )
