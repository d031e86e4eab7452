"""The registries of readers: one entry per file format and one per kind of object in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_mpseg.errors import ImageError
from napari_mpseg.images.stack import Stack
from napari_mpseg.registry import Registry

_HEAD = 16


@dataclass(frozen=True)
class FileReader:
    """How to open one kind of file.

    Attributes
    ----------
    open : callable
        Takes a path and returns a :class:`~napari_mpseg.images.stack.Stack` without reading its pixels.
    suffixes : tuple of str
        Endings of its file names, lower case, most usual first.
    magic : tuple of bytes
        What its files begin with: a file of another ending but with this beginning is opened too.
    is_store : callable, optional
        For formats that are folders: whether a folder is one.
    """

    open: Callable[[Path], Stack]
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...] = ()
    is_store: Callable[[Path], bool] | None = None


@dataclass(frozen=True)
class ObjectReader:
    """How to take one kind of object in memory.

    Attributes
    ----------
    open : callable
        Takes the object and returns a :class:`~napari_mpseg.images.stack.Stack`.
    recognises : callable
        Whether an object is of this kind.
    """

    open: Callable[[Any], Stack]
    recognises: Callable[[Any], bool]


file_readers: Registry[FileReader] = Registry("file format")
object_readers: Registry[ObjectReader] = Registry("kind of image")


def read_file(path: Path) -> Stack:
    """Open a file or a folder with the reader for its kind, told by its beginning, else by the ending of its name.

    Raises
    ------
    ImageError
        If it is missing, empty, unreadable, or of no known kind.
    """
    if path.is_dir():
        for reader in file_readers.values():
            if reader.is_store and reader.is_store(path):
                return reader.open(path)
        raise ImageError(
            f"{path} is a folder, but no zarr store (it has no zarr.json, .zattrs, .zgroup or .zarray). "
            "Give the folder whose name ends in .zarr, or an image file."
        )
    head = _beginning(path)
    readers = list(file_readers.values())
    for reader in readers:
        if any(head.startswith(magic) for magic in reader.magic):
            return reader.open(path)
    for reader in readers:
        if path.suffix.lower() in reader.suffixes and reader.magic:
            raise ImageError(
                f"{path} is called a {path.suffix} file but does not begin like one "
                f"({'it is empty' if not head else f'it begins with {head[:4]!r}'}). It is damaged or of another kind."
            )
    known = ", ".join(suffix for reader in readers for suffix in reader.suffixes)
    raise ImageError(
        f"{path} is of no kind that can be opened. Known are {known}. "
        "Save it as OME-TIFF, for example with Fiji (File > Save As > OME-TIFF), and open that."
    )


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except FileNotFoundError:
        raise ImageError(f"{path} is not there. Check the name and the folder.") from None
    except OSError as error:
        raise ImageError(
            f"{path} cannot be opened ({error.strerror or error}). Check the rights to read it."
        ) from error


def read_object(source: Any) -> Stack:
    """Take an array, a layer or whatever else a registered reader recognises.

    The reader registered last is asked first, so that special kinds come before arrays in general.

    Raises
    ------
    ImageError
        If no reader does.
    """
    for reader in reversed(list(object_readers.values())):
        if reader.recognises(source):
            return reader.open(source)
    raise ImageError(
        f"A {type(source).__name__} is no image. "
        "Give a file name, a numpy, dask or zarr array, or a napari Image layer."
    )
