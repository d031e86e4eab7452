"""The widget *Review particles*: keep, reject and classify them one by one, and correct their outlines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.particle_table import centre_on, link_selection, make_table_quick, show_table
from napari_mpseg.gui.review_draw import MouseTool
from napari_mpseg.gui.review_form import ReviewForm
from napari_mpseg.gui.review_keys import CLASS_KEYS, BoundKeys
from napari_mpseg.gui.review_record import ask_for_record, save_record
from napari_mpseg.gui.review_session import ReviewSession
from napari_mpseg.gui.review_shade import LIMIT, Shade
from napari_mpseg.gui.review_sources import image_of, sources_of
from napari_mpseg.gui.review_state import can_be_reviewed
from napari_mpseg.particles.review.definitions import UNCLASSIFIED
from napari_mpseg.particles.review.order import review_order

if TYPE_CHECKING:
    import napari

_SHARE = 0.3  # of the canvas that a particle fills when it is stepped to
_LOOK = 1000  # milliseconds between looks at what was edited in napari's table
_CLASSES = ("fibre", "fragment", "film", "bead")  # offered where no particle has a class yet
_ADVICE = (
    "<b>No labels yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, or open labels.",
    "<b>Not measured yet.</b> Measure these labels with <i>Layers &gt; Measure &gt; Measure particles</i>.",
)


class ReviewWidget(ReviewForm):
    """Reviews the particles of a measured labels layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands widgets a proxy, which ends with the widget: keys and callbacks need the viewer itself
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._memory = Memory("review")
        self._sessions: list[ReviewSession] = []
        self.session: ReviewSession | None = None
        self._waiting: Any = None
        self._tool: MouseTool | None = None
        self._shade: Shade | None = None
        self._queue: list[int] = []
        self._at: dict[int, int] = {}
        self._place = -1
        self.current = 0
        self._closed = False
        self._actions: dict[str, Callable[[], Any]] = {
            "next": lambda: self.step(1),
            "previous": lambda: self.step(-1),
            "keep": lambda: self.decide(keep=True),
            "reject": lambda: self.decide(keep=False),
            "merge": self.start_merge,
            "split": self.start_split,
            "redraw": self.start_redraw,
            "delete": self.delete,
            "undo": lambda: self._again("undo"),
            "redo": lambda: self._again("redo"),
            "shade": lambda: self.dim.toggle(),
            "stop": self.stop_tool,
            **{f"class {n + 1}": partial(self._class_number, n) for n in range(CLASS_KEYS)},
        }
        self._keys = BoundKeys(self._actions)
        self._build(self._viewer.layers, self._memory, self._actions)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_LOOK)
        self._connect()
        self._on_labels(self.labels.layer)

    def _connect(self) -> None:
        self.order.currentIndexChanged.connect(lambda index: self._start_anew())
        self.dim.toggled.connect(lambda on: self._show_shade())
        self.classes.chosen.connect(lambda name: self.decide(to_class=name))
        self.classes.added.connect(self.add_class)
        self.table_button.clicked.connect(lambda: show_table(self._viewer, self.labels.layer))
        self.save_button.clicked.connect(self.ask_and_save)
        self.labels.layer_changed.connect(self._on_labels)
        self.image.layer_changed.connect(self._on_image)
        self._viewer.layers.selection.events.active.connect(self._on_active)
        self._viewer.layers.events.removed.connect(self._on_removed)

    # -- layers

    def _on_labels(self, layer: Any) -> None:
        self._leave()
        if layer is not None and can_be_reviewed(layer):
            self._enter(getattr(layer, "__wrapped__", layer))
        elif layer is not None:
            self._waiting = layer
            layer.events.features.connect(self._on_measured)
        ready = self.session is not None
        self.hint.setText("" if ready else _ADVICE[layer is not None])
        self.hint.setVisible(not ready)
        for part in self.parts:
            part.setVisible(ready)
        if ready:
            self._start_anew()

    def _on_measured(self, event: Any = None) -> None:
        """Begin once the layer has been measured."""
        if self._waiting is not None and can_be_reviewed(self._waiting):
            self._on_labels(self._waiting)

    def _on_gone(self) -> None:
        """Leave a layer whose table was taken away, until it is measured again."""
        self._on_labels(self.labels.layer)

    def _on_removed(self, event: Any) -> None:
        """Let go of a layer that was removed; its decisions and its record lie in it."""
        removed = getattr(event.value, "__wrapped__", event.value)
        self._sessions = [one for one in self._sessions if one.layer is not removed]

    def _enter(self, layer: Any) -> None:
        """Go on with a layer's review, or begin one; undo is there again after another layer was looked at."""
        make_table_quick(self._viewer)
        try:
            known = next((one for one in self._sessions if one.layer is layer), None)
            if known is None:
                known = ReviewSession(self._viewer, layer)
                self._sessions.append(known)
            else:
                known.connect()
        except MpsegError as error:
            self.panel.say(str(error), "error")
            return
        self.session = known
        known.on_change = self._show
        known.on_gone = self._on_gone
        found = image_of(self._viewer, layer)
        self.image.choose(next((one for one in self._viewer.layers if one is found or one == found), None))
        self._on_image(self.image.layer)
        link_selection(self._viewer, layer)
        self._tool = MouseTool(self._viewer, layer)
        self._shade = Shade(layer)
        layer.events.selected_label.connect(self._on_selected)
        self._keys.bind(self._viewer, layer)
        self.panel.say("")
        self._warn_if_stale()

    def _warn_if_stale(self) -> None:
        stale = self.session.stale() if self.session is not None else []
        if stale:
            self.panel.say(
                f"{len(stale):,} particle{'s are' if len(stale) > 1 else ' is'} not as measured, the first is "
                f"{stale[0]}: the labels were changed since. Measure again; decisions stay.",
                "warning",
            )

    def _leave(self) -> None:
        """Let go of the layer; its record holds everything."""
        if self._waiting is not None:
            self._waiting.events.features.disconnect(self._on_measured)
            self._waiting = None
        session, self.session = self.session, None
        self.stop_tool()
        self._keys.release()
        if self._shade is not None:
            self._shade.hide()
        self._tool = self._shade = None
        if session is not None:
            session.on_change = session.on_gone = lambda: None
            session.close()
            session.layer.events.selected_label.disconnect(self._on_selected)
        self.current = 0

    def _on_image(self, layer: Any) -> None:
        if self.session is not None:
            self.session.sources = sources_of(self._viewer, self.session.layer, layer)

    def _on_active(self, event: Any = None) -> None:
        """Give the mouse back when another layer is worked on."""
        active = self._viewer.layers.selection.active
        if self._tool is not None and self._tool.active and self.session is not None and active != self.session.layer:
            self.stop_tool()

    def _on_selected(self, event: Any = None) -> None:
        label = int(self.session.layer.selected_label) if self.session is not None else 0
        if self.session is not None and label != self.current and self.session.is_there(label):
            self.current = label
            self._place = self._at.get(label, self._place)
            self._show()

    def _look(self) -> None:
        """Take note of what was edited in napari's table."""
        if self.session is not None:
            self._try(self.session.notice)

    # -- going through

    def _start_anew(self) -> None:
        """Order the particles, and stand before the first."""
        if self.session is None:
            return
        self._memory.set(order=self.order.currentData())
        self._queue = review_order(self.session.features, self.order.currentData())
        self._at = {label: place for place, label in enumerate(self._queue)}
        self._place = -1
        self._show()

    def step(self, by: int) -> None:
        """Go to the next particle (1) or the one before (-1) of the order."""
        if self.session is None:
            return
        place = self._place + by
        while 0 <= place < len(self._queue):
            label = self._queue[place]
            skip = self.undecided.isChecked() and by > 0 and label in self.session.decided
            if self.session.is_there(label) and not skip:
                self._place = place
                self.go_to(label)
                return
            place += by
        self.panel.say(
            "That was the last particle of this order." if by > 0 else "That is the first particle of this order.",
            "done",
        )

    def go_to(self, label: int) -> None:
        """Make a particle the one that is reviewed, select it and bring it into view."""
        if self.session is None:
            return
        layer = self.session.layer
        self.stop_tool()
        self.current = label
        self._place = self._at.get(label, self._place)
        if self._viewer.layers.selection.active != layer:
            self._viewer.layers.selection.active = layer
        layer.selected_label = label
        centre_on(self._viewer, layer, label, share=_SHARE if self.zoom.isChecked() else None)
        self._show()

    # -- decisions and edits

    def decide(self, *, keep: bool | None = None, to_class: str | None = None) -> None:
        """Keep, reject or classify the particle, and go on."""

        def work(session: ReviewSession) -> str:
            session.decide(self.current, keep=keep, to_class=to_class)
            return session.last_text

        if self._change(work) and self.go_on.isChecked():
            said = self.panel.text()
            self.step(1)
            if self.panel.kind == "info":
                self.panel.say(said, "info")

    def _class_number(self, number: int) -> None:
        if number < len(self.classes.names):
            self.decide(to_class=self.classes.names[number])

    def add_class(self, name: str) -> None:
        """Offer one more class."""
        if self.session is not None:
            self._try(lambda: self._add_classes(name))
            self._show()

    def _add_classes(self, name: str) -> None:
        assert self.session is not None
        for one in (*self.classes.names, name):
            self.session.add_class(one)

    def start_merge(self) -> None:
        """Let the user click the particle to merge with."""
        first = self.current

        def work(session: ReviewSession, other: int) -> str:
            self.current = session.merge([first, other])
            return session.last_text

        self._use_mouse(
            lambda tool: tool.choose(lambda other: self._finish(lambda session: work(session, other))),
            f"Click the particle to merge with {first}. Esc leaves.",
        )

    def start_split(self) -> None:
        """Let the user draw the line to split along."""
        label = self.current

        def work(session: ReviewSession, line: np.ndarray) -> str:
            created = session.split(label, line)
            self._queue_after(created)
            return session.last_text

        self._use_mouse(
            lambda tool: tool.draw(lambda line: self._finish(lambda session: work(session, line))),
            f"Hold the button and draw right across particle {label}. Esc leaves.",
        )

    def start_redraw(self) -> None:
        """Let the user draw the new outline."""
        label = self.current

        def work(session: ReviewSession, outline: np.ndarray) -> str:
            session.redraw(label, outline)
            return session.last_text

        self._use_mouse(
            lambda tool: tool.draw(lambda outline: self._finish(lambda session: work(session, outline))),
            f"Hold the button and draw around particle {label}; the ends are joined. Esc leaves.",
        )

    def delete(self) -> None:
        """Remove the particle from the labels, and go on."""

        def work(session: ReviewSession) -> str:
            session.delete(self.current)
            return session.last_text

        if self._change(work) and self.go_on.isChecked():
            self.step(1)

    def stop_tool(self) -> None:
        """Leave merging, splitting or drawing."""
        if self._tool is not None and self._tool.active:
            self._tool.stop()
            self.panel.say("")

    def _use_mouse(self, start: Callable[[MouseTool], None], text: str) -> None:
        if self.session is None or self._tool is None:
            return
        if not self.session.is_there(self.current):
            self.panel.say("Choose a particle first: press Next, or click one.", "warning")
            return
        self._viewer.layers.selection.active = self.session.layer
        start(self._tool)
        self.panel.say(text)

    def _finish(self, work: Callable[[ReviewSession], str]) -> None:
        """Do what the mouse was for; after an edit that could not be done, it can be tried again."""
        if self._change(work):
            said = self.panel.text()
            self.stop_tool()
            if self.session is not None:
                self.session.layer.selected_label = self.current
            self.panel.say(said, "done")

    def _again(self, name: str) -> None:
        def work(session: ReviewSession) -> str:
            step = getattr(session, name)()
            if step is None:
                return f"Nothing to {name}."
            there = [label for label in step.labels if session.is_there(label)]
            if there:
                self.go_to(there[0])
            return f"{'Taken back' if name == 'undo' else 'Done again'}: {step.text}."

        self._change(work)

    def _queue_after(self, labels: tuple[int, ...]) -> None:
        """Put new particles next in the order."""
        self._queue[self._place + 1 : self._place + 1] = list(labels)
        self._at = {label: place for place, label in enumerate(self._queue)}

    def _change(self, work: Callable[[ReviewSession], str]) -> bool:
        if self.session is None:
            return False
        session = self.session
        said = self._try(lambda: work(session))
        self._show()
        if said:
            self.panel.say(str(said), "info")
        return bool(said)

    def _try(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except MpsegError as error:
            self.panel.say(str(error), "error")
            return None

    # -- what is shown

    def _show(self) -> None:
        session = self.session
        if session is None:
            return
        counts = session.counts()
        self.figures.show_counts(counts)
        there = session.is_there(self.current)
        row = session.features.iloc[self.current] if there else None
        names = [str(name) for name in session.features["class"].cat.categories if name != UNCLASSIFIED]
        own = row["class"] if row is not None and isinstance(row["class"], str) else None
        self.classes.offer(names or list(_CLASSES), counts.classes, own)
        self.figures.particle.setText(self._told(row))
        for action in ("keep", "reject", "merge", "split", "redraw", "delete"):
            self.buttons[action].setEnabled(there)
        self.classes.setEnabled(True)
        self.buttons["undo"].setEnabled(session.can_undo)
        self.buttons["redo"].setEnabled(session.can_redo)
        self._show_shade()

    def _told(self, row: Any) -> str:
        if row is None or self.session is None:
            return f"{len(self._queue):,} particles, {self.order.currentText().lower()}. Press Next to begin."
        label = self.current
        state = "rejected" if row["keep"] is False or row["keep"] == False else "kept"  # noqa: E712 - numpy's too
        state = state if label in self.session.decided else "not reviewed yet"
        parts = [f"<b>Particle {label}</b>", state]
        if label in self._at:
            parts.append(f"{self._at[label] + 1:,} of {len(self._queue):,}")
        if "confidence" in row.index and row["confidence"] == row["confidence"]:
            parts.append(f"confidence {row['confidence']:.2f}")
        return " · ".join(parts)

    def _show_shade(self) -> None:
        self._memory.set(dim=self.dim.isChecked())
        if self._shade is None or self.session is None:
            return
        if not self.dim.isChecked():
            self._shade.hide()
            return
        rejected = self.session.rejected()
        if not rejected.any() and not self._shade.on:
            return
        if not self._shade.show(rejected):
            self.dim.setToolTip(f"With {LIMIT:,} labels or more, rejected ones cannot be dimmed.")

    # -- the record

    def ask_and_save(self) -> None:
        """Ask where to save the record."""
        if self.session is None:
            return
        folder = self._memory.get("folder", str(Path.home()))
        path = ask_for_record(self, Path(folder) / f"{self.session.layer.name}_audit.jsonl")
        if path is not None:
            self.save(path, replace=True)

    def save(self, path: Path, *, replace: bool = False) -> None:
        """Save the record as JSON lines and as CSV, named after `path`; other files are only replaced if allowed."""
        if self.session is None:
            return
        session = self.session
        session.notice()
        written = self._try(lambda: save_record(session.layer.metadata, path, replace=replace))
        if written:
            self._memory.set(folder=str(path.parent))
            self.panel.say(f"{len(session.audit):,} entries saved in {written[0]} and {written[1].name}.", "done")
        elif written is not None:
            self.panel.say("Nothing was changed yet, so there is no record to save.", "warning")

    def release(self) -> None:
        """Let go of the viewer: keys, mouse, colours and layers."""
        if self._closed:
            return
        self._closed = True
        self._timer.stop()
        self._memory.set(undecided=self.undecided.isChecked(), go_on=self.go_on.isChecked(), zoom=self.zoom.isChecked())
        self._leave()
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._sessions.clear()
        self.labels.disconnect_layers()
        self.image.disconnect_layers()
