"""What a network that is still learning makes of what is in view: asked for in the GUI thread, made in another."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.gui.visible import Box, centred

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.progress import CancelToken

FIRST_PIXELS, LEAST_PIXELS, MOST_PIXELS = 2**18, 2**16, 2**20
_SECONDS = 1.5  # that one preview may take while a training waits for it
_PAUSE = 2.5  # seconds between two of the same region, at least
_SHARE = 2.5  # times as long as the last preview took is trained until the next


@dataclass(frozen=True)
class Region:
    """Where to look: fixed in the GUI thread, so that another one may read it.

    Attributes
    ----------
    layer : napari.layers.Image
        For the GUI thread only.
    image : Image
        The plane in view, as the layer was when the snapshot was taken.
    box : tuple of int
        What is in view, ``(y0, y1, x0, x1)``.
    plane : tuple of int
        Index of the plane in the layer; empty for a plain image.
    stack : Stack
        The snapshot that the image is a plane of.
    """

    layer: Any
    image: Any
    box: Box
    plane: tuple[int, ...] = ()
    stack: Any = None

    def same(self, other: Region | None) -> bool:
        """Whether both look at the same pixels."""
        return other is not None and self.image is other.image and self.box == other.box


@dataclass(frozen=True)
class Prediction:
    """What was made of a region.

    Attributes
    ----------
    region : Region
    box : tuple of int
        The part of it that was predicted.
    probability : ndarray of float32
    """

    region: Region
    box: Box
    probability: np.ndarray


class PreviewMaker:
    """Predicts the region that was asked for last, now and then.

    Parameters
    ----------
    on_prediction : callable
        Gets every :class:`Prediction`, in the thread that makes them.
    on_failure : callable
        Gets the reason why there can be no preview; then there is none until another region is asked for.

    Attributes
    ----------
    region : Region or None
        Set from the GUI thread; None for no preview.
    hurry : bool
        Whether a training waits: then only as much of the middle is predicted as takes a second or two.
    """

    def __init__(self, on_prediction: Callable[[Prediction], None], on_failure: Callable[[str], None]) -> None:
        self.region: Region | None = None
        self.hurry = True
        self._on_prediction, self._on_failure = on_prediction, on_failure
        self._done: Region | None = None
        self._refused: Region | None = None
        self._scaling: tuple[Any, Any, Any] = (None, None, None)
        self._pixels = FIRST_PIXELS
        self._ended, self._took = 0.0, 0.0

    def restart(self) -> None:
        """Let the next preview come at once, whatever came before."""
        self._done, self._refused = None, None

    def due(self, now: float | None = None) -> bool:
        """Whether it is time for another preview."""
        region = self.region
        if region is None or (self._refused is not None and region.same(self._refused)):
            return False
        if self._done is None:
            return True
        since = (time.monotonic() if now is None else now) - self._ended
        if not region.same(self._done):  # the view has moved: sooner
            return since >= self._took
        return since >= max(_PAUSE, _SHARE * self._took)

    def is_done(self, region: Region | None) -> bool:
        """Whether the last preview was of this region."""
        return region is not None and region.same(self._done)

    def make(self, model_of: Callable[[], Model], cancel: CancelToken | None = None) -> None:
        """Predict what is asked for; errors end the preview, not the training.

        Raises
        ------
        Cancelled
            If `cancel` was set while the image's value range was measured.
        """
        from napari_mpseg.errors import Cancelled, MpsegError

        region = self.region
        if region is None:
            return
        try:
            self._predict(region, model_of(), cancel)
        except Cancelled:
            raise
        except MemoryError:
            self._refuse(region, "There is not enough memory for a preview. Zoom in, or train without one.")
        except MpsegError as error:
            self._refuse(region, f"No preview of {region.image.name}: {error}")
        except Exception as error:  # whatever a preview stumbles over must not end the training
            self._refuse(region, f"No preview of {region.image.name}: {type(error).__name__}: {error}")

    def _predict(self, region: Region, model: Model, cancel: CancelToken | None) -> None:
        from napari_mpseg.inference.region import predict_region

        scaling = self._scaling_of(region.image, model, cancel)
        started = time.monotonic()
        box = centred(region.box, self._pixels if self.hurry else MOST_PIXELS)
        probability = predict_region(region.image, model, box, scaling)
        self._ended = time.monotonic()
        self._took = self._ended - started
        self._pixels = _affordable(probability.size / max(self._took, 1e-3))
        self._done = region
        self._on_prediction(Prediction(region, box, probability))

    def _scaling_of(self, image: Any, model: Model, cancel: CancelToken | None) -> Any:
        """Return the scaling of the whole image, which is measured once."""
        from napari_mpseg.images.channels import match_channels

        rule = model.card.normalisation
        if self._scaling[0] is not image or self._scaling[1] != rule:
            matched = match_channels(image, model.card.in_channels)
            self._scaling = (image, rule, rule.measure(matched, cancel))
        return self._scaling[2]

    def _refuse(self, region: Region, reason: str) -> None:
        self._refused, self._pixels = region, LEAST_PIXELS
        self._on_failure(reason)


def _affordable(speed: float) -> int:
    """Return how many pixels to predict at so many per second."""
    return int(min(MOST_PIXELS, max(LEAST_PIXELS, speed * _SECONDS)))
