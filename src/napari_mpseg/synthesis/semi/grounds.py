"""Real images to paste onto: crops of them, with their particles or where there are none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.synthesis.semi.labelled import Labelled, in_channels, numbered, tells_apart, without_gaps

_GUESSES = 32  # random crops that are looked at before all places are
_KEPT_PLACES = 4096  # per image
_SMALLEST = 16  # px


@dataclass(frozen=True, eq=False)
class Ground:
    """What particles are pasted onto.

    Attributes
    ----------
    pixels : ndarray of float32
        ``(Y, X, C)`` in grey levels.
    labels : ndarray of int32
        ``(Y, X)``: the particles that it holds, 1..N.
    known : ndarray of bool, optional
        ``(Y, X)``: where it is known what is particle. None: everywhere.
    source : str
        What it was made of.
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int32]
    known: NDArray[np.bool_] | None = None
    source: str = ""


class Grounds(Sequence[Labelled]):
    """Labelled images as backgrounds; remembers where they are empty.

    Parameters
    ----------
    images : sequence of LabelledImage
        An image without any particle is one whose mask is nowhere true.
    """

    def __init__(self, images: Sequence[Labelled]) -> None:
        self._images = tuple(images)
        self._empty: dict[tuple[int, int, int], NDArray[np.int64]] = {}
        self._apart: dict[int, bool] = {}

    @classmethod
    def of(cls, images: "Sequence[Labelled]") -> "Grounds":
        """Return images as grounds; what is that already is returned itself, with what it remembers."""
        return images if isinstance(images, Grounds) else cls(images)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: Any) -> Any:
        return self._images[index]

    @property
    def channels(self) -> int:
        """The largest number of channels; 0 without images."""
        return max((int(image.image.shape[2]) for image in self._images), default=0)

    def check(self) -> None:
        """Raise :class:`~napari_mpseg.errors.ImageError` if there is no image."""
        if not self._images:
            raise ImageError("There is no image to paste onto. Give images, or choose a plain or synthetic background.")

    def crop(self, size: tuple[int, int], channels: int, rng: np.random.Generator) -> Ground:
        """Return a random crop with the particles in it, every image as likely."""
        self.check()
        index = int(rng.integers(len(self)))
        return self._ground(index, _window(rng, self._images[index].mask.shape, size), size, channels)

    def empty_crop(self, size: tuple[int, int], channels: int, rng: np.random.Generator) -> Ground:
        """Return a random crop without particles; where there is none so large, a smaller one mirrored.

        Raises
        ------
        ImageError
            If no image is free of particles on 16 px by 16 px.
        """
        self.check()
        for _ in range(_GUESSES):
            index = int(rng.integers(len(self)))
            window = _window(rng, self._images[index].mask.shape, size)
            if not _taken(self._images[index], window).any():
                return self._ground(index, window, size, channels)
        for height, width in _smaller(size):
            for index in rng.permutation(len(self)).tolist():
                shape = self._images[index].mask.shape
                side = min(height, shape[0]), min(width, shape[1])
                places = self._places(index, side)
                if len(places):
                    y, x = divmod(int(places[rng.integers(len(places))]), shape[1] - side[1] + 1)
                    window = (slice(y, y + side[0]), slice(x, x + side[1]))
                    return self._ground(index, window, size, channels)
        raise ImageError(
            f"None of {len(self)} images has {_SMALLEST} x {_SMALLEST} px without a particle. Choose the background "
            "with-particles, plain or synthetic, or give images of empty filters."
        )

    def _places(self, index: int, side: tuple[int, int]) -> NDArray[np.int64]:
        """Return first pixels of free windows by their number in reading order, at most some thousands."""
        key = (index, *side)
        if key not in self._empty:
            image = self._images[index]
            taken = _taken(image, (slice(None), slice(None)))
            sums = np.zeros((taken.shape[0] + 1, taken.shape[1] + 1), np.int64)
            sums[1:, 1:] = taken.cumsum(0, dtype=np.int64).cumsum(1)
            height, width = side
            within = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
            free = np.flatnonzero(within == 0)
            step = -(-len(free) // _KEPT_PLACES) or 1
            self._empty[key] = free[::step]
        return self._empty[key]

    def _ground(self, index: int, window: tuple[slice, slice], size: tuple[int, int], channels: int) -> Ground:
        image = self._images[index]
        pixels = in_channels(np.asarray(image.image[window]), channels)
        if index not in self._apart:
            self._apart[index] = tells_apart(image)
        labels = numbered(image, window, by_instances=self._apart[index])
        known = None if image.known is None else np.asarray(image.known[window], bool)
        missing = [(0, whole - here) for whole, here in zip(size, labels.shape, strict=True)]
        if any(after for _, after in missing):
            pixels = np.pad(pixels, [*missing, (0, 0)], mode="symmetric")
            labels = _apart(np.pad(labels, missing, mode="symmetric"))
            known = None if known is None else np.pad(known, missing, mode="symmetric")
        return Ground(pixels, without_gaps(labels)[0], known, image.name)


def _taken(image: Labelled, part: tuple[slice, slice]) -> NDArray[np.bool_]:
    """Return where a particle is, or may be because it is not known."""
    mask = np.asarray(image.mask[part], bool)
    return mask if image.known is None else mask | ~np.asarray(image.known[part], bool)


def _window(rng: np.random.Generator, shape: Sequence[int], size: tuple[int, int]) -> tuple[slice, slice]:
    starts = [int(rng.integers(max(whole - side, 0) + 1)) for whole, side in zip(shape, size, strict=True)]
    first, second = (slice(start, start + side) for start, side in zip(starts, size, strict=True))
    return first, second


def _smaller(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    height, width = size
    while True:
        yield height, width
        if max(height, width) <= _SMALLEST:
            return
        height, width = max(height // 2, _SMALLEST), max(width // 2, _SMALLEST)


def _apart(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return labels in which a particle and its mirror image are two, unless they touch."""
    from skimage.measure import label

    return np.asarray(label(labels, background=0, connectivity=2), np.int32)
