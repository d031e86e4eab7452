"""Segmentation by a trained network: the bundled one, or a model folder."""

import copy
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.head import Head
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.images.channels import match_channels
from napari_mpseg.images.checks import gap_notes
from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.augmentation import Names, tta_names, tta_variants
from napari_mpseg.inference.predictor import Prepared, TilePredictor
from napari_mpseg.inference.runtimes import AUTO, RUNTIMES
from napari_mpseg.networks.bundled import bundled_model
from napari_mpseg.networks.modelfile import Model, load_model
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.settings import to_dict

if TYPE_CHECKING:
    from napari_mpseg.inference.runtimes.choice import Choice

_FAR = 1.5  # pixel sizes that differ by more than this factor are worth a word


class NetworkMethod:
    """A trained network as a method.

    Parameters
    ----------
    model : Model
        Network, weights and card.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    tta : str, sequence of str, or None
        Test-time augmentation: names of :data:`~napari_mpseg.inference.augmentation.TTA`; with None what the model's
        card says, with an empty text none.
    rescale : bool
        Show the image to the network at the pixel size it was trained at, by the nearest whole factor.
    runtime : str
        What computes the network: a name in :data:`~napari_mpseg.inference.runtimes.RUNTIMES`, or ``"auto"`` for what
        is fastest for the image on this machine; see :func:`~napari_mpseg.inference.runtimes.choice.choose_runtime`.

    Raises
    ------
    SettingsError
        If the device or the runtime is not there, or the model's head does not allow the test-time augmentation.
    UnknownNameError
        If there is no such test-time augmentation or runtime.

    Notes
    -----
    With a head other than ``"mask"`` its predictor tells particles apart by itself, as an ``InstancePredictor``.
    """

    def __init__(
        self, model: Model, device: str = "auto", tta: Names = None, rescale: bool = False, runtime: str = AUTO
    ) -> None:
        from napari_mpseg.inference.runtimes.choice import checked_runtime
        from napari_mpseg.networks.device import choose_device

        self.model = model
        self.head = HEADS[model.card.head]
        self.tta = _fitting_tta(tta_names(model.card.tta if tta is None else tta), self.head, asked=tta is not None)
        self.rescale = rescale
        self.name = model.card.name
        self.default_threshold = model.card.threshold
        self.device = choose_device(device)
        self.runtime = checked_runtime(runtime, self.device)

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Match channels and measure the image's value range; see ``Method.prepare``."""
        from napari_mpseg.inference.runtime import NetworkPredictor
        from napari_mpseg.inference.runtimes.sampling import telling_windows

        card = self.model.card
        matched = match_channels(image, card.in_channels)
        scaling = card.normalisation.measure(matched, cancel, on_progress)
        factor, size_notes = _scale(image, card.pixel_size_um, self.rescale)
        notes = [*_channel_note(image, card.in_channels), *size_notes]
        notes += gap_notes(scaling.not_finite)
        factor *= card.shrink
        chosen = self._chosen(matched, scaling, factor, on_progress, cancel)
        predictor: TilePredictor = NetworkPredictor(
            self.model.network,
            scaling,
            card.receptive_radius,
            self.device,
            chosen.runtime,
            chosen.tile,
            telling_windows(matched, scaling, factor) if RUNTIMES[chosen.runtime].samples else None,
        )
        if self.tta:
            colour = image.n_channels > 1 and card.in_channels == 3
            notes += _colour_note(self.tta, colour)
            predictor = self._augmented(predictor, matched, colour, on_progress, cancel or CancelToken())
        predictor = self._for_image(predictor, factor, gaps=bool(scaling.not_finite))
        return Prepared(matched, predictor, tuple(notes))

    def _for_image(self, predictor: TilePredictor, factor: float, gaps: bool) -> TilePredictor:
        """Return the predictor that sees the image smaller or larger, passes over gaps, and tells particles apart."""
        from napari_mpseg.inference.decoded import DecodedPredictor, GapInstances, instances_resampled
        from napari_mpseg.inference.gaps import GapPredictor
        from napari_mpseg.inference.resampled import resampled

        if self.head.channels == 1:
            seen = resampled(predictor, factor)
            return GapPredictor(seen) if gaps else seen
        finder = instances_resampled(DecodedPredictor(predictor, self.head), factor)
        return GapInstances(finder) if gaps else finder

    def _chosen(
        self,
        image: Image,
        scaling: Scaling,
        factor: float,
        on_progress: ProgressCallback,
        cancel: CancelToken | None,
    ) -> "Choice":
        from napari_mpseg.inference.runtimes.choice import choose_runtime
        from napari_mpseg.inference.runtimes.sampling import telling_sample

        return choose_runtime(
            self.runtime,
            self.model.network,
            self.model.card.receptive_radius,
            self.device,
            pixels=round(image.shape[0] * image.shape[1] / factor**2),
            passes=len(tta_variants(self.tta)) if self.tta else 1,
            sample=lambda: telling_sample(image, scaling, factor),
            on_progress=on_progress,
            cancel=cancel,
        )

    def _augmented(
        self, predictor: Any, image: Image, colour: bool, on_progress: ProgressCallback, cancel: CancelToken
    ) -> TilePredictor:
        from napari_mpseg.inference.augmented import AugmentedPredictor, mean_level

        variants = tta_variants(self.tta, colour=colour)
        contrast = any(variant.contrast != 1 for variant in variants)
        level = mean_level(image, predictor.scaling, on_progress, cancel) if contrast else 0.0
        return AugmentedPredictor(predictor, variants, level, cancel)

    def describe(self) -> dict[str, Any]:
        """Return the model card, the device, and runtime and test-time augmentation if any was asked for.

        A runtime that was chosen for an image is its predictor's ``runtime_name``.
        """
        described: dict[str, Any] = {"model": to_dict(self.model.card), "device": str(self.device)}
        if self.runtime != AUTO:
            described["runtime"] = self.runtime
        if self.rescale:
            described["rescale"] = True
        if self.tta:
            described |= {"tta": list(self.tta), "tta_variants": [str(one) for one in tta_variants(self.tta)]}
        return described

    def with_tta(self, tta: Names) -> "NetworkMethod":
        """Return the same method with test-time augmentation; see the class."""
        augmented = copy.copy(self)
        augmented.tta = _fitting_tta(tta_names(tta), self.head)
        return augmented

    def with_runtime(self, name: str) -> "NetworkMethod":
        """Return the same method computed by another runtime; see the class."""
        from napari_mpseg.inference.runtimes.choice import checked_runtime

        changed = copy.copy(self)
        changed.runtime = checked_runtime(name, self.device)
        return changed

    def with_rescale(self) -> "NetworkMethod":
        """Return the same method showing images at the pixel size of its training; see the class."""
        rescaled = copy.copy(self)
        rescaled.rescale = True
        return rescaled


