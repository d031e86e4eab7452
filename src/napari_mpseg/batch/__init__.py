"""Many images with one method: each with results of its own, one table over all, counts per sample and per litre.

``find`` collects the images, ``metadata`` (from ``pattern`` and ``sheet``) says what each is of, ``plan`` what is to be
done, ``run`` does it and can be killed at any moment, ``summary`` and ``samples`` make the tables from the results.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.batch.find import find_images
    from napari_mpseg.batch.outcome import BatchOutcome, ImageOutcome
    from napari_mpseg.batch.plan import BatchPlan, look_batch, plan_batch
    from napari_mpseg.batch.run import run_batch, summarise_batch
    from napari_mpseg.batch.settings import BatchSettings

_HOMES = {
    "BatchOutcome": "outcome",
    "BatchPlan": "plan",
    "BatchSettings": "settings",
    "ImageOutcome": "outcome",
    "find_images": "find",
    "look_batch": "plan",
    "plan_batch": "plan",
    "run_batch": "run",
    "summarise_batch": "run",
}
__all__ = [
    "BatchOutcome",
    "BatchPlan",
    "BatchSettings",
    "ImageOutcome",
    "find_images",
    "look_batch",
    "plan_batch",
    "run_batch",
    "summarise_batch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
