"""Random forests on pixels as methods: learnt from the strokes on an image, or read from a folder."""

import os
from dataclasses import replace
from typing import Annotated, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.channels import match_channels
from napari_mpseg.images.checks import check_image, gap_notes
from napari_mpseg.images.image import Image
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.methods.forest.forest import Forest, load_forest
from napari_mpseg.methods.forest.predictor import ForestPredictor
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.training import train_forest
from napari_mpseg.methods.options import Shown
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.settings import to_dict
from napari_mpseg.training.data.fingerprints import Fingerprint

_FAR = 1.5  # pixel sizes that differ by more than this factor are worth a word


class ForestMethod:
    """A trained forest as a method.

    Parameters
    ----------
    forest : Forest
        Trees and card.
    """

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.name = forest.card.name
        self.default_threshold = forest.card.threshold

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Match channels and measure the image's value range; see ``Method.prepare``."""
        card = self.forest.card
        matched = match_channels(image, card.in_channels)
        scaling = card.normalisation.measure(matched, cancel, on_progress)
        notes = _size_note(image, card.pixel_size_um)
        if image.n_channels == 1 and card.in_channels > 1:
            notes.append(
                "This forest was trained on colour images; the grey image was used for all channels, which is less "
                "sure. Check the result, or train on images like this one."
            )
        return Prepared(matched, ForestPredictor(self.forest, scaling), (*notes, *gap_notes(scaling.not_finite)))

    def describe(self) -> dict[str, Any]:
        """Return the card."""
        return {"model": to_dict(self.forest.card)}


class StrokesMethod:
    """A forest that is trained, whenever it is prepared on an image, from what was painted on that image.

    Parameters
    ----------
    painted : path, array or layer
        Integers ``(Y, X)``: 0 is unpainted, `background_label` background, all other labels are particle.
    background_label : int
    settings : ForestSettings, optional

    """

    name = "pixel-forest"
    default_threshold = 0.5

    def __init__(self, painted: Any, background_label: int = 1, settings: ForestSettings | None = None) -> None:
        if painted is None:
            raise SettingsError(
                "pixel-forest learns from strokes. Give painted labels of the image's size, with one label for "
                "background and another for particle; or train a forest on other images with "
                "'napari-mpseg train-forest', and give its folder."
            )
        self._painted = painted
        self._background_label = background_label
        self._settings = settings or ForestSettings()
        self._learnt: tuple[Forest, Image] | None = None

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Train on the image's own strokes; see ``Method.prepare``.

        Raises
        ------
        SettingsError
            If the labels do not fit the image, or not both particle and background are painted.
        """
        check_image(image)
        measured = Normalisation().measure(image, cancel, on_progress)
        # as it was measured, so that training need not read the image for it again; and as one rule for both
        span = measured.high - measured.low
        rule = Normalisation("fixed", offset=measured.low, scale=span if span > 0 else 1.0)
        forest = train_forest(
            [(image, self._painted)],
            painted="scribbles",
            background_label=self._background_label,
            settings=self._settings,
            normalisation=rule,
            name=self.name,
            remember=False,
            on_progress=on_progress,
            cancel=cancel,
        )
        self._learnt = forest, image
        scaling = Scaling(rule.kind, rule.offset, rule.offset + rule.scale, clip=False)
        notes = (*forest.notes, *gap_notes(measured.not_finite))
        return Prepared(image, ForestPredictor(forest, scaling), notes)

    @property
    def forest(self) -> Forest | None:
        """What was learnt when it was prepared last; ``forest.save("my-forest")`` keeps it for other images.

        The image is read once more, for the digest by which the forest knows it; a preview need not wait for that.
        """
        if self._learnt is None:
            return None
        forest, image = self._learnt
        training = {**forest.card.training, "data": [Fingerprint.of(image).to_dict()]}
        return replace(forest, card=replace(forest.card, training=training))

    def describe(self) -> dict[str, Any]:
        """Return the settings and which label is background."""
        return {"background_label": self._background_label, "forest": to_dict(self._settings)}


def from_strokes(
    painted: Any = None,
    background_label: Annotated[int, Shown("Background's label", "", 1)] = 1,
    finest: Annotated[float, Shown("Finest scale", "px", 0.3, 64, 0.1)] = 1.0,
    coarsest: Annotated[float, Shown("Coarsest scale", "px", 0.3, 64, 1)] = 16.0,
    trees: Annotated[int, Shown("Trees", "", 1)] = 100,
    device: str = "auto",
) -> StrokesMethod:
    """Return a forest that learns from strokes painted on the image itself.

    Parameters
    ----------
    painted : array
        Labels ``(Y, X)`` of the image's size.
    background_label : int
        Which label was painted on background. All other labels are particle, and 0 is not painted.
    finest : float
        Smallest scale of the filters in pixels. Take 0.7 for particles of 3 px that lie close together.
    coarsest : float
        Largest scale of the filters in pixels, reached from the finest by doubling. With 8 it is faster, and enough
        where particles are smaller than 20 px.
    trees : int
        More trees give smoother probabilities and take longer.
    device : str
        Forests run on the processor, whatever is given.
    """
    return StrokesMethod(painted, background_label, ForestSettings(sigmas=octaves(finest, coarsest), trees=trees))


def from_folder(path: str | os.PathLike[str], device: str = "auto") -> ForestMethod:
    """Return the forest of a folder made by ``train-forest``."""
    return ForestMethod(load_forest(path))


def octaves(finest: float, coarsest: float) -> tuple[float, ...]:
    """Return the scales from `finest` up, each twice the one before, none above `coarsest`.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if not 0 < finest <= coarsest:
        raise SettingsError(f"There is no scale from {finest} to {coarsest} px: the finest must not be the larger one.")
    found = [finest]
    while found[-1] * 2 <= coarsest * 1.001:
        found.append(found[-1] * 2)
    return tuple(found)


def _size_note(image: Image, trained: float | None) -> list[str]:
    here = image.calibration.pixel_size_um
    if here is None or trained is None or 1 / _FAR <= here / trained <= _FAR:
        return []
    return [
        f"The image has {here:g} um per pixel, the forest was trained at {trained:g}: particles look "
        f"{trained / here:.2g} times as large to it. Check the result, or train on images of this pixel size."
    ]
