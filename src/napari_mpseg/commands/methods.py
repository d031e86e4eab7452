"""``napari-mpseg methods``: what there is to choose from."""

import argparse
import textwrap

from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no arguments."""


def run(options: argparse.Namespace) -> None:
    """Print the registry of methods."""
    from napari_mpseg.methods.registry import METHODS

    for entry in METHODS.values():
        say(entry.name)
        say(textwrap.indent(textwrap.fill(f"{entry.title}. {entry.summary}", 92), "    "))


COMMAND = Command("methods", "list the methods of segmentation", configure, run)
