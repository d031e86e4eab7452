"""The command line: parse, hand over to a command, turn errors into messages and exit codes.

Exit codes: 0 done, 1 the work failed (message on standard error), 2 wrong arguments, 130 stopped by Ctrl-C.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from napari_mpseg._version import __version__
from napari_mpseg.commands import COMMANDS
from napari_mpseg.errors import Cancelled, MpsegError

_EPILOG = """\
examples:
  napari-mpseg demo                                   try it on a made-up filter
  napari-mpseg segment filter.tif --out results       find and measure particles
  napari-mpseg segment scan.tif --out results --pixel-size 2.5um --method max-entropy
  napari-mpseg measure labels.tif filter.tif --out results
  napari-mpseg methods                                what there is to choose from

exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with one sub-command per registered command."""
    parser = argparse.ArgumentParser(
        prog="napari-mpseg",
        description="Find, measure and classify particles in microscopy images.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"napari-mpseg {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=command.description or command.summary,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.configure(sub)
        sub.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except (Cancelled, KeyboardInterrupt):
        print("\nStopped. Nothing half-made was left behind.", file=sys.stderr)  # noqa: T201
        return 130
    except MpsegError as error:
        print(f"napari-mpseg: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except BrokenPipeError:
        # the reader went away (| head); point stdout elsewhere so that closing it stays silent
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
