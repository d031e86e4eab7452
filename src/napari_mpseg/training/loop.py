"""The training loop: crops in, averaged weights out."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.losses import LOSSES
from napari_mpseg.training.sampling import CropSampler
from napari_mpseg.training.settings import TrainSettings
from napari_mpseg.training.triton_guard import load_compiler_without_triton


class WeightAverage:
    """Exponential moving average of a network's weights; steadier than the last step's on few images."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._steps = 0

    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step; early steps count more, so that the start is forgotten."""
        self._steps += 1
        decay = min(self.decay, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                if value.dtype.is_floating_point:
                    self.values[name].mul_(decay).add_(value, alpha=1 - decay)
                else:
                    self.values[name].copy_(value)


def fit(
    network: nn.Module,
    sampler: CropSampler,
    settings: TrainSettings,
    *,
    on_progress: ProgressCallback = silent,
    on_loss: Callable[[int, float], None] = lambda step, loss: None,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Train `network` in place and leave the averaged weights in it.

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, 1, Y, X)``.
    sampler : CropSampler
    settings : TrainSettings
    on_loss : callable
        Called with step and loss after every step.
    cancel : CancelToken, optional
        Stops between two steps; the weights averaged so far are kept.

    Returns
    -------
    dict
        ``steps`` done and the mean ``loss`` of the last tenth.
    """
    cancel = cancel or CancelToken()
    load_compiler_without_triton()
    network.train().to(memory_format=torch.channels_last)
    loss_of = LOSSES[settings.loss]
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, settings.steps, pct_start=0.1)
    average = WeightAverage(network, settings.average)
    losses = []
    for step in range(1, settings.steps + 1):
        if cancel.cancelled:
            break
        images, masks = (torch.from_numpy(array) for array in sampler.batch())
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bf16):
            logits = network(images)
        loss = loss_of(logits.float(), masks)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update(network)
        losses.append(loss.item())
        on_loss(step, losses[-1])
        on_progress(Progress("Training", step, settings.steps, "steps"))
    network.load_state_dict(average.values)
    network.eval()
    tail = losses[-max(1, len(losses) // 10) :]
    return {"steps": len(losses), "loss": sum(tail) / len(tail) if tail else float("nan")}
