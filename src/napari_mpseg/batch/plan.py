"""What a batch has to do: which images, what they are of, what is done already."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from napari_mpseg.batch.find import find_images
from napari_mpseg.batch.metadata import Metadata
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import MpsegError
from napari_mpseg.images.open import open_image
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

TO_DO, HALF_DONE, DONE, REFUSED = "to do", "half done", "done", "refused"


@dataclass(frozen=True)
class BatchItem:
    """One image of a batch before the work.

    Attributes
    ----------
    name : str
        What its results are called; different for every image of the batch.
    path : Path
    metadata : Metadata
    shape : tuple of int or None
        Height and width in pixels; None if the image cannot be opened.
    calibration : Calibration or None
    state : str
        ``"to do"``, ``"half done"``, ``"done"`` or ``"refused"``.
    message : str
        Why it is refused: it cannot be opened, or its results were made from another file.
    """

    name: str
    path: Path
    metadata: Metadata = field(default_factory=Metadata)
    shape: tuple[int, int] | None = None
    calibration: Calibration | None = None
    state: str = TO_DO
    message: str = ""

    @property
    def pixels(self) -> int:
        """Number of pixels, 0 where it is not known."""
        return self.shape[0] * self.shape[1] if self.shape else 0


@dataclass(frozen=True)
class BatchPlan:
    """What a batch has to do.

    Attributes
    ----------
    items : tuple of BatchItem
        In natural order.
    notes : tuple of str
        Files left out, names that do not fit the pattern, rows of the sheet without a file, images without a row.
    parallel : str
        ``"images:N"`` or ``"chunks"``: how it would be done.
    """

    items: tuple[BatchItem, ...]
    notes: tuple[str, ...] = ()
    parallel: str = "chunks"

    @property
    def to_do(self) -> tuple[BatchItem, ...]:
        """The images that a run would do or go on with."""
        return tuple(item for item in self.items if item.state in (TO_DO, HALF_DONE))


def plan_batch(
    inputs: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]",
    out: str | os.PathLike[str],
    settings: BatchSettings | None = None,
    *,
    pattern: str | None = None,
    sheet: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> BatchPlan:
    """Find out what a batch has to do; nothing is computed or written.

    Parameters are those of :func:`~napari_mpseg.batch.run.run_batch`.

    Raises
    ------
    MpsegError
        If there is no image, pattern or sheet make no sense, or `out` holds a batch with other settings.
    """
    settings = settings or BatchSettings()
    found = find_images(inputs)
    items = []
    for done, path in enumerate(found.images):
        on_progress(Progress("Looking at the images", done, len(found.images), "images"))
        try:
            image = open_image(path, plane=settings.plane, calibration=settings.pixel_size)
            items.append(BatchItem(path.stem, path, Metadata(), image.shape, image.calibration))
        except MpsegError as error:
            items.append(BatchItem(path.stem, path, state=REFUSED, message=str(error)))
    return BatchPlan(tuple(items), tuple(f"Left out: {path} ({why})." for path, why in found.left_out))
