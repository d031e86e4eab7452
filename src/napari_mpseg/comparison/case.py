"""One method on one image: what came of it, kept in a file so that a stopped comparison goes on."""

import glob
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.comparison.crops import Windows
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.files import finished_together

CASES = "cases"


@dataclass(frozen=True)
class Case:
    """What a method gave on an image.

    Attributes
    ----------
    method : str
        Heading of the row.
    image : str
        Name of the picture.
    evidence : Evidence
    pixels : int
        Of the image.
    seconds : float or None
        Wall time of segmenting; None for labels that were there already.
    load_seconds : float
        Before that: loading the method, where it was not loaded yet.
    peak : int or None
        Bytes above those at the start, if known.
    threshold : float or None
        Operating point of a method that gives probabilities.
    notes, warnings : tuple of str
        What the method says, and what speaks against trusting its figures.
    seen : bool
        Whether the method learnt from the image.
    settings : mapping
        What the labels were made with.
    windows : ndarray
        ``(K, 4)``; see :mod:`napari_mpseg.comparison.crops`.
    crops : tuple of ndarray
        K times ``(height, width)``.
    """

    method: str
    image: str
    evidence: Evidence
    pixels: int
    seconds: float | None = None
    load_seconds: float = 0.0
    peak: int | None = None
    threshold: float | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seen: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    windows: Windows = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    crops: tuple[NDArray[np.uint8], ...] = ()

    def save(self, out: Path) -> None:
        """Write the case; where its JSON file is, it is complete."""
        record = {
            "method": self.method,
            "image": self.image,
            "pixels": self.pixels,
            "seconds": self.seconds,
            "load_seconds": self.load_seconds,
            "peak_bytes": self.peak,
            "threshold": self.threshold,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "seen": self.seen,
            "settings": dict(self.settings),
            "evidence": self.evidence.to_dict(),
        }
        with finished_together(_places(out, self.method, self.image), overwrite=True) as parts:
            with parts["crops"].open("wb") as file:
                np.savez_compressed(file, self.windows, *self.crops)
            text = json.dumps(record, ensure_ascii=False, default=str)
            parts["case"].write_text(text + "\n", encoding="utf-8")


def load_case(out: Path, method: str, image: str) -> Case | None:
    """Return a finished case, or None if it is not there or was damaged: then it is run again."""
    places = _places(out, method, image)
    try:
        record = json.loads(places["case"].read_text(encoding="utf-8"))
        with np.load(places["crops"], allow_pickle=False) as kept:
            windows, *crops = (kept[f"arr_{number}"] for number in range(len(kept.files)))
        if (record["method"], record["image"]) != (method, image):
            return None
        return Case(
            method,
            image,
            Evidence.from_dict(record["evidence"]),
            int(record["pixels"]),
            record["seconds"],
            float(record["load_seconds"]),
            record["peak_bytes"],
            record["threshold"],
            tuple(record["notes"]),
            tuple(record["warnings"]),
            bool(record["seen"]),
            record["settings"],
            windows,
            tuple(crops),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def has_case(out: Path, method: str = "*", image: str = "*") -> bool:
    """Tell whether a comparison's folder holds a finished case of a row, of an image, or of both."""
    folder, stem = (one if one == "*" else glob.escape(file_stem(one)) for one in (method, image))
    return next((out / CASES).glob(f"{folder}/{stem}.json"), None) is not None


def _places(out: Path, method: str, image: str) -> dict[str, Path]:
    folder = out / CASES / file_stem(method)
    stem = file_stem(image)
    return {"crops": folder / f"{stem}.npz", "case": folder / f"{stem}.json"}