def bundled(device: str = "auto") -> NetworkMethod:
    """Return the network that comes with the package."""
    return NetworkMethod(bundled_model(), device)


def from_file(path: str | os.PathLike[str], device: str = "auto") -> NetworkMethod:
    """Return the network of a model folder."""
    return NetworkMethod(load_model(Path(path)), device)


def _fitting_tta(names: tuple[str, ...], head: Head, asked: bool = True) -> tuple[str, ...]:
    """Return the test-time augmentations; what a card asks for without need is passed over.

    Raises
    ------
    SettingsError
        If the user asked for one that turns the image, with a head of directions.
    """
    if not (head.directional and any(one.turns or one.mirrored for one in tta_variants(names))):
        return names
    if asked:
        raise SettingsError(
            f"Test-time augmentation {', '.join(names)} turns the image, and this model's head {head.name!r} says of "
            "each pixel in which directions its particle goes on: the answers cannot be averaged. Choose "
            "'photometric', or none."
        )
    return ()


def _channel_note(image: Image, expected: int) -> list[str]:
    if image.n_channels == 1 and expected > 1:
        return [
            "This network was trained on colour images; the grey image was used for all channels, which is less sure. "
            "Check the result, or train on images like this one."
        ]
    return []


def _colour_note(tta: tuple[str, ...], colour: bool) -> list[str]:
    if len(tta_variants(tta, colour=colour)) < len(tta_variants(tta)):
        return ["The image has no colours: test-time augmentation left out hue and saturation."]
    return []


def _scale(image: Image, trained: float | None, rescale: bool) -> tuple[float, list[str]]:
    """Return how many pixels of the image make one of the training's, as far as that is wanted, and what to say."""
    here = image.calibration.pixel_size_um
    if here is None or trained is None:
        missing = "the image" if here is None else "the model"
        return 1.0, [f"Not rescaled: the pixel size of {missing} is not known."] if rescale else []
    if 1 / _FAR <= here / trained <= _FAR:
        return 1.0, []
    facts = f"The image has {here:g} um per pixel, the network was trained at {trained:g}: "
    if rescale:
        factor = trained / here
        whole = f"{round(factor)} times smaller" if factor > 1 else f"{round(1 / factor)} times larger"
        return factor, [f"{facts}it was shown {whole}."]
    return 1.0, [
        f"{facts}particles look {trained / here:.2g} times as large to it. Check the result, or segment with "
        "'rescale' (--rescale), which shows the image to the network at the size it knows."
    ]
