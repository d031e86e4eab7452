"""Counts per sample: replicates together, blanks subtracted, particles per litre.

What is counted together is a *filter*: all images of one sample and replicate are pieces of it. Per size class,

- corrected = max(0, count - mean count of the blanks), and the corrected count of all sizes is their sum;
- particles per litre = corrected / litres filtered, times filter area / imaged area where both are given;
- limit of detection = mean + 3 sd of the blanks, limit of quantification = mean + 10 sd, from three blanks on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from napari_mpseg.batch.intervals import BlankLevel, blank_level, poisson_interval
from napari_mpseg.batch.metadata import Metadata

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
"""The size class of all particles."""

_NAN = float("nan")
_WHOLE = ("replicates", "images", "count_total")
_SHARED = ("volume_l", "blank", "filter_area_mm2", "imaged_area_mm2")


@dataclass(frozen=True)
class CountedImage:
    """One image with its counts.

    Attributes
    ----------
    name : str
    metadata : Metadata
    counts : mapping of str to int, or None
        Particles that were kept, by size class, with ``"all"``; None if the image failed.
    """

    name: str
    metadata: Metadata
    counts: Mapping[str, int] | None


@dataclass(frozen=True)
class Filter:
    """All images of one sample and replicate.

    Attributes
    ----------
    sample, replicate : str
    images : int
    metadata : Metadata
    counts : mapping of str to int
        Sums over the images.
    """

    sample: str
    replicate: str
    images: int
    metadata: Metadata
    counts: Mapping[str, int]

    @property
    def factor(self) -> float:
        """Area of the filter over the area that was imaged; 1 where one of them is not known."""
        whole, seen = self.metadata.filter_area_mm2, self.metadata.imaged_area_mm2
        return whole / seen if whole and seen else 1.0

    @property
    def per_particle(self) -> float:
        """Particles per litre that one particle stands for; NaN without a volume."""
        return self.factor / self.metadata.volume_l if self.metadata.volume_l else _NAN


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
    filters = _filters(images, notes)
    classes = _classes(filters, notes)
    blanks = [one for one in filters if one.metadata.is_blank]
    levels = {name: blank_level([one.counts.get(name, 0) for one in blanks]) for name in classes}
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
    """Return the counts of a filter less those of the blanks, by size class; that of all sizes is their sum."""
    found = {name: max(0.0, one.counts.get(name, 0) - levels[name].mean) for name in classes}
    single = [name for name in classes if name != ALL]
    if single:
        found[ALL] = sum(found[name] for name in single)
    return found


def _filters(images: Sequence[CountedImage], notes: list[str]) -> list[Filter]:
    """Put the images of one sample and replicate together."""
    groups: dict[tuple[str, str, bool], list[CountedImage]] = {}
    for image in images:
        if image.counts is None:
            continue
        about = image.metadata
        # without a replicate every image is a filter of its own
        replicate = about.replicate or f"\0{image.name}"
        groups.setdefault((about.sample or image.name, replicate, about.is_blank), []).append(image)
    return [_filter(sample, group, notes) for (sample, _, _), group in groups.items()]


def _filter(sample: str, group: Sequence[CountedImage], notes: list[str]) -> Filter:
    about = group[0].metadata
    for name in _SHARED:
        said = list(dict.fromkeys(value for one in group if (value := getattr(one.metadata, name)) is not None))
        if len(said) > 1:
            images = ", ".join(one.name for one in group)
            notes.append(
                f"{name} of sample {sample}, replicate {about.replicate}, is {' and '.join(map(str, said))} in its "
                f"images ({images}); it is not used."
            )
        shared: dict[str, Any] = {name: said[0] if len(said) == 1 else None}
        about = replace(about, **shared)
    if bool(about.filter_area_mm2) != bool(about.imaged_area_mm2):
        have, lack = ("filter", "imaged") if about.filter_area_mm2 else ("imaged", "filter")
        notes.append(f"The {have} area of sample {sample} is given without the {lack} area; it is not used.")
    names = dict.fromkeys(name for one in group for name in one.counts or ())
    counts = {name: sum((one.counts or {}).get(name, 0) for one in group) for name in names}
    return Filter(sample, about.replicate, len(group), about, counts)


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
    less = [corrected(one, classes, levels) for one in filters]
    volumes = [one.metadata.volume_l for one in filters]
    for name in classes:
        counts = [one.counts.get(name, 0) for one in filters]
        low, high = (bound / len(filters) for bound in poisson_interval(sum(counts)))
        level = levels[name]
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
        if not is_blank:
            own = [one[name] for one in less]
            row |= _blank_columns(level, row["count_mean"]) | _corrected_columns(filters, own, row, level)
        found.append([row.get(column, _NAN if column not in ("detection", "formula") else "") for column in COLUMNS])
    return found


def _blank_columns(level: BlankLevel, mean: float) -> dict[str, Any]:
    if not level.n:
        return {}
    told = {"blanks": level.n, "blank_mean": level.mean, "blank_sd": level.sd, "lod": level.lod, "loq": level.loq}
    if level.lod == level.lod:
        where = "above LOQ" if mean > level.loq else "above LOD" if mean > level.lod else "below LOD"
        return {**told, "detection": where}
    return told


def _corrected_columns(
    filters: Sequence[Filter], own: Sequence[float], row: Mapping[str, Any], level: BlankLevel
) -> dict[str, Any]:
    """Return what is left of the counts without the blanks', and how much that is per litre."""
    told: dict[str, Any] = {"corrected_mean": fmean(own), "corrected_sd": _sd(own)}
    scales = [one.per_particle for one in filters]
    if any(scale != scale for scale in scales):
        return told
    per_litre = [value * scale for value, scale in zip(own, scales, strict=True)]
    mean = fmean(per_litre)
    # the interval of the count, less what was subtracted, on the scale of the mean
    scale = mean / told["corrected_mean"] if told["corrected_mean"] else fmean(scales)
    taken = row["count_mean"] - told["corrected_mean"]
    return told | {
        "per_litre_mean": mean,
        "per_litre_sd": _sd(per_litre),
        "per_litre_low": max(0.0, row["count_low"] - taken) * scale,
        "per_litre_high": max(0.0, row["count_high"] - taken) * scale,
        "formula": _formula(filters, own, per_litre, str(row["size_class"]), level),
    }


