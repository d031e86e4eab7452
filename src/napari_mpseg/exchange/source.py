"""What is exported, and what an export format is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.particles import properties  # noqa: F401 - a table's definitions and units come from its registry
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.registry import Registry

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable


@dataclass(frozen=True)
class ExportSource:
    """Particles to be written.

    Attributes
    ----------
    table : ParticleTable
        One row per particle that is to be written; those left out are gone already.
    labels : array or None
        ``(Y, X)``, or ``(planes..., Y, X)`` where the table has a column ``plane``: numpy, dask or zarr.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.
    name : str
        Of the image.
    """

    table: "ParticleTable"
    labels: Any = None
    on_progress: ProgressCallback = silent
    cancel: CancelToken = field(default_factory=CancelToken)
    name: str = "image"


@dataclass(frozen=True)
class ExportFormat:
    """One way to write particles into a file.

    Attributes
    ----------
    name, title, summary : str
        What the user chooses it by, the same in plain words, and what it is.
    ending : str
        What the file's name ends with, after the image's: ``"_particles.csv"``.
    write : callable
        Takes an :class:`ExportSource` and the path, writes the file, and returns notes for the user.
    check : callable
        Raises an MpsegError, before any work, if this cannot be written here.
    needs_labels : bool
        Whether the label image is needed beside the table.
    """

    name: str
    title: str
    summary: str
    ending: str
    write: Callable[[ExportSource, Path], list[str]]
    check: Callable[[], None] = lambda: None
    needs_labels: bool = False


EXPORTS: Registry[ExportFormat] = Registry("export format")


def add(
    name: str, title: str, summary: str, ending: str, write: Callable[[ExportSource, Path], list[str]], **more: Any
) -> None:
    """Register an export format."""
    EXPORTS.add(name, ExportFormat(name, title, summary, ending, write, **more))
