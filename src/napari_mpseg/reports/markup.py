"""HTML from plain values: everything that is not markup already is escaped."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

_EMPTY = ("img", "meta", "br")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: Any, **attributes: Any) -> Markup:
    """Return an element; what is in it is escaped unless it is markup.

    Parameters
    ----------
    tag : str
        Such as ``"td"``.
    *children
        Markup, or anything to be shown as text.
    **attributes
        Values are escaped; ``class_`` stands for ``class``; None leaves an attribute out.

    Examples
    --------
    >>> element("b", "a < b", class_="x")
    '<b class="x">a &lt; b</b>'
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{given}>" if tag in _EMPTY else f"<{tag}{given}>{joined(children)}</{tag}>")


def joined(parts: Iterable[Any]) -> Markup:
    """Return several parts one after the other, each escaped unless it is markup."""
    return Markup("".join(part if isinstance(part, Markup) else escape(str(part)) for part in parts))


def table(caption: Any, heads: Sequence[Any], rows: Sequence[Sequence[Any]], *, sums: bool = False) -> Markup:
    """Return a table whose first column holds names, to the left, and the others numbers, to the right.

    Parameters
    ----------
    caption : str or Markup
        Above the table.
    heads : sequence
        Headings of the columns.
    rows : sequence of sequences
        Texts, numbers or markup; numbers are shown by :func:`number`.
    sums : bool
        Whether the last row holds sums.
    """
    last = len(rows) - 1 if sums else None
    head = element("thead", element("tr", *(element("th", text, scope="col") for text in heads)))
    body = element("tbody", *(_row(row, "sum" if k == last else None) for k, row in enumerate(rows)))
    return element("div", element("table", element("caption", caption), head, body), class_="wide")


def pairs(rows: Iterable[tuple[Any, Any]]) -> Markup:
    """Return names and what belongs to them, as a definition list."""
    return element("dl", *(joined([element("dt", name), element("dd", value)]) for name, value in rows))


def number(value: float | int | None, digits: int = 4) -> str:
    """Return a number for people: whole ones and those from 1000 on without decimals, else `digits` significant ones.

    Examples
    --------
    >>> number(14733), number(0.94812), number(12345.6), number(float("nan")), number(None)
    ('14733', '0.9481', '12346', '–', '–')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, int) or not math.isfinite(value):
        return str(value).replace("inf", "∞")
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.{digits}g}".replace("e-0", "e-")


def unit_text(unit: str) -> str:
    """Return a unit as people write it.

    Examples
    --------
    >>> unit_text("um2"), unit_text("deg"), unit_text("")
    ('µm²', '°', '')
    """
    text = {"deg": "°", "angstrom": "Å", "angstrom2": "Å²"}.get(unit, unit)
    return text.replace("um", "µm").removesuffix("2") + "²" if text.endswith("2") else text.replace("um", "µm")


def size_text(name: str) -> str:
    """Return the name of a size class as people write it: ``"≥ 500 µm"``."""
    return str(name).replace("um", "µm").replace(">=", "≥ ").replace("<", "< ").replace("-", "–")


def heading(name: str) -> str:
    """Return the name of a setting for people: ``"Tile size"``."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _row(cells: Sequence[Any], kind: str | None) -> Markup:
    first, *rest = cells
    numbers = (element("td", _shown(cell)) for cell in rest)
    return element("tr", element("th", _shown(first), scope="row"), *numbers, class_=kind)


def _shown(cell: Any) -> Any:
    return number(cell) if cell is None or isinstance(cell, (int, float)) else cell
