"""ONNX Runtime."""

import contextlib
import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from napari_mpseg.inference.runtimes.compiled import CompiledNetwork, Run
from napari_mpseg.inference.runtimes.exporting import quiet
from napari_mpseg.inference.runtimes.fronted import Fronted, ready

FILE = "network.onnx"
_ERRORS_ONLY = 3


class OnnxRuntime:
    """What ONNX Runtime can do with an exported network."""

    name = "ONNX Runtime"
    settings = ""

    def convert(self, program: Any, folder: Path) -> None:
        """Write the program as an ONNX file."""
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(program, (), folder / FILE, dynamo=True, external_data=False, verbose=False)

    def load(self, folder: Path, threads: int) -> Run:
        """Return what runs the network on so many threads."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        session = onnxruntime.InferenceSession(folder / FILE, options, providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0].name

        def run(batch: Any) -> Any:
            return session.run(None, {given: batch})[0]

        return run


def build(network: nn.Module, device: torch.device, radius: int | None) -> CompiledNetwork | Fronted:
    """Return the network, ready to run."""
    return ready(network, radius, OnnxRuntime())
