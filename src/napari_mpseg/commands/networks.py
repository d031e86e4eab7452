"""``napari-mpseg networks``: the architectures, their figures, and the weights of a trained one."""

import argparse
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import say

if TYPE_CHECKING:
    from napari_mpseg.networks.inspection import NetworkFigures
    from napari_mpseg.networks.registry import NetworkEntry

_LINE = "{:<20} {:>9} {:<17} {:>7} {:<15} {:>8} {:>7}  {}"
_LEGEND = """
GFLOPs: multiplications plus additions for 512 x 512 px, in thousands of millions. FIELD: side of what
an output pixel depends on, in px. SMP networks are built with their default encoder.
'napari-mpseg networks --name NAME' tells more of one."""
_HEADER = ("NETWORK", "WEIGHTS", "paper", "GFLOPs", "paper", "FIELD", "STRIDE", "SOURCE")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--name", metavar="NAME", help="tell all of one network instead of listing them")
    parser.add_argument(
        "--encoder", metavar="NAME", help="with --name of an smp network: its encoder; without, the network's own"
    )
    parser.add_argument("--channels", type=int, default=3, metavar="N", help="channels of the images")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print the list as a Markdown table")
    parser.add_argument(
        "--histograms",
        metavar="MODEL",
        help="write histograms of a model folder's kernel weights, layer by layer, as picture and numbers; 'default' "
        "is the bundled network, the name of a network a fresh one",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the histograms; made if it is not there")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier histograms")


def run(options: argparse.Namespace) -> None:
    """Print the list or one network, or write histograms."""
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.networks.registry import NETWORKS

    if options.histograms is not None:
        if options.out is None:
            raise SettingsError("--histograms needs a folder to write to; add --out DIR.")
        _write_histograms(options.histograms, options.out, options.overwrite)
    elif options.out is not None:
        raise SettingsError("--out is for --histograms MODEL; a list is printed.")
    elif options.name is not None:
        chosen = {} if options.encoder is None else {"encoder": options.encoder}
        _print_one(NETWORKS[options.name], options.channels, chosen, options.json)
    elif options.encoder is not None:
        raise SettingsError("--encoder is for one network; add --name, such as --name smp-unet.")
    else:
        _print_list(options.channels, options.json, options.markdown)


def _print_list(channels: int, as_json: bool, as_markdown: bool) -> None:
    if as_json:
        say(json.dumps([_record(entry, figures) for entry, figures in _all(channels)], indent=2))
        return
    if as_markdown:
        say("| network | weights | in the paper | GFLOPs | in the paper | receptive field | stride | source |")
        say("|---|---:|---:|---:|---:|---:|---:|---|")
    else:
        say(_LINE.format(*_HEADER).rstrip())
    for entry, figures in _all(channels):
        cells = _cells(entry, figures)
        say(f"| `{cells[0]}` | {' | '.join(cells[1:])} |" if as_markdown else _LINE.format(*cells))
    if not as_markdown:
        say(_LEGEND)


def _all(channels: int) -> "Iterator[tuple[NetworkEntry, NetworkFigures]]":
    from napari_mpseg.networks.inspection import describe
    from napari_mpseg.networks.registry import NETWORKS

    for entry in NETWORKS.values():
        yield entry, describe(entry.build(channels), channels)


def _cells(entry: "NetworkEntry", figures: "NetworkFigures") -> tuple[str, ...]:
    paper = entry.published
    return (
        entry.name,
        f"{figures.parameters / 1e6:.4f} M",
        f"{paper['parameters'] / 1e6:.4f} M {_deviation(entry, figures, 'parameters')}" if paper else "",
        f"{figures.flops / 1e9:.1f}",
        f"{paper['flops'] / 1e9:.1f} {_deviation(entry, figures, 'flops')}" if paper else "",
        _field(figures),
        str(figures.stride),
        entry.source,
    )


def _deviation(entry: "NetworkEntry", figures: "NetworkFigures", what: str) -> str:
    return f"({getattr(figures, what) / entry.published[what] - 1:+.1%})"


def _field(figures: "NetworkFigures") -> str:
    if figures.receptive_field is None:
        return f"> {2 * figures.limit + 1}"
    return str(figures.receptive_field)


