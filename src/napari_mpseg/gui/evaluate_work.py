"""What *Evaluate against truth* computes in a thread. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.layers import displayed
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

_MOSTLY = 0.5  # share of true pixels above which a mask is likely to mean the opposite


@dataclass(frozen=True)
class Evaluated:
    """One prediction beside its truth.

    Attributes
    ----------
    evidence : Evidence
    scores : tuple of (MetricEntry, float)
        What was asked for and could be computed.
    errors : tuple
        The map of errors as :func:`napari_mpseg.layers.displayed` gives it.
    particles : tuple
        Missed and false particles, of :func:`napari_mpseg.evaluation.errors.error_particles`.
    notes : tuple of str
        What the user should know.
    """

    evidence: Any
    scores: tuple[tuple[Any, float], ...]
    errors: tuple[Any, bool]
    particles: tuple[Any, ...]
    notes: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return a few sentences for the status line."""
        missed = sum(one.kind == "missed" for one in self.particles)
        false = len(self.particles) - missed
        true, found = self.evidence.n_truth, self.evidence.n_predicted
        text = (
            f"{found:,} particle{'' if found == 1 else 's'} predicted, {true:,} in truth (of "
            f"{self.evidence.min_size} px or more): {missed:,} missed, {false:,} false."
        )
        return " ".join([text, *self.notes])


def evaluate_planes(
    predicted: Any,
    truth: Any,
    probability: Any = None,
    *,
    metrics: Sequence[str],
    min_size: int,
    pixel_size_um: float | None = None,
    name: str = "image",
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Evaluated:
    """Compare two planes.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or masks of equal shape.
    probability : array, optional
        uint8 ``(Y, X)``.
    metrics : sequence of str
        Names in ``METRICS``; those that need a probability are left out without one.
    min_size, pixel_size_um, name
        As in :func:`~napari_mpseg.evaluation.evidence.gather_evidence`.

    Raises
    ------
    ImageError
        If the planes cannot be compared.
    """
    from napari_mpseg.evaluation.errors import error_map, error_particles
    from napari_mpseg.evaluation.evidence import gather_evidence
    from napari_mpseg.evaluation.metric import find_metric

    evidence = gather_evidence(
        predicted,
        truth,
        probability=probability,
        min_size=min_size,
        name=name,
        pixel_size_um=pixel_size_um,
        on_progress=on_progress,
        cancel=cancel,
    )
    cancel.check()
    on_progress(Progress("Computing metrics", 0, 2, "steps"))
    entries = [find_metric(metric) for metric in metrics]
    possible = [entry for entry in entries if probability is not None or not entry.needs_probability]
    scores = tuple((entry, entry.of([evidence])) for entry in possible)
    cancel.check()
    on_progress(Progress("Drawing errors", 1, 2, "steps"))
    errors = displayed(np.asarray(error_map(predicted, truth)), editable=True)
    cancel.check()
    on_progress(Progress("Drawing errors", 2, 2, "steps"))
    return Evaluated(
        evidence, scores, errors, tuple(error_particles(evidence)), _notes(evidence, len(entries) - len(possible))
    )


def _notes(evidence: Any, left_out: int) -> tuple[str, ...]:
    notes = []
    if left_out:
        which = "One metric needs" if left_out == 1 else f"{left_out} metrics need"
        notes.append(f"{which} a probability and {'was' if left_out == 1 else 'were'} left out: choose one above.")
    true = evidence.pixels.tp + evidence.pixels.fn
    if true > _MOSTLY * evidence.pixels.total:
        notes.append(
            f"{true / evidence.pixels.total:.0%} of the true pixels are particle. If 0 means particle in the truth, as "
            "in MP-Net's labels, tick “only value” and give 0."
        )
    return tuple(notes)
