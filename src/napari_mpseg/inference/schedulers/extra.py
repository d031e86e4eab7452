"""dask.distributed, where it is installed."""

from types import ModuleType

from napari_mpseg.errors import SettingsError


def distributed() -> ModuleType:
    """Return the package.

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    try:
        import distributed as found
    except ImportError as error:
        raise SettingsError(
            f"A dask cluster needs the package distributed ({error}). Install it: "
            'pip install "napari-mpseg[distributed]". Threads and processes of this machine need nothing more.'
        ) from error
    module: ModuleType = found
    return module
