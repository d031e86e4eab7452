"""Arguments that several commands share, and their checks."""

import argparse

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError


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
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a probability; give a number from 0 up to 1, such as 0.5")
    return value


def count(text: str) -> int:
    """Read a whole number of 0 or more for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
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
    return [int(part) if part.isdecimal() else part for part in text.split(",")]


def add_pixel_size(parser: argparse.ArgumentParser) -> None:
    """Add ``--pixel-size``."""
    parser.add_argument(
        "--pixel-size",
        type=pixel_size,
        metavar="SIZE",
        help="such as 2.5um, 10nm or 2.5x2.4um; default what the file says",
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add ``--quiet``."""
    parser.add_argument("--quiet", action="store_true", help="show no progress")
