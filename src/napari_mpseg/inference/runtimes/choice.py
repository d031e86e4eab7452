"""Which runtime computes an image: what the user asked for, else what pays off on this machine."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.runtimes.calibration import (
    SECONDS,
    Calibration,
    calibrate,
    calibration_key,
    keep_calibration,
    kept_calibration,
)
from napari_mpseg.inference.runtimes.folding import folded
from napari_mpseg.inference.runtimes.registry import AUTO, DEFAULT, RUNTIMES
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

Array = np.ndarray[Any, Any]
VARIABLE = "NAPARI_MPSEG_RUNTIME"
LEAST_PIXELS = 4_000_000
"""Images of fewer pixels are computed by PyTorch in 32 bit, unless another runtime is asked for by name."""
_PROBE = 256
_CUDA_TILE = 2048
_SECONDS_ON_CARD = 1.0  # where it takes so little, a calibration is shorter, too


@dataclass(frozen=True)
class Choice:
    """What computes an image.

    Attributes
    ----------
    runtime : str
        Name in :data:`~napari_mpseg.inference.runtimes.RUNTIMES`.
    tile : int
        Side of the tiles it does best, in pixels.
    """

    runtime: str
    tile: int


def checked_runtime(name: str, device: "torch.device | str") -> str:
    """Return the name of a runtime, or ``"auto"``; with the latter, the variable ``NAPARI_MPSEG_RUNTIME`` decides.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    SettingsError
        If it cannot be used on this device of this machine.
    """
    asked = name
    if name == AUTO:
        asked = os.environ.get(VARIABLE, "").strip() or AUTO
    if asked == AUTO:
        return AUTO
    reason = RUNTIMES[asked].available(device)
    if reason is not None:
        wanted_by = "" if asked == name else f" (asked for by the variable {VARIABLE})"
        raise SettingsError(f"Runtime {asked!r}{wanted_by} cannot be used here: {reason} Or choose {AUTO!r}.")
    return asked


def choose_runtime(
    name: str,
    network: nn.Module,
    radius: int | None,
    device: torch.device,
    *,
    pixels: int,
    passes: int = 1,
    sample: Callable[[], Array],
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Choice:
    """Return what shall compute an image.

    With ``"auto"``, large images are computed by what was the fastest in a calibration of this network on this
    machine. If there was none yet, one is made where the image takes longer than that; else PyTorch in 32 bit does it.

    Parameters
    ----------
    name : str
        A runtime, or ``"auto"``.
    network : torch.nn.Module
        As loaded.
    radius : int or None
        Receptive radius in pixels.
    pixels : int
        Of the image, as the network sees it.
    passes : int
        How often the network looks at each.
    sample : callable
        Returns ``(Y, X, C)`` network input from the image, to measure and compare on; asked for only when needed.

    Raises
    ------
    UnknownNameError, SettingsError
        See :func:`checked_runtime`.
    Cancelled
        If `cancel` was set.
    """
    asked = checked_runtime(name, device)
    if asked != AUTO:
        kept = kept_calibration(calibration_key(network, device))
        tile = kept.best_tile(asked) if kept is not None else None
        return Choice(asked, tile or default_choice(device, asked).tile)
    if pixels < LEAST_PIXELS:
        return default_choice(device)
    key = calibration_key(network, device)
    calibration = kept_calibration(key)
    if calibration is None:
        ready, pixels_seen = folded(network), sample()
        worth = _SECONDS_ON_CARD if device.type == "cuda" else SECONDS
        if _seconds_for(ready, radius, device, pixels_seen, pixels * passes) < worth:
            return default_choice(device)
        calibration = calibrate(ready, radius, device, pixels_seen, on_progress=on_progress, cancel=cancel)
        keep_calibration(key, calibration)
    return chosen_by(calibration, device)


def chosen_by(calibration: Calibration, device: torch.device) -> Choice:
    """Return the fastest that is available and within the bar."""
    best = calibration.best()
    if best is None or RUNTIMES[best.runtime].available(device) is not None:
        return default_choice(device)
    return Choice(best.runtime, calibration.best_tile(best.runtime) or default_choice(device, best.runtime).tile)


def default_choice(device: torch.device, name: str = DEFAULT) -> Choice:
    """Return what a runtime does where nothing was measured."""
    return Choice(name, _CUDA_TILE if device.type == "cuda" else RUNTIMES[name].tile)


def _seconds_for(network: nn.Module, radius: int | None, device: torch.device, sample: Array, pixels: int) -> float:
    """Return about how long PyTorch in 32 bit takes for so many pixels, from one small window."""
    running = RUNTIMES[DEFAULT].build(network, device, radius)
    stride = int(getattr(network, "stride", 1))
    side = max(stride, _PROBE // stride * stride)
    pad = [(0, max(0, side - sample.shape[0])), (0, max(0, side - sample.shape[1])), (0, 0)]
    window = np.pad(sample, pad, mode="wrap")[:side, :side]
    batch = np.ascontiguousarray(window)[None].transpose(0, 3, 1, 2)
    took = []
    for _ in range(2):
        start = time.perf_counter()
        running(batch)
        took.append(time.perf_counter() - start)
    return min(took) * pixels / side**2
