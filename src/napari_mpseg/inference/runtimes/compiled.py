"""A network that another library runs, from the graph that PyTorch exports."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.runtimes.eager import EagerNetwork, alone, cropped
from napari_mpseg.inference.runtimes.exporting import Exportable, export
from napari_mpseg.inference.runtimes.kept import kept_folder, key_of, network_digest
from napari_mpseg.inference.runtimes.registry import Margins

Array = np.ndarray[Any, Any]
Run = Callable[[Array], Array]


class Library(Protocol):
    """What another library can do with an exported network."""

    name: str
    settings: str
    """What the converted network depends on beside the network itself."""

    def convert(self, program: Any, folder: Path) -> None:
        """Write the program into a folder, in the library's own format."""
        ...

    def load(self, folder: Path, threads: int) -> Run:
        """Return what maps a batch ``(1, C, Y, X)`` to probabilities ``(1, outputs, Y', X')``, on so many threads."""
        ...


class CompiledNetwork:
    """Runs a network by another library: inner windows less their margins, others whole.

    Windows at an image's border have margins on some sides only. They are few, so that one more graph, without
    margins, serves them all, and what is too much is cut away; a graph for each of the eight kinds would save less
    than it takes to compile. Windows smaller than the graph can be are left to PyTorch.

    Parameters
    ----------
    network : torch.nn.Module
    radius : int or None
        Receptive radius in pixels.
    library : Library

    Raises
    ------
    SettingsError
        If the library cannot take such a network.
    """

    def __init__(self, network: nn.Module, radius: int | None, library: Library) -> None:
        self._network, self._library = network, library
        self._channels = input_channels(network)
        takes_margins = bool(getattr(network, "takes_margins", False))
        self._margin = radius if takes_margins and radius else 0
        self._digest = network_digest(network)
        self._threads = torch.get_num_threads()
        self._small: EagerNetwork | None = None
        self._ready: dict[int, Run] = {}
        self._least = {margin: self._kept(margin, _least) for margin in {0, self._margin}}

    def __call__(self, batch: Array, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return probabilities; see ``RunningNetwork``."""
        if torch.get_num_threads() != self._threads:  # a scheduler shared out the cores
            self._threads = torch.get_num_threads()
            self._ready = {}
        side = min(batch.shape[-2:])
        if self._margin and min(margins) >= self._margin and side >= self._least[self._margin]:
            found = _one_by_one(self._loaded(self._margin), batch)
            top, bottom, left, right = (margin - self._margin for margin in margins)
            return cropped(found, (top, bottom, left, right))  # type: ignore[no-any-return]
        if side >= self._least[0]:
            return cropped(_one_by_one(self._loaded(0), batch), margins)  # type: ignore[no-any-return]
        if self._small is None:
            self._small = EagerNetwork(self._network, torch.device("cpu"))
        return self._small(batch, margins)

    def _loaded(self, margin: int) -> Run:
        """Return what runs the graph without margins of so much; loaded when it is first needed."""
        if margin not in self._ready:
            self._ready[margin] = self._kept(margin, lambda folder: self._library.load(folder, self._threads))
        return self._ready[margin]

    def _kept(self, margin: int, use: Callable[[Path], Any]) -> Any:
        """Return ``use(folder)`` of the folder of a converted graph."""
        parts = {"library": self._library.name, "settings": self._library.settings, "network": self._digest}
        try:
            return kept_folder(key_of({**parts, "margin": margin}), lambda folder: self._convert(margin, folder), use)
        except MemoryError:
            raise
        except Exception as error:  # exporters raise whatever they meet
            told = str(error).strip().splitlines() or [type(error).__name__]
            raise SettingsError(
                f"{self._library.name} cannot run this network ({type(self._network).__name__}): {told[0][:300]} "
                "Choose the runtime 'torch-fp32' or 'auto'."
            ) from error

    def _convert(self, margin: int, folder: Path) -> None:
        program, least = export(Exportable(self._network, self._channels, margin))
        self._library.convert(program, folder)
        (folder / "least").write_text(str(least), encoding="ascii")


def _least(folder: Path) -> int:
    """Return the side of the smallest image that a converted graph works on."""
    return int((folder / "least").read_text(encoding="ascii"))


def _one_by_one(run: Run, batch: Array) -> Array:
    """Return probabilities ``(N, Y, X)``, or with several outputs ``(N, outputs, Y, X)``.

    On a processor, several images at a time are no faster.
    """
    batch = np.ascontiguousarray(batch, np.float32)
    found = [alone(run(batch[index : index + 1])) for index in range(len(batch))]
    return found[0] if len(found) == 1 else np.concatenate(found)


def input_channels(network: nn.Module) -> int:
    """Return how many channels a network takes."""
    mean = getattr(network, "mean", None)
    if isinstance(mean, torch.Tensor) and mean.ndim == 4:
        return int(mean.shape[1])
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            return int(module.in_channels)
    raise SettingsError(f"{type(network).__name__} has no convolution, so its channels are not known.")
