"""What is known of an image beside its pixels: sample, replicate, volume filtered, blank or not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_mpseg.batch.numbers import read_number
from napari_mpseg.errors import SettingsError

_VOLUMES = {"l": 1.0, "liter": 1.0, "litre": 1.0, "ml": 1e-3, "m3": 1e3, "ul": 1e-6, "dl": 0.1, "cl": 0.01}
_AREAS = {"mm2": 1.0, "cm2": 100.0, "um2": 1e-6, "m2": 1e6}
_YES = ("yes", "y", "true", "1", "x", "blank", "ja", "oui", "si")
_NO = ("no", "n", "false", "0", "-", "sample", "nein", "non")
_PLAIN = {"sample": "sample", "sample_id": "sample", "replicate": "replicate", "rep": "replicate", "blank": "blank"}
_BLANK_SAMPLE = re.compile(r"(?i)(procedural[ _-]*)?blank[ _-]*\d*")


@dataclass(frozen=True)
class Metadata:
    """What an image is of.

    Attributes
    ----------
    sample, replicate : str
        As written; empty where nobody said.
    volume_l : float or None
        Volume filtered, in litres.
    blank : bool or None
        Whether it is a blank: a filter that was treated like the others without a sample. None where nobody said.
    filter_area_mm2, imaged_area_mm2 : float or None
        Area of the filter the particles lie on, and how much of it this image shows, in mm2.
    more : mapping of str to str
        Further columns, as written.
    """

    sample: str = ""
    replicate: str = ""
    volume_l: float | None = None
    blank: bool | None = None
    filter_area_mm2: float | None = None
    imaged_area_mm2: float | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Whether it is a blank: said so, or, where nobody said, its sample is called ``blank``."""
        return bool(_BLANK_SAMPLE.fullmatch(self.sample)) if self.blank is None else self.blank


def sample_title(sample: str, blank: bool) -> str:
    """Return what a sample is called where blanks stand beside others.

    Examples
    --------
    >>> sample_title("control", True), sample_title("blank", True), sample_title("lake", False)
    ('control (blank)', 'blank', 'lake')
    """
    return f"{sample} (blank)" if blank and "blank" not in sample.lower() else sample


@dataclass(frozen=True)
class Heading:
    """What a column holds.

    Attributes
    ----------
    name : str
        Field of :class:`Metadata`, or, for further columns, the heading itself.
    factor : float
        From the column's unit to litres or mm2.
    """

    name: str
    factor: float = 1.0

    @property
    def known(self) -> bool:
        """Whether it is a field of :class:`Metadata`."""
        return self.name in Metadata.__dataclass_fields__ and self.name != "more"


def read_heading(text: str) -> Heading:
    """Return what a column of this heading holds.

    Parameters
    ----------
    text : str
        ``"sample"``, ``"volume_l"``, ``"Volume filtered (mL)"``, ``"filter area [mm²]"`` or any other.

    Raises
    ------
    SettingsError
        If it is a volume or an area without a unit.

    Examples
    --------
    >>> read_heading("volume filtered (mL)")
    Heading(name='volume_l', factor=0.001)
    """
    words = re.sub(r"[\s_()\[\]/,.-]+", " ", text.replace("³", "3").replace("²", "2").replace("µ", "u").lower()).split()
    joined = "_".join(words)
    if joined in _PLAIN:
        return Heading(_PLAIN[joined])
    if words and (words[0].startswith("volume") or words[0] == "vol"):
        return Heading("volume_l", _factor(words, _VOLUMES, text, "volume_l or volume_ml"))
    for kind in ("filter", "imaged"):
        if words[:2] == [kind, "area"]:
            return Heading(f"{kind}_area_mm2", _factor(words, _AREAS, text, f"{kind}_area_mm2"))
    return Heading(text.strip())


def read_metadata(values: Mapping[str, str]) -> Metadata:
    """Return texts by heading as metadata.

    Raises
    ------
    SettingsError
        If a heading or a value makes no sense.

    Examples
    --------
    >>> read_metadata({"sample": "lake", "volume_ml": "500"}).volume_l
    0.5
    """
    found: dict[str, str | float | bool | None] = {}
    more: dict[str, str] = {}
    for text, value in values.items():
        heading, value = read_heading(text), value.strip()
        if not heading.known:
            more[heading.name] = value
        elif heading.name in ("sample", "replicate"):
            found[heading.name] = value
        elif heading.name == "blank":
            found["blank"] = _yes(value, text) if value else None
        elif value:
            number = read_number(value, text)
            if number <= 0:
                raise SettingsError(f"{text} {value!r} must be above zero. Leave it empty where it is not known.")
            found[heading.name] = number * heading.factor
    return with_possible_areas(Metadata(**found, more=more))  # type: ignore[arg-type]


def with_possible_areas(about: Metadata) -> Metadata:
    """Return the metadata as it is.

    Raises
    ------
    SettingsError
        If more of a filter was imaged than there is of it.
    """
    whole, seen = about.filter_area_mm2, about.imaged_area_mm2
    if whole is not None and seen is not None and seen > whole:
        raise SettingsError(
            f"The imaged area ({seen:g} mm2) is larger than the filter area ({whole:g} mm2). Correct one of them."
        )
    return about


def _factor(words: list[str], units: Mapping[str, float], text: str, example: str) -> float:
    for word in reversed(words):
        short = word.removesuffix("s") if word.startswith("lit") else word
        if short in units:
            return units[short]
    raise SettingsError(f"The column {text!r} tells no unit. Call it {example}; known are {', '.join(units)}.")


def _yes(value: str, text: str) -> bool:
    if value.lower() not in (*_YES, *_NO):
        raise SettingsError(f"{text} is yes or no, not {value!r}.")
    return value.lower() in _YES
