"""Labels that are there already as contenders: painted, loaded, or made by another program."""

from collections.abc import Mapping
from typing import Any

from napari_mpseg.comparison.contender import Doubt, Found, RunOptions
from napari_mpseg.comparison.digests import array_digest
from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.errors import ImageError
from napari_mpseg.progress import CancelToken, ProgressCallback


class LabelsContender:
    """Labels of one or several images.

    Parameters
    ----------
    label : str
        Heading of the row.
    labels : mapping of str to array
        ``(Y, X)`` by the image's name.
    """

    promise = ""
    timed = False
    exact = True

    def __init__(self, label: str, labels: Mapping[str, Any]) -> None:
        self.label, self.labels = label, dict(labels)
        self.title = "Labels that were there already"

    def settings(self) -> dict[str, Any]:
        """Return the digests of the labels; see ``Contender``."""
        return {"labels": {name: array_digest(array) for name, array in self.labels.items()}}

    def doubts(self, picture: Picture) -> tuple[Doubt, ...]:
        """Refuse an image there are no labels for; see ``Contender``."""
        if picture.name not in self.labels:
            raise ImageError(f"{self.label} has no labels for {picture.name}.")
        return ()

    def prepare(self, picture: Picture, options: RunOptions) -> None:
        """Do nothing."""

    def run(
        self, picture: Picture, options: RunOptions, *, on_progress: ProgressCallback, cancel: CancelToken
    ) -> Found:
        """Give the labels; see ``Contender``."""
        return Found(self.labels[picture.name])

    def release(self) -> None:
        """Do nothing."""
