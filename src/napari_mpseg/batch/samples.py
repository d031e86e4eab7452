"""Counts per sample: replicates together, blanks subtracted, particles per litre.

What is counted together is a *filter*: all images of one sample and replicate are pieces of it. Per size class,

- on the filter = count times filter area / imaged area of all its images where both are given, of samples and blanks
  alike;
- corrected = max(0, on the filter - mean of that of the blanks), and that of all sizes is the sum over them;
- particles per litre = corrected / litres filtered;
- limit of detection = mean + 3 sd of the blanks, limit of quantification = mean + 10 sd, from three blanks on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from napari_mpseg.batch.filters import CountedImage, Filter, make_filters
from napari_mpseg.batch.intervals import BlankLevel, blank_level, poisson_interval, weighted_poisson_interval

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
"""The size class of all particles."""

_NAN = float("nan")
_WHOLE = ("replicates", "images", "count_total", "blanks")


@dataclass(frozen=True)
class SampleCounts:
    """Counts of all samples.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row per sample and size class, ``"all"`` first; the blanks last.
    notes : tuple of str
        What could not be counted as asked.
    """

    frame: "pd.DataFrame"
    notes: tuple[str, ...] = ()


def count_samples(images: Sequence[CountedImage]) -> SampleCounts:
    """Return counts per sample.

    Parameters
    ----------
    images : sequence of CountedImage
        All of a batch; one without a sample is a sample of its own.
    """
    import pandas as pd

    notes: list[str] = []
    filters = make_filters(images, notes)
    classes = _classes(filters, notes)
    blanks = [one for one in filters if one.metadata.is_blank and not one.missing and not one.contradicts]
    levels = {name: blank_level([one.scaled(name) for one in blanks]) for name in classes}
    rows = []
    for is_blank in (False, True):
        of = [one for one in filters if one.metadata.is_blank == is_blank]
        for sample in dict.fromkeys(one.sample for one in of):
            rows += _rows([one for one in of if one.sample == sample], classes, levels, is_blank)
    notes += _failed(images)
    if blanks and len(blanks) < 3:
        notes.append(f"{len(blanks)} blank{'' if len(blanks) == 1 else 's'}: a limit of detection needs three.")
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return SampleCounts(frame.astype(dict.fromkeys(_WHOLE, "Int64")), tuple(notes))


COLUMNS = [
    "sample",
    "blank",
    "size_class",
    "replicates",
    "images",
    "count_total",
    "count_mean",
    "count_sd",
    "count_low",
    "count_high",
    "filter_mean",
    "filter_sd",
    "filter_low",
    "filter_high",
    "blanks",
    "blank_mean",
    "blank_sd",
    "lod",
    "loq",
    "detection",
    "corrected_mean",
    "corrected_sd",
    "volume_l",
    "per_litre_mean",
    "per_litre_sd",
    "per_litre_low",
    "per_litre_high",
    "formula",
]
"""Of the table; docs/batch.md says what each is."""


def corrected(one: Filter, classes: Sequence[str], levels: Mapping[str, BlankLevel]) -> dict[str, float]:
    """Return the particles on a filter less those of the blanks, by size class; that of all sizes is their sum."""
    found = {name: max(0.0, one.scaled(name) - levels[name].mean) for name in classes}
    single = [name for name in classes if name != ALL]
    if single:
        found[ALL] = sum(found[name] for name in single)
    return found


def _classes(filters: Sequence[Filter], notes: list[str]) -> list[str]:
    """Return all sizes, then the size classes if all images have the same."""
    kinds = {tuple(one.counts) for one in filters}
    if len(kinds) > 1:
        notes.append(
            "The images have different size classes, some being without a pixel size, so samples are counted over all "
            "sizes only. Give the pixel size or the size classes."
        )
        return [ALL]
    return [ALL, *(name for name in next(iter(kinds), ()) if name != ALL)]


def _rows(
    filters: Sequence[Filter], classes: Sequence[str], levels: Mapping[str, BlankLevel], is_blank: bool
) -> list[list[Any]]:
    """Return a row per size class of the filters of one sample."""
    found = []
    unclear = any(one.contradicts for one in filters)
    whole = [] if unclear else [one for one in filters if not one.missing]
    less = [corrected(one, classes, levels) for one in whole]
    volumes = [one.metadata.volume_l for one in filters]
    for name in classes:
        counts = [one.counts.get(name, 0) for one in filters]
        low, high = (bound / len(filters) for bound in poisson_interval(sum(counts)))
        row: dict[str, Any] = {
            "sample": filters[0].sample,
            "blank": "yes" if is_blank else "no",
            "size_class": name,
            "replicates": len(filters),
            "images": sum(one.images for one in filters),
            "count_total": sum(counts),
            "count_mean": fmean(counts),
            "count_sd": _sd(counts),
            "count_low": low,
            "count_high": high,
            "volume_l": sum(volume or 0.0 for volume in volumes) if all(volumes) else _NAN,
        }
        if whole:
            row |= _filter_columns(whole, name)
        if whole and not is_blank:
            row |= _blank_columns(levels[name], row["filter_mean"])
            row |= _corrected_columns(whole, [one[name] for one in less], name, levels[name])
        found.append([row.get(column, _NAN if column not in ("detection", "formula") else "") for column in COLUMNS])
    return found


def _filter_columns(filters: Sequence[Filter], name: str) -> dict[str, float]:
    """Return how many particles are on the whole filters."""
    scaled = [one.scaled(name) for one in filters]
    low, high = _interval(filters, name, [one.factor for one in filters])
    return {"filter_mean": fmean(scaled), "filter_sd": _sd(scaled), "filter_low": low, "filter_high": high}


def _blank_columns(level: BlankLevel, mean: float) -> dict[str, Any]:
    if not level.n:
        return {}
    told = {"blanks": level.n, "blank_mean": level.mean, "blank_sd": level.sd, "lod": level.lod, "loq": level.loq}
    if level.lod == level.lod:
        where = "above LOQ" if mean > level.loq else "above LOD" if mean > level.lod else "below LOD"
        return {**told, "detection": where}
    return told


def _corrected_columns(filters: Sequence[Filter], own: Sequence[float], name: str, level: BlankLevel) -> dict[str, Any]:
    """Return what is left of the particles without the blanks', and how much that is per litre."""
    told: dict[str, Any] = {"corrected_mean": fmean(own), "corrected_sd": _sd(own)}
    if any(one.per_litre != one.per_litre for one in filters):
        return told
    per_litre = [value * one.per_litre for one, value in zip(filters, own, strict=True)]
    mean = fmean(per_litre)
    # the interval of what was counted, less what was subtracted
    taken = fmean(one.scaled(name) * one.per_litre for one in filters) - mean
    low, high = _interval(filters, name, [one.factor * one.per_litre for one in filters])
    return told | {
        "per_litre_mean": mean,
        "per_litre_sd": _sd(per_litre),
        "per_litre_low": max(0.0, low - taken),
        "per_litre_high": max(0.0, high - taken),
        "formula": _formula(filters, own, per_litre, name, level),
    }


