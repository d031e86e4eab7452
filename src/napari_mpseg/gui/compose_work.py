"""What the widget *Compose training images* does in a thread. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.synthesis.semi.composition import Composition, compose
from napari_mpseg.synthesis.semi.cutouts import Cutout, CutoutSettings, cut_out
from napari_mpseg.synthesis.semi.grounds import Grounds
from napari_mpseg.synthesis.semi.settings import SemiSettings


@dataclass(frozen=True)
class Materials:
    """What images are composed from.

    Attributes
    ----------
    cutouts : list of Cutout
    grounds : Grounds
        The images that the particles were cut out of.
    """

    cutouts: list[Cutout]
    grounds: Grounds


def gather(
    pairs: Sequence[tuple[Any, Any]],
    cutting: CutoutSettings,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Materials:
    """Cut particles out of layers; `pairs` as ``train_inputs.snapshot_pairs`` gives them.

    Raises
    ------
    MpsegError
        If image and labels do not fit, or there is no particle.
    """
    from napari_mpseg.training.painted.annotations import painted_images

    images = painted_images(pairs, "dense", on_progress=on_progress, cancel=cancel)
    return Materials(cut_out(images, cutting), Grounds(images))


def example(
    known: Materials | None,
    pairs: Sequence[tuple[Any, Any]],
    cutting: CutoutSettings,
    settings: SemiSettings,
    index: int,
    *,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[Materials, Composition]:
    """Return materials, gathered where they are not known, and one composed image."""
    materials = known or gather(pairs, cutting, on_progress=on_progress, cancel=cancel)
    cancel.check()
    return materials, compose(materials.cutouts, materials.grounds, settings, index)


def write(
    known: Materials | None,
    pairs: Sequence[tuple[Any, Any]],
    cutting: CutoutSettings,
    settings: SemiSettings,
    count: int,
    target: Path,
    *,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[Path, int]:
    """Write composed images, as a zarr where the target ends so; return the place and the number of cutouts."""
    from napari_mpseg.training.data.semi import semi_synthetic_images
    from napari_mpseg.training.data.semi_writing import write_pairs, write_zarr

    materials = known or gather(pairs, cutting, on_progress=on_progress, cancel=cancel)
    images = semi_synthetic_images(materials.cutouts, materials.grounds, settings, count, memory=0)
    writing = write_zarr if target.suffix == ".zarr" else write_pairs
    return writing(images, target, on_progress=on_progress, cancel=cancel), len(materials.cutouts)


def free_place(folder: Path, name: str, ending: str = "") -> Path:
    """Return a path in a folder at which nothing is: ``name composed``, ``name composed 2`` ..."""
    safe = "".join("_" if sign in '<>:"/\\|?*' else sign for sign in name).strip(" .") or "images"
    number = 1
    while True:
        path = folder / f"{safe} composed{f' {number}' if number > 1 else ''}{ending}"
        if not path.exists():
            return path
        number += 1