def _record(entry: "NetworkEntry", figures: "NetworkFigures") -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "summary": entry.summary,
        "source": entry.source,
        "weights": list(entry.weights),
        "parameters": figures.parameters,
        "flops": figures.flops,
        "receptive_radius": figures.receptive_radius,
        "receptive_field": figures.receptive_field,
        "stride": figures.stride,
        "published": dict(entry.published),
    }


def _print_one(entry: "NetworkEntry", channels: int, chosen: dict[str, Any], as_json: bool) -> None:
    from napari_mpseg.networks.inspection import describe, weight_histograms

    network = entry.build(channels, **chosen)
    figures = describe(network, channels)
    if as_json:
        say(json.dumps(_record(entry, figures) | {"channels": channels, "chosen": chosen}, indent=2))
        return
    cells = _cells(entry, figures)
    say(f"{entry.name}: {entry.title}")
    say(textwrap.fill(entry.summary, 92, initial_indent="  ", subsequent_indent="  "))
    say(f"Source           {entry.source}")
    say(f"Weights          {cells[1]}" + (f", in the paper {cells[2]}" if cells[2] else ""))
    say(f"GFLOPs           {cells[3]} for 512 x 512 px" + (f", in the paper {cells[4]}" if cells[4] else ""))
    say(f"Receptive field  {cells[5]} px" + ("; tiles are cross-faded" if figures.receptive_radius is None else ""))
    say(f"Image sides      multiples of {figures.stride} px")
    say(f"Convolutions     {len(weight_histograms(network, bins=1))}")
    options = entry.options()
    say(f"Options          {', '.join(options)}")
    if entry.weights:
        say(f"Trained weights  {', '.join(entry.weights)}, or none")
    if "encoder" in options:
        _print_encoders(entry)


def _print_encoders(entry: "NetworkEntry") -> None:
    from napari_mpseg.networks.smp_networks import default_encoder, encoder_names

    default = default_encoder(entry.fixed["decoder"])
    if default.startswith("tu-"):
        say(f"Encoder          {default}, or another vision transformer of timm, written tu-NAME")
        return
    told = f"{', '.join(encoder_names())}; and those of timm, written tu-NAME"
    say(f"Encoder          {default}, or another of these:")
    say(textwrap.fill(told, 92, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))


def _write_histograms(model: str, folder: Path, overwrite: bool) -> None:
    from napari_mpseg.files import finished_together
    from napari_mpseg.networks.inspection import NEAR_ZERO, draw_histograms, weight_histograms, write_histograms

    name, network = _network(model)
    paths = {"picture": folder / f"{name}_weights.png", "numbers": folder / f"{name}_weights.csv"}
    with finished_together(paths, overwrite=overwrite) as parts:
        histograms = weight_histograms(network)
        draw_histograms(histograms, parts["picture"], f"{name}: kernel weights")
        write_histograms(histograms, parts["numbers"])
    widest = max(len(layer.name) for layer in histograms)
    say(f"{'LAYER':<{widest}}  {'STD':>8}  BELOW {NEAR_ZERO:g}")
    for layer in histograms:
        say(f"{layer.name:<{widest}}  {layer.std:8.4f}  {layer.near_zero:10.1%}")
    for path in paths.values():
        say(f"Written  {path}")


def _network(model: str) -> tuple[str, Any]:
    """Return a name for files, and the network: of the bundled model, of a folder, or a fresh one."""
    from napari_mpseg.networks.bundled import BUNDLED, bundled_model
    from napari_mpseg.networks.modelfile import load_model
    from napari_mpseg.networks.registry import NETWORKS

    if model == "default":
        return BUNDLED, bundled_model().network
    if model in NETWORKS and not Path(model).is_dir():
        return model, NETWORKS[model].build(3)
    return Path(model).resolve().name, load_model(model).network


COMMAND = Command(
    "networks",
    "list the network architectures with their figures, or look at a network's weights",
    configure,
    run,
    """\
List every architecture with its weights and operations beside the paper's figures, receptive field and source. It
builds each of them, which takes some seconds.

With --histograms MODEL --out DIR, write
  NAME_weights.png   one row per convolution: the distribution of its weights, and the share near zero
  NAME_weights.csv   the same as numbers: layer, shape, mean, std, near_zero, low, high, count
Deep layers whose weights stay near zero have learnt little; a smaller network may do as well.""",
)
