"""The main job on a stitched filter: particles found, peak memory, and time beside the bare forward pass.

    python benchmarks/main_job.py FILTER.tif [--truth FILTER_mask.tif] [--model DIR] [--tile 640] [--json OUT.json]

Two processes, one after the other, on the same pixels with the same network and threads:

* bare: the network alone (batch normalisation folded, channels last, fp32) over tiles of the same size without halo
  or margins, cut from an array that already lies in memory. Nothing is read, written, labelled or measured.
* job: ``napari_mpseg.segment`` with a store on disk: reading and decoding the file, tiles with halo, quantising,
  labelling, writing, joining, measuring with intensities, tables.

The ratio job / bare is what the house adds to the network. Peak memory is the job's own process, everything included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def bare(options: argparse.Namespace) -> dict[str, float]:
    import numpy as np
    import torch

    from napari_mpseg.images.open import open_image
    from napari_mpseg.inference.memory import reused_memory
    from napari_mpseg.inference.runtime import folded

    network = folded(_model(options.model).network).to(memory_format=torch.channels_last)
    pixels = np.asarray(open_image(options.filter).data)
    height, width = pixels.shape[:2]
    seconds, count = 0.0, 0
    with reused_memory(), torch.inference_mode():
        for y in range(0, height, options.tile):
            for x in range(0, width, options.tile):
                tile = pixels[y : y + options.tile, x : x + options.tile]
                tile = np.pad(tile, ((0, -tile.shape[0] % 4), (0, -tile.shape[1] % 4), (0, 0)), mode="edge")
                batch = torch.from_numpy(tile.astype(np.float32) / 255)[None].permute(0, 3, 1, 2)
                start = time.perf_counter()
                torch.sigmoid(network(batch))
                seconds += time.perf_counter() - start
                count += 1
    return {"seconds": seconds, "tiles": count, "megapixels": height * width / 1e6}


def job(options: argparse.Namespace) -> dict[str, float]:
    import torch  # noqa: F401 - loading torch is not part of the job, nor of the bare pass

    import napari_mpseg as mp

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = mp.segment(
            options.filter, options.model or "default", out=Path(folder) / "out", tile_size=options.tile
        )
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found = {"seconds": seconds, "peak_mib": peak, "particles": result.count}
        if options.truth:
            scores = mp.evaluate(result.labels, mp.open_image(options.truth).data)
            found |= {name: getattr(scores, name) for name in ("f1", "iou", "particle_recall", "particle_precision")}
            found |= {"true_particles": scores.n_truth}
    return found


def _model(path: str | None):
    from napari_mpseg.methods.network import bundled
    from napari_mpseg.networks.modelfile import load_model

    return load_model(path) if path else bundled("cpu").model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("filter")
    parser.add_argument("--truth")
    parser.add_argument("--model")
    parser.add_argument("--tile", type=int, default=640)
    parser.add_argument("--repeat", type=int, default=1, help="alternate both this often and take each one's fastest")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--part", choices=("bare", "job"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps({"bare": bare, "job": job}[options.part](options)))
        return
    runs: dict[str, list[dict[str, float]]] = {"bare": [], "job": []}
    for _ in range(options.repeat):
        for part, found in runs.items():
            output = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--part", part], check=True, capture_output=True, text=True
            )
            found.append(json.loads(output.stdout.splitlines()[-1]))
    best = {part: min(found, key=lambda run: run["seconds"]) for part, found in runs.items()}
    best["ratio"] = best["job"]["seconds"] / best["bare"]["seconds"]
    text = json.dumps(best, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
