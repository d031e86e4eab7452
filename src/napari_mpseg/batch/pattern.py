"""Metadata in the names of images."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from napari_mpseg.batch.metadata import read_heading
from napari_mpseg.errors import SettingsError
from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.images import open as _readers  # noqa: F401 - registers them
from napari_mpseg.images.readers import file_readers

KINDS = {
    "text": r"[^/]+",
    "letters": r"[^\W\d_]+",
    "digits": r"\d+",
    "number": r"\d+(?:[.,]\d+)?",
}
"""What a field may be made of: ``{replicate:digits}``."""

_FIELD = re.compile(r"\{([^{}]*)\}|(\*)|([^{}*]+)|(.)", re.DOTALL)


@dataclass(frozen=True)
class NamePattern:
    """A pattern of names, from :func:`read_pattern`.

    Attributes
    ----------
    text : str
        As given.
    fields : tuple of str
        Names of its fields.
    """

    text: str
    fields: tuple[str, ...]
    _parts: tuple[tuple[str, str], ...] = field(repr=False, default=())  # as written, and as a regular expression

    def read(self, path: Path) -> dict[str, str]:
        """Return what the name says, by field.

        Parameters
        ----------
        path : Path
            As many folders of it are looked at as the pattern has.

        Raises
        ------
        SettingsError
            If the name does not fit: it says from where on.

        Examples
        --------
        >>> read_pattern("{sample}_{replicate}.tif").read(Path("scans/lake_A_2.tif"))
        {'sample': 'lake_A', 'replicate': '2'}
        """
        name = self._looked_at(path)
        found = re.fullmatch("".join(part for _, part in self._parts), name, re.IGNORECASE)
        if found is None:
            raise SettingsError(f"The name {name} does not fit the pattern {self.text}: {self._why(name)}.")
        return dict(zip(self.fields, found.groups(), strict=True))

    def _looked_at(self, path: Path) -> str:
        last = path.name if _has_suffix(self.text) else labels_stem(path) if _is_tiff_or_zarr(path) else path.stem
        folders = self.text.count("/")
        return "/".join([*path.parts[:-1][-folders:], last] if folders else [last])

    def _why(self, name: str) -> str:
        expressions = [part for _, part in self._parts]
        fitting = len(expressions)
        while fitting and not re.match("".join(expressions[:fitting]), name, re.IGNORECASE):
            fitting -= 1
        if fitting == len(expressions):
            return "there is more behind it"
        expected = self._parts[fitting][0]
        if not fitting:
            return f"it does not begin with {expected}"
        return f"{''.join(written for written, _ in self._parts[:fitting])} fits, and then {expected} is missing"


def read_pattern(text: str) -> NamePattern:
    """Read a pattern of names.

    Parameters
    ----------
    text : str
        A name with fields in braces, such as ``"{sample}_{replicate:digits}.tif"``; ``{site:letters}``,
        ``{volume_ml:number}``; ``*`` stands for anything. Folders before it are looked at too:
        ``"{sample}/{replicate}.tif"``. Without an ending the names are looked at without theirs. Where a name can be
        read in several ways, the first field takes as much as it can. Upper and lower case are the same.

    Raises
    ------
    SettingsError
        If there is no field, one comes twice, or a brace or a kind makes no sense.

    Examples
    --------
    >>> read_pattern("{sample}_{replicate}").fields
    ('sample', 'replicate')
    """
    written = text.replace("\\", "/")
    parts: list[tuple[str, str]] = []
    fields: list[str] = []
    for found in _FIELD.finditer(written):
        name, star, plain, odd = found.groups()
        if odd is not None:
            raise SettingsError(f"The pattern {text!r} has a lonely {odd!r}. Fields are written {{sample}}.")
        if name is not None:
            parts.append((found[0], _field(name, fields, text)))
        else:
            parts.append((found[0], r"[^/]*" if star else re.escape(plain)))
    if not fields:
        raise SettingsError(f"The pattern {text!r} has no field, such as {{sample}} in '{{sample}}_{{replicate}}.tif'.")
    return NamePattern(written, tuple(fields), tuple(parts))


def _field(inside: str, fields: list[str], text: str) -> str:
    name, _, kind = (one.strip() for one in inside.partition(":"))
    if not re.fullmatch(r"[^\W\d]\w*", name):
        raise SettingsError(f"The pattern {text!r} has a field {inside!r}. A field is a word, such as {{sample}}.")
    if name in fields:
        raise SettingsError(f"The pattern {text!r} has the field {name} twice.")
    if kind and kind not in KINDS:
        raise SettingsError(f"The pattern {text!r} has a field of the kind {kind!r}. Known are {', '.join(KINDS)}.")
    heading = read_heading(name)  # refuses a volume without a unit
    fields.append(name)
    return f"({KINDS[kind or ('number' if heading.name.endswith(('_l', '_mm2')) and heading.known else 'text')]})"


def _has_suffix(text: str) -> bool:
    return text.lower().endswith(tuple(suffix for reader in file_readers.values() for suffix in reader.suffixes))


def _is_tiff_or_zarr(path: Path) -> bool:
    return path.suffix.lower() in (".tif", ".tiff", ".zarr")
