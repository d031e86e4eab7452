"""Touching particles: what tells them apart best after the same short training on one thread of a processor.

    python benchmarks/instances.py DATA [--steps N] [--sets mira sem-fibres] [--ways ...] [--folds 1]
                                        [--out instances] [--page docs/touching.md]

DATA holds `mira/` (beads on membranes) and `sem-fibres/` (crossing fibres). Images of the same sample, or cut out of
the same frame, stay together. Three folds of about as many particles each are held out in turn. Threshold, least size,
least confidence and what else a way has to be set are chosen on the rest: on a fifth of it, which is not learnt from;
on *mira*, whose few images look too different for that, on all of it, in three parts, each as three networks see it
that learn from the other two, before a fourth learns from everything that is not held out. The score is the F1 of
particles at an intersection over union above 0.5 on the images held out, by all networks that were trained for the
fold (what one happens to learn of lights it never saw is much a matter of chance), each through `napari_mpseg.segment`.

*components*, *distance-watershed* and *intensity-watershed* share one network, which learns particle or not. The other
networks learn the same way, but with a head, for as many steps of as many windows; *maskrcnn* is the preset of that
name, which learns for 300 steps and takes longer for them. How long everything took is told. A run that was
stopped goes on from OUT, and the table is of all that is there.
"""

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
import tifffile
from PIL import Image as Pictures

