"""OpenVINO: Intel's compiler for networks, on processors of any maker."""

import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.inference.runtimes.compiled import CompiledNetwork, Run
from napari_mpseg.inference.runtimes.exporting import quiet
from napari_mpseg.inference.runtimes.fronted import Fronted, ready

_FILE = "network.xml"
_REPORTS = "openvino_telemetry"


class OpenVino:
    """What OpenVINO can do with an exported network.

    Parameters
    ----------
    precision : str
        ``"f32"``, or ``"bf16"`` for 16-bit numbers between the layers.
    """

    name = "OpenVINO"
    settings = ""

    def __init__(self, precision: str = "f32") -> None:
        self.precision = precision

    def convert(self, program: Any, folder: Path) -> None:
        """Write the program as OpenVINO's files; they serve both precisions."""
        with quiet():
            self.save(library().convert_model(program), folder)

    def save(self, model: Any, folder: Path) -> None:
        """Write OpenVINO's files of a converted network."""
        library().save_model(model, folder / _FILE, compress_to_fp16=False)

    def load(self, folder: Path, threads: int) -> Run:
        """Return what runs the network on so many threads."""
        how = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": threads,  # by itself it takes all cores, and so do the processes beside it
            "ENABLE_CPU_PINNING": False,  # or several processes would sit on the same cores
            "PERFORMANCE_HINT": "LATENCY",
        }
        request = _core().compile_model(str(folder / _FILE), "CPU", how).create_infer_request()

        def run(batch: Any) -> Any:
            return np.asarray(request.infer({0: batch}, share_inputs=True)[0], np.float32)

        return run


def build(
    network: nn.Module, device: torch.device, radius: int | None, precision: str = "f32"
) -> CompiledNetwork | Fronted:
    """Return the network, ready to run."""
    return ready(network, radius, OpenVino(precision))


_loading = threading.Lock()


def library() -> Any:
    """Return the package, loaded without the module by which it reports its use to its makers."""
    with _loading:
        if "openvino" not in sys.modules and _REPORTS not in sys.modules:
            # It sends an event over the network when it is loaded, and waits for it; without that module it does not.
            sys.modules[_REPORTS] = None  # type: ignore[assignment]
            try:
                import openvino
            finally:
                del sys.modules[_REPORTS]
        else:
            import openvino
    return openvino


@cache
def _core() -> Any:
    return library().Core()
