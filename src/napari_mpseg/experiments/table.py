"""The table of a protocol: blocks of rows, and the paper's own figures beside them; as Markdown, CSV and JSON."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_mpseg.experiments.outcome import Outcome, chosen_outcomes, mean_counts, values_of
from napari_mpseg.experiments.protocol import Block, Column, Protocol
from napari_mpseg.experiments.stored_models import write_text

PUBLISHED = "published"
_COUNTS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    block : str
        ``"published"`` for the paper's own.
    name : str
        Of preset or method.
    values : mapping of str to float
        By metric; a paper may lack some.
    counts : mapping of str to float
        TP, FP, FN, TN averaged over the rounds; empty for the paper's own.
    rounds : tuple of str
        What it is made of.
    """

    block: str
    name: str
    values: Mapping[str, float]
    counts: Mapping[str, float] = field(default_factory=dict)
    rounds: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProtocolTable:
    """The table.

    Attributes
    ----------
    protocol : Protocol
    rows : tuple of Row
    facts : tuple of str
        On what it was made.
    """

    protocol: Protocol
    rows: tuple[Row, ...]
    facts: tuple[str, ...] = ()

    def to_markdown(self) -> str:
        """Return the table for people."""
        lines = [f"# {self.protocol.title}", "", *(f"- {fact}" for fact in self.facts)]
        for block in self.protocol.blocks:
            lines += ["", f"**{block.title}.** {block.note}", "", *_markdown(self._of(block.name), self._columns)]
        where = self.protocol.published.where
        lines += ["", f"**The paper's own figures ({where}).** On its own images: not to be compared with those above."]
        lines += ["", *_markdown(self._of(PUBLISHED), self._columns)]
        return "\n".join(lines)

    def to_csv(self) -> str:
        """Return the table for programs: every digit, and the counts."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [column.metric for column in self._columns]
        writer.writerow(["block", "name", *names, *_COUNTS])
        for row in self.rows:
            values = [row.values.get(name, "") for name in names]
            writer.writerow([row.block, row.name, *values, *(row.counts.get(name, "") for name in _COUNTS)])
        return text.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "protocol": self.protocol.name,
            "facts": list(self.facts),
            "columns": [vars(column) for column in self._columns],
            "open_choices": list(self.protocol.open_choices),
            "rows": [
                {
                    "block": row.block,
                    "name": row.name,
                    "values": dict(row.values),
                    "counts": dict(row.counts),
                    "rounds": list(row.rounds),
                }
                for row in self.rows
            ],
        }

    def save(self, folder: Path) -> None:
        """Write ``table.md``, ``table.csv`` and ``table.json``."""
        write_text(folder / "table.md", self.to_markdown())
        write_text(folder / "table.csv", self.to_csv().rstrip("\n"))
        write_text(folder / "table.json", json.dumps(self.to_dict(), indent=1, ensure_ascii=False))

    @property
    def _columns(self) -> Sequence[Column]:
        return self.protocol.columns

    def _of(self, block: str) -> list[Row]:
        return [row for row in self.rows if row.block == block]


def make_table(
    protocol: Protocol, outcomes: Mapping[str, Sequence[Outcome]], facts: Sequence[str] = ()
) -> ProtocolTable:
    """Make the table of the outcomes of every preset and method, by name."""
    rows = [
        _row(block, name, chosen_outcomes(made, block), protocol.columns)
        for block in protocol.blocks
        for name, made in outcomes.items()
    ]
    rows += [Row(PUBLISHED, name, values) for name, values in protocol.published.rows.items()]
    return ProtocolTable(protocol, tuple(rows), tuple(facts))


def _row(block: Block, name: str, outcomes: Sequence[Outcome], columns: Sequence[Column]) -> Row:
    rounds = tuple(one.round_name for one in outcomes)
    return Row(block.name, name, values_of(outcomes, columns), mean_counts(outcomes), rounds)


def _markdown(rows: Sequence[Row], columns: Sequence[Column]) -> list[str]:
    lines = [f"| method | {' | '.join(column.title for column in columns)} |", f"|---|{'---|' * len(columns)}"]
    for row in rows:
        cells = [f"{row.values[one.metric]:.3f}" if one.metric in row.values else "" for one in columns]
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return lines
