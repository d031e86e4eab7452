"""Which runtime and tile size are fastest here, measured on a few windows, and kept."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.inference.grid import round_up
from napari_mpseg.inference.runtimes.kept import key_of, network_digest, read_json, write_json
from napari_mpseg.inference.runtimes.out_of_memory import is_out_of_memory, release
from napari_mpseg.inference.runtimes.registry import DEFAULT, RUNTIMES, RunningNetwork, RuntimeEntry
from napari_mpseg.inference.runtimes.requirements import processor_name
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.settings import from_dict, to_dict

Array = np.ndarray[Any, Any]
SECONDS = 8.0
"""What a calibration may take; nothing new is begun after that."""
_TILES = {"cpu": (640, 512), "cuda": (2048, 1024, 4096), "mps": (1024, 512, 2048)}
_PROBE, _SMALL_PROBE = 512, 256
_HEAVY = 0.5  # seconds for a small probe, above which a network is looked at with small probes only
_LARGEST_HEAVY = 640
_HOPELESS = 2.0  # times the fastest, above which a runtime is not looked at again
_FAR = 128  # pixels around the tiles of networks that see further than any window
_NEAR = 1.02  # tiles within so much of the fastest: the smallest of them, which takes the least memory
MOST_DISAGREEMENT = 0.003
"""Above this a runtime is not chosen automatically; one less F1 of the masks, see :func:`disagreement`."""
_REPEATS = 3


@dataclass(frozen=True)
class Measured:
    """How one runtime did on one tile size.

    Attributes
    ----------
    runtime : str
    tile : int
        Side of the tile in pixels.
    speed : float
        Megapixels of result per second.
    disagreement : float
        How far its probabilities are from those of PyTorch in 32 bit; see :func:`disagreement`.
    """

    runtime: str
    tile: int
    speed: float
    disagreement: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """What was measured, and what follows.

    Attributes
    ----------
    measured : tuple of Measured
        In the order of measuring.
    left_out : tuple of str
        Sentences on the runtimes that could not be used.
    complete : bool
        Whether the time sufficed for all of them.
    """

    measured: tuple[Measured, ...] = ()
    left_out: tuple[str, ...] = ()
    complete: bool = True

    def best(self, runtime: str | None = None) -> Measured | None:
        """Return the fastest tile, of one runtime or of all that may be chosen; None if nothing was measured."""
        found = [one for one in self.measured if one.runtime == (runtime or one.runtime)]
        if runtime is None:
            found = [one for one in found if RUNTIMES[one.runtime].automatic]
            found = [one for one in found if one.disagreement <= MOST_DISAGREEMENT]
        if not found:
            return None
        fastest = max(found, key=lambda one: one.speed)
        near = [one for one in found if one.runtime == fastest.runtime and one.speed * _NEAR >= fastest.speed]
        return min(near, key=lambda one: one.tile)

    def best_tile(self, runtime: str) -> int | None:
        """Return the fastest tile of a runtime; None unless several were measured."""
        tried = [one for one in self.measured if one.runtime == runtime]
        best = self.best(runtime)
        return best.tile if best is not None and len(tried) > 1 else None


def disagreement(found: Array, expected: Array) -> float:
    """Return the sum of absolute differences of probability, relative to that of the probabilities.

    For masks this is one less their F1. Twenty pixels are added to the sum, so that a window without any particle
    says nothing.
    """
    difference = float(np.abs(found - expected).sum(dtype=np.float64))
    return difference / (float(found.sum(dtype=np.float64)) + float(expected.sum(dtype=np.float64)) + 20.0)


def calibrate(
    network: nn.Module,
    radius: int | None,
    device: torch.device,
    sample: Array,
    *,
    seconds: float = SECONDS,
    names: Sequence[str] | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Calibration:
    """Measure the runtimes of a device.

    Parameters
    ----------
    network : torch.nn.Module
        Folded, on the CPU.
    radius : int or None
        Receptive radius.
    sample : ndarray of float32
        ``(Y, X, C)`` network input; repeated where a window is larger.
    seconds : float
        No runtime and no tile size is begun after that.
    names : sequence of str, optional
        Runtimes; default all that are available and may be chosen automatically.

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    run = _Run(network, radius, device, sample, time.perf_counter() + seconds, on_progress, cancel or CancelToken())
    if names is None:
        names = automatic_runtimes(device)
    run.total = len(names) + 2 * len(_tiles(device))
    for name in sorted(names, key=lambda name: name != DEFAULT):
        run.look_at(name)
    run.try_tiles()
    return Calibration(tuple(run.measured), tuple(run.left_out), run.complete)


def automatic_runtimes(device: torch.device) -> list[str]:
    """Return the runtimes that may be chosen automatically on a device of this machine."""
    there = {name for name, entry in RUNTIMES.items() if entry.available(device) is None}
    return [name for name, entry in RUNTIMES.items() if name in there and _is_candidate(entry, there)]


def _is_candidate(entry: RuntimeEntry, there: set[str]) -> bool:
    return entry.automatic and entry.instead_of not in there


def _tiles(device: torch.device) -> tuple[int, ...]:
    return _TILES.get(device.type, _TILES["cpu"])


