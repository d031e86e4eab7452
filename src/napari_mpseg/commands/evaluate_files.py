"""Which prediction belongs to which truth: two files, or two folders paired by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import ImageError

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image

_FILES = {".tif", ".tiff", ".png", ".npy"}
_STORE_MARKS = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
_SAYS_LABELS = ("_separated_particles", "_particles", "_labels", "_label", "_masks", "_mask", "_truth", "_gt")
"""What may follow the name of the image in that of its labels."""


@dataclass(frozen=True)
class Pair:
    """A prediction and its truth."""

    name: str
    predicted: Path
    truth: Path


@dataclass(frozen=True)
class Pairs:
    """What is compared, and what was left over.

    Attributes
    ----------
    pairs : tuple of Pair
        One or more.
    without_truth, without_prediction : tuple of Path
        Files and stores that have no counterpart.
    """

    pairs: tuple[Pair, ...]
    without_truth: tuple[Path, ...] = ()
    without_prediction: tuple[Path, ...] = ()


def find_pairs(predicted: Path, truth: Path) -> Pairs:
    """Pair predictions with their truth.

    Parameters
    ----------
    predicted, truth : Path
        Each a file, a store, or a folder of them: labels as TIFF or PNG, OME-Zarr stores of labels or results, and
        folders that ``segment --out`` wrote. Two single ones belong together whatever they are called; otherwise the
        names decide, without their endings and without ``_mask``, ``_labels`` and the like. A folder of images with
        a folder ``labels`` in it stands for that one.

    Raises
    ------
    ImageError
        If something is not there, nothing has the same name, or a name is there twice.
    """
    left, right = _listed(predicted), _listed(truth)
    if left.single is not None and right.single is not None:
        return Pairs((Pair(_stem(left.single), left.single, right.single),))
    common = [name for name in left.files if name in right.files]
    if not common:
        raise ImageError(
            f"Nothing in {predicted} has the name of anything in {truth}: "
            f"{_some(left.files.values())} there, {_some(right.files.values())} here. "
            "A prediction and its truth need the same name, but for the ending."
        )
    return Pairs(
        tuple(Pair(name, left.files[name], right.files[name]) for name in common),
        tuple(path for name, path in left.files.items() if name not in right.files),
        tuple(path for name, path in right.files.items() if name not in left.files),
    )


def labels_in(path: Path) -> list[Path]:
    """Return the labels that a path stands for, by name: itself, or those in a folder; see :func:`find_pairs`.

    Raises
    ------
    ImageError
        If it is not there, or a folder holds none.
    """
    return list(_listed(path).files.values())


def name_of(path: Path) -> str:
    """Return the name of the image that labels are of, without endings such as ``_labels``."""
    return _stem(path)


def read_labels(path: Path, particle_value: int | None = None, plane: tuple[int, ...] | None = None) -> "Image":
    """Open labels or a mask, lazily.

    Parameters
    ----------
    path : Path
        Image file of labels, or store of labels or of a result.
    particle_value : int, optional
        The value that means particle; the others are background. Default everything but 0.
    plane : tuple of int, optional
        Which plane of a stack; what is no stack is taken as it is.

    Returns
    -------
    Image
        ``(Y, X)``.

    Raises
    ------
    ImageError
        If it cannot be read or is a colour picture.
    """
    from dataclasses import replace

    from napari_mpseg.results.labels_file import open_labels

    image = _plane_of(open_labels, path, plane)
    data = image.data
    if data.ndim == 3:
        first = data[..., :1]
        if not bool((data == first).all().compute()):
            raise ImageError(f"{path} is a colour picture, and labels have one number per pixel. Choose another file.")
        data = first[..., 0]
    return replace(image, data=data if particle_value is None else data == particle_value, channels=())


def stored_probability(path: Path) -> Any:
    """Return the probability in a result store, uint8 ``(Y, X)``, or None if it is none.

    Raises
    ------
    ImageError
        If a folder holds several results.
    """
    from napari_mpseg.inference.store import open_store
    from napari_mpseg.results.labels_file import store_in
    from napari_mpseg.results.result_store import read_record

    store = store_in(path)
    return open_store(store).probability if read_record(store) is not None else None


def read_probability(path: Path, plane: tuple[int, ...] | None = None) -> Any:
    """Return the probability of a result store, or of an image of one channel.

    Raises
    ------
    ImageError
        If it cannot be read or has several channels.
    """
    found = stored_probability(path)
    if found is not None:
        return found
    from napari_mpseg.images.open import open_image

    data = _plane_of(open_image, path, plane).data
    if data.ndim != 2:
        raise ImageError(f"{path} has several channels, and a probability has one. Give the store of a result.")
    return data


def _plane_of(opened: "Callable[..., Image]", path: Path, plane: tuple[int, ...] | None) -> "Image":
    """Open a plane of a stack, or what is no stack as it is."""
    if plane is None:
        return opened(path)
    try:
        return opened(path)
    except ImageError:  # several planes, or nothing that can be read
        return opened(path, plane=plane)


@dataclass(frozen=True)
class _Listed:
    single: Path | None
    files: dict[str, Path]


def _listed(path: Path) -> _Listed:
    if not path.exists():
        raise ImageError(f"{path} is not there. Check the name and the folder.")
    if path.is_file() or _is_store(path):
        return _Listed(path, {_stem(path): path})
    folder = path / "labels" if (path / "labels").is_dir() else path
    found = sorted(_inside(folder), key=lambda each: each.name)
    if not found:
        raise ImageError(f"{folder} holds no labels: no TIFF, no PNG, no OME-Zarr store.")
    files: dict[str, Path] = {}
    for each in found:
        name = _stem(each)
        if name in files:
            raise ImageError(f"{files[name]} and {each} have the same name. Leave one of them in the folder.")
        files[name] = each
    return _Listed(found[0] if len(found) == 1 else None, files)


def _inside(folder: Path) -> Iterator[Path]:
    stores = [each for each in folder.iterdir() if each.is_dir() and _is_store(each)]
    yield from stores
    results = {_stem(store) for store in stores}
    for each in folder.iterdir():
        overlay = each.name.endswith("_overlay.png") and each.name.removesuffix("_overlay.png") in results
        if each.is_file() and each.suffix.lower() in _FILES and not overlay and not each.name.startswith("."):
            yield each


def _is_store(path: Path) -> bool:
    return any((path / mark).exists() for mark in _STORE_MARKS)


def _stem(path: Path) -> str:
    """Return the name that a prediction shares with its truth."""
    from napari_mpseg.exchange.names import file_stem, labels_stem

    name = labels_stem(path.absolute())
    if Path(name).suffix.lower() in _FILES:
        name = name[: -len(Path(name).suffix)]
    name = file_stem(name)
    ending = next((each for each in _SAYS_LABELS if name.lower().endswith(each) and len(name) > len(each)), "")
    return name[: len(name) - len(ending)]


def _some(paths: Any) -> str:
    names = [path.name for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
