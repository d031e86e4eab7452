"""What is counted together: all images of one sample and replicate are pieces of one filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_mpseg.batch.metadata import Metadata

_NAN = float("nan")
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
        Those that were counted.
    metadata : Metadata
    counts : mapping of str to int
        Sums over the images.
    missing : int
        Images that failed.
    """

    sample: str
    replicate: str
    images: int
    metadata: Metadata
    counts: Mapping[str, int]
    missing: int = 0

    @property
    def has_areas(self) -> bool:
        """Whether it is known how much of it was imaged."""
        return bool(self.metadata.filter_area_mm2 and self.metadata.imaged_area_mm2)

    @property
    def factor(self) -> float:
        """Area of the filter over the area that was imaged; 1 where one of them is not known."""
        whole, seen = self.metadata.filter_area_mm2, self.metadata.imaged_area_mm2
        return whole / seen if whole and seen else 1.0

    @property
    def per_litre(self) -> float:
        """Particles per litre that one particle on the filter stands for; NaN without a volume."""
        return 1 / self.metadata.volume_l if self.metadata.volume_l else _NAN

    def scaled(self, name: str) -> float:
        """Return particles of a size class on the whole filter."""
        return self.counts.get(name, 0) * self.factor


def make_filters(images: Sequence[CountedImage], notes: list[str]) -> list[Filter]:
    """Put the images of one sample and replicate together; a filter of which all images failed is left out.

    Parameters
    ----------
    images : sequence of CountedImage
    notes : list of str
        Gets what contradicts itself or is missing.
    """
    groups: dict[tuple[str, str, bool], list[CountedImage]] = {}
    for image in images:
        about = image.metadata
        # without a replicate every image is a filter of its own
        replicate = about.replicate or f"\0{image.name}"
        groups.setdefault((about.sample or image.name, replicate, about.is_blank), []).append(image)
    counted = [(key, group) for key, group in groups.items() if any(image.counts is not None for image in group)]
    filters = [_filter(sample, group, notes) for (sample, _, _), group in counted]
    notes += _without_areas(filters)
    return filters


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
    missing = sum(one.counts is None for one in group)
    if missing:
        from_it = "is left out of the blanks" if about.is_blank else "has no corrected count and none per litre"
        notes.append(
            f"{missing} of {len(group)} images of sample {sample}, replicate {about.replicate}, could not be counted: "
            f"this filter {from_it}."
        )
    names = dict.fromkeys(name for one in group for name in one.counts or ())
    counts = {name: sum((one.counts or {}).get(name, 0) for one in group) for name in names}
    return Filter(sample, about.replicate, len(group) - missing, about, counts, missing)


def _without_areas(filters: Sequence[Filter]) -> list[str]:
    """Say where blanks and samples may show unequal shares of their filters, so that a difference misleads."""
    blanks = [one for one in filters if one.metadata.is_blank]
    others = [one for one in filters if not one.metadata.is_blank]
    if not blanks or not others:
        return []
    lacking = [one for one in filters if not one.has_areas]
    if lacking and len(lacking) < len(filters):
        names = ", ".join(dict.fromkeys(one.sample for one in lacking))
        return [
            f"Filter area and imaged area are not given for {names}: such a filter is taken as imaged whole when "
            "blanks are subtracted."
        ]
    pieces = [sorted({one.images + one.missing for one in some}) for some in (blanks, others)]
    if lacking and pieces[0] != pieces[1]:
        shown = [" or ".join(map(str, numbers)) for numbers in pieces]
        return [
            f"Blanks have {_images(shown[0])} per filter and samples {shown[1]}. If these show other shares of the "
            "filter, blanks are subtracted wrongly: give filter_area_mm2 and imaged_area_mm2 of both."
        ]
    return []


def _images(number: str) -> str:
    return f"{number} image" if number == "1" else f"{number} images"