def _interval(filters: Sequence[Filter], name: str, scales: Sequence[float]) -> tuple[float, float]:
    """Return the interval of the mean over filters of counts times a scale of each."""
    counts = [one.counts.get(name, 0) for one in filters]
    return weighted_poisson_interval(counts, [scale / len(filters) for scale in scales])


def _formula(
    filters: Sequence[Filter], own: Sequence[float], per_litre: Sequence[float], name: str, level: BlankLevel
) -> str:
    """Return how particles per litre were computed, filter by filter."""
    steps = []
    for one, value, result in zip(filters, own, per_litre, strict=True):
        count, scaled, about = one.counts.get(name, 0), one.scaled(name), one.metadata
        area = before = ""
        if one.factor != 1.0:
            areas = f"{_plain(about.filter_area_mm2)} mm2 / {_plain(about.imaged_area_mm2)} mm2"
            area = f"{count} x {areas} = {_plain(scaled)}; "
        if level.n:
            by_size = "" if abs(max(0.0, scaled - level.mean) - value) < 1e-9 else " by size class"
            before = f"max(0, {_plain(scaled)} - {_plain(level.mean)}){by_size} = {_plain(value)}; "
        steps.append(f"{area}{before}{_plain(value)} / {_plain(about.volume_l)} L = {_plain(result)} per L")
    if len(steps) > 1:
        steps.append(f"mean of {len(steps)} = {_plain(fmean(per_litre))} per L")
    return " | ".join(steps)


def _plain(value: float | None) -> str:
    """Return a number to four digits, never with an exponent where it is large."""
    value = value or 0.0
    return f"{value:.4g}" if abs(value) < 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def _failed(images: Sequence[CountedImage]) -> list[str]:
    """Say which samples lack images; one image that is of no sample has told of itself already."""
    lacking: dict[str, int] = {}
    for image in images:
        sample = image.metadata.sample
        if image.counts is None and sample:
            lacking[sample] = lacking.get(sample, 0) + 1
    return [
        f"{count} image{'' if count == 1 else 's'} of sample {sample} could not be counted."
        for sample, count in lacking.items()
    ]


def _sd(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else _NAN
