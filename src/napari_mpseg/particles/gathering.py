"""The one pass over labels, image and probability, block by block."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.images.reading import reading_alone
from napari_mpseg.inference.schedulers import Scheduler, find_scheduler
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


@dataclass
class Findings:
    """What was found in one block, or in several one after the other: a few numbers and outlines per particle.

    Attributes
    ----------
    shapes, values, rings, confidence
        Collectors; those of what was not asked for are None.
    """

    shapes: PieceCollector
    values: IntensityCollector | None
    rings: RingCollector | None
    confidence: ConfidenceCollector | None

    def join(self, later: "Findings") -> None:
        """Take the findings of later blocks."""
        self.shapes.join(later.shapes)
        if self.values is not None and later.values is not None:
            self.values.join(later.values)
        if self.rings is not None and later.rings is not None:
            self.rings.join(later.rings)
        if self.confidence is not None and later.confidence is not None:
            self.confidence.join(later.confidence)

    def finish(self, shape: tuple[int, int], channels: tuple[str, ...]) -> Particles:
        """Join what crosses block borders and return the particles."""
        particles = gather(self.shapes.finish(), shape)
        if self.values is not None:
            values = self.values.finish(particles.label, particles.y0, particles.x0, len(channels))
            particles = particles.with_values(intensities=values, channels=channels)
        if self.rings is not None:
            particles = particles.with_values(ring=self.rings.finish(particles.label, len(channels)))
        if self.confidence is not None:
            particles = particles.with_values(confidence=self.confidence.finish(particles.label))
        return particles


def gathered(
    work: "MeasureBlocks", scheduler: str | Scheduler | None, on_progress: ProgressCallback, cancel: CancelToken | None
) -> Particles:
    """Measure all blocks and return the particles.

    Blocks are joined in raster order whatever the order in which they are done, as sums of floating-point numbers
    depend on it: so the result is the same, bit by bit, on every scheduler.

    Parameters
    ----------
    scheduler : str or Scheduler, optional
        Where blocks are measured; default one after the other in this thread.
    """
    count = len(work.blocks)
    found: dict[int, Findings] = {}
    if scheduler is None:
        for number in range(count):
            if cancel is not None:
                cancel.check()
            on_progress(Progress("Measuring", number, count, "blocks"))
            found[number] = work.measured(number)
    else:
        find_scheduler(scheduler).run(
            work,
            range(count),
            stage="Measuring",
            unit="blocks",
            on_result=found.__setitem__,
            on_progress=on_progress,
            cancel=cancel or CancelToken(),
        )
    total = work.nothing()
    for number in range(count):
        total.join(found.pop(number))
    particles = total.finish(work.shape, work.inputs.channels)
    on_progress(Progress("Measuring", count, count, "blocks"))
    return particles


class MeasureBlocks:
    """Work of one item per block of labels: its number in raster order.

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
        self.labels, self.inputs, self.asked, self.rings = labels, inputs, asked, rings
        self.shape = int(labels.shape[0]), int(labels.shape[1])
        self.blocks = blocks_of(labels)

    def nothing(self) -> Findings:
        """Return the findings of no block."""
        pixels, probability = self.inputs.pixels is not None, self.inputs.probability is not None
        return Findings(
            PieceCollector(self.shape, self.asked),
            IntensityCollector() if pixels else None,
            RingCollector() if pixels and self.rings else None,
            ConfidenceCollector() if probability else None,
        )

    def needs(self, item: Any) -> tuple[()]:
        """Return nothing: blocks are measured each for itself."""
        return ()

    def do(self, item: Any, *given: Any) -> Findings:
        """Measure one block, read by the thread that measures it: others are at work beside it."""
        with reading_alone():
            return self.measured(item)

    def measured(self, number: int) -> Findings:
        """Read one block once and hand it to those who collect."""
        found = self.nothing()
        _BlockReader(self, found).take(self.blocks[number])
        return found


class _BlockReader:
    """Reads one block of labels and what lies under it, for the collectors of `found`."""

    def __init__(self, work: MeasureBlocks, found: Findings) -> None:
        self._labels, self._inputs, self._shape = work.labels, work.inputs, work.shape
        self._shapes, self._values, self._rings = found.shapes, found.values, found.rings
        self._confidence = found.confidence

    def take(self, block: Block) -> None:
        """Read a block."""
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
