"""Test-time augmentation: the network looks at an image several times, changed each time, and the answers are averaged.

This file says what there is to choose from; :mod:`napari_mpseg.inference.augmented` does it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from napari_mpseg.registry import Registry

Names = str | Sequence[str] | None


@dataclass(frozen=True)
class Variant:
    """One changed look at an image; the defaults change nothing.

    Attributes
    ----------
    turns : int
        Quarter turns, counter-clockwise.
    mirrored : bool
        Left and right exchanged, after the turns.
    brightness : float
        Factor on all grey levels; the same as one on the value of hue, saturation and value.
    contrast : float
        Factor on the distance from the mean of the whole image.
    hue : float
        Degrees added on the colour circle.
    saturation : float
        Factor.
    """

    turns: int = 0
    mirrored: bool = False
    brightness: float = 1.0
    contrast: float = 1.0
    hue: float = 0.0
    saturation: float = 1.0

    def __str__(self) -> str:
        """Name what differs from the image as it is."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        changed = [f"{name} {value:g}" for name, (value, default) in values.items() if value != default]
        return ", ".join(changed).replace("mirrored 1", "mirrored") or "unchanged"

    @property
    def coloured(self) -> bool:
        """Whether it changes something that grey images lack."""
        return bool(self.hue) or self.saturation != 1


@dataclass(frozen=True)
class TestTimeAugmentation:
    """One choice in the list of test-time augmentations.

    Attributes
    ----------
    title, summary : str
        What menus and tooltips show.
    variants : tuple of Variant
        The changed looks, besides the image as it is.
    """

    title: str
    summary: str
    variants: tuple[Variant, ...]

    __test__ = False  # for pytest, which takes classes called Test... for tests


_BRIGHTNESS = tuple(Variant(brightness=factor) for factor in (0.9, 1.1))
_CONTRAST = tuple(Variant(contrast=factor) for factor in (0.9, 1.1))
_COLOUR = tuple(Variant(hue=degrees) for degrees in (-10.0, 10.0)) + tuple(
    Variant(saturation=factor) for factor in (0.8, 1.25)
)

TTA: Registry[TestTimeAugmentation] = Registry("test-time augmentation")
TTA.add(
    "flips",
    TestTimeAugmentation(
        "Flips and turns",
        "All eight: four quarter turns, each also mirrored.",
        tuple(Variant(turns, mirrored) for mirrored in (False, True) for turns in range(4))[1:],
    ),
)
TTA.add(
    "mirrors",
    TestTimeAugmentation(
        "Mirror images",
        "Mirrored left and right, top and bottom, and both.",
        (Variant(0, True), Variant(2, True), Variant(2)),
    ),
)
TTA.add(
    "brightness",
    TestTimeAugmentation("Brightness", "Grey levels times 0.9 and 1.1.", _BRIGHTNESS),
)
TTA.add(
    "contrast",
    TestTimeAugmentation("Contrast", "Distance from the image's mean times 0.9 and 1.1.", _CONTRAST),
)
TTA.add(
    "hue-saturation-value",
    TestTimeAugmentation(
        "Hue, saturation, value",
        "Hue by -10 and 10 degrees, saturation times 0.8 and 1.25, value times 0.9 and 1.1, one at a time. "
        "On grey images only the value.",
        (*_COLOUR, *_BRIGHTNESS),
    ),
)
TTA.add(
    "photometric",
    TestTimeAugmentation(
        "Brightness, contrast and colour",
        "All of brightness, contrast and hue, saturation, value, one at a time (Park et al. 2022). "
        "On grey images without hue and saturation.",
        (*_BRIGHTNESS, *_CONTRAST, *_COLOUR),
    ),
)


def tta_names(names: Names) -> tuple[str, ...]:
    """Return the chosen test-time augmentations, each once; none for None and for an empty text.

    Raises
    ------
    UnknownNameError
        If there is none of such a name.
    """
    chosen = (names,) if isinstance(names, str) else tuple(names or ())
    for name in filter(None, chosen):
        TTA[name]
    return tuple(dict.fromkeys(filter(None, chosen)))


def tta_variants(names: Names, *, colour: bool = True) -> tuple[Variant, ...]:
    """Return the looks whose answers are averaged, the unchanged image first.

    Several augmentations are put side by side, not multiplied: what two of them have in common counts once.

    Parameters
    ----------
    names : str, sequence of str, or None
        In the registry :data:`TTA`.
    colour : bool
        Whether the image has colours; without, variants of hue and saturation are left out.
    """
    variants = (Variant(), *(variant for name in tta_names(names) for variant in TTA[name].variants))
    return tuple(dict.fromkeys(variant for variant in variants if colour or not variant.coloured))
