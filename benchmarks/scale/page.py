"""The table as Markdown."""

from collections.abc import Sequence
from typing import Any

from scale.verdict import Outcome


def markdown(outcomes: Sequence[Outcome], about: dict[str, Any]) -> str:
    """Return the table, and below it what it was measured on and what the figures need to be told."""
    lines = ["| row | what | measured | bar | verdict |", "|---|---|---|---|---|"]
    notes = []
    for outcome in outcomes:
        if outcome.skipped or outcome.failed:
            verdict = f"skipped: {outcome.skipped}" if outcome.skipped else "failed"
            lines.append(f"| {outcome.name} | {outcome.title} | | | {verdict} |")
        for verdict in outcome.verdicts:
            held = "held" if verdict.passed else "missed"
            lines.append(f"| {outcome.name} | {verdict.what} | {verdict.found} | {verdict.asked} | {held} |")
        notes += [f"* {outcome.name}, {v.what}: {v.note}" for v in outcome.verdicts if v.note]
        if outcome.failed:
            notes.append(f"* {outcome.name} failed: {outcome.failed}")
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items() if version)
    lines += ["", f"{about['processor']}, {about['cores']} cores (threads: {about['threads']}), {packages}."]
    if not about["real_patches"]:
        lines.append("Images are made up: no real patches were found.")
    if about["tiny"]:
        lines.append("Tiny sizes: these figures say nothing.")
    busy = ", ".join(f"{one.name} {' to '.join(map(str, one.load))}" for one in outcomes if one.load)
    if busy:
        lines.append(f"Load of the machine, before to after: {busy}.")
    return "\n".join([*lines, *(["", *notes] if notes else [])])
