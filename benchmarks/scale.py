"""Speed and memory at scale, measured against what each is to be measured against, in one command.

    python benchmarks/scale.py [ROW ...] [--runtime auto] [--repeat 3] [--folder DIR] [--out FOLDER] [--tiny]

Rows: pipeline, monai, papers, per-pixel, memory, labelling, gpu; all without a name. Each part of a row runs in a
fresh process; the two sides of a comparison take turns, --repeat times, and the fastest of each is taken. The table
says for every figure its bar and whether it is held. It is printed as Markdown; --out writes it there, as scale.md,
and all that was measured, as scale.json; rows measured there before and not named now stay. --page puts the table into
a Markdown page, between its marks <!-- scale --> and <!-- end scale -->. Exit code 1: a bar was missed, or a row
failed. What is being measured is told on standard error.

Real patches are looked for in MPSEG_DATA, else in ../shared/data beside the repository, reference masks in
MPSEG_REFERENCE, else ../shared/reference; without them images are made up, and the table says so. --tiny runs all rows
in a few minutes, to see that they work. MONAI and dask-image are no dependencies of this package: pip install monai
dask-image.

The rows lie in benchmarks/scale/rows/, one file each, which says what is compared.
"""

import argparse
import json
import os
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import scale.rows  # noqa: F401 - registers them
from scale.bench import Bench
from scale.fastest import settle_runtime
from scale.machine import load, machine
from scale.page import markdown
from scale.registry import PARTS, ROWS
from scale.settings import TINY, Settings
from scale.verdict import Outcome

from napari_mpseg.marked_page import with_tables

ROOT = Path(__file__).resolve().parents[1]


def measured(name: str, bench: Bench) -> Outcome:
    """Measure one row; what goes wrong in it is told and keeps no other from being measured."""
    row = ROWS[name]
    reason = row.missing(bench.settings)
    print(f"{name}: {reason or row.title}", file=sys.stderr, flush=True)
    if reason:
        return Outcome(name, row.title, skipped=reason)
    bench.taken, before = [], load()
    try:
        if row.network:
            settle_runtime(bench)
        verdicts, failed = tuple(row.measure(bench)), ""
    except Exception as error:  # whatever it is, the other rows are measured
        traceback.print_exc()
        verdicts, failed = (), str(error) or type(error).__name__
    return Outcome(name, row.title, verdicts, failed=failed, load=(before, load()), measurements=bench.taken)


def one_part(name: str) -> None:
    """Run one part as told on standard input, and print its figures as JSON."""
    told = json.loads(sys.stdin.read())
    figures = PARTS[name](Settings.from_dict(told["settings"]), **told["arguments"])
    print(json.dumps(figures))


def settings_of(options: argparse.Namespace, work: str) -> Settings:
    settings = Settings(work, data=_beside("MPSEG_DATA", "data"), reference=_beside("MPSEG_REFERENCE", "reference"))
    chosen = {name: getattr(options, name) for name in ("runtime", "method", "cheap", "skip_empty", "tile", "repeat")}
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    for name in ("size", "monai_size", "sides", "memory_sides"):
        if getattr(options, name) is not None:
            given[name] = tuple(getattr(options, name))
    small = {**TINY, "reference": None} if options.tiny else {}
    return replace(settings, **{**small, **given})


def _beside(variable: str, name: str) -> str | None:
    path = Path(os.environ.get(variable, ROOT.parent / "shared" / name))
    return str(path) if path.is_dir() else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all without a name")
    parser.add_argument("--runtime", help="what computes the network; default auto, the fastest here")
    parser.add_argument("--method", help="a network: 'default', the bundled one, or a model folder")
    parser.add_argument("--cheap", help="a method that costs next to nothing; default fixed-level")
    parser.add_argument("--skip-empty", help="how empty space is skipped; default background")
    parser.add_argument("--tile", type=int, help="side of a tile in pixels; default what the network prefers")
    parser.add_argument("--repeat", type=int, help="how often the sides of a comparison take turns; default 3")
    parser.add_argument("--size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), help="of the filter")
    parser.add_argument("--monai-size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), help="of what MONAI is shown")
    parser.add_argument("--sides", nargs="+", type=int, help="of the images whose time per pixel is compared")
    parser.add_argument("--memory-sides", nargs=2, type=int, help="of the images whose peak memory is compared")
    parser.add_argument("--folder", type=Path, help="where to work, and keep the filter for the next time")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write scale.md and scale.json here")
    parser.add_argument("--page", type=Path, help="put the table into this Markdown page, such as docs/speed.md")
    parser.add_argument("--tiny", action="store_true", help="only to see that everything works")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.part:
        one_part(options.part)
        return 0
    for name in options.rows:
        ROWS[name]
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        bench = Bench(settings_of(options, str(options.folder or scratch)))
        outcomes = {name: measured(name, bench) for name in options.rows or ROWS}
    about = {**machine(), "real_patches": bench.settings.data is not None, "tiny": options.tiny}
    together = {**_earlier(options.out), **outcomes}
    in_order = [together[name] for name in ROWS if name in together]
    text = markdown(in_order, about)
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        settings = {**bench.settings.to_dict(), "work": None, "data": None, "reference": None}
        found = {"machine": about, "settings": settings, "rows": [outcome.to_dict() for outcome in in_order]}
        (options.out / "scale.md").write_text(text + "\n", encoding="utf-8")
        (options.out / "scale.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        options.page.write_text(with_tables(page, {"scale": lambda: text}), encoding="utf-8")
    return int(not all(outcome.passed for outcome in outcomes.values()))


def _earlier(folder: Path | None) -> dict[str, Outcome]:
    """Return what was measured there before, by row."""
    path = folder / "scale.json" if folder is not None else None
    if path is None or not path.exists():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {row["name"]: Outcome.from_dict(row) for row in rows}


if __name__ == "__main__":
    sys.exit(main())
