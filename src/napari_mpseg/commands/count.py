"""``napari-mpseg count``: how many particles there are, each with a box, and how far the count is off."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_pixel_size, add_plane, add_quiet, channel_choice, probability
from napari_mpseg.commands.arguments import count as whole_number
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.count_inputs import KINDS, CountInput, count_input
from napari_mpseg.commands.segment_arguments import add_method, neighbours
from napari_mpseg.commands.separate import area_or_all, size
from napari_mpseg.errors import ImageError, SettingsError, StoreError

if TYPE_CHECKING:
    from napari_mpseg.evaluation.evidence import Evidence
    from napari_mpseg.particles.counting.boxes import CountedBoxes
    from napari_mpseg.particles.counting.settings import CountSettings

_ENDINGS = {"csv": "_boxes.csv", "overlay": "_boxes.png", "record": "_count.json"}
_ERRORS = "count_errors.csv"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="SOURCE",
        help="image, mask, labels, probability, or result of 'segment'; several are counted one after the other",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for boxes, pictures and records")
    parser.add_argument(
        "--as",
        dest="kind",
        choices=KINDS,
        help="what SOURCE is; without, a result is its labels, and of other files the pixels tell",
    )
    add_method(parser)
    parser.set_defaults(method=None)
    parser.add_argument(
        "--threshold",
        type=probability,
        metavar="P",
        help="probability above which pixels are particle; without, the method's own, else 0.5. Of a result then its "
        "probability is counted, not its labels",
    )
    _add_settings(parser)
    _add_truth(parser)
    parser.add_argument("--channels", type=channel_choice, metavar="LIST", help="of an image: such as red or 0,2")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to segment")
    add_pixel_size(parser)
    add_plane(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace earlier results of this command")
    add_quiet(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    from napari_mpseg.particles.counting.settings import CountSettings

    own = CountSettings()
    parser.add_argument("--dilate", type=size, default=own.dilate, metavar="SIDE", help="square to dilate by; 0: none")
    parser.add_argument("--erode", type=size, default=own.erode, metavar="SIDE", help="square to erode by; 0: none")
    parser.add_argument("--erode-first", action="store_true", help="erode before dilating: what is thin is dropped")
    parser.add_argument(
        "--fill-holes",
        type=area_or_all,
        default=own.fill_holes,
        metavar="AREA",
        help="what lies in a hole of up to this area is part of what is around it; without, or 'all', of any; 0: never",
    )
    parser.add_argument(
        "--min-size", type=size, default=own.min_size, metavar="AREA", help="drop what has fewer pixels"
    )
    parser.add_argument("--connectivity", type=int, choices=(4, 8), default=8, help="neighbours that join pixels")
    parser.add_argument("--unit", default="px", help="of the sizes: px, um, nm ...; areas are in its square")


def _add_truth(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE|DIR",
        help="labels or a mask of what really is particle, or a folder of them with the names of the SOURCEs: the "
        "errors of the count are told, and written as a table",
    )
    parser.add_argument(
        "--particle-value", type=whole_number, metavar="N", help="the value in the truth that is particle"
    )
    parser.add_argument(
        "--match",
        type=_match,
        default="iou:0.5",
        metavar="RULE",
        help="which boxes stand for which true ones: iou:0.5 (intersection over union of boxes) or "
        "distance:20 (of their middles, in px)",
    )


def run(options: argparse.Namespace) -> None:
    """Count, write all files, and print the counts and their errors."""
    jobs = _jobs(options)
    taken: dict[str, Path] = {}
    evidences = []
    with console_work(options.quiet) as (on_progress, cancel):
        for number, (source, truth) in enumerate(jobs):
            found = count_input(source, options, on_progress, cancel)
            _check_name(found.what.name, source, taken)
            settings = _settings(options, found.threshold)
            boxes = _counted(found, settings, on_progress, cancel)
            evidence = None
            if truth is not None:
                evidence = _compared(found, boxes, truth, options, on_progress, cancel)
                evidences.append(evidence)
            paths = _write(found, boxes, options, on_progress, cancel)
            say("\n" * bool(number) + _told(found, boxes))
            say(f"Boxes     {paths['csv']}")
    if evidences:
        _tell_errors(evidences, options)


def _jobs(options: argparse.Namespace) -> list[tuple[Path, Path | None]]:
    """Return what is counted, with its truth; refuse what is not there or in the way before any work."""
    missing = [str(source) for source in options.sources if not source.exists()]
    if missing:
        raise ImageError(f"{', '.join(missing)} is not there. Check the name and the folder.")
    errors = options.out / _ERRORS
    if options.truth is None:
        return [(source, None) for source in options.sources]
    if errors.exists() and not options.overwrite:
        raise StoreError(f"{errors} is already there. Choose another folder, or give --overwrite.")
    from napari_mpseg.commands.evaluate_files import find_pairs

    pairs = [find_pairs(source, options.truth) for source in options.sources]
    return [(pair.predicted, pair.truth) for each in pairs for pair in each.pairs]


def _check_name(name: str, source: Path, taken: dict[str, Path]) -> None:
    from napari_mpseg.exchange.names import file_stem

    before = taken.setdefault(file_stem(name), source)
    if before != source:
        raise ImageError(f"{before} and {source} have the same name, {name}. Count them into different folders.")


def _settings(options: argparse.Namespace, threshold: float | None) -> "CountSettings":
    from napari_mpseg.particles.counting.settings import CountSettings

    own = 0.5 if threshold is None else threshold
    return CountSettings(
        threshold=own if options.threshold is None else options.threshold,
        dilate=options.dilate,
        erode=options.erode,
        erode_first=options.erode_first,
        fill_holes=options.fill_holes,
        connectivity=neighbours(options),
        min_size=options.min_size,
        unit=options.unit,
    )


def _counted(found: CountInput, settings: "CountSettings", on_progress: Any, cancel: Any) -> "CountedBoxes":
    from napari_mpseg.particles.counting.carried import carry_over
    from napari_mpseg.particles.counting.count import count_particles

    boxes = count_particles(
        found.what.data,
        settings,
        calibration=found.what.calibration,
        on_progress=on_progress,
        cancel=cancel,
        **found.how,
    )
    if found.how.get("numbered"):
        boxes = boxes.decided(found.keep, found.reviewed)
    return boxes if found.earlier is None else carry_over(boxes, found.earlier).boxes


def _compared(
    found: CountInput, boxes: "CountedBoxes", truth: Path, options: argparse.Namespace, on_progress: Any, cancel: Any
) -> "Evidence":
    from napari_mpseg.commands.count_inputs import is_mask
    from napari_mpseg.commands.evaluate_files import read_labels
    from napari_mpseg.evaluation.count_boxes import box_evidence, label_boxes
    from napari_mpseg.particles.counting.count import count_particles

    true = read_labels(truth, options.particle_value, options.plane)
    if true.shape != found.what.shape:
        raise ImageError(
            f"{found.what.name} is {found.what.shape[1]} x {found.what.shape[0]} px and {truth} {true.shape[1]} x "
            f"{true.shape[0]}: they must be of the same image at the same size."
        )
    work = {"on_progress": on_progress, "cancel": cancel}
    if is_mask(true.data):
        # broken strands of a mask cannot be told from particles but in the way of the count itself
        same = count_particles(true.data, boxes.settings, calibration=boxes.calibration, **work)
        corners = same.corners
    else:
        corners = label_boxes(true.data, boxes.settings.sizes(boxes.calibration).growth, **work)
    kept = boxes.kept()
    return box_evidence(kept.corners, corners, name=found.what.name, scores=kept.frame["confidence"].to_numpy())


def _write(
    found: CountInput, boxes: "CountedBoxes", options: argparse.Namespace, on_progress: Any, cancel: Any
) -> dict[str, Path]:
    from napari_mpseg.commands.count_picture import count_picture
    from napari_mpseg.exchange.names import file_stem
    from napari_mpseg.files import finished_together
    from napari_mpseg.results.saving import check_places

    stem = file_stem(found.what.name)
    paths = {part: options.out / f"{stem}{ending}" for part, ending in _ENDINGS.items()}
    check_places(paths, overwrite=options.overwrite)
    with finished_together(paths, overwrite=options.overwrite) as parts:
        boxes.to_csv(parts["csv"])
        picture = replace(found.picture, name=found.what.name)
        count_picture(picture, boxes, on_progress=on_progress, cancel=cancel).save(parts["overlay"], format="PNG")
        record = json.dumps(_record(found, boxes), indent=2, ensure_ascii=False, default=str)
        parts["record"].write_text(record + "\n", encoding="utf-8")
        cancel.check()
    return paths


def _record(found: CountInput, boxes: "CountedBoxes") -> Mapping[str, Any]:
    from napari_mpseg.provenance import Provenance
    from napari_mpseg.settings import to_dict

    inputs = {
        "name": found.what.name,
        "source": found.what.source,
        "taken_as": found.told,
        "shape": list(boxes.shape),
        "calibration": to_dict(boxes.calibration),
    }
    counts = {"particles": boxes.count, **_numbers(boxes)}
    return {**Provenance("count", to_dict(boxes.settings), inputs).to_dict(), **counts}


def _numbers(boxes: "CountedBoxes") -> dict[str, int]:
    frame = boxes.frame
    return {
        "drawn_by_hand": int((frame["origin"].eq("drawn") & frame["keep"]).sum()),
        "rejected": int((~frame["keep"]).sum()),
        "reviewed": int(frame["reviewed"].sum()),
    }


def _told(found: CountInput, boxes: "CountedBoxes") -> str:
    height, width = boxes.shape
    numbers = _numbers(boxes)
    more = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in numbers.items() if number)
    lines = [
        f"Source    {found.what.name}: {width} x {height} px, {boxes.calibration}; taken as {found.told}",
        f"Particles {boxes.count}{f' ({more})' if more else ''}",
        *_joined_note(boxes),
    ]
    sure = boxes.kept().frame["confidence"].dropna()
    if len(sure):
        lines.append(f"Confidence {sure.mean():.2f} on average, {int((sure < 0.7).sum())} below 0.7")
    return "\n".join(lines)


def _joined_note(boxes: "CountedBoxes") -> list[str]:
    """Say where particles that have labels of their own share boxes."""
    of_labels = boxes.frame["labels"][boxes.frame["labels"].map(len) > 0]
    labels = sum(map(len, of_labels))
    if labels <= len(of_labels):
        return []
    return [
        f"Note      {labels} labels lie in {len(of_labels)} box{'' if len(of_labels) == 1 else 'es'}: broken strands "
        "were joined. For a box of its own for each label join nothing: --dilate 0 --erode 0"
    ]


def _tell_errors(evidences: "Sequence[Evidence]", options: argparse.Namespace) -> None:
    from napari_mpseg.evaluation.count_confusion import count_table
    from napari_mpseg.files import finished_at

    table = count_table(evidences, *options.match)
    with finished_at(options.out / _ERRORS, overwrite=options.overwrite) as part:
        table.to_csv(part, index=False, encoding="utf-8")
    shown = table if len(evidences) > 1 else table.iloc[:1]
    say()
    say(shown.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    say(f"Errors    {options.out / _ERRORS}")


def _match(text: str) -> tuple[str, float | None]:
    """Read ``iou:0.5`` for argparse."""
    from napari_mpseg.errors import MpsegError
    from napari_mpseg.evaluation.count_confusion import ONE_TO_ONE
    from napari_mpseg.evaluation.matching import CRITERIA

    name, colon, value = text.partition(":")
    try:
        if name not in ONE_TO_ONE:
            raise SettingsError(f"{text!r} is no rule; give iou:0.5 or distance:20")
        return name, CRITERIA[name].checked(float(value) if colon else None)
    except (MpsegError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


COMMAND = Command(
    "count",
    "count particles in clutter: join broken strands, one box for each particle",
    configure,
    run,
    """\
Count particles: threshold, join broken strands (dilate, then erode), and one box for each outer contour.
Writes into DIR: NAME_boxes.csv (one row per box: corners, own pixels, confidence, keep, reviewed),
NAME_boxes.png (the image with its boxes) and NAME_count.json (count and all settings); with --truth also
count_errors.csv: right (tp), false (fp) and missed (fn) particles of each image, MAE and MSE.
An image is segmented first, by --method. Particles that the method tells apart are joined like broken strands
where they are near one another; --dilate 0 --erode 0 leaves each as it is. Of a result, what was decided on
its particles counts, and boxes that were drawn or changed by hand in napari.""",
)
