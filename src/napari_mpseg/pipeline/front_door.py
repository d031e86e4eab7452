"""The front door: an image and a method go in, particles and their table come out."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.inference.augmentation import tta_names
from napari_mpseg.inference.background import BackgroundSettings, find_background, subtracted
from napari_mpseg.inference.schedulers import find_scheduler
from napari_mpseg.inference.screening import find_screen
from napari_mpseg.inference.store import open_store, remove_with
from napari_mpseg.methods.protocol import Method
from napari_mpseg.methods.registry import MethodEntry
from napari_mpseg.pipeline.choices import (
    built_method,
    checked_tile_size,
    chosen_method,
    find_sorting,
    given_digests,
    mask_settings,
    opened_image,
    with_rescale,
    with_runtime,
    with_tta,
)
from napari_mpseg.pipeline.places import Complete, Place, kept_place, temporary_place
from napari_mpseg.pipeline.plan import Plan
from napari_mpseg.pipeline.run import carry_out
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.results.loading import load_result
from napari_mpseg.results.result import Result
from napari_mpseg.results.saving import result_paths


def segment(
    image: Any,
    method: "str | os.PathLike[str] | Method" = "default",
    *,
    options: Mapping[str, Any] | None = None,
    background: "BackgroundSettings | str | None" = None,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    threshold: float | None = None,
    min_size: int | None = None,
    connectivity: int = 2,
    channels: Any = None,
    plane: tuple[int, ...] | None = None,
    calibration: Calibration | str | None = None,
    device: str = "auto",
    tta: str | Sequence[str] | None = None,
    rescale: bool = False,
    tile_size: int | None = None,
    runtime: str = "auto",
    skip_empty: Any = None,
    scheduler: Any = None,
    restart: bool = False,
    measure: bool = True,
    rules: Any = None,
    cache: str | os.PathLike[str] | None = None,
    on_progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Result:
    """Find the particles on an image, and measure them.

    Parameters
    ----------
    image : path, array, napari layer or Image
        Anything :func:`~napari_mpseg.images.open.open_image` takes; ``(Y, X)`` or ``(Y, X, C)``.
    method : str or path
        A registered method (``"default"`` is the bundled network), a model folder, or a method file.
    options : mapping, optional
        Settings of the method, such as ``{"channel": "red"}``, and what it must be given beside the image:
        ``{"painted": labels}`` for ``"pixel-forest"``. ``napari-mpseg methods NAME`` lists them.
    background : str or BackgroundSettings, optional
        Subtract an uneven background first: ``"rolling-ball"``, ``"top-hat"`` or ``"gaussian"``, with a radius in
        pixels as in ``"rolling-ball:50"``. Intensities in the table stay those of the image itself.
    out : path-like, optional
        Folder for the results (store, tables, overlay picture, run record). Without it the store is temporary and
        lives as long as the returned arrays. With it, finished tiles are kept in ``NAME.unfinished`` there until the
        run is finished: after a cancel, an error or a kill at any moment the same call goes on from them.
    overwrite : bool
        Replace results of this image that are in `out`.
    threshold : float, optional
        Probability above which pixels are particle; default the method's own.
    min_size : int, optional
        Particles of fewer pixels are dropped; default 3, or what the method file says.
    connectivity : int
        2 for 8 neighbours, 1 for 4.
    channels : str, int or sequence, optional
        Which channels to use.
    plane : tuple of int, optional
        Which plane of a stack.
    calibration : Calibration or str, optional
        Pixel size, such as ``"2.5um"``; default what the file says.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    rescale : bool
        For networks: show the image at the pixel size the network was trained at, by the nearest whole factor.
    tta : str or sequence of str, optional
        Test-time augmentation, for networks only: ``"flips"`` and others of
        :data:`~napari_mpseg.inference.augmentation.TTA`. The probabilities of all variants are averaged; eight
        variants take eight times as long.
    tile_size : int, optional
        Side of a tile in pixels. Results do not depend on it (with `skip_empty` a little); memory and speed do.
    runtime : str
        For networks: what computes them, see :data:`~napari_mpseg.inference.runtimes.RUNTIMES`; ``"auto"`` takes what
        is fastest here.
    skip_empty : str or ScreenSettings, optional
        Look for parts that cannot hold a particle first, and leave them out: a name of
        :data:`~napari_mpseg.inference.screening.SCREENS`. Faster, at some risk; off without.
    scheduler : str, Scheduler or distributed.Client, optional
        Where tiles are done: ``"threads"`` (the default), ``"processes:4"``, ``"distributed:4"`` or the address of a
        dask scheduler such as ``"tcp://host:8786"``.
    restart : bool
        Throw away what an unfinished run of this image has done, rather than going on with it.
    measure : bool
        Whether to make the particle table.
    rules : str, path or RuleSet, optional
        Which rules give the table's column ``class``: the name of a rule set or a file; ``"mp-vat"`` without.
    cache : path-like, optional
        Folder for temporary stores; default the variable ``NAPARI_MPSEG_CACHE``, else the system's temporary folder.
    on_progress : callable, optional
        Called with :class:`~napari_mpseg.progress.Progress` events, from worker threads too.
    cancel : CancelToken, optional
        Stops the work within one tile. Without `out` nothing stays behind.

    Returns
    -------
    Result

    Raises
    ------
    MpsegError
        With a message for the user: unusable image, unknown method, damaged model, results in the way, full disk, or an
        unfinished run of this image that was started with other settings.
    Cancelled
        If `cancel` was set.

    Examples
    --------
    >>> import numpy as np
    >>> picture = np.zeros((64, 64, 3), np.uint8)
    >>> picture[20:24, 30:34] = 200
    >>> segment(picture, "fixed-level").count
    1
    """
    on_progress, cancel = on_progress or silent, cancel or CancelToken()
    entry = chosen_method(method)
    asked = getattr(entry, "defaults", {})  # what a method file was saved with
    checked_tile_size(tile_size)
    names = None if tta is None else tta_names(tta)
    sorting = find_sorting(rules)
    screen = find_screen(skip_empty)
    scheduler = None if scheduler is None else find_scheduler(scheduler)
    ground = find_background(asked.get("background") if background is None else background)
    opened = opened_image(image, plane, channels, calibration)
    paths = result_paths(Path(out).absolute(), opened.name) if out is not None else None

    def plan_for(place: Place) -> Plan:
        built = with_rescale(with_tta(built_method(entry, options, device), names), rescale)
        name = entry.name if isinstance(entry, MethodEntry) else built.name
        return Plan(
            image=opened,
            method=with_runtime(built, place.resolved(runtime, "runtime", "auto", name)),
            name=name,
            settings=mask_settings(asked, built, threshold, min_size, connectivity),
            tile_size=place.resolved(tile_size, "tile_size", None, name),
            rules=sorting,
            background=ground,
            skip_empty=screen,
            scheduler=scheduler,
            measure=measure,
            given=given_digests(entry, options),
        )

    if paths is None:
        with temporary_place(cache) as place:
            plan = plan_for(place)
            with subtracted(opened, ground, cache=cache, on_progress=on_progress, cancel=cancel) as seen:
                result, arrays = carry_out(plan, seen, place, on_progress, cancel)
            cancel.check()
        remove_with(arrays, place.store.parent)
        return result
    with kept_place(paths, opened.source, overwrite=overwrite, restart=restart) as place:
        plan = plan_for(place)
        try:
            with subtracted(opened, ground, cache=cache, on_progress=on_progress, cancel=cancel) as seen:
                result, _ = carry_out(plan, seen, place, on_progress, cancel)
        except Complete:
            return load_result(paths, opened, plan.name)
        cancel.check()
        place.finish()
    arrays = open_store(paths["store"])
    return replace(result, labels=arrays.labels, probability=arrays.probability, store=paths["store"])
