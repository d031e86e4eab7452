"""Comparing on layers, in a thread. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_mpseg.progress import CancelToken, ProgressCallback


@dataclass(frozen=True)
class Compared:
    """What comparing gave.

    Attributes
    ----------
    comparison : Comparison
    labels : mapping of tuple to array
        What was found, ``(Y, X)``, by row and image; temporary stores live as long as it does.
    truths : mapping of str to array
        By image.
    """

    comparison: Any
    labels: Mapping[tuple[str, str], Any]
    truths: Mapping[str, Any]


def compare_layers(
    pairs: Sequence[tuple[Any, Any, str]],
    methods: Sequence[str],
    labels: Mapping[str, Mapping[str, Any]],
    *,
    on_progress: ProgressCallback,
    cancel: CancelToken,
    **options: Any,
) -> Compared:
    """Run methods on images, and score them and labels that are there already.

    Parameters
    ----------
    pairs : sequence of tuple
        Image, truth ``(Y, X)`` and name of each.
    methods : sequence of str
        Registered names and paths.
    labels : mapping
        By row: labels ``(Y, X)`` by the image's name. An image without any is no failure.
    **options
        For :func:`~napari_mpseg.comparison.run.compare`.

    Raises
    ------
    MpsegError, Cancelled
        As that function.
    """
    from napari_mpseg.comparison.label_layers import LabelsContender
    from napari_mpseg.comparison.run import compare

    found: dict[tuple[str, str], Any] = {}

    def keep(method: str, image: str, what: Any) -> None:
        found[method, image] = what.labels

    rows: list[Any] = [*methods, *(LabelsContender(name, arrays) for name, arrays in labels.items())]
    comparison = compare(
        pairs, rows, on_found=keep, title="Comparison on layers", on_progress=on_progress, cancel=cancel, **options
    )
    failures = tuple(one for one in comparison.failures if one.method not in labels or one.image in labels[one.method])
    comparison = replace(comparison, failures=failures)
    return Compared(comparison, found, {name: truth for _, truth, name in pairs})


def errors_of(
    compared: Compared, method: str, image: str, *, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[Any, bool]:
    """Return the error map of a row on an image in the form in which napari shows it quickly."""
    from napari_mpseg.evaluation.errors import error_map
    from napari_mpseg.pyramids import displayed

    cancel.check()
    return displayed(error_map(compared.labels[method, image], compared.truths[image]), editable=False)


def save_comparison(comparison: Any, folder: str, *, on_progress: ProgressCallback, cancel: CancelToken) -> Any:
    """Write tables, figures and page, in the place of earlier ones; return where they are."""
    return comparison.save(folder, overwrite=True, on_progress=on_progress, cancel=cancel)
