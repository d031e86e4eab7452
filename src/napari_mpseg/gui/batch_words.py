"""What the core says of a batch, in the words of the widget: names of fields in place of flags, no long paths."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.gui.memory import WHERE_SET

if TYPE_CHECKING:
    from napari_mpseg.batch.differences import Difference

OVERWRITE = "Overwrite what was made otherwise"
_LABELS = {
    "min_size": "minimum size",
    "skip_empty": "empty parts",
    "tta": "test-time augmentation",
}
_LEFT_OPEN = {
    "background": "none",
    "channels": "all",
    "min_size": "as usual",
    "pixel_size": "as the files say",
    "skip_empty": "computed like the rest",
    "threshold": "automatic",
    "tta": "none",
}
_LONGEST = 60  # letters of a value


def said_here(message: object) -> str:
    """Return a message without the names of flags, which nobody can give here."""
    text = re.sub(r"\b([Aa])sk to overwrite(?: \(--overwrite\))?", _tick, str(message))
    return re.sub(r" \(--[a-z-]+\)| or --[a-z-]+(?=[ .,:;])", "", text)


def said_of(message: object, path: Path) -> str:
    """Return the same of an image, called by its name alone: where it lies is told beside its name in the table."""
    return said_here(message).replace(str(path), path.name)


def with_name(path: Path, message: str) -> str:
    """Return a message that begins with the name of its image, once."""
    return message if message.startswith(path.name) else f"{path.name}: {message}"


def without_folders(text: str, inputs: Sequence[str]) -> str:
    """Return a message with files named without the folders that were chosen."""
    for one in inputs:
        for folder in (Path(one), Path(one).parent):
            if len(folder.parts) > 1:
                text = text.replace(f"{folder}{os.sep}", "")
    return text


def with_place(message: str, runtime: str | None) -> str:
    """Return a message on the runtime, which is chosen in the preferences, with where that is."""
    about = runtime is not None and re.match(rf"(The )?[Rr]untime {re.escape(repr(runtime))}", message)
    return f"{message} It is set under {WHERE_SET}." if about else message


def in_settings(differences: Sequence[Difference]) -> str:
    """Return how settings differ, such as ``"threshold was automatic and is 0.4"``."""
    method = any(one.name == "method" for one in differences)
    parts = []
    for one in differences:
        if one.name == "options":
            before, now = one.before or {}, one.now or {}
            parts += (
                [] if method else [_one(name, before, now) for name in {**before, **now} if _differs(name, before, now)]
            )
        elif one.name != "model":
            parts.append(_one(one.name, {one.name: one.before}, {one.name: one.now}))
        elif not method:
            parts.append("the files of the method were others")
    return "; ".join(parts) or "it is not known how"


def made_otherwise(differences: Sequence[Difference], images: int) -> str:
    """Return why a batch cannot go on where results were made with other settings, and what can be done."""
    many = "1 image has results that were" if images == 1 else f"{images:,} images have results that were"
    return (
        f"{many} made otherwise: {in_settings(differences)}. Set it as it was, choose another folder for the results, "
        f"or tick “{OVERWRITE}”; what was decided on their particles is lost then."
    )


def without_pixel_size(images: int) -> str:
    """Return what it means that so many images have no pixel size, and what to do; empty for none."""
    if not images:
        return ""
    have = "1 image has" if images == 1 else f"{images:,} images have"
    return f"{have} no pixel size: sizes are in pixels. Give one under “Pixel size” if it is the same in all images."


def _tick(found: re.Match[str]) -> str:
    return f"{'T' if found[1] == 'A' else 't'}ick “{OVERWRITE}”"


def _differs(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return bool(before.get(name) != now.get(name))


def _one(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    was, now_is = (_value(name, one.get(name)) for one in (before, now))
    return f"{_LABELS.get(name, name.replace('_', ' '))} was {was} and is {now_is}"


def _value(name: str, value: Any) -> str:
    if value is None:
        return _LEFT_OPEN.get(name, "as usual")
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"{text} px" if name == "min_size" else text
