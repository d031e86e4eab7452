"""What a batch has to do: which images, what they are of, what is done already."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_mpseg.batch.checking import check_method, check_settings
from napari_mpseg.batch.describe import Description, describe
from napari_mpseg.batch.differences import Difference, OtherSettingsError, find_differences, listed
from napari_mpseg.batch.find import find_images, same_file
from napari_mpseg.batch.fingerprint import changed, fingerprint, model_digest
from napari_mpseg.batch.folder import check_folder
from napari_mpseg.batch.journal import Journal, record_time
from napari_mpseg.batch.metadata import Metadata
from napari_mpseg.batch.names import assign_names
from napari_mpseg.batch.problems import Problems
from napari_mpseg.batch.settings import CHUNKS, IMAGES, BatchSettings
from napari_mpseg.batch.ways import choose_way
from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import MpsegError
from napari_mpseg.images.open import open_image
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.results.saving import result_paths
from napari_mpseg.results.unfinished import unfinished_folder

TO_DO, HALF_DONE, DONE, REFUSED = "to do", "half done", "done", "refused"
OTHER = "made otherwise"
_ELSE = (
    "Choose another folder, or ask to overwrite (--overwrite) to do it again; what was decided on its particles is "
    "lost then."
)


@dataclass(frozen=True)
class BatchItem:
    """One image of a batch before the work.

    Attributes
    ----------
    name : str
        What its results are called; different for every image of the batch.
    path : Path
    metadata : Metadata
    shape : tuple of int or None
        Height and width in pixels; None if the image cannot be opened.
    calibration : Calibration or None
    state : str
        ``"to do"``, ``"half done"``, ``"done"``, ``"refused"``, or ``"made otherwise"``: with other settings, and so
        hindering the batch.
    message : str
        Why it is refused: it cannot be opened, or its results were made from another file.
    again : bool
        Whether results that are there are replaced.
    restart : bool
        Whether half-made results that are there are thrown away.
    differences : tuple of Difference
        How the settings of the results that are there differ from those of now.
    """

    name: str
    path: Path
    metadata: Metadata = field(default_factory=Metadata)
    shape: tuple[int, int] | None = None
    calibration: Calibration | None = None
    state: str = TO_DO
    message: str = ""
    again: bool = False
    restart: bool = False
    differences: tuple[Difference, ...] = ()

    @property
    def pixels(self) -> int:
        """Number of pixels, 0 where it is not known."""
        return self.shape[0] * self.shape[1] if self.shape else 0


@dataclass(frozen=True)
class BatchPlan:
    """What a batch has to do.

    Attributes
    ----------
    items : tuple of BatchItem
        In natural order.
    notes : tuple of str
        Files left out, names that do not fit the pattern, rows of the sheet without a file, images without a row.
    parallel : str
        ``"images:N"`` or ``"chunks"``: how it would be done.
    settings : mapping
        What the particles depend on, as it is kept in the journal.
    digest : str
        Of these settings; empty where they make no sense.
    problem : MpsegError or None
        Why it cannot be done; only :func:`look_batch` gives one.
    """

    items: tuple[BatchItem, ...]
    notes: tuple[str, ...] = ()
    parallel: str = "chunks"
    settings: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    problem: MpsegError | None = None

    @property
    def to_do(self) -> tuple[BatchItem, ...]:
        """The images that a run would do or go on with."""
        return tuple(item for item in self.items if item.state in (TO_DO, HALF_DONE))


def plan_batch(
    inputs: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]",
    out: str | os.PathLike[str],
    settings: BatchSettings | None = None,
    *,
    pattern: str | None = None,
    sheet: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> BatchPlan:
    """Find out what a batch has to do; nothing is computed or written.

    Parameters are those of :func:`~napari_mpseg.batch.run.run_batch`.

    Raises
    ------
    MpsegError
        If there is no image, settings, pattern or sheet make no sense, or `out` holds a batch with other settings.
    Cancelled
        If `cancel` was set.
    """
    return _planned(inputs, out, settings, pattern, sheet, overwrite, Problems(keep=False), on_progress, cancel)


def look_batch(
    inputs: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]",
    out: str | os.PathLike[str],
    settings: BatchSettings | None = None,
    *,
    pattern: str | None = None,
    sheet: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> BatchPlan:
    """Find out the same as :func:`plan_batch`, and as much of it as there is where the batch cannot be done.

    Why it cannot be done is the `problem` of the plan.

    Raises
    ------
    SettingsError
        If there is no image.
    Cancelled
        If `cancel` was set.
    """
    return _planned(inputs, out, settings, pattern, sheet, overwrite, Problems(keep=True), on_progress, cancel)


def _planned(
    inputs: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]",
    out: str | os.PathLike[str],
    settings: BatchSettings | None,
    pattern: str | None,
    sheet: str | os.PathLike[str] | None,
    overwrite: bool,
    problems: Problems,
    on_progress: ProgressCallback,
    cancel: CancelToken | None,
) -> BatchPlan:
    settings, cancel, out = settings or BatchSettings(), cancel or CancelToken(), Path(out).absolute()
    deciding: dict[str, Any] = {}
    journal, told = Journal(out), Description({})
    with problems.here():
        check_settings(settings)
        deciding = {**settings.deciding(), "model": model_digest(settings.method)}
    with problems.here():
        check_folder(out)
        journal = Journal.read(out)
    found = find_images(inputs)
    notes = [f"Left out: {path} ({why})." for path, why in found.left_out]
    notes += [f"{image} and {path} are one file, which is done once." for image, path in found.merged]
    for given in (None, sheet) if sheet else (None,):  # a wrong sheet leaves what the names say
        with problems.here():
            told = describe(found.images, pattern, given)
    items = _opened(found.images, settings, told, journal, on_progress, cancel)
    items = [_with_state(item, journal, deciding, overwrite) for item in items]
    with problems.here():
        _refuse_other_settings(items, journal)
    to_do = [item for item in items if item.state in (TO_DO, HALF_DONE)]
    way, workers = CHUNKS, 1
    if not problems.found:
        with problems.here():
            if to_do:
                check_method(settings)
            way, workers = choose_way(settings, [item.pixels for item in to_do])
    parallel = f"{IMAGES}:{workers}" if way == IMAGES else way
    digest = settings_digest(deciding) if deciding else ""
    problem = next(iter(problems.found), None)
    return BatchPlan(tuple(items), (*notes, *told.notes), parallel, deciding, digest, problem)


def settings_digest(deciding: Mapping[str, Any]) -> str:
    """Return a short digest of settings."""
    text = json.dumps(deciding, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _opened(
    paths: Sequence[Path],
    settings: BatchSettings,
    told: Description,
    journal: Journal,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> list[BatchItem]:
    """Look at every image, and give each a name of its own."""
    items = []
    for done, path in enumerate(paths):
        cancel.check()
        on_progress(Progress("Looking at the images", done, len(paths), "images"))
        metadata = told.metadata.get(path, Metadata())
        try:
            image = open_image(path, plane=settings.plane, channels=settings.channels, calibration=settings.pixel_size)
        except MpsegError as error:
            items.append(BatchItem(path.stem, path, metadata, state=REFUSED, message=str(error)))
            continue
        items.append(BatchItem(image.name, path, metadata, image.shape, image.calibration))
    on_progress(Progress("Looking at the images", len(paths), len(paths), "images"))
    names = assign_names([(item.path, item.name) for item in items], _given(paths, journal))
    return [replace(item, name=names[item.path]) for item in items]


def _given(paths: Sequence[Path], journal: Journal) -> dict[Path, str]:
    """Return the names that images had before; one that has moved with its folder keeps its own.

    So does one whose path is written otherwise now, through a link say.
    """
    given = journal.names()
    written = {same_file(path): path for path in given}
    given |= {path: given.pop(one) for path in paths if path not in given and (one := written.get(same_file(path)))}
    for path in paths:
        if path in given:
            continue
        same = [one for one in given if one.name == path.name and not one.exists()]
        with suppress(OSError):  # what cannot be looked at is told by what opens it
            if len(same) == 1 and journal.entries[given[same[0]]].file.get("size") == fingerprint(path)["size"]:
                given[path] = given.pop(same[0])
    return given


def _with_state(item: BatchItem, journal: Journal, deciding: Mapping[str, Any], overwrite: bool) -> BatchItem:
    """Return the item with what is done of it; without settings that make sense, nothing is made otherwise."""
    if item.state == REFUSED:
        return item
    paths = result_paths(journal.out, item.name)
    entry = journal.entries.get(item.name)
    half = unfinished_folder(paths["record"]).is_dir()
    written = record_time(journal.out, item.name)
    complete = written is not None and not half
    if entry is None:
        if written is None and not (half and overwrite):
            return replace(item, state=HALF_DONE if half else TO_DO)
        if overwrite:
            return replace(item, again=True, restart=half)
        message = f"{journal.out} holds results of this name that no batch made. {_ELSE}"
        return replace(item, state=REFUSED, message=message)
    ours = complete and (entry.status == "done" if entry.ended else written != entry.before)
    try:
        difference = changed(item.path, entry.file)
    except OSError as error:
        return replace(item, state=REFUSED, message=f"{item.path} cannot be read: {error.strerror or error}.")
    same = not deciding or entry.settings == settings_digest(deciding)
    if same and not difference:
        state = DONE if ours else HALF_DONE if half else TO_DO
        return replace(item, state=state, again=not ours and _anything(paths))
    if not (complete or half):
        return replace(item, again=_anything(paths))
    others = () if same else find_differences(journal.settings.get(entry.settings, {}), deciding)
    if overwrite:
        return replace(item, again=True, restart=half, differences=others)
    if difference:
        message = f"The file has changed since its results were made: {difference}. {_ELSE}"
        return replace(item, state=REFUSED, message=message)
    return replace(item, state=OTHER, differences=others)


def _anything(paths: Mapping[str, Path]) -> bool:
    return any(os.path.lexists(path) for path in paths.values())


def _refuse_other_settings(items: Sequence[BatchItem], journal: Journal) -> None:
    """Refuse to mix results of different settings, and name what differs."""
    other = [item for item in items if item.state == OTHER]
    if other:
        raise OtherSettingsError(
            f"{journal.out} holds results of {len(other)} of these images that were made with other settings: "
            f"{listed(other[0].differences)}. Give the same settings to go on, choose another folder, or ask to "
            "overwrite (--overwrite) to do these images again; what was decided on their particles is lost then."
        )
