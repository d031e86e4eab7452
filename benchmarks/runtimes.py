"""How fast each runtime is at each tile size, and how far it is from PyTorch in 32 bit on real patches.

    python benchmarks/runtimes.py [--data DATA/mpnet] [--repeat 5] [--json FILE] [--page docs/runtimes.md]

Speed is megapixels of result per second for inner windows, which carry a halo of the network's receptive radius. The
runtimes alternate, so that a busy moment meets them all, and the fastest of the repeats is taken. Agreement is over all
patches of the folder, which hold images and ``labels/`` where 0 is particle.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from napari_mpseg.images.open import open_image
from napari_mpseg.inference.grid import round_up
from napari_mpseg.inference.memory import reused_memory
from napari_mpseg.inference.runtimes import RUNTIMES
from napari_mpseg.inference.runtimes.calibration import device_name
from napari_mpseg.inference.runtimes.folding import folded
from napari_mpseg.inference.runtimes.sampling import synthetic_sample
from napari_mpseg.marked_page import with_tables
from napari_mpseg.networks.bundled import bundled_model
from napari_mpseg.networks.device import choose_device
from napari_mpseg.networks.modelfile import load_model
from napari_mpseg.training.data.pairs import load_folder

FAR = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of labelled patches, or of folders of them")
    parser.add_argument("--model", help="model folder; default the bundled network")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tiles", type=int, nargs="*", default=(128, 256, 512, 640, 1024))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--page", type=Path, help="write the tables into this page, between their marks")
    options = parser.parse_args()
    model = bundled_model() if options.model is None else load_model(options.model)
    device = choose_device(options.device)
    network, radius = folded(model.network), model.card.receptive_radius
    running = {}
    for name, entry in RUNTIMES.items():
        reason = entry.available(device)
        if reason is None:
            windows = telling(options.data, model) if entry.samples else None
            running[name] = entry.build(network, device, radius, windows)
        else:
            print(f"{name}: {reason}")
    where = f"{device_name(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    tables, figures = {}, {"where": where, "model": model.card.name}
    if options.tiles:
        with reused_memory():
            speeds = measure_speed(running, network, radius, model.card.in_channels, options.tiles, options.repeat)
        figures["speed"] = speeds
        tables["speed"] = lambda: speed_table(speeds, options.tiles, where)
    if options.data is not None:
        agreement = measure_agreement(running, model, options.data)
        figures["agreement"] = agreement
        tables["agreement"] = lambda: agreement_table(agreement, model.card.threshold)
    for table in tables.values():
        print(f"\n{table()}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.page:
        options.page.write_text(with_tables(options.page.read_text(encoding="utf-8"), tables), encoding="utf-8")


def telling(data, model):
    """Return windows for a runtime that is fitted to an image: every fourth patch, or made-up ones."""
    if data is None:
        sample = synthetic_sample(model.card.in_channels)
        return np.stack([sample[y : y + 256, x : x + 256] for y in (0, 256, 512) for x in (0, 256, 512)])
    patches = [pair for folder in folders(data) for pair in load_folder(folder, particle_value=0)]
    stack = np.stack([np.asarray(pair.image) for pair in patches[::4]])
    return model.card.normalisation.measure(open_image(stack[0])).apply(stack)


def measure_speed(running, network, radius, channels, tiles, repeat):
    margin = round_up(radius or FAR, int(getattr(network, "stride", 1)))
    speeds = {name: {} for name in running}
    for tile in tiles:
        side = tile + 2 * margin
        sample = synthetic_sample(channels)
        pixels = np.pad(sample, [(0, max(0, side - size)) for size in sample.shape[:2]] + [(0, 0)], mode="wrap")
        batch = np.ascontiguousarray(pixels[:side, :side])[None].transpose(0, 3, 1, 2)
        best = dict.fromkeys(running, np.inf)
        for number in range(repeat + 1):  # the first only warms up
            for name, run in running.items():
                start = time.perf_counter()
                run(batch, (margin,) * 4)
                if number:
                    best[name] = min(best[name], time.perf_counter() - start)
        for name, seconds in best.items():
            speeds[name][tile] = tile**2 / seconds / 1e6
    return speeds


def measure_agreement(running, model, data):
    patches = [pair for folder in folders(data) for pair in load_folder(folder, particle_value=0)]
    stride = model.network.stride
    found = {name: {"largest": 0.0, "sum": 0.0, "pixels": 0, "both": 0, "mask": 0, "flips": 0} for name in running}
    truth_pixels = 0
    for pair in patches:
        pixels = np.asarray(pair.image)
        scaled = model.card.normalisation.measure(open_image(pixels)).apply(pixels)
        height, width = (round_up(size, stride) for size in pixels.shape[:2])
        scaled = np.pad(scaled, [(0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)], mode="edge")
        truth = pair.mask
        truth_pixels += int(truth.sum())
        inside = slice(0, pixels.shape[0]), slice(0, pixels.shape[1])
        answers = {name: run(scaled[None].transpose(0, 3, 1, 2))[0][inside] for name, run in running.items()}
        plain = answers["torch-fp32"]
        for name, answer in answers.items():
            sums, mask = found[name], answer > model.card.threshold
            sums["largest"] = max(sums["largest"], float(np.abs(answer - plain).max()))
            sums["sum"] += float(np.abs(answer - plain).sum(dtype=np.float64))
            sums["pixels"] += answer.size
            sums["both"] += int((mask & truth).sum())
            sums["mask"] += int(mask.sum())
            sums["flips"] += int((mask != (plain > model.card.threshold)).sum())
    return {
        name: {
            "f1": 2 * sums["both"] / (sums["mask"] + truth_pixels),
            "largest_difference": sums["largest"],
            "mean_difference": sums["sum"] / sums["pixels"],
            "pixels_that_change_sides": sums["flips"],
            "particle_pixels": sums["mask"],
        }
        for name, sums in found.items()
    }


def folders(data):
    return [data] if (data / "labels").is_dir() else sorted(path.parent for path in data.glob("*/labels"))


def speed_table(speeds, tiles, where):
    lines = [
        f"{where}; Mpx/s.\n",
        "| runtime | " + " | ".join(f"{tile} px" for tile in tiles) + " |",
        "|---|" + "---|" * len(tiles),
    ]
    lines += [f"| {name} | " + " | ".join(f"{one[tile]:.2f}" for tile in tiles) + " |" for name, one in speeds.items()]
    return "\n".join(lines)


def agreement_table(agreement, threshold):
    plain = agreement["torch-fp32"]["f1"]
    lines = [
        f"| runtime | F1 at {threshold:g} | change | largest difference of probability | mean difference | "
        "pixels that change sides |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in agreement.items():
        lines.append(
            f"| {name} | {one['f1']:.4f} | {one['f1'] - plain:+.4f} | {one['largest_difference']:.2g} | "
            f"{one['mean_difference']:.2g} | {one['pixels_that_change_sides']} of {one['particle_pixels']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
