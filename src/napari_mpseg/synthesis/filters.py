"""Synthetic stitched filters with exact truth."""

from functools import partial

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.synthesis.blocks import BLOCK, lazy_image
from napari_mpseg.synthesis.filter_settings import FilterSettings, ShapeShare
from napari_mpseg.synthesis.fluorescence import render_block
from napari_mpseg.synthesis.made_image import SyntheticImage
from napari_mpseg.synthesis.placement import check_density, count_particles
from napari_mpseg.synthesis.silhouettes import label_block

__all__ = ["BLOCK", "FilterSettings", "ShapeShare", "SyntheticImage", "label_block", "synthetic_filter"]


def synthetic_filter(
    settings: FilterSettings | None = None, chunks: int | tuple[int, int] | None = None
) -> SyntheticImage:
    """Make a Nile-red fluorescence picture of a filter with microplastics, and its truth.

    Nothing is rendered before a chunk is computed, and equal settings give equal bytes whatever the chunking.

    Parameters
    ----------
    settings : FilterSettings, optional
        Size, seed, particles and look.
    chunks : int or tuple of int, optional
        Chunk height and width of both arrays.

    Returns
    -------
    SyntheticImage
        ``image.data`` is ``(Y, X, 3)`` uint8; ``labels`` is ``(Y, X)`` int32 and holds the drawn pixels of each
        particle: those where its own light, without halo, background and noise, is above ``look.outline``.

    Raises
    ------
    SettingsError
        If more particles are asked for than fit side by side.

    Examples
    --------
    >>> filter_ = synthetic_filter(FilterSettings(size=(512, 512), seed=1))
    >>> filter_.image.data.shape, str(filter_.labels.dtype)
    ((512, 512, 3), 'int32')
    """
    settings = FilterSettings() if settings is None else settings
    check_density(settings)
    pixels = lazy_image(render_block, settings, settings.size, "uint8", (3,), chunks)
    labels = lazy_image(label_block, settings, settings.size, "int32", (), chunks)
    side = settings.pixel_size_um
    image = Image(
        pixels,
        name=f"synthetic filter {settings.seed}",
        calibration=Calibration((side, side), "um", "synthetic"),
        channels=("red", "green", "blue"),
        source="synthetic",
    )
    return SyntheticImage(image, labels, settings, partial(count_particles, settings))
