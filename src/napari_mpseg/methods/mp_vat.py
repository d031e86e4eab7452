"""The MP-VAT macros of ImageJ, in their own order of steps."""

from typing import Annotated, Any, Literal

from napari_mpseg.methods.options import Shown
from napari_mpseg.methods.threshold import LevelSettings, ThresholdMethod


class MacroMethod(ThresholdMethod):
    """A macro's threshold, and whether its own way of counting is wanted beside the particle table.

    Parameters
    ----------
    name : str
        Registered name.
    settings : LevelSettings
        What is compared with the level.
    rule : str
        Name in :data:`~napari_mpseg.methods.thresholds.THRESHOLD_RULES`.
    options : dict
        The options as they were given, for the record.

    Attributes
    ----------
    macro_counting : bool
        Whether the macro's own counts, in which a fragment can count twice, are to be added to the result.
    """

    def __init__(self, name: str, settings: LevelSettings, rule: str, options: dict[str, Any]) -> None:
        super().__init__(name, settings, rule=rule)
        self.macro_counting = bool(options["double_count"])
        self._options = options

    def describe(self) -> dict[str, Any]:
        """Return all settings."""
        return {**super().describe(), "inverted": self.settings.inverted, **self._options}


def mp_vat(
    weighted: Annotated[bool, Shown("Weighted grey")] = False,
    double_count: Annotated[bool, Shown("Macro's counts")] = False,
    device: str = "auto",
) -> MacroMethod:
    """Return MP-VAT: invert, 8-bit, MaxEntropy for dark objects on a light background.

    Parameters
    ----------
    weighted : bool
        Make the grey image with the weights 0.299, 0.587 and 0.114 of red, green and blue, instead of their mean.
        ImageJ does so if "Weighted RGB conversions" is on, which it is not by default.
    double_count : bool
        Add the macro's own counts. It looks for particles three times: fibres (circularity 0 to 0.3), fragments (0.3 to
        0.6), and, after a watershed, particles (0.6 to 1). So a fragment that the watershed cuts into round pieces
        counts once as a fragment and again as its pieces. The table of particles is not changed by this.
    device : str
        Not used.

    References
    ----------
    Prata, Reis, Matos, da Costa, Duarte and Rocha-Santos 2019, doi:10.1016/j.scitotenv.2019.07.060.
    """
    channel = "weighted-grey" if weighted else "grey"
    settings = LevelSettings(channel, "dark", inverted=True, as_bytes=True)
    return MacroMethod("mp-vat", settings, "max-entropy", {"weighted": weighted, "double_count": double_count})


def mp_vat_2(
    channels: Literal["red-green", "red-green-blue"] = "red-green",
    double_count: Annotated[bool, Shown("Macro's counts")] = False,
    device: str = "auto",
) -> MacroMethod:
    """Return MP-VAT 2.0: green, or green and blue, taken from red, then RenyiEntropy for bright objects.

    The original macro could not be found; both readings of its description are here.

    Parameters
    ----------
    channels : str
        What is taken from red: green, or green and then blue. What would be below 0 is 0.
    double_count : bool
        Add the macro's own counts. It looks for particles three times: fibres (circularity 0 to 0.3), fragments (0.3 to
        0.6), and, after a watershed, particles (0.6 to 1). So a fragment that the watershed cuts into round pieces
        counts once as a fragment and again as its pieces. The table of particles is not changed by this.
    device : str
        Not used.

    References
    ----------
    Prata, Alves, da Costa, Duarte and Rocha-Santos 2020, doi:10.1016/j.scitotenv.2020.137498.
    """
    settings = LevelSettings(channels, "bright")
    return MacroMethod("mp-vat-2", settings, "renyi-entropy", {"channels": channels, "double_count": double_count})
