"""``napari-mpseg plot``: figures from particle tables."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import say
from napari_mpseg.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

KINDS = ("size-distribution", "violin-area", "feret-angle", "feret-rose", "correlation", "scatter")
"""Names in the registry of plots, which is not loaded to show the help."""

_ALL = "all"
_FORMATS = ("png", "svg", "pdf")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "tables",
        metavar="TABLE",
        nargs="+",
        help="a particle table (CSV or Parquet), or a folder that 'segment' or 'measure' wrote into; several are "
        "several images",
    )
    parser.add_argument("--kind", required=True, choices=(*KINDS, _ALL), metavar="KIND", help="which plot, or 'all'")
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FILE|DIR",
        help="figure to write, .png, .svg or .pdf; of 'all' a folder",
    )
    parser.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="an option of the plot, see above (may be repeated)"
    )
    parser.add_argument("--format", choices=_FORMATS, default="png", help="of the figures of 'all'")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier figure")
    add_quiet(parser)
    parser.set_defaults(wrong=parser.error)


def run(options: argparse.Namespace) -> None:
    """Draw what was asked for, and say where it is."""
    from napari_mpseg.plots.registry import PLOTS
    from napari_mpseg.plots.texts import split_options

    if options.kind != _ALL and options.out.suffix.lower().removeprefix(".") not in _FORMATS:
        options.wrong(f"--out {options.out} must end in .png, .svg or .pdf")
    kinds = list(PLOTS) if options.kind == _ALL else [options.kind]
    given = split_options(options.set or ())
    _refuse_unknown(given, kinds)
    places = {kind: options.out / f"{kind}.{options.format}" for kind in kinds}
    places = places if options.kind == _ALL else {options.kind: options.out}
    taken = [str(path) for path in places.values() if path.exists()]
    if taken and not options.overwrite:
        raise StoreError(f"{', '.join(taken)}: already there. Choose another --out, or give --overwrite.")
    tables = _tables(options.tables)
    figures, notes = _drawn(tables, kinds, given)
    _save({kind: places[kind] for kind in figures}, figures)
    count = sum(len(table.kept()) for table in tables.values())
    say(f"Particles {count:,} of {len(tables)} image{'s' if len(tables) > 1 else ''}")
    for kind in figures:
        say(f"Figure    {places[kind]}")
    for note in notes:
        say(note)


def _refuse_unknown(given: Mapping[str, str], kinds: Sequence[str]) -> None:
    from napari_mpseg.plots.registry import PLOTS

    known = list(dict.fromkeys(name for kind in kinds for name in PLOTS[kind].options.__dataclass_fields__))
    unknown = [key for key in given if key not in known]
    if unknown:
        what = kinds[0] if len(kinds) == 1 else "No plot"
        raise SettingsError(
            f"{what} has {'no' if len(kinds) == 1 else 'an'} option {', '.join(map(repr, unknown))}. "
            f"There are: {', '.join(known)}."
        )


def _tables(given: Sequence[str]) -> "dict[str, ParticleTable]":
    """Read the tables, by the name of their image; two of the same name are told apart by their folder."""
    from napari_mpseg.reports.loading import measured_files

    files = [found for path in given for found in measured_files(path)]
    names = [found.name for found in files]
    tables: dict[str, ParticleTable] = {}
    for found in files:
        name = found.name if names.count(found.name) == 1 else f"{found.table.absolute().parent.name}/{found.name}"
        number, unique = 1, name
        while unique in tables:
            number += 1
            unique = f"{name} [{number}]"
        tables[unique] = found.item().table
    return tables


def _drawn(
    tables: "Mapping[str, ParticleTable]", kinds: Sequence[str], given: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Draw the plots; of several, those that lack a column are left out and told."""
    from napari_mpseg.plots.registry import PLOTS
    from napari_mpseg.plots.texts import typed_options

    figures, notes = {}, []
    for kind in kinds:
        entry = PLOTS[kind]
        chosen = typed_options(entry.options, given)
        try:
            figures[kind] = entry.draw(tables, **chosen)
        except SettingsError as error:
            if len(kinds) == 1:
                raise
            notes.append(f"Left out  {kind}: {error}")
    if not figures:
        raise SettingsError(" ".join(notes))
    return figures, notes


def _save(places: Mapping[str, Path], figures: Mapping[str, Any]) -> None:
    from napari_mpseg.files import finished_together
    from napari_mpseg.plots.saving import format_of, write_figure

    with finished_together(dict(places), overwrite=True) as parts:
        for kind, part in parts.items():
            write_figure(figures[kind], part, format_of(places[kind]))


COMMAND = Command(
    "plot",
    "draw particles: size distribution, violins, directions, correlation, scatter",
    configure,
    run,
    """\
Draw a figure from the particles of one image or of several. Particles that a reviewer did not keep are
left out. KIND and the keys of --set (column: any of the table, such as area or feret_max_um):

  size-distribution  column, by, log, percent, bins, borders ("20,50,100 um", or usual)
  violin-area        column, by, log
  feret-angle        column, by, bandwidth (in degrees)
  feret-rose         column, by, bins, equal_area
  correlation        columns (such as area,solidity,circularity), method (pearson, spearman), by
  scatter            x, y, log_x, log_y, colour (class, or any column)
  all                each of them, into the folder --out

by: image, class or none (all together). log, percent and such: true or false.""",
)
