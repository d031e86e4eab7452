"""``napari-mpseg synthesize``: a synthetic image of any size, with its exact truth, as files."""

import argparse
import textwrap
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.commands.arguments import add_quiet, count, pixel_size, side
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("out", metavar="OUT", nargs="?", help="NAME.ome.tif, NAME.tif or NAME.ome.zarr to write")
    parser.add_argument(
        "--look", metavar="NAME", help="fluorescence, bright-field or sem (without, fluorescence, or that of FILE)"
    )
    parser.add_argument("--variant", metavar="NAME", help="settings to begin with; --list tells those of a look")
    parser.add_argument(
        "--size", type=side, nargs="+", metavar="PX", help="height and width, or one number for a square"
    )
    parser.add_argument("--seed", type=count, metavar="N", help="another seed makes another image of the same kind")
    parser.add_argument(
        "--pixel-size", type=pixel_size, metavar="SIZE", help="such as 2.5um or 5nm; lengths are kept, not pixels"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting: density_per_mm2=20, look.blur=1.2, shapes.fibre.share=0.5",
    )
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="NAME_settings.json of an image, to make the same bytes again"
    )
    parser.add_argument("--list", action="store_true", help="tell every setting of the look, and write nothing")
    parser.add_argument("--overwrite", action="store_true", help="replace files of these names")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Write image, truth and settings; or tell the settings."""
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.synthesis.microscopes import synthetic_image
    from napari_mpseg.synthesis.writing import write_synthetic

    settings = _settings(options)
    if options.list:
        _tell(settings)
        return
    if options.out is None:
        raise SettingsError("Name the file to write, such as filter.ome.tif; or ask for --list.")
    with console_work(options.quiet) as (on_progress, cancel):
        places = write_synthetic(
            settings, options.out, overwrite=options.overwrite, on_progress=on_progress, cancel=cancel
        )
    made = synthetic_image(settings)
    height, width = made.image.shape
    say(f"Image     {places['image']}: {width} x {height} px, {made.image.calibration}")
    say(f"Truth     {places.get('truth', 'in it, as its labels')}: {made.n_particles} particles")
    say(f"Settings  {places['settings']}")


def _settings(options: argparse.Namespace) -> Any:
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.synthesis.microscopes import MICROSCOPES, look_of
    from napari_mpseg.synthesis.setting import changed
    from napari_mpseg.synthesis.writing import read_settings
    from napari_mpseg.training.preset import parse_value

    if options.settings is not None:
        if options.look or options.variant:
            raise SettingsError("--settings says look and variant already. Leave --look and --variant out.")
        settings = read_settings(options.settings)
    else:
        settings = MICROSCOPES[options.look or "fluorescence"].variant(options.variant)
    changes: dict[str, Any] = {}
    for change in options.set:
        key, sign, text = change.partition("=")
        if not sign:
            raise SettingsError(f"{change!r} is no change of a setting: write KEY=VALUE, such as look.blur=1.2.")
        changes[key.strip()] = parse_value(text.strip())
    if options.size:
        if len(options.size) > 2:
            raise SettingsError(f"--size takes a height and a width, not {len(options.size)} numbers.")
        changes["size"] = (options.size[0], options.size[-1])
    if options.seed is not None:
        changes["seed"] = options.seed
    if options.pixel_size is not None:
        microscope = MICROSCOPES[look_of(settings)]
        changes[microscope.pixel_size] = _side(options.pixel_size, microscope.unit)
    return changed(settings, changes)


def _side(given: Calibration, unit: str) -> float:
    from napari_mpseg.errors import SettingsError

    if not (given.calibrated and given.isotropic):
        raise SettingsError(f"A pixel size of {given} cannot be made: give one length, such as 2.5um.")
    return round(given.converted(unit).pixel_size[0], 9)


def _tell(settings: Any) -> None:
    from napari_mpseg.synthesis.microscopes import MICROSCOPES, look_of
    from napari_mpseg.synthesis.setting import settings_of

    name = look_of(settings)
    microscope = MICROSCOPES[name]
    say(f"{name}: {microscope.summary}")
    say(f"variants: {', '.join(microscope.variants)}\n")
    before = ""
    for setting in settings_of(settings):
        value = f"{setting.value:g}" if isinstance(setting.value, float) else str(setting.value).lower()
        say(f"  {setting.path}={value}  {setting.range.unit}".rstrip())
        if setting.help != before:
            say(textwrap.indent(textwrap.fill(setting.help, 92), "      "))
        before = setting.help


COMMAND = Command(
    "synthesize",
    "make a synthetic image of any size with exact truth",
    configure,
    run,
    """\
Make a synthetic image and write it to OUT with its exact truth: beside a TIFF as
NAME_truth.tif, in OME-Zarr as its labels. NAME_settings.json beside them makes the
same bytes again:

  napari-mpseg synthesize filter.ome.tif --look bright-field --size 4096 4096 --seed 1
  napari-mpseg synthesize again.ome.tif --settings filter_settings.json

It is written tile by tile: any size takes little memory. Stopped with Ctrl-C,
nothing is left behind.""",
)
