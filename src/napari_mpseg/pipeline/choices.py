"""What was chosen by name becomes a method and its settings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.methods.options import checked_options
from napari_mpseg.methods.protocol import Method
from napari_mpseg.methods.registry import MethodEntry, resolve_method
from napari_mpseg.results.plan import digest_of
from napari_mpseg.results.result_store import refuse_results

MIN_SIZE = 3  # pixels; what the MP-VAT macro uses


def find_sorting(rules: Any) -> Any:
    """Return the rule set that gives the column ``class``."""
    from napari_mpseg.particles.classes.rules import find_rules
    from napari_mpseg.particles.reviewable import RULES

    return find_rules(RULES if rules is None else rules)


def chosen_method(method: Any) -> MethodEntry | Method:
    """Return the entry of a method, or the method that was given."""
    entry = resolve_method(method)
    if not isinstance(entry, MethodEntry) and not hasattr(entry, "prepare"):
        raise SettingsError(f"{method!r} is no method. Give the name of one, or a model folder.")
    return entry


def built_method(entry: MethodEntry | Method, options: Mapping[str, Any] | None, device: str) -> Method:
    """Return the method with its options."""
    if isinstance(entry, MethodEntry):
        return entry.build(device=device, **checked_options(entry, options or {}))
    if options:
        raise SettingsError(f"{entry.name} is built already; its options ({', '.join(options)}) come too late.")
    return entry


def given_digests(entry: MethodEntry | Method, options: Mapping[str, Any] | None) -> dict[str, str]:
    """Return digests of what a method is given beside the image: strokes or seeds, from which other results come."""
    inputs = getattr(entry, "inputs", ())
    return {one.name: digest_of(options[one.name]) for one in inputs if options and options.get(one.name) is not None}


def with_tta(method: Method, names: tuple[str, ...] | None) -> Method:
    """Return the method with this augmentation; None leaves it to the method, () is none at all."""
    if names is None:
        return method
    augmented: Callable[[Sequence[str]], Method] | None = getattr(method, "with_tta", None)
    if augmented is None and not names:
        return method
    if augmented is None:
        raise SettingsError(
            f"Test-time augmentation ({', '.join(names)}) is for networks, and {method.name} is none. "
            "Leave it out, or choose a network."
        )
    return augmented(names)


def with_rescale(method: Method, rescale: bool) -> Method:
    """Return the method showing images at the pixel size of its training, if that was asked for."""
    if not rescale:
        return method
    rescaled: Callable[[], Method] | None = getattr(method, "with_rescale", None)
    if rescaled is None:
        raise SettingsError(f"Rescaling is for networks, and {method.name} is none. Leave it out, or choose a network.")
    return rescaled()


def mask_settings(
    asked: Mapping[str, Any], method: Method, threshold: float | None, min_size: int | None, connectivity: int
) -> MaskSettings:
    """Return what was given; without that what the method file asks for; without that what is usual."""
    threshold = asked.get("threshold") if threshold is None else threshold
    min_size = asked.get("min_size", MIN_SIZE) if min_size is None else min_size
    return MaskSettings(method.default_threshold if threshold is None else threshold, min_size, connectivity)


def checked_tile_size(tile_size: int | None) -> None:
    """Refuse impossible sides of tiles."""
    if tile_size is not None and tile_size < 1:
        raise SettingsError(f"Tile size {tile_size} is impossible: give the side of a tile in pixels, such as 512.")


def opened_image(image: Any, plane: Any, channels: Any, calibration: Any) -> Image:
    """Open the image, and refuse what is none."""
    if calibration is not None and not isinstance(calibration, Calibration):
        calibration = Calibration.parse(calibration)
    refuse_results(image)
    opened = open_image(image, plane=plane, channels=channels, calibration=calibration)
    check_image(opened)
    return opened


def with_runtime(method: Method, name: str) -> Method:
    """Return the method computed by this runtime; ``"auto"`` leaves it to the method.

    Raises
    ------
    SettingsError
        If the method is no network, or the runtime is not there.
    """
    if name == "auto":
        return method
    chosen: Callable[[str], Method] | None = getattr(method, "with_runtime", None)
    if chosen is None:
        raise SettingsError(
            f"Runtimes ({name}) are for networks, and {method.name} is none. Leave it out, or choose a network."
        )
    return chosen(name)
