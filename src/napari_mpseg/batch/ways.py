"""How the images of a batch share the cores: side by side, or one after the other with its tiles in parallel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import Protocol

from napari_mpseg.batch.outcome import FAILED, ImageOutcome
from napari_mpseg.batch.settings import AUTO, CHUNKS, IMAGES, BatchSettings
from napari_mpseg.batch.together import Together
from napari_mpseg.batch.work import ImageEnd, ImageJob, ImageWork
from napari_mpseg.errors import MpsegError
from napari_mpseg.inference.schedulers import find_scheduler
from napari_mpseg.inference.schedulers.workplace import cores
from napari_mpseg.methods.registry import MethodEntry, resolve_method
from napari_mpseg.progress import CancelToken, silent
from napari_mpseg.registry import Registry

MOST_PROCESSES = 8  # each holds its own copy of the libraries and of the network
SMALL = 8_000_000  # pixels; above, one image keeps all cores busy by itself
_WAITING = 1  # images beyond those at work that a scheduler has in its hands
WORTH_IT = 50_000_000  # pixels of all images per process; starting one takes some seconds


@dataclass(frozen=True)
class Watch:
    """What is told of every job, in the thread that started them.

    Attributes
    ----------
    begin : callable
        Takes each job before anything of it is done.
    end : callable
        Takes each job and what became of it.
    """

    begin: Callable[[ImageJob], None]
    end: Callable[[ImageJob, ImageEnd], None]


class Way(Protocol):
    """Does jobs and tells the end of each."""

    def __call__(
        self,
        work: ImageWork,
        jobs: Sequence[ImageJob],
        workers: int,
        watch: Watch,
        told: Together,
        cancel: CancelToken,
    ) -> None:
        """Do `jobs`; see :func:`one_by_one`."""
        ...


WAYS: Registry[Way] = Registry("way to share the cores")


@WAYS.register(CHUNKS)
def one_by_one(
    work: ImageWork, jobs: Sequence[ImageJob], workers: int, watch: Watch, told: Together, cancel: CancelToken
) -> None:
    """Do one image after the other in this process.

    Parameters
    ----------
    work : ImageWork
    jobs : sequence of ImageJob
    workers : int
        How many images at once, where there are several.
    watch : Watch
    told : Together
    cancel : CancelToken

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    for job in jobs:
        cancel.check()
        watch.begin(job)
        watch.end(job, work.segment(job, on_progress=told.image(job.pixels), cancel=cancel))


@WAYS.register(IMAGES)
def side_by_side(
    work: ImageWork, jobs: Sequence[ImageJob], workers: int, watch: Watch, told: Together, cancel: CancelToken
) -> None:
    """Do several images at once, each in a process of its own; parameters are those of :func:`one_by_one`.

    Where processes die again and again, those images that were at work are done alone, until it is found out which one
    it is, and the others go on side by side.
    """
    workers = max(1, min(workers, len(jobs)))
    work = replace(work, scheduler=f"threads:{max(1, cores() // workers)}")
    left, ahead = dict.fromkeys(jobs), iter(jobs)
    untold: list[MpsegError] = []  # what an end could not be noted for, such as a full disk

    def begin(number: int) -> None:
        for job in islice(ahead, number):
            watch.begin(job)

    def take(job: ImageJob, end: ImageEnd) -> None:
        del left[job]
        try:
            watch.end(job, end)
            begin(1)  # the next one is given to the processes now
        except MpsegError as error:
            untold.append(error)
            raise

    def run(some: Sequence[ImageJob], at_once: int) -> None:
        find_scheduler(f"processes:{at_once}").run(
            work, some, stage="Segmenting", unit="images", on_result=take, on_progress=silent, cancel=cancel
        )

    begin(workers + _WAITING)
    while left:
        try:
            run(list(left), workers)
        except MpsegError:
            if untold:
                raise
            # they are done in order, so what was at work is among the first
            for job in list(left)[: workers + _WAITING]:
                try:
                    run([job], 1)
                except MpsegError as error:
                    if untold:
                        raise
                    take(job, ImageEnd(ImageOutcome(job.name, job.path, FAILED, str(error))))
                    break  # it was this one; the others may go on side by side


def choose_way(settings: BatchSettings, pixels: Sequence[int]) -> tuple[str, int]:
    """Return which way suits images of so many pixels, and how many at once.

    Many small images are done side by side: what is serial in each, such as reading and writing, then runs in
    parallel. Large ones, and any on a graphics card or on a cluster, are done one after the other.
    """
    way, workers = settings.parallel.partition(":")[0], settings.workers or min(cores(), MOST_PROCESSES)
    if way == AUTO:
        many = workers > 1 and len(pixels) >= 2 * workers and sum(pixels) >= WORTH_IT * workers
        suits = many and median(pixels) <= SMALL and settings.scheduler is None and not _on_graphics_card(settings)
        way = IMAGES if suits else CHUNKS
    return (way, workers) if way == IMAGES else (CHUNKS, 1)


def _on_graphics_card(settings: BatchSettings) -> bool:
    entry = resolve_method(settings.method)
    if not isinstance(entry, MethodEntry) or not entry.network:
        return False
    from napari_mpseg.networks.device import choose_device

    return choose_device(settings.device).type != "cpu"
