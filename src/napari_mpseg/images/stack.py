"""All that a source holds: planes, resolution levels, channels and pixel size, before one image is chosen from it."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.images.axes import RGB, axis_name, canonical
from napari_mpseg.images.image import Image


@dataclass(frozen=True)
class Stack:
    """What a file, array or layer holds, lazily.

    Attributes
    ----------
    levels : tuple of dask.array.Array
        ``(planes..., Y, X)`` or ``(planes..., Y, X, C)``, full resolution first.
    plane_axes : str
        One letter per axis of planes; empty for a plain image.
    channels : tuple of str
        One name per channel; empty where there is no channel axis.
    calibration : Calibration
        Of the full resolution.
    name, source : str
        As in :class:`~napari_mpseg.images.image.Image`.
    downsampling : tuple of tuple of float
        For each level, how many full-resolution pixels one of its pixels is high and wide.
    """

    levels: tuple[Any, ...]
    plane_axes: str = ""
    channels: tuple[str, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    name: str = "image"
    source: str = "array"
    downsampling: tuple[tuple[float, float], ...] = ((1.0, 1.0),)

    @property
    def plane_shape(self) -> tuple[int, ...]:
        """Length of each axis of planes."""
        return tuple(self.levels[0].shape[: len(self.plane_axes)])

    def plane_indices(self) -> list[tuple[int, ...]]:
        """Return the index of every plane, the last axis running fastest."""
        return list(product(*(range(size) for size in self.plane_shape)))

    def image(self, plane: int | tuple[int, ...] | None = None, level: int = 0) -> Image:
        """Return one plane at one resolution.

        Raises
        ------
        ImageError
            If there are several planes and none was chosen, or plane or level are not there.
        """
        index = self._plane_index(plane)
        pixels, (down_y, down_x) = self._level(level)
        height, width = self.calibration.pixel_size
        size = (height * down_y, width * down_x) if self.calibration.calibrated else (height, width)
        # A pyramid may be reduced along z as well: the nearest plane above is taken.
        place = tuple(
            min(number * pixels.shape[axis] // self.plane_shape[axis], pixels.shape[axis] - 1)
            for axis, number in enumerate(index)
        )
        suffix = "".join(f"_{letter.lower()}{number}" for letter, number in zip(self.plane_axes, index, strict=True))
        return Image(
            data=pixels[place] if place else pixels,
            name=self.name + suffix,
            calibration=Calibration(size, self.calibration.unit, self.calibration.source),
            channels=self.channels,
            source=self.source,
            plane=index,
        )

    def _plane_index(self, plane: int | tuple[int, ...] | None) -> tuple[int, ...]:
        sizes = self.plane_shape
        axes = ", ".join(f"{axis_name(letter)}: {size}" for letter, size in zip(self.plane_axes, sizes, strict=True))
        if plane is None:
            if not sizes:
                return ()
            example = ", ".join("0" for _ in sizes) + ("," if len(sizes) == 1 else "")
            raise ImageError(
                f"{self.source} holds {len(self.plane_indices())} planes ({axes}), and one image is needed. Choose one "
                f"with plane=({example}) or --plane, counted from 0, or take all of them with open_planes. "
                "If an axis holds channels, move it last."
            )
        index = (plane,) if isinstance(plane, int) else tuple(int(number) for number in plane)
        if len(index) != len(sizes):
            there = f"The axes of planes are {axes}" if sizes else "It is a single plane, so leave plane out"
            raise ImageError(f"Plane {index} does not fit {self.source}. {there}.")
        if any(not 0 <= number < size for number, size in zip(index, sizes, strict=True)):
            raise ImageError(f"Plane {index} is not in {self.source}, which has ({axes}); planes are counted from 0.")
        return index

    def _level(self, level: int) -> tuple[Any, tuple[float, float]]:
        if not 0 <= level < len(self.levels):
            raise ImageError(
                f"Level {level} is not in {self.source}, which has {len(self.levels)} resolution levels, "
                "counted from 0 for the full resolution."
            )
        return self.levels[level], self.downsampling[level]


def make_stack(
    levels: list[Any],
    axes: str,
    *,
    channels: tuple[str, ...] = (),
    alpha: bool = False,
    downsampling: tuple[tuple[float, float], ...] | None = None,
    calibration: Calibration | None = None,
    name: str = "image",
    source: str = "array",
) -> Stack:
    """Build a :class:`Stack` from arrays of any axes.

    Parameters
    ----------
    levels : list of dask.array.Array
        Full resolution first, each with one axis per letter of `axes`.
    axes : str
        One letter per axis, see :mod:`napari_mpseg.images.axes`.
    channels : tuple of str
        Names, where the source has any; made up where their number does not fit.
    alpha : bool
        Whether the last channel is transparency, which is left out.
    downsampling : tuple of tuple of float, optional
        As in :class:`Stack`; computed from the shapes where the source does not say it.

    Raises
    ------
    ImageError
        If the axes do not name one Y and one X.
    """
    ordered = [canonical(array, axes, tuple(levels[0].shape)) for array in levels]
    arrays = [array for array, _, _ in ordered]
    _, plane_axes, has_channels = ordered[0]
    samples = has_channels and "S" in axes.upper()
    if alpha and has_channels:
        arrays = [array[..., :-1] if array.shape[-1] > 2 else array[..., 0] for array in arrays]
        has_channels = arrays[0].ndim == ordered[0][0].ndim
    count = int(arrays[0].shape[-1]) if has_channels else 0
    at = len(plane_axes)
    return Stack(
        levels=tuple(arrays),
        plane_axes=plane_axes,
        channels=channel_names(count, channels, samples),
        calibration=calibration or Calibration(),
        name=name,
        source=source,
        downsampling=downsampling or tuple(_ratio(arrays[0].shape[at:], array.shape[at:]) for array in arrays),
    )


def channel_names(count: int, given: tuple[str, ...] = (), samples: bool = False) -> tuple[str, ...]:
    """Return one name per channel: the given ones if they fit, red/green/blue for samples, else numbered from 0."""
    if given and len(given) == count:
        return tuple(str(name).strip() or f"channel {index}" for index, name in enumerate(given))
    if samples and count == len(RGB):
        return RGB
    return tuple(f"channel {index}" for index in range(count))


def _ratio(full: tuple[int, ...], reduced: tuple[int, ...]) -> tuple[float, float]:
    """Return the reduction in height and width; a whole number wherever rounding of odd sizes explains the rest."""

    def one(large: int, small: int) -> float:
        if not small or not large:
            return 1.0
        whole = max(1, round(large / small))
        return float(whole) if small in (large // whole, -(-large // whole)) else large / small

    return one(full[0], reduced[0]), one(full[1], reduced[1])
