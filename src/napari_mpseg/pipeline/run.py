"""Carry out a plan: segment, number, make levels for display, measure, write."""

from dataclasses import replace
from math import prod
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.inference.instance_predictor import finds_instances, has_own_window, loses_instances
from napari_mpseg.inference.levels import write_levels
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.schedulers import Scheduler, opened
from napari_mpseg.inference.segmentation import segment_tiles
from napari_mpseg.inference.store import ResultArrays, create_store, open_store_for_writing
from napari_mpseg.inference.thumbnail import Thumbnail
from napari_mpseg.inference.tiled import tile_grid
from napari_mpseg.pipeline.places import Place
from napari_mpseg.pipeline.plan import Plan, record_of
from napari_mpseg.pipeline.warming import warm_up
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.results.overlay import overlay_step
from napari_mpseg.results.result import Result
from napari_mpseg.results.result_store import write_record
from napari_mpseg.results.saving import write_files

_LARGE = 4_000_000  # pixels above which the first tiles last longer than loading


def carry_out(
    plan: Plan, seen: Image, place: Place, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[Result, ResultArrays]:
    """Segment the image as the method sees it, measure what was found, and write all parts where `place` says."""
    with opened(plan.scheduler) as scheduler:
        return _carried_out(plan, seen, place, scheduler, on_progress, cancel)


def _carried_out(
    plan: Plan,
    seen: Image,
    place: Place,
    scheduler: Scheduler,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[Result, ResultArrays]:
    steps: dict[str, Any] = {"on_progress": on_progress, "cancel": cancel}
    prepared = _prepared(plan, seen, on_progress, cancel)
    tile = tile_grid(prepared.image, prepared.predictor, plan.tile_size).tile
    record = place.begin(record_of(plan, prepared, tile))
    arrays = _store(plan, place, tile, record)
    if plan.measure and prod(plan.image.shape) > _LARGE:
        warm_up()
    thumbnail = _thumbnail(plan, prepared) if place.parts else None
    found = segment_tiles(
        prepared,
        place.store,
        plan.settings,
        tile_size=tile,
        journal=place.journal,
        scheduler=scheduler,
        thumbnail=thumbnail,
        **steps,
    )
    write_levels(place.store, scheduler=scheduler, **steps)
    record = {**record, "checksums": found.checksums}
    particles = _measured(arrays, plan, record, scheduler, on_progress, cancel) if plan.measure else None
    result = Result(
        plan.image,
        arrays.labels,
        arrays.probability,
        found.count,
        particles,
        plan.name,
        plan.settings.threshold,
        record,
        (*prepared.notes, *_skipped(prepared, found.skipped)),
        macro_counts=_macro_counts(plan, prepared, arrays, on_progress, cancel),
    )
    if place.parts:
        write_record(arrays, {**record, "particles": found.count})
        write_files(result, place.parts, on_progress, cancel, thumbnail.mean() if thumbnail is not None else None)
    return result, arrays


def _thumbnail(plan: Plan, prepared: Prepared) -> Thumbnail | None:
    """Return a thumbnail to be filled by the tiles as they pass, if they are of the image itself and show it all."""
    same = prepared.image.data is plan.image.data and has_own_window(prepared.predictor)
    return Thumbnail(plan.image, overlay_step(plan.image.shape)) if same and Thumbnail.suits(plan.image) else None


def _prepared(plan: Plan, seen: Image, on_progress: ProgressCallback, cancel: CancelToken) -> Prepared:
    prepared = plan.method.prepare(seen, on_progress=on_progress, cancel=cancel)
    cancel.check()
    if loses_instances(prepared.predictor):
        raise SettingsError(
            f"{plan.name} tells touching particles apart, and cannot do so together with all that it was asked for: "
            "leave out test-time augmentation and rescaling, and give an image without gaps (NaN)."
        )
    if plan.skip_empty is None:
        return prepared
    from napari_mpseg.inference.screening import screened

    return screened(prepared, plan.skip_empty, on_progress=on_progress, cancel=cancel)


def _skipped(prepared: Prepared, counts: tuple[int, int]) -> list[str]:
    from napari_mpseg.inference.screening import skipped_note

    note = skipped_note(prepared, counts)
    return [note] if note is not None else []


def _store(plan: Plan, place: Place, tile: int, record: dict[str, Any]) -> ResultArrays:
    """Return the store of the run that is gone on with, or a new one."""
    if place.earlier is not None:
        return open_store_for_writing(place.store)
    arrays = create_store(place.store, plan.image.shape, tile, plan.image.calibration, plan.image.name)
    write_record(arrays, record)
    place.settle()
    return arrays


def _measured(
    arrays: ResultArrays,
    plan: Plan,
    record: dict[str, Any],
    scheduler: Scheduler,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Any:
    from napari_mpseg.particles.reviewable import measure_for_review

    table = measure_for_review(
        arrays.labels,
        plan.image,
        probability=arrays.probability,
        rules=plan.rules,
        scheduler=scheduler if plan.scheduler is not None else None,
        on_progress=on_progress,
        cancel=cancel,
    )
    return replace(table, provenance=record)


def _macro_counts(
    plan: Plan, prepared: Prepared, arrays: ResultArrays, on_progress: ProgressCallback, cancel: CancelToken
) -> Any:
    """Return what the macro behind a method would count itself, where the method was asked for that.

    It counts 8-connected particles, whatever the particles of the result are.
    """
    settings = plan.settings
    if not getattr(plan.method, "macro_counting", False):
        return None
    from napari_mpseg.particles.lazy_labels import lazy_labels
    from napari_mpseg.particles.macro_counts import macro_counts

    labels = arrays.labels
    if settings.connectivity != 2 or finds_instances(prepared.predictor):
        labels = lazy_labels(arrays.probability, settings.lowest, on_progress=on_progress, cancel=cancel)
    return macro_counts(labels, min_size=settings.min_size, on_progress=on_progress, cancel=cancel)
