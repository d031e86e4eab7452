"""The command line: parse, hand over to a command, turn errors into messages and exit codes.

Exit codes: 0 done, 1 the work failed (message on standard error), 2 wrong arguments (a word, a value or a name that is
no option's, whether the parser or the work notices), 130 stopped (Ctrl-C, or a polite kill).
"""

import argparse
import io
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

# the commands, which take longer to load, are loaded where Ctrl-C is heard
from napari_mpseg._version import __version__
from napari_mpseg.errors import Cancelled, MpsegError, SettingsError, UnknownNameError

_WRONG_ARGUMENTS = (SettingsError, UnknownNameError)
_EPILOG = """\
examples:
  napari-mpseg demo                                   try it on a made-up filter
  napari-mpseg segment filter.tif --out results       find and measure particles
  napari-mpseg segment scan.tif --out results --pixel-size 2.5um --method max-entropy
  napari-mpseg measure labels.tif filter.tif --out results
  napari-mpseg measure mask.png --mask --out results
  napari-mpseg methods                                what there is to choose from

'napari-mpseg COMMAND --help' tells all of a command.
exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with one sub-command per registered command."""
    from napari_mpseg.commands import COMMANDS
    from napari_mpseg.commands.arguments import HelpFormatter

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
            formatter_class=HelpFormatter,
        )
        command.configure(sub)
        sub.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _tolerate_characters()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            options = build_parser().parse_args(arguments)
            return _run(options)
        except (Cancelled, KeyboardInterrupt) as stop:
            return _fail(f"\nStopped. {_left_behind(stop)}", 130)
        except MpsegError as error:
            return _fail(f"napari-mpseg: {error}", 2 if isinstance(error, _WRONG_ARGUMENTS) else 1)


def _run(options: argparse.Namespace) -> int:
    try:
        return int(options.run(options) or 0)
    except MemoryError:
        instead = "give --tile-size 256" if hasattr(options, "tile_size") else "take fewer or smaller images"
        return _fail(f"napari-mpseg: There is not enough memory. Close other programs, or {instead}.", 1)


def _left_behind(stop: BaseException) -> str:
    kept = stop.kept if isinstance(stop, Cancelled) else ""
    if not kept:
        return "Nothing half-made was left behind."
    return f"What is finished is kept in {kept}: the same command goes on from there."


def _fail(message: str, code: int) -> int:
    with suppress(OSError, ValueError):  # nobody may be listening any more
        print(message, file=sys.stderr)  # noqa: T201
    return code


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    with suppress(OSError, ValueError):
        print(f"napari-mpseg: warning: {message}", file=sys.stderr)  # noqa: T201


def _tolerate_characters() -> None:
    """Let a name that the terminal's encoding lacks be shown with question marks instead of failing after the work."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
