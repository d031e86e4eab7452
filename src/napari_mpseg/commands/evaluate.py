"""``napari-mpseg evaluate``: predictions against truth, in numbers and pictures."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_pixel_size, add_plane, add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.truth_notes import say_if_inverted
from napari_mpseg.evaluation.metric_sets import DEFAULT_METRICS, WITH_PROBABILITY, WITH_SCORES

if TYPE_CHECKING:
    from napari_mpseg.commands.evaluate_files import Pair, Pairs
    from napari_mpseg.evaluation.evidence import Evidence
    from napari_mpseg.images.image import Image
    from napari_mpseg.progress import CancelToken, ProgressCallback

_ENDINGS = (".csv", ".json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from napari_mpseg.evaluation.errors import ERROR_COLOURS

    parser.add_argument("predicted", type=Path, metavar="PRED", help="labels, mask, result store, or a folder of them")
    parser.add_argument("truth", type=Path, metavar="TRUTH", help="the same of what really is particle")
    parser.add_argument(
        "--metrics",
        nargs="+",
        type=_metrics,
        metavar="NAME",
        help="names of metrics, of families (pixel, probability, particle, count, size), or all; "
        "'napari-mpseg evaluate --list' explains them; without, the dozen that most need. A family leaves out what "
        "needs a probability if there is none",
    )
    parser.add_argument("--list", action=_ListMetrics, help="explain all metrics and end")
    parser.add_argument(
        "--min-size", type=_size, default=3, metavar="PX", help="particles of fewer pixels do not count"
    )
    parser.add_argument(
        "--particle-value", type=count, metavar="N", help="the value in TRUTH that is particle; without, all but 0"
    )
    parser.add_argument(
        "--predicted-particle-value",
        type=count,
        metavar="N",
        help="the value in PRED that is particle; without, all but 0",
    )
    parser.add_argument(
        "--probability",
        type=Path,
        metavar="STORE",
        help="result store (or folder of them) whose probability is judged too; without, that of PRED if it has one",
    )
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="TABLE",
        help="table of PRED (CSV or Parquet) whose column 'confidence' ranks the particles for average precision; "
        "without, the table beside PRED if it has one, else the mean probability",
    )
    add_pixel_size(parser)
    add_plane(parser)
    parser.add_argument("--errors", type=Path, metavar="DIR", help="folder for a picture of the errors of every image")
    parser.add_argument(
        "--colours",
        default="paper",
        choices=tuple(ERROR_COLOURS),
        help="of the pictures: those of Baek et al. 2021, or ones that everybody can tell apart",
    )
    parser.add_argument("--out", type=_table, metavar="FILE", help="table to write, .csv or .json")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE and pictures that are there")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Compare, print the table, write what was asked for."""
    from napari_mpseg.commands.evaluate_files import find_pairs
    from napari_mpseg.commands.evaluate_pictures import legend, write_error_picture
    from napari_mpseg.commands.evaluate_scores import find_scores
    from napari_mpseg.commands.evaluate_tables import Scored
    from napari_mpseg.evaluation.metric import find_metric

    pairs = find_pairs(options.predicted, options.truth)
    _check_places(pairs, options)
    names = list(dict.fromkeys(name for group in options.metrics or () for name in group.names))
    _check_values(pairs, options)
    scores = find_scores(pairs.pairs, options)
    with console_work(options.quiet) as (on_progress, cancel):
        evidences = [_compared(pair, options, names, on_progress, cancel) for pair in pairs.pairs]
        evidences = scores.put_into(evidences)
        for pair in pairs.pairs if options.errors is not None else ():
            write_error_picture(*_read(pair, options), _picture_of(pair, options), options.colours, cancel)
    graded = all(evidence.levels is not None for evidence in evidences)
    ranked = WITH_SCORES if scores.complete else ()
    names = names or [*DEFAULT_METRICS, *(WITH_PROBABILITY if graded else ()), *ranked]
    left_out = [] if graded else _left_out(options.metrics or ())
    entries = [find_metric(name) for name in names if name not in left_out]
    scored = Scored(evidences, entries)
    for line in scored.lines():
        say(line)
    if left_out:
        titles = ", ".join(find_metric(name).title for name in left_out)
        say(f"Note      left out, as they need a probability: {titles}")
    for line in scores.notes:
        say(f"Note      {line}")
    _tell_notes(pairs, evidences, options)
    if options.out is not None:
        asked = {"predicted": str(options.predicted), "truth": str(options.truth)}
        scored.write(options.out, asked, overwrite=options.overwrite)
        say(f"Table     {options.out}")
    if options.errors is not None:
        say(f"Pictures  {options.errors}: {legend(options.colours)}")


def _compared(
    pair: "Pair",
    options: argparse.Namespace,
    names: Sequence[str],
    on_progress: "ProgressCallback",
    cancel: "CancelToken",
) -> "Evidence":
    from napari_mpseg.errors import ImageError
    from napari_mpseg.evaluation.evidence import gather_evidence

    predicted, truth = _read(pair, options)
    if predicted.shape != truth.shape:
        raise ImageError(
            f"{pair.predicted} is {predicted.shape[1]} x {predicted.shape[0]} px and {pair.truth} {truth.shape[1]} x "
            f"{truth.shape[0]}: they must be of the same image at the same size."
        )
    known = options.pixel_size or next(
        (one.calibration for one in (predicted, truth) if one.calibration.calibrated), predicted.calibration
    )
    try:
        return gather_evidence(
            predicted.data,
            truth.data,
            probability=_probability(pair, options, names),
            min_size=options.min_size,
            name=pair.name,
            pixel_size_um=known.pixel_size_um,
            on_progress=on_progress,
            cancel=cancel,
        )
    except ImageError as error:
        raise ImageError(f"{pair.predicted} and {pair.truth}: {error}") from error


