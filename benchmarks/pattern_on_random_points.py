"""How often tests of the point pattern call completely random points something else, and how often they see a pattern.

    python benchmarks/pattern_on_random_points.py [--runs 400] [--out FOLDER]

Every test sees the same points. Random points: n independent points, uniform over a square image or over the largest
circle in it. Clustered: parents at random, about 4 children each, normally scattered round them. Hard core: points laid
one after the other, none nearer to another than a set distance. Writes pattern_on_random_points.md and .json into
FOLDER.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.particles.pattern import PatternSettings, Region, analyse_pattern
from napari_mpseg.particles.pattern.neighbours import lay_discs

SIDE = 1000
SQUARE = Region.rectangle((SIDE, SIDE))
CIRCLE = Region.circle((SIDE, SIDE))
COUNTS = (30, 50, 100, 300, 1000)
Points = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Contestant:
    """A test with its settings."""

    name: str
    test: str
    settings: PatternSettings


CONTESTANTS = (
    Contestant("BioVoxxel, median", "biovoxxel", PatternSettings(statistic="median")),
    Contestant("BioVoxxel, mean", "biovoxxel", PatternSettings(statistic="mean")),
    Contestant("Clark-Evans, simulated", "clark-evans", PatternSettings(simulations=199, curve=False)),
    Contestant("Clark-Evans, Donnelly", "donnelly", PatternSettings()),
    Contestant("G function", "g-function", PatternSettings(simulations=99)),
    Contestant("L function", "l-function", PatternSettings(simulations=99)),
)


def random_points(region: Region, rng: np.random.Generator, n: int) -> Points:
    return region.sample(rng, n)


def clustered(region: Region, rng: np.random.Generator, n: int) -> Points:
    """Thomas' process, conditional on n: a cluster is as wide as random neighbours are apart."""
    parents = region.sample(rng, max(2, n // 4))
    scatter = 0.5 * math.sqrt(region.area_px / n)
    points: list[Points] = []
    while sum(map(len, points)) < n:
        children = parents[rng.integers(0, len(parents), n)] + rng.normal(0, scatter, (n, 2))
        points.append(children[region.holds(children)])
    return np.concatenate(points)[:n]


def hard_core(region: Region, rng: np.random.Generator, n: int) -> Points:
    """No two points nearer than 0.6 of the mean distance of random neighbours."""
    distance = 0.6 * 0.5 * math.sqrt(region.area_px / n)
    points = lay_discs(rng, region, (1.0, 1.0), np.full(n, distance / 2), distance)
    assert points is not None
    return points - 0.5  # from pixel corners to pixel indices


def shares(
    region: Region, make: Callable[[Region, np.random.Generator, int], Points], counts: Sequence[int], runs: int
) -> dict[str, dict[int, dict[str, float]]]:
    """Return, per contestant and number of points, the share of each class."""
    found: dict[str, dict[int, dict[str, float]]] = {one.name: {} for one in CONTESTANTS}
    for n in counts:
        rng = np.random.default_rng([n, runs])
        answers: dict[str, list[str]] = {one.name: [] for one in CONTESTANTS}
        for run in range(runs):
            points = make(region, rng, n)
            for one in CONTESTANTS:
                seeded = PatternSettings(**{**one.settings.__dict__, "seed": run})
                result = analyse_pattern(points, region=region, test=one.test, settings=seeded)
                answers[one.name].append(result.pattern_class)
        for name, said in answers.items():
            found[name][n] = {word: said.count(word) / runs for word in ("random", "clustered", "self-avoiding")}
    return found


def markdown(title: str, found: dict[str, dict[int, dict[str, float]]], right: str) -> str:
    """Return a table: of random points the share called something else, of a pattern the share that is seen."""
    counts = list(next(iter(found.values())))
    lines = [f"**{title}**", "", "| test | " + " | ".join(f"n = {n}" for n in counts) + " |"]
    lines.append("|---|" + "---|" * len(counts))
    for name, rows in found.items():
        cells = []
        for row in rows.values():
            if right == "random":
                cells.append(f"{100 * (1 - row['random']):.0f} % ({100 * row['clustered']:.0f} clustered)")
            else:
                cells.append(f"{100 * row[right]:.0f} %")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400, help="random patterns per number of points")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the tables")
    options = parser.parse_args()
    start = time.perf_counter()
    few = max(1, options.runs // 4)
    plan = (
        ("Random points in the image, called not random", SQUARE, random_points, COUNTS, options.runs, "random"),
        ("Random points in a circle, called not random", CIRCLE, random_points, (50, 300), options.runs, "random"),
        ("Clustered points, called clustered", SQUARE, clustered, (30, 50, 100, 300), few, "clustered"),
        ("Points with a hard core, called self-avoiding", SQUARE, hard_core, (30, 50, 100, 300), few, "self-avoiding"),
    )
    tables, figures = [], {}
    for title, region, make, counts, runs, right in plan:
        found = shares(region, make, counts, runs)
        figures[title] = {"runs": runs, "shares": found}
        tables.append(markdown(f"{title} ({runs} patterns each)", found, right))
        print(tables[-1], f"\n\n{time.perf_counter() - start:.0f} s\n", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "pattern_on_random_points.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    (options.out / "pattern_on_random_points.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
