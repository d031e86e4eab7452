"""Scores of predicted particles, from the tables beside them: what average precision ranks them by."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.errors import ImageError, MpsegError, SettingsError

if TYPE_CHECKING:
    from napari_mpseg.commands.evaluate_files import Pair
    from napari_mpseg.evaluation.evidence import Evidence

_COLUMN = "confidence"


@dataclass
class Scores:
    """Scores of every image's particles, by label; None where there is no table with any.

    Attributes
    ----------
    of_images : list of mapping or None
        In the order of the pairs.
    given : bool
        Whether the user named the table: then it must fit.
    complete : bool
        Whether the particles of all images are ranked by their tables; known after :meth:`put_into`.
    notes : list of str
        What the user should know.
    """

    of_images: list[Mapping[int, float] | None]
    given: bool = False
    complete: bool = False
    notes: list[str] = field(default_factory=list)

    def put_into(self, evidences: "Sequence[Evidence]") -> "list[Evidence]":
        """Return the evidence of all images with their scores, or as it is where not every image has them."""
        from napari_mpseg.evaluation.scores import with_scores

        if not evidences or any(scores is None for scores in self.of_images):
            return list(evidences)
        try:
            found = [
                with_scores(evidence, scores or {}) for evidence, scores in zip(evidences, self.of_images, strict=True)
            ]
        except ImageError as error:  # such as labels that were corrected and not measured again
            if self.given:
                raise
            self.notes.append(f"the confidence in the tables is not used: {error}")
            return list(evidences)
        self.complete = True
        return found


def find_scores(pairs: "Sequence[Pair]", options: argparse.Namespace) -> Scores:
    """Read the column ``confidence`` of the table that was given, or of those beside the predictions.

    Raises
    ------
    SettingsError
        If one table is given for several images, or it has no such column.
    StoreError
        If the table cannot be read.
    """
    if options.scores is not None:
        if len(pairs) > 1:
            raise SettingsError(f"--scores is one table, but {len(pairs)} images are compared. Give one of them.")
        found = _scores_in(options.scores)
        if found is None:
            raise SettingsError(f"{options.scores} has no column {_COLUMN!r}. Choose another table.")
        return Scores([found], given=True)
    if options.predicted_particle_value is not None:  # pieces of a mask, which are numbered only now
        return Scores([None for _ in pairs])
    return Scores([_beside(pair.predicted) for pair in pairs])


def _beside(labels: Path) -> Mapping[int, float] | None:
    from napari_mpseg.reports.loading import tables_of
    from napari_mpseg.results.labels_file import store_in

    try:
        tables = tables_of(store_in(labels))
        return _scores_in(tables[0]) if tables else None
    except MpsegError:  # a file of the user's, or one of several results: nothing is lost
        return None


def _scores_in(path: Path) -> Mapping[int, float] | None:
    from napari_mpseg.results.labels_table import read_table

    table = read_table(path)
    if _COLUMN not in table.frame:
        return None
    values = table.frame[_COLUMN].to_numpy(float)
    return dict(zip(table.labels.tolist(), values.tolist(), strict=True))
