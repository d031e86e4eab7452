"""What is counted together: all images of one sample and replicate are pieces of one filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_mpseg.batch.metadata import Metadata

_NAN = float("nan")
_SHARED = ("volume_l", "filter_area_mm2")
_ROUNDING = 1 + 1e-6  # of areas that are added up


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
        What its images have in common; the imaged area is that of all of them together.
    counts : mapping of str to int
        Sums over the images.
    missing : int
        Images that failed.
    contradicts : bool
        Whether what is said of its areas cannot be, so that what is on the whole filter is not known.
    """

    sample: str
    replicate: str
    images: int
    metadata: Metadata
    counts: Mapping[str, int]
    missing: int = 0
    contradicts: bool = False

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
    title = _title(sample, group[0].metadata.replicate)
    about, contradicts = _together(title, group, notes)
    missing = sum(one.counts is None for one in group)
    if missing:
        from_it = "is left out of the blanks" if about.is_blank else "has no corrected count and none per litre"
        notes.append(f"{missing} of {len(group)} images of {title}, could not be counted: this filter {from_it}.")
    names = dict.fromkeys(name for one in group for name in one.counts or ())
    counts = {name: sum((one.counts or {}).get(name, 0) for one in group) for name in names}
    return Filter(sample, about.replicate, len(group) - missing, about, counts, missing, contradicts)


def _together(title: str, group: Sequence[CountedImage], notes: list[str]) -> tuple[Metadata, bool]:
    """Return what the images of a filter say together, and whether their areas contradict each other."""
    about, wrong = group[0].metadata, []
    for name in _SHARED:
        said = list(dict.fromkeys(value for one in group if (value := getattr(one.metadata, name)) is not None))
        if len(said) > 1:
            images = ", ".join(one.name for one in group)
            values = " and ".join(f"{value:g}" for value in said)
            told = f"{name} of {title}, is {values} in its images ({images})"
            if name == "filter_area_mm2":
                wrong.append(told)
            else:
                notes.append(f"{told}: there is no count per litre.")
        shared: dict[str, Any] = {name: said[0] if len(said) == 1 else None}
        about = replace(about, **shared)
    whole, seen = about.filter_area_mm2, [one.metadata.imaged_area_mm2 for one in group]
    known = [area for area in seen if area is not None]
    about = replace(about, imaged_area_mm2=sum(known) if known else None)
    if whole and known and len(known) < len(seen):
        without = ", ".join(one.name for one in group if one.metadata.imaged_area_mm2 is None)
        images = "an image" if len(seen) - len(known) == 1 else "images"
        wrong.append(f"The imaged area is not given for {without}, {images} of {title}, and is for others")
    elif whole and sum(known) > whole * _ROUNDING:
        wrong.append(
            f"The images of {title}, show {sum(known):g} mm2 together, and its filter has {whole:g} mm2 (the imaged "
            "area is that of each image)"
        )
    elif not wrong and bool(whole) != bool(known):
        have, lack = ("filter", "imaged") if whole else ("imaged", "filter")
        notes.append(f"The {have} area of {title} is given without the {lack} area; it is not used.")
    effect = "this filter is left out of the blanks" if about.is_blank else "there is no count on the filter, per litre"
    notes += [f"{one}: {effect}." for one in wrong]
    return about, bool(wrong)


def _title(sample: str, replicate: str) -> str:
    return f"sample {sample}" + (f", replicate {replicate}" if replicate else "")


def _without_areas(filters: Sequence[Filter]) -> list[str]:
    """Say where filters that are compared may be shown in unequal shares, so that a difference misleads."""
    filters = [one for one in filters if not one.contradicts]
    lacking = [one for one in filters if not one.has_areas]
    blanks = [one for one in filters if one.metadata.is_blank]
    others = [one for one in filters if not one.metadata.is_blank]
    if blanks and others and len(lacking) < len(filters):
        unlike = lacking
    else:
        mixed = {one.sample for one in filters if one.has_areas}
        unlike = [one for one in lacking if one.sample in mixed]
    if unlike:
        return [
            f"Filter area and imaged area are not given for {_names(unlike, filters)}: such a filter is taken as "
            f"imaged whole{' when blanks are subtracted' if blanks and others else ''}."
        ]
    pieces = [sorted({one.images + one.missing for one in some}) for some in (blanks, others)]
    if blanks and others and lacking and pieces[0] != pieces[1]:
        shown = [" or ".join(map(str, numbers)) for numbers in pieces]
        return [
            f"Blanks have {_images(shown[0])} per filter and samples {shown[1]}. If these show other shares of the "
            "filter, blanks are subtracted wrongly: give filter_area_mm2 and imaged_area_mm2 of both."
        ]
    return []


def _names(lacking: Sequence[Filter], filters: Sequence[Filter]) -> str:
    """Return the samples of filters, with the replicate where other filters of the sample have what these lack."""
    mixed = {one.sample for one in filters if one.has_areas}
    return "; ".join(dict.fromkeys(_title(one.sample, one.replicate if one.sample in mixed else "") for one in lacking))


def _images(number: str) -> str:
    return f"{number} image" if number == "1" else f"{number} images"
