"""The looks there are: through which microscope a synthetic image is seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.synthesis.bright_field import synthetic_bright_field
from napari_mpseg.synthesis.bright_field_settings import BRIGHT_FIELD_LOOKS, BrightFieldSettings
from napari_mpseg.synthesis.filter_settings import FilterSettings
from napari_mpseg.synthesis.filters import synthetic_filter
from napari_mpseg.synthesis.look import LOOKS
from napari_mpseg.synthesis.made_image import SyntheticImage
from napari_mpseg.synthesis.sem import SemSettings, synthetic_sem
from napari_mpseg.synthesis.setting import changed

Chunks = int | tuple[int, int] | None


@dataclass(frozen=True)
class Microscope:
    """One look.

    Attributes
    ----------
    title, summary : str
        For people.
    variants : mapping
        Settings to begin with, by name; the first is the usual one. All are of one type, which is this look's.
    make : callable
        Makes a :class:`SyntheticImage` from settings and chunks, lazily.
    pixel_size : str
        Name of the setting that is the size of a pixel; its end is the unit.
    """

    title: str
    summary: str
    variants: Mapping[str, Any]
    make: Callable[[Any, Chunks], SyntheticImage]
    pixel_size: str

    @property
    def settings(self) -> Any:
        """The usual settings."""
        return next(iter(self.variants.values()))

    @property
    def unit(self) -> str:
        """Unit of the pixel size: ``"um"``."""
        return self.pixel_size.rpartition("_")[2]

    def variant(self, name: str | None) -> Any:
        """Return the settings of a variant; without a name the usual ones.

        Raises
        ------
        SettingsError
            If there is none of that name.
        """
        if name is None:
            return self.settings
        if name not in self.variants:
            raise SettingsError(f"{self.title} has no variant {name!r}. Known: {', '.join(self.variants)}.")
        return self.variants[name]


MICROSCOPES: Registry[Microscope] = Registry("look")
MICROSCOPES.add(
    "fluorescence",
    Microscope(
        "Fluorescence",
        "a stitched filter stained with Nile red: particles glow on a dark membrane",
        {name: FilterSettings(look=look) for name, look in LOOKS.items()},
        synthetic_filter,
        "pixel_size_um",
    ),
)
MICROSCOPES.add(
    "bright-field",
    Microscope(
        "Bright field",
        "a stitched filter in white light: dark, coloured and transparent particles among sediment and plant debris",
        {name: BrightFieldSettings(look=look) for name, look in BRIGHT_FIELD_LOOKS.items()},
        synthetic_bright_field,
        "pixel_size_um",
    ),
)
MICROSCOPES.add(
    "sem",
    Microscope(
        "Electron microscope (SEM)",
        "a grey field of nanoparticles, single and in touching agglomerates",
        {
            "agglomerates": SemSettings(),
            "single": SemSettings(clustering=0.0, coverage=0.08),
            "bare": SemSettings(charging=0.0, noise=0.0, blur=0.0, texture=0.0, shadow=0.0),
        },
        synthetic_sem,
        "pixel_size_nm",
    ),
)


def look_of(settings: Any) -> str:
    """Return the look that some settings belong to.

    Raises
    ------
    SettingsError
        If they are no settings of a synthetic image.
    """
    for name, microscope in MICROSCOPES.items():
        if type(settings) is type(microscope.settings):
            return name
    raise SettingsError(f"{type(settings).__name__} is no settings of a synthetic image.")


def image_settings(look: str = "fluorescence", variant: str | None = None, **changes: Any) -> Any:
    """Return the settings of a synthetic image.

    Parameters
    ----------
    look : str
        A name in :data:`MICROSCOPES`: ``"fluorescence"``, ``"bright-field"``, ``"sem"``.
    variant : str, optional
        One of the look's variants: ``"dim"``, ``"camouflage"`` ... Without, the usual one.
    **changes
        Other values by dotted name: ``seed=3, **{"look.blur": 1.2, "shapes.fibre.share": 0.5}``.

    Raises
    ------
    UnknownNameError, SettingsError
        If there is no such look, variant or setting, or a value cannot be.
    """
    return changed(MICROSCOPES[look].variant(variant), changes)


def synthetic_image(
    settings: Any = None,
    *,
    look: str = "fluorescence",
    variant: str | None = None,
    chunks: Chunks = None,
    **changes: Any,
) -> SyntheticImage:
    """Make a synthetic image of any look, with exact truth.

    Nothing is rendered before a chunk is computed, and equal settings give equal bytes whatever the chunking.

    Parameters
    ----------
    settings : FilterSettings, BrightFieldSettings or SemSettings, optional
        Everything; then nothing else but `chunks` and `changes` is looked at.
    look, variant, **changes
        Instead of `settings`, as in :func:`image_settings`.
    chunks : int or tuple of int, optional
        Chunk height and width of both arrays.

    Returns
    -------
    SyntheticImage
        Image ``(Y, X, 3)`` or ``(Y, X)`` uint8, and labels ``(Y, X)`` int32; both are dask arrays.

    Raises
    ------
    UnknownNameError, SettingsError
        If there is no such look, variant or setting, or a value cannot be.

    Examples
    --------
    >>> made = synthetic_image(look="bright-field", size=(300, 400), seed=1, **{"look.blur": 1.2})
    >>> made.image.data.shape, made.settings.look.blur
    ((300, 400, 3), 1.2)
    """
    if settings is None:
        settings = MICROSCOPES[look].variant(variant)
    if changes:
        settings = changed(settings, changes)
    return MICROSCOPES[look_of(settings)].make(settings, chunks)


def to_record(settings: Any) -> dict[str, Any]:
    """Return settings and their look as JSON values."""
    return {"look": look_of(settings), "settings": to_dict(settings)}


def from_record(record: Mapping[str, Any]) -> Any:
    """Return the settings of a record that :func:`to_record` made; keys of others' are left alone.

    Raises
    ------
    SettingsError, UnknownNameError
        If it is no such record.
    """
    if not isinstance(record, Mapping) or not {"look", "settings"} <= set(record):
        raise SettingsError("These are no settings of a synthetic image: 'look' and 'settings' are missing.")
    return from_dict(type(MICROSCOPES[str(record["look"])].settings), record["settings"])


def resized(settings: Any, size: tuple[int, int]) -> Any:
    """Return settings for another height and width, for a preview."""
    return replace(settings, size=size)
