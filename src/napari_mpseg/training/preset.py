"""A preset: a complete, named training recipe that can be inspected, changed in one field, saved and loaded."""

import ast
import dataclasses
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.files import finished_at
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.training.earlier import EarlierStage
from napari_mpseg.training.settings import TrainSettings


@dataclass(frozen=True)
class Preset:
    """A training recipe.

    Attributes
    ----------
    name : str
        What users type.
    title : str
        What menus show.
    source : str
        Where it comes from.
    settings : TrainSettings
        Network, encoder and weights, loss, optimiser, schedule, batch, epochs, patches, augmentation, checkpoint rule.
    start : str
        ``""`` from scratch (or from the encoder's published weights), or the model to start from: ``"default"`` is the
        bundled one.
    tta : tuple of str
        Test-time augmentations to predict with.
    note : str
        What the source leaves open, and what was chosen.
    trainer : str
        ``"module:function"`` that prepares the run, for recipes that the usual loop does not serve; it takes what
        :func:`napari_mpseg.training.train.prepare_training` takes, and what it returns has the same ``run``.
    options : mapping
        What belongs to that trainer.
    before : EarlierStage, optional
        What is learnt from first, such as made images; the labelled images come after it.
    asked : tuple of str
        Dotted names of the settings that somebody changed by hand, which a model to start from does not overrule.
    """

    name: str
    title: str
    source: str
    settings: TrainSettings = field(default_factory=TrainSettings)
    start: str = ""
    tta: tuple[str, ...] = ()
    note: str = ""
    trainer: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    before: EarlierStage | None = None
    asked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.trainer and not _OURS.fullmatch(self.trainer):  # a preset is read from files, and must not run anything
            raise SettingsError(f"trainer = {self.trainer!r} is no trainer of napari-mpseg, and others are not run.")
        if self.before is None:
            return
        if self.trainer:
            raise SettingsError(
                f"The preset {self.name!r} is trained in a way of its own ({self.trainer}), which has no earlier stage."
            )
        self.settings_before()  # what is impossible there is said now

    def settings_before(self) -> TrainSettings:
        """Return the settings of the earlier stage: those of the recipe, with its changes.

        Raises
        ------
        SettingsError
            If there is no earlier stage, a change names no setting, or its value does not fit.
        """
        if self.before is None:
            raise SettingsError(f"The preset {self.name!r} has no earlier stage.")
        plain = to_dict(self.settings)
        keep = "last" if plain["keep"].startswith("best") else plain["keep"]
        plain |= {"validation": 0.0, "patience": 0, "operating_point": "", "keep": keep}
        plain["patches"] |= {"synthetic_share": 0.0}  # all of its images are made already
        plain |= _fresh_options(plain, self.before.changes)
        for path, value in self.before.changes.items():
            _put(plain, path.split("."), value, f"before.{path}")
        return from_dict(TrainSettings, plain)

    def changed(self, **values: Any) -> "Preset":
        """Return the preset with some settings changed, by dotted name; its source then says so.

        Another network or loss begins with its own default options.

        Parameters
        ----------
        **values
            Such as ``epochs=5`` or ``**{"optimiser.learning_rate": 1e-4}``; for the earlier stage ``before="semi"``
            (or a folder, or None for no such stage), ``**{"before.count": 200}``, ``**{"before.epochs": 20}``.

        Raises
        ------
        SettingsError
            If there is no such setting, or the value does not fit.
        """
        plain = to_dict(self)
        plain["settings"] |= _fresh_options(plain["settings"], values)
        if values and not plain["source"].endswith(_CHANGED):
            plain["source"] += _CHANGED
        plain["asked"] = sorted({*plain["asked"], *values})
        # the stage itself before what is changed in it, whatever the order they are given in
        for path, value in sorted(values.items(), key=lambda item: item[0] != _BEFORE):
            first, _, rest = path.partition(".")
            if first == _BEFORE:
                plain[_BEFORE] = _with_stage(plain[_BEFORE], rest, value)
            else:
                _put(plain["settings"], path.split("."), value, path)
        return from_dict(Preset, plain)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the preset as JSON."""
        with finished_at(path, overwrite=overwrite) as part:
            part.write_text(json.dumps(to_dict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return Path(path)


_OURS = re.compile(r"napari_mpseg(\.[a-z_]\w*)+:prepare\w*")
_CHANGED = ", changed"
_BEFORE = "before"


def load_preset(path: str | os.PathLike[str]) -> Preset:
    """Read a preset that was saved as JSON.

    Raises
    ------
    SettingsError
        If it cannot be read, or holds unknown or impossible settings.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"The preset {path} cannot be read: {error}.") from error
    return from_dict(Preset, values)


def parse_value(text: str) -> Any:
    """Read a value from the command line: a number, true, false, a list, or else the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _fresh_options(settings: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return empty options for what is changed: options belong to what they are options of."""
    owners = [owner for owner in ("network", "loss") if values.get(owner, settings[owner]) != settings[owner]]
    return {f"{owner}_options": {} for owner in owners}


def _with_stage(stage: dict[str, Any] | None, path: str, value: Any) -> dict[str, Any] | None:
    """Return an earlier stage as plain values with one of them changed, or another stage, or none."""
    if not path:
        if value is None:
            return None
        if dataclasses.is_dataclass(value):
            return to_dict(value)
        path = "images"
    if stage is None:
        if path != "images":
            raise SettingsError(
                f"before.{path} belongs to an earlier stage, and this preset has none. Add one first: "
                "before=synthetic, before=semi or before=FOLDER."
            )
        stage = to_dict(EarlierStage())
    owner, _, option = path.partition(".")
    if path == "images":
        return {**stage, "images": value, "options": stage["options"] if value == stage["images"] else {}}
    if path == "count":
        return {**stage, "count": value}
    if owner == "options" and option:
        return {**stage, "options": {**stage["options"], option: value}}
    return {**stage, "changes": {**stage["changes"], path: value}}


def _put(values: Any, path: list[str], value: Any, whole: str) -> None:
    *ahead, last = path
    for depth, key in enumerate(ahead):
        free = ahead[depth - 1].endswith("options") if depth else False
        if not isinstance(values, Mapping) or (key not in values and not free):
            raise SettingsError(_unknown(whole, values))
        values = values[key]
    free = bool(ahead) and ahead[-1].endswith("options")
    if not isinstance(values, dict) or (last not in values and not free):
        raise SettingsError(_unknown(whole, values))
    values[last] = (
        dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
    )


def _unknown(path: str, values: Any) -> str:
    known = f" Here there are: {', '.join(values)}." if isinstance(values, Mapping) else ""
    return f"There is no setting {path!r}.{known}"
