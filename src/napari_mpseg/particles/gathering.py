"""The one pass over labels, image and probability, block by block."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.blocks import Block, blocks_of, read_labels, read_pixels
from napari_mpseg.particles.confidence import ConfidenceCollector
from napari_mpseg.particles.geometry import Particles, gather
from napari_mpseg.particles.inputs import Inputs
from napari_mpseg.particles.intensities import IntensityCollector
from napari_mpseg.particles.piece_measures import Asked
from napari_mpseg.particles.pieces import PieceCollector
from napari_mpseg.particles.rings import RING_REACH, RingCollector
from napari_mpseg.particles.runs import Pieces, Runs, find_pieces, find_runs
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback


class Gatherer:
    """Reads every block once and hands it to those who collect.

    Parameters
    ----------
    labels : array
        ``(Y, X)``.
    inputs : Inputs
        What is read beside them; parts that are None are not.
    asked : tuple
        More to find out about pieces, see :func:`~napari_mpseg.particles.piece_measures.asked_for`.
    rings : bool
        Whether the background beside particles is measured. Blocks are then read with the labels around them.
    """

    def __init__(self, labels: Any, inputs: Inputs, asked: tuple[Asked, ...], rings: bool) -> None:
        self._labels, self._inputs = labels, inputs
        self._shape = int(labels.shape[0]), int(labels.shape[1])
        self._shapes = PieceCollector(self._shape, asked)
        self._values = IntensityCollector() if inputs.pixels is not None else None
        self._rings = RingCollector() if rings and inputs.pixels is not None else None
        self._confidence = ConfidenceCollector() if inputs.probability is not None else None

    def run(self, on_progress: ProgressCallback, cancel: CancelToken | None) -> Particles:
        """Read everything and return the particles."""
        blocks = blocks_of(self._labels)
        for done, block in enumerate(blocks):
            if cancel is not None:
                cancel.check()
            on_progress(Progress("Measuring", done, len(blocks), "blocks"))
            self._take(block)
        particles = gather(self._shapes.finish(), self._shape)
        on_progress(Progress("Measuring", len(blocks), len(blocks), "blocks"))
        channels = self._inputs.channels
        if self._values is not None:
            values = self._values.finish(particles.label, particles.y0, particles.x0, len(channels))
            particles = particles.with_values(intensities=values, channels=channels)
        if self._rings is not None:
            particles = particles.with_values(ring=self._rings.finish(particles.label, len(channels)))
        if self._confidence is not None:
            particles = particles.with_values(confidence=self._confidence.finish(particles.label))
        return particles

    def _take(self, block: Block) -> None:
        around = _grown(block, self._shape) if self._rings is not None else block
        labels = read_labels(self._labels, around)
        inner = Block(block.y - around.y, block.x - around.x, block.height, block.width)
        runs = find_runs(np.ascontiguousarray(labels[inner.slices]))
        pieces = find_pieces(runs)
        if len(runs):
            self._shapes.add(runs, pieces, (block.y, block.x), (block.height, block.width))
        if self._rings is not None:
            self._take_with_rings(block, inner, labels, runs, pieces)
        elif len(runs):
            self._take_values(block, _window(runs), runs, pieces)
        if self._confidence is not None and len(runs):
            window = _window(runs)
            values = read_pixels(self._inputs.probability, *_placed(window, block).slices)[:, :, 0]
            self._confidence.add(runs.shifted(-window.y, -window.x), pieces, np.ascontiguousarray(values))

    def _take_values(self, block: Block, window: Block, runs: Runs, pieces: Pieces) -> NDArray[Any] | None:
        """Read the image where labels are, and nowhere else."""
        if self._values is None:
            return None
        place = _placed(window, block)
        pixels = read_pixels(self._inputs.pixels, *place.slices)
        if len(runs):
            self._values.add(runs.shifted(-window.y, -window.x), pieces, pixels, (place.y, place.x))
        return pixels

    def _take_with_rings(self, block: Block, inner: Block, labels: NDArray[Any], runs: Runs, pieces: Pieces) -> None:
        around = find_runs(labels)
        if not len(around) or self._rings is None:
            return
        # The part of the block with labels or rings in it, in the block's coordinates.
        near = _grown(_window(around.shifted(-inner.y, -inner.x)), None)
        y0, x0 = max(near.y, 0), max(near.x, 0)
        y1, x1 = min(near.y + near.height, block.height), min(near.x + near.width, block.width)
        window = Block(y0, x0, y1 - y0, x1 - x0)
        pixels = self._take_values(block, window, runs, pieces)
        if pixels is not None:
            core = Block(window.y + inner.y, window.x + inner.x, window.height, window.width)
            self._rings.add(around, labels, pixels, (core.y, core.x), core)


def _window(runs: Runs) -> Block:
    """Return the rectangle that holds all runs."""
    y, x = int(runs.y[0]), int(runs.x0.min())
    return Block(y, x, int(runs.y[-1]) + 1 - y, int(runs.x1.max()) - x)


def _grown(block: Block, shape: tuple[int, int] | None) -> Block:
    """Return the block with as much around it as rings reach, inside the image if its shape is given."""
    y0, x0 = block.y - RING_REACH, block.x - RING_REACH
    y1, x1 = block.y + block.height + RING_REACH, block.x + block.width + RING_REACH
    if shape is not None:
        y0, x0, y1, x1 = max(y0, 0), max(x0, 0), min(y1, shape[0]), min(x1, shape[1])
    return Block(y0, x0, y1 - y0, x1 - x0)


def _placed(window: Block, block: Block) -> Block:
    """Return a window given in the coordinates of a block in those of the image."""
    return Block(block.y + window.y, block.x + window.x, window.height, window.width)
