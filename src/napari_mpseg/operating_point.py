"""The threshold of a model, chosen on labelled images by a stated aim, and kept in its card."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import ModelError, SettingsError
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

if TYPE_CHECKING:
    from napari_mpseg.evaluation.operating_points import OperatingPoint, ThresholdCase
    from napari_mpseg.methods.protocol import Method
    from napari_mpseg.results.result import Result
    from napari_mpseg.training.data.seen import Sight

_AROUND = (0.02, 0.05, 0.1, 0.2)  # how far from the choice other thresholds are told
BUNDLED = "default"
COUNTING = ("count-bias-zero",)
"""Aims for which particles are counted; all others look at pixels."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A threshold with all it rests on.

    Attributes
    ----------
    point : OperatingPoint
        What was chosen, and what it leads to.
    before : float
        The threshold that the model had.
    cases : tuple of ThresholdCase
        One per image.
    prints : tuple of mapping
        Their names, shapes and digests.
    sights : mapping of str to Sight
        The images that the model has seen, what for, and how that is known.
    told : bool
        Whether the model's card lists what it has learnt from; if not, `sights` may lack images.
    min_size, connectivity : int
        How particles were counted.
    counted : bool
        Whether the cases' counts at every threshold mean something. They do not where the model tells touching
        particles apart: each threshold would need a decoding of its own.
    """

    point: "OperatingPoint"
    before: float
    cases: "tuple[ThresholdCase, ...]"
    prints: tuple[Mapping[str, Any], ...]
    sights: "Mapping[str, Sight]"
    told: bool
    min_size: int = 3
    connectivity: int = 2
    counted: bool = True

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images."""
        return tuple(str(one["name"]) for one in self.prints)

    @property
    def seen(self) -> dict[str, str]:
        """The images that the model has learnt from, and what tells so."""
        return {name: sight.text for name, sight in self.sights.items() if sight.learnt}

    @property
    def selected(self) -> dict[str, str]:
        """The images on which the model was selected, or an earlier threshold chosen, and what tells so."""
        return {name: sight.text for name, sight in self.sights.items() if not sight.learnt}

    def rows(self) -> list[dict[str, Any]]:
        """Return what thresholds around the choice lead to, lowest first: numbers by name.

        Keys are threshold, precision, recall and f1 (of pixels, all images together), particles and true_particles
        (over all images), and note (``"chosen"``, ``"before"``). Without particles where they are not `counted`.
        """
        from napari_mpseg.evaluation.levels import LEVELS, threshold_of
        from napari_mpseg.inference.segmentation import MaskSettings

        notes = {self.point.level: "chosen"}
        old = MaskSettings(self.before).lowest
        notes[old] = "chosen, as before" if old == self.point.level else "before"
        for far in _AROUND:
            for level in (self.point.level - round(far * LEVELS), self.point.level + round(far * LEVELS)):
                if 1 <= level <= LEVELS:
                    notes.setdefault(level, "")
        curves, true = self.point.curves, sum(case.n_truth for case in self.cases)
        rows = [
            {
                "threshold": self.before if note == "before" else threshold_of(level),
                "precision": float(curves.precision[level]),
                "recall": float(curves.recall[level]),
                "f1": float(curves.f1[level]),
                "particles": int(sum(case.counts[level] for case in self.cases)),
                "true_particles": int(true),
                "note": note,
            }
            for level, note in sorted(notes.items())
        ]
        if not self.counted:
            for row in rows:
                del row["particles"]
        return rows

    def record(self) -> dict[str, Any]:
        """Return how it was chosen, for the model's card."""
        point = self.point.to_dict()
        if not self.counted:
            del point["count_bias"]
        return {
            **point,
            "chosen_on": [dict(one) for one in self.prints],
            "learnt_from": list(self.seen),
            "min_size": self.min_size,
            "connectivity": self.connectivity,
        }


