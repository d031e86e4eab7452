"""One training run as the thread sees it: from copies of what was painted to a model. No Qt here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import Cancelled, ModelError, MpsegError, SettingsError
from napari_mpseg.experiments.operating_point import check_operating_point, with_operating_point
from napari_mpseg.gui.train_preview import PreviewMaker
from napari_mpseg.gui.train_store import checkpoint_for, keep_unsaved
from napari_mpseg.leftovers import remove
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback
from napari_mpseg.training.run.control import TrainingControl

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.training.preset import Preset
    from napari_mpseg.training.run.events import TrainingEvent
    from napari_mpseg.training.session import Session

_LOOK = 0.2  # seconds between two looks at the view while paused


@dataclass(frozen=True)
class TrainRequest:
    """All that a run is made from, fixed in the GUI thread.

    Attributes
    ----------
    pairs : sequence of (Image, LayerSnapshot)
    preset : Preset
    painted : str
        How it was painted.
    background_label : int
    start : Model or str
        A model in memory, a model's folder, ``"default"`` or ``"scratch"``.
    name : str
        Of the model.
    device, cache : str
        The user's preferences.
    minutes : float
        Stop after so long; 0 for no limit.
    """

    pairs: Sequence[tuple[Any, Any]]
    preset: Preset
    painted: str
    background_label: int = 1
    start: Model | str = "default"
    name: str = "trained"
    device: str = "auto"
    cache: str = ""
    minutes: float = 0.0


@dataclass(frozen=True)
class Learnt:
    """A model that was just learnt.

    Attributes
    ----------
    model : Model
    path : Path or None
        Where it is kept until the user saves it; None if that failed.
    """

    model: Model
    path: Path | None


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    model : Learnt or None
        What was learnt; None if nothing was.
    ended : str
        ``"finished"``, ``"early"`` (no longer better), ``"time"`` or ``"cancelled"``.
    epochs : int
        Done.
    seconds : float
        That it took.
    iou : float or None
        Of the model, on what was kept aside.
    only_before : bool
        Whether it ended before anything of what is painted was learnt from: in an earlier stage.
    """

    model: Learnt | None
    ended: str
    epochs: int
    seconds: float
    iou: float | None = None
    only_before: bool = False


class RunControl(TrainingControl):
    """A control that goes on looking at the view while it holds the training."""

    def __init__(self) -> None:
        super().__init__()
        self.while_paused: Callable[[], None] = lambda: None
        self.held = 0.0

    def wait(self) -> None:
        """Return at once, or when a pause has ended."""
        began = time.monotonic()
        while not self._running.wait(_LOOK):
            self.while_paused()
        self.held += time.monotonic() - began


class TrainRun:
    """A run; call it in a thread.

    Parameters
    ----------
    request : TrainRequest
    preview : PreviewMaker
        Asked between two steps, so that training and preview never compute at once.
    on_begin : callable
        Before the first step, gets how many epochs an interrupted run had done already, their records, and notes.
    on_event : callable
        Gets the training events.

    Attributes
    ----------
    control : RunControl
        To pause and to cancel; a cancel keeps what was learnt.
    learnt : Learnt or None
        After an error: what was learnt until then.
    """

    def __init__(
        self,
        request: TrainRequest,
        preview: PreviewMaker,
        on_begin: Callable[[int, Sequence[Any], Sequence[str]], None],
        on_event: Callable[[TrainingEvent], None],
    ) -> None:
        self.control = RunControl()
        self.learnt: Learnt | None = None
        self._request, self._preview = request, preview
        self._on_begin, self._on_event = on_begin, on_event
        self._began = 0.0
        self._late = False

    def __call__(self, *, on_progress: ProgressCallback, cancel: CancelToken) -> Outcome:
        """Train.

        Parameters
        ----------
        cancel : CancelToken
            Set when whoever wanted the model has gone; the checkpoint then stays for the next time.

        Raises
        ------
        MpsegError
            For the user. What was learnt is in :attr:`learnt`.
        Cancelled
            Before anything was learnt.
        """
        request, self._began = self._request, time.monotonic()
        on_progress(Progress("Reading what was painted", 0, 0))
        painted = (request.painted, request.background_label)
        checkpoint = checkpoint_for(request.cache, request.preset, request.pairs, painted, request.start)
        session: Session | None = None
        try:
            session = self._prepared(checkpoint, on_progress)
            self._check()
            self._on_begin(session.resumed, session.history, session.notes)
            return self._trained(session, on_progress)
        except Exception as error:
            if session is not None and session.step:
                self.learnt = self._kept(session.model())
            if not isinstance(error, MemoryError):
                raise
            raise MpsegError(
                "There is not enough memory to train like this. What was learnt before is kept. Choose a preset with a "
                "smaller network, batch or patch."
            ) from error
        finally:
            if not cancel.cancelled:
                remove(checkpoint)

    def _prepared(self, checkpoint: Path, on_progress: ProgressCallback) -> Session:
        on_progress(Progress("Building the network", 0, 0))
        from napari_mpseg.training import train

        check_operating_point(self._request.preset.settings)

        def prepare() -> Session:
            request = self._request
            return train.prepare_training(
                request.pairs,
                request.preset,
                painted=request.painted,
                background_label=request.background_label,
                start=request.start,
                name=request.name,
                device=request.device,
                checkpoint=checkpoint,
                on_progress=on_progress,
                cancel=self.control,
            )

        try:
            return prepare()
        except (ModelError, SettingsError):
            if not checkpoint.exists():
                raise
            remove(checkpoint)  # a damaged one, or of other pixels; if it was not that, it is said again
            return prepare()

    def _trained(self, session: Session, on_progress: ProgressCallback) -> Outcome:
        def watch(event: TrainingEvent) -> None:
            self._on_event(event)
            limit = 60 * self._request.minutes
            if limit and time.monotonic() - self._began - self.control.held > limit:
                self._late = True
                self.control.cancel()
            elif not self.control.cancelled:
                look()

        def look() -> None:
            if self._preview.due():
                self._preview.make(session.model, self.control)

        self.control.while_paused = look
        model = session.run(on_progress=on_progress, on_event=watch, control=self.control)
        if self._request.preset.settings.operating_point:
            model = self._with_operating_point(session, model, on_progress)
        done = len(session.history)
        return Outcome(
            self._kept(model) if session.step else None,
            self._ending(done, session.epochs),
            done,
            time.monotonic() - self._began - self.control.held,
            model.card.scores.get("validation", {}).get("iou"),
            session.only_before,
        )

    def _with_operating_point(self, session: Session, model: Model, on_progress: ProgressCallback) -> Model:
        with suppress(Cancelled):  # what was learnt is kept, with the threshold of the settings
            self._check()
            device = self._request.device
            return with_operating_point(session, model, device=device, on_progress=on_progress, cancel=self.control)
        return model

    def _kept(self, model: Model) -> Learnt:
        return Learnt(model, keep_unsaved(self._request.cache, model))

    def _ending(self, epochs: int, planned: int) -> str:
        if self._late:
            return "time"
        if self.control.cancelled:
            return "cancelled"
        return "early" if epochs < planned else "finished"

    def _check(self) -> None:
        if self.control.cancelled:
            raise Cancelled("cancelled by the user")
