"""The registries of optimisers and of learning-rate schedules."""

from collections.abc import Callable, Iterable

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from napari_mpseg.registry import Registry
from napari_mpseg.training.settings import OptimiserSettings, ScheduleSettings

Parameters = Iterable[torch.nn.Parameter]
OPTIMISERS: Registry[Callable[[Parameters, OptimiserSettings], Optimizer]] = Registry("optimiser")
SCHEDULES: Registry[Callable[[Optimizer, ScheduleSettings, int, int], LRScheduler]] = Registry("schedule")
"""Each takes the optimiser, the settings, and the steps per epoch and in all; it is stepped once per step."""


@OPTIMISERS.register("sgd")
def _sgd(parameters: Parameters, settings: OptimiserSettings) -> Optimizer:
    return torch.optim.SGD(
        parameters, settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay
    )


@OPTIMISERS.register("rmsprop")
def _rmsprop(parameters: Parameters, settings: OptimiserSettings) -> Optimizer:
    return torch.optim.RMSprop(
        parameters,
        settings.learning_rate,
        eps=settings.epsilon,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )


@OPTIMISERS.register("adam")
def _adam(parameters: Parameters, settings: OptimiserSettings) -> Optimizer:
    return torch.optim.Adam(
        parameters, settings.learning_rate, settings.betas, settings.epsilon, weight_decay=settings.weight_decay
    )


@OPTIMISERS.register("adamw")
def _adamw(parameters: Parameters, settings: OptimiserSettings) -> Optimizer:
    return torch.optim.AdamW(
        parameters, settings.learning_rate, settings.betas, settings.epsilon, weight_decay=settings.weight_decay
    )


@SCHEDULES.register("constant")
def _constant(optimiser: Optimizer, settings: ScheduleSettings, per_epoch: int, total: int) -> LRScheduler:
    return LambdaLR(optimiser, lambda step: 1.0)


@SCHEDULES.register("one-cycle")
def _one_cycle(optimiser: Optimizer, settings: ScheduleSettings, per_epoch: int, total: int) -> LRScheduler:
    """Rise over 10 % of the steps, then fall along a cosine (Smith and Topin 2019); momentum goes the other way."""
    largest = optimiser.param_groups[0]["lr"]
    share = 0.1 if total != 10 else 0.15  # torch divides by the steps of the rise less one
    return OneCycleLR(optimiser, largest, total, pct_start=share)


@SCHEDULES.register("stairs")
def _stairs(optimiser: Optimizer, settings: ScheduleSettings, per_epoch: int, total: int) -> LRScheduler:
    every = _in_steps(settings, per_epoch)
    return LambdaLR(optimiser, lambda step: settings.factor ** (step // every))


@SCHEDULES.register("drop")
def _drop(optimiser: Optimizer, settings: ScheduleSettings, per_epoch: int, total: int) -> LRScheduler:
    after = _in_steps(settings, per_epoch)
    return LambdaLR(optimiser, lambda step: settings.factor if step >= after else 1.0)


def _in_steps(settings: ScheduleSettings, per_epoch: int) -> int:
    return settings.every * (per_epoch if settings.unit == "epochs" else 1)
