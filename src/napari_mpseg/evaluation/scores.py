"""Scores of predicted particles from their table, in place of the mean probability."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.evaluation.evidence import Evidence


def with_scores(evidence: Evidence, scores: Mapping[int, float]) -> Evidence:
    """Return the evidence with these scores, by which average precision ranks the predicted particles.

    Parameters
    ----------
    evidence : Evidence
    scores : mapping of int to float
        Of each predicted label, such as the column ``confidence`` of its table.

    Raises
    ------
    ImageError
        If a predicted particle has none, or one that is no number.
    """
    labels = evidence.particles.predicted_labels.tolist()
    found = np.asarray([scores.get(label, np.nan) for label in labels], np.float64)
    if np.isnan(found).any():
        missing = [label for label, score in zip(labels, found, strict=True) if np.isnan(score)]
        raise ImageError(
            f"{len(missing)} of the {len(labels)} predicted particles of {evidence.name} have no score, such as label "
            f"{missing[0]}. Give the table of these labels."
        )
    return replace(evidence, particles=replace(evidence.particles, scores=found))
