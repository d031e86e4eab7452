"""Results as napari layers, without importing napari: everything here asks only for a viewer's methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.pyramids import LARGEST_TEXTURE, displayed

SPACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
"""Attributes of a layer that say where it lies."""

_QUICKLY_READ = 2**24  # pixels


@dataclass(frozen=True)
class PreparedLayers:
    """A result read and reduced for display, so that adding it to a viewer takes no time.

    Attributes
    ----------
    probability, labels : tuple of array or list of arrays, and bool
        Of :func:`displayed`.
    features : pandas.DataFrame or None
        Of the labels.
    """

    probability: tuple[Any, bool]
    labels: tuple[Any, bool]
    features: Any


def prepare(result: Any) -> PreparedLayers:
    """Get a result ready for :func:`add_result`; may be done in any thread."""
    return PreparedLayers(
        displayed(result.probability, editable=False),
        displayed(result.labels, editable=True),
        result.particles.to_features() if result.particles is not None else None,
    )


def add_result(
    viewer: Any, result: Any, layer: Any = None, *, plane: Sequence[int] = (), prepared: PreparedLayers | None = None
) -> tuple[Any, Any]:
    """Add the probability and the labels of a result to a viewer, with the particle table attached.

    Nothing that is in the viewer is changed: both are new layers with names of their own.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where to add.
    result : Result
        With ``image``, ``labels`` (int32, ``(Y, X)`` or ``(Z, Y, X)``), ``probability`` (uint8, 255 is
        probability 1), ``particles`` and ``provenance``.
    layer : napari.layers.Layer, optional
        The layer the image came from; the new layers lie where it lies. Without it they get the image's
        calibration.
    plane : sequence of int
        Which plane of `layer` the image was, one index per leading axis; without, what the image says.
    prepared : PreparedLayers, optional
        Of :func:`prepare`, where that was done in another thread.

    Returns
    -------
    tuple
        The image layer of the probability, and the labels layer.
    """
    prepared = prepared or prepare(result)
    plane = tuple(plane) or tuple(result.image.plane)
    probability, levels = prepared.probability
    probability, space = _placed(result, probability, layer, plane)
    name = layer.name if layer is not None else result.image.name
    image_layer = viewer.add_image(
        probability,
        multiscale=levels,
        name=unique_name(viewer, f"{name} probability"),
        colormap="magma",
        contrast_limits=(0, 255),
        opacity=0.6,
        visible=False,
        metadata={
            "napari-mpseg": {
                **_record(result, name),
                "role": "probability",
                "graded": _graded(result.provenance, probability),
            }
        },
        **space,
    )
    try:
        labels_layer = add_labels(viewer, result, layer, plane=plane, prepared=prepared)
    except BaseException:
        viewer.layers.remove(image_layer)  # no half of a result stays
        raise
    return image_layer, labels_layer


def add_labels(
    viewer: Any,
    result: Any,
    layer: Any = None,
    *,
    plane: Sequence[int] = (),
    prepared: PreparedLayers | None = None,
    name: str = "",
    source: str = "",
) -> Any:
    """Add the labels of a result alone, with the particle table attached.

    Parameters
    ----------
    viewer, result, layer, plane, prepared
        As in :func:`add_result`.
    name : str, optional
        Of the new layer; default that of `source` and "particles".
    source : str, optional
        Name of the image they were found on; default that of `layer`, else of the result's image.

    Returns
    -------
    napari.layers.Labels
    """
    prepared = prepared or prepare(result)
    data, levels = prepared.labels
    data, space = _placed(result, data, layer, tuple(plane) or tuple(result.image.plane))
    source = source or (layer.name if layer is not None else result.image.name)
    return viewer.add_labels(
        data,
        multiscale=levels,
        name=unique_name(viewer, name or f"{source} particles"),
        features=prepared.features,
        metadata={"napari-mpseg": {**_record(result, source), "role": "particles"}},
        **space,
    )


def _record(result: Any, source: str) -> dict[str, Any]:
    record: dict[str, Any] = {"provenance": dict(result.provenance), "source": source}
    store = getattr(result, "store", None)
    return record if store is None else {**record, "store": str(store)}


def _placed(result: Any, data: Any, layer: Any, plane: tuple[int, ...]) -> tuple[Any, dict[str, Any]]:
    """Return data with the axes of the layer that they belong to, and where they lie."""
    ndim = len(result.labels.shape)
    if layer is None:
        return data, calibrated_space(result.image.calibration, ndim)
    if not plane or layer.ndim != ndim + len(plane):
        return data, space_of(layer, ndim)
    # one plane of a stack: shown there and not, as napari shows flat layers, on every plane
    space = space_of(layer)
    space["translate"] = space["translate"] + plane_offset(space, plane)
    return _lifted(data, len(plane)), space


def add_image(viewer: Any, image: Any) -> Any:
    """Add an image to a viewer, lazily as it is; colour where it has three or four 8-bit channels.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    image : napari_mpseg.Image
        ``(Y, X)`` or ``(Y, X, C)``. Channels that are no colours become the first axis of the layer.

    Returns
    -------
    napari.layers.Image
    """
    data, space = image.data, calibrated_space(image.calibration)
    colour = data.ndim == 3 and data.shape[2] in (3, 4) and data.dtype == np.uint8
    levels = _image_levels(image)
    if data.ndim == 3 and not colour:
        levels = [one[..., 0] if one.shape[2] == 1 else np.moveaxis(one, 2, 0) for one in levels]
        space = calibrated_space(image.calibration, levels[0].ndim)
    return viewer.add_image(
        levels if len(levels) > 1 else levels[0],
        multiscale=len(levels) > 1,
        name=unique_name(viewer, image.name),
        rgb=colour,
        **space,
    )


def _image_levels(image: Any) -> list[Any]:
    """Return an image's pixels and, where it is too large for one texture, its reductions in the file it came from."""
    if max(image.data.shape[:2]) <= LARGEST_TEXTURE or not isinstance(image.source, str):
        return [image.data]
    from napari_mpseg.errors import MpsegError
    from napari_mpseg.images.open import open_stack

    try:
        stack = open_stack(image.source)
        levels = [stack.image(image.plane or None, level).data for level in range(len(stack.levels))]
    except MpsegError:  # an array, or a file that has gone since
        return [image.data]
    same = tuple(levels[0].shape) == tuple(image.data.shape)
    return [image.data, *levels[1:]] if same else [image.data]


