"""What a folder of a comparison was made with: going on with anything else would mix what cannot be compared."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.comparison.case import has_case
from napari_mpseg.errors import SettingsError
from napari_mpseg.files import finished_at

SETTINGS = "settings.json"
_PARTS = ("all", "images", "methods")
_CONTENTS = {"digest": "model", "model": "model", "image": "image", "truth": "truth", "labels": "labels"}
_NEW = ("described", "model")  # not in the folders of earlier versions


def go_on_with(out: Path, common: Mapping[str, Any], images: Mapping[str, Any], methods: Mapping[str, Any]) -> None:
    """Note the settings in `out`, beside those that are there; more images and more methods may come later.

    Parameters
    ----------
    out : Path
        Folder of the comparison.
    common : mapping
        What holds for all cases.
    images, methods : mapping
        What decides about an image and a row, by name. An image without any finished case may change: one that could
        not be used is repaired and gone on with.

    Raises
    ------
    SettingsError
        If one of them was another before; the message says which.
    """
    place = out / SETTINGS
    here: dict[str, Any] = json.loads(
        json.dumps({"all": dict(common), "images": dict(images), "methods": dict(methods)}, default=str)
    )
    there = _read(place)
    for name in [name for name in there.get("images", {}) if not has_case(out, image=name)]:
        del there["images"][name]
    differences = list(_differences(there, here))
    if differences:
        shown = "; ".join(differences[:3]) + (f"; and {len(differences) - 3} more" if len(differences) > 3 else "")
        raise SettingsError(
            f"{out} holds a comparison with other settings: {shown}. Choose another folder, or give the same settings "
            "to go on."
        )
    merged = {part: {**there.get(part, {}), **here[part]} for part in _PARTS}
    if merged != there:
        with finished_at(place) as part:
            part.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def not_shown(out: Path, labels: Collection[str]) -> list[str]:
    """Return the rows with finished cases in a comparison's folder that are not among these."""
    return [label for label in _read(out / SETTINGS).get("methods", {}) if label not in labels and has_case(out, label)]


def _read(place: Path) -> dict[str, Any]:
    if not place.exists():
        return {}
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not all(isinstance(found.get(part), dict) for part in _PARTS):
            raise ValueError("it holds no settings of a comparison")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{place} cannot be read: {error}. Choose another folder.") from error
    return found


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterable[str]:
    for part in _PARTS if there else ():
        for name, value in here[part].items():
            if name in there[part] and there[part][name] != value:
                yield from _told(name, there[part][name], value)


def _told(name: str, before: Any, now: Any) -> Iterable[str]:
    """Say what differs, down to single settings."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        yield f"{name} was {before!r} and is {now!r}"
        return
    for key in {**before, **now}:
        there, here = before.get(key), now.get(key)
        if there == here:
            continue
        if key in _CONTENTS and key in before:
            yield f"{name}: the {_CONTENTS[key]} has changed"
        elif key in now and key not in before and key in _NEW:
            yield f"{name}: an earlier version, which did not keep all settings, began it"
        elif isinstance(there, dict) and isinstance(here, dict):
            yield from _told(name, there, here)
        else:
            yield f"{name}: {key} was {there!r} and is {here!r}"
