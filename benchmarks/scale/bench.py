"""Runs the parts of a row, each in a fresh process, the sides of a comparison in turns."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scale.registry import PARTS, Figures
from scale.settings import Settings

ENTRY = Path(__file__).resolve().parents[1] / "scale.py"


class PartFailed(Exception):
    """A part ended with an error; the message is the last line of what it said."""


class Bench:
    """Measures parts.

    Parameters
    ----------
    settings : Settings
    fresh : bool
        Each part in a process of its own; False, for tests, in this one.

    Attributes
    ----------
    taken : list of dict
        What was measured since the list was last emptied.
    """

    def __init__(self, settings: Settings, fresh: bool = True) -> None:
        self.settings, self.fresh = settings, fresh
        self.taken: list[dict[str, Any]] = []
        self._known: dict[str, Figures] = {}

    def run(self, part: str, **arguments: Any) -> Figures:
        """Run a part once more and return its figures."""
        figures = self._in_process(part, arguments) if self.fresh else PARTS[part](self.settings, **arguments)
        self.taken.append({"part": part, **arguments, "figures": figures})
        print(f"  {part} {_told(arguments)}: {_told(figures)}", file=sys.stderr, flush=True)
        return figures

    def known(self, part: str, **arguments: Any) -> Figures:
        """Run a part unless it has been run in this command; for those that two rows share."""
        key = json.dumps([part, arguments], sort_keys=True)
        if key not in self._known:
            self._known[key] = self.run(part, **arguments)
        else:
            self.taken.append({"part": part, **arguments, "figures": self._known[key], "shared": True})
        return self._known[key]

    def in_turns(self, sides: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[str, list[Figures]]:
        """Run every side, then every side again, as often as the settings say.

        Parameters
        ----------
        sides : mapping
            The name of each side with its part and arguments.
        """
        found: dict[str, list[Figures]] = {name: [] for name in sides}
        for _ in range(self.settings.repeat):
            for name, (part, arguments) in sides.items():
                found[name].append(self.run(part, **arguments))
        return found

    def _in_process(self, part: str, arguments: Mapping[str, Any]) -> Figures:
        command = [sys.executable, str(ENTRY), "--part", part]
        told = json.dumps({"settings": self.settings.to_dict(), "arguments": arguments})
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            said = done.stderr.strip().splitlines() or ["nothing was said"]
            raise PartFailed(f"{part} {_told(arguments)} ended with {done.returncode}: {said[-1]}")
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        return figures


def fastest(runs: Sequence[Figures], name: str = "seconds") -> float:
    """Return the smallest figure of that name: what other work on the machine disturbed least."""
    return float(min(run[name] for run in runs))


def _told(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in figures.items())
