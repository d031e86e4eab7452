"""napari Image layers, known by their attributes alone: napari is not imported."""

import warnings
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError, ImageError
from napari_mpseg.images.arrays import has_alpha, to_dask
from napari_mpseg.images.axes import guess_axes, leading_axes
from napari_mpseg.images.image_warning import ImageWarning
from napari_mpseg.images.ome_xml import two_units
from napari_mpseg.images.readers import ObjectReader, object_readers
from napari_mpseg.images.stack import Stack, make_stack

_NO_PICTURE = ("Labels", "Points", "Shapes", "Surface", "Tracks", "Vectors")


def open_layer(layer: Any) -> Stack:
    """Take a napari Image layer, or anything with ``data``, ``scale`` and ``name``; nothing is copied.

    A multiscale layer gives its levels. The layer says whether its last axis is colour (``rgb``), so unlike with a bare
    array nothing is guessed; only where it has no such attribute the shape decides.

    Raises
    ------
    ImageError
        If it is a layer of another kind, such as Labels.
    """
    kinds = {base.__name__ for base in type(layer).__mro__}
    for kind in _NO_PICTURE:
        if kind in kinds:
            help_text = " A mask or labels can be measured as they are." if kind == "Labels" else ""
            raise ImageError(f"Layer {layer.name!r} is a {kind} layer; an Image layer is needed.{help_text}")
    levels = _levels(layer)
    shape = tuple(levels[0].shape)
    if len(shape) < 2:
        raise ImageError(f"Layer {layer.name!r} has the shape {shape}; an image needs two dimensions (Y, X).")
    rgb = getattr(layer, "rgb", None)
    if rgb is None:
        axes = guess_axes(shape)
    else:
        tail = "YXS" if rgb else "YX"
        axes = leading_axes(len(shape) - len(tail)) + tail
    arrays = [to_dask(level, axes) for level in levels]
    return make_stack(
        arrays,
        axes,
        alpha=bool(rgb and shape[-1] == 4) or has_alpha(arrays[0], axes),
        calibration=layer_calibration(layer),
        name=str(layer.name),
        source=f"layer {layer.name}",
    )


def layer_calibration(layer: Any) -> Calibration:
    """Return the pixel size of a layer of any kind from its scale and units.

    A scale without a unit of length says nothing physical, so such a layer is not calibrated.

    Parameters
    ----------
    layer : napari layer
        With ``scale`` and, from napari 0.6 on, ``units``; the last two axes are Y and X.
    """
    scale = [float(value) for value in layer.scale]
    units = getattr(layer, "units", None)
    if len(scale) < 2 or units is None:
        return Calibration()
    units = [units] * len(scale) if isinstance(units, str) or not hasattr(units, "__len__") else list(units)
    try:
        found = two_units(scale[-2], scale[-1], str(units[-2]), str(units[-1]), "layer")
    except (CalibrationError, IndexError) as error:
        warnings.warn(f"Layer {layer.name!r}: its scale is left out ({error}).", ImageWarning, stacklevel=2)
        return Calibration()
    return found if found.calibrated else Calibration()


def _levels(layer: Any) -> list[Any]:
    data = layer.data
    is_multiscale = getattr(layer, "multiscale", isinstance(data, (list, tuple)))
    return list(data) if is_multiscale else [data]


def _is_layer(source: Any) -> bool:
    return all(hasattr(source, name) for name in ("data", "scale", "name")) and not hasattr(source, "dask")


object_readers.add("layer", ObjectReader(open_layer, _is_layer))
