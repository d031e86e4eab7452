"""What a way of splitting touching particles is."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.settings import from_dict


@dataclass(frozen=True)
class Scene:
    """What a way may look at besides the piece in hand.

    Attributes
    ----------
    pieces : numpy.ndarray
        int32 ``(Y, X)``, all connected pieces.
    connectivity : int
        1: pixels touch with their sides. 2: corners too.
    image : numpy.ndarray or None
        float32 ``(Y, X)``, grey values or probability.
    seeds : numpy.ndarray or None
        int32 ``(Y, X)``; each number is the start of one part.
    pixel : tuple of float
        Height and width of a pixel, in the side of a square pixel of the same area; (1, 1) where pixels are square.
    """

    pieces: NDArray[np.int32]
    connectivity: int = 2
    image: NDArray[np.float32] | None = None
    seeds: NDArray[np.int32] | None = None
    pixel: tuple[float, float] = (1.0, 1.0)


def setting(default: Any, title: str, tip: str, *, unit: str = "", least: float = 0.0, most: float = 1e6) -> Any:
    """Return a dataclass field that knows how to present itself in forms and on the command line.

    Parameters
    ----------
    default : bool, int or float
        Also tells the kind of the setting.
    title, tip : str
        A word or two; a sentence.
    unit : str
        Such as ``"px"``.
    least, most : float
        Limits of a number, both allowed.
    """
    about = {"title": title, "tip": tip, "unit": unit, "least": least, "most": most}
    return dataclasses.field(default=default, metadata=about)


def check_limits(settings: Any) -> None:
    """Refuse numbers outside the limits of their :func:`setting`.

    Raises
    ------
    SettingsError
        Names the setting and its limits.
    """
    for field in dataclasses.fields(settings):
        value, about = getattr(settings, field.name), field.metadata
        if isinstance(value, bool) or not about:
            continue
        if not about["least"] <= value <= about["most"]:
            raise SettingsError(
                f"{field.name} is {value:g}; give a number from {about['least']:g} to {about['most']:g}."
            )


@dataclass(frozen=True)
class Way:
    """A way of splitting.

    Attributes
    ----------
    title, summary : str
        For lists and forms.
    settings : type
        Frozen dataclass of :func:`setting` fields.
    module : str
        Where ``split(piece, scene, settings, whole)`` is, and ``measure_whole(scene, settings)``, whose number all
        pieces are told; empty for a way that splits nothing.
    margin : callable
        How many pixels around a piece are looked at, from the settings.
    needs_image, takes_seeds : bool
        Whether it works on an image, and whether seeds can be given.
    corners : bool
        Pieces touch with their corners whatever the connectivity of the result.
    """

    title: str
    summary: str
    settings: type
    module: str = ""
    margin: Callable[[Any], int] = lambda settings: 1
    needs_image: bool = False
    takes_seeds: bool = False
    corners: bool = False

    def settings_from(self, options: Any) -> Any:
        """Return settings from a mapping, or as they are if they are this way's already.

        Raises
        ------
        SettingsError
            If one is unknown or impossible.
        """
        if isinstance(options, self.settings):
            return options
        if not isinstance(options, Mapping):
            raise SettingsError(f"{self.title} takes {self.settings.__name__}, not {type(options).__name__}.")
        if options and not dataclasses.fields(self.settings):
            named = ", ".join(map(repr, sorted(map(str, options))))
            raise SettingsError(f"{self.title} has no setting {named}. It has no settings.")
        return from_dict(self.settings, options)

    def load(self) -> Any:
        """Return the module that does the work."""
        return import_module(self.module)
