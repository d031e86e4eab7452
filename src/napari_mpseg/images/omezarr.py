"""OME-Zarr 0.4 and 0.5 (older ones as far as they go), and plain zarr arrays."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError, ImageError
from napari_mpseg.images.arrays import has_alpha
from napari_mpseg.images.axes import guess_axes
from napari_mpseg.images.image_warning import ImageWarning
from napari_mpseg.images.lazy import FilePixels, as_dask
from napari_mpseg.images.ome_xml import two_units
from napari_mpseg.images.readers import FileReader, ObjectReader, file_readers, object_readers
from napari_mpseg.images.stack import Stack, make_stack
from napari_mpseg.images.zarr_reader import is_zarr, zarr_reader

_MARKS = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
_OLD_AXES = "tczyx"


def open_zarr(path: Path) -> Stack:
    """Open a zarr folder: an OME-Zarr image or a plain array; no chunk is read.

    Raises
    ------
    ImageError
        If its metadata are damaged or it holds no single image.
    """
    import zarr

    try:
        node = zarr.open(store=str(path), mode="r")
    except Exception as error:  # broken JSON, missing keys, unknown codecs: each its own exception
        raise ImageError(
            f"{path} is not a readable zarr store ({error}). Its metadata are damaged: copy it again."
        ) from error
    return _open_node(node, str(path), _picture_name(path))


def open_zarr_object(node: Any) -> Stack:
    """Take a zarr array, or a zarr group that is an OME-Zarr image."""
    place = str(node.store_path).removeprefix("file://")
    in_memory = "://" in place
    name = "image" if in_memory else _picture_name(Path(place))
    return _open_node(node, "the zarr store" if in_memory else place, name)


def _picture_name(path: Path) -> str:
    return path.name.removesuffix(".zarr").removesuffix(".ome") or path.name


def _open_node(node: Any, source: str, name: str) -> Stack:
    if hasattr(node, "shape"):
        axes = _named_dimensions(node) or guess_axes(node.shape)
        array = _pixels(node, axes, source)
        return make_stack([array], axes, alpha=has_alpha(array, axes), name=name, source=source)
    attributes = _ome_attributes(node)
    if attributes.get("multiscales"):
        try:
            return _open_multiscale(node, attributes, source, name)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            if isinstance(error, ImageError):
                raise
            raise ImageError(f"{source} has damaged OME-Zarr metadata ({error!r}). Write it again.") from error
    return _open_only_member(node, attributes, source, name)


def _ome_attributes(group: Any) -> Mapping[str, Any]:
    """Return the OME metadata: under ``ome`` since 0.5, at the top before."""
    attributes = dict(group.attrs)
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def _open_only_member(group: Any, attributes: Mapping[str, Any], source: str, name: str) -> Stack:
    if "plate" in attributes or "well" in attributes:
        kind = "plate" if "plate" in attributes else "well"
        raise ImageError(f"{source} is an OME-Zarr {kind}. Open one of its images, such as {source}/A/1/0.")
    members = dict(group.members())
    images = {key: node for key, node in members.items() if key not in ("labels", "OME")}
    if len(images) == 1:
        (key, node), *_ = images.items()
        return _open_node(node, f"{source}/{key}", name)
    there = (
        f"it holds {', '.join(sorted(images))}; open one of them as {source}/{sorted(images)[0]}"
        if images
        else "it is empty"
    )
    raise ImageError(f"{source} is a zarr group without a single image: {there}.")


def _open_multiscale(group: Any, attributes: Mapping[str, Any], source: str, name: str) -> Stack:
    multiscale = attributes["multiscales"][0]
    datasets = multiscale["datasets"]
    nodes = [group[dataset["path"]] for dataset in datasets]
    axes, units = _axes(multiscale, nodes[0].ndim)
    if len(axes) != nodes[0].ndim:
        raise ImageError(f"{source} names {len(axes)} axes for an array of {nodes[0].ndim}. Its metadata are damaged.")
    scales = [_scale(multiscale, dataset, len(axes)) for dataset in datasets]
    y, x = axes.index("Y"), axes.index("X")
    downsampling = None
    calibration = Calibration()
    if all(scale is not None for scale in scales):
        sizes = [(scale[y], scale[x]) for scale in scales if scale is not None]
        calibration = _calibration(sizes[0], (units[y], units[x]), source)
        if all(value > 0 for size in sizes for value in size):
            downsampling = tuple((size[0] / sizes[0][0], size[1] / sizes[0][1]) for size in sizes)
    return make_stack(
        [_pixels(node, axes, source) for node in nodes],
        axes,
        channels=_channel_names(attributes),
        calibration=calibration,
        downsampling=downsampling,
        name=str(multiscale.get("name") or name) if name == "image" else name,
        source=source,
    )


def _axes(multiscale: Mapping[str, Any], ndim: int) -> tuple[str, list[str]]:
    """Return one letter and one unit per axis; versions before 0.4 name axes by plain letters or not at all."""
    axes = multiscale.get("axes") or list(_OLD_AXES[-ndim:])
    entries = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in axes]
    letters = ["C" if axis.get("type") == "channel" else str(axis["name"])[0].upper() for axis in entries]
    return "".join(letters), [str(axis.get("unit") or "") for axis in entries]


def _scale(multiscale: Mapping[str, Any], dataset: Mapping[str, Any], ndim: int) -> list[float] | None:
    """Return the scale of a dataset, the transforms of dataset and multiscale multiplied; None where there is none.

    References
    ----------
    https://ngff.openmicroscopy.org/0.5/#multiscale-md
    """
    scale = None
    for owner in (dataset, multiscale):
        for transform in owner.get("coordinateTransformations") or ():
            if transform.get("type") == "scale":
                factors = [float(value) for value in transform["scale"]]
                if len(factors) != ndim:
                    raise ImageError(
                        f"A scale of {len(factors)} numbers does not fit {ndim} axes. The metadata are damaged."
                    )
                scale = [old * new for old, new in zip(scale or [1.0] * ndim, factors, strict=True)]
    return scale


def _calibration(size: tuple[float, float], units: tuple[str, str], source: str) -> Calibration:
    if not any(units):
        return Calibration()
    try:
        return two_units(*size, units[0] or units[1], units[1] or units[0], "OME-Zarr")
    except CalibrationError as error:
        warnings.warn(f"{source}: the pixel size from OME-Zarr is left out ({error}).", ImageWarning, stacklevel=2)
        return Calibration()


def _channel_names(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    omero = attributes.get("omero")
    channels = omero.get("channels") if isinstance(omero, Mapping) else None
    return tuple(str(channel.get("label") or "") for channel in channels or ())


def _named_dimensions(array: Any) -> str | None:
    """Return the axes of a plain zarr 3 array that names its dimensions y and x."""
    names = getattr(array.metadata, "dimension_names", None) or ()
    letters = "".join(str(name)[:1].upper() for name in names)
    fits = len(letters) == array.ndim and letters.count("Y") == letters.count("X") == 1
    return letters if fits else None


def _pixels(array: Any, axes: str, source: str) -> Any:
    # Nothing is kept in memory: somebody may be painting into the store.
    pixels = FilePixels(zarr_reader(array), array.shape, array.dtype, source)
    return as_dask(pixels, axes, array.chunks)


def _is_store(path: Path) -> bool:
    return any((path / mark).is_file() for mark in _MARKS)


file_readers.add("zarr", FileReader(open_zarr, (".zarr",), is_store=_is_store))
object_readers.add("zarr", ObjectReader(open_zarr_object, is_zarr))
