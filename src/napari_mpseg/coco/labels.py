"""Labels of one image from a COCO file, with what the file says of each particle."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.coco.document import CocoDocument, CocoImage, read_coco
from napari_mpseg.coco.files import sized
from napari_mpseg.coco.masks import annotation_mask, told
from napari_mpseg.coco.painting import Painting, painting
from napari_mpseg.coco.room import enough_memory
from napari_mpseg.coco.run_mask import RunMask, united
from napari_mpseg.errors import ImageError
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

if TYPE_CHECKING:
    import pandas as pd

Annotation = Mapping[str, Any]

_AT_ONCE = 2**24  # pixels painted at once to see which particles are left


@dataclass(frozen=True, eq=False)
class CocoLabels:
    """The particles of one image of a COCO file.

    Attributes
    ----------
    image : CocoImage
        With its size.
    painting : Painting
        The particles, ready to be painted whole or part by part.
    frame : pandas.DataFrame
        One row per particle: ``label``, ``area_px`` (pixels it has in the labels), ``class`` (its category) and
        ``annotation`` (its id); ``confidence`` where annotations have a score, ``keep`` where they say so.
    crowd : RunMask
        Regions marked ``iscrowd``: nobody knows what is particle in them.
    overlapping : int
        How often an annotation claims a pixel that another one gets.
    hidden : tuple of int
        Labels of particles of which no pixel is left, as others lie on top of them or the file gives them none.
    """

    image: CocoImage
    painting: Painting
    frame: "pd.DataFrame"
    crowd: RunMask
    overlapping: int
    hidden: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.painting.height, self.painting.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the labels: int32, or int64 where their numbers need it."""
        largest = int(self.frame["label"].max()) if len(self.frame) else 0
        return np.dtype(np.int32 if largest < 2**31 else np.int64)

    @cached_property
    def labels(self) -> NDArray[Any]:
        """The labels, ``(Y, X)``, 0 = background.

        Raises
        ------
        ImageError
            If the image is too large for memory.
        """
        height, width = self.shape
        with enough_memory(self.image.file_name, height, width, 2 * height * width * self.dtype.itemsize):
            return self.painting.part(slice(0, height), slice(0, width), self.dtype)

    @property
    def ignored(self) -> NDArray[np.bool_] | None:
        """Where nobody knows what is particle, ``(Y, X)``: crowds without the particles in them; None without any."""
        if not len(self.crowd.start):
            return None
        labels = self.labels
        with enough_memory(self.image.file_name, *self.shape):
            return np.asarray(self.crowd.to_array() & (labels == 0))


