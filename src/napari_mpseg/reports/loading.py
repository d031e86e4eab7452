"""Find measured particles: results of ``segment`` and ``measure``, reviewed labels with their table, tables alone."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, MpsegError, SettingsError, StoreError
from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.images.image import Image
from napari_mpseg.inference.store import LABELS_GROUP
from napari_mpseg.particles.classes.columns import LENGTH_UNITS
from napari_mpseg.particles.pixel_size import pixel_size_in
from napari_mpseg.particles.review.audit import KEY, AuditRecord, audit_of
from napari_mpseg.reports.item import ReportItem
from napari_mpseg.results.labels_file import is_labels_store, open_labels
from napari_mpseg.results.labels_table import newest_first, read_table, table_inside
from napari_mpseg.results.labels_tiff import is_labels_tiff
from napari_mpseg.results.review_record import read_review
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
        What lies beside it: ``"store"`` of a result, ``"labels"`` alone, ``"overlay"``, ``"record"`` of the run, and
        the older ``"parquet"`` of a table that was edited as CSV.
    """

    name: str
    table: Path
    beside: Mapping[str, Path]

    def labels(self) -> Image | None:
        """Return the labels, lazily, or None where neither a result store nor labels alone are beside the table."""
        labels = self.beside.get("labels") or self.beside.get("store")
        return open_labels(labels) if labels is not None else None

    def audit(self) -> AuditRecord:
        """Return what a reviewer changed, as kept with the labels; empty where nothing is known of."""
        labels = self.beside.get("labels")
        return audit_of({KEY: read_review(labels)}) if labels is not None else AuditRecord()

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
        record = self._record()
        table = read_table(self.table)
        provenance = record or dict(table.provenance) or self._measured()
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

    def _measured(self) -> dict[str, Any]:
        """Return how the particles were measured, which CSV does not tell, but the Parquet written with it."""
        try:
            return dict(read_table(self.beside["parquet"]).provenance)
        except (KeyError, StoreError):
            return {}

    def _stored_shape(self) -> tuple[int, int] | None:
        try:
            labels = self.labels()
        except ImageError:  # labels of several planes; whoever needs them says so
            return None
        return labels.shape if labels is not None else None

    def _picture(self) -> Any:
        from PIL import Image as Pictures

        try:
            with Pictures.open(self.beside["overlay"]) as picture:
                return picture.convert("RGB")
        except (KeyError, OSError):
            return None


def measured_files(path: str | os.PathLike[str]) -> list[MeasuredFiles]:
    """Find the measured images of a folder, a store, labels or a table.

    Parameters
    ----------
    path : path-like
        A folder that ``segment`` or ``measure`` wrote into, ``NAME.ome.zarr`` in one, reviewed labels as napari saved
        them (OME-Zarr with the table inside, OME-TIFF with it beside), or a table (CSV or Parquet).

    Returns
    -------
    list of MeasuredFiles
        By name. Of several tables of one image the newest, since somebody may have edited it; of equally new ones
        the Parquet file, which knows its units and pixel size.

    Raises
    ------
    StoreError
        If there is no such file, or no table.
    """
    path = Path(path)
    if not path.exists():
        raise StoreError(f"{path} is not there. Give a folder with results, or a table (CSV or Parquet).")
    if path.is_file():
        return [_of_tiff(path) if is_labels_tiff(path) else _of_table(path)]
    if path.name.endswith(ENDINGS["store"]) or is_labels_store(path):
        folder, stems = path.absolute().parent, [labels_stem(path.absolute())]
    else:
        folder = path
        names = [each.name.removesuffix(ENDINGS[kind]) for kind in TABLES for each in path.glob(f"*{ENDINGS[kind]}")]
        names += [labels_stem(store) for store in path.glob(f"*{ENDINGS['store']}") if _table_in(store)]
        stems = sorted(set(names))
    found = [_found(folder, stem) for stem in stems]
    if not found:
        raise StoreError(
            f"{path} holds no table of particles (NAME{ENDINGS['csv']}). Make one with `napari-mpseg segment` or "
            "`napari-mpseg measure`, or give the table itself."
        )
    return found


