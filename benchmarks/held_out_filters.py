"""Stitched filters of patches the network never saw: particles found and pixel F1, beside two thresholds.

    napari-mpseg train-bundled DATA/mpnet --out models/nile-red --crossval
    python benchmarks/held_out_filters.py DATA --models models/nile-red [--size 2048 2048] [--seed 101]

For each fold, ``DATA/make_filter.py`` makes a filter of that fold's patches alone, and the network trained without the
fold (``models/nile-red-without-fold_k``) segments it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import napari_mpseg as mp

COLUMNS = ("f1", "iou", "particle_recall", "particle_precision")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", required=True, type=Path)
    parser.add_argument("--size", nargs=2, type=int, default=(2048, 2048))
    parser.add_argument("--seed", type=int, default=101)
    options = parser.parse_args()
    print("| fold | method | true particles | pixel F1 | IoU | particle recall | particle precision |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for fold in (2, 3, 4, 5):
            path = Path(folder) / f"filter_{fold}.tif"
            size = [str(side) for side in options.size]
            command = [sys.executable, options.data / "make_filter.py", path, "--size", *size]
            subprocess.run(
                [*command, "--seed", str(options.seed), "--folds", str(fold)], check=True, capture_output=True
            )
            truth = mp.open_image(path.with_name(f"{path.stem}_mask.tif")).data.compute()
            model = options.models.with_name(f"{options.models.name}-without-fold_{fold}")
            for name, method in (("network", model), ("fixed-level", "fixed-level"), ("max-entropy", "max-entropy")):
                scores = mp.evaluate(mp.segment(path, method, measure=False).labels, truth)
                values = " | ".join(f"{getattr(scores, column):.3f}" for column in COLUMNS)
                print(f"| {fold} | {name} | {scores.n_truth} | {values} |", flush=True)


if __name__ == "__main__":
    main()