FOLDS = 3
PARTS = {"mira": 3, "sem-fibres": 1}
"""In how many parts settings are chosen; 1 is a fifth that nothing learns from. Mask R-CNN takes too long for more."""
THRESHOLDS = (0.3, 0.5, 0.7)
SMALLEST = (0, 1, 5, 10, 20)
"""Per cent of the learnt particles that the least size leaves out."""
SURE = (0.0, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Mean probability over a particle."""
SHRINK = {"mira": 4, "sem-fibres": 2}
STEPS = {"mira": 1200, "sem-fibres": 600}
"""Of training; half as many for Mask R-CNN, and 300 at most."""
CHANGES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {"mira": (("negative", {"share": 0.5}),)}
"""Augmentations beside those of the preset: beads shine in dark field and are shadows in bright field."""
WINDOWS = {"mira": {"patches.size": 512}}
"""Of Mask R-CNN, whose windows must show whole beads and what lies around."""
HEADS = ("boundary", "distance", "affinities")
SHARED = ("components", "distance-watershed", "intensity-watershed")
SPLITTING: dict[str, tuple[dict[str, Any], ...]] = {
    "components": ({},),
    "distance-watershed": tuple({"prominence": height} for height in (0.75, 1.5, 3.0, 6.0)),
    "intensity-watershed": tuple({"prominence": height, "smoothing": 2.0} for height in (0.05, 0.1, 0.2, 0.4)),
}
WAYS = (*SHARED, *HEADS, "maskrcnn")
PRESETS = {"maskrcnn": "maskrcnn-light"}
COLUMNS = ("folds", "networks", "F1", "precision", "recall", "steps", "s", "s/Mpx")
TITLES = {
    "components": "particle or not, connected pixels",
    "distance-watershed": "particle or not, watershed on distances",
    "intensity-watershed": "particle or not, watershed on the probability",
    "boundary": "head `boundary`",
    "distance": "head `distance`",
    "affinities": "head `affinities`",
    "maskrcnn": "Mask R-CNN (`maskrcnn-light`)",
}


@dataclass(frozen=True)
class Sample:
    """A labelled image and what it must stay together with."""

    name: str
    group: str
    image: np.ndarray
    labels: np.ndarray

    @property
    def count(self) -> int:
        """Particles."""
        return len(np.unique(self.labels[self.labels > 0]))


def mira(data: Path) -> Iterator[Sample]:
    """Give the micrographs; a sample is all before the magnification in the name."""
    for path in sorted((data / "mira" / "images").iterdir()):
        labels = tifffile.imread(data / "mira" / "labels" / f"{path.stem}.tif")
        yield Sample(path.stem, path.stem.split("_X100")[0], np.asarray(Pictures.open(path).convert("RGB")), labels)


def sem_fibres(data: Path) -> Iterator[Sample]:
    """Give the images of both folders, which share frames; a frame is what stands before the dash."""
    for path in sorted((data / "sem-fibres").glob("*/images/*")):
        labels = tifffile.imread(path.parents[1] / "labels" / f"{path.stem}.tif")
        pixels = np.asarray(Pictures.open(path).convert("L"))[..., None]
        yield Sample(path.stem, path.stem.split("-")[0], pixels, labels)


SETS: dict[str, Callable[[Path], Iterator[Sample]]] = {"mira": mira, "sem-fibres": sem_fibres}


@dataclass(frozen=True)
class Round:
    """A training: what is learnt from, what settings are chosen on, and the folder for it."""

    learning: list[Sample]
    choosing: list[Sample]
    place: Path


def held_out(samples: Sequence[Sample], fold: int) -> tuple[list[Sample], list[Sample]]:
    """Return what is known to a fold, and what is held out."""
    from napari_mpseg.training.patches.splits import fold_splits

    part = fold_splits([s.count for s in samples], FOLDS, 0.2, 0, [s.group for s in samples])[fold]
    return [samples[at] for at in (*part.train, *part.validation)], [samples[at] for at in part.test]


def rounds_of(samples: Sequence[Sample], fold: int, parts: int, place: Path) -> list[Round]:
    """Return the trainings of a fold; the last is that of the network that is scored."""
    from napari_mpseg.training.patches.splits import fold_splits

    if parts == 1:
        part = fold_splits([s.count for s in samples], FOLDS, 0.2, 0, [s.group for s in samples])[fold]
        return [Round([samples[at] for at in part.train], [samples[at] for at in part.validation], place)]
    known, _ = held_out(samples, fold)
    divided = fold_splits([s.count for s in known], parts, 0.0, 0, [s.group for s in known])
    inner = [
        Round([known[at] for at in part.train], [known[at] for at in part.test], place / f"part-{number}")
        for number, part in enumerate(divided)
    ]
    return [*inner, Round(known, [], place)]


def recipe(way: str, data_set: str) -> Any:
    """Return the preset of a way: all networks with heads and without learn by the same one."""
    from napari_mpseg.training.presets import PRESETS as REGISTERED
    from napari_mpseg.training.settings import Augmentation

    endless = {"epochs": 100_000, "validation": 0.0}
    if way in PRESETS:
        return REGISTERED[PRESETS[way]].changed(**endless, **WINDOWS.get(data_set, {}))
    preset = REGISTERED["touching"]
    more = tuple(Augmentation(name, options) for name, options in CHANGES.get(data_set, ()))
    head = way if way in HEADS else "mask"
    return preset.changed(
        **endless, head=head, shrink=SHRINK[data_set], augmentation=(*preset.settings.augmentation, *more)
    )


def trained(way: str, data_set: str, samples: Sequence[Sample], steps: int, place: Path) -> tuple[Path, dict]:
    """Train for so many steps, going on where a run was stopped; return the model's folder and what it took."""
    import napari_mpseg as mp
    from napari_mpseg.progress import CancelToken
    from napari_mpseg.training.data.pairs import LabelledImage

    model, clock = place / "model", place / "spent.json"
    place.mkdir(parents=True, exist_ok=True)
    if model.exists():
        return model, json.loads(clock.read_text())
    before = json.loads(clock.read_text()) if clock.exists() else {"seconds": 0.0, "steps": 0}
    began, enough = time.process_time(), CancelToken()
    spent = dict(before)

    def watch(event: Any) -> None:
        spent.update(seconds=before["seconds"] + time.process_time() - began, steps=event.step, loss=event.loss)
        if event.ended:
            clock.write_text(json.dumps(spent))
        if event.step >= steps:
            enough.cancel()

    pairs = [LabelledImage(s.name, s.image, s.labels > 0, instances=s.labels) for s in samples]
    made = mp.train(
        pairs, recipe(way, data_set), name=way, checkpoint=place / "checkpoint", on_event=watch, control=enough
    )
    made.save(model, overwrite=True)
    clock.write_text(json.dumps(spent))
    return model, spent


def steps_of(way: str, data_set: str, steps: int | None) -> int:
    """Return for how many steps a way learns."""
    steps = STEPS[data_set] if steps is None else steps
    return min(300, steps // 2) if way in PRESETS else steps


def instances_of(model: Path, sample: Sample, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probability of one image."""
    import napari_mpseg as mp

    image = sample.image if sample.image.shape[2] > 1 else sample.image[..., 0]
    result = mp.segment(image, model, threshold=threshold, min_size=0, measure=False, device="cpu")
    return np.asarray(result.labels[...]), np.asarray(result.probability[...], np.float32) / np.float32(255)


def split(probability: np.ndarray, way: str, threshold: float, options: dict[str, Any]) -> np.ndarray:
    """Return the instances that a way of splitting makes of a probability."""
    from napari_mpseg.particles.instances import InstanceSettings, make_instances

    return make_instances(probability, InstanceSettings(threshold=threshold, way=way, options=options))


@dataclass(frozen=True)
class Found:
    """Everything that was found on some images: areas, mean probabilities, and which match a true particle."""

    areas: np.ndarray
    means: np.ndarray
    matched: np.ndarray
    true: int

    def counts(self, least: float, sure: float) -> tuple[int, int, int]:
        """Return particles matched, true and found, of those of at least such an area and mean probability."""
        good = (self.areas >= least) & (self.means >= sure)
        return int(self.matched[good].sum()), self.true, int(good.sum())


def compared(found: Sequence[tuple[np.ndarray, np.ndarray]], samples: Sequence[Sample]) -> Found:
    """Return what is to be known of labels and probabilities; above a half, what one matches concerns no other."""
    parts = []
    for (labels, probability), sample in zip(found, samples, strict=True):
        true, one = np.unique(sample.labels, return_inverse=True)
        seen, other = np.unique(labels, return_inverse=True)
        common = np.bincount(one.ravel() * len(seen) + other.ravel(), minlength=len(true) * len(seen))
        common = common.reshape(len(true), len(seen)).astype(np.int64)
        areas = common.sum(0)
        matched = (2 * common > common.sum(1)[:, None] + areas - common)[true != 0].any(0)
        means = np.bincount(other.ravel(), probability.ravel()) / np.maximum(areas, 1)
        parts.append([values[seen != 0] for values in (areas, means, matched)])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Found(*columns, true=sum(sample.count for sample in samples))


def f1_of(counts: tuple[int, int, int]) -> float:
    """Return the F1 of particles matched, true and found."""
    hits, true, predicted = counts
    return round(2 * hits / max(1, true + predicted), 4)


@dataclass(frozen=True)
class Choice:
    """What was chosen on the images for it."""

    threshold: float = 0.5
    least: float = 0.0
    sure: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    f1: float = -1.0


def sizes_of(samples: Sequence[Sample]) -> list[float]:
    """Return the least sizes to choose from, in pixels."""
    areas = np.concatenate([np.bincount(s.labels.ravel())[1:] for s in samples])
    return [round(float(np.percentile(areas[areas > 0], share)), 1) if share else 0.0 for share in SMALLEST]


def chosen(way: str, rounds: Sequence[tuple[Path, Sequence[Sample]]], sizes: Sequence[float]) -> Choice:
    """Return threshold, least size, least confidence and options of highest F1; of equal ones the first.

    Parameters
    ----------
    way : str
    rounds : sequence of (Path, sequence of Sample)
        Models, and the images that each of them is asked about.
    sizes : sequence of float
        Least sizes in pixels.
    """
    best, seen = Choice(), []
    samples = [sample for _, own in rounds for sample in own]
    for threshold in THRESHOLDS:
        if way not in SHARED or not seen:  # a probability is the same at any threshold
            seen = [instances_of(model, s, threshold) for model, own in rounds for s in own]
        for options in SPLITTING.get(way, ({},)):
            found = [(split(p, way, threshold, options) if way in SHARED else labels, p) for labels, p in seen]
            everything = compared(found, samples)
            for least, sure in itertools.product(sizes, SURE):
                f1 = f1_of(everything.counts(least, sure))
                if f1 > best.f1:
                    best = Choice(threshold, least, sure, options, f1)
    return best


def run(way: str, data_set: str, fold: int, samples: Sequence[Sample], options: argparse.Namespace) -> dict[str, Any]:
    """Train, choose, and score one way on one fold."""
    shared = "mask" if way in SHARED else way
    place = options.out / data_set / f"fold-{fold}" / shared
    rounds = rounds_of(samples, fold, 1 if way in PRESETS else PARTS[data_set], place)
    learnt = [trained(way, data_set, one.learning, steps_of(way, data_set, options.steps), one.place) for one in rounds]
    asked = [(model, one.choosing) for (model, _), one in zip(learnt, rounds, strict=True)]
    choice = chosen(way, asked, sizes_of(rounds[-1].learning))
    _, held = held_out(samples, fold)
    began = time.process_time()
    counts = [found_by(model, way, choice, held) for model, _ in learnt]
    took = time.process_time() - began
    hits, true, predicted = (sum(column) for column in zip(*counts, strict=True))
    pixels = sum(s.labels.size for s in held) / 1e6 * len(learnt)
    images = {"learnt": len(rounds[-1].learning), "chose": sum(len(r.choosing) for r in rounds), "held": len(held)}
    spent = learnt[-1][1]
    return {
        "set": data_set,
        "way": way,
        "fold": fold,
        "matched": hits,
        "true": true,
        "found": predicted,
        "f1": f1_of((hits, true, predicted)),
        "networks": [f1_of(one) for one in counts],
        "steps": spent["steps"],
        "training_seconds": round(spent["seconds"], 1),
        "seconds_per_megapixel": round(took / pixels, 2),
        "chosen": asdict(choice),
        "images": images,
    }


def found_by(model: Path, way: str, choice: Choice, samples: Sequence[Sample]) -> tuple[int, int, int]:
    """Return particles matched, true and found by one network."""
    found = []
    for sample in samples:
        labels, probability = instances_of(model, sample, choice.threshold)
        labels = split(probability, way, choice.threshold, choice.options) if way in SHARED else labels
        found.append((labels, probability))
    return compared(found, samples).counts(choice.least, choice.sure)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return Markdown tables: a line per way, for each set the scores over all folds done, and those by fold."""
    sets = [name for name in SETS if any(row["set"] == name for row in rows)]
    head = ["way", *(f"{name}: {what}" for name in sets for what in COLUMNS)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for way in WAYS:
        cells = [TITLES[way]]
        for name in sets:
            own = [row for row in rows if row["set"] == name and row["way"] == way]
            if not own:
                cells += [""] * len(COLUMNS)
                continue
            hits, true, found = (sum(row[key] for row in own) for key in ("matched", "true", "found"))
            steps, seconds, speed = (
                np.mean([row[key] for row in own]) for key in ("steps", "training_seconds", "seconds_per_megapixel")
            )
            scores = (2 * hits / max(1, true + found), hits / max(1, found), hits / max(1, true))
            told = [f"{value:.3f}" for value in scores]
            networks = sum(len(row["networks"]) for row in own)
            cells += [str(len(own)), str(networks), *told, f"{steps:.0f}", f"{seconds:.0f}", f"{speed:.2f}"]
        if any(cells[1:]):
            lines.append("| " + " | ".join(cells) + " |")
    said = f"Held out: {told_folds(rows, sets)}. Steps and seconds of training, on one thread, are the mean over folds."
    held = {(row["set"], row["fold"], row["way"]): with_range(row["f1"], row["networks"]) for row in rows}
    chose = {(row["set"], row["fold"], row["way"]): f"{row['chosen']['f1']:.3f}" for row in rows}
    parts = ["F1 by the fold held out, and of the single networks from least to highest:", by_fold(held, sets)]
    parts += ["F1 on what its settings were chosen on, which its network had not seen either:", by_fold(chose, sets)]
    return "\n\n".join(["\n".join(lines), said, *parts])


def told_folds(rows: Sequence[dict[str, Any]], sets: Sequence[str]) -> str:
    """Return how many folds of each set were held out, and how many particles lie on them."""
    true = {
        name: {row["fold"]: row["true"] // len(row["networks"]) for row in rows if row["set"] == name} for name in sets
    }
    return "; ".join(f"{name}: {len(of)} of {FOLDS} folds, {sum(of.values())} particles" for name, of in true.items())


def with_range(f1: float, networks: Sequence[float]) -> str:
    """Return an F1, and where there are several networks, the lowest and highest of one."""
    return f"{f1:.3f}" if len(networks) == 1 else f"{f1:.3f} ({min(networks):.2f} to {max(networks):.2f})"


def by_fold(seen: dict[tuple[str, int, str], str], sets: Sequence[str]) -> str:
    """Return a Markdown table of what is told of each way on each fold."""
    columns = [(name, fold) for name in sets for fold in range(FOLDS) if any(key[:2] == (name, fold) for key in seen)]
    head = ["way", *(f"{name}, fold {fold + 1}" for name, fold in columns)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for way in WAYS:
        cells = [seen.get((*column, way), "") for column in columns]
        if any(cells):
            lines.append("| " + " | ".join([TITLES[way], *cells]) + " |")
    return "\n".join(lines)


def write(rows: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    """Write the table as Markdown and JSON, and into the page."""
    from napari_mpseg.marked_page import with_tables

    (options.out / "instances.json").write_text(json.dumps(list(rows), indent=2) + "\n")
    (options.out / "instances.md").write_text(table(rows) + "\n")
    if options.page is not None:
        page = with_tables(options.page.read_text(encoding="utf-8"), {"instances": lambda: table(rows)})
        options.page.write_text(page, encoding="utf-8")


def main() -> None:
    """Run what is not there yet, and write the table after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, help=f"of training, instead of {STEPS}")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--folds", type=int, default=1, help=f"how many of the {FOLDS}")
    parser.add_argument("--out", type=Path, default=Path("instances"), help="folder for models and results")
    parser.add_argument("--page", type=Path, help="Markdown page with the marks <!-- instances -->")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for fold in range(options.folds):
        for data_set in options.sets:
            samples = list(SETS[data_set](options.data))
            for way in options.ways:
                file = options.out / data_set / f"fold-{fold}" / f"{way}.json"
                if not file.exists():
                    row = run(way, data_set, fold, samples, options)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(json.dumps(row) + "\n")
                    print(json.dumps(row), flush=True)
                write([json.loads(path.read_text()) for path in sorted(options.out.glob("*/fold-*/*.json"))], options)


if __name__ == "__main__":
    main()
