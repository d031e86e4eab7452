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
_PROPOSED = "colour-blind"  # black and red would not be seen on dark images of Nile red
_MEANINGS = ("found", "false", "missed")


def colours_of(scheme: str) -> DirectLabelColormap:
    """Return the colours of 1 (found), 2 (false) and 3 (missed); all else is transparent."""
    from napari_mpseg.evaluation.errors import ERROR_COLOURS

    colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    return DirectLabelColormap(color_dict=colours | ERROR_COLOURS[scheme].by_value())


class ErrorLayer:
    """Makes a layer at the first evaluation of a prediction, and shows later ones in it.

    Predictions have layers of their own, side by side. A layer that the user renames is kept as it is.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._made: list[Any] = []

    def show(
        self, prediction: Any, plane: tuple[int, ...], data: tuple[Any, bool], scheme: str, title: str = ""
    ) -> Any:
        """Show errors over a layer.

        Parameters
        ----------
        prediction : layer
            What is evaluated, or the image it was found on.
        plane : tuple of int
            Which plane of it, one index per leading axis.
        data : tuple
            Of :func:`napari_mpseg.pyramids.displayed`: the errors of the plane, and whether they are multiscale.
        scheme : str
            Name in :data:`~napari_mpseg.evaluation.errors.ERROR_COLOURS`.
        title : str, optional
            Name of the layer; one that has this title already is written into. Default that of `prediction` and
            "errors".

        Returns
        -------
        napari.layers.Labels
        """
        title = title or f"{prediction.name} errors"
        errors, levels = data
        ahead = (None,) * len(plane)
        errors = [level[ahead] for level in errors] if levels else errors[ahead]
        space = space_of(prediction, 2 + len(plane))
        space["translate"] = space["translate"] + plane_offset(space, plane) if plane else space["translate"]
        layer = self._ours(prediction, title, errors, levels)
        if layer is None:
            layer = self._add(prediction, title, errors, levels, space)
        else:
            layer.data = errors
            for name in ("scale", "translate", "rotate", "shear", "affine"):
                setattr(layer, name, space[name])
        layer.colormap = colours_of(scheme)
        if layer not in self._made:
            self._made.append(layer)
        return layer

    def recolour(self, scheme: str) -> None:
        """Show the errors in other colours."""
        for layer in self._made:
            layer.colormap = colours_of(scheme)

    def _add(self, prediction: Any, title: str, errors: Any, levels: bool, space: dict[str, Any]) -> Any:
        name = unique_name(self._viewer, title)
        record = {"role": ROLE, "source": prediction.name, "title": title, "name": name}
        with keeping_active(self._viewer):  # the user may be correcting labels
            return self._viewer.add_labels(
                errors, multiscale=levels, name=name, opacity=1.0, metadata={"napari-mpseg": record}, **space
            )

    def _ours(self, prediction: Any, title: str, errors: Any, levels: bool) -> Any:
        """Return the layer to write into: made for this, of this size, and not renamed, which is how one keeps it."""
        shape = tuple((errors[0] if levels else errors).shape)
        for layer in self._viewer.layers:
            if role_of(layer) != ROLE or layer.multiscale != levels:
                continue
            record = layer.metadata["napari-mpseg"]
            told = (record.get("source"), record.get("title"), record.get("name"))
            before = tuple((layer.data[0] if levels else layer.data).shape)
            if told == (prediction.name, title, layer.name) and before == shape:
                return layer
        return None


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
        self.choice.setCurrentIndex(max(0, self.choice.findData(memory.get("colours", _PROPOSED))))
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