def _read(pair: "Pair", options: argparse.Namespace) -> tuple["Image", "Image"]:
    from napari_mpseg.commands.evaluate_files import read_labels

    return (
        read_labels(pair.predicted, options.predicted_particle_value, options.plane),
        read_labels(pair.truth, options.particle_value, options.plane),
    )


def _picture_of(pair: "Pair", options: argparse.Namespace) -> Path:
    return Path(options.errors) / f"{pair.name}_errors.png"


def _check_places(pairs: "Pairs", options: argparse.Namespace) -> None:
    """Refuse places that are taken, before any work."""
    from napari_mpseg.errors import StoreError

    places = [options.out] if options.out is not None else []
    places += [_picture_of(pair, options) for pair in pairs.pairs] if options.errors is not None else []
    there = [str(place) for place in places if place.exists()]
    if there and not options.overwrite:
        raise StoreError(f"{', '.join(there[:3])} already there. Choose another place, or give --overwrite.")


def _probability(pair: "Pair", options: argparse.Namespace, names: Sequence[str]) -> Any:
    """Return the probability that is asked for, or that a metric needs and the prediction has."""
    from napari_mpseg.commands.evaluate_files import find_pairs, read_probability, stored_probability
    from napari_mpseg.errors import ImageError
    from napari_mpseg.evaluation.metric import find_metric

    if options.probability is not None:
        given = find_pairs(options.probability, options.probability).pairs
        if len(given) == 1:
            return read_probability(given[0].predicted, options.plane)
        found = [one.predicted for one in given if one.name == pair.name]
        if not found:
            raise ImageError(f"{options.probability} holds no probability of the name {pair.name}.")
        return read_probability(found[0], options.plane)
    wanted = any(find_metric(name).needs_probability for name in names)
    return stored_probability(pair.predicted) if wanted else None


def _check_values(pairs: "Pairs", options: argparse.Namespace) -> None:
    """Refuse a value that occurs in no truth."""
    from napari_mpseg.commands.evaluate_files import read_labels
    from napari_mpseg.images.truth_values import check_particle_value

    truths = (read_labels(pair.truth, plane=options.plane).data for pair in pairs.pairs)
    check_particle_value(truths, options.particle_value)


def _left_out(asked: "Sequence[_Asked]") -> list[str]:
    """Return the metrics that need a probability and were not asked for by name, unless there are no others."""
    from napari_mpseg.evaluation.metric import find_metric

    named = {name for one in asked if not one.family for name in one.names}
    every = list(dict.fromkeys(name for one in asked for name in one.names))
    found = [name for name in every if find_metric(name).needs_probability and name not in named]
    return found if len(found) < len(every) else []


def _tell_notes(pairs: "Pairs", evidences: "Sequence[Evidence]", options: argparse.Namespace) -> None:
    for paths, missing in ((pairs.without_truth, "truth"), (pairs.without_prediction, "prediction")):
        if paths:
            say(f"Note      without {missing}, not compared: {', '.join(path.name for path in paths)}")
    true = sum(one.pixels.tp + one.pixels.fn for one in evidences)
    every = sum(one.pixels.total for one in evidences)
    say_if_inverted(true / max(1, every), options.particle_value)


def _size(text: str) -> int:
    if not text.isdecimal() or int(text[:18]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pixels of 1 or more")
    return int(text)


def _table(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in _ENDINGS:
        raise argparse.ArgumentTypeError(f"a table cannot be saved as {path.name!r}; end the name in .csv or .json")
    return path


@dataclass(frozen=True)
class _Asked:
    """Metrics that were asked for, and whether as a family."""

    names: tuple[str, ...]
    family: bool = False


def _metrics(text: str) -> _Asked:
    """Return the metrics that a name, a family or 'all' stands for."""
    from napari_mpseg.errors import MpsegError
    from napari_mpseg.evaluation.metric import METRICS, find_metric

    family = [name for name, entry in METRICS.items() if text in ("all", entry.family)]
    if family:
        return _Asked(tuple(family), family=True)
    try:
        return _Asked((find_metric(text).name,))
    except MpsegError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class _ListMetrics(argparse.Action):
    """Explain the metrics."""

    def __init__(self, **how: Any) -> None:
        super().__init__(
            nargs=0, default=argparse.SUPPRESS, **{k: v for k, v in how.items() if k not in ("nargs", "default")}
        )

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from napari_mpseg.evaluation.metric import METRICS

        for name, entry in METRICS.items():
            source = f" [{entry.source}]" if entry.source else ""
            say(f"{name}  ({entry.family}, {entry.better})\n    {entry.definition} {entry.undefined}{source}")
        parser.exit()


COMMAND = Command(
    "evaluate",
    "compare predictions with truth",
    configure,
    run,
    """\
Compare labels or masks with the truth, pixel by pixel and particle by particle. PRED and TRUTH are two
files, or two folders whose files have the same names (results of 'segment --out' too). With several
images the column 'all images' takes them together as if they were one, and 'mean per image' averages
over them. Masks where 0 is particle, such as MP-Net's labels, need --particle-value 0.""",
)
