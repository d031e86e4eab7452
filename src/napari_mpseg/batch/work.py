"""One image of a batch as an item of work, to be done here or in another process."""

import errno
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from napari_mpseg.batch.fingerprint import content_digest
from napari_mpseg.batch.outcome import DONE, FAILED, ImageOutcome
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.errors import Cancelled, MpsegError, StoreError
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.results.plan import StartedOtherwise
from napari_mpseg.results.saving import result_paths
from napari_mpseg.results.unfinished import Unfinished, unfinished_folder

_PATIENCE = 10.0  # seconds


@dataclass(frozen=True)
class ImageJob:
    """One image to be segmented.

    Attributes
    ----------
    name : str
        What its results are called.
    path : Path
    pixels : int
        How many it has.
    overwrite, restart : bool
        Whether results, or half-made ones, that are there give way.
    """

    name: str
    path: Path
    pixels: int
    overwrite: bool = False
    restart: bool = False

    def __str__(self) -> str:
        """Return its name, for messages."""
        return self.name


@dataclass(frozen=True)
class ImageEnd:
    """What became of a job, the digest of the file it was done on, and whether there was no room for its results."""

    outcome: ImageOutcome
    sha256: str | None = None
    no_room: bool = False


@dataclass(frozen=True)
class ImageWork:
    """Segments images; see :class:`~napari_mpseg.inference.work.Work`.

    Attributes
    ----------
    settings : BatchSettings
    out : Path
        Folder of the results.
    scheduler : str or None
        For the tiles, in place of that of the settings.
    overwrite : bool
        Whether half-made results that were begun otherwise, by another runtime say, are thrown away.
    """

    settings: BatchSettings
    out: Path
    scheduler: str | None = None
    overwrite: bool = False

    def needs(self, item: Hashable) -> Sequence[Hashable]:
        """Return nothing: images do not depend on each other."""
        return ()

    def do(self, item: Any, *given: Any) -> ImageEnd:
        """Segment one image; whatever is wrong with it is told in the outcome."""
        return self.segment(item)

    def segment(
        self, job: ImageJob, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> ImageEnd:
        """Segment one image into `out`.

        Raises
        ------
        Cancelled
            If `cancel` was set; anything else that happens is in the outcome.
        """
        began = monotonic()
        try:
            count = self._count(job, on_progress, cancel)
            digest = content_digest(job.path)
        except Cancelled:
            raise
        except MpsegError as error:
            return ImageEnd(ImageOutcome(job.name, job.path, FAILED, str(error)), no_room=_no_room(error))
        except MemoryError:
            message = "There is not enough memory. Give a smaller tile size, or fewer images at once."
            return ImageEnd(ImageOutcome(job.name, job.path, FAILED, message))
        except Exception as error:  # one odd file among hundreds must not end the others
            outcome = ImageOutcome(job.name, job.path, FAILED, f"{type(error).__name__}: {error}")
            return ImageEnd(outcome, no_room=_no_room(error))
        seconds = round(monotonic() - began, 3)
        return ImageEnd(ImageOutcome(job.name, job.path, DONE, "", count, seconds), digest)

    def _count(self, job: ImageJob, on_progress: ProgressCallback, cancel: CancelToken | None) -> int:
        from napari_mpseg.images.open import open_image
        from napari_mpseg.pipeline import segment

        given = self.settings.for_segment()
        if self.scheduler is not None:
            given["scheduler"] = self.scheduler
        _wait_for_the_killed(unfinished_folder(result_paths(self.out, job.name)["record"]))
        source: Any = job.path
        image = open_image(job.path, plane=given.get("plane"))
        if file_stem(image.name) != file_stem(job.name):
            source = replace(image, name=job.name)
            given.pop("plane", None)
        given |= {"out": self.out, "overwrite": job.overwrite, "on_progress": on_progress, "cancel": cancel}
        try:
            return segment(source, restart=job.restart, **given).count
        except StartedOtherwise as refused:
            if not self.overwrite:
                raise StoreError(
                    f"It is half done, and was begun otherwise: {refused.found}. Do the batch as it was to go on with "
                    "it, or ask to overwrite (--overwrite), which begins such images anew."
                ) from refused
        return segment(source, restart=True, **given).count


def _no_room(error: BaseException | None) -> bool:
    """Return whether an error, or what it came of, is that the disk or the share of it is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def _wait_for_the_killed(folder: Path) -> None:
    """Wait while another process holds an unfinished run: those of a batch that was killed end a moment after it."""
    until = monotonic() + _PATIENCE
    while folder.exists() and monotonic() < until:
        try:
            with Unfinished(folder).at_work():
                return
        except StoreError:
            sleep(0.1)
