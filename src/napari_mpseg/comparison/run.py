"""Compare several methods over several images."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg._version import __version__
from napari_mpseg.comparison.case import Case, load_case
from napari_mpseg.comparison.comparison import Comparison, Failure
from napari_mpseg.comparison.contender import Contender, Found, FoundCallback, RunOptions
from napari_mpseg.comparison.crops import error_crops, windows_around
from napari_mpseg.comparison.kept import go_on_with, not_shown
from napari_mpseg.comparison.memory import PeakMemory
from napari_mpseg.comparison.pictures import Picture, pictures_of, remarks_on
from napari_mpseg.comparison.settings import CompareSettings
from napari_mpseg.comparison.specs import contenders_of
from napari_mpseg.errors import Cancelled, MpsegError, SettingsError, StoreError
from napari_mpseg.evaluation.evidence import gather_evidence
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

RESULTS = "results"
_LARGE = 2**22  # pixels from which an image is worth telling of tile by tile


def compare(
    data: Any,
    methods: "str | Sequence[str | Contender]",
    out: str | os.PathLike[str] | None = None,
    *,
    metrics: Sequence[str] = (),
    min_size: int = 3,
    particle_value: int | None = None,
    count: int | None = None,
    group: str = "",
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    colours: str = "paper",
    title: str = "Comparison of methods",
    device: str = "auto",
    tile_size: int | None = None,
    keep: bool = False,
    on_found: FoundCallback | None = None,
    cache: str | os.PathLike[str] | None = None,
    on_progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Comparison:
    """Run several methods on several images with truth, and score them side by side.

    Parameters
    ----------
    data : path-like or sequence of tuple
        A folder of images with their truth in ``labels``, a folder of ``fold_*`` folders of that form, or
        ``(image, truth)`` or ``(image, truth, name)`` tuples of anything that can be opened. Images and truth are
        read part by part and may be larger than memory.
    methods : str, or sequence of str or Contender
        A row each: a registered method, a model folder, a forest's folder, a method file, the folder of a
        cross-validation, any of these with options (``"otsu:channel=red"``) or a heading (``"Red=otsu:channel=red"``);
        or a :class:`~napari_mpseg.comparison.label_layers.LabelsContender`.
    out : path-like, optional
        Folder for every finished case, the tables, the figures and the page. Called again with the same folder, what
        is finished is not run again. Without it nothing is written.
    metrics : sequence of str
        Columns of the table; default the usual ones.
    min_size : int
        Smaller particles are dropped, and need not be found.
    particle_value : int, optional
        The value in the truth that means particle; default everything but 0.
    count : int, optional
        Only as many images, taken evenly from all.
    group : str
        Fold that all images of a plain folder belong to, for models of a cross-validation.
    resamples, level, seed, colours, title
        See :class:`~napari_mpseg.comparison.settings.CompareSettings`.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    tile_size : int, optional
        Side of a tile in pixels.
    keep : bool
        Keep labels and probabilities in ``out/results``.
    on_found : callable, optional
        Called with method, image and :class:`~napari_mpseg.comparison.contender.Found` of each case that is run, from
        the thread that compares.
    cache : path-like, optional
        Folder for temporary stores.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`. Cancelling keeps the cases that are finished.

    Returns
    -------
    Comparison
        A case that failed is among its failures, and did not stop the others.

    Raises
    ------
    SettingsError, UnknownNameError
        If a method, an option or a metric is wrong, or `out` holds a comparison with other settings.
    ImageError
        If there are no images.
    StoreError
        If `out` cannot be written.
    Cancelled

    Examples
    --------
    >>> compare("data", ["mp-vat", "default"], "comparison").to_markdown()  # doctest: +SKIP
    """
    settings = CompareSettings(tuple(metrics), resamples, level, seed, colours, title)
    contenders = contenders_of(methods)
    pictures = pictures_of(data, particle_value=particle_value, count=count, group=group)
    if min_size < 1:
        raise SettingsError(f"min_size {min_size} is impossible: give at least 1 pixel.")
    if keep and out is None:
        raise SettingsError("Labels can only be kept in a folder: give out.")
    folder = None if out is None else Path(out)
    kept = folder / RESULTS if keep and folder is not None else None
    options = RunOptions(min_size, device, tile_size, cache, kept, on_found)
    comparison = Comparison.planned(contenders, pictures, settings, min_size)  # refuses wrong metrics before any work
    if folder is not None:
        go_on_with(
            folder,
            {"min_size": min_size, "particle_value": particle_value, "version": __version__},
            {picture.name: {**picture.digests, "group": picture.group} for picture in pictures},
            {one.label: {**one.settings(), **({} if one.exact else {"tile_size": tile_size})} for one in contenders},
        )
    work = _Work(folder, options, on_progress or silent, cancel or CancelToken(), len(contenders) * len(pictures))
    for contender in contenders:
        work.row(contender, pictures)
    remarks = (*remarks_on(data), *_hidden(folder, contenders))
    done = replace(comparison, cases=tuple(work.cases), failures=tuple(work.failures), remarks=remarks)
    if folder is not None:
        done.save(folder, overwrite=True, on_progress=on_progress or silent, cancel=cancel or CancelToken())
    return done


def _hidden(folder: Path | None, contenders: Sequence[Contender]) -> list[str]:
    """Say which rows of the folder are not in the table."""
    found = [] if folder is None else not_shown(folder, [one.label for one in contenders])
    if not found:
        return []
    what = "1 method in this folder is" if len(found) == 1 else f"{len(found)} methods in this folder are"
    return [f"{what} not shown: {', '.join(found)}. Name them too; what is finished is not run again."]


class _Work:
    """The cases one after the other."""

    def __init__(
        self, out: Path | None, options: RunOptions, on_progress: ProgressCallback, cancel: CancelToken, total: int
    ) -> None:
        self.cases: list[Case] = []
        self.failures: list[Failure] = []
        self._out, self._options, self._cancel, self._total = out, options, cancel, total
        self._tell = on_progress
        self._done = 0

    def row(self, contender: Contender, pictures: Sequence[Picture]) -> None:
        """Run one method on all images, those of one fold after the other."""
        try:
            for picture in pictures:
                self._cancel.check()
                self._tell(Progress("Comparing", self._done, self._total, "cases"))
                self._case(contender, picture)
                self._done += 1
        finally:
            contender.release()
        self._tell(Progress("Comparing", self._done, self._total, "cases"))

    def _case(self, contender: Contender, picture: Picture) -> None:
        there = load_case(self._out, contender.label, picture.name) if self._out is not None else None
        if there is not None:
            self.cases.append(there)
            return
        try:
            case = run_case(contender, picture, self._options, on_progress=self._within(picture), cancel=self._cancel)
        except (Cancelled, StoreError):  # a full disk would stop all the others too
            raise
        except MpsegError as error:
            self.failures.append(Failure(contender.label, picture.name, str(error)))
            return
        except Exception as error:
            self.failures.append(Failure(contender.label, picture.name, f"{type(error).__name__}: {error}"))
            return
        if self._out is not None:
            case.save(self._out)
        self.cases.append(case)

    def _within(self, picture: Picture) -> ProgressCallback:
        return self._tell if picture.pixels >= _LARGE else silent


def run_case(
    contender: Contender,
    picture: Picture,
    options: RunOptions,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Case:
    """Run one method on one image, and gather what every metric is taken from.

    Raises
    ------
    MpsegError
        If the method cannot work on the image, or must not be scored on it.
    Cancelled
    """
    cancel = cancel or CancelToken()
    doubts = contender.doubts(picture)
    started = time.perf_counter()
    contender.prepare(picture, options)
    loaded = time.perf_counter()
    with PeakMemory() as memory:
        found = contender.run(picture, options, on_progress=on_progress, cancel=cancel)
        finished = time.perf_counter()
    _hand_over(contender.label, picture, found, options)
    truth = picture.labels()
    evidence = gather_evidence(
        found.labels,
        truth,
        probability=found.probability,
        min_size=options.min_size,
        name=picture.name,
        group=picture.group,
        pixel_size_um=picture.opened.calibration.pixel_size_um,
    )
    cancel.check()
    particles = evidence.particles
    windows = windows_around(picture.opened.shape, particles.truth_areas, particles.truth_centres)
    return Case(
        contender.label,
        picture.name,
        evidence,
        picture.pixels,
        finished - loaded if contender.timed else None,
        loaded - started,
        memory.peak if contender.timed else None,
        found.threshold,
        found.notes,
        tuple(doubt.text for doubt in doubts),
        any(doubt.seen for doubt in doubts),
        found.settings,
        windows,
        error_crops(found.labels, truth, windows),
    )


def _hand_over(label: str, picture: Picture, found: Found, options: RunOptions) -> None:
    """Keep what was found where that was asked for; not part of the time a method takes."""
    if options.keep is not None and found.result is not None:
        found.result.save(Path(options.keep) / file_stem(label), overwrite=True)
    if options.on_found is not None:
        options.on_found(label, picture.name, found)
