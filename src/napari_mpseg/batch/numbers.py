"""Numbers as people write them into tables."""

import re
from typing import Any

from napari_mpseg.errors import SettingsError


def written_number(value: Any) -> str:
    """Return a number to six significant digits, as the tables have it; whole ones without decimals.

    Examples
    --------
    >>> [written_number(value) for value in (4.0, 10 / 3, 12345678.0, -0.0, 0.00001234)]
    ['4', '3.33333', '12345700', '0', '1.234e-05']
    """
    text = f"{value:.6g}"
    if "e+" in text:
        text = f"{float(text):.0f}"
    return "0" if text == "-0" else text


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
