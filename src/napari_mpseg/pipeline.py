"""The front door: an image and a method go in, particles and their table come out."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError, StoreError
from napari_mpseg.files import refusal
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.augmentation import tta_names
from napari_mpseg.inference.background import BackgroundSettings, find_background, subtracted
from napari_mpseg.inference.segmentation import MaskSettings, segment_tiles
from napari_mpseg.inference.store import ResultArrays, create_store, open_store, remove_with
from napari_mpseg.inference.tiled import tile_grid
from napari_mpseg.leftovers import remove
from napari_mpseg.methods.options import checked_options
from napari_mpseg.methods.protocol import Method
from napari_mpseg.methods.registry import METHODS, MethodEntry, resolve_method
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.provenance import Provenance
from napari_mpseg.results.result import Result
from napari_mpseg.results.result_store import refuse_results, write_record
from napari_mpseg.results.saving import check_places, places_for, result_paths, write_files
from napari_mpseg.results.temporary import temporary_folder
from napari_mpseg.settings import to_dict

MIN_SIZE = 3  # pixels; what the MP-VAT macro uses


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
        lives as long as the returned arrays.
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
        Side of a tile in pixels. Results do not depend on it; memory and speed do.
    measure : bool
        Whether to make the particle table.
    rules : str, path or RuleSet, optional
        Which rules give the table's column ``class``: the name of a rule set or a file; ``"mp-vat"`` without.
    cache : path-like, optional
        Folder for temporary stores; default the variable ``NAPARI_MPSEG_CACHE``, else the system's temporary folder.
    on_progress : callable, optional
        Called with :class:`~napari_mpseg.progress.Progress` events, from worker threads too.
    cancel : CancelToken, optional
        Stops the work within one tile; nothing half-made stays behind.

    Returns
    -------
    Result

    Raises
    ------
    MpsegError
        With a message for the user: unusable image, unknown method, damaged model, results in the way, full disk.
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
    entry = _chosen(method)
    asked = getattr(entry, "defaults", {})  # what a method file was saved with
    _check_tile_size(tile_size)
    names = None if tta is None else tta_names(tta)
    sorting = _sorting(rules)
    ground = find_background(asked.get("background") if background is None else background)
    opened = _opened(image, plane, channels, calibration)
    paths = result_paths(Path(out).absolute(), opened.name) if out is not None else None
    if paths is not None:
        check_places(paths, source=opened.source, overwrite=overwrite)
    built = _with_rescale(_with_tta(_built(entry, options, device), names), rescale)
    name = entry.name if isinstance(entry, MethodEntry) else built.name
    settings = _mask_settings(asked, built, threshold, min_size, connectivity)
    plan = _Plan(opened, built, name, settings, tile_size, sorting, ground, measure)
    with (
        _places(paths, overwrite, cache) as parts,
        subtracted(opened, ground, cache=cache, on_progress=on_progress, cancel=cancel) as seen,
    ):
        result, arrays = _carried_out(plan, seen, parts["store"], on_progress, cancel)
        if paths is not None:
            write_files(result, parts, on_progress, cancel)
        cancel.check()
    if paths is None:
        remove_with(arrays, parts["store"].parent)
        return result
    arrays = open_store(paths["store"])
    return replace(result, labels=arrays.labels, probability=arrays.probability, store=paths["store"])


@dataclass(frozen=True)
class _Plan:
    """All that is settled before the work starts; the image is the one given, with its background."""

    image: Image
    method: Method
    name: str
    settings: MaskSettings
    tile_size: int | None
    rules: Any
    background: BackgroundSettings | None
    measure: bool


def _carried_out(
    plan: _Plan, seen: Image, store: Path, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[Result, ResultArrays]:
    """Segment the image as the method sees it into a new store, and measure what was found."""
    record = _record(plan)
    prepared = plan.method.prepare(seen, on_progress=on_progress, cancel=cancel)
    cancel.check()
    tile = tile_grid(prepared.image, prepared.predictor, plan.tile_size).tile
    arrays = create_store(store, plan.image.shape, tile, plan.image.calibration, plan.image.name)
    write_record(arrays, record)
    steps: dict[str, Any] = {"on_progress": on_progress, "cancel": cancel}
    count = segment_tiles(prepared, arrays, plan.settings, tile_size=plan.tile_size, **steps)
    particles = _measured(arrays, plan.image, plan.rules, record, on_progress, cancel) if plan.measure else None
    result = Result(
        plan.image,
        arrays.labels,
        arrays.probability,
        count,
        particles,
        plan.name,
        plan.settings.threshold,
        record,
        prepared.notes,
        macro_counts=_macro_counts(plan.method, arrays, plan.settings, on_progress, cancel),
    )
    return result, arrays


def _sorting(rules: Any) -> Any:
    from napari_mpseg.particles.classes.rules import find_rules
    from napari_mpseg.particles.reviewable import RULES

    return find_rules(RULES if rules is None else rules)


def _chosen(method: Any) -> MethodEntry | Method:
    entry = resolve_method(method)
    if not isinstance(entry, MethodEntry) and not hasattr(entry, "prepare"):
        raise SettingsError(f"{method!r} is no method. Give the name of one, or a model folder.")
    return entry


def _built(entry: MethodEntry | Method, options: Mapping[str, Any] | None, device: str) -> Method:
    if isinstance(entry, MethodEntry):
        return entry.build(device=device, **checked_options(entry, options or {}))
    if options:
        raise SettingsError(f"{entry.name} is built already; its options ({', '.join(options)}) come too late.")
    return entry


def _with_tta(method: Method, names: tuple[str, ...] | None) -> Method:
    """Return the method with this augmentation; None leaves it to the method, () is none at all."""
    if names is None:
        return method
    augmented: Callable[[Sequence[str]], Method] | None = getattr(method, "with_tta", None)
    if augmented is None and not names:
        return method
    if augmented is None:
        raise SettingsError(
            f"Test-time augmentation ({', '.join(names)}) is for networks, and {method.name} is none. "
            "Leave it out, or choose a network."
        )
    return augmented(names)


def _with_rescale(method: Method, rescale: bool) -> Method:
    if not rescale:
        return method
    rescaled: Callable[[], Method] | None = getattr(method, "with_rescale", None)
    if rescaled is None:
        raise SettingsError(f"Rescaling is for networks, and {method.name} is none. Leave it out, or choose a network.")
    return rescaled()


def _mask_settings(
    asked: Mapping[str, Any], method: Method, threshold: float | None, min_size: int | None, connectivity: int
) -> MaskSettings:
    """Return what was given; without that what the method file asks for; without that what is usual."""
    threshold = asked.get("threshold") if threshold is None else threshold
    min_size = asked.get("min_size", MIN_SIZE) if min_size is None else min_size
    return MaskSettings(method.default_threshold if threshold is None else threshold, min_size, connectivity)


def _check_tile_size(tile_size: int | None) -> None:
    if tile_size is not None and tile_size < 1:
        raise SettingsError(f"Tile size {tile_size} is impossible: give the side of a tile in pixels, such as 512.")


def _opened(image: Any, plane: Any, channels: Any, calibration: Any) -> Image:
    if calibration is not None and not isinstance(calibration, Calibration):
        calibration = Calibration.parse(calibration)
    refuse_results(image)
    opened = open_image(image, plane=plane, channels=channels, calibration=calibration)
    check_image(opened)
    return opened


@contextmanager
def _places(paths: dict[str, Path] | None, overwrite: bool, cache: Any) -> Iterator[dict[str, Path]]:
    """Give where to write the parts of the result; on any error or cancel nothing stays there."""
    if paths is not None:
        with places_for(paths, overwrite=overwrite) as parts:
            yield parts
        return
    folder = temporary_folder(cache)
    try:
        yield {"store": folder / "result.ome.zarr"}
    except BaseException as error:
        remove(folder)
        if isinstance(error, OSError) and not isinstance(error, (StoreError, ConnectionError)):
            raise refusal(folder, error) from error
        raise


def _measured(
    arrays: ResultArrays,
    image: Image,
    rules: Any,
    record: dict[str, Any],
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Any:
    from napari_mpseg.particles.reviewable import measure_for_review

    table = measure_for_review(
        arrays.labels, image, probability=arrays.probability, rules=rules, on_progress=on_progress, cancel=cancel
    )
    return replace(table, provenance=record)


def _macro_counts(
    method: Method, arrays: ResultArrays, settings: MaskSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> Any:
    """Return what the macro behind a method would count itself, where the method was asked for that.

    It counts 8-connected particles, whatever the particles of the result are.
    """
    if not getattr(method, "macro_counting", False):
        return None
    from napari_mpseg.particles.lazy_labels import lazy_labels
    from napari_mpseg.particles.macro_counts import macro_counts

    labels = arrays.labels
    if settings.connectivity != 2:
        labels = lazy_labels(arrays.probability, settings.lowest, on_progress=on_progress, cancel=cancel)
    return macro_counts(labels, min_size=settings.min_size, on_progress=on_progress, cancel=cancel)


def _record(plan: _Plan) -> dict[str, Any]:
    described = plan.method.describe()
    model = described.pop("model", {})
    image, background = plan.image, plan.background
    return Provenance(
        "segment",
        settings={
            "method": plan.name,
            # of a method file: the registered method that it sets
            **({"based_on": plan.method.name} if plan.method.name in METHODS and plan.method.name != plan.name else {}),
            "options": described,
            **to_dict(plan.settings),
            "tile_size": plan.tile_size,
            "rules": to_dict(plan.rules),
            "background": to_dict(background) if background is not None else None,
        },
        inputs={
            "name": image.name,
            "source": _absolute(image.source),
            "shape": list(image.data.shape),
            "dtype": str(image.dtype),
            "channels": list(image.channels),
            "plane": list(image.plane),
            "calibration": to_dict(image.calibration),
        },
        model=model,
    ).to_dict()


def _absolute(source: str) -> str:
    # os.path, as a source need be no path at all, such as a layer's name
    return os.path.abspath(source) if os.path.exists(source) else source  # noqa: PTH100, PTH110
