"""Numbers as people write them into tables."""

import re

from napari_mpseg.errors import SettingsError


def read_number(text: str, what: str) -> float:
    """Read ``1.5``, ``1,5``, ``1.234,5``, ``1,234.5``, ``1e-3``.

    A single comma is a decimal comma; of a comma and a point the last one is the decimal mark.

    Raises
    ------
    SettingsError
        If it is no number, or ``1,234``, which means 1.234 to some and 1234 to others.

    Examples
    --------
    >>> read_number("1.234,5", "volume")
    1234.5
    """
    plain = re.sub(r"[\s'’\u00a0\u202f]", "", text)
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})", plain):
        whole, part = plain.split(",")
        raise SettingsError(f"{what} {text!r} may be {whole}.{part} or {whole}{part}. Write it without the comma.")
    if "," in plain and "." in plain:
        thousands = "," if plain.rindex(".") > plain.rindex(",") else "."
        plain = plain.replace(thousands, "")
    plain = plain.replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", plain):
        raise SettingsError(f"{what} {text!r} is no number.")
    return float(plain)
