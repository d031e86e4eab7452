"""The one table that a path stands for: the table itself, or that of a folder of results."""

from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.errors import SettingsError

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable


def read_one_table(path: Path) -> "ParticleTable":
    """Read a table, or the only one that `segment` or `measure` wrote into a folder.

    Raises
    ------
    SettingsError
        If the folder holds several.
    StoreError
        If the folder holds none, or the table cannot be read.
    """
    from napari_mpseg.particles.table import ParticleTable

    if not path.is_dir():
        return ParticleTable.read(path)
    from napari_mpseg.reports.loading import measured_files

    found = measured_files(path)
    if len(found) > 1:
        names = ", ".join(each.table.name for each in found)
        raise SettingsError(f"{path} holds several tables ({names}). Give one of them.")
    return found[0].item().table
