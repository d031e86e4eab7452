"""The recipe of the bundled network, and its four-fold cross-validation.

``napari-mpseg train-bundled DATA`` runs it. DATA holds the labelled Nile-red patches as ``fold_2`` .. ``fold_5``,
each with ``labels`` in which 0 is particle.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from napari_mpseg.errors import ImageError
from napari_mpseg.networks.modelfile import Model
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.training.crossval import Fold
from napari_mpseg.training.data.pairs import LabelledImage, load_folder
from napari_mpseg.training.data.synthetic import synthetic_patches
from napari_mpseg.training.presets import PRESETS
from napari_mpseg.training.run.loop import EventCallback
from napari_mpseg.training.session import prepare_session
from napari_mpseg.training.settings import TrainSettings

PARTICLE_VALUE = 0
NAME = "half-multiresunet-nile-red"
ATTRIBUTION = (
    "Labelled Nile-red fluorescence patches: MP-Net, https://github.com/sanghyeonp/MP-Net at c796c8e, MIT licence; "
    "Baek et al. 2021 and Park et al. 2022. Synthetic patches: this package."
)
RECIPE = PRESETS["nile-red"].settings
"""Its threshold was chosen on the four folds of the cross-validation themselves: their mean pixel F1 is 0.800 at 0.2
and 0.804 at 0.5, and more particles keep the 3 px that the default minimum size asks for."""


def load_folds(data: str | os.PathLike[str]) -> list[Fold]:
    """Read every ``fold_*`` folder of `data`.

    Raises
    ------
    ImageError
        If there is none, or one cannot be used.
    """
    folders = sorted(path for path in Path(data).glob("fold_*") if path.is_dir())
    if not folders:
        raise ImageError(f"{data} holds no folder fold_1, fold_2 ... with labelled patches.")
    return [Fold(folder.name, tuple(load_folder(folder, PARTICLE_VALUE))) for folder in folders]


def train_on(
    patches: Sequence[LabelledImage],
    settings: TrainSettings = RECIPE,
    *,
    on_progress: ProgressCallback = silent,
    on_event: EventCallback = lambda event: None,
    cancel: CancelToken | None = None,
) -> Model:
    """Train the bundled network on real patches and synthetic ones.

    Returns
    -------
    Model
        With a card that says how it was made; scores are left to the caller.
    """
    synthetic = synthetic_patches(settings.seed) if settings.patches.synthetic_share else []
    session = prepare_session(
        patches,
        settings,
        synthetic=synthetic,
        name=NAME,
        card={
            "description": "Microplastic particles stained with Nile red, on stitched fluorescence images of filters.",
            "training_data": f"{len(patches)} labelled patches of MP-Net and {len(synthetic)} synthetic ones",
            "attribution": ATTRIBUTION,
            "licence": "BSD-3-Clause",
        },
    )
    return session.run(on_progress=on_progress, on_event=on_event, control=cancel)