def _formula(
    filters: Sequence[Filter], own: Sequence[float], per_litre: Sequence[float], name: str, level: BlankLevel
) -> str:
    """Return how particles per litre were computed, filter by filter."""
    steps = []
    for one, value, result in zip(filters, own, per_litre, strict=True):
        count, about = one.counts.get(name, 0), one.metadata
        before = area = ""
        if level.n:
            by_size = "" if abs(max(0.0, count - level.mean) - value) < 1e-9 else " by size class"
            before = f"max(0, {count} - {_plain(level.mean)}){by_size} = {_plain(value)}; "
        if one.factor != 1.0:
            area = f" x {_plain(about.filter_area_mm2)} mm2 / {_plain(about.imaged_area_mm2)} mm2"
        steps.append(f"{before}{_plain(value)}{area} / {_plain(about.volume_l)} L = {_plain(result)} per L")
    if len(steps) > 1:
        steps.append(f"mean of {len(steps)} = {_plain(fmean(per_litre))} per L")
    return " | ".join(steps)


def _plain(value: float | None) -> str:
    """Return a number to four digits, never with an exponent where it is large."""
    value = value or 0.0
    return f"{value:.4g}" if abs(value) < 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def _failed(images: Sequence[CountedImage]) -> list[str]:
    """Say which samples lack images."""
    lacking: dict[str, int] = {}
    for image in images:
        if image.counts is None:
            sample = image.metadata.sample or image.name
            lacking[sample] = lacking.get(sample, 0) + 1
    return [
        f"{count} image{'' if count == 1 else 's'} of sample {sample} could not be counted."
        for sample, count in lacking.items()
    ]


def _sd(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else _NAN
