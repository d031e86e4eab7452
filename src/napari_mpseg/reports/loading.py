"""Find measured particles: results of ``segment`` and ``measure``, and tables alone."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import MpsegError, StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.inference.store import LABELS_GROUP
from napari_mpseg.particles.classes.columns import LENGTH_UNITS
from napari_mpseg.reports.item import ReportItem
from napari_mpseg.particles.pixel_size import pixel_size_in
from napari_mpseg.results.labels_file import open_labels
from napari_mpseg.results.saving import ENDINGS, TABLES
from napari_mpseg.settings import from_dict

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable


@dataclass(frozen=True)
class MeasuredFiles:
    """The files of one measured image.

    Attributes
    ----------
    name : str
        Of the image.
    table : Path
        Its particle table.
    beside : mapping of str to Path
        What lies beside it: ``"store"``, ``"overlay"``, ``"record"``.
    """

    name: str
    table: Path
    beside: Mapping[str, Path]

    def labels(self) -> Image | None:
        """Return the labels of the result store, lazily, or None where there is no store."""
        store = self.beside.get("store")
        return open_labels(store) if store is not None and (store / LABELS_GROUP).is_dir() else None

    def item(self, *, shape: tuple[int, int] | None = None, calibration: Calibration | None = None) -> ReportItem:
        """Read the table and what lies beside it.

        Parameters
        ----------
        shape : tuple of int, optional
            Height and width of the image; default what is on record.
        calibration : Calibration, optional
            Pixel size, where the table does not tell it.

        Raises
        ------
        StoreError
            If the table cannot be read.
        """
        from napari_mpseg.particles.table import ParticleTable

        record = self._record()
        table = ParticleTable.read(self.table)
        provenance = record or dict(table.provenance)
        inputs = dict(provenance.get("inputs") or {})
        table, notes = _calibrated(table, calibration, inputs.get("calibration"))
        return ReportItem(
            str(inputs.get("name") or self.name),
            table,
            shape or _shape(inputs) or self._stored_shape(),
            self._picture(),
            provenance,
            (*map(str, record.get("notes") or ()), *notes),
        )

    def _record(self) -> dict[str, Any]:
        try:
            record = json.loads(self.beside["record"].read_text(encoding="utf-8"))
        except (KeyError, OSError, ValueError):  # the table itself may know
            return {}
        return record if isinstance(record, dict) else {}

    def _stored_shape(self) -> tuple[int, int] | None:
        labels = self.labels()
        return labels.shape if labels is not None else None

    def _picture(self) -> Any:
        from PIL import Image as Pictures

        try:
            with Pictures.open(self.beside["overlay"]) as picture:
                return picture.convert("RGB")
        except (KeyError, OSError):
            return None


def measured_files(path: str | os.PathLike[str]) -> list[MeasuredFiles]:
    """Find the measured images of a folder, a result store or a table.

    Parameters
    ----------
    path : path-like
        A folder that ``segment`` or ``measure`` wrote into, ``NAME.ome.zarr`` in one, or a table (CSV or Parquet).

    Returns
    -------
    list of MeasuredFiles
        By name; of a table in both forms the Parquet file, which knows its units and pixel size.

    Raises
    ------
    StoreError
        If there is no such file, or no table.
    """
    path = Path(path)
    if not path.exists():
        raise StoreError(f"{path} is not there. Give a folder with results, or a table (CSV or Parquet).")
    if path.is_file():
        stem = next((path.name.removesuffix(ENDINGS[k]) for k in TABLES if path.name.endswith(ENDINGS[k])), None)
        return [_found(path.parent, stem, path) if stem else MeasuredFiles(path.stem, path, {})]
    if path.name.endswith(ENDINGS["store"]):
        folder, stems = path.absolute().parent, [path.absolute().name.removesuffix(ENDINGS["store"])]
    else:
        folder = path
        stems = sorted(
            {each.name.removesuffix(ENDINGS[kind]) for kind in TABLES for each in path.glob(f"*{ENDINGS[kind]}")}
        )
    found = [_found(folder, stem) for stem in stems]
    if not found:
        raise StoreError(
            f"{path} holds no table of particles (NAME{ENDINGS['csv']}). Make one with `napari-mpseg segment` or "
            "`napari-mpseg measure`, or give the table itself."
        )
    return found


def _found(folder: Path, stem: str, table: Path | None = None) -> MeasuredFiles:
    paths = {part: folder / f"{stem}{ending}" for part, ending in ENDINGS.items()}
    there = [paths[kind] for kind in reversed(TABLES) if paths[kind].is_file()]
    if table is None and not there:
        raise StoreError(
            f"There is no table {paths['csv'].name} beside {stem}. Measure it with `napari-mpseg measure`."
        )
    beside = {part: paths[part] for part in ("store", "overlay", "record") if paths[part].exists()}
    return MeasuredFiles(stem, table or there[0], beside)


def _shape(inputs: Mapping[str, Any]) -> tuple[int, int] | None:
    shape = inputs.get("shape")
    if not isinstance(shape, (list, tuple)) or len(shape) < 2:
        return None
    return int(shape[0]), int(shape[1])


def _calibrated(
    table: "ParticleTable", given: Calibration | None, recorded: Any
) -> tuple["ParticleTable", tuple[str, ...]]:
    """Return the table with its pixel size, and a note where it stays in pixels although somebody knows more."""
    if table.calibration.calibrated:
        return table, ()
    calibration = pixel_size_in(table.frame) or given or _recorded(recorded)
    if calibration is None or not calibration.calibrated:
        return table, ()
    if not any(unit.removesuffix("2") in LENGTH_UNITS for unit in table.units.values()):
        return table, ("The table was measured without a pixel size. Measure again with one to see lengths in a unit.",)
    return replace(table, calibration=calibration), ()


def _recorded(values: Any) -> Calibration | None:
    try:
        return from_dict(Calibration, values) if isinstance(values, Mapping) else None
    except MpsegError:  # of another version
        return None
