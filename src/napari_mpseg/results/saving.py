"""Write a result into a folder: store, tables, overlay picture, run record."""

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.errors import StoreError
from napari_mpseg.files import finished_at

if TYPE_CHECKING:
    from napari_mpseg.results.result import Result

ENDINGS = {
    "store": ".ome.zarr",
    "csv": "_particles.csv",
    "parquet": "_particles.parquet",
    "overlay": "_overlay.png",
    "record": "_run.json",
}


def result_paths(folder: Path, name: str) -> dict[str, Path]:
    """Return where each part of the result of image `name` lies in `folder`."""
    stem = re.sub(r'[\\/:*?"<>|\s]+', "_", name).strip("._") or "image"
    return {part: folder / f"{stem}{ending}" for part, ending in ENDINGS.items()}


def refuse_existing(paths: dict[str, Path]) -> None:
    """Raise StoreError if any of the files is there."""
    there = [path.name for path in paths.values() if path.exists()]
    if there:
        raise StoreError(
            f"{paths['csv'].parent} already holds results: {', '.join(there)}. "
            "Choose another folder, or ask to overwrite (--overwrite)."
        )


def save_result(result: "Result", folder: Path, *, overwrite: bool = False) -> dict[str, Path]:
    """Write all parts of `result`; see :meth:`Result.save`."""
    paths = result_paths(folder, result.image.name)
    if result.store == paths["store"]:
        others = {part: path for part, path in paths.items() if part != "store"}
    else:
        others = paths
    if not overwrite:
        refuse_existing(others)
    if "store" in others:
        _copy_store(result, paths["store"])
    if result.particles is not None:
        result.particles.to_csv(paths["csv"])
        result.particles.to_parquet(paths["parquet"])
    else:
        del paths["csv"], paths["parquet"]
    from napari_mpseg.results.overlay import overlay_picture

    with finished_at(paths["overlay"]) as part:
        overlay_picture(result).save(part, format="PNG")
    with finished_at(paths["record"]) as part:
        part.write_text(
            json.dumps(result.provenance, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8"
        )
    return paths


def _copy_store(result: "Result", target: Path) -> None:
    source = Path(str(result.labels.store.root))
    with finished_at(target) as part:
        shutil.copytree(source, part)
