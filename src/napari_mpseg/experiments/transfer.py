"""Whether learning from made images first helps on real ones: the same training with and without, fold by fold.

Every arm learns from the same real patches with the same settings, seeds and draws, and is tested on the fold that was
held out. Arms differ in what comes before: nothing, synthetic images, or semi-synthetic ones cut out of the training
patches alone; and, so that time on the machine is not mistaken for a gain, real patches alone for as many steps as both
stages together.

References
----------
Lee et al. 2022, section on transfer learning.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.errors import SettingsError, StoreError
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.held_out import fold_evidence
from napari_mpseg.experiments.stored_models import Record, stored_model, write_text
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.registry import Registry
from napari_mpseg.settings import to_dict
from napari_mpseg.training.data.fingerprints import fingerprints
from napari_mpseg.training.presets import PRESETS

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.training.crossval import Fold
    from napari_mpseg.training.data.pairs import LabelledImage
    from napari_mpseg.training.preset import Preset

EPOCH = 20  # steps; a run that was killed goes on from the last of them
LEAST_PIXELS = 3
SETS = {"all": "all patches of the other folds", "few": "a few patches of the other folds"}


@dataclass(frozen=True)
class Arm:
    """One way of training.

    Attributes
    ----------
    name, title : str
    before : str
        What is learnt from first, as :attr:`~napari_mpseg.training.earlier.EarlierStage.images`; empty for nothing.
    longer : bool
        Whether the real stage takes as many steps as both stages of others.
    """

    name: str
    title: str
    before: str = ""
    longer: bool = False


ARMS: Registry[Arm] = Registry("arm")
BASE = "real"
for _arm in (
    Arm(BASE, "real patches alone"),
    Arm("real-longer", "real patches alone, as many steps as both stages", longer=True),
    Arm("synthetic", "synthetic first, then real", "synthetic"),
    Arm("semi", "semi-synthetic first, then real", "semi"),
):
    ARMS.add(_arm.name, _arm)


@dataclass(frozen=True)
class TransferSettings:
    """How the experiment is done.

    Attributes
    ----------
    repeats : int
        Times that all of it is done, each with another seed.
    steps, steps_before : int
        On real patches, and on made images before.
    made : int
        Images that are made.
    few : int
        Patches in the set ``"few"``, drawn from those that hold a particle of 3 px or more; the same for all arms.
    sets, arms : tuple of str
        What is done of it.
    network : str
    size, batch : int
        Of the crops, in pixels, and how many in a step.
    seed : int
        Of the first repeat; the others count on.
    """

    repeats: int = 3
    steps: int = 160
    steps_before: int = 200
    made: int = 48
    few: int = 4
    sets: tuple[str, ...] = tuple(SETS)
    arms: tuple[str, ...] = tuple(ARMS)
    network: str = "half-multiresunet"
    size: int = 64
    batch: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("repeats", "steps", "steps_before", "made", "few", "size", "batch"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} = {getattr(self, name)} is impossible: give 1 or more.")
        for name in self.arms:
            ARMS[name]
        unknown = [name for name in self.sets if name not in SETS]
        if unknown or not self.sets:
            raise SettingsError(f"sets = {', '.join(self.sets)!r} is impossible: give some of {', '.join(SETS)}.")
        if BASE not in self.arms:
            raise SettingsError(f"The arm {BASE!r} is what all others are compared with: it must be among them.")


@dataclass(frozen=True)
class Case:
    """One training with its test."""

    set: str
    repeat: int
    fold: int
    arm: str

    @property
    def place(self) -> Path:
        """Where its outcome is kept, in the folder of results."""
        return Path(self.set) / f"repeat-{self.repeat}" / f"without-{self.fold}" / f"{self.arm}.json"


@dataclass(frozen=True)
class Tested:
    """What came of a case.

    Attributes
    ----------
    case : Case
    evidence : sequence of Evidence
        One for each patch of the fold that was held out.
    seconds : float
        That training took, without what was taken from an earlier case or run.
    learnt_from : sequence of str
        Names of the real patches.
    """

    case: Case
    evidence: Sequence[Evidence]
    seconds: float
    learnt_from: Sequence[str] = field(default_factory=tuple)


def cases_of(settings: TransferSettings, folds: int) -> list[Case]:
    """Return all cases, so ordered that what was done first is of use by itself."""
    return [
        Case(which, repeat, fold, arm)
        for repeat in range(settings.repeats)
        for which in settings.sets
        for fold in range(folds)
        for arm in settings.arms
    ]


def recipe(arm: Arm, settings: TransferSettings, repeat: int) -> "Preset":
    """Return how an arm is trained: the recipe of the bundled network, smaller, and the same for all arms."""
    steps = settings.steps + (settings.steps_before if arm.longer else 0)
    preset = PRESETS["nile-red"].changed(
        network=settings.network,
        batch=settings.batch,
        seed=settings.seed + repeat,
        average=0.98,
        threshold=0.5,
        **_duration(steps, settings.batch),
        **{"patches.size": settings.size, "patches.synthetic_share": 0.0},
    )
    if not arm.before:
        return preset
    before = {f"before.{key}": value for key, value in _duration(settings.steps_before, settings.batch).items()}
    return preset.changed(before=arm.before, **{"before.count": settings.made}, **before)


def _duration(steps: int, batch: int) -> dict[str, int]:
    """Return settings for so many steps, rounded up to whole epochs."""
    epoch = min(EPOCH, steps)
    return {"epochs": -(-steps // epoch), "patches.per_epoch": epoch * batch}


def patches_of(case: Case, folds: "Sequence[Fold]", settings: TransferSettings) -> "list[LabelledImage]":
    """Return the real patches that a case learns from: never of the fold it is tested on; the same for all arms."""
    others = [patch for number, fold in enumerate(folds) if number != case.fold for patch in fold.patches]
    if case.set != "few":
        return others
    worth_it = [patch for patch in others if int(patch.mask.sum()) >= LEAST_PIXELS]
    if len(worth_it) < settings.few:
        raise SettingsError(
            f"few = {settings.few}: only {len(worth_it)} patches hold a particle. Give a smaller number."
        )
    rng = np.random.default_rng([settings.seed + case.repeat, case.fold])
    return [worth_it[number] for number in sorted(rng.permutation(len(worth_it))[: settings.few])]


def run_transfer(
    folds: "Sequence[Fold]",
    settings: TransferSettings,
    out: Path,
    *,
    device: str = "auto",
    on_case: Callable[[Tested], None] = lambda tested: None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> list[Tested]:
    """Do what is not done yet, and return all of it.

    Parameters
    ----------
    folds : sequence of Fold
    settings : TransferSettings
    out : Path
        Folder of the results. Killed or stopped, the same call goes on there, in the middle of a training if need be.
    device : str
    on_case : callable
        Gets every outcome that is new.

    Raises
    ------
    SettingsError
        If `out` holds results of other settings or images.
    Cancelled
    """
    cancel = cancel or CancelToken()
    _record(out, settings, folds).check_and_keep()
    found, cases = [], cases_of(settings, len(folds))
    for done, case in enumerate(cases):
        cancel.check()
        on_progress(Progress("Training with and without made images", done, len(cases), "trainings"))
        tested = _read(out / case.place, case)
        if tested is None:
            tested = _tested(case, folds, settings, out, device, cancel)
            _write(out / case.place, tested)
            on_case(tested)
        found.append(tested)
    on_progress(Progress("Training with and without made images", len(cases), len(cases), "trainings"))
    return found


def read_transfer(settings: TransferSettings, folds: int, out: Path) -> list[Tested]:
    """Return what is done of the experiment so far."""
    found = (_read(out / case.place, case) for case in cases_of(settings, folds))
    return [tested for tested in found if tested is not None]


def _record(out: Path, settings: TransferSettings, folds: "Sequence[Fold]") -> Record:
    plain = {key: value for key, value in to_dict(settings).items() if key not in ("repeats", "sets", "arms")}
    prints = {fold.name: fingerprints(fold.patches) for fold in folds}
    return Record(out / "experiment.json", {"settings": plain, "folds": prints}, f"The results in {out} are of others")


def _tested(
    case: Case, folds: "Sequence[Fold]", settings: TransferSettings, out: Path, device: str, cancel: CancelToken
) -> Tested:
    from napari_mpseg.leftovers import remove
    from napari_mpseg.training.crossval import HeldOut, predict_plainly

    patches, checkpoint = patches_of(case, folds, settings), (out / case.place).with_suffix(".training")
    began = time.monotonic()
    model = _trained(case, patches, settings, out, checkpoint, device, cancel)
    seconds = time.monotonic() - began
    fold = folds[case.fold]
    evidence = fold_evidence(HeldOut(fold, model, predict_plainly(model, fold.patches)), min_size=LEAST_PIXELS)
    remove(checkpoint)
    return Tested(case, evidence, seconds, tuple(patch.name for patch in patches))


def _trained(
    case: Case,
    patches: "Sequence[LabelledImage]",
    settings: TransferSettings,
    out: Path,
    checkpoint: Path,
    device: str,
    cancel: CancelToken,
) -> "Model":
    from napari_mpseg.training.train import prepare_training

    arm, start = ARMS[case.arm], None
    preset = recipe(arm, settings, case.repeat)
    if arm.before == "synthetic":
        # made from nothing, and so the same for all folds: learnt once for each repeat, with the weights that both
        # stages in one run would have had
        place = out / "first" / f"{arm.name}-{case.repeat}"
        start = _first(preset, place, int(patches[0].image.shape[2]), device, cancel)
        preset = preset.changed(before=None)
    session = prepare_training(patches, preset, start=start, device=device, checkpoint=checkpoint, cancel=cancel)
    model = session.run(control=cancel)
    cancel.check()
    return model


def _first(preset: "Preset", place: Path, channels: int, device: str, cancel: CancelToken) -> "Model":
    """Return the model of an earlier stage that needs no labelled images."""
    from napari_mpseg.networks.device import choose_device
    from napari_mpseg.training.made_images import Wanted, made_images
    from napari_mpseg.training.session import prepare_session

    before, settings = preset.before, preset.settings_before()
    if before is None:
        raise SettingsError(f"The preset {preset.name!r} has no earlier stage.")

    def prepare(checkpoint: Path) -> Any:
        wanted = Wanted(before.count, settings.seed, channels, options=before.options, cancel=cancel)
        made = made_images(before, wanted).images
        return prepare_session(made, settings, name=place.name, device=choose_device(device), checkpoint=checkpoint)

    return stored_model(place, prepare, on_progress=silent, cancel=cancel)


def _write(place: Path, tested: Tested) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    evidence = [one.to_dict() for one in tested.evidence]
    plain = {"seconds": tested.seconds, "learnt_from": list(tested.learnt_from), "evidence": evidence}
    write_text(place, json.dumps(plain))


def _read(place: Path, case: Case) -> Tested | None:
    if not place.exists():
        return None
    try:
        plain = json.loads(place.read_text(encoding="utf-8"))
        evidence = [Evidence.from_dict(one) for one in plain["evidence"]]
        return Tested(case, evidence, plain["seconds"], tuple(plain["learnt_from"]))
    except (OSError, ValueError, KeyError, TypeError, SettingsError) as error:
        raise StoreError(f"{place} cannot be read: {error}. Delete it, and it will be made again.") from error
