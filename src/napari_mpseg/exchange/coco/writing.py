"""Write labels of one or many images as COCO's JSON, particle by particle."""

import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from napari_mpseg._version import __version__
from napari_mpseg.coco.run_mask import RunMask
from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.exchange.coco.collecting import masks_of, particle_extents, whole_particles
from napari_mpseg.exchange.coco.settings import CocoSettings
from napari_mpseg.exchange.coco.shapes import SHAPES, text
from napari_mpseg.exchange.coco.source import CocoSource
from napari_mpseg.exchange.outlines import Loops, chained
from napari_mpseg.files import finished_at
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

LARGEST_FOR_OTHERS = 2**32
"""Pixels of an image from which on pycocotools, which counts in 32 bits, cannot take its run lengths."""


@dataclass(frozen=True)
class CocoWritten:
    """What was written.

    Attributes
    ----------
    path : Path
    images, particles : int
    by_run_lengths : int
        Particles that have holes and are written as run lengths among polygons.
    notes : tuple of str
        What the user should know.
    """

    path: Path
    images: int
    particles: int
    by_run_lengths: int
    notes: tuple[str, ...] = ()


def write_coco(
    path: str | os.PathLike[str],
    sources: Sequence[CocoSource],
    settings: CocoSettings | None = None,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> CocoWritten:
    """Write labels as a COCO file of instances, or as a list of results.

    Labels are read block by block and particles written as soon as they are complete, so neither the labels nor the
    file need fit into memory.

    Parameters
    ----------
    path : path-like
        The JSON file.
    sources : sequence of CocoSource
        The images, in the order in which they are numbered from 1.
    settings : CocoSettings, optional
    overwrite : bool
        Replace a file that is there.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    ImageError
        If labels are not two-dimensional whole numbers of 0 or more.
    SettingsError
        If a table has particles that are not in the labels, there is no image, or two have the same name (and plane).
    StoreError
        If the file cannot be written.
    Cancelled
        If `cancel` was set.
    """
    path = Path(path)
    with finished_at(path, overwrite=overwrite) as part, part.open("w", encoding="utf-8") as file:
        written = _write(file, sources, settings or CocoSettings(), on_progress, cancel or CancelToken())
    return CocoWritten(path, len(sources), written.particles, written.by_run_lengths, written.notes)


def labels_to_coco(
    labels: Any,
    features: Any = None,
    *,
    file_name: str = "image.png",
    settings: CocoSettings | None = None,
) -> Any:
    """Return the labels of one image as COCO has them in memory.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background.
    features : pandas.DataFrame, optional
        See :class:`CocoSource`.
    file_name : str
        Of the image.
    settings : CocoSettings, optional

    Returns
    -------
    dict or list
        As :func:`json.load` would give it.

    Examples
    --------
    >>> import numpy as np
    >>> labels_to_coco(np.array([[0, 1, 1]]))["annotations"][0]["segmentation"]
    [[1, 0, 3, 0, 3, 1, 1, 1]]
    """
    file = io.StringIO()
    _write(file, [CocoSource(file_name, labels, features)], settings or CocoSettings(), silent, CancelToken())
    return json.loads(file.getvalue())


def _write(
    file: IO[str],
    sources: Sequence[CocoSource],
    settings: CocoSettings,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> CocoWritten:
    if not sources:
        raise SettingsError("There is no image to be written. Give one or more.")
    _check_names(sources)
    categories = _categories(sources, settings)
    writer = _Writer(file, settings, {name: number for number, name in enumerate(categories, 1)})
    file.write("[" if settings.results else _head(sources, categories))
    for number, source in enumerate(sources, 1):
        writer.take(source, number, on_progress, cancel)
    file.write("\n]\n" if settings.results else "\n]}\n")
    return CocoWritten(Path(), len(sources), writer.particles, writer.by_run_lengths, tuple(writer.notes(sources)))


class _Writer:
    """Writes annotations, one a line."""

    def __init__(self, file: IO[str], settings: CocoSettings, categories: Mapping[str, int]) -> None:
        self._file, self._settings, self._categories = file, settings, categories
        self._shape = SHAPES["compressed" if settings.results else settings.shape]
        self.particles = self.by_run_lengths = self.without_score = 0

    def take(self, source: CocoSource, image: int, on_progress: ProgressCallback, cancel: CancelToken) -> None:
        """Write all particles of an image."""
        before = self.particles
        for label, mask, loops in _particles(source, self._shape.needs_outlines, on_progress, cancel):
            known = source.known.get(label, {})
            shape = self._shape.write(mask, loops)
            self.by_run_lengths += self._shape.needs_outlines and isinstance(shape, dict)
            self.particles += 1
            one = self._result(label, image, mask, known) if self._settings.results else None
            self._put(one or self._annotation(label, image, mask, shape, known))
        missing = 0 if source.frame is None else len(source.frame) - (self.particles - before)
        if missing:
            raise SettingsError(
                f"{missing} of the table's {len(source.known)} particles are not in the labels of {source.file_name}. "
                "Give the labels that this table was measured on."
            )

    def _annotation(self, label: int, image: int, mask: RunMask, shape: Any, known: Mapping[str, Any]) -> Any:
        more = {key: known[key] for key in ("score", "keep") if key in known}
        return {
            "id": self.particles,
            "image_id": image,
            "category_id": self._category(known),
            "iscrowd": 0,
            "area": mask.area,
            "bbox": list(mask.bbox),
            "segmentation": shape,
            "label": label,
            **more,
        }

    def _result(self, label: int, image: int, mask: RunMask, known: Mapping[str, Any]) -> Any:
        # no box: beside one, pycocotools takes the box's area for that of the particle
        self.without_score += "score" not in known
        return {
            "image_id": image,
            "category_id": self._category(known),
            "segmentation": text(mask, []),
            "score": known.get("score", 1.0),
            "label": label,
        }

    def _category(self, known: Mapping[str, Any]) -> int:
        return self._categories[known.get("class", self._settings.category)]

    def _put(self, one: Mapping[str, Any]) -> None:
        self._file.write(",\n" if self.particles > 1 else "\n")
        self._file.write(json.dumps(one, ensure_ascii=False, separators=(",", ":"), allow_nan=False))

    def notes(self, sources: Sequence[CocoSource]) -> Iterator[str]:
        """Tell what is not as one might think."""
        if self.by_run_lengths:
            verb = "has a hole and is" if self.by_run_lengths == 1 else "have holes and are"
            yield f"{self.by_run_lengths} of {self.particles} particles {verb} written as run lengths, not as polygons."
        if self.without_score:
            yield f"{self.without_score} of {self.particles} particles have no confidence; their score is 1."
        large = [source.file_name for source in sources if source.shape[0] * source.shape[1] >= LARGEST_FOR_OTHERS]
        if large:
            yield f"{', '.join(large)}: too large for pycocotools, which counts pixels in 32 bits."


def _particles(
    source: CocoSource, outlines: bool, on_progress: ProgressCallback, cancel: CancelToken
) -> Iterator[tuple[int, RunMask, Loops]]:
    try:
        extents = particle_extents(source.labels, source.wanted, on_progress, cancel)
    except ImageError as error:
        raise ImageError(f"{source.file_name}: {error}") from error
    height, width = source.shape
    for sides in whole_particles(source.labels, extents, on_progress, cancel, outlines=outlines):
        loops = chained(sides, height, width, cancel) if outlines else {}
        for label, mask in masks_of(sides, height, width).items():
            yield label, mask, loops.get(label, [])


def _check_names(sources: Sequence[CocoSource]) -> None:
    names = Counter((source.file_name, source.plane) for source in sources)
    (name, _), times = names.most_common(1)[0]
    if times > 1:
        raise SettingsError(
            f"{times} images are called {name}, so that nobody could tell which is which. Tell their folders too, such "
            f"as fold_1/{name}."
        )


def _categories(sources: Sequence[CocoSource], settings: CocoSettings) -> list[str]:
    names = list(dict.fromkeys(name for source in sources for name in source.classes))
    bare = not names or any(
        source.frame is None or "class" not in source.frame or bool(source.frame["class"].isna().any())
        for source in sources
    )
    return names + ([settings.category] if bare and settings.category not in names else [])


def _head(sources: Sequence[CocoSource], categories: Sequence[str]) -> str:
    """Return the file up to its first annotation."""
    images = []
    for number, source in enumerate(sources, 1):
        height, width = source.shape
        entry: dict[str, Any] = {"id": number, "file_name": source.file_name, "width": width, "height": height}
        if source.plane is not None:
            entry["plane"] = source.plane
        if source.calibration.calibrated:
            entry |= {"pixel_size": list(source.calibration.pixel_size), "unit": source.calibration.unit}
        images.append(entry)
    parts = {
        "info": {
            "description": "particles as instances",
            "version": "1.0",
            "contributor": f"napari-mpseg {__version__}",
        },
        "licenses": [],
        "images": images,
        "categories": [
            {"id": number, "name": name, "supercategory": "particle"} for number, name in enumerate(categories, 1)
        ],
    }
    told = ",\n".join(f'"{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in parts.items())
    return f'{{{told},\n"annotations": ['
