"""``napari-mpseg compose``: semi-synthetic training images from labelled ones."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet, count, side
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.truth_notes import say_if_inverted

if TYPE_CHECKING:
    from napari_mpseg.synthesis.semi.cutouts import Cutout, CutoutSettings
    from napari_mpseg.synthesis.semi.settings import SemiSettings

_AS_NAMED = (
    *("size", "particles", "density", "scale", "recolour", "colour", "seed", "blend", "weight", "feather"),
    *("background", "background_colour", "occlusion", "apart", "camouflage", "clutter"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "images",
        type=Path,
        metavar="IMAGES",
        help="folder of images with labels of the same names in 'labels'; folder with folders 'images' and 'labels', "
        "or with fold_1, fold_2 ...; or a library of cutouts",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="folder (or .zarr) to write")
    parser.add_argument("--count", type=_many, default=200, metavar="N", help="how many images")
    parser.add_argument("--size", type=_size, default="512", metavar="PX", help="side, or HEIGHTxWIDTH")
    parser.add_argument("--seed", type=count, default=0, help="another seed gives other images")
    parser.add_argument("--particle-value", type=count, metavar="N", help="the value in labels that is particle")
    _add_particles(parser.add_argument_group("particles"))
    _add_ground(parser.add_argument_group("background and pasting"))
    parser.add_argument("--zarr", action="store_true", help="write one zarr of all images instead of picture files")
    parser.add_argument("--save-cutouts", type=Path, metavar="DIR", help="keep the cutouts as a library of their own")
    parser.add_argument("--overwrite", action="store_true", help="replace FOLDER (and DIR)")
    add_quiet(parser)


def _add_particles(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--particles", type=_range_of(int), default="1-10", metavar="A-B", help="pasted per image")
    group.add_argument("--density", type=float, metavar="N", help="mean number per million pixels, instead")
    group.add_argument("--scale", type=_range_of(float), default="0.8-1.25", metavar="A-B", help="factors of size")
    group.add_argument("--no-rotate", action="store_true", help="do not turn particles")
    group.add_argument("--no-flip", action="store_true", help="do not mirror particles")
    group.add_argument("--recolour", default="original", metavar="NAME", help="original, plain (one colour) or random")
    group.add_argument(
        "--colour", type=_numbers, metavar="R,G,B", help="for --recolour plain; without, each one's own mean"
    )
    group.add_argument("--least-pixels", type=count, default=3, metavar="N", help="smaller particles are not cut out")
    group.add_argument("--soft", type=float, default=0.0, metavar="PX", help="cut out with a soft edge; 0 is hard")
    group.add_argument("--with-cut", action="store_true", help="also cut out particles that an image's border cuts")


def _add_ground(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--background",
        default="with-particles",
        metavar="NAME",
        help="with-particles (crops of real images; their own particles are in the truth), empty (crops without any), "
        "synthetic or plain",
    )
    group.add_argument("--backgrounds", type=Path, metavar="DIR", help="paste onto these images instead of IMAGES")
    group.add_argument(
        "--look",
        default="",
        metavar="NAME",
        help="of synthetic: fluorescence, bright-field or sem; without, any Nile red",
    )
    group.add_argument("--background-colour", type=_numbers, metavar="R,G,B", help="for --background plain")
    group.add_argument("--blend", default="weighted", metavar="NAME", help="weighted, feathered, poisson or replace")
    group.add_argument("--weight", type=float, default=0.65, help="share of the particle for weighted, above 0")
    group.add_argument("--feather", type=float, default=1.0, metavar="PX", help="soft edge for feathered")
    group.add_argument("--occlusion", type=float, default=0.0, help="how much of a particle others may cover, 0 to 1")
    group.add_argument("--apart", type=count, default=1, metavar="PX", help="kept between particles at occlusion 0")
    group.add_argument(
        "--camouflage", type=float, default=0.0, help="how far colours go to their surroundings', 0 to 1"
    )
    group.add_argument("--clutter", type=float, default=0.0, metavar="N", help="threads and smears per image, mean")
    group.add_argument("--cut-at-border", action="store_true", help="the border of an image may cut pasted particles")


def run(options: argparse.Namespace) -> None:
    """Cut out, compose and write."""
    from napari_mpseg.errors import ImageError
    from napari_mpseg.images.truth_values import particle_share
    from napari_mpseg.training.data.semi import semi_synthetic_images
    from napari_mpseg.training.data.semi_sources import sources_of
    from napari_mpseg.training.data.semi_writing import write_pairs, write_zarr

    settings, cutting = _settings(options), _cutting(options)
    _check_use(options)
    _check_places(options)
    cutouts, backgrounds = sources_of(
        options.images,
        settings,
        backgrounds=options.backgrounds,
        particle_value=options.particle_value,
        cutting=cutting,
    )
    say_if_inverted(particle_share(pair.mask for pair in backgrounds), options.particle_value)
    made = semi_synthetic_images(cutouts, backgrounds, settings, options.count, memory=0)
    say(f"Cutouts   {len(cutouts)}, of {_middle(cutouts)} px (median)")
    write = write_zarr if options.zarr else write_pairs
    try:
        with console_work(options.quiet) as (on_progress, cancel):
            if options.save_cutouts is not None:
                _save_cutouts(options, cutouts, on_progress, cancel)
            write(made, options.out, overwrite=options.overwrite, on_progress=on_progress, cancel=cancel)
    except MemoryError as error:
        height, width = settings.size
        raise ImageError(
            f"There is not enough memory for images of {height} x {width} px. Close other programs, or give a smaller "
            "--size."
        ) from error
    say(f"Images    {options.count} in {options.out}")


def _check_use(options: argparse.Namespace) -> None:
    """Refuse what is given and would have no effect."""
    from napari_mpseg.errors import SettingsError

    for given, place, wanted in (
        ("colour", "recolour", "plain"),
        ("background_colour", "background", "plain"),
        ("look", "background", "synthetic"),
    ):
        if getattr(options, given) and getattr(options, place) != wanted:
            option = f"--{given.replace('_', '-')}"
            raise SettingsError(f"{option} is for --{place} {wanted} only. Give that, or leave {option} out.")


def _check_places(options: argparse.Namespace) -> None:
    """Refuse before any work what would be refused after it, and places that would harm the input."""
    from napari_mpseg.errors import SettingsError, StoreError

    places = [options.out] if options.save_cutouts is None else [options.out, options.save_cutouts]
    for place in places:
        if place.exists() and not options.overwrite:
            raise StoreError(f"{place} exists. Choose another place, or give --overwrite.")
        inputs = [path.resolve() for path in (options.images, options.backgrounds) if path is not None]
        here = place.resolve()
        if any(here == path or here in path.parents for path in inputs):
            raise SettingsError(f"{place} holds the images to compose from. Choose another place.")
        if any(path in here.parents for path in inputs):
            raise SettingsError(f"{place} lies within the images to compose from. Choose a place outside of them.")


def _save_cutouts(options: argparse.Namespace, cutouts: "list[Cutout]", on_progress: Any, cancel: Any) -> None:
    from napari_mpseg.synthesis.semi.library import save_cutouts

    save_cutouts(cutouts, options.save_cutouts, overwrite=options.overwrite, on_progress=on_progress, cancel=cancel)
    say(f"Library   {options.save_cutouts}")


def _middle(cutouts: "list[Cutout]") -> int:
    areas = sorted(cutout.area for cutout in cutouts)
    return areas[len(areas) // 2]


def _settings(options: argparse.Namespace) -> "SemiSettings":
    from napari_mpseg.synthesis.semi.settings import SemiSettings

    return SemiSettings(
        **{name: getattr(options, name) for name in _AS_NAMED},
        look=options.look or "",
        rotate=not options.no_rotate,
        flip=not options.no_flip,
        inside=not options.cut_at_border,
    )


def _cutting(options: argparse.Namespace) -> "CutoutSettings":
    from napari_mpseg.synthesis.semi.cutouts import CutoutSettings

    return CutoutSettings(whole=not options.with_cut, least_pixels=options.least_pixels, soft=options.soft)


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return side(height), side(width or height)


def _many(text: str) -> int:
    number = count(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of images; give 1 or more")
    return number


def _range_of(kind: type) -> Any:
    def read(text: str) -> tuple[Any, Any]:
        low, _, high = text.partition("-")
        try:
            return kind(low), kind(high or low)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is neither a number nor a range; give one such as 3, or two such as 1-10"
            ) from None

    return read


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no colour; give grey levels of 0 to 255, such as 230,60,20"
        ) from None


COMMAND = Command(
    "compose",
    "make semi-synthetic training images from labelled ones",
    configure,
    run,
    """\
Cut the particles out of labelled images, turn, scale and recolour them, and paste them onto other backgrounds (Lee et
al. 2022). FOLDER gets images, their labels (one number per particle) in 'labels', and semi_synthetic.json with all
settings; 'napari-mpseg train FOLDER' and 'evaluate' take it as it is. The same seed gives the same images.""",
)
