"""The registry of runtimes; an entry loads its library only when a network is built for it."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.runtimes.requirements import Reason, bfloat16, dot_products, packages
from napari_mpseg.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import nn

Margins = tuple[int, int, int, int]
AUTO = "auto"
DEFAULT = "torch-fp32"


class RunningNetwork(Protocol):
    """A network made ready by a runtime."""

    def __call__(self, batch: "np.ndarray[Any, Any]", margins: Margins = (0, 0, 0, 0)) -> "np.ndarray[Any, Any]":
        """Return probabilities ``(N, Y - top - bottom, X - left - right)``, float32.

        Of a network that gives several numbers per pixel, all of them, each 0 to 1: ``(N, outputs, Y', X')``.

        Parameters
        ----------
        batch : ndarray of float32
            ``(N, C, Y, X)``; Y and X are multiples of the network's stride.
        margins : tuple of int
            Pixels at the top, bottom, left and right that serve as context only.
        """
        ...


@dataclass(frozen=True)
class RuntimeEntry:
    """One way to run a network.

    Attributes
    ----------
    name, title : str
        What users type, and what menus show.
    summary : str
        One sentence on what it is and when to take it.
    builder : str
        ``"module:function"``, called as ``function(network, device, radius, **options)``.
    devices : tuple of str
        Kinds of devices it runs on.
    needs : callable
        Returns why it cannot be had on this machine, None if it can; whatever the device.
    options : mapping
        Arguments of the builder that belong to this entry.
    tile : int
        Side of a tile that usually suits it, in pixels, where nothing was measured.
    full_precision : bool
        Whether it computes in 32-bit numbers throughout, so that only rounding differs.
    automatic : bool
        Whether the automatic choice may take it.
    instead_of : str or None
        Name of a runtime of its kind that is usually faster: it is tried automatically only where that one is missing.
    samples : bool
        Whether its builder must see windows of the image.
    """

    name: str
    title: str
    summary: str
    builder: str
    devices: tuple[str, ...]
    needs: Callable[[], Reason] = lambda: None
    options: Mapping[str, Any] = field(default_factory=dict)
    tile: int = 640
    full_precision: bool = True
    automatic: bool = True
    instead_of: str | None = None
    samples: bool = False

    def available(self, device: "torch.device | str" = "cpu") -> Reason:
        """Return why this runtime cannot be used on a device here, in a sentence; None if it can."""
        kind = str(device).split(":")[0]
        if kind not in self.devices:
            return f"It runs on {' and '.join(self.devices)}, not on {kind}."
        return self.needs()

    def build(
        self,
        network: "nn.Module",
        device: "torch.device",
        radius: int | None = None,
        sample: "np.ndarray[Any, Any] | None" = None,
    ) -> RunningNetwork:
        """Return the network, made ready.

        Parameters
        ----------
        network : torch.nn.Module
            In evaluation mode, on the CPU; see :func:`~napari_mpseg.inference.runtimes.folding.folded`. Its weights
            keep their values and their place; their order in memory may change.
        device : torch.device
            Where to run.
        radius : int, optional
            Receptive radius, if it is known: the least margins of an inner window.
        sample : ndarray of float32, optional
            ``(N, Y, X, C)`` network input from the image; only for runtimes that need `samples`.

        Raises
        ------
        SettingsError
            If the runtime is not available, or cannot run such a network.
        """
        reason = self.available(device)
        if reason is not None:
            raise SettingsError(f"Runtime {self.name!r} cannot be used: {reason}")
        module, function = self.builder.split(":")
        build = getattr(importlib.import_module(module), function)
        seen = {"sample": sample} if self.samples else {}
        running: RunningNetwork = build(network, device, radius, **seen, **self.options)
        return running


RUNTIMES: Registry[RuntimeEntry] = Registry("runtime")


def _add(name: str, title: str, summary: str, builder: str, devices: tuple[str, ...], **more: Any) -> None:
    RUNTIMES.add(name, RuntimeEntry(name, title, summary, f"{__package__}.{builder}", devices, **more))


_add(
    "torch-fp32",
    "PyTorch, 32 bit",
    "PyTorch in 32-bit numbers, on any device: what all others are compared with.",
    "eager:build",
    ("cpu", "cuda", "mps"),
)
_add(
    "openvino-bf16",
    "OpenVINO, bfloat16",
    "Intel's compiler in 16-bit numbers: as a rule the fastest on processors that multiply them, AMD's as well.",
    "compiled_openvino:build",
    ("cpu",),
    needs=lambda: packages("openvino", extra="openvino") or bfloat16(),
    options={"precision": "bf16"},
    full_precision=False,
)
_add(
    "torch-bf16",
    "PyTorch, bfloat16",
    "PyTorch in 16-bit numbers, about twice as fast on processors that multiply them.",
    "eager:build",
    ("cpu",),
    needs=bfloat16,
    options={"number": "bfloat16"},
    tile=512,
    full_precision=False,
)
_add(
    "openvino",
    "OpenVINO, 32 bit",
    "Intel's compiler in 32-bit numbers, for any x86 or Arm processor.",
    "compiled_openvino:build",
    ("cpu",),
    needs=lambda: packages("openvino", extra="openvino"),
    options={"precision": "f32"},
)
_add(
    "onnx",
    "ONNX Runtime, 32 bit",
    "ONNX Runtime in 32-bit numbers, for any processor.",
    "compiled_onnx:build",
    ("cpu",),
    needs=lambda: packages("onnxruntime", "onnx", "onnxscript", extra="onnx"),
    instead_of="openvino",
)
_add(
    "openvino-int8",
    "OpenVINO, 8 bit",
    "Intel's compiler in 8-bit numbers, fitted to the image itself: for processors that do not multiply bfloat16. "
    "Refused where the result would change.",
    "quantised:build",
    ("cpu",),
    needs=lambda: packages("openvino", "onnxruntime", "onnx", "onnxscript", extra="openvino,onnx") or dot_products(),
    full_precision=False,
    automatic=False,
    samples=True,
)
_add(
    "cuda-mixed",
    "PyTorch, mixed precision on CUDA",
    "Convolutions in 16-bit numbers on the tensor cores of an NVIDIA card, the rest in 32 bit.",
    "eager:build",
    ("cuda",),
    options={"mixed": "float16"},
    tile=2048,
    full_precision=False,
)
_add(
    "mps-mixed",
    "PyTorch, mixed precision on MPS",
    "Convolutions in 16-bit numbers on the graphics cores of an Apple computer, the rest in 32 bit.",
    "eager:build",
    ("mps",),
    options={"mixed": "float16"},
    full_precision=False,
)
