"""Method files: a method with its settings as JSON, to be used on other images."""

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import ModelError, MpsegError, SettingsError
from napari_mpseg.files import finished_at
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.registry import METHODS, MethodEntry
from napari_mpseg.settings import from_dict, to_dict

if TYPE_CHECKING:
    from napari_mpseg.inference.background import BackgroundSettings

KIND = "napari-mpseg method"
FORMAT = 1
_KEYS = ("kind", "format", "method", "options", "background", "threshold", "min_size", "note")
_REQUIRED = ("kind", "format", "method", "options")
_LARGEST = 2**20  # bytes; a method file is a few lines


@dataclass(frozen=True)
class SavedMethod:
    """A registered method with its settings.

    Attributes
    ----------
    method : str
        Registered name.
    options : mapping
        Its options, as the factory takes them, such as ``{"channel": "red"}``.
    background : BackgroundSettings, optional
        How the background is subtracted first.
    threshold : float, optional
        Probability above which pixels are particle; without, the method's own.
    min_size : int, optional
        Particles of fewer pixels are dropped; without, the pipeline's default.
    note : str
        What its author wanted to say about it.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    SettingsError
        If there is no such option, a value does not fit, or something cannot be saved.
    """

    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    background: "BackgroundSettings | None" = None
    threshold: float | None = None
    min_size: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        entry = METHODS[self.method]
        _check_options(entry, self.options)
        _check_pipeline(self.threshold, self.min_size)
        if not isinstance(self.note, str):
            raise SettingsError(f"A note must be a text, not {self.note!r}.")

    def entry(self, name: str) -> MethodEntry:
        """Return the entry of the method with these settings, under the name of its file."""
        base = METHODS[self.method]
        asked = {"background": self.background, "threshold": self.threshold, "min_size": self.min_size}
        return dataclasses.replace(
            base,
            name=name,
            title=name,
            summary=self.note or f"{base.title}, with settings from a file.",
            options={**base.options, **self.options},
            inputs=tuple(one for one in base.inputs if one.name not in self.options),
            defaults={key: value for key, value in asked.items() if value is not None},
        )


def save_method(
    path: str | os.PathLike[str],
    method: str,
    options: Mapping[str, Any] | None = None,
    *,
    background: "BackgroundSettings | str | None" = None,
    threshold: float | None = None,
    min_size: int | None = None,
    note: str = "",
    overwrite: bool = True,
) -> Path:
    """Save a registered method with its settings, for other images.

    Parameters
    ----------
    path : path-like
        The file; its ending must be ``.json``. Its name without the ending is what menus and results show.
    method : str
        Registered name.
    options : mapping, optional
        Options of the method; those not given keep the method's defaults.
    background : BackgroundSettings or str, optional
        Such as ``"rolling-ball:50"``.
    threshold : float, optional
        Probability above which pixels are particle.
    min_size : int, optional
        Particles of fewer pixels are dropped.
    note : str
        Anything to remember: what it is for, who made it.
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    SettingsError
        If the method has no such option, a value does not fit, or something belongs to one image and cannot be saved:
        clicked points, painted labels.
    StoreError
        If the file cannot be written.
    """
    from napari_mpseg.inference.background import find_background

    path = Path(path)
    if path.suffix.lower() != ".json":
        raise SettingsError(f"A method file must end in .json, and {path.name!r} does not. Name it {path.stem}.json.")
    saved = SavedMethod(method, dict(options or {}), find_background(background), threshold, min_size, note)
    values = {"kind": KIND, "format": FORMAT, **_told(saved)}
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with finished_at(path, overwrite=overwrite) as part:
        part.write_text(text, encoding="utf-8")
    return path


def load_method(path: str | os.PathLike[str]) -> SavedMethod:
    """Read a method file; nothing in it is executed.

    Raises
    ------
    ModelError
        If it cannot be read, is no method file, or is one of a newer version; if its method is unknown, has no such
        option, or a value does not fit.
    """
    path = Path(path)
    values = _values(path)
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise ModelError(f"{path} is no method file: it does not say {KIND!r}. Choose one that napari-mpseg saved.")
    number = values.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ModelError(f"{path} says the format {number!r}, and formats are numbered from 1. The file is damaged.")
    if number > FORMAT:
        raise ModelError(
            f"{path} is of format {number}, and this version reads up to {FORMAT}. Install a newer napari-mpseg."
        )
    unknown, missing = sorted(set(values) - set(_KEYS)), [key for key in _REQUIRED if key not in values]
    if unknown or missing:
        what = f"holds the unknown {', '.join(unknown)}" if unknown else f"lacks {', '.join(missing)}"
        raise ModelError(f"{path} {what}. A method file has: {', '.join(_KEYS)}.")
    try:
        return _saved(values)
    except MpsegError as error:
        raise ModelError(f"{path}: {error}") from error


