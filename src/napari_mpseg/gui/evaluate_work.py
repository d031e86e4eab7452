"""What *Evaluate against truth* computes in a thread. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.evaluate_input import inverted_note
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback
from napari_mpseg.pyramids import displayed


@dataclass(frozen=True)
class Evaluated:
    """One prediction beside its truth.

    Attributes
    ----------
    evidence : Evidence
    scores : tuple of (MetricEntry, float)
        What was asked for and could be computed.
    errors : tuple
        The map of errors as :func:`napari_mpseg.pyramids.displayed` gives it.
    particles : tuple
        Missed and false particles, of :func:`napari_mpseg.evaluation.errors.error_particles`.
    notes : tuple of str
        What the user should know.
    planes : str
        Which planes were compared, as the beginning of a sentence; empty for plain pictures.
    """

    evidence: Any
    scores: tuple[tuple[Any, float], ...]
    errors: tuple[Any, bool]
    particles: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    planes: str = ""

    def in_words(self) -> str:
        """Return a few sentences for the status line."""
        missed = sum(one.kind == "missed" for one in self.particles)
        false = len(self.particles) - missed
        true, found = self.evidence.n_truth, self.evidence.n_predicted
        text = (
            f"{self.planes}{found:,} particle{'' if found == 1 else 's'} predicted, {true:,} in truth (of "
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
    true_value: int | None = None,
    why_no_probability: str = "",
    planes: str = "",
    confidence: Mapping[int, float] | None = None,
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
    true_value : int, optional
        The only value of the truth that was taken as particle.
    why_no_probability : str
        Why a probability that was chosen is not given.
    planes : str
        Which planes they are, to be told with the result.
    confidence : mapping of int to float, optional
        Of each predicted label, by which average precision ranks the particles; where one has none, their mean
        probability does.

    Raises
    ------
    ImageError
        If the planes cannot be compared.
    """
    from napari_mpseg.evaluation.errors import error_map, error_particles
    from napari_mpseg.evaluation.evidence import gather_evidence
    from napari_mpseg.evaluation.metric import find_metric
    from napari_mpseg.evaluation.scores import with_scores

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
    if confidence is not None:
        with suppress(ImageError):  # particles painted since have none
            evidence = with_scores(evidence, confidence)
    cancel.check()
    on_progress(Progress("Computing metrics", 0, 2, "steps"))
    entries = [find_metric(metric) for metric in metrics]
    possible = [entry for entry in entries if probability is not None or not entry.needs_probability]
    scores = tuple((entry, entry.of([evidence])) for entry in possible)
    cancel.check()
    on_progress(Progress("Drawing errors", 1, 2, "steps"))
    errors = displayed(error_map(predicted, truth), editable=True)  # of lazy labels only what is looked at is made
    cancel.check()
    on_progress(Progress("Drawing errors", 2, 2, "steps"))
    true = evidence.pixels.tp + evidence.pixels.fn
    odd = inverted_note(true / max(1, evidence.pixels.total), true_value)
    notes = [*_left_out(len(entries) - len(possible), why_no_probability), *([odd] if odd else [])]
    return Evaluated(evidence, scores, errors, tuple(error_particles(evidence)), tuple(notes), planes)


def _left_out(number: int, why: str) -> list[str]:
    """Say that metrics of probabilities were left out."""
    if not number:
        return []
    needs, was = ("One metric needs", "was") if number == 1 else (f"{number} metrics need", "were")
    return [f"{needs} a probability and {was} left out: {why or 'choose one above'}."]
