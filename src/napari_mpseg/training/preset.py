"""A preset: a complete, named training recipe that can be inspected, changed in one field, saved and loaded."""

import ast
import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.files import finished_at
from napari_mpseg.settings import from_dict, to_dict
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

    def changed(self, **values: Any) -> "Preset":
        """Return the preset with some settings changed, by dotted name; its source then says so.

        Another network or loss begins with its own default options.

        Parameters
        ----------
        **values
            Such as ``epochs=5`` or ``**{"optimiser.learning_rate": 1e-4}``.

        Raises
        ------
        SettingsError
            If there is no such setting, or the value does not fit.
        """
        plain = to_dict(self)
        # options belong to what they are options of: another network or loss begins with its own defaults
        for owner in ("network", "loss"):
            if values.get(owner, plain["settings"][owner]) != plain["settings"][owner]:
                plain["settings"][f"{owner}_options"] = {}
        if values and not plain["source"].endswith(_CHANGED):
            plain["source"] += _CHANGED
        for path, value in values.items():
            _put(plain["settings"], path.split("."), value, path)
        return from_dict(Preset, plain)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the preset as JSON."""
        with finished_at(path, overwrite=overwrite) as part:
            part.write_text(json.dumps(to_dict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return Path(path)


_CHANGED = ", changed"


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
