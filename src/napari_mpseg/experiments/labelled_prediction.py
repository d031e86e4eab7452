"""What a model says of labelled images as training holds them, in grey levels of 0 to 255."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.progress import CancelToken

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.training.data.pairs import LabelledImage

_CHUNK = 512


def predict_labelled(
    model: "Model",
    pair: "LabelledImage",
    device: str,
    cancel: CancelToken,
    part: tuple[slice, slice] = (slice(None), slice(None)),
) -> NDArray[np.float32]:
    """Return the probability of a labelled image, tile by tile as ``segment`` does, with the model's own augmentation.

    Parameters
    ----------
    model : Model
    pair : LabelledImage
        Its pixels are in grey levels of 0 to 255 already, whatever the file held.
    part : tuple of slice
        Rows and columns of it.

    Returns
    -------
    ndarray of float32
        ``(Y, X)`` of the part, 0 to 1.

    Raises
    ------
    Cancelled
    """
    import dask.array as da

    from napari_mpseg.images.image import Image
    from napari_mpseg.images.normalisation import Normalisation
    from napari_mpseg.inference.tiled import tiled_probability
    from napari_mpseg.methods.network import NetworkMethod
    from napari_mpseg.networks.modelfile import Model

    scaled = replace(model.card, normalisation=Normalisation("fixed", offset=0.0, scale=255.0))
    channels = pair.image.shape[2]
    pixels: Any = da.from_array(pair.image, chunks=(_CHUNK, _CHUNK, channels))[part]
    image = Image(pixels if channels > 1 else pixels[..., 0], pair.name)
    prepared = NetworkMethod(Model(model.network, scaled), device).prepare(image, cancel=cancel)
    cancel.check()
    found: NDArray[np.float32] = tiled_probability(prepared.image, prepared.predictor).compute(scheduler="synchronous")
    cancel.check()
    return found
