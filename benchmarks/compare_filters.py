"""Methods side by side on two stitched filters with new seeds: Table 1's columns, and counts per size class.

    python benchmarks/compare_filters.py DATA --methods mp-vat mp-vat-2 otsu yen models/crossval --out comparison
        [--size 2048 2048] [--seeds 301 302] [--folds 2 4]

``DATA/make_filter.py`` makes each filter of the patches of one fold alone, put into a folder of the fold's name.
Of a cross-validation (``napari-mpseg crossval``, ``train-forest --crossval``) the model that was trained without that
fold is then used, which has seen none of the filter's patches. The bundled network (``default``) has seen all of them:
its row is too good here. Stopped, the same command goes on where it was.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from napari_mpseg.comparison import Comparison, compare
from napari_mpseg.comparison.sizes import size_counts
from napari_mpseg.comparison.tables import table_1, value_text

TABLE_1 = ("balanced accuracy", "precision", "recall", "mean IoU", "F0.5", "F1", "F2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--methods", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", nargs=2, type=int, default=(2048, 2048), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--seeds", nargs=2, type=int, default=(301, 302))
    parser.add_argument("--folds", nargs=2, type=int, default=(2, 4))
    options = parser.parse_args()
    filters = options.out / f"filters_{options.size[0]}x{options.size[1]}"
    for seed, fold in zip(options.seeds, options.folds, strict=True):
        make(options.data, filters, fold, seed, options.size)
    comparison = compare(
        filters,
        options.methods,
        options.out / f"comparison_{options.size[0]}x{options.size[1]}",
        title=f"Two stitched filters, seeds {options.seeds[0]} and {options.seeds[1]}",
        on_progress=lambda event: print(f"\r{event.stage} {event.done}/{event.total}  ", end="", file=sys.stderr),
    )
    print(file=sys.stderr)
    print_tables(comparison)


def make(data: Path, filters: Path, fold: int, seed: int, size: tuple[int, int]) -> None:
    """Make a filter of the patches of one fold, with its truth in ``labels``, unless it is there."""
    folder = filters / f"fold_{fold}"
    image, truth = folder / f"seed_{seed}.tif", folder / "labels" / f"seed_{seed}.tif"
    if truth.exists():
        return
    truth.parent.mkdir(parents=True, exist_ok=True)
    height, width = (str(side) for side in size)
    subprocess.run(
        [
            *(sys.executable, data / "make_filter.py", image, "--size", height, width),
            *("--seed", str(seed), "--folds", str(fold)),
        ],
        check=True,
        capture_output=True,
    )
    shutil.move(image.with_name(f"{image.stem}_mask.tif"), truth)


def print_tables(comparison: Comparison) -> None:
    print(f"| method | {' | '.join(TABLE_1)} |\n|---|{'---|' * len(TABLE_1)}")
    for label, values in table_1(comparison, "folds"):
        print(f"| {label} | {' | '.join(value_text(value) for value in values)} |")
    sizes = size_counts(comparison)
    names = [*sizes.classes.names, "all"]
    print(f"\n| particles | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for label, counts in sizes.counts.items():
        print(f"| {label} | {' | '.join(str(count) for count in (*counts, sum(counts)))} |")
    print()
    for note in comparison.notes:
        print(note)


if __name__ == "__main__":
    main()
