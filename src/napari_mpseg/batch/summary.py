"""The table with a row per image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_mpseg.batch.intervals import poisson_interval
from napari_mpseg.batch.metadata import Metadata
from napari_mpseg.batch.outcome import ImageOutcome
from napari_mpseg.reports.summary import ALL, ImageSummary

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = ("particles", "not_kept", "width_px", "height_px")
_ONLY_IF_GIVEN = ("filter_area_mm2", "imaged_area_mm2")


@dataclass(frozen=True)
class SummedImage:
    """One image of a batch with all that is told of it.

    Attributes
    ----------
    outcome : ImageOutcome
    metadata : Metadata
    settings : str
        Digest of the settings it was made with.
    summary : ImageSummary or None
        None where there are no results.
    """

    outcome: ImageOutcome
    metadata: Metadata
    settings: str = ""
    summary: ImageSummary | None = None

    @property
    def counts(self) -> dict[str, int] | None:
        """Particles that were kept, by size class, with ``"all"``."""
        if self.summary is None:
            return None
        return _counted(self.summary.counts.loc[ALL])


def images_frame(images: Sequence[SummedImage]) -> "pd.DataFrame":
    """Return one row per image: what it is of, what became of it, counts, density, cover.

    Columns are in the order of docs/batch.md; those of size classes begin with ``size_``, of classes with ``class_``.
    """
    import pandas as pd

    rows = [_row(image) for image in images]
    parts = list(dict.fromkeys(part for row in rows for part in row))
    columns = [name for part in parts for name in dict.fromkeys(name for row in rows for name in row.get(part, ()))]
    frame = pd.DataFrame([{k: v for part in row.values() for k, v in part.items()} for row in rows], columns=columns)
    for name in _ONLY_IF_GIVEN:
        if frame[name].isna().all():
            del frame[name]
    counted = [name for row in rows for part in ("sizes", "classes") for name in row[part]]
    classes = list(dict.fromkeys(name for row in rows for name in row["classes"]))
    sorted_by_class = [bool(row["classes"]) or row["counts"]["particles"] == 0 for row in rows]
    frame.loc[sorted_by_class, classes] = frame.loc[sorted_by_class, classes].fillna(0)
    return frame.astype(dict.fromkeys((*_WHOLE, *counted), "Int64"))


def _row(image: SummedImage) -> dict[str, dict[str, Any]]:
    """Return the parts of a row, in their order; each may have other columns in other rows."""
    outcome, about = image.outcome, image.metadata
    row: dict[str, dict[str, Any]] = {
        "of": {
            "image": outcome.name,
            "file": str(outcome.path),
            "sample": about.sample,
            "replicate": about.replicate,
            "blank": "yes" if about.is_blank else "no",
            "volume_l": about.volume_l,
            "filter_area_mm2": about.filter_area_mm2,
            "imaged_area_mm2": about.imaged_area_mm2,
        },
        "given": {},
        "became": {"status": outcome.status, "message": outcome.message},
        **_counts(image.summary),
        "last": {"seconds": outcome.seconds, "settings": image.settings},
    }
    taken = {name for part in row.values() for name in part}
    row["given"] = {f"{name}_given" if name in taken else name: value for name, value in about.more.items()}
    return row


def _counts(summary: ImageSummary | None) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {
        "counts": dict.fromkeys(("particles", "particles_low", "particles_high", "not_kept")),
        "spread": {},
        "sizes": {},
        "classes": {},
        "image": dict.fromkeys(("width_px", "height_px", "pixel_width", "pixel_height", "pixel_unit")),
    }
    if summary is None:
        return parts
    low, high = poisson_interval(summary.count)
    height, width = summary.shape or (None, None)
    pixel = summary.calibration.pixel_size if summary.calibration.calibrated else (None, None)
    unit = summary.calibration.unit if summary.calibration.calibrated else None
    counts = (summary.count, low, high, summary.rejected)
    parts["counts"] = dict(zip(parts["counts"], counts, strict=True))
    parts["spread"] = {f"particles_per_{summary.density_unit}": summary.density, "area_percent": summary.covered}
    sizes, classes = _counted(summary.counts.loc[ALL]), _counted(summary.counts[ALL])
    parts["sizes"] = {f"size_{name}": count for name, count in sizes.items() if name != ALL}
    parts["classes"] = {f"class_{name}": count for name, count in classes.items() if name != ALL}
    parts["image"] = dict(zip(parts["image"], (width, height, pixel[1], pixel[0], unit), strict=True))
    return parts


def _counted(series: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in series.items()}
