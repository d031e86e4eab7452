"""The sample sheet: a table that says what each image is of."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_mpseg.batch.metadata import Metadata, read_heading, read_metadata
from napari_mpseg.errors import SettingsError
from napari_mpseg.exchange.names import labels_stem

FILE_HEADINGS = ("file", "filename", "file name", "file_name", "image", "image file", "path")
_ENCODINGS = ("utf-8-sig", "cp1252")
_SEPARATORS = (";", "\t", ",")


@dataclass(frozen=True)
class SheetRow:
    """One row of a sample sheet.

    Attributes
    ----------
    line : int
        In the file, counted from 1.
    file : str
        As written.
    metadata : Metadata
    """

    line: int
    file: str
    metadata: Metadata


@dataclass(frozen=True)
class SampleSheet:
    """A sample sheet.

    Attributes
    ----------
    path : Path
    rows : tuple of SheetRow
    """

    path: Path
    rows: tuple[SheetRow, ...]

    def match(self, images: Iterable[Path]) -> tuple[dict[Path, SheetRow], tuple[str, ...]]:
        """Find the row of each image.

        A row names a file, with or without its ending and folders, in upper or lower case.

        Parameters
        ----------
        images : iterable of Path
            Absolute.

        Returns
        -------
        rows : dict of Path to SheetRow
            Only of images that have one.
        notes : tuple of str
            Rows without a file, rows that fit several, images without a row.

        Raises
        ------
        SettingsError
            If two rows say different things of one image.
        """
        images = list(images)
        found: dict[Path, SheetRow] = {}
        notes = []
        for row in self.rows:
            fitting = _fitting(row.file, images)
            if len(fitting) == 1:
                before = found.setdefault(fitting[0], row)
                if before.metadata != row.metadata:
                    raise SettingsError(
                        f"{self.path}: lines {before.line} and {row.line} say different things of {fitting[0].name}. "
                        "Leave one of them out."
                    )
            elif fitting:
                folders = ", ".join(sorted({str(path.parent) for path in fitting}))
                notes.append(
                    f"Line {row.line} of {self.path.name} ({row.file}) fits {len(fitting)} images, in {folders}: "
                    "write the folder or the ending too. It is not used."
                )
            else:
                notes.append(f"Line {row.line} of {self.path.name} ({row.file}) is of no image here.")
        without = [path.name for path in images if path not in found]
        if without:
            more = f" and {len(without) - 5} more" if len(without) > 5 else ""
            notes.append(f"Without a row in {self.path.name}: {', '.join(without[:5])}{more}.")
        return found, tuple(notes)


def read_sheet(path: str | os.PathLike[str]) -> SampleSheet:
    """Read a sample sheet.

    Parameters
    ----------
    path : path-like
        CSV with a line of headings: ``file`` and any of ``sample``, ``replicate``, ``blank`` (yes or no), the volume
        filtered with its unit (``volume_l``, ``volume_ml``, ``volume filtered (L)``), ``filter_area_mm2`` and
        ``imaged_area_mm2``; other columns are kept as they are. Separated by commas, semicolons or tabs, with decimal
        points or commas; UTF-8, UTF-16 or Windows-1252.

    Raises
    ------
    SettingsError
        If it cannot be read, has no column ``file``, or a value makes no sense; the message names the line.
    """
    path = Path(path)
    lines = _lines(_text(path))
    if not lines:
        raise SettingsError(f"{path} is empty. Its first line must name the columns: file, sample, volume_l ...")
    (_, heads), *body = lines
    heads = [head.strip() for head in heads]
    column = next((k for k, head in enumerate(heads) if head.lower() in FILE_HEADINGS), None)
    if column is None:
        raise SettingsError(f"{path} has no column 'file' that names the images; it has {', '.join(heads)}.")
    _check_heads(path, heads)
    rows = []
    for line, cells in body:
        if len(cells) > len(heads) and any(cell.strip() for cell in cells[len(heads) :]):
            raise SettingsError(
                f"{path}: line {line} has {len(cells)} cells, and there are {len(heads)} headings. A decimal comma "
                "between commas must be in quotes, or use semicolons between the cells."
            )
        values = {head: cells[k] if k < len(cells) else "" for k, head in enumerate(heads) if head and k != column}
        file = cells[column].strip() if column < len(cells) else ""
        if not file:
            raise SettingsError(f"{path}: line {line} names no file.")
        try:
            rows.append(SheetRow(line, file, read_metadata(values)))
        except SettingsError as error:
            raise SettingsError(f"{path}: line {line}: {error}") from None
    return SampleSheet(path, tuple(rows))


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from None
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SettingsError(f"{path} is a workbook, not CSV. Save it as CSV (File > Save as) and give that.")
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else _ENCODINGS
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SettingsError(f"{path} is no text in UTF-8, UTF-16 or Windows-1252. Save it as CSV in UTF-8.")


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Return number and cells of every line that holds anything."""
    separator = None
    first, mark, rest = text.partition("\n")
    offset = 0
    if first.strip().lower().startswith("sep=") and mark:  # so spreadsheets are told
        separator, text, offset = first.strip()[4:5] or "\t", rest, 1
    if separator is None:
        head = next((line for line in text.splitlines() if line.strip()), "")
        separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return [(reader.line_num + offset, cells) for cells in reader if any(cell.strip() for cell in cells)]


def _check_heads(path: Path, heads: Sequence[str]) -> None:
    meant: dict[str, str] = {}
    for head in filter(None, heads):
        try:
            name = read_heading(head).name
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None
        if name in meant:
            raise SettingsError(
                f"{path}: the columns {meant[name]!r} and {head!r} say the same. Leave one of them out."
            )
        meant[name] = head


def _fitting(file: str, images: Sequence[Path]) -> list[Path]:
    """Return the images a cell may mean: by the whole name, else without endings."""
    wanted = [part for part in file.replace("\\", "/").casefold().split("/") if part not in ("", ".")]
    if not wanted:
        return []
    for ends in (_whole, _without_ending):
        fitting = [path for path in images if _ends_with(path, wanted, ends)]
        if fitting:
            return fitting
    return []


def _whole(name: str) -> str:
    return name.casefold()


def _without_ending(name: str) -> str:
    stem = labels_stem(name)
    return (stem if stem != name else Path(name).stem).casefold()


def _ends_with(path: Path, wanted: Sequence[str], ends: "type[str] | object") -> bool:
    *folders, name = wanted
    own = [part.casefold() for part in path.parts[:-1]]
    shown = ends(path.name)  # type: ignore[operator]
    return shown == name and own[len(own) - len(folders) :] == folders
