"""Two stages as one run: a network learns from made images first, and goes on from there on the labelled ones.

Progress, history and checkpoint are those of one run: epochs and steps are counted through both stages, and a killed
run goes on in the stage where it was.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_mpseg.networks.centred import Centred
from napari_mpseg.networks.modelfile import Model, ModelCard
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.earlier import EarlierStage
from napari_mpseg.training.made_images import MadeImages, Wanted, kind_of, made_images
from napari_mpseg.training.painted.split import split_painted
from napari_mpseg.training.run.averaging import WeightAverage
from napari_mpseg.training.run.checkpoints import read_checkpoint
from napari_mpseg.training.run.events import TrainingEvent
from napari_mpseg.training.run.loop import EpochRecord, EventCallback, Training
from napari_mpseg.training.session import Session, learnt_from, prepare_session
from napari_mpseg.training.settings import TrainSettings
from napari_mpseg.training.stage_record import (
    BEFORE,
    REACHED,
    REAL_IMAGES,
    STEPS,
    description,
    digest,
    epoch_record,
    in_words,
    made_entries,
    not_among,
    reached,
    told_history,
    with_real,
)

STAGE = "Learning from made images"


@dataclass
class StagedSession(Session):
    """A run of two stages that is ready to start; what it is beside that is told of the second stage.

    Attributes
    ----------
    first : Session or None
        The earlier stage; None where it was over before this run began.
    start : Model or None
        What both stages started from.
    made : sequence of mapping
        What the card tells of the images of the first stage, if it comes to no other.
    """

    first: Session | None = None
    start: Model | None = None
    made: Sequence[Mapping[str, Any]] = ()
    _over: bool = field(default=False, repr=False)

    @property
    def history(self) -> Sequence[EpochRecord]:
        """The epochs that have ended, counted through both stages."""
        first = self._first_history()
        second = [replace(record, epoch=record.epoch + len(first)) for record in self.training.history]
        return (*first, *second)

    @property
    def step(self) -> int:
        """Steps done in both stages."""
        return self._first_steps() + self.training.step

    @property
    def epochs(self) -> int:
        """Epochs of both stages."""
        return self._first_epochs() + self.training.settings.epochs

    @property
    def only_before(self) -> bool:
        """Whether only made images are learnt from yet."""
        return not self._over

    def run(
        self,
        *,
        on_progress: ProgressCallback = silent,
        on_event: EventCallback = lambda event: None,
        control: CancelToken | None = None,
    ) -> Model:
        """Train both stages, or what is left of them.

        Returns
        -------
        Model
            With what is kept; after a cancel in the first stage what that has learnt, and its card says so.
        """
        control = control or CancelToken()
        if self.first is not None and not self._over:
            progress, events = self._through(on_progress, on_event, STAGE, first=True)
            learnt = self.first.run(on_progress=progress, on_event=events, control=control)
            if control.cancelled:
                return Model(learnt.network, self._card_of_first(self.first))
            self._hand_over(self.first)
        progress, events = self._through(on_progress, on_event)
        return super().run(on_progress=progress, on_event=events, control=control)

    def model(self) -> Model:
        """Return what has been learnt so far as a model of its own; callable from any thread while it goes on."""
        first = self.first  # another thread may end it
        if self._over or first is None:
            return super().model()
        return Model(first.training.snapshot(), self._card_of_first(first))

    # -- from the first stage to the second ----------------------------------------------------------------------

    def _hand_over(self, first: Session) -> None:
        """Let the second stage start from what the first has learnt."""
        begin_from(self.training, first.training)
        over = {**reached(first.training), REACHED: told_history(first.training)}
        self.data = {**self.data, BEFORE: {**self.data[BEFORE], **over}}
        self._over = True
        self.first = None  # its images and its network are not needed again

    def _finished_card(self) -> ModelCard:
        card = super()._finished_card()
        told = {key: value for key, value in self.data[BEFORE].items() if key not in (REACHED, REAL_IMAGES)}
        text = f"{card.description} It learnt from {in_words(told)} first.".strip()
        return replace(card, description=text, training={**card.training, BEFORE: told})

    def _card_of_first(self, first: Session) -> ModelCard:
        """Return the card of what only the first stage has learnt."""
        told = {**self.data[BEFORE], **reached(first.training)}
        told.pop(REAL_IMAGES, None)
        seen = learnt_from({"images": list(self.made), "validation": []}, self.start)
        return replace(
            self.card,
            description=f"{self.card.description} Stopped in the earlier stage: it has learnt from "
            f"{in_words(told)} only, not yet from the labelled images.".strip(),
            training_data=in_words(told),
            training={**self.card.training, **seen, "steps_done": 0, "epochs_done": 0, BEFORE: told},
        )

    # -- one count through both ----------------------------------------------------------------------------------

    def _first_history(self) -> Sequence[EpochRecord]:
        first = self.first  # another thread may end it
        if first is not None:
            return first.training.history
        return [epoch_record(values) for values in self.data[BEFORE][REACHED]]

    def _first_steps(self) -> int:
        first = self.first
        return first.training.step if first is not None else int(self.data[BEFORE]["steps_done"])

    def _first_epochs(self) -> int:
        first = self.first
        return first.training.settings.epochs if first is not None else len(self._first_history())

    def _through(
        self, on_progress: ProgressCallback, on_event: EventCallback, stage: str = "", *, first: bool = False
    ) -> tuple[ProgressCallback, EventCallback]:
        """Return callbacks that count through both stages."""
        second = self.training
        if first and self.first is not None:
            one = self.first.training
            steps, epochs, total = 0, 0, one.steps + second.steps
        else:
            steps, epochs = self._first_steps(), self._first_epochs()
            total = steps + second.steps
        all_epochs = self.epochs

        def progress(event: Progress) -> None:
            on_progress(replace(event, stage=stage or event.stage, done=event.done + steps, total=total))

        def told(event: TrainingEvent) -> None:
            passed = epochs + event.passed
            on_event(
                replace(
                    event,
                    step=event.step + steps,
                    steps=total,
                    epoch=event.epoch + epochs,
                    epochs=all_epochs,
                    passed_epochs=passed,
                )
            )

        return progress, told


def prepare_stages(
    images: Sequence[LabelledImage],
    settings: TrainSettings,
    before: EarlierStage,
    settings_before: TrainSettings,
    *,
    start: Model | None = None,
    checkpoint: Path | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
    **given: Any,
) -> StagedSession:
    """Make the images of the earlier stage and return a run of both, or what a checkpoint leaves of them.

    Parameters
    ----------
    images, settings, start, checkpoint
        Of the second stage, as :func:`~napari_mpseg.training.session.prepare_session` takes them. Images are made from
        these alone, never from what is validated on.
    before : EarlierStage
    settings_before : TrainSettings
        Of the earlier stage: :meth:`~napari_mpseg.training.preset.Preset.settings_before`.
    on_progress, cancel
        While images are made.
    **given
        What else :func:`~napari_mpseg.training.session.prepare_session` takes.

    Raises
    ------
    SettingsError
        If images cannot be made, or the checkpoint is of another run.
    Cancelled
    """
    kind_of(before)  # before anything is read or built
    told = description(before, settings_before)
    there = _data_of(checkpoint)
    if there is not None and "made" not in there:  # in the second stage, or of a run that has no other
        found = there.get(BEFORE)
        found = found if isinstance(found, Mapping) else {}
        told |= {key: found[key] for key in (REAL_IMAGES, "sha256", *STEPS, REACHED) if key in found}
        second = prepare_session(images, settings, start=start, checkpoint=checkpoint, told={BEFORE: told}, **given)
        session = StagedSession(**_fields(with_real(second)), start=start, _over=True)
        session.resumed = len(session.history)
        return session
    second = prepare_session(images, settings, start=start, **given)
    wanted = Wanted(
        before.count,
        settings_before.seed,
        second.card.in_channels,
        images,
        before.options,
        on_progress,
        cancel or CancelToken(),
    )
    made_first = made_images(before, wanted)
    first = _prepared_first(made_first, settings_before, told, second, start, checkpoint, given)
    told |= {"sha256": digest(first.data), REAL_IMAGES: not_among(made_first.real, second.data["images"])}
    notes = (*second.notes, *(f"Of the images that are learnt from first: {note}" for note in first.notes))
    second = replace(
        second, data={**second.data, BEFORE: told}, checkpoint=checkpoint, resumed=first.resumed, notes=notes
    )
    return StagedSession(
        **_fields(with_real(second)), first=first, start=start, made=made_entries(told, made_first.real)
    )


def begin_from(training: Training, other: Training) -> None:
    """Let a run that has not begun start from the weights that another one keeps.

    The mean and standard deviation that a network was told of its images stay those of its own run: each data set is
    normalised by its own (Lee et al. 2022).
    """
    network = training.network
    learnt = other.kept_weights()
    if isinstance(network, Centred):
        learnt = {**learnt, "mean": network.mean.clone(), "std": network.std.clone()}
    network.load_state_dict(learnt)
    if training.average is not None:
        training.average = WeightAverage(network, training.settings.average)


def _prepared_first(
    made: MadeImages,
    settings: TrainSettings,
    told: Mapping[str, Any],
    second: Session,
    start: Model | None,
    checkpoint: Path | None,
    given: Mapping[str, Any],
) -> Session:
    learnt: Sequence[LabelledImage] = made.images
    held: Sequence[LabelledImage] = ()
    if settings.validation:
        learnt, held = split_painted(made.images, settings.validation, settings.seed)
    return prepare_session(
        learnt,
        settings,
        start=start,
        validation=held,
        name=second.card.name,
        normalisation=second.card.normalisation,
        device=given.get("device"),
        checkpoint=checkpoint,
        told={"made": dict(told)},
    )


def _data_of(checkpoint: Path | None) -> Mapping[str, Any] | None:
    state = read_checkpoint(checkpoint) if checkpoint is not None else None
    return state["data"] if state is not None else None


def _fields(session: Session) -> dict[str, Any]:
    return {one.name: getattr(session, one.name) for one in dataclasses.fields(Session)}
