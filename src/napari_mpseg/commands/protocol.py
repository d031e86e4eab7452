"""``napari-mpseg protocol``: train, select and test as the papers did."""

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.train import add_machine, use_threads

if TYPE_CHECKING:
    from napari_mpseg.experiments.protocol import Protocol
    from napari_mpseg.training.preset import Preset


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a protocol; without, they are listed")
    parser.add_argument(
        "data",
        nargs="?",
        type=Path,
        metavar="DATA",
        help="folder of images, with labels of the same names in 'labels'; or with such folders fold_1, fold_2 ...; "
        "without, the protocol is described",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for everything that is made")
    parser.add_argument(
        "--presets", nargs="*", metavar="PRESET", help="what to train: names or JSON files (without, the paper's)"
    )
    parser.add_argument(
        "--methods",
        nargs="*",
        metavar="METHOD",
        help="what to compare with that needs no training: names, model folders, method files (without, the paper's)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of every preset: network_options.weights=None",
    )
    parser.add_argument("--epochs", type=count, metavar="N", help="train every preset for N epochs: a quick look")
    parser.add_argument("--particle-value", type=count, metavar="N", help="the value in labels that is particle")
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="of the division of the images")
    parser.add_argument(
        "--folds",
        type=count,
        default=0,
        metavar="N",
        help="divide all images anew into N groups (without: fold_* folders as they are, else the paper's number)",
    )
    parser.add_argument(
        "--together",
        default="",
        metavar="REGEX",
        help="images stay together in whose file names its first group is the same, such as '^([^-]+)-'",
    )
    parser.add_argument(
        "--min-size", type=count, default=0, metavar="N", help="drop predicted particles of fewer pixels"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the protocol itself: test=each; 'napari-mpseg protocol NAME' names them",
    )
    add_machine(parser)
    add_quiet(parser)


def run(options: argparse.Namespace) -> int | None:
    """List the protocols, describe one, or run it."""
    from napari_mpseg.experiments.registry import PROTOCOLS

    if options.name is None:
        for protocol in PROTOCOLS.values():
            say(protocol.name)
            say(textwrap.indent(textwrap.fill(f"{protocol.title}. {protocol.summary}", 92), "    "))
        say("\n'napari-mpseg protocol NAME' tells more of one.")
        return None
    protocol = PROTOCOLS[options.name]
    if options.data is None:
        _describe(protocol)
        return None
    return _run(protocol, options)


def _run(protocol: "Protocol", options: argparse.Namespace) -> int | None:
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.settings import from_dict
    from napari_mpseg.training.preset import parse_value

    if options.out is None:
        raise SettingsError("Name the folder for the results with --out DIR.")
    values: dict[str, Any] = {
        "seed": options.seed,
        "particle_value": options.particle_value,
        "folds": options.folds,
        "together": options.together,
        "min_size": options.min_size,
    }
    for text in options.option:
        key, sign, value = text.partition("=")
        if not sign:
            raise SettingsError(f"{text!r} is no setting: write KEY=VALUE, such as test=each.")
        values[key.strip()] = parse_value(value.strip())
    settings = from_dict(protocol.settings, values)
    names = protocol.presets if options.presets is None else options.presets
    use_threads(options.threads)
    with console_work(options.quiet) as (on_progress, cancel):
        table = protocol.run(
            options.data,
            options.out,
            settings=settings,
            presets=[_preset(name, options) for name in names],
            methods=options.methods,
            device=options.device,
            say=lambda note: say(f"Note      {note}"),
            on_progress=on_progress,
            cancel=cancel,
        )
    say(table.to_markdown())
    say(f"\nResults   {options.out}")
    return None


def _preset(name: str, options: argparse.Namespace) -> "Preset":
    from napari_mpseg.commands.presets import preset_of

    changes = [*options.set, *([f"epochs={options.epochs}"] if options.epochs is not None else [])]
    return preset_of(name, changes)


def _describe(protocol: "Protocol") -> None:
    from napari_mpseg.settings import to_dict

    def told(text: str, indent: str = "") -> None:
        say(textwrap.fill(text, 96, initial_indent=indent, subsequent_indent=" " * len(indent)))

    told(f"{protocol.title}.")
    told(protocol.summary)
    say(f"\nPresets   {', '.join(protocol.presets)}")
    say(f"Methods   {', '.join(protocol.methods) or 'none'}")
    say(f"Columns   {', '.join(column.title for column in protocol.columns)}")
    say(f"Settings  {', '.join(f'{key}={value!r}' for key, value in to_dict(protocol.settings()).items())}")
    say("\nWhat the paper leaves open, and how it is filled:")
    for choice in protocol.open_choices:
        told(choice, "  - ")
    say(f"\nThe paper's own figures ({protocol.published.where}):")
    for name, values in protocol.published.rows.items():
        say(f"  {name}: {', '.join(f'{metric} {value:g}' for metric, value in values.items())}")


COMMAND = Command(
    "protocol",
    "train, select and test as a paper did, on any data",
    configure,
    run,
    """\
Run a paper's protocol on a data folder: divide the images, train each preset once per fold, keep the epoch (and,
where the paper does, the fold) that validated best, predict the test images whole, and print the paper's table with
the paper's own figures beside it. Test images are used for nothing else. Everything is kept in DIR; stopped or
killed, the same command goes on where it was, and presets and methods can be added later.""",
)
