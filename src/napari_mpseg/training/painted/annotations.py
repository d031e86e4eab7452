"""From images and what was painted on them to labelled images for training.

:func:`painted_image` reads one pair, :func:`painted_images` several, :func:`check_painted` says what is wrong with
them before training starts, and :func:`split_painted` keeps some of what was painted for validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.channels import ChannelChoice
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.open import open_image
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.training.painted.checks import check_painted
from napari_mpseg.training.painted.image import PaintedImage
from napari_mpseg.training.painted.kinds import ANNOTATIONS, Annotation
from napari_mpseg.training.painted.labels import open_painted, read_painted
from napari_mpseg.training.painted.lazy_pixels import LazyPixels
from napari_mpseg.training.painted.placement import is_layer, placement_problem, snapshot_layer
from napari_mpseg.training.painted.split import split_note, split_painted

__all__ = [
    "ANNOTATIONS",
    "Annotation",
    "PaintedImage",
    "check_painted",
    "painted_image",
    "painted_images",
    "snapshot_layer",
    "split_note",
    "split_painted",
]


def painted_image(
    image: Any,
    painted: Any,
    kind: str,
    *,
    background_label: int = 1,
    normalisation: Normalisation | None = None,
    channels: ChannelChoice = None,
    plane: int | tuple[int, ...] | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> PaintedImage:
    """Put an image and what was painted on it together.

    The labels are read here, once, and copied; the user can go on painting. Of the image nothing is read but what
    the normalisation must know (``"auto"`` reads all of an image that is not uint8, ``"dtype"`` and ``"fixed"``
    nothing); its pixels are read where training looks at them, as
    :class:`~napari_mpseg.training.painted.lazy_pixels.LazyPixels`.

    Parameters
    ----------
    image : path, array, layer or Image
        Anything :func:`~napari_mpseg.images.open.open_image` takes.
    painted : path, array or layer
        Integers ``(Y, X)`` of the same height and width: numpy, dask, zarr, a file, or a napari Labels layer.
    kind : str
        In :data:`ANNOTATIONS`: ``"dense"`` or ``"scribbles"``.
    background_label : int
        Which label of scribbles is background; not used for dense masks.
    normalisation : Normalisation, optional
        How grey values become 0 to 1 when the model is used; here they become 0 to 255. Default ``"auto"``.
    channels : str, int or sequence of them, optional
        As in :func:`~napari_mpseg.images.open.open_image`.
    plane : int or tuple of int, optional
        Of a stack; labels painted on the whole stack give the same plane.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    PaintedImage
        Of scribbles on an image of more than 64 million pixels, only the part around them.

    Raises
    ------
    SettingsError
        If labels and image do not lie on each other, or the labels are none.
    ImageError
        If either cannot be opened or read.
    UnknownNameError
        If there is no such way of painting.
    Cancelled
    """
    (made,) = painted_images(
        [(image, painted)],
        kind,
        background_label=background_label,
        normalisation=normalisation,
        channels=channels,
        plane=plane,
        on_progress=on_progress,
        cancel=cancel,
    )
    return made


def painted_images(
    pairs: Sequence[tuple[Any, Any]],
    kind: str,
    *,
    background_label: int = 1,
    normalisation: Normalisation | None = None,
    channels: ChannelChoice = None,
    plane: int | tuple[int, ...] | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> list[PaintedImage]:
    """Put several images and what was painted on them together.

    All pairs are looked at before the first pixel is read, so that everything that does not fit is said at once.
    Parameters and errors are those of :func:`painted_image`.
    """
    annotation = ANNOTATIONS[kind]
    if background_label == 0 and annotation.partial:
        raise SettingsError("background_label = 0 is impossible: 0 is not painted. Give the label you painted with.")
    opened = [_open(image, painted, channels, plane) for image, painted in pairs]
    problems = [problem for pair in opened for problem in pair.problems]
    if problems:
        raise SettingsError("\n".join(problems))
    rule = normalisation or Normalisation()
    return [_read(pair, annotation, background_label, rule, on_progress, cancel) for pair in opened]


@dataclass(frozen=True)
class _Opened:
    image: Image
    labels: Image
    problems: tuple[str, ...]


def _open(image: Any, painted: Any, channels: ChannelChoice, plane: int | tuple[int, ...] | None) -> _Opened:
    picture = open_image(image, plane=plane, channels=channels)
    check_image(picture)
    labels = open_painted(painted, picture.plane)
    problems = []
    if picture.shape != labels.shape:
        problems.append(
            f"{picture.name} has {_size(picture)} pixels, the labels {labels.name!r} have {_size(labels)}. "
            "Choose the labels that were painted on this image."
        )
    misplaced = placement_problem(image, painted, picture.shape) or _calibration_problem(
        image, painted, picture, labels
    )
    return _Opened(picture, labels, tuple([*problems, misplaced] if misplaced else problems))


def _size(image: Image) -> str:
    return f"{image.shape[0]} x {image.shape[1]}"


def _calibration_problem(image: Any, painted: Any, picture: Image, labels: Image) -> str:
    """Compare pixel sizes where not both are layers and so cannot be compared as they lie."""
    first, second = picture.calibration.pixel_size_um, labels.calibration.pixel_size_um
    if first is None or second is None or (is_layer(image) and is_layer(painted)):
        return ""
    if abs(first - second) <= 0.01 * first:
        return ""
    return (
        f"{picture.name} has pixels of {first:g} um, the labels {labels.name!r} of {second:g} um. "
        "Choose the labels that were painted on this image, or correct the pixel size."
    )


def _read(
    pair: _Opened,
    annotation: Annotation,
    background_label: int,
    rule: Normalisation,
    on_progress: ProgressCallback,
    cancel: CancelToken | None,
) -> PaintedImage:
    painted = read_painted(pair.labels, annotation, background_label, on_progress=on_progress, cancel=cancel)
    scaling = rule.measure(pair.image, cancel, on_progress)
    (y0, x0), (y1, x1) = painted.corner, painted.stop
    part = replace(pair.image, data=pair.image.data[y0:y1, x0:x1])
    return PaintedImage(
        pair.image.name,
        LazyPixels(part, scaling, part_of=pair.image if part.shape != pair.image.shape else None),
        painted.mask,
        painted.known,
        painted.instances,
        annotation.name,
        background_label,
        painted.labels,
        painted.corner,
    )
