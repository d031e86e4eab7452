"""``napari-mpseg pattern``: whether particles lie as if at random, clustered or self-avoiding."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_pixel_size, add_plane, add_quiet, count, side
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.errors import ImageError, SettingsError, StoreError

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image
    from napari_mpseg.particles.pattern.region import Region
    from napari_mpseg.particles.pattern.result import PatternResult
    from napari_mpseg.particles.table import ParticleTable

_ENDINGS = (".csv", ".json")
_DEFAULT_TEST = "clark-evans"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "table",
        nargs="?",
        type=Path,
        metavar="TABLE",
        help="particle table of 'measure' or 'segment', CSV or Parquet, or the folder it is in",
    )
    parser.add_argument(
        "--labels", metavar="LABELS", help="labels of the particles; needed for the distances ultimate and edge"
    )
    parser.add_argument(
        "--shape", nargs=2, type=side, metavar=("H", "W"), help="height and width of the image in pixels"
    )
    parser.add_argument(
        "--region", metavar="MASK", help="image that is not 0 where particles could have lain; without, the whole image"
    )
    parser.add_argument("--round", action="store_true", help="the region is the largest circle in the image")
    parser.add_argument(
        "--test",
        action="append",
        metavar="TEST",
        help="clark-evans, donnelly, g-function, l-function or biovoxxel; may be repeated (default: clark-evans)",
    )
    parser.add_argument("--distance", default="centroid", metavar="KIND", help="centroid, ultimate or edge")
    parser.add_argument("--alpha", type=float, default=0.05, metavar="A", help="level of the tests")
    parser.add_argument("--simulations", type=count, default=999, metavar="N", help="random patterns to compare with")
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="the same seed gives the same answer")
    parser.add_argument(
        "--points", action="store_true", help="random patterns are points that may lie anywhere, not discs side by side"
    )
    parser.add_argument(
        "--separation",
        type=float,
        default=1.0,
        metavar="PX",
        help="empty pixels that must lie between discs: particles that touch are one in a mask",
    )
    parser.add_argument("--statistic", default="median", metavar="NAME", help="of biovoxxel: median or mean")
    add_pixel_size(parser)
    add_plane(parser)
    parser.add_argument("--out", type=Path, metavar="NEW", help="file to write, .csv or .json")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier file")
    add_quiet(parser)
    parser.set_defaults(wrong=parser.error)


def run(options: argparse.Namespace) -> None:
    """Test the pattern, print what was found, and write it."""
    _check(options)
    from napari_mpseg.particles.pattern.analyse import analyse_pattern
    from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
    from napari_mpseg.results.labels_file import open_labels

    settings = PatternSettings(
        alpha=options.alpha,
        simulations=options.simulations,
        seed=options.seed,
        non_overlapping=not options.points,
        separation=options.separation,
        statistic=options.statistic,
        curve=False,
    )
    table = _table(options) if options.table else None
    labels = open_labels(options.labels, options.pixel_size, options.plane) if options.labels else None
    calibration = options.pixel_size
    if calibration is None and labels is not None and (table is None or not table.calibration.calibrated):
        calibration = labels.calibration
    pixels = None if labels is None else labels.data.compute()
    if labels is not None:
        _refuse_masks(pixels, labels)
    region = _region(options, None if pixels is None else pixels.shape)
    results = []
    with console_work(options.quiet) as (on_progress, cancel):
        for test in options.test or [_DEFAULT_TEST]:
            result = analyse_pattern(
                table,
                region=region,
                labels=pixels,
                calibration=calibration,
                test=test,
                distance=options.distance,
                settings=settings,
                on_progress=on_progress,
                cancel=cancel,
            )
            results.append(result)
    for result in results:
        _tell(result)
    if options.out is not None:
        _write(results, options.out, overwrite=options.overwrite)
        say(f"Written      {options.out}")


def _check(options: argparse.Namespace) -> None:
    """Refuse arguments that do not go together, with exit code 2, and an output that is there, before any work."""
    if options.table is None and options.labels is None:
        options.wrong("give TABLE, or --labels LABELS")
    if options.shape is None and options.region is None and options.labels is None:
        options.wrong("where could the particles have lain? give --shape H W, --region MASK or --labels LABELS")
    if options.region is not None and (options.round or options.shape is not None):
        options.wrong("--region goes without --round and --shape")
    if options.out is not None:
        if options.out.suffix.lower() not in _ENDINGS:
            options.wrong(f"--out {options.out} must end in .csv or .json")
        if options.out.exists() and not options.overwrite:
            raise StoreError(f"{options.out} is already there. Choose another --out, or give --overwrite.")


def _table(options: argparse.Namespace) -> "ParticleTable":
    """Read the table, and refuse a pixel size that is another than the one it was measured with."""
    from napari_mpseg.commands.tables import read_one_table

    table = read_one_table(options.table)
    own, given = table.calibration, options.pixel_size
    if given is not None and own.calibrated and not own.same_size(given):
        raise SettingsError(
            f"--pixel-size is {given}, but {options.table} was measured with {own}. Leave --pixel-size out, "
            "or measure again to change it."
        )
    return table


def _refuse_masks(pixels: Any, labels: "Image") -> None:
    """Refuse a mask, whose particles would be taken for a single one."""
    import numpy as np
    from scipy import ndimage

    inside = pixels != 0
    if pixels.ndim != 2 or not inside.any() or (pixels.dtype != bool and np.ptp(pixels[inside]) > 0):
        return
    pieces = ndimage.label(inside, np.ones((3, 3)))[1]
    if pieces > 1 or pixels.dtype == bool:
        raise ImageError(
            f"{labels.source} holds a single label, {int(pixels[inside][0])}, in {pieces} pieces, so it looks like a "
            "mask and would count as one particle. Make every connected piece a particle with `napari-mpseg separate`, "
            "and give the labels that it writes."
        )


def _region(options: argparse.Namespace, labels: Sequence[int] | None) -> "Region":
    from napari_mpseg.particles.pattern.region import Region

    if options.region is not None:
        from napari_mpseg.images.open import open_image

        mask = open_image(options.region).data.compute() != 0
        return Region.of_mask(mask.any(axis=2) if mask.ndim == 3 else mask, Path(options.region).name)
    shape = options.shape or labels or ()
    return Region.circle(shape) if options.round else Region.rectangle(shape)


def _tell(result: "PatternResult") -> None:
    unit = result.unit
    say(f"Test         {result.title}")
    rows: list[tuple[str, Any]] = [
        ("Particles", result.n),
        ("Region", f"{result.region}, {result.area:.6g} {unit}2"),
        ("Distance", result.distance),
        ("Expected", f"{result.theoretical:.4f} {unit} (mean nearest-neighbour distance of a random pattern)"),
        ("Mean", f"{result.mean:.4f} {unit}"),
        ("Median", f"{result.median:.4f} {unit}"),
        ("Statistic", f"{result.statistic_name} = {result.statistic:.4g} (critical {result.critical:.4g})"),
        ("p", f"{result.p:.2g}"),
    ]
    for name, value in rows:
        if "nan" not in str(value):
            say(f"{name:<12} {value}")
    say(f"Answer       {result.in_words()}")
    for note in result.notes:
        say(f"Note         {note}")
    say()


def _write(results: "Sequence[PatternResult]", path: Path, *, overwrite: bool) -> None:
    from napari_mpseg.files import finished_at

    with finished_at(path, overwrite=overwrite) as part:
        if path.suffix.lower() == ".json":
            told = [result.to_dict() for result in results]
            part.write_text(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        else:
            import pandas as pd

            frames = [result.to_frame() for result in results]
            pd.concat(frames, ignore_index=True).to_csv(part, index=False, encoding="utf-8")


COMMAND = Command(
    "pattern",
    "tell whether particles lie as if at random, clustered or self-avoiding",
    configure,
    run,
    """\
Compare the distances between neighbouring particles with those of random patterns in the same
region: the whole image (--shape, or that of --labels), the largest circle in it (--round), or a
mask (--region). Particles of TABLE whose column 'keep' is false are left out. The test biovoxxel is
there to compare with figures made by ImageJ's plugin; it is wrong far too often to learn from.""",
)
