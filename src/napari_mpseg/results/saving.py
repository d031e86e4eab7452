"""Write a result into a folder: store, tables, overlay picture, run record; all of them or none."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import StoreError
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.files import file_digest, finished_together
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.results.result_store import read_record

if TYPE_CHECKING:
    from napari_mpseg.results.result import Result

ENDINGS = {
    "store": ".ome.zarr",
    "csv": "_particles.csv",
    "parquet": "_particles.parquet",
    "macro": "_macro-counts.csv",
    "corrections": "_corrections",  # of labels that were there before: never written by a run, only taken away
    "overlay": "_overlay.png",
    "record": "_run.json",  # the last to be put in its place: where it is, the results are complete
}
TABLES = ("csv", "parquet")
OPTIONAL = (*TABLES, "macro", "corrections")


def result_paths(folder: Path, name: str) -> dict[str, Path]:
    """Return where each part of the result of image `name` lies in `folder`."""
    stem = file_stem(name)
    return {part: folder / f"{stem}{ending}" for part, ending in ENDINGS.items()}


def check_places(paths: Mapping[str, Path], *, source: str | None = None, overwrite: bool = False) -> None:
    """Refuse places where something of the user's would be lost.

    Parameters
    ----------
    paths : mapping
        Of :func:`result_paths`, or some of them.
    source : str, optional
        The file the image comes from.
    overwrite : bool
        Whether earlier results may be replaced. The image itself, or a store that is no result, never is.

    Raises
    ------
    StoreError
        Says what is there.
    """
    folder = next(iter(paths.values())).parent
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file, and results need a folder. Choose another name for it.")
    store = paths.get("store")
    if store is not None and source is not None and _same(store, Path(source)):
        raise StoreError(f"The results would replace the image {source} itself. Choose another folder for them.")
    there = [path for path in paths.values() if os.path.lexists(path)]
    if there and not overwrite:
        raise StoreError(
            f"{folder} already holds results{_made_from(paths)}: {', '.join(path.name for path in there)}. "
            "Choose another folder, or ask to overwrite (--overwrite)."
        )
    if store is not None and os.path.lexists(store) and read_record(store) is None:
        raise StoreError(f"{store} is no result of napari-mpseg, so it is not replaced. Choose another folder.")


@contextmanager
def places_for(paths: Mapping[str, Path], *, overwrite: bool = False) -> Iterator[dict[str, Path]]:
    """Give temporary paths for all parts of a result, which are put in their places if the block ends well."""
    with finished_together(paths, overwrite=overwrite, optional=OPTIONAL) as parts:
        yield parts


def save_result(result: "Result", folder: Path, *, overwrite: bool = False) -> dict[str, Path]:
    """Write all parts of `result`; see :meth:`Result.save`."""
    paths = result_paths(folder, result.image.name)
    kept = {}
    if result.store is not None and _same(result.store, paths["store"]):
        kept = {"store": paths.pop("store")}
    check_places(paths, source=result.image.source, overwrite=overwrite)
    with places_for(paths, overwrite=overwrite) as parts:
        if "store" in parts:
            _copy_store(result, parts["store"])
        write_files(result, parts)
    return {part: path for part, path in {**kept, **paths}.items() if path.exists()}


def write_files(
    result: "Result",
    paths: Mapping[str, Path],
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
    seen: Any = None,
) -> None:
    """Write everything but the store to the given paths; the tables only if the particles were measured.

    `seen` is the image averaged down for the overlay, if it is there already.
    """
    from napari_mpseg.results.overlay import overlay_picture

    if result.particles is not None:
        result.particles.to_csv(paths["csv"])
        result.particles.to_parquet(paths["parquet"])
    if result.macro_counts is not None:
        result.macro_counts.to_csv(paths["macro"], index=False)
    picture = overlay_picture(result, seen=seen, on_progress=on_progress, cancel=cancel)
    picture.save(paths["overlay"], format="PNG", compress_level=2)
    files = {
        f"{file_stem(result.image.name)}{ENDINGS[part]}": file_digest(paths[part])
        for part in (*TABLES, "macro", "overlay")
        if paths[part].exists()
    }
    record: dict[str, Any] = {
        **result.provenance,
        "particles": result.count,
        "notes": list(result.notes),
        "sha256": files,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
    paths["record"].write_text(text + "\n", encoding="utf-8")


def _copy_store(result: "Result", target: Path) -> None:
    source = Path(str(result.labels.store.root))
    if not source.is_dir():
        raise StoreError(f"The result store {source} is not there any more, so it cannot be saved. Segment again.")
    try:
        shutil.copytree(source, target)
    except shutil.Error as error:  # one entry per file that could not be copied: the first tells enough
        raise OSError(error.args[0][0][2]) from error


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return one.absolute() == other.absolute()


def _made_from(paths: Mapping[str, Path]) -> str:
    record = read_record(paths["store"]) if "store" in paths else None
    source = dict(record.get("inputs") or {}).get("source") if record else None
    return f" of {source}" if source else ""
