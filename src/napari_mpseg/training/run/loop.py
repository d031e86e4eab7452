"""The training loop: patches in, weights out; can be watched, paused, stopped, and gone on with."""

import copy
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from napari_mpseg.errors import Cancelled, MpsegError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.networks.triton_guard import load_compiler_without_triton
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.batch import Batch, Sampler
from napari_mpseg.training.run.averaging import WeightAverage
from napari_mpseg.training.run.control import TrainingControl
from napari_mpseg.training.run.events import TrainingEvent
from napari_mpseg.training.run.losses import chosen_loss
from napari_mpseg.training.run.objective import Objective
from napari_mpseg.training.run.optimisers import OPTIMISERS, SCHEDULES
from napari_mpseg.training.run.precision import use_bf16
from napari_mpseg.training.run.validation import Validation, validate
from napari_mpseg.training.settings import TrainSettings

EventCallback = Callable[[TrainingEvent], None]


@dataclass(frozen=True)
class EpochRecord:
    """What is remembered of an epoch.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    loss : float
        Mean over its steps.
    learning_rate : float
        At its end.
    validation : Validation or None
    """

    epoch: int
    loss: float
    learning_rate: float
    validation: Validation | None = None


class Training:
    """One training run.

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``; trained in place.
    sampler : Sampler
        Gives the patches.
    settings : TrainSettings
    validation : sequence of LabelledImage
        What was kept aside; may be empty, unless the settings keep the best epoch.
    device : torch.device

    Attributes
    ----------
    history : list of EpochRecord
        The epochs that have ended.
    step : int
        Steps done.
    best : int or None
        The epoch whose weights are kept, by the rule of the settings; None where the rule is not about epochs.
    random_state : torch.Tensor
        Of torch's generator, with which the run begins; the generator itself is put back at its end.
    """

    def __init__(
        self,
        network: nn.Module,
        sampler: Sampler,
        settings: TrainSettings,
        *,
        validation: Sequence[LabelledImage] = (),
        device: torch.device | None = None,
    ) -> None:
        load_compiler_without_triton()
        self.device = device or torch.device("cpu")
        self.network = network.train().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.sampler = sampler
        self.settings = settings
        self.validation = validation
        self.loss_of = self.chosen_loss()
        self.steps = settings.epochs * sampler.steps_per_epoch
        self.optimiser = OPTIMISERS[settings.optimiser.name](network.parameters(), settings.optimiser)
        self.schedule = self.chosen_schedule()
        self.average = WeightAverage(network, settings.average) if settings.keep == "average" else None
        self.history: list[EpochRecord] = []
        self.step = 0
        self.best: int | None = None
        self.best_weights: dict[str, torch.Tensor] = {}
        self._sound: dict[str, torch.Tensor] = {}
        self.random_state = torch.get_rng_state()  # what happens between here and the run shall not change it
        self._bf16 = use_bf16(settings.precision, self.device)
        self._weights_change = threading.Lock()

    def run(
        self,
        *,
        on_progress: ProgressCallback = silent,
        on_event: EventCallback = lambda event: None,
        control: CancelToken | None = None,
        after_epoch: Callable[["Training"], None] = lambda training: None,
    ) -> None:
        """Train until the last epoch, an early stop, or a cancel; then put the weights to be kept into the network.

        A cancel keeps what was learnt so far. Callbacks are called in this thread.

        Parameters
        ----------
        on_event : callable
            Called with a :class:`TrainingEvent` after every step and every epoch.
        control : CancelToken or TrainingControl, optional
        after_epoch : callable
            Called when an epoch has ended and been validated: the place to save a checkpoint.

        Raises
        ------
        MpsegError
            If the loss is no longer a number, or memory does not suffice. The weights kept so far are in the network.
        """
        control = control or CancelToken()
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.set_rng_state(self.random_state)
            self._run(on_progress, on_event, control, after_epoch)

    def _run(
        self,
        on_progress: ProgressCallback,
        on_event: EventCallback,
        control: CancelToken,
        after_epoch: Callable[["Training"], None],
    ) -> None:
        self._sound = self._copied(self.kept_weights())  # not earlier: a checkpoint may have been restored since
        try:
            while len(self.history) < self.settings.epochs and not control.cancelled and not self._exhausted():
                self._epoch(on_progress, on_event, control)
                after_epoch(self)
        except Cancelled:
            pass
        finally:
            self.network.load_state_dict(self.kept_weights())
            self.network.eval()

    def chosen_loss(self) -> Any:
        """Return the loss of a batch's logits."""
        return Objective(chosen_loss(self.settings.loss, self.settings.loss_options))

    def chosen_schedule(self) -> Any:
        """Return the schedule of the learning rate."""
        schedule, per_epoch = self.settings.schedule, self.sampler.steps_per_epoch
        return SCHEDULES[schedule.name](self.optimiser, schedule, per_epoch, self.steps)

    def batch_loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of a batch, as a tensor to go back from."""
        images, targets = (torch.from_numpy(array).to(self.device) for array in (batch.images, batch.targets))
        known = None if batch.known is None else torch.from_numpy(batch.known).to(self.device)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
            logits = self.network(images)
        weights = () if batch.weights is None else (torch.from_numpy(batch.weights).to(self.device),)
        loss: torch.Tensor = self.loss_of(logits.float(), targets, known, *weights)
        return loss

    def validated(self) -> Validation:
        """Return the scores of the weights as they are, on what was kept aside."""
        network = self.snapshot() if self.average is not None else self.network
        windows = self.settings.validation_windows
        return validate(network, self.validation, self.loss_of, self.device, windows, HEADS[self.settings.head])

    def kept_weights(self) -> dict[str, torch.Tensor]:
        """Return the weights that would be kept if the run ended now."""
        if self.best_weights:
            return self.best_weights
        return self.average.values if self.average is not None else self.network.state_dict()

    def snapshot(self) -> nn.Module:
        """Return a copy of the network as it has learnt so far, ready to predict; callable from any thread."""
        with self._weights_change:
            network: nn.Module = copy.deepcopy(self.network)
            if self.average is not None:
                network.load_state_dict(self.average.values)
        network.eval()
        return network

    def _epoch(self, on_progress: ProgressCallback, on_event: EventCallback, control: CancelToken) -> None:
        number = len(self.history) + 1
        losses = []
        for batch in self.sampler.epoch():
            if isinstance(control, TrainingControl):
                control.wait()
            control.check()
            with _memory_advice(self.settings.batch):
                losses.append(self._step(batch))
            self.step += 1
            on_event(self._event(number, losses[-1]))
            on_progress(Progress("Training", self.step, self.steps, "steps"))
        self._end_epoch(number, sum(losses) / max(1, len(losses)), on_event)

    def _step(self, batch: Batch) -> float:
        loss = self.batch_loss(batch)
        value = float(loss.item())
        if not math.isfinite(value):
            self._go_back()
            raise MpsegError(
                f"Training went astray at step {self.step + 1}: the loss is {value}. What was learnt up to the last "
                f"epoch is kept. Train with a smaller learning rate than {self.settings.optimiser.learning_rate:g}."
            )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        chosen = self.settings.optimiser
        if chosen.clip_norm:
            nn.utils.clip_grad_norm_(self.network.parameters(), chosen.clip_norm)
        if chosen.clip_value:
            nn.utils.clip_grad_value_(self.network.parameters(), chosen.clip_value)
        with self._weights_change:
            self.optimiser.step()
            self.schedule.step()
            if self.average is not None:
                self.average.update(self.network)
        return value

    def _go_back(self) -> None:
        """Take the weights of the end of the last epoch: those of the steps after it may be ruined already."""
        self.network.load_state_dict(self._sound)
        if self.average is not None:
            self.average.values = self._copied(self._sound)

    @staticmethod
    def _copied(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: value.detach().clone() for name, value in weights.items()}

    def _end_epoch(self, number: int, loss: float, on_event: EventCallback) -> None:
        seen = None
        if self.validation:
            with _memory_advice(self.settings.batch):
                seen = self.validated()
        rate = float(self.optimiser.param_groups[0]["lr"])
        self.history.append(EpochRecord(number, loss, rate, seen))
        is_best = self._is_best(seen)
        if is_best and self.settings.keep.startswith("best"):
            self.best = number
            self.best_weights = self._copied(self.network.state_dict())
        self._sound = self._copied(self.kept_weights())
        on_event(self._event(number, loss, ended=True, validation=seen, best=is_best))

    def _is_best(self, seen: Validation | None) -> bool:
        """Return whether the epoch that was appended last is the best of all."""
        if seen is None:
            return False
        earlier = [record.validation for record in self.history[:-1] if record.validation is not None]
        if self.settings.keep == "best-iou":
            return all(seen.iou > other.iou for other in earlier)
        return all(seen.loss < other.loss for other in earlier)

    def _exhausted(self) -> bool:
        """Return whether the validation loss has not become better for as long as the settings wait."""
        if not self.settings.patience:
            return False
        losses = [record.validation.loss for record in self.history if record.validation is not None]
        return len(losses) > self.settings.patience and min(losses[-self.settings.patience :]) >= min(
            losses[: -self.settings.patience]
        )

    def _event(self, epoch: int, loss: float, **more: Any) -> TrainingEvent:
        rate = float(self.optimiser.param_groups[0]["lr"])
        return TrainingEvent(self.step, self.steps, epoch, self.settings.epochs, loss, rate, **more)


@contextmanager
def _memory_advice(batch: int) -> Any:
    """Turn a lack of memory, in whatever form it comes, into advice."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise MpsegError(_advice(batch)) from error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):
            raise
        raise MpsegError(_advice(batch)) from error


def _advice(batch: int) -> str:
    return (
        f"There is not enough memory to train with {batch} patches at once. What was learnt before is kept. "
        "Choose a smaller batch, smaller patches or a smaller network."
    )