def choose_operating_point(
    model: "str | os.PathLike[str] | Method",
    data: Any,
    aim: str = "best-f1",
    value: float | None = None,
    *,
    particle_value: int | None = None,
    min_size: int = 3,
    connectivity: int = 2,
    options: Mapping[str, Any] | None = None,
    device: str = "auto",
    cache: str | os.PathLike[str] | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Choice:
    """Choose the threshold of a model on labelled images that it has not learnt from.

    Every image is segmented as :func:`napari_mpseg.pipeline.segment` does it, so the threshold is right for just that.
    For a Mask R-CNN, particles are those that it finds with a score above the threshold. Networks whose head tells
    touching particles apart are judged by their pixels alone.

    Parameters
    ----------
    model : str, path or Method
        A model folder, a forest's folder, or the name of a method that gives probabilities.
    data : path-like or sequence of tuple
        A folder of images with their truth in ``labels``, or with ``fold_*`` folders of that form; or pairs
        ``(image, truth)`` of anything that can be opened.
    aim : str
        Name in :data:`~napari_mpseg.evaluation.operating_points.AIMS`.
    value : float, optional
        What the aim demands, such as the recall of ``"recall-at-least"``.
    particle_value : int, optional
        The value in the truth that means particle; default everything but 0.
    min_size, connectivity : int
        As in segmentation.
    options, device, cache
        Of the method; as in segmentation.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    Choice

    Raises
    ------
    SettingsError
        If the method gives no probabilities, no image has a particle, the aim makes no sense, or it counts particles
        and the model has a head that tells them apart.
    ImageError
        If images or truth cannot be used.
    ModelError
        If the model cannot be read.

    Examples
    --------
    >>> choice = choose_operating_point("my-model", "validation", "recall-at-least", 0.95)  # doctest: +SKIP
    >>> store_threshold("my-model", choice.point.threshold, choice.record())  # doctest: +SKIP
    """
    from napari_mpseg.comparison.pictures import pictures_of
    from napari_mpseg.evaluation.operating_points import AIMS, choose_threshold
    from napari_mpseg.methods.seen import seen_by
    from napari_mpseg.pipeline import segment

    AIMS[aim].checked(value)  # before any work
    method, cancel = _built(model, options, device), cancel or CancelToken()
    drops = bool(getattr(method, "threshold_drops_particles", False))
    if not drops:
        check_counting(aim, getattr(getattr(method, "head", None), "channels", 1) > 1)
    pictures = pictures_of(data, particle_value=particle_value)
    cases, counted = [], True
    for number, picture in enumerate(pictures):
        cancel.check()
        result = segment(
            picture.opened,
            method,
            threshold=0.0 if drops else None,
            min_size=min_size,
            connectivity=connectivity,
            measure=False,
            cache=cache,
            on_progress=_within(on_progress, number, len(pictures)),
            cancel=cancel,
        )
        if not drops:
            check_counting(aim, result.told_apart)
            counted = counted and not result.told_apart
        cases.append(_case(result, picture.labels(), drops, min_size, connectivity, cancel))
    if not any(case.levels[1].any() for case in cases):
        raise SettingsError(
            "No pixel of the truth is particle, so no threshold can be chosen. Give images with particles, and "
            "--particle-value (particle_value) where 0 means particle."
        )
    point = choose_threshold(cases, aim, value)
    known = seen_by(model)
    sights = {picture.name: known.sight_of(picture.fingerprint) for picture in pictures}
    return Choice(
        point,
        method.default_threshold,
        tuple(cases),
        tuple(picture.fingerprint.to_dict() for picture in pictures),
        {name: sight for name, sight in sights.items() if sight is not None},
        known.told,
        min_size,
        connectivity,
        counted,
    )


def check_counting(aim: str, told_apart: bool) -> None:
    """Refuse to count connected pixels where a method tells touching particles apart.

    Raises
    ------
    SettingsError
        If the aim is one of :data:`COUNTING` and `told_apart`.
    """
    if told_apart and aim in COUNTING:
        raise SettingsError(
            f"The aim {aim} counts particles at every threshold, and this model tells touching particles apart: above "
            "a threshold they are joined again. Choose by pixels, such as best-f1 or equal-area; or "
            "segment at a few thresholds and compare the counts."
        )


def _case(
    result: "Result", truth: Any, drops: bool, min_size: int, connectivity: int, cancel: CancelToken
) -> "ThresholdCase":
    from napari_mpseg.evaluation.operating_points import threshold_case
    from napari_mpseg.evaluation.score_counts import counts_by_score

    case = threshold_case(result.probability, truth, min_size=min_size, connectivity=connectivity, cancel=cancel)
    return replace(case, counts=counts_by_score(result.labels, result.probability)) if drops else case


def store_threshold(
    model: str | os.PathLike[str],
    threshold: float,
    record: Mapping[str, Any],
    *,
    out: str | os.PathLike[str] | None = None,
) -> Path:
    """Write a threshold into the card of a network or a forest; weights and trees stay as they are.

    Parameters
    ----------
    model : str or path
        Model folder or forest's folder; ``"default"`` is the bundled network, which needs `out`.
    threshold : float
        Probability above which pixels are particle, 0 or more and below 1.
    record : mapping
        How it was chosen, such as :meth:`Choice.record`; kept under ``scores["operating_point"]``.
    out : path-like, optional
        Store it in a copy of the model at this place instead.

    Returns
    -------
    Path
        The folder that has the new threshold.

    Raises
    ------
    ModelError
        If it is no model, or the bundled one without `out`.
    SettingsError
        If the threshold is impossible.
    StoreError
        If it cannot be written, or something is at `out` already.
    """
    folder = model_folder(model)
    store = next((_STORES[mark] for mark in _STORES if (folder / mark).is_file()), None)
    if store is None:
        raise ModelError(f"{model} has no card that could keep a threshold. Give the folder of a model or a forest.")
    return store(folder, threshold, record, out=out)


def model_folder(model: str | os.PathLike[str]) -> Path:
    """Return the folder of a model; that of the bundled network for ``"default"``."""
    if os.fspath(model) != BUNDLED:
        return Path(model)
    from importlib import resources

    from napari_mpseg.networks.bundled import BUNDLED as NAME

    return Path(str(resources.files("napari_mpseg") / "models" / NAME))


def _built(model: Any, options: Mapping[str, Any] | None, device: str) -> "Method":
    from napari_mpseg.methods.options import checked_options
    from napari_mpseg.methods.registry import MethodEntry, resolve_method

    entry = resolve_method(model)
    if not isinstance(entry, MethodEntry):
        return entry
    if not entry.graded:
        raise SettingsError(
            f"{entry.name} gives no probabilities, so there is no threshold to choose. Take a network or a forest."
        )
    if entry.inputs:
        raise SettingsError(
            f"{entry.name} is made anew for every image. Train a forest for many images with 'napari-mpseg "
            "train-forest', and give its folder."
        )
    return entry.build(device=device, **checked_options(entry, options or {}))


def _within(on_progress: ProgressCallback, number: int, count: int) -> ProgressCallback:
    def report(event: Progress) -> None:
        stage = f"Image {number + 1} of {count}, {event.stage.lower()}"
        on_progress(Progress(stage, event.done, event.total, event.unit))

    return report


def _store_network(folder: Path, threshold: float, record: Mapping[str, Any], *, out: Any = None) -> Path:
    from napari_mpseg.networks.modelfile import with_threshold

    return with_threshold(folder, threshold, record, out=out)


def _store_forest(folder: Path, threshold: float, record: Mapping[str, Any], *, out: Any = None) -> Path:
    from napari_mpseg.files import finished_at
    from napari_mpseg.methods.forest.forest import CARD, load_forest_card
    from napari_mpseg.settings import to_dict

    if not 0 <= threshold < 1:
        raise SettingsError(f"Threshold {threshold} is impossible: give a probability from 0 up to, not including, 1.")
    card = load_forest_card(folder)
    card = replace(card, threshold=float(threshold), scores={**card.scores, "operating_point": dict(record)})
    if out is not None:
        card = replace(card, name=Path(out).name)
    text = json.dumps(to_dict(card), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        with finished_at(folder / CARD) as part:
            part.write_text(text, encoding="utf-8")
        return folder
    with finished_at(out, overwrite=False) as part:
        shutil.copytree(folder, part)
        (part / CARD).write_text(text, encoding="utf-8")
    return Path(out)


def _store_detector(folder: Path, threshold: float, record: Mapping[str, Any], *, out: Any = None) -> Path:
    from napari_mpseg.detection.modelfile import with_threshold

    return with_threshold(folder, threshold, record, out=out)


_STORES: dict[str, Callable[..., Path]] = {
    "card.json": _store_network,
    "forest.json": _store_forest,
    "detector.json": _store_detector,
}
