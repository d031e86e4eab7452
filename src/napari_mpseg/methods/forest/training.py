"""Train a forest on painted labels."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.forest.features import check_features, compute_features, feature_halo, feature_names
from napari_mpseg.methods.forest.forest import Forest, ForestCard, forest_versions
from napari_mpseg.methods.forest.sampling import FAR, NEAR, PARTICLE, Sample, draw_pixels
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.trees import Trees, trees_of
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.data.fingerprints import fingerprints
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.painted.annotations import check_painted, painted_images

Array = np.ndarray[Any, Any]
_SIDE = 256


def train_forest(
    pairs: Sequence[Any],
    *,
    painted: str = "dense",
    background_label: int = 1,
    settings: ForestSettings | None = None,
    normalisation: Normalisation | None = None,
    name: str = "forest",
    remember: bool = True,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Forest:
    """Train a random forest on the pixels of painted images.

    Parameters
    ----------
    pairs : sequence
        Of ``(image, painted)``: anything :func:`~napari_mpseg.images.open.open_image` takes, and labels of the same
        size ``(Y, X)`` (array, file or napari layer); or of LabelledImage. Of the images only the surroundings of the
        pixels that are learnt from are read, and for `remember` all of them once, part by part.
    painted : str
        ``"dense"``: a dense mask, 0 is background, all else particle. ``"scribbles"``: 0 is unpainted and not learnt
        from, `background_label` is background, all other labels are particles.
    background_label : int
        For scribbles.
    settings : ForestSettings, optional
        What the forest sees and how it grows.
    normalisation : Normalisation, optional
        How grey values become 0 to 1; default ``"auto"``.
    name : str
        Of the forest.
    remember : bool
        Keep digests of the images in the card, so that the forest is not scored on them without a word. Otherwise only
        names are kept.
    on_progress, cancel : optional
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    Forest
        To be saved with ``forest.save("my-forest")`` and used as ``segment(image, "my-forest")``.

    Raises
    ------
    SettingsError
        If images and labels do not fit, too little is painted, or a setting is impossible.
    Cancelled
        If `cancel` was set: a forest that is not grown is of no use.

    References
    ----------
    Breiman 2001, doi:10.1023/A:1010933404324; the features are those of ilastik, Berg et al. 2019,
    doi:10.1038/s41592-019-0582-9.
    """
    settings, rule, cancel = settings or ForestSettings(), normalisation or Normalisation(), cancel or CancelToken()
    check_features(settings)
    images = _labelled(pairs, painted, background_label, rule, on_progress, cancel)
    notes = check_painted(images)
    samples, weights = draw_pixels(images, settings, cancel)
    values = _features(images, samples, settings, on_progress, cancel)
    strata = np.concatenate([sample.stratum for sample in samples])
    trees = _grown(values, strata, weights, settings, on_progress, cancel)
    channels = int(images[0].image.shape[2])
    counts = {what: int((strata == stratum).sum()) for what, stratum in _LEARNT}
    card = ForestCard(
        name,
        settings,
        in_channels=channels,
        normalisation=rule,
        pixel_size_um=_pixel_size(pairs),
        training_data=f"{len(images)} painted image{'' if len(images) == 1 else 's'}: "
        + ", ".join(pair.name for pair in images),
        training={
            "painted": painted,
            "pixels": counts,
            "features": len(feature_names(settings, channels)),
            "data": fingerprints(images) if remember else [{"name": pair.name} for pair in images],
        },
        versions=forest_versions(),
    )
    return Forest(trees, card, tuple(notes))


_LEARNT = (("particle", PARTICLE), ("background near particles", NEAR), ("background far from particles", FAR))


def _labelled(
    pairs: Sequence[Any],
    kind: str,
    background_label: int,
    rule: Normalisation,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> list[LabelledImage]:
    ready = [pair for pair in pairs if isinstance(pair, LabelledImage)]
    opened = []
    for pair in pairs:
        if isinstance(pair, LabelledImage):
            continue
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise SettingsError(f"Each pair must be (image, painted labels), not {type(pair).__name__}.")
        opened.append((pair[0], pair[1]))
    return ready + list(
        painted_images(
            opened,
            kind,
            background_label=background_label,
            normalisation=rule,
            on_progress=on_progress,
            cancel=cancel,
        )
    )


def _features(
    images: Sequence[LabelledImage],
    samples: Sequence[Sample],
    settings: ForestSettings,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Array:
    """Return the features of all chosen pixels, float32 ``(N, F)``, computed around them only."""
    blocks = [list(_blocks(sample)) for sample in samples]
    total, done = sum(len(part) for part in blocks), 0
    count = len(feature_names(settings, images[0].image.shape[2]))
    found = np.empty((sum(len(sample.rows) for sample in samples), count), np.float32)
    first = 0
    on_progress(Progress("Computing features", 0, total, "blocks"))
    for pair, sample, parts in zip(images, samples, blocks, strict=True):
        for chosen in parts:
            cancel.check()
            found[first + chosen] = _features_at(pair, sample.rows[chosen], sample.columns[chosen], settings)
            done += 1
            on_progress(Progress("Computing features", done, total, "blocks"))
        first += len(sample.rows)
    return found


def _blocks(sample: Sample) -> Iterator[Array]:
    """Give the numbers of the pixels that lie in the same block."""
    keys = (sample.rows // _SIDE << 32) + sample.columns // _SIDE
    order = np.argsort(keys, kind="stable")
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _features_at(pair: LabelledImage, rows: Array, columns: Array, settings: ForestSettings) -> Array:
    halo = feature_halo(settings)
    height, width = pair.mask.shape
    y0, y1, x0, x1 = int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1
    wy0, wy1, wx0, wx1 = max(0, y0 - halo), min(height, y1 + halo), max(0, x0 - halo), min(width, x1 + halo)
    pixels = np.asarray(pair.image[wy0:wy1, wx0:wx1], np.float32) / np.float32(255)
    planes = compute_features(pixels, settings, (y0 - wy0, wy1 - y1, x0 - wx0, wx1 - x1))
    values: Array = planes[:, rows - y0, columns - x0].T
    return values


def _grown(
    values: Array,
    strata: Array,
    weights: dict[int, float],
    settings: ForestSettings,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Trees:
    """Grow the trees a few at a time, which gives the same trees as all at once."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        0,
        max_depth=settings.max_depth,
        min_samples_leaf=settings.min_leaf,
        random_state=settings.seed,
        n_jobs=-1,
        warm_start=True,
    )
    own = np.array([weights.get(stratum, 1.0) for stratum in range(FAR + 1)])[strata]
    counted = None if (own == own[0]).all() else own / own.mean()
    classes = (strata == PARTICLE).astype(np.int8)
    at_once = max(4, os.cpu_count() or 1)
    cancel.check()
    on_progress(Progress("Growing trees", 0, settings.trees, "trees"))
    for trees in [*range(at_once, settings.trees, at_once), settings.trees]:
        cancel.check()
        forest.set_params(n_estimators=trees)
        forest.fit(values, classes, counted)
        on_progress(Progress("Growing trees", trees, settings.trees, "trees"))
    cancel.check()
    return trees_of(forest)


def _pixel_size(pairs: Sequence[Any]) -> float | None:
    """Return the mean pixel size of the images, in micrometre, if all of them have one."""
    sizes = []
    for pair in pairs:
        if isinstance(pair, LabelledImage):
            return None
        opened = pair[0] if isinstance(pair[0], Image) else open_image(pair[0])
        sizes.append(opened.calibration.pixel_size_um)
    return None if not sizes or None in sizes else float(np.mean([size for size in sizes if size is not None]))
