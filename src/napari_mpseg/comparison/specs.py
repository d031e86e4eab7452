"""A method as a text: ``otsu``, ``otsu:channel=red``, ``Otsu on red=otsu:channel=red``, ``models/mine``."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_mpseg.comparison.contender import Contender
from napari_mpseg.comparison.methods import HeldOutContender, MethodContender, checked_entry
from napari_mpseg.comparison.seen import WITHOUT, is_crossval, read_folds
from napari_mpseg.errors import SettingsError
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.inference.augmentation import tta_names
from napari_mpseg.inference.background import find_background
from napari_mpseg.methods.options import options_of, parse_options
from napari_mpseg.methods.registry import METHODS


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise SettingsError(f"threshold={text!r} is no probability; give a number from 0 up to 1.")
    return value


def _yes(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise SettingsError(f"rescale={text!r} is neither yes nor no.")
    return text.lower() in ("yes", "true")


def _background(text: str) -> str:
    find_background(text)  # raises
    return text


def _augmentations(text: str) -> list[str]:
    names = [] if text == "none" else [name.strip() for name in text.split(",")]
    tta_names(names)  # raises
    return names


_AROUND: dict[str, Callable[[str], Any]] = {
    "background": _background,
    "threshold": _number,
    "tta": _augmentations,
    "rescale": _yes,
}


def contenders_of(specs: "str | Sequence[str | Contender]") -> list[Contender]:
    """Return the rows of a comparison.

    Parameters
    ----------
    specs : str, or sequence of str or Contender
        See :data:`~napari_mpseg.comparison.spec_help.SPECS`.

    Raises
    ------
    SettingsError
        If there is none, two have one heading, or an option is wrong.
    UnknownNameError
        If there is no such method.
    """
    several = [specs] if isinstance(specs, str) else specs
    found = [contender_of(spec) if isinstance(spec, str) else spec for spec in several]
    if not found:
        raise SettingsError("Name at least one method to compare, such as mp-vat or default.")
    taken: set[str] = set()
    for one in found:
        stem = file_stem(one.label).lower()  # rows are kept in files of their names
        if stem in taken:
            raise SettingsError(f"Two rows would be called {one.label!r}. Give one another heading: 'Heading=METHOD'.")
        taken.add(stem)
    return found


def contender_of(spec: str) -> Contender:
    """Return the row that a text stands for; see :func:`contenders_of`."""
    label, method, texts = parse_spec(spec)
    path = Path(method)
    if method not in METHODS and path.is_dir() and is_crossval(path):
        first = path / f"{WITHOUT}{next(iter(read_folds(path)))}"
        options, around = _split(str(first), texts)
        return HeldOutContender(label, path, options, around)
    options, around = _split(method, texts)
    return MethodContender(label, method, options, around)


def parse_spec(spec: str) -> tuple[str, str, str]:
    """Return heading, method and options of a spec.

    Examples
    --------
    >>> parse_spec("Red=otsu:channel=red,background=rolling-ball:50")
    ('Red', 'otsu', 'channel=red,background=rolling-ball:50')
    """
    text = spec.strip()
    if not text.partition(":")[0]:
        raise SettingsError(f"{spec!r} names no method. Write METHOD or METHOD:OPTION=VALUE, such as otsu:channel=red.")
    if text in METHODS or Path(text).exists():
        return _heading(text), text, ""
    label = ""
    before, mark, after = text.partition("=")
    if mark and ":" not in before and before.strip() and after.strip():
        label, text = before.strip(), after.strip()
    method, options = _method_of(text)
    return label or _heading(method) + (f":{options}" if options else ""), method, options


def _heading(method: str) -> str:
    """Return the name itself, or of a path its last part."""
    return method if method in METHODS else Path(method).name.removesuffix(".json") or method


def _method_of(text: str) -> tuple[str, str]:
    """Return the method, which may be a path with colons in it, and its options."""
    if text in METHODS or Path(text).exists():
        return text, ""
    for place, letter in enumerate(text):
        if letter == ":" and (text[:place] in METHODS or Path(text[:place]).exists()):
            return text[:place], text[place + 1 :]
    method, _, options = text.partition(":")
    return method, options  # an unknown one, of which the registry says what there is


def _split(method: str, options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the method's own options, and what goes to ``segment`` beside them."""
    entry = checked_entry(method)
    options_there = {option.name: option for option in options_of(entry)}
    own = {*options_there, *(one.name for one in entry.inputs)}
    mine: list[str] = []
    around: dict[str, Any] = {}
    for text in _texts(options, {*own, *_AROUND}):
        name, _, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if name in _AROUND and name not in own:  # a method's own option of that name comes first
            if name in around:
                raise SettingsError(f"{name} is given twice: {around[name]} and {value}. Leave one of them out.")
            around[name] = _AROUND[name](value)
        else:
            mine.append(text)
    if not entry.network and (around.get("tta") or around.get("rescale")):
        what = "Test-time augmentation (tta)" if around.get("tta") else "Rescaling (rescale)"
        raise SettingsError(f"{what} is for networks, and {entry.name} is none. Leave it out, or choose a network.")
    return parse_options(entry, mine), around


def _texts(options: str, names: set[str]) -> list[str]:
    """Return ``a=1,b=2,3`` as ``a=1`` and ``b=2,3``: what begins with no name belongs to the value before it."""
    found: list[str] = []
    for part in options.split(",") if options else []:
        name = part.partition("=")[0].strip().replace("-", "_")
        if not found or ("=" in part and name in names) or not found[-1].partition("=")[2]:
            found.append(part.strip())
        elif "=" in part and ":" not in found[-1]:
            found.append(part.strip())  # a name there is not, of which the method's options tell
        else:
            found[-1] += f",{part}"
    return found
