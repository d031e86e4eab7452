"""An image's labels, to be written into a COCO file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class CocoSource:
    """One image's labels and what is known of its particles.

    Attributes
    ----------
    file_name : str
        Of the image, as COCO's ``file_name``.
    labels : array
        ``(Y, X)``, integer, 0 = background: numpy, dask or zarr.
    frame : pandas.DataFrame, optional
        Column ``label``, and where known ``class`` (becomes the category), ``confidence`` (becomes the score) and
        ``keep``. Labels that are not in it are not written. Without, all are.
    calibration : Calibration
        Pixel size, written into the image's entry.
    plane : int, optional
        Which plane of a stack this is.

    Raises
    ------
    ImageError
        If the frame has no column ``label``, or a label twice.
    """

    file_name: str
    labels: Any
    frame: "pd.DataFrame | None" = None
    calibration: Calibration = field(default_factory=Calibration)
    plane: int | None = None

    def __post_init__(self) -> None:
        if self.frame is None:
            return
        if "label" not in self.frame:
            raise ImageError(f"The table of {self.file_name} has no column 'label'.")
        if self.frame["label"].duplicated().any():
            twice = self.frame["label"][self.frame["label"].duplicated()].iloc[0]
            raise ImageError(f"The table of {self.file_name} has the label {twice} twice. Each particle needs its own.")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.labels.shape[0]), int(self.labels.shape[1])

    @property
    def wanted(self) -> NDArray[np.int64] | None:
        """Labels to be written, rising; None for all."""
        return None if self.frame is None else np.unique(self.frame["label"].to_numpy(np.int64))

    @property
    def classes(self) -> list[str]:
        """Names of all classes, those of the column's categories first even where no particle has them."""
        if self.frame is None or "class" not in self.frame:
            return []
        column = self.frame["class"].astype("category")
        return [str(name) for name in column.cat.categories]

    @cached_property
    def known(self) -> Mapping[int, Mapping[str, Any]]:
        """What is known of each label: ``class``, ``score`` and ``keep``, as far as it is."""
        if self.frame is None:
            return {}
        labels = self.frame["label"].tolist()
        found: dict[int, dict[str, Any]] = {int(label): {} for label in labels}
        read = {"class": ("class", str), "confidence": ("score", float), "keep": ("keep", bool)}
        for column, (key, kind) in read.items():
            if column not in self.frame:
                continue
            there = self.frame[column].notna().tolist()
            for label, value, has in zip(labels, self.frame[column].tolist(), there, strict=True):
                if has:
                    found[int(label)][key] = kind(value)
        return found
