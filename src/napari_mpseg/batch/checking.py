"""Settings that no image could be segmented with are told once, before the first of them."""

from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.methods.options import checked_options
from napari_mpseg.methods.registry import MethodEntry, resolve_method


def check_settings(settings: BatchSettings) -> None:
    """Refuse names and values that do not exist; no model is loaded for it.

    Raises
    ------
    SettingsError, UnknownNameError
        As :func:`~napari_mpseg.pipeline.segment` would for every image.
    """
    from napari_mpseg.inference.augmentation import tta_names
    from napari_mpseg.inference.background import find_background
    from napari_mpseg.inference.mask_settings import MaskSettings
    from napari_mpseg.inference.runtimes import AUTO, RUNTIMES
    from napari_mpseg.inference.schedulers import find_scheduler
    from napari_mpseg.inference.screening import find_screen
    from napari_mpseg.pipeline.choices import MIN_SIZE, checked_tile_size, find_sorting

    entry = resolve_method(settings.method)
    assert isinstance(entry, MethodEntry)
    checked_options(entry, settings.options)
    checked_tile_size(settings.tile_size)
    tta_names(settings.tta)
    find_sorting(settings.rules)
    find_screen(settings.skip_empty)
    find_scheduler(settings.scheduler)
    find_background(settings.background)
    if settings.runtime not in (None, AUTO):
        RUNTIMES[settings.runtime]
    usual = MaskSettings()
    threshold = usual.threshold if settings.threshold is None else settings.threshold
    MaskSettings(threshold, MIN_SIZE if settings.min_size is None else settings.min_size, settings.connectivity)


def check_method(settings: BatchSettings) -> None:
    """Build the method once, with all that is asked of it: device, runtime, augmentation.

    Raises
    ------
    MpsegError
        If the model cannot be read, or what was asked for does not go with it or is not there on this machine.
    """
    from napari_mpseg.inference.augmentation import tta_names
    from napari_mpseg.pipeline.choices import built_method, chosen_method, with_rescale, with_runtime, with_tta

    built = built_method(chosen_method(settings.method), settings.options, settings.device)
    tta = None if settings.tta is None else tta_names(settings.tta)
    with_runtime(with_rescale(with_tta(built, tta), settings.rescale), settings.runtime or "auto")
