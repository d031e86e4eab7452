"""``napari-mpseg check``: whether results are still what their runs wrote."""

import argparse
from pathlib import Path

from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import say
from napari_mpseg.results.unfinished import read_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "results", metavar="RESULT", nargs="+", type=Path, help="a folder of results, or the NAME_run.json of one"
    )


def run(options: argparse.Namespace) -> int:
    """Read every part, compare it with the checksums of its run, and say what differs."""
    from napari_mpseg.errors import StoreError
    from napari_mpseg.results.checking import check_result

    records = [record for given in options.results for record in _records(given)]
    if not records:
        raise StoreError("No results there: no file ends in _run.json. Give the folder that --out named.")
    bad = 0
    for record in records:
        say(record.name.removesuffix("_run.json"))
        for part, state in check_result(record).items():
            bad += state not in ("as written", "without checksum")
            say(f"  {part:<40} {state}")
    say(f"{len(records)} checked; " + (f"{bad} parts are not as written." if bad else "all is as written."))
    return 1 if bad else 0


def _records(given: Path) -> list[Path]:
    """Return the records of segmentations; a folder may hold those of a batch or a report beside them."""
    if not given.is_dir():
        return [given]
    return [path for path in sorted(given.glob("*_run.json")) if (read_json(path) or {}).get("operation") == "segment"]


COMMAND = Command(
    "check",
    "tell whether results on disk are still what was written",
    configure,
    run,
    """\
Read results and compare them with the checksums in their records. A table that was edited
or labels that were corrected since are told as changed; a damaged disk or a bad copy too.
Exit code 1 if anything is missing, damaged or changed.""",
)
