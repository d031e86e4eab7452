"""Images with exact masks that are made for an earlier stage of training, and a registry of what makes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.registry import Registry
from napari_mpseg.settings import from_dict
from napari_mpseg.training.data.colours import with_channels
from napari_mpseg.training.data.compacting import compact
from napari_mpseg.training.data.fingerprints import fingerprints
from napari_mpseg.training.data.pairs import LabelledImage, load_folder
from napari_mpseg.training.earlier import EarlierStage
from napari_mpseg.training.options import checked_options


@dataclass(frozen=True)
class Wanted:
    """What images are asked for.

    Attributes
    ----------
    count : int
    seed : int
        The same seed gives the same images.
    channels : int
        That the network takes.
    labelled : sequence of LabelledImage
        What the recipe's own stage learns from; nothing of validation or test images is ever among them.
    options : mapping
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.
    """

    count: int
    seed: int
    channels: int
    labelled: Sequence[LabelledImage] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    on_progress: ProgressCallback = silent
    cancel: CancelToken = field(default_factory=CancelToken)

    def told(self, done: int) -> None:
        """Tell how many images are made, and stop if that was asked for."""
        self.cancel.check()
        self.on_progress(Progress("Making images to learn from", done, self.count, "images"))


@dataclass(frozen=True)
class MadeImages:
    """Images for an earlier stage.

    Attributes
    ----------
    images : sequence of LabelledImage
    real : sequence of mapping
        Fingerprints of real images that they are, or were made from.
    """

    images: Sequence[LabelledImage]
    real: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Maker:
    """A way of making images.

    Attributes
    ----------
    name, title, summary : str
        What users type, what menus show, and one sentence for a tooltip.
    make : callable
        Takes what is wanted.
    """

    name: str
    title: str
    summary: str
    make: Callable[[Wanted], MadeImages]


MAKERS: Registry[Maker] = Registry("kind of made image")
FOLDER = "folder"


def kind_of(stage: EarlierStage) -> str:
    """Return the name of what makes a stage's images; ``"folder"`` for those that lie in one.

    Raises
    ------
    SettingsError
        If it is neither a name nor a folder.
    """
    if stage.images in MAKERS:
        return stage.images
    if Path(stage.images).is_dir():
        return FOLDER
    raise SettingsError(
        f"{stage.images!r} cannot be learnt from first: it is no folder and none of {', '.join(MAKERS)}. Give one of "
        "these, or a folder of images with labels of the same names in its sub-folder 'labels'."
    )


def made_images(stage: EarlierStage, wanted: Wanted) -> MadeImages:
    """Return the images of an earlier stage, in the channels that are wanted.

    Raises
    ------
    SettingsError
        If there is no such kind, an option is unknown or impossible, or channels do not fit.
    ImageError
        If there is nothing to make them from.
    Cancelled
    """
    kind = kind_of(stage)
    made = _from_folder(stage.images, wanted) if kind == FOLDER else MAKERS[kind].make(wanted)
    return replace(made, images=[_in_channels(pair, wanted.channels) for pair in made.images])


def _in_channels(pair: LabelledImage, channels: int) -> LabelledImage:
    """Return a colour image as grey where the network takes grey: the mean of its channels; else grey as colour."""
    if channels != 1 or pair.image.shape[2] == 1:
        return with_channels(pair, channels)
    grey = np.asarray(pair.image[:, :], np.float32).mean(2, keepdims=True)
    return replace(pair, image=np.rint(grey).astype(np.uint8))


def _synthetic(wanted: Wanted) -> MadeImages:
    """Make synthetic fluorescence patches, each with a look of its own."""
    from napari_mpseg.synthesis.patches import labelled_patches

    if wanted.channels not in (1, 3):
        raise SettingsError(
            f"Synthetic filters are grey or in colour, and the images to learn from have {wanted.channels} channels. "
            "Choose one or three of them, or learn from semi-synthetic images (semi) first."
        )
    options = checked_options("made images", "synthetic", _synthetic_options, wanted.options)
    found = []
    wanted.told(0)
    for index, (image, labels) in enumerate(labelled_patches(wanted.seed, wanted.count, options["size"])):
        found.append(LabelledImage(f"synthetic/{index}", image, labels > 0, instances=compact(labels)))
        wanted.told(index + 1)
    return MadeImages(found)


def _synthetic_options(*, size: int = 256) -> None:
    """Name the options of synthetic images: their side in pixels."""


def _semi(wanted: Wanted) -> MadeImages:
    """Cut particles out of the labelled images and paste them elsewhere (Lee et al. 2022)."""
    from napari_mpseg.synthesis.semi.settings import SemiSettings
    from napari_mpseg.training.data.semi import from_labelled

    if "seed" in wanted.options:
        raise SettingsError("before.options.seed: the seed is that of the training. Set before.seed instead.")
    known = {one.name for one in fields(SemiSettings)} - {"seed"}
    unknown = [name for name in wanted.options if name not in known]
    if unknown:
        raise SettingsError(f"made images 'semi' has no setting {unknown[0]!r}. It has: {', '.join(sorted(known))}.")
    options = {"size": _common_size(wanted.labelled), **wanted.options, "seed": wanted.seed}
    made = from_labelled(wanted.labelled, from_dict(SemiSettings, options), wanted.count)
    found = []
    wanted.told(0)
    for index in range(wanted.count):  # each is composed when it is asked for
        found.append(made[index])
        wanted.told(index + 1)
    return MadeImages(found, fingerprints(wanted.labelled))


def _common_size(images: Sequence[LabelledImage]) -> tuple[int, int]:
    """Return the smallest height and width of the images, but at most 512 px: made images are kept in memory."""
    height, width = (min(512, *(int(pair.image.shape[axis]) for pair in images)) for axis in (0, 1))
    return max(16, height), max(16, width)


def _from_folder(folder: str, wanted: Wanted) -> MadeImages:
    """Read pairs of images and labels; all of them are taken."""
    options = checked_options("made images", FOLDER, _folder_options, wanted.options)
    wanted.cancel.check()
    images = load_folder(folder, options["particle_value"])
    return MadeImages(images, fingerprints(images))


def _folder_options(*, particle_value: int | None = None) -> None:
    """Name the options of a folder: the value in labels that means particle."""


for _maker in (
    Maker(
        "synthetic",
        "Synthetic filters",
        "Made from nothing: fluorescence filters of any look with exact masks.",
        _synthetic,
    ),
    Maker(
        "semi",
        "Semi-synthetic images",
        "The labelled particles, cut out, turned, and pasted elsewhere (Lee et al. 2022).",
        _semi,
    ),
):
    MAKERS.add(_maker.name, _maker)
