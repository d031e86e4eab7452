"""Memory of measuring: small and large label images with the same particles, made lazily, each in its own process.

    python benchmarks/measure_memory.py [--side 32768] [--scheduler threads:2] [--properties all] [--out FOLDER]

Labels, image and probability are made when a block of them is read, 4096 discs of a radius of 12 px whatever the side
is, so that nothing but the number of pixels grows; some lie over several blocks. The peak is that of the whole process,
libraries included; between 4096 and the large side it may differ by 300 MiB. The table is printed as Markdown; with
``--out`` it is written there, as Markdown and JSON.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np

SMALL, BOUND_MIB = 4096, 300
ACROSS, RADIUS = 64, 12


def blocks_of_discs(side: int, chunk: int) -> Any:
    """Return labels of ACROSS x ACROSS discs in a square grid, made when read."""
    pitch = side // ACROSS

    def make(block_info: Any = None) -> np.ndarray:
        (y0, y1), (x0, x1) = block_info[None]["array-location"]
        labels = np.zeros((y1 - y0, x1 - x0), np.int32)
        for row in range(max(0, y0 // pitch - 1), min(ACROSS, y1 // pitch + 2)):
            for column in range(max(0, x0 // pitch - 1), min(ACROSS, x1 // pitch + 2)):
                put_disc(
                    labels,
                    row * pitch + RADIUS * (row % 3) - y0,
                    column * pitch + RADIUS * (column % 3) - x0,
                    row * ACROSS + column + 1,
                )
        return labels

    chunks = ((chunk,) * (side // chunk),) * 2
    return da.map_blocks(make, chunks=chunks, dtype=np.int32, meta=np.empty((0, 0), np.int32))


def put_disc(labels: np.ndarray, y: int, x: int, number: int) -> None:
    top, left = max(0, y - RADIUS), max(0, x - RADIUS)
    part = labels[top : max(top, y + RADIUS + 1), left : max(left, x + RADIUS + 1)]
    rows, columns = np.arange(top, top + part.shape[0])[:, None] - y, np.arange(left, left + part.shape[1]) - x
    part[rows**2 + columns**2 <= RADIUS**2] = number


def peak_mib() -> float:
    """Return the most memory this process held; on Linux not what the one that started it held, as rusage does."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(side: int, chunk: int, properties: str, scheduler: str | None) -> dict[str, Any]:
    from napari_mpseg.particles.measure import measure

    labels = blocks_of_discs(side, chunk)
    image = (labels % 251).astype(np.uint8)
    probability = ((labels > 0) * 200).astype(np.uint8)
    start = time.perf_counter()
    table = measure(labels, image, probability=probability, properties=properties, scheduler=scheduler)
    return {
        "side in px": side,
        "labels, image, probability in MiB": round(6 * side * side / 2**20),
        "scheduler": scheduler or "this thread",
        "properties": properties,
        "particles": len(table),
        "columns": len(table.frame.columns),
        "area in px": int(table.frame["area_px"].sum()),
        "seconds": round(time.perf_counter() - start, 1),
        "peak in MiB": round(peak_mib()),
    }


def in_its_own_process(side: int, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(side), "--chunk", str(options.chunk)]
    command += ["--properties", options.properties]
    command += ["--scheduler", options.scheduler] if options.scheduler else []
    row: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return row


def markdown(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *(f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=32768, help="side of the large label image in pixels")
    parser.add_argument("--chunk", type=int, default=1024, help="side of a chunk in pixels")
    parser.add_argument("--properties", default="default", help="what is measured, such as all")
    parser.add_argument("--scheduler", help="where blocks are measured, such as threads:2; default this thread")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the table here too")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one, options.chunk, options.properties, options.scheduler)))
        return
    rows = [in_its_own_process(side, options) for side in (SMALL, options.side)]
    text = markdown(rows)
    apart = rows[1]["peak in MiB"] - rows[0]["peak in MiB"]
    print(f"{text}\n\n{apart} MiB apart; at most {BOUND_MIB} are allowed.")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        about = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "memory": rows}
        (options.out / "measure_memory.md").write_text(text + "\n", encoding="utf-8")
        (options.out / "measure_memory.json").write_text(json.dumps(about, indent=2), encoding="utf-8")
    if apart > BOUND_MIB:
        sys.exit(1)


if __name__ == "__main__":
    main()
