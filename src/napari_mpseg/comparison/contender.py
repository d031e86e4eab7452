"""What stands in a row of a comparison: something that gives labels for an image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.progress import CancelToken, ProgressCallback


@dataclass(frozen=True)
class Found:
    """What a contender says of one image.

    Attributes
    ----------
    labels : array
        ``(Y, X)``; 0 is background.
    probability : array or None
        uint8 ``(Y, X)``, 255 stands for 1; None where it gives no grades.
    threshold : float or None
        Probability above which pixels are particle; None without probabilities.
    notes : tuple of str
        What the user should know.
    settings : mapping
        Everything needed to run it again, as plain JSON values.
    result : Result or None
        What ``segment`` gave; while it is kept, so are the arrays.
    """

    labels: Any
    probability: Any = None
    threshold: float | None = None
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None


FoundCallback = Callable[[str, str, Found], None]


@dataclass(frozen=True)
class RunOptions:
    """What every method is run with.

    Attributes
    ----------
    min_size : int
        Particles of fewer pixels are dropped.
    device : str
        Where networks run.
    tile_size : int or None
        Side of a tile in pixels.
    cache : path-like or None
        Folder for temporary stores.
    keep : path-like or None
        Folder to keep labels and probabilities in.
    on_found : callable or None
        Gets row, image and what was found.
    """

    min_size: int = 3
    device: str = "auto"
    tile_size: int | None = None
    cache: Any = None
    keep: Any = None
    on_found: "FoundCallback | None" = None


@dataclass(frozen=True)
class Doubt:
    """What speaks against trusting a row's figures on an image.

    Attributes
    ----------
    text : str
        In words, to follow the names of row and image.
    seen : bool
        Whether the row learnt from the image.
    """

    text: str
    seen: bool = False


class Contender(Protocol):
    """A row of the table.

    Attributes
    ----------
    label : str
        Heading of the row.
    title : str
        What it is, in words.
    promise : str
        What holds for all its figures unless there are doubts; empty where nothing is to be said.
    timed : bool
        Whether its times say anything: labels that are there already were made elsewhere.
    exact : bool
        Whether its labels are the same whatever the size of tiles; not those of networks that see further than a tile.
    """

    label: str
    title: str
    promise: str
    timed: bool
    exact: bool

    def settings(self) -> dict[str, Any]:
        """Return what decides about its labels, as plain JSON values: a later run must find the same."""
        ...

    def doubts(self, picture: Picture) -> tuple[Doubt, ...]:
        """Return what speaks against trusting its figures on an image, such as that it was trained on it.

        Raises
        ------
        ModelError
            If it must not be scored on that image at all.
        """
        ...

    def prepare(self, picture: Picture, options: RunOptions) -> None:
        """Load what is needed for an image, such as a network's weights."""
        ...

    def run(
        self, picture: Picture, options: RunOptions, *, on_progress: ProgressCallback, cancel: CancelToken
    ) -> Found:
        """Give the labels of an image."""
        ...

    def release(self) -> None:
        """Let go of what was loaded."""
        ...
