"""Subtract an uneven background before a method looks at the image."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class BackgroundSettings:
    """How the background is found.

    Attributes
    ----------
    way : str
        Name in :data:`BACKGROUNDS`.
    radius : float
        Of the ball, the disc or the Gaussian, in pixels; larger than the largest particle.
    light : bool
        Whether the background is brighter than the particles.
    """

    way: str
    radius: float = 50.0
    light: bool = False


BACKGROUNDS: Registry[Any] = Registry("background")


def find_background(background: BackgroundSettings | str | None) -> BackgroundSettings | None:
    """Return settings of a text such as ``"rolling-ball:50"``; None and ``"none"`` are none at all."""
    if background is None or background == "none" or isinstance(background, BackgroundSettings):
        return None if background == "none" else background  # type: ignore[return-value]
    raise SettingsError(f"No background {background!r}.")


@contextmanager
def subtracted(
    image: Image,
    settings: BackgroundSettings | None,
    *,
    cache: Any = None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Iterator[Image]:
    """Give the image without its background, in a temporary store that is removed afterwards."""
    if settings is None:
        yield image
        return
    raise NotImplementedError
