"""The table of an evaluation, on a terminal and in files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.evaluation.evidence import Evidence
    from napari_mpseg.evaluation.metric_entry import MetricEntry

_FEW = 6  # images that are told one by one


class Scored:
    """The metrics of all images together, of each, and their mean.

    Parameters
    ----------
    evidences : sequence of Evidence
        One per image.
    entries : sequence of MetricEntry
    """

    def __init__(self, evidences: "Sequence[Evidence]", entries: "Sequence[MetricEntry]") -> None:
        self.evidences, self.entries = evidences, entries
        self.total = {entry.name: entry.of(evidences) for entry in entries}
        self.each = {entry.name: [float(value) for value in entry.each(evidences)] for entry in entries}
        self.mean = {name: sum(values) / len(values) for name, values in self.each.items()}

    def lines(self) -> list[str]:
        """Return the table for a terminal."""
        several = len(self.evidences) > 1
        heads = ["metric", "all images", "mean per image"] if several else ["metric", "value"]
        told = several and len(self.evidences) <= _FEW
        heads += [evidence.name for evidence in self.evidences] if told else []
        rows = [heads]
        for entry in self.entries:
            numbers = [self.total[entry.name]]
            numbers += [self.mean[entry.name]] if several else []
            numbers += self.each[entry.name] if told else []
            rows.append([entry.title, *(f"{number:.4g}" for number in numbers)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
        rows.insert(1, ["-" * width for width in widths])
        lines = []
        for first, *others in rows:
            cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
            lines.append("  ".join([first.ljust(widths[0]), *cells]))
        true, found = sum(one.n_truth for one in self.evidences), sum(one.n_predicted for one in self.evidences)
        size = self.evidences[0].min_size
        images = ["", f"Images    {len(self.evidences)}"]
        return [*lines, *images, f"Particles {found:,} predicted, {true:,} in truth (of {size} px or more)"]

    def write(self, path: Path, asked: Mapping[str, Any], *, overwrite: bool = False) -> None:
        """Write the table; the ending decides between JSON, with definitions, and CSV."""
        from napari_mpseg.files import finished_at

        with finished_at(path, overwrite=overwrite) as part:
            if path.suffix.lower() == ".json":
                text = json.dumps(self.to_dict(asked), indent=1, ensure_ascii=False, allow_nan=False)
                part.write_text(text + "\n", encoding="utf-8")
            else:
                self._frame().to_csv(part, index=False, encoding="utf-8")

    def to_dict(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return everything by name, and `asked` before it."""
        return {
            **asked,
            "min_size": self.evidences[0].min_size,
            "all_images": self.total,
            "mean_per_image": self.mean,
            "images": self._rows(),
            "definitions": {one.name: f"{one.definition} {one.undefined}".strip() for one in self.entries},
        }

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "image": one.name,
                **_counts(one),
                **{name: values[number] for name, values in self.each.items()},
            }
            for number, one in enumerate(self.evidences)
        ]

    def _frame(self) -> Any:
        import pandas as pd

        rows = self._rows()
        whole = list(_counts(self.evidences[0]))
        summed = {name: sum(row[name] for row in rows) for name in whole}
        rows += [{"image": "(all images)", **summed, **self.total}, {"image": "(mean per image)", **self.mean}]
        frame = pd.DataFrame(rows)
        frame[whole] = frame[whole].astype("Int64")
        return frame


def _counts(one: "Evidence") -> dict[str, int]:
    return {**one.pixels.to_dict(), "true_particles": one.n_truth, "predicted_particles": one.n_predicted}