def tables_of(labels: Path) -> list[Path]:
    """Return the tables that belong to labels by their place: inside the store, or beside under its name; newest first.

    Parameters
    ----------
    labels : Path
        Store, or file, of labels.
    """
    stem = labels_stem(labels.absolute())
    tables = [labels.absolute().with_name(f"{stem}{ENDINGS[kind]}") for kind in TABLES]
    if labels.is_file():
        tables += _tables_of_tiff(labels)
    return newest_first([*tables, *_table_in(labels)])


def _table_in(store: Path) -> list[Path]:
    """Return the table in a store of labels alone, if it has one."""
    return [table_inside(store)] if is_labels_store(store) and table_inside(store).is_file() else []


def _tables_of_tiff(path: Path) -> list[Path]:
    return [path.with_suffix(".csv"), path.with_suffix(".parquet")]


def _of_tiff(path: Path) -> MeasuredFiles:
    tables = tables_of(path)
    if not tables:
        raise StoreError(f"There is no table beside the labels {path}. Measure them: napari-mpseg measure {path}")
    return MeasuredFiles(labels_stem(path), tables[0], {"labels": path} | _older(tables))


def _of_table(path: Path) -> MeasuredFiles:
    labels = next((tiff for tiff in map(path.with_suffix, (".tif", ".tiff")) if is_labels_tiff(tiff)), None)
    beside = {} if labels is None else {"labels": labels}
    stem = next((path.name.removesuffix(ENDINGS[k]) for k in TABLES if path.name.endswith(ENDINGS[k])), None)
    if stem is None:
        return MeasuredFiles(path.stem, path, beside)
    found = _found(path.parent, stem, path)
    return replace(found, beside={**found.beside, **beside})


def _found(folder: Path, stem: str, table: Path | None = None) -> MeasuredFiles:
    paths = {part: folder / f"{stem}{ending}" for part, ending in ENDINGS.items()}
    store = paths["store"]
    if not store.exists() and is_labels_store(folder / f"{stem}.zarr"):
        store = folder / f"{stem}.zarr"
    there = newest_first([*(paths[kind] for kind in TABLES), *_table_in(store)])
    if table is None and not there:
        raise StoreError(
            f"There is no table {paths['csv'].name} beside {stem}. Measure it with `napari-mpseg measure`."
        )
    beside = {part: paths[part] for part in ("overlay", "record") if paths[part].exists()}
    if is_labels_store(store):
        beside["labels"] = store
    elif (store / LABELS_GROUP).is_dir():
        beside["store"] = store
    return MeasuredFiles(stem, table or there[0], beside | _older([table] if table else there))


def _older(tables: Sequence[Path]) -> dict[str, Path]:
    """Return the Parquet table beside a CSV table that is newer."""
    parquet = tables[0].with_suffix(".parquet")
    return {"parquet": parquet} if tables[0].suffix.lower() == ".csv" and parquet.is_file() else {}


def _shape(inputs: Mapping[str, Any]) -> tuple[int, int] | None:
    shape = inputs.get("shape")
    if not isinstance(shape, (list, tuple)) or len(shape) < 2:
        return None
    return int(shape[0]), int(shape[1])


def _calibrated(
    table: "ParticleTable", given: Calibration | None, recorded: Any
) -> tuple["ParticleTable", tuple[str, ...]]:
    """Return the table with its pixel size, and a note where it stays in pixels although somebody knows more."""
    own = table.calibration
    if own.calibrated:
        if given is not None and not own.same_size(given):
            raise SettingsError(
                f"The table was measured with {own}, not with {given}. "
                "Leave the pixel size out, or measure again with it."
            )
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
