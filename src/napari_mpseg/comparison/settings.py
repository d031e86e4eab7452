"""How methods are compared."""

from dataclasses import dataclass

from napari_mpseg.errors import SettingsError

FEW_IMAGES = 8
"""With fewer, intervals by resampling images are too narrow to lean on."""


@dataclass(frozen=True)
class CompareSettings:
    """How the table is made of the cases; any of it may change without running a method again.

    Attributes
    ----------
    metrics : tuple of str
        Columns: names in :data:`napari_mpseg.evaluation.metric.METRICS`; empty for the usual ones.
    resamples : int
        Samples of the images for the intervals; 0 for none.
    level : float
        Share of the samples that an interval holds.
    seed : int
        Of the samples.
    colours : str
        Of the error pictures: a name in :data:`~napari_mpseg.evaluation.errors.ERROR_COLOURS`.
    title : str
        Heading of the page.

    Raises
    ------
    SettingsError
        If a number cannot be.
    """

    metrics: tuple[str, ...] = ()
    resamples: int = 2000
    level: float = 0.95
    seed: int = 0
    colours: str = "paper"
    title: str = "Comparison of methods"

    def __post_init__(self) -> None:
        if self.resamples < 0:
            raise SettingsError(f"{self.resamples} samples are impossible: give 0 for no intervals, or such as 2000.")
        if not 0 < self.level < 1:
            raise SettingsError(f"Level {self.level!r} is impossible: give a share between 0 and 1, such as 0.95.")
