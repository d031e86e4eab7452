"""``napari-mpseg separate``: from a mask, a probability or labels to particles told apart, and their table."""

import argparse
import dataclasses
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_pixel_size, add_plane, add_quiet, add_rules, probability
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.errors import ImageError, SettingsError

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image
    from napari_mpseg.particles.instances.settings import InstanceSettings
    from napari_mpseg.particles.table import ParticleTable

_ENDINGS = {
    # the table is beside the labels under the same name, so that napari opens both
    "labels": "_separated_particles.tif",
    "csv": "_separated_particles.csv",
    "parquet": "_separated_particles.parquet",
    "record": "_separated_run.json",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from napari_mpseg.particles.instances.ways import INSTANCES

    parser.add_argument(
        "mask",
        metavar="MASK",
        help="a mask or labels (0 is background), a probability of real numbers from 0 to 1, or a result of 'segment'",
    )
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="image of the same size: intensities, and valleys")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder for labels, tables and record")
    parser.add_argument(
        "--way", choices=tuple(INSTANCES), default="components", help="how touching particles are split"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help=f"a setting of the way; {_told(INSTANCES)}"
    )
    parser.add_argument("--seeds", metavar="FILE", help="where parts start: labels, or a CSV with the columns y and x")
    parser.add_argument(
        "--threshold",
        type=probability,
        metavar="P",
        help="MASK is a probability (of whole numbers: their largest is 1); above P is particle; without, 0.5",
    )
    parser.add_argument("--within-labels", action="store_true", help="split each label by itself; keep their borders")
    parser.add_argument("--connectivity", type=int, choices=(4, 8), default=8, help="neighbours that join pixels")
    _add_cleaning(parser)
    add_rules(parser)
    add_pixel_size(parser)
    add_plane(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace earlier results of this command")
    add_quiet(parser)


def _add_cleaning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--join",
        nargs=2,
        type=size,
        metavar=("DILATE", "ERODE"),
        help="join broken strands: sides of the squares to dilate and erode by, such as 15 9",
    )
    parser.add_argument("--join-keeps", choices=("joined", "own"), default="joined", help="pixels of joined particles")
    parser.add_argument(
        "--fill-holes", type=area_or_all, default=0.0, metavar="AREA", help="fill holes up to this area; 'all' for all"
    )
    parser.add_argument("--min-size", type=size, default=0.0, metavar="AREA", help="drop particles that are smaller")
    parser.add_argument("--max-size", type=size, metavar="AREA", help="drop particles that are larger")
    parser.add_argument("--exclude-edges", action="store_true", help="drop particles that touch the image's border")
    parser.add_argument("--unit", default="px", help="of the sizes: px, um, nm ...; areas are in its square")


def run(options: argparse.Namespace) -> None:
    """Separate, measure, write all files, and print the counts."""
    from napari_mpseg.files import finished_together
    from napari_mpseg.images.open import open_image
    from napari_mpseg.results.saving import check_places
    from napari_mpseg.results.summary import class_lines, size_lines

    settings = _settings(options)
    mask = _opened(options)
    image = open_image(options.image, plane=mask.plane or None) if options.image else None
    if image is not None and options.pixel_size is None and not mask.calibration.calibrated:
        mask = mask.with_calibration(image.calibration)
    paths = _paths(options.out, mask.name)
    check_places(paths, overwrite=options.overwrite)
    with (
        console_work(options.quiet) as (on_progress, cancel),
        finished_together(paths, overwrite=options.overwrite) as parts,
    ):
        labels, table = _made(mask, image, settings, options, on_progress, cancel)
        _write(parts, labels, table, mask)
        cancel.check()
    say(f"Mask      {mask.name}: {mask.shape[1]} x {mask.shape[0]} px, {mask.calibration}")
    say(f"Particles {len(table)}, {settings.way}")
    say("\n".join([*size_lines(table), *class_lines(table)]))
    say(f"Labels    {paths['labels']}")
    say(f"Table     {paths['csv']}")


def _made(
    mask: "Image", image: Any, settings: "InstanceSettings", options: argparse.Namespace, on_progress: Any, cancel: Any
) -> "tuple[Any, ParticleTable]":
    from napari_mpseg.particles.classes.rules import find_rules
    from napari_mpseg.particles.instances.make import make_instances
    from napari_mpseg.particles.instances.regions import mask_above
    from napari_mpseg.particles.reviewable import RULES, measure_for_review
    from napari_mpseg.provenance import Provenance
    from napari_mpseg.settings import to_dict

    source, picture = mask.data, image
    if options.threshold is not None and source.dtype.kind == "u":
        picture = image if image is not None else source
        source = mask_above(source, settings.threshold)
    labels = make_instances(
        source,
        settings,
        image=picture,
        seeds=_seeds(options.seeds) if options.seeds else None,
        calibration=mask.calibration,
        on_progress=on_progress,
        cancel=cancel,
    )
    graded = mask.dtype.kind == "f" or (options.threshold is not None and mask.dtype == "uint8")
    table = measure_for_review(
        labels,
        image,
        probability=mask.data if graded else None,
        calibration=mask.calibration,
        rules=find_rules(options.rules or RULES),
        on_progress=on_progress,
        cancel=cancel,
    )
    inputs = {
        "name": mask.name,
        "source": mask.source,
        "image": options.image,
        "seeds": options.seeds,
        "shape": list(mask.shape),
        "calibration": to_dict(mask.calibration),
    }
    return labels, replace(table, provenance=Provenance("separate", to_dict(settings), inputs).to_dict())


