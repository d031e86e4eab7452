"""OpenVINO in 8-bit numbers, whose ranges are taken from windows of the image."""

import copy
import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.runtimes.calibration import disagreement
from napari_mpseg.inference.runtimes.compiled import CompiledNetwork
from napari_mpseg.inference.runtimes.compiled_onnx import FILE, OnnxRuntime
from napari_mpseg.inference.runtimes.compiled_openvino import OpenVino, library
from napari_mpseg.inference.runtimes.eager import EagerNetwork
from napari_mpseg.inference.runtimes.exporting import quiet
from napari_mpseg.inference.runtimes.front import behind
from napari_mpseg.inference.runtimes.fronted import Fronted, ready

Array = np.ndarray[Any, Any]
_MOST_DISAGREEMENT = 0.01


class Quantised(OpenVino):
    """What OpenVINO can do with a network whose convolutions compute in 8 bit, all but the first and the last.

    Parameters
    ----------
    sample : ndarray of float32
        ``(N, C, Y, X)`` input of the network. The range of every layer's values in it is what 8 bits are spread over.
    """

    name = "OpenVINO in 8 bit"

    def __init__(self, sample: Array) -> None:
        super().__init__("f32")
        self._sample = np.ascontiguousarray(sample)
        self.settings = hashlib.sha256(self._sample.tobytes()).hexdigest()

    def convert(self, program: Any, folder: Path) -> None:
        """Write the program as OpenVINO's files, its convolutions in 8 bit."""
        with tempfile.TemporaryDirectory(prefix="napari-mpseg-") as place:
            OnnxRuntime().convert(program, Path(place))
            small = Path(place) / "small.onnx"
            with _silent():
                _quantise(Path(place) / FILE, small, self._sample)
            with quiet():
                self.save(library().convert_model(small), folder)


def build(network: nn.Module, device: torch.device, radius: int | None, sample: Array | None) -> Any:
    """Return the network, ready to run.

    Raises
    ------
    SettingsError
        If 8 bits are too few: its answers on the sample differ too much from those in 32 bit.
    """
    if sample is None:
        raise SettingsError("8-bit numbers are fitted to an image, and there is none here. Choose another runtime.")
    batch = np.ascontiguousarray(sample.transpose(0, 3, 1, 2))
    # fitted to all of them: to half of them it changed F1 on real patches by 0.005, to all by 0.001
    running: Fronted | CompiledNetwork = ready(network, radius, Quantised(_behind_front(network, batch)))
    differs = disagreement(running(batch), EagerNetwork(network, device)(batch))
    if differs > _MOST_DISAGREEMENT:
        raise SettingsError(
            f"8-bit numbers are too short for this network on this image: probabilities change by {differs:.1%} of "
            f"their sum, and {_MOST_DISAGREEMENT:.0%} is allowed. Choose another runtime, or 'auto'."
        )
    return running


def _quantise(source: Path, target: Path, sample: Array) -> None:
    import onnx
    from onnxruntime import quantization

    graph = onnx.load(source, load_external_data=False).graph
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    given = graph.input[0].name

    class Windows(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(sample)

        def get_next(self) -> dict[str, Array] | None:
            window = next(self._left, None)
            return None if window is None else {given: window[None]}

    quantization.quantize_static(
        source,
        target,
        Windows(),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        op_types_to_quantize=["Conv"],
        nodes_to_exclude=[convolutions[0], convolutions[-1]],
        # all that occurs, however rare: particles are
        calibrate_method=quantization.CalibrationMethod.MinMax,
    )


def _behind_front(network: nn.Module, batch: Array) -> Array:
    """Return what the costly part of a network sees of a batch."""
    seen: list[torch.Tensor] = []

    class Recorder(nn.Module):
        def forward(self, x: torch.Tensor, *margins: object) -> torch.Tensor:
            seen.append(x)
            return x[:, :1]

    with torch.inference_mode():
        behind(copy.deepcopy(network), lambda inner: Recorder())(torch.from_numpy(batch))
    return seen[0].numpy()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep back advice to developers that the library logs as warnings."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
