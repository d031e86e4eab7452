"""Arguments that several commands share, and their checks."""

import argparse
import math

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError

SMALLEST_TILE = 32


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Shows a default where there is one worth knowing, and paragraphs as they are written."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        tells = action.option_strings and action.default not in (None, False, argparse.SUPPRESS)
        return f"{action.help} (default: %(default)s)" if tells else action.help


def pixel_size(text: str) -> Calibration:
    """Read ``2.5um`` for argparse."""
    try:
        return Calibration.parse(text)
    except CalibrationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def probability(text: str) -> float:
    """Read a probability from 0 up to, not including, 1 for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a probability; give a number from 0 up to 1, such as 0.5")
    return value


def count(text: str) -> int:
    """Read a whole number of 0 or more for argparse."""
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def side(text: str) -> int:
    """Read the side of an image in pixels, 1 or more, for argparse."""
    if not text.isdecimal() or not 1 <= int(text[:18]) <= 10**6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pixels from 1 to 1000000")
    return int(text)


def tile_side(text: str) -> int:
    """Read the side of a tile in pixels for argparse."""
    if not text.isdecimal() or not SMALLEST_TILE <= int(text[:18]) <= 10**6:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a tile size; give {SMALLEST_TILE} pixels or more, such as 512"
        )
    return int(text)


def planes(text: str) -> tuple[int, ...]:
    """Read ``3`` or ``0,3`` for argparse."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a plane; give a number, or one per axis such as 0,3"
        ) from None


def channel_choice(text: str) -> list[str | int]:
    """Read ``red,2`` for argparse: names or numbers."""
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of channels; give names or numbers, such as red or 0,2")
    return [int(part) if part.isdecimal() else part for part in parts]


def add_pixel_size(parser: argparse.ArgumentParser) -> None:
    """Add ``--pixel-size``."""
    parser.add_argument(
        "--pixel-size",
        type=pixel_size,
        metavar="SIZE",
        help="such as 2.5um, 10nm or 2.5x2.4um (height x width); without, what the file says; 1px for none at all",
    )


def add_plane(parser: argparse.ArgumentParser) -> None:
    """Add ``--plane``."""
    parser.add_argument(
        "--plane", type=planes, metavar="N", help="which plane of a stack, counted from 0 (one number per axis: 0,3)"
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add ``--quiet``."""
    parser.add_argument("--quiet", action="store_true", help="show no progress, only the result")


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add ``--rules``."""
    parser.add_argument(
        "--rules",
        metavar="NAME|FILE",
        help="what decides each particle's class: mp-vat, four-shapes, or a rule set saved as JSON; without, mp-vat",
    )
