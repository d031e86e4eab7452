"""``napari-mpseg presets``: the training recipes there are."""

import argparse
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import say

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show all settings of one preset")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of it")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="save it, to be changed and used as --preset")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE.json")


def run(options: argparse.Namespace) -> None:
    """List the presets, or show or save one."""
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.settings import to_dict
    from napari_mpseg.training.presets import PRESETS

    if options.name is None:
        if options.set or options.out:
            raise SettingsError("Name the preset to change or save: 'napari-mpseg presets' lists them.")
        for preset in PRESETS.values():
            say(f"{preset.name}")
            text = f"{preset.title}. {preset.source}. {_in_short(preset)}."
            say(textwrap.indent(textwrap.fill(text, 92), "    "))
        say("\n'napari-mpseg presets NAME' shows every setting of one.")
        return
    chosen = preset_of(options.name, options.set)
    if options.out is None:
        say(json.dumps(to_dict(chosen), indent=2, ensure_ascii=False))
        return
    chosen.save(options.out, overwrite=options.overwrite)
    say(f"Preset    {options.out}")


def preset_of(name: str, changes: Sequence[str], before: str | None = None) -> "Preset":
    """Return the preset of a name or file with the changes ``KEY=VALUE``.

    Parameters
    ----------
    before : str, optional
        What is learnt from first: ``"synthetic"``, ``"semi"``, a folder, or ``"none"``.
    """
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.training.preset import parse_value
    from napari_mpseg.training.presets import find_preset

    values: dict[str, Any] = {} if before is None else {"before": None if before == "none" else before}
    for change in changes:
        key, sign, text = change.partition("=")
        if not sign:
            raise SettingsError(f"{change!r} is no change of a setting: write KEY=VALUE, such as epochs=5.")
        values[key.strip()] = parse_value(text.strip())
    return find_preset(name).changed(**values)


def _in_short(preset: "Preset") -> str:
    settings = preset.settings
    options = ", ".join(f"{key} {value}" for key, value in settings.network_options.items())
    return (
        f"{settings.network}{f' ({options})' if options else ''}, {settings.loss}, {settings.optimiser.name} at "
        f"{settings.optimiser.learning_rate:g}, batch {settings.batch}, {settings.epochs} epochs, "
        f"{settings.patches.size} px {settings.patches.name}, keeps {settings.keep}"
        + (f", predicts with {', '.join(preset.tta)}" if preset.tta else "")
        + (f", learns from {preset.before.images} images first" if preset.before is not None else "")
    )


COMMAND = Command("presets", "list the training recipes, inspect and change them", configure, run)
