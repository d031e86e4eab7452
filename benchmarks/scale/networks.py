"""The network of a run: as this package computes it, and as others would."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from scale.settings import Settings


def method(settings: Settings, runtime: str | None = None) -> Any:
    """Return the network as a method, computed by `runtime`, or by the one of the settings."""
    from napari_mpseg.pipeline.choices import with_runtime

    return with_runtime(_built(settings), runtime or settings.runtime)


def _built(settings: Settings) -> Any:
    from napari_mpseg.methods.registry import resolve_method
    from napari_mpseg.pipeline.choices import built_method

    return built_method(resolve_method(settings.method), None, "auto")


def has_runtime(name: str) -> bool:
    """Return whether this machine can run networks so."""
    from napari_mpseg.inference.runtimes import RUNTIMES

    return name in RUNTIMES and RUNTIMES[name].available("cpu") is None


def prepared(settings: Settings, pixels: Any, runtime: str | None = None) -> Any:
    """Return the network made ready for an image in memory."""
    from napari_mpseg.images.open import open_image

    return method(settings, runtime).prepare(open_image(pixels))


def runtime_of(ready: Any) -> str:
    """Return what computes the network, where ``"auto"`` chose it."""
    return str(getattr(ready.predictor, "runtime_name", "as chosen"))


def tile_side(ready: Any, settings: Settings) -> int:
    """Return the side of the tiles that a run of these settings works in."""
    from napari_mpseg.inference.tiled import tile_grid

    side: int = tile_grid(ready.image, ready.predictor, settings.tile).tile
    return side


def in_tiles(ready: Any, settings: Settings) -> tuple[np.ndarray, float]:
    """Return the probability of a whole image, float32 ``(Y, X)``, and the seconds it took: this package's way."""
    from napari_mpseg.inference.memory import reused_memory
    from napari_mpseg.inference.streams import streams
    from napari_mpseg.inference.tiled import predict_core, tile_grid, tiled_probability

    image, predictor = ready.image, ready.predictor
    workers = getattr(predictor, "workers", 1)
    start = time.perf_counter()
    if not predictor.exact:  # windows are blended, which is several tasks each
        lazy = tiled_probability(image, predictor, settings.tile)
        with reused_memory():
            return lazy.compute(scheduler="threads", num_workers=workers), time.perf_counter() - start
    grid = tile_grid(image, predictor, settings.tile)
    probability = np.empty(grid.shape, np.float32)

    def fill(tile: Any) -> None:
        y0, y1, x0, x1 = tile.core
        probability[y0:y1, x0:x1] = predict_core(image, predictor, tile)

    # passes side by side, as a run does it
    with reused_memory(), streams(workers), ThreadPoolExecutor(workers) as pool:
        list(pool.map(fill, grid))
    return probability, time.perf_counter() - start


def warmed(ready: Any, settings: Settings) -> None:
    """Compute a tile at the corner and one further in, so that nothing is loaded or compiled later on."""
    from napari_mpseg.inference.tiled import predict_core, tile_grid

    grid = tile_grid(ready.image, ready.predictor, settings.tile)
    rows, cols = grid.counts
    for index in {(0, 0), (min(1, rows - 1), min(1, cols - 1))}:
        predict_core(ready.image, ready.predictor, grid[index])


def as_trained(settings: Settings) -> Any:
    """Return the network as its file gives it, in evaluation mode: a torch module that gives logits."""
    return _built(settings).model.network.eval()


def folded(settings: Settings) -> Any:
    """Return a copy of the network with normalisation folded into its convolutions, as this package computes it."""
    from napari_mpseg.inference.runtimes.folding import folded as fold

    return fold(as_trained(settings))


def untrained(settings: Settings, pixels: np.ndarray, network: str, options: dict[str, Any], device: str) -> Any:
    """Return an architecture with random weights, made ready for an image in memory."""
    from dataclasses import replace

    from napari_mpseg.images.open import open_image
    from napari_mpseg.methods.network import NetworkMethod
    from napari_mpseg.networks.bundled import bundled_model
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.networks.registry import NETWORKS

    built = NETWORKS[network].build(pretrained=False, **options).eval()
    card = replace(bundled_model().card, name=network, network=network, options=options, receptive_radius=None)
    return NetworkMethod(Model(built, card), device=device).prepare(open_image(pixels))


def as_input(pixels: np.ndarray) -> Any:
    """Return 8-bit pixels ``(Y, X, C)`` as a torch batch of one, float32 0 to 1."""
    import torch

    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))


def whole(settings: Settings, pixels: np.ndarray) -> np.ndarray:
    """Return the probability of an image that goes through the network in one piece, in fp32: what tiles should give.

    At the bottom and right the edge is repeated up to a multiple of the network's stride, as its file demands.
    """
    import torch

    network = as_trained(settings)
    stride = int(getattr(network, "stride", 1))
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % stride), (0, -width % stride), (0, 0)), mode="edge")
    with torch.inference_mode():
        answer: np.ndarray = torch.sigmoid(network(as_input(padded)))[0, 0, :height, :width].numpy()
    return answer


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference of two probabilities."""
    return float(np.abs(one - other).max())
