"""What is counted on: an image that is segmented first, a mask, labels, a probability, or a result."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import ImageError

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image
    from napari_mpseg.particles.counting.boxes import CountedBoxes

KINDS = ("image", "mask", "labels", "probability")
_ROWS = 1024


@dataclass(frozen=True)
class CountInput:
    """Something to count on.

    Attributes
    ----------
    what : Image
        Pixels ``(Y, X)``, name and pixel size.
    told : str
        What it was taken for.
    picture : Image
        To draw boxes on.
    how : mapping
        For :func:`~napari_mpseg.particles.counting.count.count_particles`.
    threshold : float or None
        Of the method that gave the probability.
    keep : mapping of int to bool
        What was decided on labels.
    reviewed : frozenset of int
        Labels that were decided on.
    earlier : CountedBoxes or None
        A count that was kept with the labels, with the boxes that were drawn by hand.
    """

    what: "Image"
    told: str
    picture: "Image"
    how: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    keep: Mapping[int, bool] = field(default_factory=dict)
    reviewed: frozenset[int] = frozenset()
    earlier: "CountedBoxes | None" = None


def count_input(source: Path, options: argparse.Namespace, on_progress: Any, cancel: Any) -> CountInput:
    """Open what is to be counted on; an image is segmented.

    Raises
    ------
    ImageError
        If it cannot be read, or is not of the kind that it is said to be.
    """
    from napari_mpseg.results.labels_file import store_in
    from napari_mpseg.results.result_store import read_record

    store = store_in(source)
    if read_record(store) is not None and options.method is None and options.kind in (None, "labels", "probability"):
        return _result(store, options)
    if options.method is not None or options.kind == "image":
        return _segmented(source, options, on_progress, cancel)
    opened = _opened(source, options)
    kind = options.kind or _kind_of(source, opened)
    if kind == "image":
        return _segmented(source, options, on_progress, cancel)
    if kind == "probability":
        _check_single(opened, kind)
        return CountInput(opened, "probability", opened, {"graded": True})
    if kind == "labels":
        _check_single(opened, kind)
        flat = replace(opened, data=opened.data != 0)
        return _with_decisions(CountInput(opened, "labels", flat, {"numbered": True}), source)
    flat = opened if opened.data.ndim == 2 else replace(opened, data=(opened.data != 0).any(axis=2), channels=())
    return CountInput(replace(flat, data=flat.data != 0), "mask", flat)


def _opened(source: Path, options: argparse.Namespace) -> "Image":
    from napari_mpseg.images.open import open_image
    from napari_mpseg.results.labels_file import is_labels_store, open_labels

    opens = open_labels if is_labels_store(source) else open_image
    return opens(source, calibration=options.pixel_size, plane=options.plane)


def _kind_of(source: Path, opened: "Image") -> str:
    """Return what a file holds, as far as its pixels tell."""
    from napari_mpseg.results.labels_file import is_labels_store
    from napari_mpseg.results.labels_tiff import is_labels_tiff

    if opened.data.ndim != 2:
        return "image"
    dtype = opened.dtype
    if is_labels_store(source) or is_labels_tiff(source) or (dtype.kind in "iu" and dtype.itemsize >= 4):
        return "labels"
    if dtype.kind == "b":
        return "mask"
    if dtype.kind == "f":
        return "probability" if _within(opened.data) else "image"
    return "mask" if is_mask(opened.data) else "image"


def _within(data: Any) -> bool:
    import numpy as np

    for top in range(0, data.shape[0], _ROWS):
        values = np.asarray(data[top : top + _ROWS])
        if values.size and not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
            return False
    return True


def is_mask(data: Any) -> bool:
    """Return whether there is one value beside 0 at most."""
    import numpy as np

    known: set[int] = {0}
    for top in range(0, data.shape[0], _ROWS):
        known.update(np.unique(np.asarray(data[top : top + _ROWS])).tolist())
        if len(known) > 2:
            return False
    return True


def _check_single(opened: "Image", kind: str) -> None:
    if opened.data.ndim != 2:
        raise ImageError(
            f"{opened.source} has {opened.n_channels} channels; {kind} have one. Give --as image, or --as mask where "
            "all that is coloured is particle."
        )


def _segmented(source: Path, options: argparse.Namespace, on_progress: Any, cancel: Any) -> CountInput:
    from napari_mpseg.commands.method_options import method_options
    from napari_mpseg.pipeline import segment

    method = options.method or "default"
    result = segment(
        source,
        method,
        options=method_options(method, options.set, []),
        threshold=options.threshold,
        min_size=0,
        channels=options.channels,
        plane=options.plane,
        calibration=options.pixel_size,
        device=options.device,
        measure=False,
        on_progress=on_progress,
        cancel=cancel,
    )
    apart = result.told_apart
    what = replace(result.image, data=result.labels if apart else result.probability, channels=())
    how = {"numbered": True, "probability": result.probability} if apart else {"graded": True}
    told = f"image, segmented by {result.method}{', which tells particles apart' if apart else ''}"
    return CountInput(what, told, result.image, how, result.threshold)


def _result(store: Path, options: argparse.Namespace) -> CountInput:
    """Return a result: its labels with what was decided on them, or its probability where a threshold is given."""
    from napari_mpseg.results.corrections.place import place_in
    from napari_mpseg.results.labels_file import open_labels

    place = place_in(store)
    labels = open_labels(store, options.pixel_size)
    probability = place.probability() if place is not None else None
    picture = (place.image() if place is not None else None) or replace(labels, data=labels.data != 0)
    if probability is not None and (options.threshold is not None or options.kind == "probability"):
        of = replace(labels, data=probability)
        return CountInput(of, "probability of a result", picture, {"graded": True}, _threshold_of(place))
    how = {"numbered": True, "probability": probability}
    return _with_decisions(CountInput(labels, "labels of a result", picture, how), store)


def _threshold_of(place: Any) -> float | None:
    settings = dict(place.record()).get("settings") or {}
    return float(settings["threshold"]) if "threshold" in settings else None


def _with_decisions(found: CountInput, source: Path) -> CountInput:
    """Return labels with what was decided on them, and with the count that is kept with them."""
    from napari_mpseg.errors import StoreError
    from napari_mpseg.particles.counting.record import kept_count
    from napari_mpseg.particles.review.audit import AuditRecord
    from napari_mpseg.reports.loading import tables_of
    from napari_mpseg.results.corrections.place import place_in
    from napari_mpseg.results.labels_table import newest_first, read_table
    from napari_mpseg.results.review_record import read_review

    place = place_in(source)
    about = place.kept() if place is not None else read_review(source)
    keep: dict[int, bool] = {}
    for path in newest_first(tables_of(source)):
        try:
            table = read_table(path)
        except StoreError:  # such as a CSV file of the user's
            continue
        if "keep" in table.frame:
            from napari_mpseg.particles.review.definitions import as_keep

            keep = dict(zip(table.labels.tolist(), as_keep(table.frame["keep"]).tolist(), strict=True))
        break
    audit = about.get("audit")
    reviewed = AuditRecord(audit if isinstance(audit, list) else ()).reviewed()
    return replace(found, keep=keep, reviewed=frozenset(reviewed), earlier=kept_count(about))
