"""What a command is."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One sub-command.

    Attributes
    ----------
    name, summary, description : str
        For the help.
    configure : callable
        Adds the arguments to the sub-command's parser.
    run : callable
        Does the work with the parsed arguments and returns the exit code (None is 0).
    """

    name: str
    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int | None]
    description: str = ""
