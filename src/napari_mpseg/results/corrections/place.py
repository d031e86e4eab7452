"""Labels on disk that can be corrected: the labels of a result store, or a store of labels alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_mpseg.errors import StoreError
from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.inference.store import LABELS_GROUP
from napari_mpseg.particles.review.audit import KEY
from napari_mpseg.pyramids import stored_levels
from napari_mpseg.results.labels_file import is_labels_store
from napari_mpseg.results.labels_table import newest_first, table_inside
from napari_mpseg.results.recorded_image import recorded_image
from napari_mpseg.results.result_store import read_record
from napari_mpseg.results.saving import ENDINGS, TABLES


@dataclass(frozen=True)
class LabelsPlace:
    """Where labels, their table and their corrections lie.

    Attributes
    ----------
    store : Path
        The zarr folder.
    group : str
        Of the labels in it; empty for a store of labels alone.
    """

    store: Path
    group: str = ""

    @property
    def folder(self) -> Path:
        """Where corrections are kept, to be taken back or finished."""
        return self.store.with_name(f"{labels_stem(self.store)}_corrections")

    @property
    def tables(self) -> list[Path]:
        """The tables that are there, the newest first."""
        stem = labels_stem(self.store)
        beside = [self.store.with_name(f"{stem}{ENDINGS[kind]}") for kind in TABLES] if self.group else []
        return newest_first([*beside, *([] if self.group else [table_inside(self.store)])])

    def levels(self, *, write: bool = False) -> list[Any]:
        """Return the labels and their reductions, largest first.

        Raises
        ------
        StoreError
            If they cannot be opened, or not be written.
        """
        import zarr
        from zarr.storage import LocalStore

        mode: Any = "r+" if write else "r"
        try:
            first = zarr.open_group(LocalStore(self.store), path=self.group, mode=mode)["0"]
            levels = stored_levels(first)
            names = [level.path for level in levels]
            root = zarr.open_group(LocalStore(self.store), mode=mode)
            return [root[name] for name in names]
        except (OSError, KeyError, ValueError) as error:
            raise StoreError(f"The labels in {self.store} cannot be opened: {error}.") from error

    def probability(self) -> Any:
        """Return the probability that the labels were made from, or None."""
        import zarr

        if not self.group:
            return None
        try:
            return zarr.open_group(str(self.store), mode="r")["0"]
        except (OSError, KeyError, ValueError):
            return None

    def record(self) -> Mapping[str, Any]:
        """Return the record of the run that made the labels; empty where nobody knows."""
        if self.group:
            return read_record(self.store) or {}
        provenance = self.kept().get("provenance")
        return provenance if isinstance(provenance, Mapping) else {}

    def image(self) -> Any:
        """Return the image that the labels were made from, or None where it is not there any more."""
        return recorded_image(self.record())

    def kept(self) -> dict[str, Any]:
        """Return what this package keeps with the labels: the record of the review among it."""
        about = dict(self._group("r").attrs).get(KEY)
        return dict(about) if isinstance(about, Mapping) else {}

    def keep(self, about: Mapping[str, Any]) -> None:
        """Put something else in the place of :meth:`kept`."""
        self._group("r+").attrs[KEY] = dict(about)

    def _group(self, mode: Any) -> Any:
        import zarr
        from zarr.storage import LocalStore

        return zarr.open_group(LocalStore(self.store), path=self.group, mode=mode)


def place_in(path: str | os.PathLike[str]) -> LabelsPlace | None:
    """Return where the labels lie in a result store or a store of labels; None if it is neither."""
    path = Path(path).absolute()
    if is_labels_store(path):
        return LabelsPlace(path)
    return LabelsPlace(path, LABELS_GROUP) if (path / LABELS_GROUP).is_dir() else None


def place_of(array: Any) -> LabelsPlace | None:
    """Return where an array lies, if it is the full resolution of such labels; None for any other array."""
    root = getattr(getattr(array, "store", None), "root", None)
    if root is None or not isinstance(root, Path):
        return None
    place = place_in(root)
    path = str(getattr(array, "path", ""))
    return place if place is not None and path == f"{place.group}/0".lstrip("/") else None
