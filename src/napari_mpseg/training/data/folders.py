"""A data folder as folds: either ``fold_*`` folders as they are, or one folder cut into groups."""

import os
from pathlib import Path

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.crossval import Fold
from napari_mpseg.training.data.pairs import load_folder, load_folders
from napari_mpseg.training.patches.splits import balanced_groups


def fold_folders(data: str | os.PathLike[str]) -> list[Path]:
    """Return the folders ``fold_*`` of a data folder in the order of their names; none where it is one folder."""
    return sorted(path for path in Path(data).glob("fold_*") if path.is_dir())


def folds_of(
    data: str | os.PathLike[str], count: int | None = None, *, particle_value: int | None = None, seed: int = 0
) -> list[Fold]:
    """Return the folds of a data folder.

    Parameters
    ----------
    data : path-like
        With folders ``fold_*`` of images and their ``labels``, or with images and ``labels`` itself.
    count : int, optional
        How many folds to cut one folder into (default 4); they get similar totals of particle pixels.
    particle_value : int, optional
        The value in labels that means particle; default everything but 0.
    seed : int
        Of the cutting.

    Raises
    ------
    SettingsError
        If there are too few images or fewer than two folds, or `count` is given for folders that are folds already.
    ImageError
        If images or labels cannot be used.
    """
    folders = fold_folders(data)
    if (count is not None and count < 2) or len(folders) == 1:
        found = f"{data} has only {folders[0].name}" if folders else f"{count} cannot be the number of folds"
        raise SettingsError(f"{found}: two or more are needed, to learn from some and to test on another.")
    if folders:
        if count is not None and count != len(folders):
            raise SettingsError(f"{data} has {len(folders)} folds already. Leave out the number of folds.")
        loaded = load_folders(folders, particle_value)
        return [Fold(folder.name, tuple(pairs)) for folder, pairs in zip(folders, loaded, strict=True)]
    pairs = load_folder(data, particle_value)
    count = count or 4
    if len(pairs) < count:
        raise SettingsError(f"{data} has {len(pairs)} images, too few for {count} folds.")
    groups = balanced_groups([int(pair.mask.sum()) for pair in pairs], count, seed)
    return [Fold(f"fold_{n + 1}", tuple(pairs[i] for i in group)) for n, group in enumerate(groups)]
