"""The datasets of a protocol: the folders as they are, or groups of similar totals of particle pixels."""

import re
from collections.abc import Sequence

from napari_mpseg.errors import SettingsError
from napari_mpseg.experiments.protocol import Inventory, ProtocolSettings
from napari_mpseg.training.patches.splits import balanced_groups


def datasets_of(inventory: Inventory, settings: ProtocolSettings, published: int) -> dict[str, tuple[int, ...]]:
    """Return the numbers of the images in each dataset, by name.

    Parameters
    ----------
    inventory : Inventory
    settings : ProtocolSettings
        With ``folds`` of 0 the ``fold_*`` folders are taken as they are; with any other number, or without such
        folders, all images are divided into groups of similar totals of particle pixels.
    published : int
        How many groups the paper has: taken where neither says.

    Raises
    ------
    SettingsError
        If there are too few images.
    """
    if any(inventory.datasets) and not settings.folds:
        names = list(dict.fromkeys(inventory.datasets))
        return {name: tuple(number for number, own in enumerate(inventory.datasets) if own == name) for name in names}
    groups = balanced_groups(inventory.totals, settings.folds or published, settings.seed, inventory.keys)
    return {f"fold_{number + 1}": tuple(group) for number, group in enumerate(groups)}


def keys_of(names: Sequence[str], together: str) -> tuple[str, ...] | None:
    """Return the key of every image: what the first group of an expression, or all of it, matches in the file name.

    An image in whose name it does not match stays alone. None for an empty expression.

    Raises
    ------
    SettingsError
        If it is no regular expression, or in no file name.
    """
    if not together:
        return None
    try:
        pattern = re.compile(together)
    except re.error as error:
        raise SettingsError(f"{together!r} is no regular expression: {error}.") from error
    found = []
    for name in names:
        match = pattern.search(name.rsplit("/", 1)[-1])
        found.append(name if match is None else f"matched {match.group(1 if pattern.groups else 0)}")
    if tuple(found) == tuple(names):
        raise SettingsError(
            f"{together!r} (together) is in no file name, such as {names[0].rsplit('/', 1)[-1]}, so nothing would stay "
            "together. Change it, or leave it out."
        )
    return tuple(found)