class _Run:
    """One calibration, under way."""

    def __init__(
        self,
        network: nn.Module,
        radius: int | None,
        device: torch.device,
        sample: Array,
        deadline: float,
        on_progress: ProgressCallback,
        cancel: CancelToken,
    ) -> None:
        self._network, self._radius, self._device, self._sample = network, radius, device, sample
        self._deadline, self._on_progress, self._cancel = deadline, on_progress, cancel
        self._stride = int(getattr(network, "stride", 1))
        self._probe = _PROBE
        self._expected: Array | None = None
        self._running: dict[str, RunningNetwork] = {}
        self.measured: list[Measured] = []
        self.left_out: list[str] = []
        self.total = 0
        self.complete = True

    def look_at(self, name: str) -> None:
        """Measure one runtime on a window of middle size, and compare its answer."""
        self._tell()
        if self._late() and self.measured:
            self.left_out.append(f"{name} was not tried: no time was left.")
            self.complete = False
            return
        try:
            running = RUNTIMES[name].build(self._network, self._device, self._radius)
            if not self.measured and self._time(running, _SMALL_PROBE)[0] > _HEAVY:
                self._probe = _SMALL_PROBE
            seconds, answer = self._time(running, self._probe)
        except MpsegError as error:
            self.left_out.append(str(error))
            return
        except Exception as error:  # a library may fail at a network in any way; the others are still there
            self.left_out.append(f"{name} failed: {str(error).strip().splitlines()[:1]}")
            return
        if self._expected is None:
            self._expected = answer
        self._running[name] = running
        self._note(name, self._probe, seconds, disagreement(answer, self._expected))

    def try_tiles(self) -> None:
        """Measure other tile sizes with the runtimes that are as fast as the fastest, or nearly."""
        best = Calibration(tuple(self.measured)).best()
        if best is None:
            return
        near = [one for one in self.measured if one.speed * 1.15 >= best.speed and one.runtime in self._running]
        near.sort(key=lambda one: -one.speed)
        for tile in _tiles(self._device):
            if self._probe == _SMALL_PROBE and tile > _LARGEST_HEAVY:
                continue
            for one in near[:2]:
                self._tell()
                if tile == self._probe or self._late():
                    continue
                try:
                    seconds, _ = self._time(self._running[one.runtime], tile)
                except Exception as error:
                    if not is_out_of_memory(error):
                        raise
                    release(self._device)
                    continue
                self._note(one.runtime, tile, seconds, one.disagreement)

    def _time(self, running: RunningNetwork, tile: int) -> tuple[float, Array]:
        """Return the least seconds that a window takes, and the answer; the first pass only warms up."""
        batch, margin = self._window(tile)
        fastest = max((one.speed for one in self.measured), default=0.0)
        best, answer = math.inf, np.zeros(0, np.float32)
        for number in range(_REPEATS):
            self._cancel.check()
            start = time.perf_counter()
            answer = running(batch, (margin,) * 4)
            took = time.perf_counter() - start
            hopeless = took * fastest * 1e6 > (_HOPELESS if number else 2 * _HOPELESS) * tile**2
            if number or hopeless or self._late():
                best = min(best, took)
            if hopeless or (number and self._late()):
                break
        return best, answer

    def _window(self, tile: int) -> tuple[Array, int]:
        """Return a batch of one inner window, as the grid cuts it, and its margin."""
        margin = round_up(self._radius if self._radius is not None else _FAR, self._stride)
        side = round_up(tile, self._stride) + 2 * margin
        height, width, _ = self._sample.shape
        pad = [(0, max(0, side - height)), (0, max(0, side - width)), (0, 0)]
        pixels = np.pad(self._sample, pad, mode="wrap")[:side, :side]
        return np.ascontiguousarray(pixels)[None].transpose(0, 3, 1, 2), margin

    def _note(self, name: str, tile: int, seconds: float, differs: float) -> None:
        self.measured.append(Measured(name, tile, round(tile**2 / seconds / 1e6, 4), round(differs, 6)))

    def _late(self) -> bool:
        return time.perf_counter() > self._deadline

    def _tell(self) -> None:
        self._cancel.check()
        self._on_progress(Progress("Choosing the runtime", len(self.measured), self.total, "measurements"))


def calibration_key(network: nn.Module, device: torch.device) -> str:
    """Return the name under which the calibration of a network on a device, with so many threads, is kept."""
    where: Mapping[str, Any] = {"network": network_digest(network), "device": device_name(device)}
    return "speeds-" + key_of({**where, "threads": torch.get_num_threads()})


def device_name(device: torch.device) -> str:
    """Return what the device is called by its maker."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} {processor_name()}"


def kept_calibration(key: str) -> Calibration | None:
    """Return what was measured earlier; None if nothing is kept, or nothing that can be used."""
    values = read_json(key)
    try:
        found = from_dict(Calibration, values)
    except SettingsError:
        return None
    usable = all(one.runtime in RUNTIMES and one.tile > 0 and 0 < one.speed < math.inf for one in found.measured)
    return found if usable and found.measured else None


def keep_calibration(key: str, calibration: Calibration) -> None:
    """Keep what was measured, for this machine and these versions; not what a busy machine left half done."""
    if calibration.complete:
        write_json(key, to_dict(calibration))
