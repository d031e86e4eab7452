"""What a set of semi-synthetic images is made from."""

from dataclasses import dataclass
from typing import Any

from napari_mpseg.errors import SettingsError

_LARGEST = 2**28  # px


@dataclass(frozen=True)
class SemiSettings:
    """Everything semi-synthetic images are made from, beside cutouts and backgrounds.

    Attributes
    ----------
    size : tuple of int
        Height and width in pixels, at most 2**28 pixels in all: an image is composed in memory.
    particles : tuple of int
        Fewest and most particles to paste into an image; every number between is as likely.
    density : float, optional
        Mean number of pasted particles per million pixels, drawn from a Poisson distribution; then `particles` is not
        looked at.
    rotate, flip : bool
        Whether particles are turned by any angle, and mirrored.
    scale : tuple of float
        Smallest and largest factor of size; any ratio between is as likely.
    recolour : str
        A name in :data:`~napari_mpseg.synthesis.semi.recolouring.RECOLOURINGS`.
    colour : tuple of float, optional
        Grey levels of 0 to 255, one per channel, for ``"plain"``; None takes each particle's own mean colour.
    blend : str
        A name in :data:`~napari_mpseg.synthesis.semi.blends.BLENDS`.
    weight : float
        Share of the particle for ``"weighted"``, above 0; the rest is background (Lee et al. 2022: 0.65).
    feather : float
        Standard deviation in pixels of the soft edge for ``"feathered"``.
    background : str
        A name in :data:`~napari_mpseg.synthesis.semi.backgrounds.BACKGROUNDS`.
    look : str
        Of ``"synthetic"``: a name in :data:`~napari_mpseg.synthesis.microscopes.MICROSCOPES`; empty for fluorescence
        pictures that vary as much as real ones.
    background_colour : tuple of float, optional
        Grey levels of 0 to 255 for ``"plain"``; None takes the mean of a background image, or a random grey
        where there is none.
    occlusion : float
        How much of any particle later ones and clutter may cover: 0 nothing, 1 all of it.
    apart : int
        Empty pixels between particles where `occlusion` is 0; 0 lets them touch.
    camouflage : float
        How far a particle's mean colour is drawn to that of its surroundings: 0 not at all, 1 until both are equal.
    clutter : float
        Mean number of threads and smears per image that are drawn over it and are no particles.
    inside : bool
        Whether pasted particles lie wholly in the image; else its border may cut them.
    seed : int
        Zero or above.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    size: tuple[int, int] = (512, 512)
    particles: tuple[int, int] = (1, 10)
    density: float | None = None
    rotate: bool = True
    flip: bool = True
    scale: tuple[float, float] = (0.8, 1.25)
    recolour: str = "original"
    colour: tuple[float, ...] | None = None
    blend: str = "weighted"
    weight: float = 0.65
    feather: float = 1.0
    background: str = "with-particles"
    look: str = ""
    background_colour: tuple[float, ...] | None = None
    occlusion: float = 0.0
    apart: int = 1
    camouflage: float = 0.0
    clutter: float = 0.0
    inside: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_names()
        for name in ("weight", "occlusion", "camouflage"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        _check("size", self.size, len(self.size) == 2 and min(self.size) >= 16, "height and width of 16 px or more")
        area = self.size[0] * self.size[1]
        _check("size", self.size, area <= _LARGEST, f"at most {_LARGEST} px in all, such as 16384 x 16384")
        shows = self.blend != "weighted" or self.weight > 0
        _check("weight", self.weight, shows, "more than 0: particles would be in the truth, but not be seen")
        self._check_colours()
        least, most = self.particles
        _check("particles", self.particles, 0 <= least <= most, "two numbers, the fewest (0 or more) and then the most")
        low, high = self.scale
        _check(
            "scale",
            self.scale,
            0.05 <= low <= high <= 20,
            "two factors from 0.05 to 20, the smallest and then the largest",
        )
        _check("density", self.density, self.density is None or 0 <= self.density <= 1e5, "0 to 100000 per megapixel")
        _check("feather", self.feather, 0 < self.feather <= 50, "more than 0 and at most 50 px")
        _check("apart", self.apart, 0 <= self.apart <= 1000, "0 to 1000 px")
        _check("clutter", self.clutter, 0 <= self.clutter <= 1000, "0 to 1000 per image")
        _check("seed", self.seed, int(self.seed) == self.seed and self.seed >= 0, "a whole number, zero or above")

    def _check_colours(self) -> None:
        for name in ("colour", "background_colour"):
            colour = getattr(self, name)
            fits = colour is None or (len(colour) > 0 and all(0 <= level <= 255 for level in colour))
            _check(name, colour, fits, "levels of 0 to 255")

    def _check_names(self) -> None:
        from napari_mpseg.synthesis.semi.backgrounds import BACKGROUNDS
        from napari_mpseg.synthesis.semi.blends import BLENDS
        from napari_mpseg.synthesis.semi.recolouring import RECOLOURINGS

        for registry, name in ((RECOLOURINGS, self.recolour), (BLENDS, self.blend), (BACKGROUNDS, self.background)):
            registry[name]
        if self.look:
            from napari_mpseg.synthesis.microscopes import MICROSCOPES

            MICROSCOPES[self.look]


def _check(name: str, value: Any, fits: bool, wanted: str) -> None:
    if not fits:
        raise SettingsError(f"{name} {value!r} is impossible: give {wanted}.")
