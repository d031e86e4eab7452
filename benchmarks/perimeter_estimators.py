"""How near the perimeter estimators come to true lengths, and which particles change class with them.

    python benchmarks/perimeter_estimators.py [--out FILE.md]

Prints the tables of docs/measuring.md as Markdown. Discs and strips are drawn by pixel centres, at 16 places and in 19
directions. The reference masks are looked for in MPSEG_REFERENCE, else ../shared/reference beside the repository.
"""

import argparse
import math
import os
from pathlib import Path

import numpy as np
from skimage.io import imread
from skimage.measure import regionprops_table

from napari_mpseg.particles import label_mask
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.perimeters import PERIMETERS

MASKS = ("shapes.png", "dense_1280x960.png", "large_7140x5424.png")
CLASSES = (0.3, 0.6)  # MP-VAT: fibre, fragment, particle


def disc(radius: float, place: tuple[float, float]) -> np.ndarray:
    size = int(2 * radius + 6)
    y, x = np.mgrid[:size, :size]
    return np.hypot(y - size / 2 - place[0], x - size / 2 - place[1]) <= radius


def strip(length: float, width: float, degrees: float) -> np.ndarray:
    size = int(length + 2 * width + 8)
    y, x = np.mgrid[:size, :size] - size / 2 + np.array([0.21, 0.37])[:, None, None]
    turn = math.radians(degrees)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    return (abs(along) <= length / 2) & (abs(across) <= width / 2)


def ratios(masks: list[np.ndarray], true: float) -> dict[str, np.ndarray]:
    """Return measured over true length by estimator, scikit-image's own among them."""
    found: dict[str, list[float]] = {name: [] for name in (*PERIMETERS, "skimage")}
    for mask in masks:
        labels = mask.astype(np.int32)
        for name in PERIMETERS:
            table = measure(labels, properties="perimeter", perimeter=name).frame
            found[name].append(table.loc[0, "perimeter_px"] / true)
        found["skimage"].append(regionprops_table(labels, properties=("perimeter",))["perimeter"][0] / true)
    return {name: np.array(values) for name, values in found.items()}


def line(name: str, found: dict[str, np.ndarray]) -> str:
    cells = [
        f"{100 * (v.mean() - 1):+.1f} ({100 * (v.min() - 1):+.1f} to {100 * (v.max() - 1):+.1f})"
        for v in found.values()
    ]
    return f"| {name} | {' | '.join(cells)} |"


def convergence() -> list[str]:
    rng = np.random.default_rng(0)
    places = rng.random((16, 2))
    heading = "| shape | ImageJ | Crofton, 4 directions | scikit-image's `perimeter` |"
    rows = [heading, "|---|---|---|---|"]
    for radius in (3, 5, 10, 30, 100, 300):
        masks = [disc(radius, tuple(place)) for place in (places if radius < 300 else places[:4])]
        rows.append(line(f"disc, radius {radius} px", ratios(masks, 2 * math.pi * radius)))
    for length, width in ((20, 2), (60, 6), (200, 20), (600, 60)):
        masks = [strip(length, width, angle) for angle in np.linspace(0, 90, 19)]
        rows.append(line(f"strip, {length} x {width} px", ratios(masks, 2 * (length + width))))
    return rows


def classes(area: np.ndarray, perimeter: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        circularity = np.minimum(4 * np.pi * area / perimeter**2, 1.0)
    return np.digitize(circularity, CLASSES)


def changes(name: str, masks: list[np.ndarray]) -> str:
    kept = {"crofton": 0, "skimage": 0}
    total = 0
    for mask in masks:
        labels = label_mask(mask)
        if not labels.any():
            continue
        frame = measure(labels, properties=["area", "perimeter", "perimeter_crofton"]).frame
        area = frame["area_px"].to_numpy()
        ours = classes(area, frame["perimeter_px"].to_numpy())
        theirs = regionprops_table(labels, properties=("perimeter",))["perimeter"]
        kept["crofton"] += int((classes(area, frame["perimeter_crofton_px"].to_numpy()) != ours).sum())
        kept["skimage"] += int((classes(area, theirs) != ours).sum())
        total += len(frame)
    cells = [f"{count} ({100 * count / total:.1f} %)" for count in kept.values()]
    return f"| {name} | {total} | {' | '.join(cells)} |"


def class_changes(folder: Path, data: Path) -> list[str]:
    rows = ["| masks | particles | Crofton | scikit-image's `perimeter` |", "|---|---|---|---|"]
    names = {"shapes.png": "synthetic shapes", "dense_1280x960.png": "dense SEM field", "large_7140x5424.png": "filter"}
    for mask in MASKS:
        if (folder / mask).exists():
            rows.append(changes(names[mask], [imread(folder / mask) > 0]))
    real = [imread(path) == 0 for path in sorted(data.glob("mpnet/fold_*/labels/*.png"))]
    if real:
        rows.append(changes("expert masks of real filters", real))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the tables here too")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("MPSEG_REFERENCE", shared / "reference")) / "imagej" / "masks"
    data = Path(os.environ.get("MPSEG_DATA", shared / "data"))
    text = "\n".join(
        [
            "Error in per cent, mean (smallest to largest):\n",
            *convergence(),
            "\nParticles whose MP-VAT class changes when another estimator takes the place of ImageJ's:\n",
            *class_changes(folder, data),
        ]
    )
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
