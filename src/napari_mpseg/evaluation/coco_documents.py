"""COCO files of predictions compared with those of the truth, number by number as COCO's own tool does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.coco.document import CocoDocument, CocoImage
from napari_mpseg.coco.files import sized
from napari_mpseg.coco.masks import annotation_mask, told
from napari_mpseg.coco.run_mask import RunMask, common_pixels
from napari_mpseg.coco.values import box_of, is_number, short
from napari_mpseg.errors import ImageError
from napari_mpseg.evaluation.coco_alignment import aligned, by_category, category_names
from napari_mpseg.evaluation.coco_ap import ELEVEN_RECALLS, LEAST_OVERLAPS, RECALLS, curves
from napari_mpseg.evaluation.coco_matching import ALL, LARGE, MEDIUM, SMALL, AreaRange, Detections, Graded, grade
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

Numbers = NDArray[np.float64]
Annotation = Mapping[str, Any]

LIMITS = (1, 10, 100)
_PAIRS = 4_000_000  # pairs of boxes looked at together


@dataclass(frozen=True, eq=False)
class CocoScores:
    """COCO's numbers.

    Attributes
    ----------
    total : dict of str to float
        ``AP``, ``AP50``, ``AP75``, ``AP small``, ``AP medium``, ``AP large``, ``AR 1``, ``AR 10``, ``AR 100`` (the
        limits asked for), ``AR small``, ``AR medium``, ``AR large``: means over the categories, and over all overlaps
        where none is named; ``VOC AP50``: PASCAL VOC's average precision over 11 recalls at an IoU of 0.5. -1 where no
        category has a true particle that counts.
    by_category : dict of str to dict
        The same of each category by name; with its id in brackets where several have that name.
    n_images, n_truth, n_found : int
        Images, true particles (without crowds) and predicted ones.
    """

    total: dict[str, float]
    by_category: dict[str, dict[str, float]]
    n_images: int
    n_truth: int
    n_found: int


def coco_scores(
    truth: CocoDocument,
    predicted: CocoDocument,
    *,
    limits: Sequence[int] = LIMITS,
    clip: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> CocoScores:
    """Return COCO's average precision and recall of predicted particles, by their masks.

    Parameters
    ----------
    truth : CocoDocument
        Its annotations with ``iscrowd`` count for nothing.
    predicted : CocoDocument
        A list of results read with ``images_of=truth``, or a whole file; images and categories of that are found by
        name. Particles without a score have 1.
    limits : sequence of int
        How many predicted particles of an image and category are looked at, best first; rising. The last is that of
        all but ``AR``.
    clip : bool
        Cut off what lies outside an image; otherwise that is an error.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    ImageError
        If an image or category of the prediction is not in the truth or an image there of another size, an annotation
        has no category where the truth has several, or one is damaged.

    Notes
    -----
    Areas decide what is small, medium and large. As in COCO's tool it is the one that the file of the truth tells, and
    with results that have boxes that of the box.
    """
    limits = sorted(limits)
    predicted = aligned(predicted, truth)
    graded: dict[tuple[int | None, str], list[Graded]] = {}
    counts = [0, 0]
    for category, detections in _all_detections(truth, predicted, clip, on_progress, cancel or CancelToken()):
        counts[0] += int(np.count_nonzero(~detections.crowd))
        counts[1] += len(detections.scores)
        for areas in (ALL, SMALL, MEDIUM, LARGE):
            one = grade(detections, LEAST_OVERLAPS, areas, limits[-1])
            graded.setdefault((category, areas.name), []).append(one)
    each = {name: _numbers(number, graded, limits) for number, name in category_names(truth).items()}
    keys = list(next(iter(each.values())))
    total = {key: _mean([numbers[key] for numbers in each.values()]) for key in keys}
    return CocoScores(total, each, len(truth.images), counts[0], counts[1])


def _numbers(
    category: int | None, graded: Mapping[tuple[int | None, str], Sequence[Graded]], limits: Sequence[int]
) -> dict[str, float]:
    def of(areas: AreaRange, limit: int, recalls: Numbers = RECALLS) -> tuple[Numbers, Numbers]:
        found = curves(graded[category, areas.name], None, recalls, limit)
        if found.n_truth[0] == 0:
            return np.full(len(LEAST_OVERLAPS), -1.0), np.full(len(LEAST_OVERLAPS), -1.0)
        return found.precision[:, 0], found.recall[:, 0]

    if (category, ALL.name) not in graded:
        empty = np.full(len(LEAST_OVERLAPS), -1.0)
        every = dict.fromkeys((ALL, SMALL, MEDIUM, LARGE), (empty, empty))
        recalls, eleven = dict.fromkeys(limits, empty), empty
    else:
        every = {areas: of(areas, limits[-1]) for areas in (ALL, SMALL, MEDIUM, LARGE)}
        recalls = {limit: of(ALL, limit)[1] for limit in limits}
        eleven = of(ALL, limits[-1], ELEVEN_RECALLS)[0]
    precision = every[ALL][0]
    sizes = (SMALL, MEDIUM, LARGE)
    return {
        "AP": float(precision.mean()),
        "AP50": float(precision[0]),
        "AP75": float(precision[5]),
        **{f"AP {areas.name}": float(every[areas][0].mean()) for areas in sizes},
        **{f"AR {limit}": float(found.mean()) for limit, found in recalls.items()},
        **{f"AR {areas.name}": float(every[areas][1].mean()) for areas in sizes},
        "VOC AP50": float(eleven[0]),
    }


def _mean(values: Sequence[float]) -> float:
    there = [value for value in values if value > -1]
    return sum(there) / len(there) if there else -1.0


def _all_detections(
    truth: CocoDocument, predicted: CocoDocument, clip: bool, on_progress: ProgressCallback, cancel: CancelToken
) -> Iterator[tuple[int | None, Detections]]:
    """Give the particles of every category of every image, images by rising id."""
    by_box = _have_boxes(predicted)
    for done, image in enumerate(sorted(truth.images, key=lambda one: one.id)):
        cancel.check()
        on_progress(Progress("Comparing", done, len(truth.images), "images"))
        real, found = by_category(truth, truth, image), by_category(predicted, truth, image)
        whole = sized(truth, image) if real or found else image
        for number in category_names(truth):
            mine, theirs = real.get(number, []), found.get(number, [])
            if mine or theirs:
                yield number, _detections(truth, predicted, whole, mine, theirs, clip, by_box)


def _detections(
    truth: CocoDocument,
    predicted: CocoDocument,
    image: CocoImage,
    real: Sequence[Annotation],
    found: Sequence[Annotation],
    clip: bool,
    by_box: bool,
) -> Detections:
    real_masks, real_areas = _masks(real, image, truth, clip, False)
    found_masks, found_areas = _masks(found, image, predicted, clip, by_box)
    crowd = np.asarray([bool(one.get("iscrowd")) for one in real], bool)
    i, j, overlap = mask_overlaps(found_masks, real_masks, crowd)
    return Detections(
        scores=np.asarray([_score(one) for one in found], np.float64),
        areas=np.asarray(found_areas, np.float64),
        truth_areas=np.asarray(real_areas, np.float64),
        crowd=crowd,
        ignored=crowd,
        pair_found=i,
        pair_truth=j,
        pair_overlap=overlap,
    )


def _have_boxes(predicted: CocoDocument) -> bool:
    """Return whether these are results with boxes, whose area COCO's tool takes for that of the particle."""
    return predicted.results and all(one.get("bbox") for each in predicted.annotations.values() for one in each)


