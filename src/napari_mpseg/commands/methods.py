"""``napari-mpseg methods``: what there is to choose from."""

import argparse
import textwrap
from typing import TYPE_CHECKING

from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import say

if TYPE_CHECKING:
    from napari_mpseg.methods.registry import MethodEntry


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a method whose options are to be listed")


def run(options: argparse.Namespace) -> None:
    """Print the registry of methods, or the options of one."""
    from napari_mpseg.methods.registry import METHODS, MethodEntry, resolve_method

    if options.name is not None:
        entry = resolve_method(options.name)
        assert isinstance(entry, MethodEntry)
        _show(entry)
        return
    group = ""
    for entry in METHODS.values():
        if entry.group != group:
            say(("\n" if group else "") + entry.group)
            group = entry.group
        say(f"  {entry.name}")
        say(textwrap.indent(textwrap.fill(f"{entry.title}. {entry.summary}", 92), "      "))


def _show(entry: "MethodEntry") -> None:
    from napari_mpseg.methods.options import options_of

    say(f"{entry.name}: {entry.title}")
    say(textwrap.fill(entry.summary, 92))
    for one in entry.inputs:
        say(f"\n  --set {one.name}=TEXT" if one.kind == "settings" else f"\n  --input {one.name}=FILE")
        say(textwrap.indent(textwrap.fill(one.summary, 88), "      "))
    for option in options_of(entry):
        say(f"\n  --set {option.name}={option.default}")
        choices = f" One of {', '.join(option.choices)}." if option.choices else ""
        say(textwrap.indent(textwrap.fill(option.help + choices, 88), "      "))


COMMAND = Command("methods", "list the methods of segmentation, or the options of one", configure, run)
