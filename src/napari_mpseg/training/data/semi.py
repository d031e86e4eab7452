"""Semi-synthetic images (Lee et al. 2022) to train with: made when they are looked at, wherever labelled images go."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.semi.composition import Composition, check_inputs, compose
from napari_mpseg.synthesis.semi.cutouts import Cutout, CutoutSettings, cut_out, cutouts_of
from napari_mpseg.synthesis.semi.grounds import Grounds
from napari_mpseg.synthesis.semi.labelled import Labelled
from napari_mpseg.synthesis.semi.settings import SemiSettings
from napari_mpseg.training.data.pairs import LabelledImage

Array = np.ndarray[Any, Any]
MEMORY = 512 << 20
"""Bytes of images with their masks and instances that are kept by default."""


def semi_synthetic_images(
    cutouts: Sequence[Cutout],
    backgrounds: Sequence[Labelled],
    settings: SemiSettings,
    n: int,
    *,
    memory: int = MEMORY,
) -> "SemiSynthetic":
    """Return `n` semi-synthetic images, each of which is made when it is first looked at.

    Parameters
    ----------
    cutouts : sequence of Cutout
        As :func:`napari_mpseg.synthesis.semi.cut_out` or a library gives them.
    backgrounds : sequence of LabelledImage
        What to paste onto; may be empty for plain and synthetic backgrounds.
    settings : SemiSettings
        Image k of a seed is always the same.
    n : int
    memory : int
        Bytes of images, masks and instances that are kept; what was dropped is made again. The latest is always kept.

    Returns
    -------
    sequence of LabelledImage
        ``(Y, X, C)`` uint8 with mask and instances (int32), all of ``settings.size``.

    Raises
    ------
    SettingsError
        If `n` is not 1 or more, or no cutout is small enough.
    ImageError
        If there is nothing to paste, or nothing to paste onto.
    """
    return SemiSynthetic(cutouts, backgrounds, settings, n, memory=memory)


def from_labelled(
    images: Sequence[LabelledImage],
    settings: SemiSettings,
    n: int,
    *,
    cutting: CutoutSettings | None = None,
    memory: int = MEMORY,
) -> "SemiSynthetic":
    """Return `n` semi-synthetic images of which the training images give both particles and backgrounds.

    Only pass images that may be learnt from: those kept aside for validation or test must not be in it.

    Parameters
    ----------
    images : sequence of LabelledImage
    settings : SemiSettings
    n : int
    cutting : CutoutSettings, optional
        Which particles are cut out. By default whole ones of 3 px or more, and if there is none, those that the border
        cuts.
    memory : int
        As for :func:`semi_synthetic_images`.

    Raises
    ------
    ImageError
        If the images hold no particle.
    """
    if cutting is not None:
        return SemiSynthetic(cut_out(images, cutting), images, settings, n, memory=memory)
    whole = [cutout for image in images for cutout in cutouts_of(image, CutoutSettings())]
    found = whole or cut_out(images, CutoutSettings(whole=False))
    return SemiSynthetic(found, images, settings, n, memory=memory)


def as_labelled(made: Composition) -> LabelledImage:
    """Return a composition as training has images."""
    return LabelledImage(made.name, made.image, made.mask, made.known, made.instances)


class SemiSynthetic(Sequence[LabelledImage]):
    """Semi-synthetic images as a sequence; see :func:`semi_synthetic_images`.

    The pixels of an image that is held on to are made again where they were dropped, so that a sampler may hold all
    images; masks and instances stay with whoever holds the image. Safe to use from several threads, and small when
    handed to another process: nothing that was made goes with it.
    """

    def __init__(
        self,
        cutouts: Sequence[Cutout],
        backgrounds: Sequence[Labelled],
        settings: SemiSettings,
        n: int,
        *,
        memory: int = MEMORY,
    ) -> None:
        if n < 1:
            raise SettingsError(f"{n} semi-synthetic images make no sense: give 1 or more.")
        check_inputs(cutouts, backgrounds, settings)
        self.cutouts, self.settings = tuple(cutouts), settings
        self.backgrounds = Grounds.of(backgrounds)
        self._n, self._memory = n, memory
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._kept: OrderedDict[int, Composition] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> LabelledImage: ...
    @overload
    def __getitem__(self, index: slice) -> list[LabelledImage]: ...
    def __getitem__(self, index: int | slice) -> LabelledImage | list[LabelledImage]:
        """Return an image, which is made now unless it is kept."""
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self._n))]
        if not -self._n <= index < self._n:
            raise IndexError(f"image {index} of {self._n}")
        index %= self._n
        made = self.composition(index)
        pixels = _Remade(self, index, made.image.shape)
        return LabelledImage(made.name, pixels, made.mask, made.known, made.instances)

    def __iter__(self) -> Iterator[LabelledImage]:
        return (self[index] for index in range(self._n))

    def composition(self, index: int) -> Composition:
        """Return image `index` with what is known of each particle in it."""
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        made = compose(self.cutouts, self.backgrounds, self.settings, index)
        with self._lock:
            if index not in self._kept:
                self._kept[index] = made
                self._bytes += _bytes_of(made)
            while self._bytes > self._memory and len(self._kept) > 1:
                self._bytes -= _bytes_of(self._kept.popitem(last=False)[1])
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs."""
        left_out = ("_lock", "_kept", "_bytes")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin with nothing kept."""
        self.__dict__.update(state)
        self._reset()


def _bytes_of(made: Composition) -> int:
    arrays = (made.image, made.mask, made.instances, made.known)
    return sum(array.nbytes for array in arrays if array is not None)


class _Remade:
    """The pixels of one image of a sequence; sliced like an array ``(Y, X, C)``."""

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(self, images: SemiSynthetic, index: int, shape: tuple[int, ...]) -> None:
        self._images, self._index, self.shape = images, index, shape

    def __getitem__(self, where: Any) -> Array:
        part: Array = self._images.composition(self._index).image[where]
        return part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        image = self._images.composition(self._index).image
        return np.array(image, dtype, copy=True) if copy else image.astype(dtype or image.dtype, copy=False)
