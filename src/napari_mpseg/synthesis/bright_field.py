"""The bright-field picture of a filter, one block at a time."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.synthesis.absorbers import paint_density
from napari_mpseg.synthesis.blocks import BLOCK, Window, block_window, lazy_image
from napari_mpseg.synthesis.bright_field_settings import BrightFieldSettings
from napari_mpseg.synthesis.camera import Picture, add_noise, illumination, places_of, stored
from napari_mpseg.synthesis.debris import add_dust, paint_debris
from napari_mpseg.synthesis.fields import smooth_field
from napari_mpseg.synthesis.made_image import SyntheticImage
from napari_mpseg.synthesis.membrane import coverage
from napari_mpseg.synthesis.placement import check_density, count_particles
from napari_mpseg.synthesis.scan import scanned
from napari_mpseg.synthesis.silhouettes import label_block

_MARGIN = 24  # px from which a shadow reaches into a block
_SHADOW_LENGTH, _SHADOW_BLUR = 5.0, 3.5  # px
_SHADOW_FROM = 0.25  # density from which something casts a full shadow
_STAIN = np.array([0.45, 0.7, 1.0], np.float32)


def render_block(settings: BrightFieldSettings, row: int, column: int) -> NDArray[np.uint8]:
    """Return one block of the picture, ``(256, 256, 3)`` uint8."""
    window, look = block_window(row, column), settings.look
    taken = scanned(settings, look, places_of(window))
    if not taken.any():
        return np.zeros((BLOCK, BLOCK, 3), np.uint8)
    picture = _membrane(settings, window) * _light_left(_density(settings, window))
    picture *= illumination(settings.seed, look, window)[..., None]
    on_membrane = coverage(settings, window)
    if on_membrane is not None:
        picture *= on_membrane[..., None]
        picture += (1 - on_membrane)[..., None] * np.array(look.surround, np.float32)
    add_noise(settings.seed, look, row, column, picture)
    return stored(look, picture, taken)


def _membrane(settings: BrightFieldSettings, window: Window) -> Picture:
    look, seed = settings.look, settings.seed
    colour = np.array(look.membrane, np.float32)
    if not look.texture:
        return np.broadcast_to(colour, (window.height, window.width, 3)).copy()
    grain = 0.6 * smooth_field(seed, "texture", window, 120.0) + 0.6 * smooth_field(seed, "weave", window, 11.0)
    grain += 0.5 * smooth_field(seed, "pores", window, 3.5)
    return np.asarray(np.maximum(1 + look.texture * grain, 0.1)[..., None] * colour, np.float32)


def _density(settings: BrightFieldSettings, window: Window) -> Picture:
    """Return the optical density of all that lies on the membrane, ``(256, 256, 3)``."""
    look, wide = settings.look, window.padded(_MARGIN)
    inner = slice(_MARGIN, -_MARGIN)
    density = paint_debris(settings, wide)
    particles = paint_density(settings, wide)
    if look.shadow:
        shade = _shadow(settings, density if particles is None else density + abs(particles))
    density = density[inner, inner].copy()
    if look.shadow:
        density += shade[..., None]
    if look.stains:
        cloud = smooth_field(settings.seed, "stains", window, 300.0)
        cloud = cloud + 0.4 * smooth_field(settings.seed, "wisps", window, 50.0)
        density += (0.12 * look.stains * np.maximum(cloud - 0.5, 0) ** 1.5)[..., None] * _STAIN
    add_dust(settings, window, density)
    if particles is not None:
        density += particles[inner, inner]
    return np.asarray(density, np.float32)


def _shadow(settings: BrightFieldSettings, density: Picture) -> NDArray[np.float32]:
    """Return the density of the shadows in the middle of a padded window."""
    from scipy import ndimage

    strongest = density.max(2)
    caster = ndimage.gaussian_filter(np.minimum(strongest / _SHADOW_FROM, 1), _SHADOW_BLUR, truncate=3.0)
    turn = np.deg2rad(settings.look.shadow_angle)
    down, right = (int(np.rint(_SHADOW_LENGTH * part)) for part in (np.sin(turn), np.cos(turn)))
    height, width = caster.shape
    moved = caster[_MARGIN - down : height - _MARGIN - down, _MARGIN - right : width - _MARGIN - right]
    here = np.minimum(strongest[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] / _SHADOW_FROM, 1)
    return np.asarray(settings.look.shadow * moved * (1 - here), np.float32)


def _light_left(density: Picture) -> Picture:
    return np.asarray(np.exp(np.float32(-np.log(10)) * density), np.float32)


def synthetic_bright_field(
    settings: BrightFieldSettings | None = None, chunks: int | tuple[int, int] | None = None
) -> SyntheticImage:
    """Make a bright-field picture of a filter with microplastics among sediment and plant debris, and its truth.

    With the same size, seed, particles and membrane, the truth is that of the fluorescence picture.

    Parameters
    ----------
    settings : BrightFieldSettings, optional
        Size, seed, particles and look.
    chunks : int or tuple of int, optional
        Chunk height and width of both arrays; the bytes are the same whatever they are.

    Returns
    -------
    SyntheticImage
        ``image.data`` is ``(Y, X, 3)`` uint8; ``labels`` is ``(Y, X)`` int32 and holds the drawn pixels of each
        particle: those where its own optical density is stronger than ``look.outline``, darker or brighter.

    Raises
    ------
    SettingsError
        If more particles are asked for than fit side by side.

    Examples
    --------
    >>> filter_ = synthetic_bright_field(BrightFieldSettings(size=(512, 512), seed=1))
    >>> filter_.image.data.shape, str(filter_.labels.dtype)
    ((512, 512, 3), 'int32')
    """
    settings = BrightFieldSettings() if settings is None else settings
    check_density(settings)
    side = settings.pixel_size_um
    image = Image(
        lazy_image(render_block, settings, settings.size, "uint8", (3,), chunks),
        name=f"synthetic bright-field filter {settings.seed}",
        calibration=Calibration((side, side), "um", "synthetic"),
        channels=("red", "green", "blue"),
        source="synthetic",
    )
    labels = lazy_image(label_block, settings, settings.size, "int32", (), chunks)
    return SyntheticImage(image, labels, settings, partial(count_particles, settings))
