"""``napari-mpseg check``: whether results are still what their runs wrote."""

import argparse
from pathlib import Path

from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import say
from napari_mpseg.results.unfinished import ENDING, read_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "results", metavar="RESULT", nargs="+", type=Path, help="a folder of results, or the NAME_run.json of one"
    )


def run(options: argparse.Namespace) -> int:
    """Read every part, compare it with the checksums of its run, and say what differs."""
    from napari_mpseg.errors import StoreError
    from napari_mpseg.results.checking import check_result

    missing = [str(given) for given in options.results if not given.exists()]
    if missing:
        raise StoreError(f"{', '.join(missing)}: not there. Check the name and the folder.")
    records = [record for given in options.results for record in _records(given)]
    unfinished = [path for given in options.results if given.is_dir() for path in sorted(given.glob(f"*{ENDING}"))]
    if not records and not unfinished:
        raise StoreError("No results there: no file ends in _run.json. Give the folder that --out named.")
    states = []
    for record in records:
        say(record.name.removesuffix("_run.json"))
        for part, state in check_result(record).items():
            states.append(state)
            say(f"  {part:<40} {state}")
    for path in unfinished:
        say(f"{path.name.removesuffix(ENDING)}: a run that is not finished; the same command goes on with it")
    return _verdict(len(records), states)


def _verdict(count: int, states: list[str]) -> int:
    unknown = states.count("without checksum")
    bad = len(states) - states.count("as written") - unknown
    words = [f"{bad} {'part is' if bad == 1 else 'parts are'} not as written" if bad else ""]
    words.append(f"{unknown} cannot be checked: an earlier version wrote no checksums" if unknown else "")
    told = "; ".join(filter(None, words)) or ("all is as written" if states else "nothing to check")
    say(f"{count} checked; {told}.")
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
