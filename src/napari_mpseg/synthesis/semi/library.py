"""A library of cutouts: a plain folder of pictures that can be looked at, thinned out and used again."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError, StoreError
from napari_mpseg.files import finished_at
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.synthesis.semi.cutouts import Cutout

RECORD = "cutouts.json"
_VERSION = 1


def save_cutouts(
    cutouts: Sequence[Cutout],
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Path:
    """Write cutouts as a folder: one picture each, and ``cutouts.json``, which says where each is from.

    Pictures are PNG with the particle as what is not transparent (grey or RGB of 8 bits), else NPZ. A picture that is
    deleted is no cutout any more.

    Raises
    ------
    StoreError
        If the folder is there already or cannot be written.
    """
    target = Path(folder)
    with finished_at(target, overwrite=overwrite) as part:
        part.mkdir()
        entries = []
        for number, cutout in enumerate(cutouts, 1):
            if cancel is not None:
                cancel.check()
            name = _write(part, f"{number:05d}", cutout)
            entries.append({"file": name, "source": cutout.source, "area": cutout.area})
            on_progress(Progress("Writing cutouts", number, len(cutouts), "particles"))
        record = {"format": "napari-mpseg cutouts", "version": _VERSION, "cutouts": entries}
        (part / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    return target


def load_cutouts(folder: str | os.PathLike[str]) -> list[Cutout]:
    """Read the cutouts of a folder that :func:`save_cutouts` wrote, in the order of the files' names.

    Raises
    ------
    ImageError
        If there is none, or one is damaged.
    """
    root = Path(folder)
    files = sorted(path for path in root.glob("*") if path.suffix in (".png", ".npz") and not path.name.startswith("."))
    if not files:
        raise ImageError(f"{root} holds no cutouts. Give a folder that was written as a library of cutouts.")
    sources = _sources(root / RECORD)
    return [_read(path, sources.get(path.name, path.stem)) for path in files]


def is_library(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder holds cutouts rather than labelled images."""
    return (Path(folder) / RECORD).is_file()


def _write(folder: Path, name: str, cutout: Cutout) -> str:
    if cutout.pixels.dtype != np.uint8 or cutout.channels not in (1, 3):
        np.savez_compressed(folder / f"{name}.npz", pixels=cutout.pixels, alpha=cutout.alpha)
        return f"{name}.npz"
    import PIL.Image

    alpha = np.rint(cutout.alpha * 255).astype(np.uint8)[..., None]
    picture = PIL.Image.fromarray(np.concatenate([cutout.pixels, alpha], 2))
    picture.save(folder / f"{name}.png")
    return f"{name}.png"


def _read(path: Path, source: str) -> Cutout:
    try:
        pixels, alpha = _picture(path) if path.suffix == ".png" else _arrays(path)
    except Exception as error:  # readers raise what they like on damaged files
        raise ImageError(
            f"{path} is not a readable cutout ({error}). Delete it, or cut particles out again."
        ) from error
    fits = pixels.ndim == 3 and pixels.shape[:2] == alpha.shape and bool((alpha >= 0.5).any())
    if not fits:
        raise ImageError(f"{path} holds no particle. Delete it, or cut particles out again.")
    return Cutout(pixels, alpha, source)


def _picture(path: Path) -> tuple[Any, Any]:
    import PIL.Image

    with PIL.Image.open(path) as picture:
        if picture.mode not in ("LA", "RGBA"):
            raise ValueError("nothing in it is transparent")
        values = np.asarray(picture)
    return values[..., :-1].copy(), (values[..., -1] / np.float32(255)).astype(np.float32)


def _arrays(path: Path) -> tuple[Any, Any]:
    with np.load(path, allow_pickle=False) as file:
        return file["pixels"], np.asarray(file["alpha"], np.float32)


def _sources(path: Path) -> dict[str, str]:
    """Return where each file is from; what cannot be read tells nothing."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["cutouts"]
        return {str(entry["file"]): str(entry["source"]) for entry in entries}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({error}). Delete it: only where cutouts are from is lost.") from error