def labels_from_coco(
    source: str | os.PathLike[str] | Mapping[str, Any] | CocoDocument,
    image: int | str | None = None,
    *,
    images: str | os.PathLike[str] | None = None,
    on_top: str | None = None,
    clip: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> CocoLabels:
    """Return the particles of one image of a COCO file as labels and table.

    Polygons are filled by COCO's own rule, so that the pixels are those that pycocotools gives. Particles have the
    numbers that this package wrote with them (key ``label``); those of other programs are counted from 1 in the order
    of the file.

    Parameters
    ----------
    source : path-like, mapping or CocoDocument
        The file, what was read from it, or :func:`~napari_mpseg.coco.document.read_coco`'s document.
    image : int or str, optional
        Id, file name or name of the image, if there are several.
    images : path-like, optional
        Folder of the image files; default the file's own. Only looked into where the file does not tell the size.
    on_top : str, optional
        Which of two annotations gets a pixel that both claim, by name in
        :data:`~napari_mpseg.coco.painting.ON_TOP`; default ``"score"`` where every annotation has one, else
        ``"smaller"``.
    clip : bool
        Cut off what lies outside the image; otherwise that is an error.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    ImageError
        If the file is no COCO, the image is not in it or its size is not known, an annotation is damaged, out of the
        image or of one of another size, or there is not enough memory.
    UnknownNameError
        If there is no such order.

    Examples
    --------
    >>> ring = {"size": [2, 3], "counts": [0, 3, 3]}
    >>> coco = {
    ...     "images": [{"id": 1, "file_name": "a.png", "height": 2, "width": 3}],
    ...     "categories": [{"id": 1, "name": "fibre"}],
    ...     "annotations": [{"id": 7, "image_id": 1, "category_id": 1, "segmentation": ring}],
    ... }
    >>> labels_from_coco(coco).labels.tolist()
    [[1, 1, 0], [1, 0, 0]]
    """
    document = source if isinstance(source, CocoDocument) else read_coco(source)
    chosen = sized(document, document.image(image), images)
    height, width = int(chosen.height or 0), int(chosen.width or 0)
    with enough_memory(chosen.file_name, height, width):
        return _labels_of(document, chosen, on_top, clip, on_progress, cancel)


def _labels_of(
    document: CocoDocument,
    image: CocoImage,
    on_top: str | None,
    clip: bool,
    on_progress: ProgressCallback,
    cancel: CancelToken | None,
) -> CocoLabels:
    height, width = int(image.height or 0), int(image.width or 0)
    particles: list[Annotation] = []
    crowds: list[Annotation] = []
    for annotation in document.annotations[image.id]:
        (crowds if annotation.get("iscrowd") else particles).append(annotation)
    masks = _masks(document, image, particles, clip, on_progress, cancel)
    crowd = united(_masks(document, image, crowds, clip, silent, cancel), height, width)
    labels = _numbers(particles)
    scores = _scores(particles)
    top = on_top or ("score" if len(particles) and all(score is not None for score in scores) else "smaller")
    painted = painting(masks, labels, [score or 0.0 for score in scores], top, height, width)
    areas, overlapping = _visible(painted, labels)
    frame = _frame(document, particles, labels, scores, areas)
    hidden = tuple(label for label in labels if label not in areas)
    return CocoLabels(image, painted, frame, crowd, overlapping, hidden)


def _masks(
    document: CocoDocument,
    image: CocoImage,
    annotations: Sequence[Annotation],
    clip: bool,
    on_progress: ProgressCallback,
    cancel: CancelToken | None,
) -> list[RunMask]:
    masks = []
    for done, annotation in enumerate(annotations):
        if done % 1000 == 0:
            if cancel is not None:
                cancel.check()
            on_progress(Progress("Reading annotations", done, len(annotations), "particles"))
        try:
            masks.append(annotation_mask(annotation, int(image.height or 0), int(image.width or 0), clip=clip))
        except ImageError as error:
            raise ImageError(f"{told(annotation)} of {image.file_name} in {document.told}: {error}.") from error
    return masks


def _numbers(annotations: Sequence[Annotation]) -> list[int]:
    """Return the labels that the annotations tell, if each tells its own, else 1, 2, 3 ..."""
    own = [one.get("label") for one in annotations]
    fine = all(isinstance(label, int) and not isinstance(label, bool) and 0 < label < 2**63 for label in own)
    if fine and len(set(own)) == len(own):
        return [int(label) for label in own if label is not None]
    return list(range(1, len(own) + 1))


def _scores(annotations: Sequence[Annotation]) -> list[float | None]:
    scores = [one.get("score") for one in annotations]
    return [None if score is None else float(score) for score in scores]


def _visible(painted: Painting, labels: Sequence[int]) -> tuple[dict[int, int], int]:
    """Return the pixels of every label that is seen, and how many claims to pixels are not."""
    known = np.sort(np.asarray(labels, np.int64))
    counts = np.zeros(len(known), np.int64)
    step = max(1, _AT_ONCE // max(1, painted.height))
    for x in range(0, painted.width, step):
        columns = slice(x, min(x + step, painted.width))
        band = painted.between(columns)
        for y in range(0, painted.height, _AT_ONCE) if len(band.x) else ():
            seen = band.part(slice(y, min(y + _AT_ONCE, painted.height)), columns, np.int64)
            counts += np.bincount(np.searchsorted(known, seen[seen > 0]), minlength=len(known))
    claims = int((painted.y1 - painted.y0).sum())
    there = counts > 0
    return dict(zip(known[there].tolist(), counts[there].tolist(), strict=True)), claims - int(counts.sum())


def _frame(
    document: CocoDocument,
    annotations: Sequence[Annotation],
    labels: Sequence[int],
    scores: Sequence[float | None],
    areas: Mapping[int, int],
) -> "pd.DataFrame":
    import pandas as pd

    names = list(dict.fromkeys(document.categories.values()))
    numbers = [one.get("category_id") for one in annotations]
    known = [None if number is None else document.categories.get(int(number)) for number in numbers]
    columns: dict[str, Any] = {
        "label": np.asarray(labels, np.int64),
        "area_px": np.asarray([areas.get(label, 0) for label in labels], np.float64),
        "class": pd.Categorical(known, categories=names or None),
        "annotation": [str(one.get("id", number + 1)) for number, one in enumerate(annotations)],
    }
    if any(score is not None for score in scores):
        columns["confidence"] = np.asarray([np.nan if score is None else score for score in scores], np.float64)
    if any(isinstance(one.get("keep"), bool) for one in annotations):  # another program's field may hold anything
        columns["keep"] = [one.get("keep") is not False for one in annotations]
    frame = pd.DataFrame(columns)
    return frame[frame["area_px"] > 0].sort_values("label", ignore_index=True)
