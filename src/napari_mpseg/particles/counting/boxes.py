"""The boxes of a count: one row for each particle, found or drawn by hand."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.files import finished_at
from napari_mpseg.particles.counting.settings import CountSettings
from napari_mpseg.settings import from_dict, to_dict

FOUND, DRAWN = "found", "drawn"
CORNERS = ("y0", "x0", "y1", "x1")
COLUMNS = (
    *("number", *CORNERS, "area_px", "confidence", "confidence_max"),
    *("labels", "origin", "keep", "reviewed", "moved"),
)
"""Columns of every table of boxes, in their order."""

_INTEGERS = ("number", "area_px")
_FLAGS = ("keep", "reviewed", "moved")


@dataclass(frozen=True)
class CountedBoxes:
    """What was counted on one image.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per box, with :data:`COLUMNS`: its number; corners in pixels, ends not included; pixels that were
        particle before joining (0 of a drawn box); mean and largest probability of these (missing where there is none);
        the labels in it, a tuple; where it comes from, ``"found"`` or ``"drawn"``; whether it counts; whether somebody
        decided on it; whether somebody changed its corners.
    shape : tuple of int
        Height and width of the image.
    calibration : Calibration
        Pixel size.
    settings : CountSettings
        How it was counted.
    """

    frame: pd.DataFrame
    shape: tuple[int, int]
    calibration: Calibration = field(default_factory=Calibration)
    settings: CountSettings = field(default_factory=CountSettings)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def count(self) -> int:
        """Number of particles: boxes that are kept."""
        return int(self.frame["keep"].sum())

    @property
    def corners(self) -> "np.ndarray[Any, np.dtype[np.float64]]":
        """y0, x0, y1, x1 of each box, float64 ``(N, 4)``."""
        return self.frame[list(CORNERS)].to_numpy(np.float64)

    def kept(self) -> "CountedBoxes":
        """Return only the boxes that count."""
        return replace(self, frame=self.frame[self.frame["keep"]].reset_index(drop=True))

    def least_sure_first(self) -> "CountedBoxes":
        """Return the boxes in the order of a review: by rising confidence, those without any last."""
        # small ones are the doubtful ones where nothing else is known; missing confidence is sorted last
        doubt = self.frame["confidence" if self._has_confidence else "area_px"].to_numpy(np.float64)
        order = np.lexsort((doubt, self.frame["origin"].eq(DRAWN).to_numpy()))
        return replace(self, frame=self.frame.iloc[order])

    @property
    def _has_confidence(self) -> bool:
        return bool(self.frame["confidence"].notna().any())

    def with_drawn(self, corners: Iterable[Iterable[float]]) -> "CountedBoxes":
        """Return the boxes with more, drawn by hand: kept and reviewed, without pixels.

        Parameters
        ----------
        corners : iterable
            y0, x0, y1, x1 of each in pixels.

        Raises
        ------
        SettingsError
            If a box has no area.
        """
        new = np.asarray([list(map(float, box)) for box in corners], np.float64).reshape(-1, 4)
        if not (np.isfinite(new).all() and (new[:, 2:] > new[:, :2]).all()):
            raise SettingsError("A box needs y0 < y1 and x0 < x1. Draw it anew.")
        return self._with_rows(
            box_frame(np.zeros(len(new)), new, np.zeros(len(new), np.int64), origin=DRAWN, reviewed=True)
        )

    def with_drawn_of(self, earlier: "CountedBoxes") -> "CountedBoxes":
        """Return the boxes with those that were drawn by hand in an earlier count, and what was decided on them."""
        return self._with_rows(earlier.frame[earlier.frame["origin"] == DRAWN].copy())

    def _with_rows(self, rows: pd.DataFrame) -> "CountedBoxes":
        if not len(rows):
            return self
        start = int(self.frame["number"].max()) + 1 if len(self.frame) else 1
        rows["number"] = np.arange(start, start + len(rows))
        frame = pd.concat([self.frame, rows]) if len(self.frame) else rows
        return replace(self, frame=frame.reset_index(drop=True))

    def decided(self, keep: Mapping[int, bool], reviewed: Collection[int] = ()) -> "CountedBoxes":
        """Return the boxes with the decisions on their labels: a box is kept if one of its labels is.

        Parameters
        ----------
        keep : mapping of int to bool
            By label; those that are not in it are kept.
        reviewed : collection of int
            Labels that somebody decided on; a box is reviewed if all of its labels are.
        """
        known, labels = set(reviewed), self.frame["labels"].tolist()
        sizes = np.fromiter(map(len, labels), np.int64, len(labels))
        box = np.repeat(np.arange(len(labels)), sizes)
        every = [label for one in labels for label in one]
        kept = np.bincount(box[np.array([keep.get(label, True) for label in every], bool)], minlength=len(labels)) > 0
        unseen = np.bincount(box[np.array([label not in known for label in every], bool)], minlength=len(labels)) > 0
        mine, seen = self.frame["origin"].eq(FOUND).to_numpy() & (sizes > 0), ~unseen
        frame = self.frame.assign(
            keep=np.where(mine, kept, self.frame["keep"]).astype(bool),
            reviewed=np.where(mine, seen, self.frame["reviewed"]).astype(bool),
        )
        return replace(self, frame=frame)

    def table(self) -> pd.DataFrame:
        """Return the rows for a file: corners and area in the unit too, labels as text."""
        frame = self.frame.copy()
        frame["labels"] = [" ".join(map(str, labels)) for labels in frame["labels"]]
        if self.calibration.calibrated:
            height, width = self.calibration.pixel_size
            unit = self.calibration.unit
            place = list(frame.columns).index("y1") + 2
            for offset, name in enumerate(CORNERS):
                size = height if name.startswith("y") else width
                frame.insert(place + offset, f"{name}_{unit}", frame[name] * size)
            area = frame["area_px"] * height * width
            frame.insert(list(frame.columns).index("area_px") + 1, f"area_{self.calibration.area_suffix}", area)
        return frame.rename(columns={name: f"{name}_px" for name in CORNERS})

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write :meth:`table` as comma-separated text.

        Raises
        ------
        StoreError
            If the place cannot be written.
        """
        with finished_at(path) as part:
            self.table().to_csv(part, index=False, encoding="utf-8")
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        frame = self.frame
        columns: dict[str, list[Any]] = {name: frame[name].tolist() for name in (*_INTEGERS, *_FLAGS, "origin")}
        columns["labels"] = [list(labels) for labels in frame["labels"]]
        for name in CORNERS:
            columns[name] = [int(value) if float(value).is_integer() else float(value) for value in frame[name]]
        for name in ("confidence", "confidence_max"):
            columns[name] = [None if value != value else round(float(value), 6) for value in frame[name]]
        return {
            "shape": list(self.shape),
            "calibration": to_dict(self.calibration),
            "settings": to_dict(self.settings),
            "boxes": {name: columns[name] for name in COLUMNS},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CountedBoxes":
        """Return what :meth:`to_dict` gave.

        Raises
        ------
        SettingsError
            If it is something else.
        """
        try:
            columns = dict(values["boxes"])
            columns.setdefault("moved", [False] * len(columns["number"]))  # counts kept before this was noted
            height, width = (int(side) for side in values["shape"])
            frame = pd.DataFrame({name: list(columns[name]) for name in COLUMNS})
            frame["labels"] = [tuple(int(label) for label in labels) for labels in frame["labels"]]
            kinds = {**dict.fromkeys(_INTEGERS, "int64"), **dict.fromkeys(_FLAGS, "bool"), "origin": "object"}
            numbers = dict.fromkeys((*CORNERS, "confidence", "confidence_max"), "float64")
            frame = frame.astype({**kinds, **numbers})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SettingsError(f"These are no boxes of a count: {error!r}. Count again.") from error
        return cls(
            frame,
            (height, width),
            from_dict(Calibration, values["calibration"]),
            from_dict(CountSettings, values["settings"]),
        )


def box_frame(
    numbers: Any,
    corners: Any,
    areas: Any,
    *,
    confidence: Any = np.nan,
    confidence_max: Any = np.nan,
    labels: Any = None,
    origin: str = FOUND,
    keep: Any = True,
    reviewed: Any = False,
    moved: Any = False,
) -> pd.DataFrame:
    """Return a table with :data:`COLUMNS`; single values are those of all rows."""
    corners = np.asarray(corners, np.float64).reshape(-1, 4)
    frame = pd.DataFrame({"number": np.asarray(numbers, np.int64)})
    for place, name in enumerate(CORNERS):
        frame[name] = corners[:, place]
    frame["area_px"] = np.asarray(areas, np.int64)
    frame["confidence"] = np.broadcast_to(np.asarray(confidence, np.float64), len(frame))
    frame["confidence_max"] = np.broadcast_to(np.asarray(confidence_max, np.float64), len(frame))
    frame["labels"] = pd.Series([()] * len(frame) if labels is None else list(labels), dtype="object")
    frame["origin"] = pd.Series([origin] * len(frame), dtype="object")
    frame["keep"] = np.broadcast_to(np.asarray(keep, bool), len(frame))
    frame["reviewed"] = np.broadcast_to(np.asarray(reviewed, bool), len(frame))
    frame["moved"] = np.broadcast_to(np.asarray(moved, bool), len(frame))
    return frame[list(COLUMNS)]
