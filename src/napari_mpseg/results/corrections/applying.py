"""Bring labels, levels, table and record to where a journal says. What is done twice here is as if done once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_mpseg.errors import MpsegError
from napari_mpseg.files import refusal
from napari_mpseg.particles.review.audit import AuditRecord
from napari_mpseg.progress import Progress, ProgressCallback
from napari_mpseg.results.corrections import journal
from napari_mpseg.results.corrections.blocks import write_blocks
from napari_mpseg.results.corrections.journal import DONE, Journal
from napari_mpseg.results.corrections.place import LabelsPlace
from napari_mpseg.results.corrections.reductions import refresh
from napari_mpseg.results.corrections.rows import (
    Frame,
    measured_rows,
    read_newest,
    rows_after,
    rows_back,
    rows_from,
    rows_of,
    with_rows,
    write_tables,
)

STEPS = ("Keeping the old pixels", "Writing labels", "Measuring")


def apply_journal(place: LabelsPlace, path: Path, on_progress: ProgressCallback) -> dict[str, Any]:
    """Bring the store to where a journal says that it is to be, and the journal to its end."""
    stored = journal.read(path)
    about = dict(stored.about)

    def rows(table: Any, labels: Any) -> tuple[Frame, Frame]:
        record = place.record()
        settings = dict(record.get("settings") or {})
        there = [label for label in about["touched"] if label not in about["gone"]]
        image, probability = place.image(), place.probability()
        measured = measured_rows(
            labels,
            table,
            there,
            tuple(about["box"]),
            image=image,
            probability=probability,
            perimeter=str(settings.get("perimeter", "imagej")),
        )
        parents = {int(new): parent for new, parent in about["parents"].items()}
        after = rows_after(rows_from(about["rows"]), measured, parents)
        return after.loc[list(about["touched"])], measured

    measured = _carry_out(place, stored, stored.after, rows, on_progress)
    _note(place, about["entry"], about)
    _end(place, path, journal.in_state(path, DONE))
    return {**about, "measured": measured}


def take_back(place: LabelsPlace, path: Path, on_progress: ProgressCallback) -> dict[str, Any]:
    """Bring the store to where it was before a journal was applied, and remove the journal."""
    stored = journal.read(path)
    about = dict(stored.about)

    def rows(table: Any, labels: Any) -> tuple[Frame, Frame]:
        old = rows_from(about["rows"]).reindex(about["touched"])
        return rows_back(rows_of(table.frame, about["touched"]), old), old

    measured = _carry_out(place, stored, stored.before, rows, on_progress)
    entry = AuditRecord().add(
        "undo", about["touched"], {"action": "correct"}, {"correction": about["number"], "region": about["box"]}
    )
    told = {**asdict(entry), "labels": list(entry.labels)}
    _note(place, told, about)
    _end(place, path, None)
    turned = {"created": about["gone"], "gone": about["created"], "parents": {}, "entry": told}
    return {**about, **turned, "measured": measured}


def _carry_out(
    place: LabelsPlace,
    stored: Journal,
    pixels: NDArray[Any],
    rows: Callable[[Any, Any], tuple[Frame, Frame]],
    on_progress: ProgressCallback,
) -> Frame:
    """Write pixels, levels and table; return the rows for whoever shows them."""
    with writing(place):
        on_progress(Progress(STEPS[1], 1, len(STEPS), "steps"))
        levels = place.levels(write=True)
        boxes = write_blocks(levels[0], stored.blocks, pixels)
        refresh(levels, boxes)
        on_progress(Progress(STEPS[2], 2, len(STEPS), "steps"))
        tables = place.tables
        table = read_newest(tables)
        measured = None
        if table is not None and stored.about["rows"] is not None:
            new, measured = rows(table, levels[0])
            write_tables(with_rows(table, new), tables)
        on_progress(Progress(STEPS[2], len(STEPS), len(STEPS), "steps"))
        return measured


def _note(place: LabelsPlace, entry: dict[str, Any], about: dict[str, Any]) -> None:
    """Put an entry into the record of the review that lies with the labels, once.

    Numbers of corrections and of particles are never given twice, those of what was taken back neither.
    """
    with writing(place):
        kept = place.kept()
        audit = list(kept.get("audit") or ())
        if not any(_same_entry(one, entry) for one in audit):
            audit.append(entry)
        corrected = max(int(about["number"]), int(kept.get("corrected", 0)))
        highest = max(int(about["highest"][1]), int(kept.get("highest_label", 0)))
        place.keep({**kept, "audit": audit, "highest_label": highest, "corrected": corrected})


def _same_entry(one: Any, other: dict[str, Any]) -> bool:
    if not isinstance(one, dict) or one.get("action") != other["action"]:
        return False
    return bool(dict(one.get("after") or {}).get("correction") == other["after"]["correction"])


def _end(place: LabelsPlace, path: Path, done: Path | None) -> None:
    """Say that all is done; where files cannot be locked, another process may have said so already."""
    with writing(place), suppress(FileNotFoundError):
        path.unlink() if done is None else path.rename(done)


@contextmanager
def writing(place: LabelsPlace) -> Iterator[None]:
    """Turn the system's errors into the user's words."""
    try:
        yield
    except MpsegError:
        raise
    except OSError as error:
        raise refusal(place.store, error) from error