def _score(annotation: Annotation) -> float:
    score = annotation.get("score")
    return 1.0 if score is None else float(score)


def _area(annotation: Annotation, mask: RunMask, by_box: bool) -> float:
    if by_box:
        _, _, width, height = box_of(annotation["bbox"])
        return width * height
    area = annotation.get("area")
    if area is None:
        return float(mask.area)
    if not is_number(area) or area < 0:
        raise ImageError(f"its area is {short(area)}, and not a number of pixels")
    return float(area)


def _masks(
    annotations: Sequence[Annotation], image: CocoImage, document: CocoDocument, clip: bool, by_box: bool
) -> tuple[list[RunMask], list[float]]:
    """Return pixels and areas of annotations."""
    masks, areas = [], []
    for annotation in annotations:
        try:
            masks.append(annotation_mask(annotation, int(image.height or 0), int(image.width or 0), clip=clip))
            areas.append(_area(annotation, masks[-1], by_box))
        except ImageError as error:
            raise ImageError(f"{told(annotation)} of {image.file_name} in {document.told}: {error}.") from error
    return masks, areas


def mask_overlaps(
    found: Sequence[RunMask], real: Sequence[RunMask], crowd: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """Return who overlaps whom, by position, and their intersection over union, over `found` alone with a crowd."""
    boxes, others = _boxes(found), _boxes(real)
    step = max(1, _PAIRS // max(1, len(others)))
    pairs = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(boxes), step):
        some = boxes[start : start + step, None]
        near = (some[..., :2] < others[None, :, 2:]).all(2) & (others[None, :, :2] < some[..., 2:]).all(2)
        pairs.append(np.argwhere(near) + np.array([start, 0]))
    both = np.concatenate(pairs)
    pixels = np.asarray([common_pixels(found[i], real[j]) for i, j in both.tolist()], np.int64)
    keep = pixels > 0
    (i, j), pixels = both[keep].T, pixels[keep]
    mine = np.asarray([mask.area for mask in found], np.int64)[i]
    theirs = np.asarray([mask.area for mask in real], np.int64)[j]
    whole = np.where(crowd[j], mine, mine + theirs - pixels)
    return i, j, pixels / np.maximum(whole, 1)


def _boxes(masks: Sequence[RunMask]) -> NDArray[np.int64]:
    """Return first and last corner of each mask, ``(N, 4)``."""
    boxes = np.asarray([mask.bbox for mask in masks], np.int64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes
