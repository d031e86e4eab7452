"""Options and inputs of a method as the command line gives them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def method_options(method: str, settings: Sequence[str], inputs: Sequence[str]) -> dict[str, Any]:
    """Return what ``--set`` and ``--input`` say, for ``segment(options=...)``.

    Parameters
    ----------
    method : str
        A registered name, a model folder or a method file.
    settings : sequence of str
        ``NAME=VALUE``.
    inputs : sequence of str
        ``NAME=FILE``: labels as an image, points as CSV with columns y and x (napari's ``axis-0`` and ``axis-1`` too).

    Raises
    ------
    SettingsError
        If a text is not of that form, or the method has no such option or input.
    """
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.methods.options import parse_options
    from napari_mpseg.methods.registry import MethodEntry, resolve_method

    entry = resolve_method(method)
    assert isinstance(entry, MethodEntry)
    found = parse_options(entry, settings)
    kinds = {one.name: one.kind for one in entry.inputs if one.kind in _READERS}
    for text in inputs:
        name, mark, file = text.partition("=")
        if not mark or name not in kinds:
            has = f"It takes: {', '.join(kinds)}." if kinds else "It takes none."
            raise SettingsError(f"{entry.name} has no input {name!r}; give NAME=FILE. {has}")
        if name in found:
            raise SettingsError(f"--input {name} is given twice. Leave one of them out.")
        found[name] = _READERS[kinds[name]](Path(file))
    return found


def _labels(path: Path) -> Any:
    from napari_mpseg.images.open import open_image

    return open_image(path).data


def _points(path: Path) -> Any:
    import pandas as pd

    from napari_mpseg.errors import SettingsError

    try:
        frame = pd.read_csv(path)
    except FileNotFoundError:
        raise SettingsError(f"{path} is not there. Check the name and the folder.") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as CSV: {error}.") from None
    for columns in (("y", "x"), ("axis-0", "axis-1")):
        if set(columns) <= set(frame.columns):
            return frame[list(columns)].to_numpy(float)
    raise SettingsError(f"{path} has no columns y and x; it has {', '.join(map(str, frame.columns))}.")


_READERS: dict[str, Callable[[Path], Any]] = {"labels": _labels, "points": _points}
