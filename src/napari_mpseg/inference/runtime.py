"""A network made ready to predict windows: folded, run by a runtime on its device, one forward pass at a time."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.errors import MpsegError
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.runtimes.batching import Batches
from napari_mpseg.inference.runtimes.choice import default_choice
from napari_mpseg.inference.runtimes.folding import folded
from napari_mpseg.inference.runtimes.out_of_memory import is_out_of_memory, release
from napari_mpseg.inference.runtimes.registry import DEFAULT, RUNTIMES, Margins
from napari_mpseg.inference.runtimes.splitting import halved
from napari_mpseg.inference.runtimes.workers import device_for_worker
from napari_mpseg.inference.streams import PASSES

__all__ = ["NetworkPredictor", "device_for_worker", "folded"]

Array = np.ndarray[Any, Any]
_building = threading.Lock()
_MOST_STREAMS = 4  # more tiles in flight cost more memory than they gain time


class NetworkPredictor:
    """Turns windows of pixels into probabilities with a network.

    Of a network that gives several numbers per pixel, all are returned, ``(outputs, Y, X)`` instead of ``(Y, X)``.

    It can be pickled: what a runtime made of the network stays behind, and is made again at first use, on the graphics
    card of the worker that uses it.

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``; has an integer ``stride``.
    scaling : Scaling
        Brings pixels to the network's input range.
    radius : int or None
        Receptive radius in pixels, None if larger than a window should be.
    device : torch.device
        Where to run.
    runtime : str
        Name in :data:`~napari_mpseg.inference.runtimes.RUNTIMES`.
    tile : int, optional
        Side of the tiles to prefer; default what suits the runtime.
    sample : ndarray of float32, optional
        ``(N, Y, X, C)`` network input from the image, for runtimes that need it.
    """

    preferred_tile = 640
    workers = 1
    """Tiles in flight; on a processor each with its share of the cores, see :mod:`napari_mpseg.inference.streams`."""

    def __init__(
        self,
        network: nn.Module,
        scaling: Scaling,
        radius: int | None,
        device: torch.device,
        runtime: str = DEFAULT,
        tile: int | None = None,
        sample: Array | None = None,
    ) -> None:
        self.stride = int(getattr(network, "stride", 1))
        self.exact = radius is not None
        self.halo = radius if radius is not None else 128
        self.scaling = scaling
        self.device = device
        self.runtime_name = runtime
        self.radius = radius
        self.sample = sample
        self.network = folded(network).cpu()
        if device.type == "cuda":
            self.workers = 2  # one is read while the other is computed
        elif device.type == "cpu":
            self.workers = min(_MOST_STREAMS, torch.get_num_threads())
        if tile is not None or runtime != DEFAULT or device.type == "cuda":
            self.preferred_tile = tile or default_choice(device, runtime).tile
        self._most_pixels: int | None = None
        self._running = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_running": None, "_most_pixels": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _running=threading.local())

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        return self.predict_scaled(self.scaled(window), margins)

    def predict_many(self, windows: Sequence[Any], margins: Margins = (0, 0, 0, 0)) -> list[Array]:
        """Return the probabilities of windows of one size, as many at a time as the device's memory allows."""
        pixels = [self.scaled(window) for window in windows]
        if not pixels:
            return []
        try:
            with PASSES:
                return self._ready()(pixels, margins)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        release(self.device)
        return [self.predict_scaled(each, margins) for each in pixels]

    def scaled(self, window: Any) -> Array:
        """Return the pixels of a window as network input, float32 ``(Y, X, C)``."""
        pixels = self.scaling.apply(np.asarray(window))
        return pixels[..., None] if pixels.ndim == 2 else pixels

    def predict_scaled(self, pixels: Array, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the probability of pixels that are network input already; see :meth:`predict`.

        Where the memory does not suffice, the window is halved, and halved again; later windows of that size are
        halved at once.

        Raises
        ------
        MpsegError
            If not even the smallest part fits.
        """
        area = pixels.shape[0] * pixels.shape[1]
        problem: Exception | None = None
        if self._most_pixels is None or area <= self._most_pixels:
            try:
                with PASSES:
                    return self._ready()([pixels], margins)[0]
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                problem = error
            # outside the handler, whose traceback holds the tensors
            problem = problem.with_traceback(None)
            release(self.device)
            self._most_pixels = min(area - 1, self._most_pixels or area)
        whole = halved(pixels, margins, self.predict_scaled, halo=self.halo, stride=self.stride, exact=self.exact)
        if whole is None:
            raise MpsegError(
                f"Not enough memory for a window of {pixels.shape[0]} x {pixels.shape[1]} pixels on {self.device}. "
                "Close other programs, or choose another device."
            ) from problem
        return whole

    def _ready(self) -> Batches:
        """Return what runs the network, made at first use in this thread: none can be used by two at a time."""
        batches: Batches | None = getattr(self._running, "batches", None)
        if batches is None:
            from napari_mpseg.inference.schedulers.workplace import worker_number

            device = device_for_worker(self.device, worker_number())
            entry = RUNTIMES[self.runtime_name]
            with _building:  # networks cannot be followed through PyTorch by two threads at a time
                batches = Batches(entry.build(self.network, device, self.radius, self.sample), device)
            self._running.batches = batches
        return batches
