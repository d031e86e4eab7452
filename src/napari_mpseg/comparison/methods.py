"""Methods as contenders: registered ones, models, forests, method files, and the models of a cross-validation."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.comparison.contender import Doubt, Found, RunOptions
from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.comparison.seen import FOLDS, WITHOUT, doubts_about, fold_of, read_folds
from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.options import checked_options
from napari_mpseg.methods.registry import METHODS, MethodEntry, resolve_method
from napari_mpseg.methods.seen import card_of, read_card, seen_by
from napari_mpseg.progress import CancelToken, ProgressCallback

if TYPE_CHECKING:
    from napari_mpseg.training.data.seen import SeenImages


class MethodContender:
    """A method that is the same for every image.

    Parameters
    ----------
    label : str
        Heading of the row.
    method : str
        Registered name, or path of a model folder, a forest's folder or a method file.
    options : mapping
        Of the method.
    around : mapping
        What ``segment`` is told beside: ``background``, ``threshold``, ``tta``, ``rescale``.

    Raises
    ------
    SettingsError
        If an option is wrong, or the method must be given something for every image.
    UnknownNameError
        If there is no such method.
    """

    promise = ""
    timed = True

    def __init__(
        self,
        label: str,
        method: str,
        options: Mapping[str, Any] | None = None,
        around: Mapping[str, Any] | None = None,
    ) -> None:
        self.label = label
        self.method = method
        self.entry = checked_entry(method)
        self.options, self.around = dict(options or {}), {**_saved_with(self.entry), **(around or {})}
        checked_options(self.entry, self.options)
        self.title = self.entry.summary if method not in METHODS else f"{self.entry.title}: {self.entry.summary}"
        self._built: Any = None
        self._seen = seen_by(method)
        self.exact = is_exact(self.entry)

    def settings(self) -> dict[str, Any]:
        """Return method, all its settings, and the digests of file and model; see ``Contender``."""
        return {
            "method": self.method if self.method in METHODS else Path(self.method).name,
            "options": self.options,
            "around": self.around,
            "digest": digest_of(self.method),
            **described(self.entry, self.options),
        }

    def doubts(self, picture: Picture) -> tuple[Doubt, ...]:
        """Say if the method has seen the image; see ``Contender``."""
        return doubts_about(picture, self._seen)

    def prepare(self, picture: Picture, options: RunOptions) -> None:
        """Build the method once for all images; see ``Contender``."""
        if self._built is None:
            self._built = built(self.entry, self.options, options.device)

    def run(
        self, picture: Picture, options: RunOptions, *, on_progress: ProgressCallback, cancel: CancelToken
    ) -> Found:
        """Segment the image; see ``Contender``."""
        return segmented(self._built, self.entry.graded, picture, options, self.around, on_progress, cancel)

    def release(self) -> None:
        """Let go of the built method."""
        self._built = None


class HeldOutContender:
    """The models of a cross-validation: every image is seen by the one that was not trained on it.

    Parameters
    ----------
    label : str
        Heading of the row.
    folder : path
        With ``folds.json`` and a folder ``without-FOLD`` for each fold.
    options, around : mapping
        As for :class:`MethodContender`.
    """

    promise = "every image was segmented by the model trained without its fold; folds were told by the images' pixels"
    timed = True

    def __init__(
        self,
        label: str,
        folder: Path,
        options: Mapping[str, Any] | None = None,
        around: Mapping[str, Any] | None = None,
    ) -> None:
        self.label, self.folder = label, folder
        self.options, self.around = dict(options or {}), dict(around or {})
        self.folds = read_folds(folder)
        self.title = f"Cross-validation {folder.name}: each image by the model that was trained without its fold"
        first = checked_entry(str(self._model(next(iter(self.folds)))))
        checked_options(first, self.options)
        self.exact = is_exact(first)
        self._built: tuple[str, Any, bool] = "", None, True
        self._chosen: dict[str, tuple[str, Doubt | None]] = {}
        self._seen: dict[str, SeenImages] = {}

    def settings(self) -> dict[str, Any]:
        """Return the folder's name, options, and the digests of folds and models; see ``Contender``."""
        models = {fold: digest_of(str(self._model(fold))) for fold in self.folds}
        return {
            "method": self.folder.name,
            "options": self.options,
            "around": self.around,
            "digest": {FOLDS: digest_of(str(self.folder / FOLDS)), **models},
        }

    def doubts(self, picture: Picture) -> tuple[Doubt, ...]:
        """Say what is unsure about the fold of an image, or if its model has seen it all the same.

        An image of no fold is refused; see ``Contender``.
        """
        fold, doubt = self._fold(picture)
        if fold not in self._seen:
            self._seen[fold] = seen_by(self._model(fold))  # such as by the model that all of them started from
        found = doubts_about(picture, self._seen[fold])
        return found if doubt is None or any(one.seen for one in found) else (doubt, *found)

    def prepare(self, picture: Picture, options: RunOptions) -> None:
        """Load the model that was trained without the image's fold; see ``Contender``."""
        fold = self._fold(picture)[0]
        if self._built[0] != fold:
            self._built = "", None, True
            entry = checked_entry(str(self._model(fold)))
            self._built = fold, built(entry, self.options, options.device), entry.graded

    def run(
        self, picture: Picture, options: RunOptions, *, on_progress: ProgressCallback, cancel: CancelToken
    ) -> Found:
        """Segment the image by that model; see ``Contender``."""
        _, method, graded = self._built
        return segmented(method, graded, picture, options, self.around, on_progress, cancel)

    def release(self) -> None:
        """Let go of the last model."""
        self._built = "", None, True

    def _model(self, fold: str) -> Path:
        return self.folder / f"{WITHOUT}{fold}"

    def _fold(self, picture: Picture) -> tuple[str, Doubt | None]:
        if picture.name not in self._chosen:
            self._chosen[picture.name] = fold_of(picture, self.folds, self.folder.name)
        return self._chosen[picture.name]


