"""A name of its own for the results of every image, so that none are written over others'."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from napari_mpseg.exchange.names import file_stem

_RESERVED = ("batch",)  # batch_run.json is the batch's own


def assign_names(images: Sequence[tuple[Path, str]], given: Mapping[Path, str]) -> dict[Path, str]:
    """Return what the results of each image are called.

    That is the image's own name; where two have the same, their folders come before it (``"may_a"``, ``"june_a"``),
    or their endings behind it (``"a_tif"``, ``"a_png"``), or a number. Names that were given before stay.

    Parameters
    ----------
    images : sequence of tuple
        Absolute path, and the image's own name.
    given : mapping of Path to str
        Of all images that have results in the folder already.
    """
    names = {path: given[path] for path, _ in images if path in given}
    used = {_key(name) for name in (*given.values(), *_RESERVED)}
    left = [(path, own) for path, own in images if path not in names]
    for level in range(max((len(path.parts) for path, _ in left), default=0) + 2):
        proposed = [(path, own, _proposal(path, own, level)) for path, own in left]
        keys = [_key(name) for *_, name in proposed]
        times = Counter(keys)
        left = []
        for (path, own, name), key in zip(proposed, keys, strict=True):
            if times[key] == 1 and key not in used:
                names[path] = name
            else:
                left.append((path, own))
        used |= {_key(name) for name in names.values()}
    for path, own in left:
        number = 2
        while _key(f"{own}_{number}") in used:
            number += 1
        names[path] = f"{own}_{number}"
        used.add(_key(names[path]))
    return names


def _proposal(path: Path, own: str, level: int) -> str:
    """Return the name itself, then with its ending, then with more and more folders before it."""
    if level == 0:
        return own
    folders = [part for part in path.parts[:-1] if part.strip("/\\")]
    if level == 1:
        return "_".join([*folders[-1:], own])
    ending = path.suffix.lstrip(".")
    return "_".join([*folders[-(level - 2) :][: level - 2], own, ending])


def _key(name: str) -> str:
    """Return what two names have in common that would be one file: on some systems case does not count."""
    return file_stem(name).casefold()