def find_image(viewer: Any, image: Any) -> Any:
    """Return the viewer's image layer of the name and size of `image`, or None."""
    for layer in viewer.layers:
        same = type(layer).__name__ == "Image" and layer.name == image.name
        if same and tuple((layer.data[0] if layer.multiscale else layer.data).shape[:2]) == image.shape:
            return layer
    return None


def role_of(layer: Any) -> str:
    """Return what this package made a layer for: ``"probability"``, ``"particles"``, or ``""`` if it did not."""
    record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, dict) else None
    return str(record.get("role", "")) if isinstance(record, dict) else ""


def is_graded(layer: Any) -> bool:
    """Return whether an image layer can be probabilities between 0 and 1, on which a threshold means something.

    Parameters
    ----------
    layer : napari.layers.Image
        The probability of a result; of one made before this was written down, its record and its pixels tell. Anything
        else may be a probability, as far as is known.
    """
    if role_of(layer) != "probability":
        return True
    record = layer.metadata["napari-mpseg"]
    if "graded" not in record:
        provenance, data = record.get("provenance"), layer.data[-1] if layer.multiscale else layer.data
        record["graded"] = _graded(provenance if isinstance(provenance, dict) else {}, data)
    return bool(record["graded"])


def _graded(provenance: Mapping[str, Any], probability: Any) -> bool:
    """Return whether a result has probabilities between 0 and 1; of an unknown method its pixels tell."""
    told = method_is_graded(provenance)
    if told is not None:
        return told
    smallest = probability[-1] if isinstance(probability, (list, tuple)) else probability
    if smallest.dtype != np.uint8 or smallest.size > _QUICKLY_READ:
        return True
    values = np.asarray(smallest[...])
    return bool(((values != 0) & (values != 255)).any())


def method_is_graded(provenance: Mapping[str, Any]) -> bool | None:
    """Return whether the method of a record gives probabilities; None if the record does not tell."""
    from napari_mpseg.methods.registry import METHODS

    if provenance.get("model"):
        return True
    settings = dict(provenance.get("settings") or {})
    method = str(settings.get("based_on") or settings.get("method", ""))
    return METHODS[method].graded if method in METHODS else None


