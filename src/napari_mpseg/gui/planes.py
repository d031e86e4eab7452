"""Several planes segmented one after the other and put together as one result. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_mpseg.layers import prepare
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback


@dataclass(frozen=True)
class StackResult:
    """The particles of all planes of a stack; has what :func:`~napari_mpseg.layers.add_result` asks for.

    Attributes
    ----------
    image : Image
        The first plane, without a plane number of its own.
    labels : numpy.ndarray
        int32, ``(planes..., Y, X)``; dense over the whole stack, so each particle has one row of the table.
    probability : numpy.ndarray
        uint8, ``(planes..., Y, X)``; 255 is probability 1.
    particles : ParticleTable
        All particles, with a column ``plane``: the number of the plane, counted through all axes of planes.
    threshold : float
        The mean over the planes, where each found its own.
    notes : tuple of str
        Warnings for the user.
    """

    image: Any
    labels: Any
    probability: Any
    particles: Any
    method: str
    threshold: float
    provenance: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of particles."""
        return len(self.particles)

    @property
    def table(self) -> Any:
        """The particles as pandas.DataFrame."""
        return self.particles.frame


def segment_and_prepare(
    images: Sequence[Any], shape: tuple[int, ...] = (), *, cancel: CancelToken, **more: Any
) -> tuple[Any, Any]:
    """Segment as :func:`segment_planes` does, and get the result ready for display while still in the thread.

    Returns
    -------
    result : Result or StackResult
    prepared : PreparedLayers
    """
    result = segment_planes(images, shape, cancel=cancel, **more)
    cancel.check()
    return result, prepare(result)


def segment_planes(
    images: Sequence[Any],
    shape: tuple[int, ...] = (),
    *,
    name: str = "stack",
    method: str = "default",
    method_options: Mapping[str, Any] | None = None,
    inputs: Sequence[Mapping[str, Any]] = (),
    on_progress: ProgressCallback,
    cancel: CancelToken,
    **options: Any,
) -> Any:
    """Segment one image, or all planes of a stack.

    Parameters
    ----------
    images : sequence of Image
        One image, or the planes in their order.
    shape : tuple of int
        Length of each axis of planes; empty for one image.
    name : str
        Of the whole stack; a single image keeps its own.
    method : str
        Registered name, or path of a model.
    method_options : mapping, optional
        Settings of a registered method that are not its defaults.
    inputs : sequence of mapping
        What the method must be given beside each image; empty where it needs nothing.
    on_progress, cancel
        As everywhere.
    **options
        For :func:`napari_mpseg.pipeline.segment`.

    Returns
    -------
    Result or StackResult
        The latter if `shape` is given.
    """
    from napari_mpseg.pipeline import segment

    given = [{**(method_options or {}), **one} for one in inputs or [{}] * len(images)]
    options |= {"method": method}
    if not shape:
        return segment(images[0], options=given[0], on_progress=on_progress, cancel=cancel, **options)
    height, width = images[0].shape
    labels = np.zeros((len(images), height, width), np.int32)
    probability = np.zeros((len(images), height, width), np.uint8)
    results, count = [], 0
    for number, image in enumerate(images):
        report = within_plane(on_progress, number, len(images))
        result = segment(image, options=given[number], on_progress=report, cancel=cancel, **options)
        found = np.asarray(result.labels[...])
        labels[number] = np.where(found > 0, found + count, 0)
        probability[number] = result.probability[...]
        count += result.count
        results.append(result)
    first = results[0]
    return StackResult(
        image=replace(images[0], plane=(), name=name),
        labels=labels.reshape(*shape, height, width),
        probability=probability.reshape(*shape, height, width),
        particles=join_tables([result.particles for result in results]),
        method=first.method,
        threshold=float(np.mean([result.threshold for result in results])),
        provenance={**first.provenance, "planes": len(images)},
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
    )


def within_plane(on_progress: ProgressCallback, plane: int, planes: int) -> ProgressCallback:
    """Return a callback that says which of several planes the progress is about."""
    if planes == 1:
        return on_progress

    def report(event: Progress) -> None:
        stage = f"Plane {plane + 1} of {planes}, {event.stage.lower()}"
        on_progress(Progress(stage, event.done, event.total, event.unit))

    return report


def join_tables(tables: Sequence[Any]) -> Any:
    """Return the tables of all planes as one, labels counted on through the planes, with a column ``plane``.

    Parameters
    ----------
    tables : sequence of ParticleTable
        Of the planes in their order, each with dense labels.
    """
    import pandas as pd

    moved, count = [], 0
    for plane, table in enumerate(tables):
        part = table.frame.copy()
        part["label"] = part["label"] + count
        part.insert(1, "plane", plane)
        moved.append(part)
        count += len(table)
    return replace(tables[0], frame=pd.concat(moved, ignore_index=True), units={**tables[0].units, "plane": ""})
