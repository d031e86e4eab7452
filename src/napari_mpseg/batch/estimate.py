"""How long a batch will take, from what is done of it or from a trial on a piece of one image."""

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

from napari_mpseg.batch.journal import Journal
from napari_mpseg.batch.plan import BatchPlan
from napari_mpseg.batch.settings import BatchSettings
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
        Folder of the batch: images that were done with the same settings tell the speed. Without any, a piece of
        1024 x 1024 pixels of the first image is segmented.
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
    return (_known_rate(plan, out) or _tried_rate(plan, settings, cancel)) * pixels / min(workers, len(plan.to_do))


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


def _tried_rate(plan: BatchPlan, settings: BatchSettings, cancel: CancelToken | None) -> float:
    """Return seconds per pixel of a piece from the middle of the first image."""
    from napari_mpseg.images.open import open_image
    from napari_mpseg.pipeline import segment

    item = plan.to_do[0]
    given: dict[str, Any] = settings.for_segment()
    image = open_image(item.path, plane=given.pop("plane", None), channels=given.pop("channels", None))
    took = 0.0
    for side in (_WARM, _TRIAL):  # the first loads what has to be loaded
        top, left = (max(0, (length - side) // 2) for length in image.shape)
        piece = replace(image, data=image.data[top : top + side, left : left + side])
        began = monotonic()
        segment(piece, cancel=cancel, **given)
        took = (monotonic() - began) / (piece.shape[0] * piece.shape[1])
    return took
