"""Sample data for napari: synthetic pictures with their exact truth."""

from __future__ import annotations

from typing import Any

LayerData = tuple[Any, dict[str, Any], str]


def filter_sample() -> list[LayerData]:
    """Return a stitched Nile-red filter of 2048 x 2048 px with microplastics, and its truth."""
    from napari_mpseg.synthesis.filters import FilterSettings, synthetic_filter

    settings = FilterSettings(size=(2048, 2048), seed=7, density_per_mm2=8.0)
    return _layers(synthetic_filter(settings), "stitched filter")


def bright_field_sample() -> list[LayerData]:
    """Return a stitched filter of 2048 x 2048 px in bright field, with sediment and plant debris, and its truth."""
    from napari_mpseg.synthesis.microscopes import synthetic_image

    made = synthetic_image(look="bright-field", size=(2048, 2048), seed=7, density_per_mm2=6.0)
    return _layers(made, "bright-field filter")


def sem_sample() -> list[LayerData]:
    """Return an SEM-like field of nanoparticles, and its truth."""
    from napari_mpseg.synthesis.sem import SemSettings, synthetic_sem

    return _layers(synthetic_sem(SemSettings(seed=7)), "SEM nanoparticles")


def _layers(sample: Any, name: str) -> list[LayerData]:
    import dask

    pixels, truth = dask.compute(sample.image.data, sample.labels)
    calibration = sample.image.calibration
    space = {"scale": calibration.pixel_size, "units": (calibration.unit_name,) * 2}
    about = {"source": f"napari-mpseg sample, {type(sample.settings).__name__} seed {sample.settings.seed}"}
    image = {"name": name, "rgb": pixels.ndim == 3, "metadata": {"napari-mpseg": about}, **space}
    labels = {"name": f"{name} truth", "visible": False, "metadata": {"napari-mpseg": about}, **space}
    return [(pixels, image, "image"), (truth, labels, "labels")]
