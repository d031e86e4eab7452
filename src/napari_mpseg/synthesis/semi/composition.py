"""One semi-synthetic image: a ground, particles pasted onto it one after the other, and the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.synthesis.semi.backgrounds import BACKGROUNDS, NEED_IMAGES
from napari_mpseg.synthesis.semi.blends import Piece
from napari_mpseg.synthesis.semi.canvas import Canvas, Place, place_at
from napari_mpseg.synthesis.semi.change import changed_at_random
from napari_mpseg.synthesis.semi.clutter import clutter_piece
from napari_mpseg.synthesis.semi.cutouts import Cutout
from napari_mpseg.synthesis.semi.grounds import Grounds
from napari_mpseg.synthesis.semi.labelled import Labelled, in_channels
from napari_mpseg.synthesis.semi.recolouring import RECOLOURINGS
from napari_mpseg.synthesis.semi.settings import SemiSettings
from napari_mpseg.synthesis.streams import generator

_PLACES, _CHOICES = 12, 3  # places that are tried for a particle, and particles before one is given up


@dataclass(frozen=True)
class ComposedParticle:
    """One particle of a composed image.

    Attributes
    ----------
    number : int
        Its number in the instances.
    box : tuple of int
        First row and column of its visible pixels, and those after the last: y0, x0, y1, x1.
    area : int
        Visible pixels.
    hidden : float
        Share of it that later particles or clutter cover.
    source : str
        Which cutout it is; ``"background"`` for one that was there before.
    """

    number: int
    box: tuple[int, int, int, int]
    area: int
    hidden: float
    source: str


@dataclass(frozen=True, eq=False)
class Composition:
    """A semi-synthetic image with its truth; training takes it wherever it takes a labelled image.

    Attributes
    ----------
    name : str
        ``semi/SEED-INDEX``.
    image : ndarray of uint8
        ``(Y, X, C)``.
    mask : ndarray of bool
        ``(Y, X)``: where any particle is seen.
    instances : ndarray of int32
        ``(Y, X)``: the visible pixels of each particle, 1..N without gaps; 0 is background.
    known : ndarray of bool, optional
        ``(Y, X)``: where the mask is known; None: everywhere.
    particles : tuple of ComposedParticle
        In the order of their numbers.
    ground : str
        Name of the image it was pasted onto, ``"plain"`` or ``"synthetic"``.
    """

    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    instances: NDArray[np.int32]
    known: NDArray[np.bool_] | None
    particles: tuple[ComposedParticle, ...]
    ground: str

    @property
    def count(self) -> int:
        """Number of particles that are seen."""
        return len(self.particles)


def compose(
    cutouts: Sequence[Cutout], backgrounds: Sequence[Labelled], settings: SemiSettings, index: int
) -> Composition:
    """Make one semi-synthetic image.

    Later particles lie over earlier ones and over those of the background, as far as ``settings.occlusion`` lets them;
    a particle for which no place is found is left out.

    Parameters
    ----------
    cutouts : sequence of Cutout
        Every one is as likely.
    backgrounds : sequence of LabelledImage
        Real images; may be empty for plain and synthetic backgrounds. Give the same
        :class:`~napari_mpseg.synthesis.semi.grounds.Grounds` to all calls, and free places are looked for once.
    settings : SemiSettings
    index : int
        Which image of the seed; it does not depend on the others.

    Returns
    -------
    Composition
        With as many channels as the backgrounds have, or as the cutouts where none is given.

    Raises
    ------
    ImageError
        If there is nothing to paste or to paste onto, or the channels do not fit together.
    SettingsError
        If no cutout is small enough for the image.
    """
    check_inputs(cutouts, backgrounds, settings)
    grounds = Grounds.of(backgrounds)
    rng = generator(settings.seed, "semi-synthetic", index)
    channels = channels_of(cutouts, grounds)
    ground = BACKGROUNDS[settings.background](grounds, settings, channels, rng)
    canvas = Canvas(ground, settings)
    sources = ["", *["background"] * (len(canvas.whole) - 1)]
    for _ in range(_how_many(settings, rng)):
        source = _paste_one(canvas, cutouts, channels, rng)
        if source is not None:
            sources.append(source)
    for _ in range(int(rng.poisson(settings.clutter))):
        piece = clutter_piece(ground.pixels, rng)
        place = _free_place(canvas, piece.mask, rng)
        if place is not None:
            canvas.cover(place, piece)
    return _finished(canvas, sources, f"semi/{settings.seed}-{index}", ground.source)


def channels_of(cutouts: Sequence[Cutout], grounds: Grounds) -> int:
    """Return how many channels composed images have."""
    return grounds.channels or max((cutout.channels for cutout in cutouts), default=1)


def check_inputs(cutouts: Sequence[Cutout], backgrounds: Sequence[Labelled], settings: SemiSettings) -> None:
    """Refuse what no image can be composed of; see :func:`compose` for the errors."""
    if settings.background in NEED_IMAGES:
        Grounds.of(backgrounds).check()
    if not cutouts:
        raise ImageError("There is no cutout to paste. Cut particles out of labelled images first.")
    smallest = min(max(cutout.pixels.shape[:2]) for cutout in cutouts) * settings.scale[0]
    if settings.inside and smallest > 2 * max(settings.size):
        raise SettingsError(
            f"The smallest particle has {smallest:.0f} px and is too large for images of {settings.size[0]} x "
            f"{settings.size[1]} px. Make images larger, or particles smaller by --scale."
        )


def _how_many(settings: SemiSettings, rng: np.random.Generator) -> int:
    if settings.density is not None:
        return int(rng.poisson(settings.density * settings.size[0] * settings.size[1] / 1e6))
    least, most = settings.particles
    return int(rng.integers(least, most + 1))


def _paste_one(canvas: Canvas, cutouts: Sequence[Cutout], channels: int, rng: np.random.Generator) -> str | None:
    """Paste a random cutout and return its source; None where no place was found."""
    settings = canvas.settings
    for _ in range(_CHOICES):
        chosen = changed_at_random(cutouts[int(rng.integers(len(cutouts)))], settings, rng)
        mask = chosen.mask
        place = _free_place(canvas, mask, rng)
        if place is None:
            continue
        pixels = in_channels(chosen.pixels, channels)
        recoloured = RECOLOURINGS[settings.recolour](pixels, mask, settings, rng)
        canvas.paste(place, Piece(recoloured, chosen.alpha, mask))
        return chosen.source
    return None


def _free_place(canvas: Canvas, mask: NDArray[np.bool_], rng: np.random.Generator) -> Place | None:
    """Return a random place where the mask may lie, in the image as a whole or cut by its border."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    size = canvas.settings.size
    lows, highs = [], []
    for found, whole in zip((rows, columns), size, strict=True):
        first, last = int(found[0]), int(found[-1])
        inside = canvas.settings.inside
        lows.append(-first if inside else -last)
        highs.append(whole - 1 - last if inside else whole - 1 - first)
    if any(high < low for low, high in zip(lows, highs, strict=True)):
        return None
    for _ in range(_PLACES):
        y, x = (int(rng.integers(low, high + 1)) for low, high in zip(lows, highs, strict=True))
        place = place_at(y, x, mask.shape, size)
        if mask[place.part].any() and canvas.accepts(place, mask):
            return place
    return None


def _finished(canvas: Canvas, sources: Sequence[str], name: str, ground: str) -> Composition:
    from scipy import ndimage

    image = np.rint(np.clip(canvas.pixels, 0, 255)).astype(np.uint8)
    seen = np.bincount(canvas.labels.ravel(), minlength=len(sources))
    particles: list[ComposedParticle] = []
    numbers = np.zeros(len(sources), np.int32)
    for old, box in enumerate(ndimage.find_objects(canvas.labels), 1):
        if box is None:  # all of it is covered
            continue
        numbers[old] = number = len(particles) + 1
        rows, columns = box
        corners = (int(rows.start), int(columns.start), int(rows.stop), int(columns.stop))
        hidden = 1 - int(seen[old]) / canvas.whole[old]
        particles.append(ComposedParticle(number, corners, int(seen[old]), hidden, sources[old]))
    instances = numbers[canvas.labels]
    return Composition(name, image, instances > 0, instances, canvas.known, tuple(particles), ground)
