"""Trained models kept in a folder: taken from there if they are, gone on with if a run was killed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.data.fingerprints import is_older

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.progress import CancelToken, ProgressCallback
    from napari_mpseg.training.preset import Preset
    from napari_mpseg.training.session import Session

VERSION = "version"


def stored_model(
    place: Path,
    prepare: "Callable[[Path], Session]",
    *,
    finish: "Callable[[Session, Model], Model] | None" = None,
    say: Callable[[str], None] = lambda text: None,
    on_progress: "ProgressCallback",
    cancel: "CancelToken",
) -> "Model":
    """Return the model of a folder; if it is not there, train it and save it there.

    While it is trained, a checkpoint lies beside it (its name with ``.training``), from which the next call goes on.

    Parameters
    ----------
    place : Path
        Folder of the model.
    prepare : callable
        Takes the folder of the checkpoint and returns the session that is ready to start.
    finish : callable, optional
        Takes session and trained model and returns the model to be saved: the place to choose an operating point.
    say : callable
        Gets what the user should know, one text each.

    Raises
    ------
    Cancelled
        If `cancel` was set; the checkpoint stays.
    """
    from napari_mpseg.leftovers import remove

    if place.exists():
        return _loaded(place)
    checkpoint = place.with_name(f"{place.name}.training")
    session = prepare(checkpoint)
    for note in session.notes:
        say(note)
    model = session.run(on_progress=on_progress, control=cancel)
    cancel.check()
    if finish is not None:
        model = finish(session, model)
    model.save(place)
    remove(checkpoint)
    return _loaded(place)


def _loaded(place: Path) -> "Model":
    """Return the model of a folder, a network or a detector: its card tells which."""
    from napari_mpseg.detection.modelfile import CARD, load_detector
    from napari_mpseg.networks.modelfile import load_model

    if (place / CARD).is_file():
        return load_detector(place)  # type: ignore[return-value] # sessions of detectors give detectors, too
    return load_model(place)


def check_preset(place: Path, preset: "Preset") -> None:
    """Refuse to go on with models of another preset than the one that lies beside them.

    Raises
    ------
    SettingsError
        If another one is there; what differs is named.
    """
    from napari_mpseg.settings import to_dict
    from napari_mpseg.training.preset import load_preset

    if not place.exists():
        return
    there, here = to_dict(load_preset(place)), to_dict(preset)
    for one in (there, here):
        one.pop("asked")  # who set it does not matter
    if there != here:
        different = [key for key in here["settings"] if here["settings"][key] != there["settings"].get(key)]
        raise SettingsError(
            f"The models in {place.parent} were trained with another preset (different: "
            f"{', '.join(different) or 'its name'}). Choose another --out."
        )


def keep_preset(place: Path, preset: "Preset") -> None:
    """Save a preset beside the models that it trains, unless it is there."""
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        preset.save(place)


@dataclass(frozen=True)
class Record:
    """What a folder of results was begun with: going on with anything else would mix what must not be mixed.

    Attributes
    ----------
    place : Path
        JSON file.
    values : mapping
        Plain JSON values.
    what : str
        Begins the message: ``"The models in DIR were trained"``.
    older : callable, optional
        Gives the record as earlier versions wrote it, with digests of some pixels only.
    """

    place: Path
    values: Mapping[str, Any]
    what: str
    older: Callable[[], Mapping[str, Any]] | None = None

    def check(self) -> None:
        """Refuse another record; the version of the program, which is kept for the reader, may be another.

        Raises
        ------
        SettingsError
            If another one is there; up to four differences are named, by their path in the record.
        """
        there = self._there()
        if there is None:
            return
        here = self.older() if self.older is not None and is_older(there) else self.values
        found = differences(_without_version(there), _without_version(json.loads(json.dumps(here))))
        if found:
            more = f", and {len(found) - 4} more" if len(found) > 4 else ""
            raise SettingsError(f"{self.what} ({'; '.join(found[:4])}{more}). Choose another --out.")

    def keep(self) -> None:
        """Write it, unless it is there."""
        there = self._there()
        if there is None or is_older(there):
            write_text(self.place, json.dumps(self.values, indent=1, ensure_ascii=False))

    def _there(self) -> Any:
        if not self.place.exists():
            return None
        try:
            return json.loads(self.place.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{self.place} cannot be read: {error}. Choose another --out.") from error

    def check_and_keep(self) -> None:
        """Refuse another record, or write this one; raises as :meth:`check`."""
        self.check()
        self.keep()


def _without_version(record: Any) -> Any:
    return {key: value for key, value in record.items() if key != VERSION} if isinstance(record, dict) else record


def differences(there: Any, here: Any, path: str = "") -> list[str]:
    """Return in words what differs between two JSON values."""
    if isinstance(there, dict) and isinstance(here, dict):
        found = []
        for key in [*there, *(key for key in here if key not in there)]:
            name = f"{path} {key}".strip()
            if key not in here:
                found.append(f"{name} only there")
            elif key not in there:
                found.append(f"{name} only here")
            else:
                found += differences(there[key], here[key], name)
        return found
    if there == here:
        return []
    if isinstance(there, list) and isinstance(here, list):
        return [f"{path}: another list"]
    return [f"{path}: {_short(there)} there, {_short(here)} here"]


def write_text(place: Path, text: str) -> None:
    """Write a text file, finished atomically, with a line end."""
    from napari_mpseg.files import finished_at

    with finished_at(place) as part:
        part.write_text(text + "\n", encoding="utf-8")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return f"{text[:24]}…" if len(text) > 25 else text
