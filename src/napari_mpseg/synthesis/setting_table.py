"""The tables and pictures of ``docs/synthesis.md``, made from the settings themselves.

``python -m napari_mpseg.synthesis.setting_table docs/synthesis.md`` writes them anew.
"""

import sys
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from napari_mpseg.marked_page import with_tables
from napari_mpseg.synthesis.microscopes import MICROSCOPES, synthetic_image
from napari_mpseg.synthesis.setting import Setting, settings_of


def setting_table(look: str) -> str:
    """Return the settings of a look as a Markdown table; parts of one setting share a row."""
    lines = ["| setting | usual | unit | in the form | what it is |", "|---|---|---|---|---|"]
    for (owner, meaning), group in groupby(settings_of(MICROSCOPES[look].settings), key=_owner):
        found = list(group)
        shown = found[0].range
        parts = "".join(f".{{{', '.join(one.path.rpartition('.')[2] for one in found)}}}" if len(found) > 1 else "")
        values = ", ".join(_said(one.value) for one in found)
        bounds = "yes or no" if isinstance(found[0].value, bool) else f"{_said(shown.low)} to {_said(shown.high)}"
        unit = shown.unit.replace("um", "µm").replace("mm2", "mm²")
        lines.append(f"| `{owner}{parts}` | {values} | {unit} | {bounds} | {meaning} |")
    return "\n".join(lines)


def _owner(setting: Setting) -> tuple[str, str]:
    """Return the name that settings of one row share, and their explanation."""
    before, _, last = setting.path.rpartition(".")
    return (before if last in setting.range.parts else setting.path), setting.help.replace("``", "`")


def _said(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


TABLES = {f"settings of {look}": partial(setting_table, look) for look in MICROSCOPES}

_SIDE = 300  # px
# more particles than usual, so that a small picture shows all kinds
_SHOWN: dict[str, dict[str, Any]] = {
    "fluorescence": {"size": (1200, 1200), "density_per_mm2": 40.0, "median_length_um": 20.0},
    "bright-field": {
        "size": (1200, 1200),
        "density_per_mm2": 25.0,
        "median_length_um": 18.0,
        "look.sediment_per_mm2": 15.0,
    },
    "sem": {"size": (300, 300)},
}


def picture(look: str) -> Any:
    """Return a typical part of an image of a look, 300 x 300 px; of a filter, at the membrane's edge."""
    data = synthetic_image(look=look, seed=7, **_SHOWN[look]).image.data
    middle = (data.shape[0] - _SIDE) // 2
    return data[middle : middle + _SIDE, :_SIDE].compute()


if __name__ == "__main__":
    from PIL import Image

    page = Path(sys.argv[1])
    page.write_text(with_tables(page.read_text(encoding="utf-8"), TABLES), encoding="utf-8")
    for name in MICROSCOPES:
        Image.fromarray(picture(name)).save(page.parent / "images" / f"synthetic-{name}.png", optimize=True)
