"""What every image of a batch is of, from its name and from the sample sheet."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_mpseg.batch.metadata import Metadata, read_metadata, with_possible_areas
from napari_mpseg.batch.pattern import read_pattern
from napari_mpseg.batch.sheet import read_sheet
from napari_mpseg.errors import SettingsError

_MOST = 5  # names in one note


@dataclass(frozen=True)
class Description:
    """What is known of images.

    Attributes
    ----------
    metadata : dict of Path to Metadata
        Of every image.
    notes : tuple of str
        What did not fit.
    """

    metadata: dict[Path, Metadata]
    notes: tuple[str, ...] = ()


def describe(
    images: Sequence[Path], pattern: str | None = None, sheet: str | os.PathLike[str] | None = None
) -> Description:
    """Return what names and sheet say of images; where both say something, the sheet holds.

    Parameters
    ----------
    images : sequence of Path
        Absolute.
    pattern : str, optional
        See :func:`~napari_mpseg.batch.pattern.read_pattern`.
    sheet : path-like, optional
        See :func:`~napari_mpseg.batch.sheet.read_sheet`.

    Raises
    ------
    SettingsError
        If pattern or sheet make no sense. A name that does not fit the pattern is a note.
    """
    notes: list[str] = []
    found = {path: Metadata() for path in images}
    if pattern:
        found |= _from_names(images, pattern, notes)
    if sheet:
        rows, more = read_sheet(sheet).match(images)
        notes += more
        others: dict[str, list[str]] = {}
        for path, row in rows.items():
            try:
                found[path] = with_possible_areas(_joined(found[path], row.metadata, path, others))
            except SettingsError as error:
                raise SettingsError(f"{sheet}: line {row.line}: {error}") from None
        notes += [
            f"Name and sheet differ in the {field}, and the sheet holds: {_some(some)}."
            for field, some in others.items()
        ]
    called = [path.name for path, one in found.items() if one.blank is None and one.is_blank]
    if called:
        notes.append(f"Taken for blanks, because their sample is called so: {_some(called)}.")
    return Description(found, tuple(notes))


def _from_names(images: Sequence[Path], pattern: str, notes: list[str]) -> dict[Path, Metadata]:
    reader = read_pattern(pattern)
    found, problems = {}, []
    for path in images:
        try:
            found[path] = read_metadata(reader.read(path))
        except SettingsError as error:
            problems.append(str(error))
    notes += problems[:_MOST]
    if len(problems) > _MOST:
        notes.append(f"{len(problems) - _MOST} more names do not fit the pattern {pattern}.")
    return found


def _joined(name: Metadata, sheet: Metadata, path: Path, others: dict[str, list[str]]) -> Metadata:
    given: dict[str, Any] = {}
    for field in ("sample", "replicate", "volume_l", "blank", "filter_area_mm2", "imaged_area_mm2"):
        said, written = getattr(name, field), getattr(sheet, field)
        if written in (None, ""):
            continue
        if said not in (None, "", written):
            others.setdefault(field, []).append(f"{path.name} ({said}, {written})")
        given[field] = written
    return replace(name, **given, more={**name.more, **sheet.more})


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
