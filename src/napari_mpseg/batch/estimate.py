"""How long a batch will take, from what is done of it or from a trial on a piece of one image."""

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

from napari_mpseg.batch.journal import Journal
from napari_mpseg.batch.plan import BatchPlan
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.images.image import Image
from napari_mpseg.progress import CancelToken

_WARM, _TRIAL = 256, 1024  # pixels; sides of the pieces


def estimate_seconds(
    plan: BatchPlan, settings: BatchSettings, out: Path, *, cancel: CancelToken | None = None
) -> float | None:
    """Return about how many seconds the images that are to be done will take; None if there are none.

    Parameters
    ----------
    plan : BatchPlan
    settings : BatchSettings
    out : Path
        Folder of the batch: images that were done with the same settings tell the speed. Without any, pieces of
        256 x 256 and 1024 x 1024 pixels of the first image are segmented, by the runtime that the whole image gets. If
        that has to be measured on this machine first, it is, as the batch would.
    cancel : CancelToken, optional

    Raises
    ------
    MpsegError
        If the image cannot be segmented.
    """
    if not plan.to_do:
        return None
    pixels = sum(item.pixels for item in plan.to_do)
    workers = int(plan.parallel.partition(":")[2] or 1)
    known = _known_rate(plan, out)
    each, rate = (0.0, known) if known is not None else _tried(plan, settings, cancel)
    return (each * len(plan.to_do) + rate * pixels) / min(workers, len(plan.to_do))


def _known_rate(plan: BatchPlan, out: Path) -> float | None:
    """Return seconds per pixel of the images that are done."""
    entries = Journal.read(out.absolute()).entries
    known = [
        (entry.seconds, item.pixels)
        for item in plan.items
        if (entry := entries.get(item.name)) and entry.seconds and entry.settings == plan.digest and item.pixels
    ]
    pixels = sum(size for _, size in known)
    return sum(seconds for seconds, _ in known) / pixels if pixels else None


def _tried(plan: BatchPlan, settings: BatchSettings, cancel: CancelToken | None) -> tuple[float, float]:
    """Return seconds per image and per pixel, from pieces from the middle of the first image."""
    from napari_mpseg.images.open import open_image
    from napari_mpseg.pipeline import segment

    given: dict[str, Any] = settings.for_segment()
    image = open_image(plan.to_do[0].path, plane=given.pop("plane", None), channels=given.pop("channels", None))
    runtime = _runtime(_piece(image, _TRIAL), image, settings, cancel)
    given |= {"runtime": runtime} if runtime is not None else {}
    took, pixels = [], []
    for side in (_WARM, _WARM, _TRIAL):  # the first loads what has to be loaded
        piece = _piece(image, side)
        began = monotonic()
        segment(piece, cancel=cancel, **given)
        took.append(monotonic() - began)
        pixels.append(piece.shape[0] * piece.shape[1])
    more, longer = pixels[-1] - pixels[1], took[-1] - took[1]
    if more <= 0 or longer <= 0:
        return 0.0, took[-1] / pixels[-1]
    rate = longer / more
    return max(0.0, took[1] - rate * pixels[1]), rate


def _piece(image: Image, side: int) -> Image:
    """Return a square from the middle of an image."""
    top, left = (max(0, (length - side) // 2) for length in image.shape)
    return replace(image, data=image.data[top : top + side, left : left + side])


def _runtime(piece: Image, image: Image, settings: BatchSettings, cancel: CancelToken | None) -> str | None:
    """Return what computes the whole image where nobody said: of a piece as small as the trial, that is another."""
    from napari_mpseg.methods.registry import MethodEntry
    from napari_mpseg.pipeline.choices import built_method, chosen_method

    entry = chosen_method(settings.method)
    if not isinstance(entry, MethodEntry) or not entry.network or settings.runtime is not None:
        return None
    from napari_mpseg.images.channels import match_channels
    from napari_mpseg.inference.augmentation import tta_names, tta_variants
    from napari_mpseg.inference.runtimes import choice
    from napari_mpseg.inference.runtimes.sampling import sample_of
    from napari_mpseg.methods.network import NetworkMethod

    method = built_method(entry, settings.options, settings.device)
    if not isinstance(method, NetworkMethod):
        return None
    card = method.model.card
    names = method.tta if settings.tta is None else tta_names(settings.tta)
    seen = match_channels(piece, card.in_channels)
    return choice.choose_runtime(
        method.runtime,
        method.model.network,
        card.receptive_radius,
        method.device,
        pixels=round(image.shape[0] * image.shape[1] / card.shrink**2),
        passes=len(tta_variants(names)) if names else 1,
        sample=lambda: sample_of(seen, card.normalisation.measure(seen, cancel), card.shrink),
        cancel=cancel,
    ).runtime