def particle_box(layer: Any, label: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the first pixel of a particle and the one after its last, per axis of the layer; None if it is not there.

    Parameters
    ----------
    layer : napari.layers.Labels
        Its features' bounding boxes are used where it has them (one row per label, row 0 the background).
    label : int
        Which particle.
    """
    features = layer.features
    columns = ("bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1")
    if 0 < label < len(features) and all(column in features for column in columns):
        row = features.iloc[label]
        if not any(row[column] != row[column] for column in columns):  # NaN: a label that is not there
            y0, x0, y1, x1 = (int(row[column]) for column in columns)
            plane = int(row["plane"]) if "plane" in features else 0
            shape = layer.data[0].shape if layer.multiscale else layer.data.shape
            ahead = tuple(int(index) for index in np.unravel_index(plane, shape[:-2])) if len(shape) > 2 else ()
            return (*ahead, y0, x0), (*(index + 1 for index in ahead), y1, x1)
    data = np.asarray(layer.data[-1] if layer.multiscale else layer.data)
    found = np.nonzero(data == label)
    if not len(found[0]):
        return None
    factor = np.ones(layer.ndim)
    if layer.multiscale:
        factor = np.asarray(layer.data[0].shape) / np.asarray(data.shape)
    start = tuple(int(index.min() * scale) for index, scale in zip(found, factor, strict=True))
    stop = tuple(int((index.max() + 1) * scale) for index, scale in zip(found, factor, strict=True))
    return start, stop


def unique_name(viewer: Any, name: str) -> str:
    """Return `name`, or ``"name [2]"``, ``"name [3]"`` ... where a layer already has it.

    A layer that is added under a taken name can replace that layer's data, painted labels included.
    """
    taken = {layer.name for layer in viewer.layers}
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name} [{number}]"
    return unique


def space_of(layer: Any, ndim: int | None = None) -> dict[str, Any]:
    """Return where a layer lies, as keyword arguments for a new layer of `ndim` dimensions.

    Parameters
    ----------
    layer : napari.layers.Layer
        Layer to copy the position from; its last axes are the image's (an RGB axis does not count).
    ndim : int, optional
        Dimensions of the new layer; default those of `layer`. With fewer, the trailing axes are taken.

    Returns
    -------
    dict
        ``scale, translate, rotate, shear, affine, units, axis_labels``.
    """
    ndim = layer.ndim if ndim is None else ndim
    first = layer.ndim - ndim
    if first < 0:
        raise ValueError(f"a layer of {layer.ndim} dimensions cannot lend its space to one of {ndim}")
    affine = np.asarray(layer.affine.affine_matrix)
    keep = np.r_[first : layer.ndim, layer.ndim]
    return {
        "scale": np.asarray(layer.scale)[first:],
        "translate": np.asarray(layer.translate)[first:],
        "rotate": np.asarray(layer.rotate)[first:, first:],
        "shear": _upper_triangle(np.asarray(layer.shear), layer.ndim, first),
        "affine": affine[np.ix_(keep, keep)],
        "units": tuple(layer.units)[first:],
        "axis_labels": tuple(layer.axis_labels)[first:],
    }


def calibrated_space(calibration: Any, ndim: int = 2) -> dict[str, Any]:
    """Return scale and units of a calibration; leading axes (Z, time) count in pixels."""
    ahead = ndim - 2
    space: dict[str, Any] = {"scale": (1.0,) * ahead + tuple(calibration.pixel_size)}
    if calibration.calibrated:
        # napari warns about, and then ignores, units that differ in kind: a stack axis gets the length unit
        space["units"] = (calibration.unit_name,) * ndim
    return space


def plane_offset(space: dict[str, Any], plane: Sequence[int]) -> np.ndarray:
    """Return by how much the plane of that index is moved from the first, in a layer of that space.

    Parameters
    ----------
    space : dict
        Of :func:`space_of`, for the whole stack.
    plane : sequence of int
        Index on each leading axis.
    """
    ahead = len(plane)
    ndim = len(space["scale"])
    shear = np.asarray(space["shear"])
    if shear.ndim == 1:
        matrix = np.eye(ndim)
        matrix[np.triu_indices(ndim, 1)] = shear
        shear = matrix
    moved = shear[:, :ahead] @ (np.asarray(space["scale"])[:ahead] * np.asarray(plane))
    return np.asarray(np.asarray(space["rotate"]) @ moved)


def _lifted(data: Any, axes: int) -> Any:
    """Return an array, or the levels of a pyramid, with `axes` leading axes of length one."""
    if isinstance(data, list):
        return [_lifted(level, axes) for level in data]
    if not isinstance(data, np.ndarray):
        import dask.array as da

        data = da.from_zarr(data)
    return data[(None,) * axes]


def _upper_triangle(shear: np.ndarray, ndim: int, first: int) -> np.ndarray:
    """Return the part of a shear (given as its upper triangle, row by row) that belongs to the trailing axes."""
    if shear.ndim == 2:
        return shear[first:, first:]
    rows, columns = np.triu_indices(ndim, 1)
    return shear[(rows >= first) & (columns >= first)]