def checked_entry(method: str) -> MethodEntry:
    """Return the entry of a method that can be run on many images.

    Raises
    ------
    SettingsError
        If it must be given something for every image, such as points or strokes.
    """
    entry = resolve_method(method)
    assert isinstance(entry, MethodEntry)
    drawn = [one for one in entry.inputs if one.kind != "settings"]
    if drawn:
        raise SettingsError(
            f"{entry.name} needs {drawn[0].title.lower()} for every image, so it cannot be compared over a "
            "folder. Segment each image with it and compare the labels, or train a model of it and name its folder."
        )
    return entry


def _saved_with(entry: MethodEntry) -> dict[str, Any]:
    """Return what a method file asks of the pipeline; the least size is the comparison's, the same for all."""
    return {name: entry.defaults[name] for name in ("background", "threshold") if entry.defaults.get(name) is not None}


def built(entry: MethodEntry, options: Mapping[str, Any], device: str) -> Any:
    """Return the method, ready for any image."""
    return entry.build(device=device, **checked_options(entry, options))


def segmented(
    method: Any,
    graded: bool,
    picture: Picture,
    options: RunOptions,
    around: Mapping[str, Any],
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Found:
    """Segment one image, without measuring its particles."""
    from napari_mpseg.pipeline import segment

    result = segment(
        picture.opened,
        method,
        min_size=options.min_size,
        device=options.device,
        tile_size=options.tile_size,
        cache=options.cache,
        measure=False,
        on_progress=on_progress,
        cancel=cancel,
        **around,
    )
    threshold = result.threshold if graded else None
    settings = dict(result.provenance.get("settings") or {})
    return Found(
        result.labels, result.probability if graded else None, threshold, tuple(result.notes), settings, result
    )


def described(entry: MethodEntry, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a method does with its options, defaults too; of a network or a forest the digest of its card."""
    card = read_card(entry)
    if card is not None:
        return {"model": hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()}
    does = built(entry, options, "cpu").describe()
    return {"described": {name: value for name, value in does.items() if name != "device"}}


def is_exact(entry: MethodEntry) -> bool:
    """Return whether a method's labels are the same whatever the size of tiles."""
    return not entry.network or (read_card(entry) or {}).get("receptive_radius") is not None


def digest_of(method: str) -> str:
    """Return the SHA-256 of the file that says all of a model or method; empty for a registered method."""
    path = Path(method)
    if method in METHODS or not path.exists():
        return ""
    file = path if path.is_file() else card_of(path)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file is not None else ""