def _settings(options: argparse.Namespace) -> "InstanceSettings":
    from napari_mpseg.particles.instances.settings import InstanceSettings

    dilate, erode = options.join or (0.0, 0.0)
    return InstanceSettings(
        threshold=0.5 if options.threshold is None else options.threshold,
        within_labels=options.within_labels,
        join_dilate=dilate,
        join_erode=erode,
        join_keeps=options.join_keeps,
        fill_holes=options.fill_holes,
        connectivity=2 if options.connectivity == 8 else 1,
        way=options.way,
        options=dict(_pair(text) for text in options.set),
        exclude_on_edges=options.exclude_edges,
        min_size=options.min_size,
        max_size=options.max_size,
        unit=options.unit,
    )


def _opened(options: argparse.Namespace) -> "Image":
    """Return the mask, labels or probability ``(Y, X)``; what is coloured in any channel is particle."""
    from napari_mpseg.images.open import open_image
    from napari_mpseg.results.labels_file import open_labels

    # A result of 'segment' holds labels and their probability; a threshold asks for the latter.
    opens = open_labels if options.threshold is None else open_image
    opened: Image = opens(options.mask, calibration=options.pixel_size, plane=options.plane)
    if opened.data.ndim == 2:
        if options.threshold is not None and opened.dtype.kind not in "uf":
            raise ImageError(
                f"{opened.source} holds {opened.dtype}, which is no probability. Leave --threshold out, or give one of "
                "real numbers from 0 to 1, or of uint8 with 255 for 1."
            )
        return opened
    if options.threshold is not None or options.within_labels:
        raise ImageError(
            f"{opened.source} is a picture with {opened.n_channels} channels: a mask at best, but no probability and "
            "no labels. Leave --threshold and --within-labels out."
        )
    return replace(opened, data=(opened.data != 0).any(axis=2), channels=())


def _seeds(path: str) -> Any:
    """Return points of a CSV file as rows and columns, or labels of any other file."""
    if Path(path).suffix.lower() != ".csv":
        from napari_mpseg.results.labels_file import open_labels

        return open_labels(path).data
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise ImageError(f"The seeds {path} cannot be read: {error}.") from error
    # napari saves points with the columns axis-0 and axis-1
    for names in (["y", "x"], ["Y", "X"], ["axis-0", "axis-1"]):
        if set(names) <= set(table.columns):
            return table[names].to_numpy(float)
    raise ImageError(f"The seeds {path} have no columns y and x, in pixels. They have: {', '.join(table.columns)}.")


def _paths(folder: Path, name: str) -> dict[str, Path]:
    from napari_mpseg.exchange.names import file_stem

    return {part: folder / f"{file_stem(name)}{ending}" for part, ending in _ENDINGS.items()}


def _write(parts: dict[str, Path], labels: Any, table: "ParticleTable", mask: "Image") -> None:
    from napari_mpseg.results.labels_tiff import write_labels_tiff

    write_labels_tiff(parts["labels"], labels, f"{mask.name} particles", mask.calibration)
    table.to_csv(parts["csv"])
    table.to_parquet(parts["parquet"])
    record = {**table.provenance, "particles": len(table)}
    parts["record"].write_text(json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _told(ways: Any) -> str:
    """Return which way has which settings, with their defaults."""
    told = []
    for name, way in ways.items():
        fields = [f"{field.name}={field.default}".lower() for field in dataclasses.fields(way.settings)]
        if fields:
            told.append(f"{name}: {', '.join(fields)}")
    return "; ".join(told)


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise SettingsError(f"--set {text!r} is not NAME=VALUE. Write for example --set prominence=1.5.")
    truths = {"true": True, "yes": True, "false": False, "no": False}
    if value.lower() in truths:
        return name, truths[value.lower()]
    try:
        return name, float(value)
    except ValueError:
        raise SettingsError(f"--set {text!r}: {value!r} is neither a number nor true or false.") from None


def size(text: str) -> float:
    """Read a size of 0 or more for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; give a number of 0 or more")
    return value


def area_or_all(text: str) -> float | None:
    """Read a size, or ``all``, for argparse."""
    return None if text.strip().lower() == "all" else size(text)


COMMAND = Command(
    "separate",
    "tell touching particles apart, on a mask, a probability or labels",
    configure,
    run,
    """\
Clean a mask, split touching particles, number them and measure them (with IMAGE their intensity too).
Steps in this order: threshold, --join, --fill-holes, --way, --exclude-edges, --min-size and --max-size.
Writes NAME_separated_particles.tif (OME-TIFF labels), .csv and .parquet (tables) and NAME_separated_run.json
(all settings) into DIR.""",
)