def entry_of(path: str | os.PathLike[str]) -> MethodEntry:
    """Return the entry of a method file, called as the file without its ending; raises as :func:`load_method`."""
    return load_method(path).entry(Path(path).stem)


def _values(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"{path} is too large for a method file. Choose one that napari-mpseg saved.")
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, MpsegError):
            raise
        raise ModelError(f"{path} is no JSON: {error}. The file is damaged, or it is no method file.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a name is there twice among {', '.join(name for name, _ in pairs)}")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _saved(values: Mapping[str, Any]) -> SavedMethod:
    from napari_mpseg.inference.background import BackgroundSettings

    if not isinstance(values["method"], str) or not isinstance(values["options"], dict):
        raise SettingsError("method must be a name, and options an object.")
    background = values.get("background")
    return SavedMethod(
        values["method"],
        values["options"],
        None if background is None else from_dict(BackgroundSettings, background),
        values.get("threshold"),
        values.get("min_size"),
        values.get("note", ""),
    )


def _told(saved: SavedMethod) -> dict[str, Any]:
    """Return what is written; what was left to the defaults is left out."""
    options = {name: _plain(name, value) for name, value in saved.options.items()}
    told: dict[str, Any] = {"method": saved.method, "options": options}
    if saved.background is not None:
        told["background"] = to_dict(saved.background)
    for name in ("threshold", "min_size"):
        if getattr(saved, name) is not None:
            told[name] = getattr(saved, name)
    if saved.note:
        told["note"] = saved.note
    return told


def _plain(name: str, value: Any) -> Any:
    """Return the value of an option as JSON values: its own plain form, or that of a settings dataclass."""
    if hasattr(value, "plain"):
        value = value.plain()
    elif dataclasses.is_dataclass(value):
        value = to_dict(value)
    elif isinstance(value, (list, tuple)):
        return [_plain(name, each) for each in value]
    if hasattr(value, "item") and not getattr(value, "shape", None):
        value = value.item()
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{name} {value!r} cannot be saved ({error}).") from error
    return value


def _check_options(entry: MethodEntry, options: Mapping[str, Any]) -> None:
    for one in entry.inputs:
        if one.kind != "settings" and one.name in options:
            raise SettingsError(
                f"{one.title} belong to one image and cannot be saved with {entry.name}. Leave {one.name} out; it is "
                "given with each image."
            )
    own = [one.name for one in entry.inputs if one.kind == "settings"]
    known = {option.name: option for option in options_of(entry)}
    for name, value in options.items():
        if name not in known and name not in own:
            has = ", ".join([*own, *known]) or "none"
            raise SettingsError(f"{entry.name} has no option {name!r}. It has: {has}.")
        if name in known:
            known[name].checked(value)
            if isinstance(value, float) and not math.isfinite(value):
                raise SettingsError(f"{name} must be a number, not {value}.")
    missing = [one for one in entry.inputs if one.name in own and options.get(one.name) is None]
    if missing:
        raise SettingsError(f"{entry.name} needs {missing[0].name}: {missing[0].summary}.")
    if own:
        entry.build(**options)  # says what is wrong with settings of its own kind; such methods cost nothing to build


def _check_pipeline(threshold: Any, min_size: Any) -> None:
    from napari_mpseg.inference.segmentation import MaskSettings

    if threshold is not None and (not isinstance(threshold, (int, float)) or isinstance(threshold, bool)):
        raise SettingsError(f"The threshold must be a number from 0 up to, not including, 1, not {threshold!r}.")
    if min_size is not None and (not isinstance(min_size, int) or isinstance(min_size, bool)):
        raise SettingsError(f"The minimum size must be a whole number of pixels, not {min_size!r}.")
    MaskSettings(0.5 if threshold is None else threshold, 0 if min_size is None else min_size)
