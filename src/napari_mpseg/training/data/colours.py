"""Labelled images in the number of channels that a network takes."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.data.pairs import LabelledImage


class RepeatedChannel:
    """A grey image that looks as if it had several equal channels; sliced like an array of ``(Y, X, C)``."""

    def __init__(self, image: Any, channels: int) -> None:
        self._image = image
        self.shape = (*image.shape[:2], channels)

    def __getitem__(self, where: Any) -> np.ndarray[Any, Any]:
        return np.repeat(np.asarray(self._image[where]), self.shape[2], 2)


def with_channels(pair: LabelledImage, channels: int) -> LabelledImage:
    """Return the pair with as many channels; a grey image is repeated, as it is when it is segmented.

    Raises
    ------
    SettingsError
        If it has another number that cannot be brought to `channels`.
    """
    found = pair.image.shape[2]
    if found == channels:
        return pair
    if found == 1:
        return replace(pair, image=RepeatedChannel(pair.image, channels))
    raise SettingsError(
        f"{pair.name} has {found} channels, the network takes {channels}. "
        "Choose channels of the image, train images of one kind together, or start from scratch."
    )
