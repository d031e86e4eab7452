"""A protocol from a data folder to its table, going on where it was."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg._version import __version__
from napari_mpseg.errors import SettingsError
from napari_mpseg.experiments.grouping import keys_of
from napari_mpseg.experiments.operating_point import check_operating_point, finisher
from napari_mpseg.experiments.outcome import Outcome
from napari_mpseg.experiments.predictions import (
    Predictor,
    predict_sample,
    predictor_of_method,
    predictor_of_model,
)
from napari_mpseg.experiments.protocol import Inventory, Protocol, ProtocolSettings
from napari_mpseg.experiments.rounds import Division, Round, check_rounds, split_record
from napari_mpseg.experiments.samples import Sample, find_samples, read_all
from napari_mpseg.experiments.stored_models import VERSION, Record, check_preset, keep_preset, stored_model
from napari_mpseg.experiments.table import ProtocolTable, make_table
from napari_mpseg.images.open import open_image
from napari_mpseg.images.truth_values import check_particle_value, inverted_note, particle_share
from napari_mpseg.methods.seen import seen_by
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.settings import to_dict
from napari_mpseg.training.data.fingerprints import Fingerprint, fingerprints, older_fingerprints
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.seen import NOTHING

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset

SPLIT, MODELS, EVIDENCE, MASKS = "split.json", "models", "evidence", "masks"


@dataclass(frozen=True)
class _Work:
    """What all parts of a run need."""

    out: Path
    samples: Sequence[Sample]
    images: Sequence[LabelledImage]
    prints: Sequence[Fingerprint]
    division: Division
    about: Mapping[str, Any]
    settings: ProtocolSettings
    device: str
    say: Callable[[str], None]
    on_progress: ProgressCallback
    cancel: CancelToken


def run_protocol(
    protocol: Protocol,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    settings: ProtocolSettings | None = None,
    presets: "Sequence[Preset | str] | None" = None,
    methods: Sequence[str] | None = None,
    device: str = "auto",
    say: Callable[[str], None] = lambda text: None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> ProtocolTable:
    """Train, select and test as a paper did, and return its table.

    Everything is kept in `out`: how the images were divided, models and checkpoints, a mask and the evidence of every
    test image, and the table. What is there already is not made again, so a run that was stopped or killed goes on
    where it was, and presets and methods can be added later.

    Parameters
    ----------
    protocol : Protocol
    data : path-like
        Folders ``fold_*`` of images and their ``labels``, or one such folder.
    out : path-like
        Folder of the results.
    settings : ProtocolSettings, optional
        Of the protocol's own kind.
    presets : sequence of Preset or str, optional
        What is trained; default the paper's.
    methods : sequence of str, optional
        What needs no training: registered names, model folders, method files; default the paper's.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    say : callable
        Gets what the user should know, one text each.

    Raises
    ------
    SettingsError
        If `out` holds another run (what differs is named), images cannot be divided, a test image would be seen in
        training, or a name is unknown.
    ImageError
        If images or labels cannot be used.
    Cancelled
    """
    from napari_mpseg.training.presets import find_preset

    settings = settings or protocol.settings()
    if not isinstance(settings, protocol.settings):
        raise SettingsError(f"{protocol.name} needs {protocol.settings.__name__}, not {type(settings).__name__}.")
    chosen = [protocol.recipe(find_preset(one)) for one in (protocol.presets if presets is None else presets)]
    methods = list(dict.fromkeys(protocol.methods if methods is None else methods))
    titles = _titles(chosen, methods)
    cancel = cancel or CancelToken()
    predictors = {name: predictor_of_method(name, device, settings.min_size) for name in methods}
    work = _prepared(protocol, Path(data), Path(out), settings, device, say, on_progress, cancel)
    starts = [*((name, name) for name in methods), *((preset.name, preset.start) for preset in chosen)]
    doubts = [text for name, start in starts for text in _doubts(start, name, work)]
    doubts += filter(None, [inverted_note(particle_share([one.mask for one in work.images]), settings.particle_value)])
    _keep_records(work, chosen)
    for text in doubts:
        say(text)
    outcomes: dict[str, list[Outcome]] = {}
    for name, predictor in predictors.items():  # first, as they are quick
        outcomes[titles[name]] = _method_outcomes(predictor, f"methods/{titles[name]}", work)
    for preset in chosen:
        outcomes[preset.name] = [_trained_outcome(preset, one, work) for one in work.division.rounds]
    table = make_table(protocol, outcomes, [*_facts(work, chosen), *doubts])
    table.save(work.out)
    return table


def _prepared(
    protocol: Protocol,
    data: Path,
    out: Path,
    settings: ProtocolSettings,
    device: str,
    say: Callable[[str], None],
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> _Work:
    """Read the images and divide them; nothing is written."""
    on_progress(Progress("Reading images", 0, 0, "images"))
    samples = find_samples(data, settings.particle_value)
    images = read_all(samples)
    if not any(image.mask.any() for image in images):
        check_particle_value((open_image(sample.truth).data for sample in samples), settings.particle_value)
    prints = [Fingerprint(image.name, image.image) for image in images]
    inventory = Inventory(
        tuple(image.name for image in images),
        tuple(sample.dataset for sample in samples),
        tuple(int(image.mask.sum()) for image in images),
        keys_of([image.name for image in images], settings.together),
    )
    division = protocol.divide(settings, inventory)
    check_rounds(division.rounds, inventory.names, [one.whole for one in prints], inventory.keys)
    about = {"protocol": protocol.name, VERSION: __version__, "settings": to_dict(settings)}
    return _Work(out, samples, images, prints, division, about, settings, device, say, on_progress, cancel)


def _keep_records(work: _Work, presets: "Sequence[Preset]") -> None:
    """Make sure that nothing else is in the folder; and only then write down what this run is."""

    def record(prints: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {**work.about, **split_record(work.division, prints)}

    split = Record(
        work.out / SPLIT,
        record(fingerprints(work.images)),
        f"{work.out} holds a run of another protocol, division or data",
        older=lambda: record(older_fingerprints(work.images)),
    )
    places = {preset.name: work.out / MODELS / _safe(preset.name) / "preset.json" for preset in presets}
    split.check()
    for preset in presets:
        check_operating_point(preset.settings)
        check_preset(places[preset.name], preset)
    split.keep()
    for preset in presets:
        keep_preset(places[preset.name], preset)


def _doubts(start: str, name: str, work: _Work) -> list[str]:
    """Refuse a model that has learnt from images that are tested on, and say if it was selected on some."""
    known = seen_by(start) if start not in ("", "scratch") else NOTHING
    tested = sorted({number for one in work.division.rounds for number in one.test})
    sights = {work.samples[number].name: known.sight_of(work.prints[number]) for number in tested}
    learnt = [image for image, sight in sights.items() if sight is not None and sight.learnt and sight.by_pixels]
    if learnt:
        raise SettingsError(
            f"{name} was trained on {len(learnt)} of the test images ({learnt[0]} ...), so its scores would say "
            "nothing. Leave it out, or train its recipe anew with --presets."
        )
    texts: dict[str, list[str]] = {}
    for image, sight in sights.items():
        if sight is not None:
            texts.setdefault(sight.text, []).append(image)
    return [f"{name}, {len(images)} of the test images ({images[0]} ...): {text}" for text, images in texts.items()]


def _trained_outcome(preset: "Preset", one: Round, work: _Work) -> Outcome:
    """Train one round, or take its model, and test it."""
    from napari_mpseg.training.train import prepare_training

    def prepare(checkpoint: Path) -> Any:
        return prepare_training(
            [work.images[number] for number in one.train],
            preset,
            validation=[work.images[number] for number in one.validation],
            name=f"{preset.name}-{one.name}",
            device=work.device,
            checkpoint=checkpoint,
        )

    place = work.out / MODELS / _safe(preset.name) / one.name
    model = stored_model(
        place,
        prepare,
        finish=finisher(work.device, work.on_progress, work.cancel),
        say=lambda note: work.say(f"{preset.name}, {one.name}: {note}"),
        on_progress=_named(work.on_progress, f"{preset.name} {one.name}"),
        cancel=work.cancel,
    )
    predictor = predictor_of_model(model, work.device, work.settings.min_size)
    evidences = _tested(predictor, one, f"presets/{_safe(preset.name)}/{one.name}", work)
    return Outcome(one.name, one.test_name, evidences, model.card.scores.get("validation", {}).get("loss"))


def _method_outcomes(predictor: Predictor, place: str, work: _Work) -> list[Outcome]:
    """Test a method on every test set once."""
    sets = {one.test_name: one for one in work.division.rounds}
    return [Outcome(name, name, _tested(predictor, one, f"{place}/{name}", work)) for name, one in sets.items()]


def _tested(predictor: Predictor, one: Round, place: str, work: _Work) -> tuple[Any, ...]:
    found = []
    what = " ".join(place.split("/")[1:])
    for done, number in enumerate(one.test):
        sample = work.samples[number]
        file = sample.name.replace("/", "-")
        places = (work.out / EVIDENCE / place / f"{file}.json", work.out / MASKS / place / f"{file}.tif")
        found.append(
            predict_sample(
                predictor,
                sample,
                work.images[number].mask,
                places,
                group=one.name,
                min_size=work.settings.min_size,
                device=work.device,
                on_progress=silent,
                cancel=work.cancel,
            )
        )
        work.on_progress(Progress(f"Testing {what}", done + 1, len(one.test), "images"))
    return tuple(found)


def _titles(presets: "Sequence[Preset]", methods: Sequence[str]) -> dict[str, str]:
    """Return what the methods are called in the table: a path by its last part."""
    titles = {name: _safe(Path(name).stem if os.sep in name or name.endswith(".json") else name) for name in methods}
    everything = [preset.name for preset in presets] + list(titles.values())
    double = sorted({name for name in everything if everything.count(name) > 1})
    if double or not everything:
        raise SettingsError(
            f"Two rows would be called {', '.join(double)}. Rename one of them."
            if double
            else "There is nothing to compare. Name presets or methods."
        )
    return titles


def _facts(work: _Work, presets: "Sequence[Preset]") -> list[str]:
    def told(numbers: Sequence[int]) -> str:
        return (
            f"{len(numbers)} images, {sum(int(work.images[number].mask.sum()) for number in numbers)} particle pixels"
        )

    facts = [f"{name}: {told(numbers)}" for name, numbers in work.division.datasets.items()]
    tests: Mapping[str, None] = dict.fromkeys(one.test_name for one in work.division.rounds)
    facts.append(f"tested on {', '.join(tests)}; {_counted(len(work.division.rounds), 'training')} per preset")
    facts += [f"{preset.name}: {preset.source}, {_counted(preset.settings.epochs, 'epoch')}" for preset in presets]
    return facts


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _named(on_progress: ProgressCallback, what: str) -> ProgressCallback:
    return lambda event: on_progress(replace(event, stage=f"{event.stage} {what}"))


def _safe(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "unnamed"
