"""The point pattern of an image, as in Table 9 of Babkauskas 2023."""

from typing import TYPE_CHECKING

from napari_mpseg.errors import MpsegError, UnknownNameError
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.reports.item import ReportSettings

if TYPE_CHECKING:
    from napari_mpseg.particles.pattern.result import PatternResult
    from napari_mpseg.particles.table import ParticleTable


def patterns(
    table: "ParticleTable",
    shape: tuple[int, int] | None,
    settings: ReportSettings,
    notes: list[str],
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> "tuple[PatternResult, ...]":
    """Test whether the particles lie as if at random, inside the whole image.

    Parameters
    ----------
    table : ParticleTable
        Particles with their centroids.
    shape : tuple of int or None
        Height and width of the image; None if not known, then nothing can be tested.
    settings : ReportSettings
        Which tests, and theirs.
    notes : list of str
        Gets what could not be tested.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    tuple of PatternResult
        Of the tests that could be done.

    Raises
    ------
    UnknownNameError
        If there is no test of a name.
    Cancelled
        If `cancel` was set.
    """
    if shape is None or not settings.pattern:
        return ()
    from napari_mpseg.particles.pattern.analyse import analyse_pattern

    found = []
    for test in settings.pattern:
        try:
            result = analyse_pattern(
                table,
                region=shape,
                test=test,
                settings=settings.pattern_settings,
                on_progress=on_progress,
                cancel=cancel,
            )
        except UnknownNameError:
            raise
        except MpsegError as error:
            notes.append(f"The point pattern was not tested ({test}). {error}")
            continue
        found.append(result)
    return tuple(found)
