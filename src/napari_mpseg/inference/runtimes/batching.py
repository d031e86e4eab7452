"""How many windows a graphics card takes at a time, by measured memory."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from napari_mpseg.inference.runtimes.out_of_memory import is_out_of_memory, release
from napari_mpseg.inference.runtimes.registry import Margins, RunningNetwork

Array = np.ndarray[Any, Any]
_SHARE = 0.8  # of the free memory; the rest is for what other programs ask for meanwhile
_MOST = 64
Fits = Callable[[RunningNetwork, Array, Margins], tuple[Array, int]]


class Batches:
    """Runs windows of one size in batches as large as the memory allows.

    Parameters
    ----------
    running : RunningNetwork
    device : torch.device
    fits : callable, optional
        Runs a batch and returns probabilities and how many windows would fit at a time; by default measured on CUDA,
        and 1 elsewhere, where more at a time are no faster.
    """

    def __init__(self, running: RunningNetwork, device: torch.device, fits: Fits | None = None) -> None:
        self._running, self._device = running, device
        self._fits = fits or (_MeasuredOnCuda(device) if device.type == "cuda" else _one)
        self._sizes: dict[tuple[int, ...], int] = {}

    def __call__(self, windows: Sequence[Array], margins: Margins) -> list[Array]:
        """Return the probabilities of windows ``(Y, X, C)`` of one size, all with these margins.

        Raises
        ------
        torch.OutOfMemoryError, MemoryError
            If there is no room for a single one.
        """
        answers: list[Array] = []
        kind = (*windows[0].shape, *margins)
        while len(answers) < len(windows):
            size = self._sizes.get(kind, 1)
            batch = as_batch(windows[len(answers) : len(answers) + size])
            try:
                if kind in self._sizes:
                    answers.extend(self._running(batch, margins))
                else:
                    found, self._sizes[kind] = self._fits(self._running, batch, margins)
                    answers.extend(found)
            except Exception as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
                self._sizes[kind] = size // 2
                release(self._device)
        return answers


def as_batch(windows: Sequence[Array]) -> Array:
    """Return windows ``(Y, X, C)`` as ``(N, C, Y, X)``, with channels last in memory."""
    pixels = np.ascontiguousarray(windows[0])[None] if len(windows) == 1 else np.stack(windows)
    return pixels.transpose(0, 3, 1, 2)


def _one(running: RunningNetwork, batch: Array, margins: Margins) -> tuple[Array, int]:
    return running(batch, margins), 1


class _MeasuredOnCuda:
    """Runs a batch on a card, and tells from the memory it took how many windows would fit."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __call__(self, running: RunningNetwork, batch: Array, margins: Margins) -> tuple[Array, int]:
        device = self._device
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        found = running(batch, margins)
        each = max(1, torch.cuda.max_memory_allocated(device) - before)
        reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free = torch.cuda.mem_get_info(device)[0] + reserved
        return found, max(1, min(_MOST, int(_SHARE * free / each)))
