"""A COCO file in memory: its images, its categories, and the annotations of every image, checked."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.coco.values import is_number, is_whole, short
from napari_mpseg.errors import ImageError, MpsegError

_NEEDED = "images, categories and annotations"


@dataclass(frozen=True)
class CocoImage:
    """An image of a COCO file.

    Attributes
    ----------
    id : int
        What annotations call it.
    file_name : str
        As written in the file.
    height, width : int or None
        In pixels; None where the file does not tell.
    calibration : Calibration
        Pixel size, which COCO itself does not know; this package writes it as ``pixel_size`` and ``unit``.
    plane : int or None
        Which plane of a stack.
    """

    id: int
    file_name: str
    height: int | None = None
    width: int | None = None
    calibration: Calibration = field(default_factory=Calibration)
    plane: int | None = None

    @property
    def name(self) -> str:
        """What results of this image are called: its file without folder and ending, and the plane."""
        from napari_mpseg.coco.names import stem_of

        return stem_of(self.file_name) + ("" if self.plane is None else f"_{self.plane}")


@dataclass(frozen=True, eq=False)
class CocoDocument:
    """What a COCO file holds.

    Attributes
    ----------
    path : Path or None
        The file.
    images : tuple of CocoImage
        In the order of the file.
    categories : mapping of int to str
        Name of each category.
    annotations : mapping of int to tuple of dict
        Of every image, by its id, in the order of the file.
    results : bool
        Whether the file is a list of results.
    """

    path: Path | None
    images: tuple[CocoImage, ...]
    categories: Mapping[int, str]
    annotations: Mapping[int, tuple[dict[str, Any], ...]]
    results: bool = False

    def image(self, which: int | str | None = None) -> CocoImage:
        """Return an image by id, by its file name or by its name; without, the only one.

        Raises
        ------
        ImageError
            If there is none such, or several.
        """
        if which is None:
            if len(self.images) == 1:
                return self.images[0]
            raise ImageError(f"{self.told} holds {len(self.images)} images. Name one of them: {self._some()}.")
        found = [one for one in self.images if which in (one.id, one.file_name, one.name, Path(one.file_name).name)]
        if not found:
            found = [one for one in self.images if which == str(one.id)]
        if len(found) > 1:
            ids = ", ".join(f"{one.id} ({one.file_name})" for one in found[:5])
            raise ImageError(f"{self.told} holds {len(found)} images called {which!r}. Name one by its id: {ids}.")
        if not found:
            raise ImageError(f"{self.told} holds no images called {which!r}. It has: {self._some()}.")
        return found[0]

    @property
    def told(self) -> str:
        """How messages call it."""
        return str(self.path) if self.path is not None else "The COCO document"

    def _some(self) -> str:
        names = [one.file_name for one in self.images]
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def read_coco(
    source: str | os.PathLike[str] | Mapping[str, Any] | Sequence[Any],
    *,
    images_of: "CocoDocument | None" = None,
) -> CocoDocument:
    """Read a COCO file of instances, or a list of results.

    Parameters
    ----------
    source : path-like, mapping or sequence
        The file, or what was read from it.
    images_of : CocoDocument, optional
        The truth that a list of results is about, which names neither images nor categories.

    Returns
    -------
    CocoDocument
        No mask is made yet.

    Raises
    ------
    ImageError
        If it cannot be read, is no COCO, or an annotation names an image or a category that is not there.
    """
    path = Path(source) if isinstance(source, (str, os.PathLike)) else None
    values = _loaded(path) if path is not None else source
    told = str(path) if path is not None else "The COCO document"
    if isinstance(values, Mapping):
        for part in ("images", "annotations"):
            if not isinstance(values.get(part), list):
                raise ImageError(
                    f"{told} has no list {part!r}, so it is no COCO file of instances: these have {_NEEDED}."
                )
        images = tuple(_image(one, told) for one in values["images"])
        categories = _categories(values.get("categories", []), told)
        found = values["annotations"]
    elif isinstance(values, (list, tuple)):
        if images_of is None:
            raise ImageError(
                f"{told} is a list of results, which does not say what its images are. Give the truth's COCO file too."
            )
        images, categories, found = images_of.images, dict(images_of.categories), list(values)
    else:
        raise ImageError(f"{told} is no COCO file: it holds neither {_NEEDED} nor a list of results.")
    ids = [one.id for one in images]
    if len(set(ids)) < len(ids):
        raise ImageError(f"{told} has several images of the same id. Each needs its own.")
    by_image: dict[int, list[dict[str, Any]]] = {one: [] for one in ids}
    names = {one.id: one.file_name for one in images}
    for number, annotation in enumerate(found):
        by_image[_home(annotation, number, names, categories, told)].append(annotation)
    annotations = {one: tuple(those) for one, those in by_image.items()}
    return CocoDocument(path, images, categories, annotations, not isinstance(values, Mapping))


def looks_like_coco(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins like a COCO file of instances; only its first characters are read."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return False
    marks = (b'"images"', b'"annotations"', b'"categories"')
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and any(mark in head for mark in marks)


def _loaded(path: Path) -> Any:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return json.load(file)
    except FileNotFoundError:
        raise ImageError(f"{path} is not there. Check the name and the folder.") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ImageError(f"{path} is no JSON: it is no text in UTF-8.") from error
    except json.JSONDecodeError as error:
        raise ImageError(
            f"{path} is no JSON: {error.msg} in line {error.lineno}. It is damaged, or something else."
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise ImageError(f"{path} is no COCO file: {error}.") from error
    except RecursionError as error:
        raise ImageError(f"{path} is no COCO file: its lists lie in each other too deep.") from error


def _image(values: Any, told: str) -> CocoImage:
    if not isinstance(values, Mapping) or not is_whole(values.get("id")):
        raise ImageError(f"{told} has an image without an id (a whole number): {short(values)}.")
    number = int(values["id"])
    name = values.get("file_name") or f"image_{number}"
    sizes = []
    for side in ("height", "width"):
        size = values.get(side)
        if size is not None and (not is_whole(size) or not 1 <= int(size) < 2**31):
            raise ImageError(f"{told}: the {side} of image {number} ({name}) is {size!r}, and not a number of pixels.")
        sizes.append(None if size is None else int(size))
    plane = values.get("plane")
    height, width = sizes if None not in sizes else (None, None)
    return CocoImage(number, str(name), height, width, _calibration(values), int(plane) if is_whole(plane) else None)


def _calibration(values: Mapping[str, Any]) -> Calibration:
    size, unit = values.get("pixel_size"), values.get("unit")
    try:
        return Calibration(tuple(size), str(unit), "COCO") if size and unit else Calibration()
    except (MpsegError, TypeError, ValueError, OverflowError):  # another program's field of that name
        return Calibration()


def _categories(values: Any, told: str) -> dict[int, str]:
    names: dict[int, str] = {}
    for one in values if isinstance(values, list) else [values]:
        if not isinstance(one, Mapping) or not is_whole(one.get("id")):
            raise ImageError(f"{told} has a category without an id (a whole number): {short(one)}.")
        if int(one["id"]) in names:
            raise ImageError(f"{told} has several categories of the id {one['id']}. Each needs its own.")
        names[int(one["id"])] = str(one.get("name") or one["id"])
    return names


def _home(annotation: Any, number: int, images: Mapping[int, str], categories: Mapping[int, str], told: str) -> int:
    """Return the image an annotation belongs to; refuse one that does not say what it says as COCO does."""
    if not isinstance(annotation, dict):
        raise ImageError(f"{told}: annotation {number + 1} is {short(annotation)}, and not an object.")
    name = annotation.get("id", number + 1)
    image, category = annotation.get("image_id"), annotation.get("category_id")
    if not is_whole(image) or int(image) not in images:
        raise ImageError(f"{told}: annotation {short(name)} is of image {short(image)}, which is not among its images.")
    which = f"{told}: annotation {short(name)} of {images[int(image)]}"
    if category is not None and not is_whole(category):
        raise ImageError(f"{which} is of category {short(category)}, and not of a whole number.")
    if category is not None and categories and int(category) not in categories:
        raise ImageError(f"{which} is of category {category!r}, which is not among its categories.")
    crowd, score = annotation.get("iscrowd"), annotation.get("score")
    if crowd is not None and not (isinstance(crowd, (int, float)) and crowd in (0, 1)):
        raise ImageError(f"{which} has the iscrowd {short(crowd)}, and neither 0 nor 1.")
    if score is not None and not is_number(score):
        raise ImageError(f"{which} has the score {short(score)}, and not a number.")
    return int(image)
