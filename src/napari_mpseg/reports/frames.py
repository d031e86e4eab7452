"""The figures of a report as tables for other programs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_mpseg.reports.summary import ALL, ImageSummary

if TYPE_CHECKING:
    import pandas as pd


def summary_frame(summaries: Sequence[ImageSummary]) -> "pd.DataFrame":
    """Return one row per image: counts, density, cover, mean and spread of each property, point pattern.

    A column is missing a value where an image has none, such as lengths in micrometres without a pixel size.
    """
    import pandas as pd

    frame = pd.DataFrame([_row(summary) for summary in summaries])
    whole = [name for name in frame.columns if name in ("width_px", "height_px") or name.startswith("class_")]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def counts_frame(summaries: Sequence[ImageSummary]) -> "pd.DataFrame":
    """Return one row per image, class and size class: columns ``image``, ``class``, ``size_class``, ``particles``.

    Sums are rows of class or size class ``"all"``.
    """
    import pandas as pd

    rows = [
        (summary.name, str(name), str(size), int(summary.counts.loc[name, size]))
        for summary in summaries
        for name in summary.counts.index
        for size in summary.counts.columns
    ]
    return pd.DataFrame(rows, columns=["image", "class", "size_class", "particles"])


def _row(summary: ImageSummary) -> dict[str, Any]:
    height, width = summary.shape or (None, None)
    pixel = summary.calibration.pixel_size if summary.calibration.calibrated else (None, None)
    row: dict[str, Any] = {
        "image": summary.name,
        "width_px": width,
        "height_px": height,
        "pixel_width": pixel[1],
        "pixel_height": pixel[0],
        "pixel_unit": summary.calibration.unit if summary.calibration.calibrated else None,
        "particles": summary.count,
        "not_kept": summary.rejected,
        f"particles_per_{summary.density_unit}": summary.density,
        "area_percent": summary.covered,
    }
    for name in summary.counts.index:
        if name != ALL:
            row[f"class_{name}"] = int(summary.counts.loc[name, ALL])
    for each in summary.averages:
        row[f"{each.column}_mean"], row[f"{each.column}_sd"] = each.mean, each.sd
        if each.alignment == each.alignment:
            row[f"{each.column}_alignment"] = each.alignment
        else:
            row[f"{each.column}_median"] = each.median
    for result in summary.pattern:
        values = result.to_frame().iloc[0].to_dict()
        row |= {f"{result.test}_{name}": value for name, value in values.items()}
    return row
